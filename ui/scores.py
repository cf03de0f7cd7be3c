"""The two cross-validated scores that pages show: what each is called, and what it is."""

from collections.abc import Mapping
from typing import Any

OF_CANDIDATE = "Cross-validated score of the candidate"
OF_MODEL = "Cross-validated score of the model"
SCORE = "Balanced accuracy"
BY_SUBJECT = "The photos of a subject are in one fold only, unless each label is one person."
MODEL_HELP = (
    "Balanced accuracy of what is stored, all members fused and calibrated: mean and standard "
    "deviation over the folds of the training photos, each calibrated on the others."
)


def explain_candidate(search: Mapping[str, Any] | None = None) -> str:
    """Say what the score of a candidate is.

    Parameters
    ----------
    search : mapping of str to object, optional
        The search of a stored model, as its metadata has it; None for one that runs.

    Returns
    -------
    str
        Two sentences at most.
    """
    return (
        f"Balanced accuracy of one member alone with these parameters, {_border(search)}: mean and "
        "standard deviation over the folds."
    )


def define_scores(search: Mapping[str, Any]) -> str:
    """Define both scores of a stored model, and say why they differ.

    Parameters
    ----------
    search : mapping of str to object
        Its search, as its metadata has it.

    Returns
    -------
    str
        Markdown.
    """
    return (
        "The *cross-validated score of the candidate* is the balanced accuracy of one member alone "
        f"with one set of parameters, {_border(search)}. The *cross-validated score of the model* "
        f"is that of what is stored: {_chosen(search)} of all members, fused and calibrated, in "
        "folds of the same photos. " + _difference(search)
    )


def is_simplest(search: Mapping[str, Any]) -> bool:
    """Return whether a model was made of the simplest candidates within one standard error.

    Parameters
    ----------
    search : mapping of str to object
        The search of a stored model, as its metadata has it.

    Returns
    -------
    bool
    """
    return search.get("chosen") == "simplest"


def _chosen(search: Mapping[str, Any]) -> str:
    if is_simplest(search):
        return "the simplest candidates within one standard error of the best"
    return "the best candidates"


def _difference(search: Mapping[str, Any]) -> str:
    if is_simplest(search):
        return "So the two differ even where there is one member."
    if _is_calibrated(search):
        return (
            "With one member the two are the same, but for a model that is safe to share: its "
            "machines decide by averages of a few faces, those of the search by faces."
        )
    return (
        "Calibration moves the border between the labels, and a model that is safe to share "
        "decides by averages of a few faces, so the two differ even where it has one member."
    )


def _is_calibrated(search: Mapping[str, Any] | None) -> bool:
    return search is None or "border" in search


def _border(search: Mapping[str, Any] | None) -> str:
    if _is_calibrated(search):
        return "with the border between two labels where calibration on the other folds puts it"
    return "before calibration"
