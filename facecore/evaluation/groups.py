"""For whom a model is right: figures by group, and of each label within each group."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np

from facecore.evaluation.intervals import LEAST_PHOTOS, wilson
from facecore.model.labels import order_labels
from facecore.system.text import TRAIT

if TYPE_CHECKING:  # the upload site, which has no pandas, shows cards as well
    import pandas as pd

TRAITS = ("age", "race")  # of which every table of predictions has a column


class AnswerFigures(TypedDict, total=False):
    """What a model answers under its rule; nothing of it where the rule was not applied."""

    coverage: float | None  # answered of all photos, in [0, 1]
    accuracy_answered: float | None  # right of the answered, in [0, 1]
    interval_answered: list[float]  # of accuracy_answered: low, high


class GroupFigures(AnswerFigures):
    """Figures of a group of photos. Shares are in [0, 1], and None where there is no photo."""

    n: int  # photos
    detected: int  # photos in which a face was found
    accuracy_all: float | None
    balanced_accuracy_all: float | None  # mean of the recalls of the labels
    interval_all: list[float]  # of accuracy_all: low, high


class CrossedGroup(TypedDict):
    """Figures of the photos of one label in one group. Shares are in [0, 1]."""

    trait: str  # one of those of `trait_columns`
    label: str
    group: str
    n: int  # photos, at least 1
    detected: int  # photos in which a face was found
    accuracy_all: float  # recall of the label in this group
    interval_all: list[float]  # of accuracy_all: low, high
    coverage: NotRequired[float]  # as in `AnswerFigures`
    accuracy_answered: NotRequired[float | None]
    interval_answered: NotRequired[list[float]]


def trait_columns(table: "pd.DataFrame") -> dict[str, str]:
    """Return the columns by which the photos of a table can be grouped.

    Parameters
    ----------
    table : DataFrame
        Photos or predictions.

    Returns
    -------
    dict of str to str
        Column by name of the trait: age, race, and what further columns of a ``labels.csv`` say.

    Examples
    --------
    >>> import pandas as pd
    >>> trait_columns(pd.DataFrame(columns=["label", "age", "trait_glasses"]))
    {'age': 'age', 'glasses': 'trait_glasses'}
    """
    columns = {trait: trait for trait in TRAITS if trait in table}
    further = [column for column in table.columns if column.startswith(TRAIT)]
    return columns | {column.removeprefix(TRAIT): column for column in further}


def fill_unknown(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return stored predictions with an empty text where a trait or an answer is unknown.

    Parameters
    ----------
    table : DataFrame
        As `facecore.model.read_model_table` reads it.

    Returns
    -------
    DataFrame
        The same rows and columns.

    Examples
    --------
    >>> import pandas as pd
    >>> fill_unknown(pd.DataFrame({"age": [None, "60+"]}))["age"].tolist()
    ['', '60+']
    """
    texts = [name for name in ("predicted", *trait_columns(table).values()) if name in table]
    # a column in which nothing is known was read as one of numbers
    return table.assign(**{name: table[name].astype(object).fillna("") for name in texts})


def is_right(table: "pd.DataFrame") -> "pd.Series":
    """Return whether the likeliest label of each photo is the true one.

    Parameters
    ----------
    table : DataFrame
        Columns label, detected (bool) and predicted.

    Returns
    -------
    Series
        bool, one value per photo; False where no face was found.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["calm", "sad"], "predicted": ["calm", ""]})
    >>> is_right(table.assign(detected=[True, False])).tolist()
    [True, False]
    """
    return table["detected"] & table["predicted"].eq(table["label"])


def round_share(value: float) -> float | None:
    """Return a share as JSON stores it.

    Parameters
    ----------
    value : float
        In [0, 1]; NaN for the share of nothing.

    Returns
    -------
    float or None
        Rounded to four decimals; None for NaN, which JSON does not have.

    Examples
    --------
    >>> round_share(2 / 3), round_share(float("nan"))
    (0.6667, None)
    """
    return None if np.isnan(value) else round(float(value), 4)


def answer_figures(table: "pd.DataFrame") -> AnswerFigures:
    """Compute what a model answers under its rule.

    Parameters
    ----------
    table : DataFrame
        Columns label, detected (bool), predicted and answered (bool).

    Returns
    -------
    AnswerFigures
        Shares and the 95% interval (Wilson 1927).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["calm", "sad"], "predicted": ["calm", "calm"]})
    >>> answer_figures(table.assign(detected=True, answered=[True, False]))["coverage"]
    0.5
    """
    answered = table["answered"]
    right = is_right(table)[answered]
    return {
        "coverage": round_share(answered.mean()),
        "accuracy_answered": round_share(right.mean()),
        "interval_answered": _interval(int(right.sum()), len(right)),
    }


def group_figures(table: "pd.DataFrame") -> GroupFigures:
    """Compute the figures of a group of photos.

    Parameters
    ----------
    table : DataFrame
        Columns label, detected (bool), predicted and perhaps answered (bool).

    Returns
    -------
    GroupFigures
        Those about answers only where the column answered is there.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["calm", "sad"], "predicted": ["calm", "calm"]})
    >>> group_figures(table.assign(detected=True))["accuracy_all"]
    0.5
    """
    right = is_right(table)
    figures: GroupFigures = {
        "n": len(table),
        "detected": int(table["detected"].sum()),
        "accuracy_all": round_share(right.mean()),
        "balanced_accuracy_all": round_share(right.groupby(table["label"]).mean().mean()),
        "interval_all": _interval(int(right.sum()), len(right)),
    }
    return {**figures, **answer_figures(table)} if "answered" in table else figures


def figures_by_trait(
    table: "pd.DataFrame", order: Sequence[str] = (), traits: Sequence[str] | None = None
) -> dict[str, dict[str, GroupFigures]]:
    """Compute the figures of each group by each trait.

    Parameters
    ----------
    table : DataFrame
        Columns label, detected (bool), predicted, those of `trait_columns` (empty where unknown)
        and perhaps answered (bool).
    order : sequence of str
        The labels in the order that the model declares.
    traits : sequence of str, optional
        Names of traits, also ``"label"``. Where left out, those of `trait_columns`, and with a
        column answered the labels before them.

    Returns
    -------
    dict of str to dict of str to GroupFigures
        By trait and group, without traits that are known of no photo.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["calm", "sad"], "predicted": ["calm", "calm"]})
    >>> table = table.assign(detected=True, age=["20-39", "60+"], race="")
    >>> groups = figures_by_trait(table)
    >>> list(groups), groups["age"]["60+"]["accuracy_all"]
    (['age'], 0.0)
    """
    columns = {"label": "label"} | trait_columns(table)
    if traits is None:
        traits = list(columns)[0 if "answered" in table else 1 :]
    groups = {}
    for trait, column in ((trait, columns[trait]) for trait in traits if trait in columns):
        rows = {str(k): found for k, found in table[table[column].ne("")].groupby(column)}
        groups[trait] = {k: group_figures(rows[k]) for k in order_labels(rows, order)}
    return {trait: found for trait, found in groups.items() if found}


def accuracy_of_known(groups: Mapping[str, Mapping[str, Any]]) -> float:
    """Return the accuracy of the photos of all groups together.

    Parameters
    ----------
    groups : mapping of str to mapping
        Figures of the groups of one trait, as `figures_by_trait` returns them; at least one.

    Returns
    -------
    float
        Of the photos of which the trait is known, in [0, 1].

    Examples
    --------
    >>> young, old = {"n": 1, "accuracy_all": 0.0}, {"n": 3, "accuracy_all": 1.0}
    >>> accuracy_of_known({"13-19": young, "60+": old})
    0.75
    """
    photos = sum(found["n"] for found in groups.values())
    return float(sum(found["n"] * found["accuracy_all"] for found in groups.values()) / photos)


def crossed_groups(table: "pd.DataFrame", order: Sequence[str] = ()) -> list[CrossedGroup]:
    """Compute the figures of each label within each group, by each trait.

    The accuracy of a group is a mean over its labels: where most answers for old women are right
    and most for old men are wrong, neither the labels nor the age bands alone show it.

    Parameters
    ----------
    table : DataFrame
        Predictions of one test set, as `predict_table` returns them or as a model stores them:
        columns label, detected (bool), predicted, those of `trait_columns` (empty or NaN where
        unknown) and perhaps answered (bool).
    order : sequence of str
        The labels in the order that the model declares.

    Returns
    -------
    list of CrossedGroup
        By trait, then by label, then by group. Pairs without a photo are left out, and so are
        traits where every pair is a whole label or a whole group. Figures about answers are there
        only where the column answered is.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"label": ["calm", "calm", "sad", "sad"], "predicted": "calm"})
    >>> table = table.assign(detected=True, age=["20-39", "60+"] * 2, race="")
    >>> for cell in crossed_groups(table):
    ...     print(cell["label"], cell["group"], cell["accuracy_all"])
    calm 20-39 1.0
    calm 60+ 1.0
    sad 20-39 0.0
    sad 60+ 0.0
    """
    counted = table.assign(n=1, right=is_right(table))
    sums = ["n", "detected", "right"]
    if "answered" in table:
        counted["hits"] = counted["right"] & counted["answered"]
        sums += ["answered", "hits"]
    crossed = []
    for trait, column in trait_columns(table).items():
        known = counted[counted[column].notna() & counted[column].ne("")]
        # One sum for all pairs: with thousands of labels, a table per pair would take minutes.
        pairs = known.groupby(["label", column])[sums].sum()
        counts = {
            (str(label), str(group)): row
            for (label, group), row in zip(pairs.index, pairs.to_dict("records"), strict=True)
        }
        labels, groups = ({pair[i] for pair in counts} for i in (0, 1))
        if len(counts) <= max(len(labels), len(groups)):
            continue
        crossed += [
            _crossed(trait, label, group, counts[label, group])
            for label in order_labels(labels, order)
            for group in order_labels(groups, order)
            if (label, group) in counts
        ]
    return crossed


def _crossed(trait: str, label: str, group: str, count: dict[str, int]) -> CrossedGroup:
    n, right = int(count["n"]), int(count["right"])
    figures: CrossedGroup = {
        "trait": trait,
        "label": label,
        "group": group,
        "n": n,
        "detected": int(count["detected"]),
        "accuracy_all": round(right / n, 4),
        "interval_all": _interval(right, n),
    }
    if "answered" in count:
        answered, hits = int(count["answered"]), int(count["hits"])
        figures["coverage"] = round(answered / n, 4)
        figures["accuracy_answered"] = round(hits / answered, 4) if answered else None
        figures["interval_answered"] = _interval(hits, answered)
    return figures


def weakest_group(
    crossed: Sequence[CrossedGroup], least: int = LEAST_PHOTOS
) -> CrossedGroup | None:
    """Find the label and group for which a model is least often right.

    Parameters
    ----------
    crossed : sequence of CrossedGroup
        As `crossed_groups` returns them.
    least : int
        Those of fewer photos are ignored: the lowest of many small shares is mostly chance.

    Returns
    -------
    CrossedGroup or None
        None where fewer than two are left.

    Examples
    --------
    >>> old = {"trait": "age", "label": "sad", "group": "60+", "n": 98, "accuracy_all": 0.6}
    >>> young = old | {"group": "20-39", "accuracy_all": 0.9}
    >>> few = old | {"label": "calm", "n": 9, "accuracy_all": 0.1}
    >>> weakest_group([old, young, few])["group"]
    '60+'
    """
    large = [cell for cell in crossed if cell["n"] >= least]
    return min(large, key=lambda cell: cell["accuracy_all"]) if len(large) > 1 else None


def _interval(right: int, n: int) -> list[float]:
    return [round(limit, 4) for limit in wilson(right, n)]
