"""What a trial of the bias lab shows: by group, the gap, and which eigenfaces are left."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from facecore.evaluation.paired import mcnemar, unpaired_interval
from facecore.system.text import with_minus
from facecore.training.bias_lab import BiasTrial, LabTraining, Part
from facecore.training.skews import OPPOSITE, THIRDS, name_third

CHANCE = 0.05  # a change that chance makes less often than this is not laid to it

Hit = Literal["neglected", "favoured", "neither"]


@dataclass(frozen=True)
class GroupFigures:
    """How many test faces of a group both trainings label right.

    Parameters
    ----------
    label : str
        Label of the group; empty for all labels.
    third : str
        Third by the trait; empty for all.
    n : int
        Number of test faces.
    fair, skewed : int
        How many of them each training labels right.
    p : float
        Of McNemar's test of the difference, in [0, 1].
    """

    label: str
    third: str
    n: int
    fair: int
    skewed: int
    p: float


@dataclass(frozen=True)
class SkewGap:
    """How far a training is better for the faces that a skew favours than for those it neglects.

    Parameters
    ----------
    favoured, neglected : tuple of int
        How many test faces are labelled right, and how many there are.
    gap, low, high : float
        Share of the favoured minus share of the neglected, and its 95% interval.
    """

    favoured: tuple[int, int]
    neglected: tuple[int, int]
    gap: float
    low: float
    high: float


def tabulate_groups(trial: BiasTrial) -> tuple[GroupFigures, ...]:
    """Count by group what both trainings label right.

    Parameters
    ----------
    trial : BiasTrial
        As `try_skew` returns it.

    Returns
    -------
    tuple of GroupFigures
        All test faces, those of each label, those of each third, and, where a third was tied to a
        label, those of each label in its lowest and in its highest third.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> from facecore.training import Skew, try_skew
    >>> model = load_model("classic")
    >>> groups = tabulate_groups(try_skew(model, model.labels, Skew("only"), 60))
    >>> [(group.label, group.third, group.n) for group in groups][:4]
    [('', '', 600), ('female', '', 300), ('male', '', 300), ('', 'low', 200)]
    """
    names = [("", ""), *((label, "") for label in trial.labels), *(("", one) for one in THIRDS)]
    if trial.skew.kind == "tied":
        names += [(label, third) for label in trial.labels for third in OPPOSITE]
    found = []
    for label, third in names:
        mine = np.ones(len(trial.test_labels), dtype=bool)
        if label:
            mine &= trial.test_labels == trial.labels.index(label)
        if third:
            mine &= trial.test_thirds == THIRDS.index(third)
        fair, skewed = trial.fair.right[mine], trial.skewed.right[mine]
        counts = int(mine.sum()), int(fair.sum()), int(skewed.sum())
        found.append(GroupFigures(label, third, *counts, mcnemar(fair, skewed)))
    return tuple(found)


def gap_of(trial: BiasTrial, training: LabTraining) -> SkewGap:
    """Return how far a training is better for what the skew favours than for what it neglects.

    Parameters
    ----------
    trial : BiasTrial
        As `try_skew` returns it.
    training : LabTraining
        One of its two.

    Returns
    -------
    SkewGap
        With the interval of the difference between two shares (Newcombe 1998).

    Examples
    --------
    >>> from facecore.model import load_model
    >>> from facecore.training import Skew, try_skew
    >>> model = load_model("classic")
    >>> trial = try_skew(model, model.labels, Skew("few", "female", 9), 60)
    >>> gap_of(trial, trial.skewed).gap > gap_of(trial, trial.fair).gap
    True
    """
    favoured, neglected = (
        (int(training.right[mine].sum()), int(mine.sum()))
        for mine in (trial.part("favoured"), trial.part("neglected"))
    )
    return SkewGap(favoured, neglected, *unpaired_interval(favoured, neglected))


def hit_by(trial: BiasTrial) -> Hit:
    """Return whose recognition suffers from the skew: that of the group which loses more.

    Parameters
    ----------
    trial : BiasTrial
        As `try_skew` returns it.

    Returns
    -------
    {"neglected", "favoured", "neither"}
        ``"neither"`` where the skewed training labels no group right less often than the fair one,
        but for differences that chance makes in one of twenty trials (McNemar 1947).

    Examples
    --------
    >>> from facecore.model import load_model
    >>> from facecore.training import Skew, try_skew
    >>> model = load_model("classic")
    >>> hit_by(try_skew(model, model.labels, Skew("few", "female", 9), 60))
    'neglected'
    """
    lost: dict[Hit, float] = {}
    parts: tuple[Part, Part] = ("neglected", "favoured")
    for part in parts:
        mine = trial.part(part)
        fair, skewed = trial.fair.right[mine], trial.skewed.right[mine]
        if mcnemar(fair, skewed) < CHANCE:
            lost[part] = float(fair.mean() - skewed.mean())
    worst = max(lost, key=lambda part: lost[part], default=None)
    return worst if worst is not None and lost[worst] > 0 else "neither"


def match_eigenfaces(trial: BiasTrial) -> list[tuple[int, float]]:
    """Find for each first eigenface of the skewed training the fair one that is most like it.

    Parameters
    ----------
    trial : BiasTrial
        As `try_skew` returns it.

    Returns
    -------
    list of tuple of (int, float)
        Number of the fair eigenface among the first, from 0, and how alike they are: the cosine of
        the angle between the two. It is negative where the same change has the other sign.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> from facecore.training import Skew, try_skew
    >>> model = load_model("classic")
    >>> found = match_eigenfaces(try_skew(model, model.labels, Skew("few", "female"), 60))
    >>> found[0][0], abs(found[0][1]) > 0.9  # 1 to 1 is as fair
    (0, True)
    """
    fair, skewed = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        for rows in (trial.fair.eigenfaces, trial.skewed.eigenfaces)
    )
    cosines = skewed @ fair.T
    best = np.abs(cosines).argmax(axis=1)
    return [(int(i), float(row[i])) for i, row in zip(best, cosines, strict=True)]


def name_part(trial: BiasTrial, part: Part) -> str:
    """Return which test faces the skew favours, or neglects, in words.

    Parameters
    ----------
    trial : BiasTrial
        As `try_skew` returns it.
    part : {"neglected", "favoured"}
        Which of the two.

    Returns
    -------
    str
        Labels stand in it as they are.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> from facecore.training import Skew, try_skew
    >>> model = load_model("classic")
    >>> trial = try_skew(model, model.labels, Skew("only"), 60)
    >>> name_part(trial, "favoured"), name_part(trial, "neglected")
    ('the darkest third', 'the lightest third')
    """
    skew, neglected = trial.skew, part == "neglected"
    if skew.kind == "only":
        third = OPPOSITE[skew.third] if neglected else skew.third
        return f"the {name_third(trial.trait, third)}"
    others = [label for label in trial.labels if label != skew.label]
    rest = others[0] if len(others) == 1 else "others"
    if skew.kind == "tied":
        ends = [name_third(trial.trait, one) for one in (skew.third, OPPOSITE[skew.third])]
        own, other = reversed(ends) if neglected else ends
        return f"faces of label {skew.label} in the {own}, {rest} in the {other}"
    if neglected:
        return f"faces of label {skew.label}"
    return f"faces of label {rest}" if len(others) == 1 else "faces of the other labels"


def describe_trial(trial: BiasTrial) -> list[str]:
    """Say what a skew did, in sentences that are computed from the figures.

    Parameters
    ----------
    trial : BiasTrial
        As `try_skew` returns it.

    Returns
    -------
    list of str
        What became of the faces that it neglects, of those that it favours, and of the gap.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> from facecore.training import Skew, try_skew
    >>> model = load_model("classic")
    >>> said = describe_trial(try_skew(model, model.labels, Skew("few", "female", 9), 60))
    >>> len(said), said[0].startswith("Of faces of label female, the fair training recognises")
    (3, True)
    """
    parts: tuple[Part, Part] = ("neglected", "favoured")
    fair, skewed = gap_of(trial, trial.fair), gap_of(trial, trial.skewed)
    said = []
    for part in parts:
        mine = trial.part(part)
        (before, n), (after, _) = getattr(fair, part), getattr(skewed, part)
        points = round(100 * after / n) - round(100 * before / n)
        change = (
            f"{abs(points)} points {'more' if points > 0 else 'fewer'}" if points else "as many"
        )
        if before != after:
            p = mcnemar(trial.fair.right[mine], trial.skewed.right[mine])
            seldom = p < CHANCE
            change += ". Chance alone seldom does that" if seldom else ". That may well be chance"
        said.append(
            f"Of {name_part(trial, part)}, the fair training recognises {before} of {n} "
            f"({before / n:.0%}) and the skewed one {after} ({after / n:.0%}): {change}."
        )
    said.append(
        f"After the fair training the second group is {_lead(fair)} the first; after the skewed "
        f"one it is {_lead(skewed)} it (95% interval of its lead: "
        f"{with_minus(f'{round(100 * skewed.low)} to {round(100 * skewed.high)}')} points)."
    )
    return said


def _lead(gap: SkewGap) -> str:
    points = round(100 * gap.gap)
    if not points:
        return "level with"
    return f"{points} points ahead of" if points > 0 else f"{-points} points behind"
