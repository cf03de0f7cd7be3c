"""How far groups of photos are apart: per data set, and over all where the data sets agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np

from facecore.evaluation.groups import is_right, trait_columns
from facecore.evaluation.intervals import LEAST_PHOTOS, newcombe
from facecore.model.labels import order_labels

if TYPE_CHECKING:
    import pandas as pd

ACCURACY, ANSWERED = "forced accuracy", "answered"
RIGHT, RECALL = "right when answered", "recall"
DISAGREE = 0.1  # data sets agree where their gaps would differ so much as often as this, or more
SINGULAR = 1e-10  # of the largest eigenvalue; what is below is zero but for rounding
Z = 1.959964  # quantile of the standard normal distribution for 95%

# Successes and trials of each group, by data set.
Counts = Mapping[str, Mapping[str, tuple[int, int]]]


class SetGap(TypedDict):
    """The two groups of one data set whose shares differ most."""

    set: str
    gap: float  # best minus worst, in [0, 1]
    interval: list[float]  # of the gap: low, high
    best: str  # name of the group
    worst: str
    n: list[int]  # photos of best, of worst


class Agreement(TypedDict):
    """Whether the differences between groups are alike in several data sets."""

    q: float  # of the test of homogeneity, at least 0
    freedom: int  # degrees of freedom, at least 1
    p: float  # in [0, 1]
    agree: bool  # p is at least `DISAGREE`
    opposed: bool  # the groups of the largest gap of a data set are the other way round elsewhere
    together: float  # gap that is left when all photos are put together, in [0, 1]
    gap: float  # the largest of the pooled differences, in [0, 1]
    interval: list[float]  # of the gap: low, high
    best: str
    worst: str


class TraitGap(TypedDict):
    """How far the groups of one trait are apart in one figure."""

    trait: str  # "label", or one of those of `trait_columns`
    figure: str  # `ACCURACY`, `ANSWERED`, `RIGHT` or `RECALL`
    label: str  # whose recall; else empty
    sets: list[SetGap]  # at least one
    agreement: Agreement | None  # None where fewer than two data sets share two groups


def trait_gaps(
    table: "pd.DataFrame", order: Sequence[str] = (), least: int = LEAST_PHOTOS
) -> list[TraitGap]:
    """Find the largest gaps between groups in each data set, and whether the data sets agree.

    The gaps are those in forced accuracy (a photo without a face counts as wrong), in the share
    of photos that are answered, in the share of answers that are right, and, within each label, in
    recall. The last is the gap in equal opportunity (Hardt, Price and Srebro 2016).

    Parameters
    ----------
    table : DataFrame
        Predictions of one test set or more, as `predict_table` returns them: columns set, label,
        detected (bool), predicted, those of `trait_columns` (empty or NaN where unknown) and
        perhaps answered (bool).
    order : sequence of str
        The labels in the order that the model declares.
    least : int
        Groups of fewer photos (of the figure: all, those answered, or those of the label) are not
        compared.

    Returns
    -------
    list of TraitGap
        By trait, the labels first, and figure. Figures in which no data set has two large groups
        are left out, and figures about answers where the table has no column answered.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"set": "x", "label": ["calm"] * 60 + ["sad"] * 60, "detected": True})
    >>> table["predicted"] = ["calm"] * 90 + ["sad"] * 30
    >>> (gap,) = trait_gaps(table)
    >>> gap["trait"], gap["figure"], gap["sets"][0]["worst"], gap["sets"][0]["gap"]
    ('label', 'forced accuracy', 'sad', 0.5)
    """
    counted = table.assign(one=True, right=is_right(table))
    figures = [(ACCURACY, "", counted, "right")]
    if "answered" in table:
        figures.append((ANSWERED, "", counted, "answered"))
        figures.append((RIGHT, "", counted[counted["answered"]], "right"))
    within = [
        (RECALL, label, counted[counted["label"].eq(label)], "right")
        for label in order_labels(map(str, table["label"].unique()), order)
    ]
    names = [str(name) for name in table["set"].unique()]  # their order, also of some rows
    found = []
    for trait, column in ({"label": "label"} | trait_columns(table)).items():
        for figure, label, rows, hit in figures if trait == "label" else [*figures, *within]:
            known = _count(rows, column, hit)
            counts = {name: known[name] for name in names if name in known}
            if sets := set_gaps(counts, least):
                found.append(
                    TraitGap(
                        trait=trait,
                        figure=figure,
                        label=label,
                        sets=sets,
                        agreement=agreement(counts, least),
                    )
                )
    return found


def _count(rows: "pd.DataFrame", column: str, hit: str) -> dict[str, dict[str, tuple[int, int]]]:
    known = rows[rows[column].notna() & rows[column].ne("")]
    sums = known.groupby(["set", column], sort=False)[hit].agg(["sum", "size"])
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for (name, group), hits, n in sums.itertuples():
        counts.setdefault(str(name), {})[str(group)] = (int(hits), int(n))
    return counts


def set_gaps(counts: Counts, least: int = LEAST_PHOTOS) -> list[SetGap]:
    """Find the two groups of each data set whose shares differ most.

    Parameters
    ----------
    counts : mapping of str to mapping of str to tuple of int
        By data set and group, successes and trials.
    least : int
        Groups of fewer trials are not compared.

    Returns
    -------
    list of SetGap
        Without data sets of fewer than two large groups. The interval (Newcombe 1998) is that of
        the two groups; it does not allow for the choice of the farthest of several.

    Examples
    --------
    >>> (gap,) = set_gaps({"x": {"20-39": (90, 100), "60+": (60, 80), "0-12": (0, 9)}})
    >>> gap["best"], gap["worst"], gap["gap"], gap["n"]
    ('20-39', '60+', 0.15, [100, 80])
    """
    gaps = []
    for name, groups in counts.items():
        large = {group: count for group, count in groups.items() if count[1] >= max(least, 1)}
        if len(large) < 2:
            continue
        share = {group: hits / n for group, (hits, n) in large.items()}
        best, worst = max(share, key=lambda g: share[g]), min(share, key=lambda g: share[g])
        if best == worst:  # all are alike
            best, worst = list(large)[:2]
        gaps.append(
            SetGap(
                set=name,
                gap=round(share[best] - share[worst], 4),
                interval=[round(v, 4) for v in newcombe(large[best], large[worst])],
                best=best,
                worst=worst,
                n=[large[best][1], large[worst][1]],
            )
        )
    return gaps


def agreement(counts: Counts, least: int = LEAST_PHOTOS) -> Agreement | None:
    """Test whether the differences between groups are the same in every data set.

    Shares are described as one number per data set plus one per group, fitted by weighted least
    squares; what is left over is compared with a chi-squared distribution (Grizzle, Starmer and
    Koch 1969). With two groups this is the test of homogeneity of their differences by Cochran
    (Cochran 1954). The variance of a share counts one more success and one more failure (Agresti
    and Caffo 2000), or a group without an error would have none. The test finds little where there
    are few photos (Higgins et al. 2003), hence the level of 10%.

    Parameters
    ----------
    counts : mapping of str to mapping of str to tuple of int
        By data set and group, successes and trials.
    least : int
        Groups of fewer trials are left out.

    Returns
    -------
    Agreement or None
        Over the groups that are large in at least two data sets. The pooled differences are the
        mean of those of the data sets, weighted by precision: photos are compared within a data
        set only. None where fewer than two data sets share two groups.

    Examples
    --------
    >>> first = {"a": (90, 100), "b": (80, 100)}
    >>> alike = agreement({"x": first, "y": {"a": (45, 60), "b": (40, 60)}})
    >>> alike["agree"], alike["best"], round(alike["gap"], 2)
    (True, 'a', 0.1)
    >>> odd = agreement({"x": first, "y": {"a": (30, 60), "b": (50, 60)}})
    >>> odd["agree"], odd["opposed"]
    (False, True)
    """
    from scipy.stats import chi2

    shared = _shared(counts, least)
    names = list(dict.fromkeys(group for found in shared.values() for group in found))
    if len(shared) < 2 or len(names) < 2:
        return None
    fit = _additive(shared, names)
    if fit.freedom < 1:
        return None
    p = float(chi2.sf(fit.q, fit.freedom))
    best, worst = int(np.argmax(fit.effect)), int(np.argmin(fit.effect))
    gap = float(fit.effect[best] - fit.effect[worst])
    apart = np.zeros(len(names))
    apart[[best, worst]] = 1, -1
    half = Z * float(np.sqrt(apart @ fit.covariance @ apart))
    return {
        "q": round(fit.q, 2),
        "freedom": fit.freedom,
        "p": float(f"{p:.3g}"),
        "agree": p >= DISAGREE,
        "opposed": _opposed(shared, least),
        "together": _together(shared),
        "gap": round(gap, 4),
        "interval": [round(gap - half, 4), round(gap + half, 4)],
        "best": names[best],
        "worst": names[worst],
    }


def _shared(counts: Counts, least: int) -> dict[str, dict[str, tuple[int, int]]]:
    """Keep the large groups of at least two data sets, and the data sets with two of these."""
    kept = {
        name: {group: count for group, count in groups.items() if count[1] >= max(least, 1)}
        for name, groups in counts.items()
    }
    while True:
        seen = Counter(group for groups in kept.values() for group in groups)
        fewer = {
            name: {g: count for g, count in groups.items() if seen[g] > 1}
            for name, groups in kept.items()
        }
        fewer = {name: groups for name, groups in fewer.items() if len(groups) > 1}
        if fewer == kept:
            return kept
        kept = fewer


class _Fit(NamedTuple):
    effect: np.ndarray  # of each group, up to a constant
    covariance: np.ndarray  # of the effects
    q: float
    freedom: int


def _additive(shared: Counts, names: Sequence[str]) -> _Fit:
    """Fit share = data set + group by least squares, weighted by one over the variance."""
    place = {group: i for i, group in enumerate(names)}
    P, W = np.zeros((2, len(shared), len(names)))
    for row, groups in enumerate(shared.values()):
        for group, (hits, n) in groups.items():
            adjusted = (hits + 1) / (n + 2)
            P[row, place[group]] = hits / n
            W[row, place[group]] = (n + 2) / (adjusted * (1 - adjusted))
    # The equations of the groups are solved for them, which leaves as many as there are data sets.
    # A constant may move between data sets and groups, so that the equations are not independent.
    total = W.sum(axis=0)
    share = W / total
    values, vectors = np.linalg.eigh(np.diag(W.sum(axis=1)) - share @ W.T)
    kept = values > SINGULAR * values.max()
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    level = inverse @ ((W * P).sum(axis=1) - share @ (W * P).sum(axis=0))
    effect = ((W * P).sum(axis=0) - W.T @ level) / total
    q = float((W * (P - level[:, None] - effect) ** 2).sum())
    freedom = int((W > 0).sum()) - len(names) - int(kept.sum())
    return _Fit(effect, np.diag(1 / total) + share.T @ inverse @ share, q, freedom)


def _opposed(shared: Counts, least: int) -> bool:
    """Return whether a gap of one data set is surely the other way round in another."""
    for found in set_gaps(shared, least):
        pairs = (
            newcombe(groups[found["best"]], groups[found["worst"]])
            for groups in shared.values()
            if {found["best"], found["worst"]} <= groups.keys()
        )
        if found["interval"][0] > 0 and any(high < 0 for _, high in pairs):
            return True
    return False


def _together(shared: Counts) -> float:
    """Return the largest gap between groups whose photos of all data sets are put together."""
    sums: dict[str, np.ndarray] = {}
    for groups in shared.values():
        for group, count in groups.items():
            sums[group] = sums.get(group, np.zeros(2, dtype=int)) + count
    shares = [hits / n for hits, n in sums.values()]
    return round(float(max(shares) - min(shares)), 4)
