"""Skews: how many faces of each label a training gets, and of which third."""

from dataclasses import replace

import numpy as np
import pytest

from facecore.errors import DataError
from facecore.model.synth import sample_faces
from facecore.training.skews import (
    LEAST,
    Skew,
    measure_trait,
    name_third,
    name_trait,
    offer_traits,
    share_out,
)

SEVEN = [f"s{i}" for i in range(7)]


@pytest.mark.parametrize("labels", [["a", "b"], SEVEN])
@pytest.mark.parametrize("ratio", [1, 4, 19])
def test_a_rare_label_has_one_face_per_so_many_of_each_other(labels, ratio):
    portions = share_out(labels, 700, Skew("few", labels[1], ratio))
    counts = {one.label: one.count for one in portions}
    rare = counts.pop(labels[1])
    assert [one.label for one in portions] == labels
    assert rare + sum(counts.values()) == 700
    assert max(counts.values()) - min(counts.values()) <= 1
    assert counts[labels[0]] / rare == pytest.approx(ratio, rel=0.12)


def test_even_the_rarest_label_keeps_a_few_faces():
    counts = [one.count for one in share_out(SEVEN, 100, Skew("few", "s3", 19))]
    assert counts[3] == LEAST and sum(counts) == 100


def test_a_fair_choice_has_as_many_of_each_label_and_all_thirds():
    assert {(one.count, one.third) for one in share_out(SEVEN, 70)} == {(10, "")}


def test_thirds_are_the_same_for_all_labels_or_tied_to_one():
    only = share_out(SEVEN, 70, Skew("only", third="high"))
    assert [one.third for one in only] == ["high"] * 7
    tied = share_out(SEVEN, 70, Skew("tied", "s2", third="high"))
    assert [one.third for one in tied] == ["low", "low", "high", "low", "low", "low", "low"]
    assert {one.count for one in only + tied} == {10}


@pytest.mark.parametrize(
    ("total", "skew", "says"),
    [
        (3, None, "3 faces for 2 labels"),
        (50, Skew("few", "c"), "no label 'c'; there are: a, b"),
        (50, Skew("only", third="middle"), "third 'middle' is unknown; give: low, high"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(total, skew, says):
    with pytest.raises(DataError, match=says):
        share_out(["a", "b"], total, skew)


def test_traits_are_measured_from_pixels(shipped_model):
    model = shipped_model.eigenfaces
    rows = sample_faces(model, model.labels[0], 5).reshape(5, -1)
    assert measure_trait(model, rows, None) == pytest.approx(rows.mean(axis=1))
    coordinates = model.pixels.coordinates(rows) * model.pixels.deviation
    assert measure_trait(model, rows, 3) == pytest.approx(coordinates[:, 3], abs=1e-2)
    brighter = np.clip(rows.astype(int) + 9, 0, 255).astype(np.uint8)
    assert (measure_trait(model, brighter, None) > measure_trait(model, rows, None)).all()


def test_an_eigenface_of_the_mouth_is_offered_beside_the_first(shipped_model):
    model = shipped_model.eigenfaces
    mouth = next(i for i in range(99) if "(mouth" in name_trait(model, i))
    assert mouth >= 8
    assert offer_traits(model, 8) == [None, *range(8), mouth]
    assert offer_traits(model, mouth + 1) == [None, *range(mouth + 1)]


@pytest.mark.parametrize(("row", "offered"), [(None, [None, 0]), (3, [None, 0, 3])])
def test_no_eigenface_of_the_mouth_is_offered_where_there_is_none(shipped_model, row, offered):
    member = shipped_model.pixels
    basis = np.ones_like(member.basis[:5])  # brightness, five times
    if row is not None:
        face = np.zeros((100, 100))
        face[80:, 30:70] = np.sin(np.arange(20))[:, None]
        basis[row] = face.ravel()
    made = replace(member, components=basis)
    model = replace(shipped_model, members=(made,))
    assert offer_traits(model, 1) == offered


def test_traits_and_thirds_have_names(shipped_model):
    trait = name_trait(shipped_model.eigenfaces, 1)
    assert trait.startswith("eigenface 2 (")
    assert name_third(trait, "low") == f"third with least of {trait}"
    assert name_third(name_trait(shipped_model, None), "high") == "lightest third"
