"""The card of a model: what it is, what it must not be used for, and for whom it errs.

Only its fixed words are written by hand; every name and figure comes from the model's folder.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from math import isnan
from typing import TYPE_CHECKING, Any

from facecore.errors import ModelError
from facecore.evaluation.intervals import wilson
from facecore.model.classifier import FaceModel
from facecore.model.store import (
    load_model,
    read_card,
    read_evaluation,
    read_metadata,
    read_model_table,
)

if TYPE_CHECKING:
    import pandas as pd

LEAST = 50  # photos of a group that is held against another
# Also of Streamlit: dollars begin a formula, a colon before a word an icon or a colour.
MARKUP = re.compile(r"([\\`*_\[\]<>|~$&#]|:(?=\w))")
STATES = {"no_face": "no face", "too_small": "too small", "unreadable": "unreadable",
          "duplicate": "copies"}  # fmt: skip

USE = (
    "For teaching and research: to see how such a model is made, what it sees in a face, how often "
    "it is right, and for whom it errs."
)
MISUSE = """It must not be used

- to find out or to confirm who somebody is: it knows labels, not persons;
- for a decision about a person, such as on work, access, prices, credit or guilt, also where a
  person signs it;
- to watch, count or sort people who have not agreed to it;
- to say what somebody is: a label is what people wrote in a data set, and says nothing of how a
  person sees themselves;
- on photos unlike those that it was measured on, before it was measured on them."""


def write_card(
    model: FaceModel,
    metadata: Mapping[str, Any],
    evaluation: Mapping[str, Any] | None = None,
    predictions: "pd.DataFrame | None" = None,
) -> str:
    """Write the card of a model (Mitchell et al. 2019).

    It does not name the model, so that it stays true when the model gets another name.

    Parameters
    ----------
    model : FaceModel
    metadata : mapping
        As ``metadata.json`` stores it.
    evaluation : mapping, optional
        By test set what `facecore.evaluation.evaluate_predictions` returns; nothing where it was
        not evaluated.
    predictions : DataFrame, optional
        The test predictions, for the calibration where the evaluation has none.

    Returns
    -------
    str
        Markdown without HTML.
    """
    blocks = [
        "# Model card",
        *_what(model, metadata),
        *_data(metadata),
        "## What it is for",
        USE,
        "## What it must not be used for",
        MISUSE,
    ]
    if evaluation:
        blocks += [
            *_accuracy(evaluation),
            *_groups(evaluation),
            *_calibration(evaluation, predictions),
            *_unsure(metadata, evaluation),
            *_failures(evaluation),
        ]
    else:
        blocks += [
            "## How often it is right",
            "It has no test photos: how often it is right on photos that it never saw, for whom it "
            "errs and what its probabilities are worth is not known. On labelled photos, measure "
            "it with:",
            "    python -m facecore evaluate PHOTOS --model NAME",
        ]
    return "\n\n".join([*blocks, *_making(metadata)]) + "\n"


def card_of(name: str | None = None) -> str:
    """Return the card that a model was stored with, or write one for a model without.

    Parameters
    ----------
    name : str, optional

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ModelError
    """
    card = read_card(name)
    return make_card(name) if card is None else card


def make_card(name: str | None = None) -> str:
    """Write the card of a model from what its folder holds now.

    Parameters
    ----------
    name : str, optional

    Returns
    -------
    str
        Markdown without HTML.

    Raises
    ------
    ModelError
        The model is missing or damaged, or its metadata lack what a card tells.
    """
    predictions = None
    with suppress(ImportError):  # the upload site has no pandas
        predictions = read_model_table("predictions", name)
    try:
        return write_card(load_model(name), read_metadata(name), read_evaluation(name), predictions)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"no card: the model's metadata lack {error}; train it again") from error


def _what(model: FaceModel, metadata: Mapping[str, Any]) -> list[str]:
    recipe, vectors = model.recipe, metadata["kernel_vectors"]
    size = f"{recipe['side']} x {recipe['side']} pixels"
    rows = [
        (_text(m.name), f"{len(m.variance):,}", _share(m.variance.sum() / m.total_variance),
         m.kernel, f"{len(m.kernel_vectors):,}", f"{share:.2f}")
        for m, share in zip(model.members, model.shares.mean(axis=1), strict=True)
    ]  # fmt: skip
    lead = vectors["lead_back_to_a_photo"]
    return [
        f"A model of the recipe **{_text(metadata['recipe'])}**: it finds the faces in a photo and "
        f"says which label each looks most like: {_names(metadata['labels'])}.",
        "## What it is",
        f"Faces are found by the detector {_text(recipe['detector']['name'])}, "
        f"{'aligned' if recipe.get('alignment') else 'not aligned'}, and "
        + (
            f"brought in colour to {size}. A deep network, which others trained on about three "
            "million photos to tell persons apart, describes each by 128 numbers. They are scaled "
            "(min-max), described by their leading components (PCA) and decided on by a kernel "
            "machine."
            if recipe.get("network")
            else f"made grey at {size}. Each member scales what it reads of a face (min-max), "
            "describes it by its leading components (PCA; of pixels these are the eigenfaces) and "
            "decides by a kernel machine; the decision is the weighted mean of theirs."
        ),
        _table(
            ("member", "components", "explained variance", "kernel", "kernel vectors", "weight"),
            rows,
        ),
        f"The kernel vectors are {_text(vectors['kind'])}. "
        + (
            f"**{lead:,} of {vectors['count']:,} lead back to the photo of one person:** do not "
            "give this model away without that person's consent."
            if lead
            else f"None of the {vectors['count']:,} leads back to the photo of one person."
        ),
    ]


def _data(metadata: Mapping[str, Any]) -> list[str]:
    rows = [
        (_text(name), *(f"{part[key]:,}" for key in ("photos", "train", "test")),
         *(f"{part['states'].get(state, 0):,}" for state in STATES))
        for name, part in metadata["data"].items()
    ]  # fmt: skip
    faces = metadata["training_faces"]
    return [
        "## Data and terms",
        _text(metadata["note"]) or "The terms of the photos were not stated.",
        _table(("data set", "photos", "train", "test", *STATES.values()), rows),
        f"It was trained on {sum(faces.values()):,} faces: "
        + ", ".join(f"{_text(label)} {count:,}" for label, count in faces.items())
        + ". Photos without a face, with too small a one, and copies were not trained on.",
    ]


def _accuracy(evaluation: Mapping[str, Any]) -> list[str]:
    rows = [
        (_text(name), f"{f['n']:,}", _share(f["detected"] / f["n"]),
         _share(f["accuracy_found"], _interval_found(f)), _share(f["balanced_accuracy_found"]),
         _share(f["accuracy_all"], f["interval_all"]), _share(f["balanced_accuracy_all"]))
        for name, f in evaluation.items()
    ]  # fmt: skip
    columns = (
        "test set", "photos", "face found", "accuracy, faces found", "balanced, faces found",
        "accuracy, all photos", "balanced, all photos",
    )  # fmt: skip
    return [
        "## How often it is right",
        'On photos that it never saw. "All photos" counts one in which no face was found as '
        "wrong; balanced accuracy is the mean over the labels; in brackets are 95 % intervals "
        "(Wilson).",
        _table(columns, rows),
    ]


def _groups(evaluation: Mapping[str, Any]) -> list[str]:
    blocks = ["## For whom", "Over all photos of each group."]
    for name, figures in evaluation.items():
        for trait, groups in _all_groups(figures).items():
            blocks.append(f"### {_text(name)}, by {_text(trait)}")
            rows = [
                (_text(group), f"{f['n']:,}", _share(f["accuracy_all"], f["interval_all"]),
                 _share(f.get("coverage")), _share(f.get("accuracy_answered")))
                for group, f in groups.items()
            ]  # fmt: skip
            columns = (_text(trait), "photos", "accuracy, all photos", "answered",
                       "accuracy, answered")  # fmt: skip
            blocks.append(_table(columns, rows))
            if len(large := _large(groups)) > 1:
                best, worst = max(large, key=large.__getitem__), min(large, key=large.__getitem__)
                blocks.append(
                    f"Largest gap between groups of {LEAST} photos or more: "
                    f"**{large[best] - large[worst]:.3f}**, {_text(best)} over {_text(worst)}."
                )
    return blocks


def _calibration(evaluation: Mapping[str, Any], predictions: "pd.DataFrame | None") -> list[str]:
    measured = {
        name: found
        for name, figures in evaluation.items()
        if (found := _calibration_of(name, figures, predictions))
    }
    if not measured:
        return []
    errors = [
        (_text(name), _share(f["calibration_error"]), _share(f["brier_score"]))
        for name, f in measured.items()
    ]
    blocks = [
        "## What its probabilities are worth",
        "Over faces found: the expected calibration error is the mean distance between the "
        "confidence and the share of right answers; the Brier score is 0 at best.",
        _table(("test set", "calibration error", "Brier score"), errors),
    ]
    for name, figures in measured.items():
        blocks.append(f"### {_text(name)}, by confidence")
        rows = [
            (f"{r['from']:.2f} to {r['to']:.2f}", f"{r['faces']:,}", _share(r["confidence"]),
             _share(r["right"], (r["low"], r["high"])))
            for r in figures["reliability"]
        ]  # fmt: skip
        columns = ("confidence", "faces", "mean confidence", "right")
        blocks.append(_table(columns, rows))
    return blocks


def _calibration_of(
    name: str, figures: Mapping[str, Any], predictions: "pd.DataFrame | None"
) -> Mapping[str, Any] | None:
    if "reliability" in figures:
        return figures
    if predictions is None:
        return None
    from facecore.evaluation.curves import brier_score, calibration_error, reliability

    table = predictions[predictions["set"].eq(name)]
    return {
        "calibration_error": calibration_error(table),
        "brier_score": brier_score(table),
        "reliability": reliability(table).to_dict("records"),
    }


def _unsure(metadata: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[str]:
    rows = [
        (_text(name), f"{f['n']:,}", _share(f["coverage"]),
         _share(f["accuracy_answered"], f["interval_answered"]))
        for name, f in evaluation.items()
        if "coverage" in f
    ]  # fmt: skip
    if not rows:
        return []
    rule = metadata.get("rule", {})
    reasons = {
        "min_confidence": "with a confidence below {:.3f}",
        "max_distance": "farther than {:.3f} from face space (which it calls not a face)",
        "min_score": "whose detector score is below {:.3f}",
    }
    limits = [words.format(rule[name]) for name, words in reasons.items() if rule.get(name)]
    said = "A photo without a face is not answered."
    if limits:
        said = f"It gives no label to a face {', or '.join(limits)}. {said}"
    if "target" in rule:
        said = (
            f"{said} The limits were chosen on the training photos, so that {rule['target']:.0%} "
            f"of the answers are right: out of fold, {rule['coverage']:.3f} of them were answered "
            f"and {rule['accuracy']:.3f} of the answers were right."
        )
    return [
        "## When it says that it is unsure",
        said,
        _table(("test set", "photos", "answered", "accuracy, answered"), rows),
    ]


def _failures(evaluation: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, figures in evaluation.items():
        labels = _by_label(figures["confusion"])
        worst = min(labels, key=lambda label: labels[label]["accuracy_all"])
        lines.append(f"- {_text(name)}: of the labels, {_errs(worst, labels[worst])}.")
    missed = {name: f["n"] - f["detected"] for name, f in evaluation.items()}
    blind = max(missed, key=lambda name: missed[name] / evaluation[name]["n"])
    lines.append(
        f"- It finds no face most often in {_text(blind)}: in {missed[blind]:,} of "
        f"{evaluation[blind]['n']:,} photos."
        if missed[blind]
        else "- It found a face in every test photo."
    )
    groups = [
        (figures["accuracy_all"], name, group, figures)
        for name, whole in evaluation.items()
        for trait, found in _all_groups(whole).items()
        for group, figures in found.items()
        if trait != "label" and figures["n"] >= LEAST
    ]
    if groups:
        _, name, group, figures = min(groups, key=lambda row: row[0])
        lines.append(
            f"- {_text(name)}: of the groups of {LEAST} photos or more, {_errs(group, figures)}."
        )
    return ["## Known failures", "\n".join(lines)]


def _errs(group: str, figures: Mapping[str, Any]) -> str:
    return (
        f"least often right for {_text(group)}: in "
        f"{_share(figures['accuracy_all'], figures['interval_all'])} of {figures['n']:,} photos"
    )


def _making(metadata: Mapping[str, Any]) -> list[str]:
    search = metadata["search"]
    best = ", ".join(f"{key} {value}" for key, value in search["best"].items())
    blocks = [
        "## How it was made",
        f"Trained on {_text(metadata['created'])} in {metadata['minutes']:,.0f} minutes, with seed "
        f"{metadata['seed']}. The best of {search['candidates']:,} candidates has a balanced "
        f"accuracy of {search['balanced_accuracy']:.3f} ± {search['std']:.3f} over "
        f"{search['folds']} folds of the training photos: {_text(best)}.",
    ]
    if command := " ".join(metadata["command"].split()):
        blocks.append(f"    {command}")
    versions = ", ".join(f"{package} {value}" for package, value in metadata["versions"].items())
    return [*blocks, f"With {_text(versions)}."]


def _all_groups(figures: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the groups of an evaluation, those by label too."""
    return {"label": _by_label(figures["confusion"]), **figures["groups"]}


def _by_label(confusion: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, Any]]:
    counts = {label: (row.get(label, 0), sum(row.values())) for label, row in confusion.items()}
    return {
        label: {"n": n, "accuracy_all": right / n, "interval_all": wilson(right, n)}
        for label, (right, n) in counts.items()
        if n  # a small test split may lack a label
    }


def _large(groups: Mapping[str, Any]) -> dict[str, float]:
    return {group: f["accuracy_all"] for group, f in groups.items() if f["n"] >= LEAST}


def _interval_found(figures: Mapping[str, Any]) -> tuple[float, float]:
    right = sum(row.get(label, 0) for label, row in figures["confusion"].items())
    return wilson(right, figures["detected"])


def _text(value: Any) -> str:
    """Return a text in which no character is markup, on one line."""
    return MARKUP.sub(r"\\\1", " ".join(str(value).split()))


def _names(labels: Iterable[str]) -> str:
    return ", ".join(_text(label) for label in labels)


def _share(value: float | None, interval: Sequence[float] = ()) -> str:
    if value is None or isnan(value):
        return ""
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table without the columns that are empty in every row."""
    kept = [i for i in range(len(columns)) if not rows or any(row[i] for row in rows)]
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line[i] for i in kept)} |" for line in lines)
