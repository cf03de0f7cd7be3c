"""What a trial of the bias lab shows, on trials whose answers are made."""

import numpy as np
import pytest

from facecore.training.bias_figures import (
    describe_trial,
    gap_of,
    hit_by,
    match_eigenfaces,
    name_part,
    tabulate_groups,
)
from facecore.training.bias_lab import BiasTrial, LabTraining
from facecore.training.skews import Portion, Skew

LABELS = ("*round*", "square")


def training(wrong=(), eigenfaces=((1.0, 0.0), (0.0, 1.0))) -> LabTraining:
    """A training that is wrong about some of 120 test faces."""
    right = np.ones(120, bool)
    right[list(wrong)] = False
    rows = np.array(eigenfaces)
    return LabTraining(
        tuple(Portion(label, 10) for label in LABELS),
        np.zeros((1, 2, 2), np.uint8),
        LABELS[:1],
        np.zeros((2, 2), np.uint8),
        rows,
        ("brightness",) * len(rows),
        np.full(len(rows), 0.5),
        right,
    )


def trial(skew: Skew, fair=None, skewed=None) -> BiasTrial:
    """A trial of 60 test faces per label, 20 of each third."""
    labels, thirds = np.repeat([0, 1], 60), np.tile(np.repeat([0, 1, 2], 20), 2)
    fair, skewed = fair or training(), skewed or training()
    return BiasTrial(skew, "mean grey level", LABELS, fair, skewed, labels, thirds)


FEW = Skew("few", "*round*", 9)


def test_a_skew_neglects_the_rare_label():
    one = trial(FEW)
    assert one.part("neglected").nonzero()[0].tolist() == list(range(60))
    assert one.part("favoured").nonzero()[0].tolist() == list(range(60, 120))


def test_a_skew_neglects_the_third_that_is_never_seen():
    one = trial(Skew("only", third="high"))
    assert set(one.test_thirds[one.part("favoured")]) == {2}
    assert set(one.test_thirds[one.part("neglected")]) == {0}


def test_a_giveaway_neglects_faces_that_are_the_other_way_round():
    one = trial(Skew("tied", "square", third="low"))
    seen = set(zip(one.test_labels, one.test_thirds, strict=True))
    favoured = {(int(a), int(b)) for a, b in seen if one.part("favoured")[60 * a + 20 * b]}
    neglected = {(int(a), int(b)) for a, b in seen if one.part("neglected")[60 * a + 20 * b]}
    assert favoured == {(1, 0), (0, 2)}
    assert neglected == {(1, 2), (0, 0)}


def test_groups_are_counted_and_compared_face_by_face():
    found = {
        (group.label, group.third): group
        for group in tabulate_groups(trial(FEW, training([0]), training(range(1, 31))))
    }
    assert set(found) == {
        *(("", third) for third in ("", "low", "middle", "high")),
        *((label, "") for label in LABELS),
    }
    everyone = found[("", "")]
    assert (everyone.n, everyone.fair, everyone.skewed) == (120, 119, 90)
    rare = found[("*round*", "")]
    assert (rare.n, rare.fair, rare.skewed) == (60, 59, 30)
    # one face only the fair training got wrong, 30 only the skewed one: a coin that fell so
    assert rare.p == pytest.approx(2 * (1 + 31) / 2**31)
    assert found[("square", "")].p == 1
    tied = tabulate_groups(trial(Skew("tied", "square")))
    assert [(one.label, one.third) for one in tied[-4:]] == [
        (label, third) for label in LABELS for third in ("low", "high")
    ]


def test_the_gap_has_the_interval_of_two_shares():
    from facecore.evaluation.intervals import newcombe

    one = trial(FEW, skewed=training(range(30)))
    gap = gap_of(one, one.skewed)
    assert (gap.favoured, gap.neglected, gap.gap) == ((60, 60), (30, 60), 0.5)
    assert (gap.low, gap.high) == pytest.approx(newcombe((60, 60), (30, 60)))


@pytest.mark.parametrize(
    ("wrong", "hit"),
    [
        (range(30), "neglected"),
        (range(70, 100), "favoured"),
        (range(2), "neither"),
        ((), "neither"),
        ((*range(10), *range(60, 90)), "favoured"),
    ],
)
def test_the_group_that_loses_more_than_chance_is_hit(wrong, hit):
    assert hit_by(trial(FEW, skewed=training(wrong))) == hit


def test_a_training_that_gains_is_not_hit():
    assert hit_by(trial(FEW, training(range(30)), training())) == "neither"


def test_sentences_are_computed_from_the_figures():
    said = describe_trial(trial(FEW, training([0, 60]), training(range(30))))
    assert said == [
        "Of faces of label *round*, the fair training recognises 59 of 60 (98%) and the skewed one "
        "30 (50%): 48 points fewer. Chance alone seldom does that.",
        "Of faces of label square, the fair training recognises 59 of 60 (98%) and the skewed one "
        "60 (100%): 2 points more. That may well be chance.",
        "After the fair training the second group is level with the first; after the skewed one "
        "it is 50 points ahead of it (95% interval of its lead: 36 to 62 points).",
    ]
    same = describe_trial(trial(FEW, training([60]), training([60])))
    assert same[1].endswith("59 of 60 (98%) and the skewed one 59 (98%): as many.")
    assert "the second group is 2 points behind the first" in same[2]
    tied = trial(Skew("tied", "square"))
    assert name_part(tied, "favoured") == (
        "faces of label square in the darkest third, *round* in the lightest third"
    )
    assert name_part(tied, "neglected") == (
        "faces of label square in the lightest third, *round* in the darkest third"
    )


def test_eigenfaces_are_matched_whatever_their_sign_and_place():
    one = trial(FEW, skewed=training(eigenfaces=((0.0, -3.0), (0.6, 0.8))))
    assert match_eigenfaces(one) == [(1, pytest.approx(-1)), (1, pytest.approx(0.8))]
