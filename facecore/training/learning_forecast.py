"""What a learning curve says: its table, a forecast with its interval, and sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

SAMPLES = 1000  # of the bootstrap
CHUNK = 100  # of them are in memory at once
POWERS = np.arange(5, 201) / 100  # of the law that are tried
USUAL = 0.5  # power of a label's law where the whole curve shows none
LEAST_SIZES = 4  # sizes on which a law with three parameters is fitted
NEGLIGIBLE = 0.01  # gain in balanced accuracy that is not worth more photos
TWICE = 2.0


@dataclass(frozen=True)
class Hits:
    """Which held-out faces are right when a share of the training faces is fitted.

    Parameters
    ----------
    share : float
        Of the faces, in (0, 1].
    label : str or None
        The only label of which a share was taken; None for all labels.
    counts : mapping of str to float
        Training faces by label, mean over the folds.
    right : ndarray of shape (n_faces,), bool
        Whether the answer out of fold is right.
    score : float
        Mean balanced accuracy over the folds, in [0, 1].
    """

    share: float
    label: str | None
    counts: Mapping[str, float]
    right: np.ndarray
    score: float


@dataclass(frozen=True)
class _Curve:
    """Balanced accuracy against training faces, with the same for each bootstrap sample."""

    shares: list[float]
    sizes: np.ndarray
    scores: np.ndarray
    samples: np.ndarray  # (n_samples, n_sizes)

    def first(self, count: int) -> "_Curve":
        """Return the curve up to one of its sizes."""
        rest = self.sizes[:count], self.scores[:count], self.samples[:, :count]
        return _Curve(self.shares[:count], *rest)


@dataclass(frozen=True)
class _Measured:
    """Hits with the recalls of their labels, also in each bootstrap sample."""

    hits: Sequence[Hits]
    labels: list[str]
    recalls: np.ndarray  # (n_hits, n_labels)
    samples: np.ndarray  # (n_samples, n_hits, n_labels)

    def groups(self, label: str | None) -> dict[float, list[int]]:
        """Return the numbers of the hits by share, of all labels or of one that is varied alone."""
        own = [i for i, hit in enumerate(self.hits) if hit.label == label or hit.share == 1]
        shares = sorted({self.hits[i].share for i in own})
        return {share: [i for i in own if self.hits[i].share == share] for share in shares}

    def count(self, group: Sequence[int], label: str | None) -> float:
        """Return the mean number of training faces, of one label or of all."""
        counts = [self.hits[i].counts for i in group]
        return float(np.mean([found[label] if label else sum(found.values()) for found in counts]))

    def curve(self, label: str | None) -> _Curve:
        """Return balanced accuracies by share, means over the splits into folds."""
        groups = self.groups(label)
        scores = np.array([np.mean([self.hits[i].score for i in g]) for g in groups.values()])
        # The score of a sample is one over all faces; its deviation is added to the mean over folds
        pooled, drawn = self.recalls.mean(axis=1), self.samples.mean(axis=2)
        moves = [(drawn[:, g] - pooled[g]).mean(axis=1) for g in groups.values()]
        sizes = np.array([self.count(g, label) for g in groups.values()])
        return _Curve(list(groups), sizes, scores, scores + np.stack(moves, axis=1))


def fit_power_law(
    sizes: np.ndarray, errors: np.ndarray, power: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit error = a + b * size ** -c with a and b at least 0 (Cortes et al. 1993).

    Squared errors are weighted by size, since small samples scatter most (Figueroa et al. 2012).

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,), float
        Numbers of training faces, above 0.
    errors : ndarray of shape (n_curves, n_sizes), float
        Errors of several curves, in [0, 1].
    power : ndarray of shape (n_curves,), float, optional
        c of each curve; fitted if None.

    Returns
    -------
    a, b, c : ndarray of shape (n_curves,), float64
        b is in units of the largest size: error = a + b * (size / largest) ** -c.

    Examples
    --------
    >>> sizes = np.array([10.0, 20.0, 40.0, 80.0])
    >>> a, b, c = fit_power_law(sizes, 0.1 + 0.2 * (sizes[None] / 80) ** -0.8)
    >>> [round(float(value[0]), 2) for value in (a, b)], bool(abs(c[0] - 0.8) < 0.06)
    ([0.1, 0.2], True)
    """
    x = sizes / sizes.max()
    w = x / x.sum()
    best = np.full((4, len(errors)), np.inf)
    tried = [np.full(len(errors), c) for c in POWERS] if power is None else [power]
    for c in tried:
        z = x[None] ** -c[:, None]
        mean_z, mean_e = (z * w).sum(axis=1), (errors * w).sum(axis=1)
        spread = ((z - mean_z[:, None]) ** 2 * w).sum(axis=1)
        joint = ((z - mean_z[:, None]) * (errors - mean_e[:, None]) * w).sum(axis=1)
        b = np.maximum(joint / np.maximum(spread, 1e-12), 0)
        a = mean_e - b * mean_z
        through = (errors * z * w).sum(axis=1) / (z**2 * w).sum(axis=1)  # b where a would be below
        b, a = np.where(a < 0, through, b), np.maximum(a, 0)
        loss = ((errors - a[:, None] - b[:, None] * z) ** 2 * w).sum(axis=1)
        better = loss < best[0] - 1e-15
        best[:, better] = np.stack([loss, a, b, c])[:, better]
    return best[1], best[2], best[3]


def forecast(
    curve_sizes: np.ndarray, errors: np.ndarray, size: float, power: np.ndarray | None = None
) -> np.ndarray:
    """Forecast the error for another number of training faces by the fitted power law.

    Parameters
    ----------
    curve_sizes : ndarray of shape (n_sizes,), float
        Numbers of training faces, above 0.
    errors : ndarray of shape (n_curves, n_sizes), float
        Errors, in [0, 1].
    size : float
        Number of training faces, above 0.
    power : ndarray of shape (n_curves,), float, optional
        As `fit_power_law` takes it.

    Returns
    -------
    ndarray of shape (n_curves,), float64
        Errors.

    Examples
    --------
    >>> sizes = np.array([10.0, 20.0, 40.0, 80.0])
    >>> forecast(sizes, 0.2 * (sizes[None] / 80) ** -1.0, 160).round(2)
    array([0.1])
    """
    a, b, c = fit_power_law(curve_sizes, errors, power)
    return np.asarray(a + b * (size / curve_sizes.max()) ** -c)


def tabulate_curve(
    hits: Sequence[Hits], y: np.ndarray, subjects: np.ndarray, seed: int = 0
) -> pd.DataFrame:
    """Summarise which held-out faces are right as the table that is stored with a model.

    Intervals are those of a bootstrap over subjects (Efron 1979), the same samples for every
    share, so that differences between shares are paired. Those of the labels' gains hold for all
    labels together (Bonferroni).

    Parameters
    ----------
    hits : sequence of Hits
        Of one share or more, the whole among them.
    y : ndarray of shape (n_faces,), str
        Labels.
    subjects : ndarray of shape (n_faces,)
        Subject of each face.
    seed : int, default=0
        Of the bootstrap, at least 0.

    Returns
    -------
    DataFrame
        kind, label (NaN for all), share, training_faces, score, low and high (95% interval).
        Kinds: ``"curve"`` (balanced accuracy by share of all faces), ``"recall"`` (of a label, by
        the same), ``"label"`` (balanced accuracy by share of that label alone; training_faces are
        its own), ``"gain"`` (balanced accuracy with all faces minus that with half of them, or of
        those of the label), ``"forecast"`` (with twice as many, of all labels or of the label),
        ``"forecast gain"`` (its difference to the present) and ``"check"`` (forecast for all faces
        from half of them).
    """
    labels = [str(label) for label in np.unique(y)]
    recalls = np.array([[hit.right[y == label].mean() for label in labels] for hit in hits])
    found = _Measured(hits, labels, recalls, _sample_recalls(hits, y, subjects, labels, seed))
    whole = found.curve(None)
    rows = _curve_rows(whole, None, 1) + _recall_rows(found)
    powers = None
    if len(whole.sizes) >= LEAST_SIZES:
        rows += _forecast_rows(whole, None, 1)
        powers = _powers(whole)
    half = whole.shares.index(0.5) + 1 if 0.5 in whole.shares else 0
    if half >= LEAST_SIZES:
        before, drawn = _forecast(whole.first(half), whole.sizes[-1])
        rows.append(_row("check", None, 1.0, whole.sizes[-1], before, drawn))
    for label in labels:
        curve = found.curve(label)
        rows += _curve_rows(curve, label, len(labels)) if len(curve.sizes) > 1 else []
        if powers is not None and len(curve.sizes) > 1:
            rows += _forecast_rows(curve, label, len(labels), powers)
    table = pd.DataFrame(rows)
    return table.round({"score": 4, "low": 4, "high": 4})


def _curve_rows(curve: _Curve, label: str | None, parts: int) -> list[dict[str, Any]]:
    kind, rows = "label" if label else "curve", []
    for i, (share, size) in enumerate(zip(curve.shares, curve.sizes, strict=True)):
        rows.append(_row(kind, label, share, size, curve.scores[i], curve.samples[:, i]))
        if share == 0.5:
            gain = curve.scores[-1] - curve.scores[i]
            gains = curve.samples[:, -1] - curve.samples[:, i]
            rows.append(_row("gain", label, share, size, gain, gains, parts))
    return rows


def _recall_rows(found: _Measured) -> list[dict[str, Any]]:
    rows = []
    for number, label in enumerate(found.labels):
        for share, group in found.groups(None).items():
            value = float(found.recalls[group, number].mean())
            drawn = found.samples[:, group, number].mean(axis=1)
            rows.append(_row("recall", label, share, found.count(group, label), value, drawn))
    return rows


def _sample_recalls(
    hits: Sequence[Hits], y: np.ndarray, subjects: np.ndarray, labels: Sequence[str], seed: int
) -> np.ndarray:
    """Return the recall of each label in each bootstrap sample of its subjects."""
    rng = np.random.default_rng(seed)
    right = np.stack([hit.right for hit in hits], axis=1).astype(np.float64)
    found = np.empty((SAMPLES, len(hits), len(labels)))
    for number, label in enumerate(labels):
        rows = np.flatnonzero(y == label)
        codes = np.unique(subjects[rows], return_inverse=True)[1]
        faces = np.bincount(codes)
        own = np.zeros((len(faces), len(hits)))
        np.add.at(own, codes, right[rows])
        even = np.full(len(faces), 1 / len(faces))
        for start in range(0, SAMPLES, CHUNK):
            weights = rng.multinomial(len(faces), even, size=CHUNK).astype(np.float64)
            found[start : start + CHUNK, :, number] = weights @ own / (weights @ faces)[:, None]
    return found


def _forecast(
    curve: _Curve, size: float, powers: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[float, np.ndarray]:
    ours, theirs = powers or (None, None)
    point = 1 - forecast(curve.sizes, 1 - curve.scores[None], size, ours)[0]
    return float(point), 1 - forecast(curve.sizes, 1 - curve.samples, size, theirs)


def _powers(curve: _Curve) -> tuple[np.ndarray, np.ndarray]:
    """Return the power of a curve and of its samples; `USUAL` where the law is flat."""
    found = []
    for errors in (1 - curve.scores[None], 1 - curve.samples):
        _, b, c = fit_power_law(curve.sizes, errors)
        found.append(np.where(b > 0, c, USUAL))
    return found[0], found[1]


def _forecast_rows(
    curve: _Curve,
    label: str | None,
    parts: int,
    powers: tuple[np.ndarray, np.ndarray] | None = None,
) -> list[dict[str, Any]]:
    size = TWICE * curve.sizes[-1]
    point, drawn = _forecast(curve, size, powers)
    gain = point - curve.scores[-1]
    gains = drawn - curve.samples[:, -1]
    return [
        _row("forecast", label, TWICE, size, point, drawn),
        _row("forecast gain", label, TWICE, size, gain, gains, parts),
    ]


def _row(
    kind: str,
    label: str | None,
    share: float,
    size: Any,
    score: float,
    drawn: np.ndarray,
    parts: int = 1,
) -> dict[str, Any]:
    tail = 2.5 / parts
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return {
        "kind": kind,
        "label": label,
        "share": share,
        "training_faces": round(float(size), 1),
        "score": float(score),
        "low": min(float(low), float(score)),
        "high": max(float(high), float(score)),
    }


def describe_curve(table: pd.DataFrame) -> list[str]:
    """Say whether more photos would help, and of which label, in sentences.

    Parameters
    ----------
    table : DataFrame
        As `tabulate_curve` returns it.

    Returns
    -------
    list of str
        Of all labels together first, then of each label that was varied, the largest gain first.

    Examples
    --------
    >>> rows = [
    ...     ("curve", None, 0.5, 40, 0.898, 0.85, 0.94), ("curve", None, 1, 80, 0.9, 0.86, 0.94),
    ...     ("gain", None, 0.5, 40, 0.002, -0.004, 0.008),
    ... ]
    >>> columns = ["kind", "label", "share", "training_faces", "score", "low", "high"]
    >>> print(describe_curve(pd.DataFrame(rows, columns=columns))[0])
    More photos would not help: with half of the faces balanced accuracy is .898, with all of them \
.900 (difference +.002, 95% interval -.004 to +.008).
    """
    sentences = [_describe(table, None)]
    gains = table[table["kind"].eq("gain") & table["label"].notna()]
    ranked = gains.sort_values("score", ascending=False, kind="stable")["label"]
    sentences += [_describe(table, label) for label in ranked]
    if check := describe_check(table):
        sentences.append(check)
    return [sentence for sentence in sentences if sentence]


def verdict_of(table: pd.DataFrame, label: str | None = None) -> str | None:
    """Return whether more photos would help.

    Parameters
    ----------
    table : DataFrame
        As `tabulate_curve` returns it.
    label : str, optional
        Of this label alone; of all labels if None.

    Returns
    -------
    {"yes", "no", "unknown"} or None
        ``"yes"`` where the gain from half of the faces to all is above 0 over its interval;
        ``"no"`` where that gain, or otherwise the gain that is forecast for twice as many, is
        below one point of balanced accuracy over its interval; None without these gains.
    """
    gain = _find(table, "gain", label)
    if gain is None:
        return None
    if gain["high"] < NEGLIGIBLE:
        return "no"
    if gain["low"] > 0:
        return "yes"
    ahead = _find(table, "forecast gain", label) if is_trusted(table) else None
    return "no" if ahead is not None and ahead["high"] < NEGLIGIBLE else "unknown"


def describe_check(table: pd.DataFrame) -> str:
    """Say how well the same law, fitted to half of the faces, forecast the score with all.

    Parameters
    ----------
    table : DataFrame
        As `tabulate_curve` returns it.

    Returns
    -------
    str
        Empty where there were too few sizes.
    """
    check, now = _find(table, "check"), _find(table, "curve", share=1.0)
    if check is None or now is None:
        return ""
    told = "A power law, as the forecasts have it, fitted to half of the faces alone gave "
    told += f"{_share(check['score'])} ({_span(check)}) for all of them; measured"
    return f"{told}: {_share(now['score'])}."


def is_trusted(table: pd.DataFrame) -> bool:
    """Return whether the law, fitted to half of the faces, forecast the score with all of them.

    Parameters
    ----------
    table : DataFrame
        As `tabulate_curve` returns it.

    Returns
    -------
    bool
        True where the measured score is in the interval of the forecast, or within one point of
        it; False also where there are too few sizes to tell.
    """
    check, now = _find(table, "check"), _find(table, "curve", share=1.0)
    if check is None or now is None:
        return False
    score = now["score"]
    near = abs(check["score"] - score) < NEGLIGIBLE
    return bool(near or check["low"] <= score <= check["high"])


def _describe(table: pd.DataFrame, label: str | None) -> str:
    verdict = verdict_of(table, label)
    if verdict is None:
        return ""
    now, gain = _find(table, "curve", share=1.0), _find(table, "gain", label)
    half = _find(table, "label" if label else "curve", label, share=0.5)
    assert now is not None and gain is not None and half is not None
    alone = f" of {label} alone" if label else ""
    faces = f"faces of {label}" if label else "faces"
    measured = (
        f"with half of the {faces} balanced accuracy is {_share(half['score'])}, with all of them "
        f"{_share(now['score'])} (difference {_change(gain['score'])}, 95% interval "
        f"{_change(gain['low'])} to {_change(gain['high'])})"
    )
    ahead = _find(table, "forecast", label) if is_trusted(table) else None
    if verdict == "no":
        told = f"; {_share(ahead['score'])} is forecast for twice as many" if ahead else ""
        return f"More photos{alone} would not help: {measured}{told}."
    if verdict == "unknown":
        return (
            f"It cannot be told from these photos whether more{alone or ' of them'} would help: "
            f"{measured}."
        )
    if ahead is None:
        return f"More photos{alone} would likely help: {measured}. By how much is not forecast."
    whom = alone if label else " of every label"
    return (
        f"Twice as many photos{whom} would likely raise balanced accuracy from "
        f"{_share(now['score'])} to {_share(ahead['score'])} ({_span(ahead)}): {measured}."
    )


def _find(
    table: pd.DataFrame, kind: str, label: str | None = None, share: float | None = None
) -> Mapping[str, Any] | None:
    own = table["label"].isna() if label is None else table["label"].eq(label)
    rows = table[table["kind"].eq(kind) & own]
    if share is not None:
        rows = rows[rows["share"].eq(share)]
    return None if rows.empty else dict(rows.iloc[0])


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _change(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}".replace("0.", ".", 1)


def _span(row: Mapping[str, Any]) -> str:
    return f"{_share(row['low'])} to {_share(row['high'])}"
