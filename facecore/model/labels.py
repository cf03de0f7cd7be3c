"""The words of a model: its title, the order of its labels, and whom its faces show."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LEAST_SUBJECTS = (
    40  # of a label, so that a face drawn from it resembles none of them more than others
)
LARGEST_SHARE = 0.1  # of a label's training faces, from one subject


def order_labels(labels: Iterable[str], declared: Sequence[str] = ()) -> list[str]:
    """Return labels in the order in which people read them.

    Parameters
    ----------
    labels : iterable of str
        In any order.
    declared : sequence of str
        The order that the model's metadata declare, where they do; labels that are not in it
        follow.

    Returns
    -------
    list of str
        The declared labels, then the others by letters and, within them, by numbers.

    Examples
    --------
    >>> order_labels(["s10", "s2", "s1"])
    ['s1', 's2', 's10']
    >>> order_labels(["adult", "child", "teenager"], declared=["child", "teenager", "adult"])
    ['child', 'teenager', 'adult']
    """
    place = {label: i for i, label in enumerate(declared)}
    return sorted(labels, key=lambda label: (place.get(label, len(place)), _natural(label)))


def _natural(text: str) -> tuple[list[tuple[bool, int, str]], str]:
    parts = re.findall(r"[0-9]+|[^0-9]+", text.casefold())
    # numbers before letters; the text itself parts labels that differ in capitals or zeros only
    return [(not p.isdecimal(), int(p) if p.isdecimal() else 0, p) for p in parts], text


def leading_scores(
    scores: Mapping[str, float], order: Sequence[str] = (), most: int = 5
) -> tuple[list[str], list[str]]:
    """Split the labels of an answer into those to show at once and the rest.

    Parameters
    ----------
    scores : mapping of str to float
        Probability of each label.
    order : sequence of str
        The order that the model's metadata declare, where they do.
    most : int
        How many labels are shown at once, at least 1.

    Returns
    -------
    shown : list of str
        All labels in the order of `order_labels` where there are at most `most`; else the
        likeliest ones, falling.
    rest : list of str
        The other labels, in the order of `order_labels`.

    Examples
    --------
    >>> leading_scores({"s1": 0.2, "s10": 0.5, "s2": 0.3}, most=2)
    (['s10', 's2'], ['s1'])
    >>> leading_scores({"s1": 0.2, "s10": 0.5, "s2": 0.3})
    (['s1', 's2', 's10'], [])
    """
    labels = order_labels(scores, order)
    if len(labels) <= most:
        return labels, []
    best = sorted(labels, key=lambda label: -scores[label])[:most]
    return best, [label for label in labels if label not in best]


def title_of(metadata: Mapping[str, Any]) -> str:
    """Return what a model is called on a page.

    Parameters
    ----------
    metadata : mapping
        As ``metadata.json`` stores them.

    Returns
    -------
    str
        The title that was given at the training, else the labels, or how many there are.

    Examples
    --------
    >>> title_of({"title": "Expression", "labels": ["neutral", "smiling"]})
    'Expression'
    >>> title_of({"labels": ["neutral", "smiling"]}), title_of({"labels": list("abcdefg")})
    ('neutral / smiling', '7 labels')
    """
    if title := metadata.get("title"):
        return str(title)
    labels = order_labels(metadata["labels"], metadata.get("order", ()))
    return " / ".join(labels) if len(labels) <= 3 else f"{len(labels)} labels"


def shows_nobody(metadata: Mapping[str, Any]) -> bool:
    """Return whether the mean and synthetic faces of every label are known to show no person.

    The faces of a label are drawn around the mean of its training faces. Where these are of one
    person, or of few, the drawn face is that person's.

    Parameters
    ----------
    metadata : mapping
        As ``metadata.json`` stores them. ``subjects`` counts, by label, the ``known`` subjects of
        the training faces and has the ``largest`` share of the faces that is of one of them.

    Returns
    -------
    bool
        Whether every label has at least `LEAST_SUBJECTS` known subjects, none of them with more
        than `LARGEST_SHARE` of its faces. False where the subjects are not known.

    Examples
    --------
    >>> shows_nobody({"subjects": {"eve": {"known": 1, "largest": 1.0}}})
    False
    >>> shows_nobody({"subjects": {"smiling": {"known": 80, "largest": 0.02}}})
    True
    """
    subjects = metadata.get("subjects") or {}
    return bool(subjects) and all(
        found["known"] >= LEAST_SUBJECTS and found["largest"] <= LARGEST_SHARE
        for found in subjects.values()
    )


def whom_it_shows(metadata: Mapping[str, Any]) -> str:
    """Say whom the mean and synthetic faces of a model show.

    Parameters
    ----------
    metadata : mapping
        As `shows_nobody` takes them.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> whom_it_shows({"subjects": {"eve": {"known": 1, "largest": 1.0}}})
    'A real person may be shown: the faces of label eve are of 1 known subject.'
    """
    if shows_nobody(metadata):
        return "No real person is shown."
    subjects = metadata.get("subjects") or {}
    if metadata.get("identity"):
        return "A real person is shown: each label is one person."
    if not subjects or not any(found["known"] for found in subjects.values()):
        return "A real person may be shown: whose faces the model was trained on is not known."
    label = min(subjects, key=lambda key: (subjects[key]["known"], -subjects[key]["largest"]))
    known = subjects[label]["known"]
    if known < LEAST_SUBJECTS:
        plural = "" if known == 1 else "s"
        return (
            f"A real person may be shown: the faces of label {label} are of {known} known "
            f"subject{plural}."
        )
    label = max(subjects, key=lambda key: float(subjects[key]["largest"]))
    largest = subjects[label]["largest"]
    return f"A real person may be shown: {largest:.0%} of the faces of label {label} are of one."
