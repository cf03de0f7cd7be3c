"""The card of a model: what it is, what it must not be used for, and how often it is right.

Only the fixed words are written by hand. Every name and number comes from the model's folder.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from math import isnan
from typing import TYPE_CHECKING, Any

from facecore.errors import ModelError
from facecore.evaluation.gaps import DISAGREE, trait_gaps
from facecore.evaluation.groups import crossed_groups, weakest_group
from facecore.evaluation.intervals import LEAST_PHOTOS, largest_gap, wilson
from facecore.face.detect import spec_of
from facecore.face.recipes import describe_member
from facecore.model.classifier import FaceModel
from facecore.model.labels import order_labels, whom_it_shows
from facecore.model.store import (
    load_model,
    read_card,
    read_evaluation,
    read_metadata,
    read_model_table,
)
from facecore.system.text import escape_markdown as _text
from facecore.system.text import show_hidden

if TYPE_CHECKING:  # the upload site, which has no pandas, shows cards as well
    import pandas as pd

    from facecore.evaluation.gaps import SetGap, TraitGap
    from facecore.evaluation.groups import CrossedGroup
    from facecore.evaluation.report import CalibrationFigures, Evaluation

STATES = {
    "no_face": "no face",
    "too_small": "too small",
    "unreadable": "unreadable",
    "duplicate": "duplicates",
}
GROUP_COLUMNS = ("photos", "forced accuracy", "answered", "right when answered")
USE = (
    "For teaching and research: to see how such a model is made, what it reads from a face, how "
    "often it is right, and for whom it is wrong."
)
LABELS = """- to identify anyone, or to confirm who somebody is: it knows labels, not people;
- to state what somebody is: a label is what others wrote in a data set, not how a person sees
  themselves;"""
PERSONS = """- on anyone who has not agreed to it: recognising people by their faces is biometric
  identification, which many laws forbid or bind to consent and safeguards;
- as proof of who somebody is: strangers get a name, and people whom it knows get another's, as
  often as the figures below say, and more often on photos of another kind;
- where a photo on paper or on a screen could stand in for a person: it does not notice that;"""
MAYBE_PERSONS = """- to identify people: it was not said whether a label is one person. If it is,
  this is biometric identification, which many laws forbid or bind to consent, and `--identity`
  belongs to its training;
- to state what somebody is: a label is what others wrote in a data set, not how a person sees
  themselves;"""
MISUSE = """It must not be used

{who}
- for a decision about a person, such as on work, access, prices, credit or guilt, even if a human
  approves it;
- to monitor, count or sort people who have not agreed to it;
- on photos unlike those of its test sets, unless it is evaluated on such photos first."""


def write_card(
    model: FaceModel,
    metadata: Mapping[str, Any],
    evaluation: "Mapping[str, Evaluation] | None" = None,
    predictions: "pd.DataFrame | None" = None,
) -> str:
    """Write the card of a model (Mitchell et al. 2019).

    The card does not name the model, so that it stays true when the model is renamed.

    Parameters
    ----------
    model : FaceModel
        To be described.
    metadata : mapping
        As ``metadata.json`` stores it.
    evaluation : mapping of str to Evaluation, optional
        By test set, as `facecore.evaluation.evaluate_predictions` returns it; None where the model
        was not evaluated.
    predictions : DataFrame, optional
        The test predictions, for the calibration and the labels within groups where the evaluation
        has none.

    Returns
    -------
    str
        Markdown without HTML.

    Raises
    ------
    KeyError
        The metadata lack an entry that the card needs.
    """
    blocks = [
        "# Model card",
        *_what(model, metadata),
        *_data(metadata),
        "## What it is for",
        USE,
        *_ages(metadata),
        "## What it must not be used for",
        MISUSE.format(who=_who(metadata)),
        *_strangers(metadata),
        *_outside(metadata),
    ]
    if evaluation:
        crossed = {
            name: _crossed_of(name, figures, predictions, metadata.get("order", ()))
            for name, figures in evaluation.items()
        }
        blocks += [
            *_accuracy(evaluation),
            *_other_sets(metadata),
            *_labels(evaluation),
            *_groups(evaluation, crossed),
            *_gaps(predictions, metadata.get("order", ())),
            *_calibration(evaluation, predictions),
            *_unsure(metadata, evaluation, predictions),
            *_failures(evaluation, crossed),
        ]
    else:
        blocks += [
            "## How often it is right",
            "It was trained without test photos. How often it is right on other photos, for whom, "
            "and whether its probabilities are calibrated is not known. Evaluate it on labelled "
            "photos with:",
            "    python -m facecore evaluate PHOTOS --model NAME",
            *_other_sets(metadata),
        ]
    return "\n\n".join([*blocks, *_making(model, metadata)]) + "\n"


def card_of(name: str | None = None) -> str:
    """Return the card that is stored with a model, or write one where none is stored.

    Parameters
    ----------
    name : str, optional
        Of the model; the default model where left out.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ModelError
        The model or its card is missing or damaged, or its metadata lack an entry.
    """
    card = read_card(name)
    return make_card(name) if card is None else card


def make_card(name: str | None = None) -> str:
    """Write the card of a model from what its folder holds now.

    Parameters
    ----------
    name : str, optional
        Of the model; the default model where left out.

    Returns
    -------
    str
        Markdown without HTML.

    Raises
    ------
    ModelError
        The model is missing or damaged, or its metadata lack an entry.
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
    title = f"**{_text(metadata['title'])}.** " if metadata.get("title") else ""
    size = f"{recipe.side} x {recipe.side} pixels"
    rows = [
        (
            _text(member.name),
            describe_member(member.features, member.space),
            f"{len(member.variance):,}",
            _share(member.variance.sum() / member.total_variance)
            if member.space == "eigenfaces"
            else "",
            member.kernel,
            f"{len(member.kernel_vectors):,}",
            f"{share:.2f}",
        )
        for member, share in zip(model.members, model.shares.mean(axis=1), strict=True)
    ]
    traced = vectors["lead_back_to_a_photo"]
    detector = spec_of(recipe.detector)["name"]
    found = (
        "Each photo is taken for one face, without a detector"
        if detector == "whole"
        else f"Faces are found by the detector {_text(detector)}, "
        f"{'aligned' if recipe.alignment else 'not aligned'}"
    )
    return [
        f"{title}A model of the recipe **{_text(metadata['recipe'])}**. It "
        + ("takes each photo for one face" if detector == "whole" else "finds the faces in a photo")
        + " and predicts one of these labels for each: "
        f"{_names(order_labels(metadata['labels'], metadata.get('order', ())))}.",
        "## What it is",
        f"{found}, and "
        + (
            f"scaled to {size} in colour. A deep network, trained by others on about three million "
            "photos to tell people apart, turns each face into an embedding of 128 numbers. "
            if recipe.embedding
            else f"scaled to {size}. "
            if recipe.colour
            else f"converted to grey at {size}. "
        )
        + (
            "The embedding is scaled (min-max) and projected onto its leading components (PCA), "
            "and a kernel machine (SVM) decides."
            if recipe.embedding and len(model.members) == 1
            else "Each member reads its own features of a face, "
            "scales them (min-max), projects them onto their leading components (PCA; for pixels "
            "these are the eigenfaces) and decides with a kernel machine (SVM). The decision of "
            "the model is the weighted mean of theirs."
        )
        + "".join(
            f" The member {_text(member.name)} reads what the convolutions of a small network "
            "(gender-v1, Cydral Technology, CC0 1.0) find in the face in colour, before that "
            "network decides. Others trained it to tell female from male faces, on photos that "
            "are not named, so photos of the test splits may be among them."
            for member in model.members
            if member.features.kind == "convolutions"
        )
        + (
            f" The member {_text(model.fisherfaces.name)} projects the components further, onto "
            "the directions in which the labels differ most compared with the faces within a label "
            "(Fisherfaces)."
            if model.fisherfaces
            else ""
        ),
        _table(
            (
                "member",
                "reads",
                "components",
                "explained variance",
                "kernel",
                "kernel vectors",
                "weight",
            ),
            rows,
        ),
        f"The kernel vectors are {_text(vectors['kind'])}. "
        + (
            f"**{traced:,} of {vectors['count']:,} can be traced to one photo:** do not share this "
            "model without the consent of the people in the photos."
            if traced
            else f"Of the {vectors['count']:,}, none can be traced to one photo."
        ),
        *(
            [f"About a face that is drawn from its face space: {_text(whom_it_shows(metadata))}"]
            if model.draws
            else []
        ),
    ]


def _ages(metadata: Mapping[str, Any]) -> list[str]:
    """Return from which age on the model is meant to be used, where the metadata say so."""
    age = metadata.get("least_age")
    return [f"It is meant for faces of people of {age} years and more."] if age else []


def _outside(metadata: Mapping[str, Any]) -> list[str]:
    """Return which pictures the model was shown in order to give them no label, and the effect."""
    found = metadata.get("outside")
    if not found:
        return []

    def per_cent(value: float | None) -> str:
        return "" if value is None else f"{value * 100:.1f}%"

    rows = [
        (
            _text(kind["kind"]),
            f"{kind['pictures']:,}",
            f"{kind['auc']:.3f}",
            per_cent(kind["answered_before"]),
            per_cent(kind["answered"]),
            per_cent(kind["right"]),
            per_cent(kind["false_reject"]),
        )
        for kind in found
    ]
    return [
        "## What it gives no label",
        "It was shown pictures of these kinds and learned to tell them from its training faces, by "
        "a linear machine on the coordinates of the member with the largest weight (outlier "
        "exposure, Hendrycks et al. 2019). The shares are out of fold: each picture was judged by "
        "a machine that had not been shown it.",
        _table(
            (
                "kind",
                "pictures",
                "area under the curve",
                "got a label before",
                "get one now",
                "of these right",
                "training faces refused",
            ),
            rows,
        ),
    ]


def _who(metadata: Mapping[str, Any]) -> str:
    """Return the warning that fits what the labels are: persons, others, or nobody knows."""
    if metadata.get("identity"):
        return PERSONS
    subjects = metadata.get("subjects") or {}
    several = subjects and all(found["known"] > 1 for found in subjects.values())
    return LABELS if several else MAYBE_PERSONS


def _strangers(metadata: Mapping[str, Any]) -> list[str]:
    """Return how people whom the model does not know are answered, where that was measured."""
    found = metadata.get("strangers")
    if not found or not (metadata.get("identity") or "min_lead" in metadata.get("rule", {})):
        return []
    return [
        "## Whom it does not know",
        f"Labels were held out of the training in turn, and their {found['faces']:,} faces shown "
        "to machines that did not know them.",
        _table(
            ("strangers that get a label", "own faces called unknown", "area under the curve"),
            [tuple(_share(found[key]) for key in ("false_accept", "false_reject", "auc"))],
        ),
        "The first is the false accept rate, the second the false reject rate. The thresholds were "
        "chosen on the same faces."
        if "min_lead" in metadata.get("rule", {})
        else "It has no rule to call a stranger unknown.",
    ]


def _data(metadata: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            _text(name),
            *(f"{part[key]:,}" for key in ("photos", "train", "test")),
            *(f"{part['states'].get(state, 0):,}" for state in STATES),
        )
        for name, part in metadata["data"].items()
    ]
    faces = metadata["training_faces"]
    return [
        "## Data and terms",
        _text(metadata["note"]) or "The terms of the photos were not stated.",
        _table(("data set", "photos", "train", "test", *STATES.values()), rows),
        f"It was trained on {sum(faces.values()):,} faces: "
        + ", ".join(f"{_text(label)} {count:,}" for label, count in faces.items())
        + ". Photos without a face or with a face that is too small, and duplicates, were left "
        "out of the training.",
    ]


def _accuracy(evaluation: "Mapping[str, Evaluation]") -> list[str]:
    heads = [
        (
            _text(name),
            f"{f['n']:,}",
            _share(f.get("coverage")),
            _share(f.get("accuracy_answered"), f.get("interval_answered", ())),
            _share(f["accuracy_all"], f["interval_all"]),
        )
        for name, f in evaluation.items()
    ]
    rows = [
        (
            _text(name),
            _share(f["detected"] / f["n"]),
            _share(f["accuracy_found"], _interval_found(f)),
            _share(f["balanced_accuracy_found"]),
            _share(f["balanced_accuracy_all"]),
        )
        for name, f in evaluation.items()
    ]
    answered = "A photo is answered if its face gets a label (below). "
    return [
        "## How often it is right",
        "On photos that were not used in the training. "
        + (answered if any("coverage" in f for f in evaluation.values()) else "")
        + "Forced accuracy gives every face its likeliest label and counts a photo in which no "
        "face was found as wrong. 95% intervals are in brackets (Wilson).",
        _table(("test set", "photos", "answered", "right when answered", "forced accuracy"), heads),
        "Forced, over the faces found and as the mean over the labels (balanced):",
        _table(
            (
                "test set",
                "face found",
                "accuracy, faces found",
                "balanced, faces found",
                "balanced, all photos",
            ),
            rows,
        ),
    ]


def _other_sets(metadata: Mapping[str, Any]) -> list[str]:
    """Return how accuracy falls on the photos of a data set that was left out, where measured."""
    found = sorted(metadata.get("other_sets", ()), key=lambda row: str(row["set"]))
    if not found:
        return []
    rows = [
        (
            _text(f["set"]),
            f"{f['faces']:,}",
            _share(f["accuracy"], f["interval"]),
            _share(f["balanced_accuracy"]),
            _share(f["within"], f["interval_within"]),
            _share(f["balanced_within"]),
        )
        for f in found
    ]
    columns = (
        "data set left out",
        "faces",
        "accuracy",
        "balanced",
        "accuracy of the model, cross-validated",
        "balanced, of the model, cross-validated",
    )
    return [
        "## How often it is right on photos of another kind",
        f"On photos of a data set that it had not seen, {_range(f['accuracy'] for f in found)} are "
        f"right, against {_range(f['within'] for f in found)} by cross-validation.",
        _table(columns, rows),
        "Each data set was left out in turn: machines with the settings of this model were fitted "
        "to the faces of the other data sets, and decided on those of the one left out. "
        "Cross-validation has the same faces, decided by machines that were fitted to other faces "
        "of all data sets. Settings and calibration were chosen with all data sets, so the figures "
        "are slightly too high; fewer faces to learn from are part of the difference. "
        "95% intervals are in brackets (Wilson).",
    ]


def _range(shares: Iterable[float]) -> str:
    found = sorted(shares)
    ends = dict.fromkeys(f"{share * 100:.1f}%" for share in (found[0], found[-1]))
    return " to ".join(ends)


def _labels(evaluation: "Mapping[str, Evaluation]") -> list[str]:
    """Return the figures that only more than two labels have, where they were computed."""
    blocks: list[str] = []
    for name, figures in evaluation.items():
        by_label = figures.get("by_label", {})
        if len(by_label) <= 2:
            continue
        sums = {"macro F1": figures.get("macro_f1"), "macro AUC": figures.get("macro_auc")}
        top = figures.get("top_accuracy", {})
        sums |= {f"right within the top {k}": share for k, share in top.items()}
        sums |= {"mean absolute error, steps": figures.get("mean_absolute_error")}
        rows = [
            (
                _text(label),
                f"{f['n']:,}",
                *(_share(f[key]) for key in ("precision", "recall", "f1")),
            )
            for label, f in by_label.items()
        ]
        blocks += [
            f"### {_text(name)}",
            _table(tuple(sums), [tuple(_share(value) for value in sums.values())]),
            _table(("label", "photos", "precision", "recall", "F1"), rows),
        ]
        if pairs := figures.get("confused_pairs"):
            blocks.append(
                "Most often confused: "
                + "; ".join(
                    f"{_text(pair['label'])} answered {_text(pair['answered'])}, "
                    f"{pair['photos']:,} photos ({pair['share']:.3f})"
                    for pair in pairs
                )
                + "."
            )
    return ["## How its labels are told apart", *blocks] if blocks else []


def _groups(
    evaluation: "Mapping[str, Evaluation]", crossed: "Mapping[str, Sequence[CrossedGroup]]"
) -> list[str]:
    text = "Over all photos of each group."
    if any(crossed.values()):
        text += " By label and group, accuracy is the recall of the label among the group's photos."
    blocks = ["## For whom it is right", text]
    for name, figures in evaluation.items():
        for trait, groups in _all_groups(figures).items():
            blocks.append(f"### {_text(name)}, by {_text(trait)}")
            rows = [(_text(group), *_group_cells(f)) for group, f in groups.items()]
            blocks.append(_table((_text(trait), *GROUP_COLUMNS), rows))
            if gap := largest_gap(groups):
                blocks.append(
                    f"Largest gap between groups of at least {LEAST_PHOTOS} photos: "
                    f"**{gap['gap']:.3f}**, from {_text(gap['worst'])} up to {_text(gap['best'])}."
                )
        blocks += _crossed(name, crossed[name])
    return blocks


def _gaps(predictions: "pd.DataFrame | None", order: Sequence[str]) -> list[str]:
    """Return how far groups are apart in each test set, and where the test sets do not agree."""
    if predictions is None:
        return []
    gaps = trait_gaps(predictions, order)
    # of the recalls only that of the label whose groups are farthest apart
    farthest: dict[tuple[str, str, str], tuple[str, SetGap]] = {}
    for gap in gaps:
        for found in gap["sets"]:
            key = (gap["trait"], gap["figure"], found["set"])
            if key not in farthest or farthest[key][1]["gap"] < found["gap"]:
                farthest[key] = (gap["label"], found)
    rows = [
        (
            _text(trait),
            _text(name),
            f"{figure} of {_text(label)}" if label else figure,
            _share(found["gap"], found["interval"]),
            _text(found["worst"]),
            _text(found["best"]),
        )
        for (trait, figure, name), (label, found) in farthest.items()
    ]
    if not rows:
        return []
    return [
        "### How far groups are apart",
        f"The largest gaps between groups of at least {LEAST_PHOTOS} photos. The gap in the recall "
        "of a label is that in equal opportunity (Hardt, Price and Srebro), shown for the label "
        "where it is largest. The intervals do not allow for the choice of the farthest groups.",
        _table(("groups by", "test set", "gap in", "gap", "lowest", "highest"), rows),
        *_disagreements(gaps),
    ]


def _disagreements(gaps: "Sequence[TraitGap]") -> list[str]:
    lines = [
        f"- by {_text(gap['trait'])} in {gap['figure']}"
        + (f" of {_text(gap['label'])}" if gap["label"] else "")
        + f" (p {_p_value(found['p'])}"
        + (", in opposite directions" if found["opposed"] else "")
        + f"; all photos together would show {found['together']:.3f})"
        for gap in gaps
        if (found := gap["agreement"]) and not found["agree"]
    ]
    if not lines:
        return []
    return [
        "The test sets do not agree on these gaps (test of homogeneity, p below "
        f"{DISAGREE * 100:.0f}%), so that they must not be put together:",
        "\n".join(lines),
    ]


def _p_value(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def _crossed(name: str, crossed: "Sequence[CrossedGroup]") -> list[str]:
    """Return a table of the labels within the groups of each trait, and the weakest of them."""
    blocks = []
    for trait in dict.fromkeys(cell["trait"] for cell in crossed):
        blocks.append(f"### {_text(name)}, by label and {_text(trait)}")
        rows = [
            (_text(cell["label"]), _text(cell["group"]), *_group_cells(cell))
            for cell in crossed
            if cell["trait"] == trait
        ]
        blocks.append(_table(("label", _text(trait), *GROUP_COLUMNS), rows))
    if weakest := weakest_group(crossed):
        share = _share(weakest["accuracy_all"], weakest["interval_all"])
        blocks.append(
            f"Weakest in {_text(name)}, of those with at least {LEAST_PHOTOS} photos: "
            f"**{_pair(weakest)}**: {share}, {weakest['n']:,} photos."
        )
    return blocks


def _crossed_of(
    name: str,
    figures: "Evaluation",
    predictions: "pd.DataFrame | None",
    order: Sequence[str],
) -> "list[CrossedGroup]":
    if "crossed" in figures:
        return figures["crossed"]
    if predictions is None:
        return []
    return crossed_groups(predictions[predictions["set"].eq(name)], order)


def _pair(cell: "CrossedGroup") -> str:
    return f"{_text(cell['label'])}, {_text(cell['group'])}"


def _group_cells(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one group below `GROUP_COLUMNS`."""
    return (
        f"{figures['n']:,}",
        _share(figures["accuracy_all"], figures["interval_all"]),
        _share(figures.get("coverage")),
        _share(figures.get("accuracy_answered")),
    )


def _calibration(
    evaluation: "Mapping[str, Evaluation]", predictions: "pd.DataFrame | None"
) -> list[str]:
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
        "## How well its probabilities are calibrated",
        "Over faces found. The expected calibration error is the mean distance between the "
        "confidence and the share of right answers. Both it and the Brier score are 0 at best.",
        _table(("test set", "calibration error", "Brier score"), errors),
    ]
    for name, figures in measured.items():
        blocks.append(f"### {_text(name)}, by confidence")
        rows = [
            (
                f"{r['from']:.2f} to {r['to']:.2f}",
                f"{r['faces']:,}",
                _share(r["confidence"]),
                _share(r["right"], (r["low"], r["high"])),
            )
            for r in figures["reliability"]
        ]
        columns = ("confidence", "faces", "mean confidence", "right")
        blocks.append(_table(columns, rows))
    return blocks


def _calibration_of(
    name: str, figures: "Evaluation", predictions: "pd.DataFrame | None"
) -> "CalibrationFigures | None":
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


def _unsure(
    metadata: Mapping[str, Any],
    evaluation: "Mapping[str, Evaluation]",
    predictions: "pd.DataFrame | None",
) -> list[str]:
    if not any("coverage" in figures for figures in evaluation.values()):
        return []
    rule = metadata.get("rule", {})
    reasons = {
        "min_confidence": "confidence is below {:.3f}",
        "max_distance": "distance from face space is above {:.3f} (it is then called not a face)",
        "min_score": "detector score is below {:.3f}",
        "min_lead": "likeliest label leads by less than {:.3f} (it is then called unknown)",
        "max_outside": "picture is of a kind that the model is not for (above)",
    }
    limits = [words.format(rule[name]) for name, words in reasons.items() if name in rule]
    text = "A photo in which no face is found gets no answer."
    if limits:
        text = f"It gives no label to a face whose {', or whose '.join(limits)}. {text}"
    if "target" in rule:
        text = (
            f"{text} The least confidence was chosen on the training photos so that "
            f"{rule['target'] * 100:.0f}% of the answers are right."
        )
    if rule.get("accuracy") is not None:
        text = (
            f"{text} Out of fold, {rule['coverage']:.3f} of the training faces were answered, and "
            f"{rule['accuracy']:.3f} of the answers were right."
        )
    return [
        '## When it answers "unsure"',
        text,
        *_risk(evaluation, predictions),
    ]


def _risk(evaluation: "Mapping[str, Evaluation]", predictions: "pd.DataFrame | None") -> list[str]:
    """Return the areas under the risk-coverage curves, where they are known or can be counted."""
    rows = []
    for name, figures in evaluation.items():
        risk = figures.get("risk")
        if risk is None and predictions is not None:
            from facecore.evaluation.curves import risk_figures, score_labels

            table = predictions[predictions["set"].eq(name)]
            risk = risk_figures(table) if score_labels(table) else None
        if risk:
            areas = [f"{risk[key]:.4f}" for key in ("aurc", "random", "ideal")]
            rows.append((_text(name), *areas))
    if not rows:
        return []
    return [
        "When the surest faces are answered first, this share of the answers is wrong on average "
        "over all shares of faces answered (area under the risk-coverage curve; Geifman and "
        "El-Yaniv), against a random and an ideal order:",
        _table(("test set", "area", "random order", "ideal order"), rows),
    ]


def _failures(
    evaluation: "Mapping[str, Evaluation]", crossed: "Mapping[str, Sequence[CrossedGroup]]"
) -> list[str]:
    lines = []
    for name, figures in evaluation.items():
        labels = _all_groups(figures)["label"]
        worst = min(labels, key=lambda label: labels[label]["accuracy_all"])
        lines.append(f"- {_text(name)}: of the labels, {_errs(_text(worst), labels[worst])}.")
    missed = {name: f["n"] - f["detected"] for name, f in evaluation.items()}
    blind = max(missed, key=lambda name: missed[name] / evaluation[name]["n"])
    lines.append(
        f"- It misses faces most often in {_text(blind)}: it finds none in {missed[blind]:,} of "
        f"{evaluation[blind]['n']:,} photos."
        if missed[blind]
        else "- It found a face in every test photo."
    )
    groups: list[tuple[str, Mapping[str, Any], str]] = [
        (_text(key), group, name)
        for name, figures in evaluation.items()
        for trait, found in figures["groups"].items()
        for key, group in found.items()
        if trait != "label" and group["n"] >= LEAST_PHOTOS
    ]
    groups += [
        (_pair(weakest), weakest, name)
        for name, cells in crossed.items()
        if (weakest := weakest_group(cells))
    ]
    if groups:
        key, group, name = min(groups, key=lambda row: row[1]["accuracy_all"] or 0)
        lines.append(
            f"- {_text(name)}: of the groups of at least {LEAST_PHOTOS} photos, "
            f"{_errs(key, group)}."
        )
    return ["## Known failures", "\n".join(lines)]


def _errs(group: str, figures: Mapping[str, Any]) -> str:
    return (
        f"least often right for {group}: in "
        f"{_share(figures['accuracy_all'], figures['interval_all'])} of {figures['n']:,} photos"
    )


def _making(model: FaceModel, metadata: Mapping[str, Any]) -> list[str]:
    search = metadata["search"]
    best = search.get("members") or {model.leading.name: search["best"]}
    settings = list(dict.fromkeys(key for found in best.values() for key in found))
    rows = [
        (_text(member), *(_text(found.get(key, "")) for key in settings))
        for member, found in best.items()
    ]
    blocks = [
        "## How it was made",
        f"Trained on {_text(metadata['created'])} in {metadata['minutes']:,.1f} minutes, with seed "
        f"{metadata['seed']}. A grid search compared {search['candidates']:,} candidates. With the "
        + (
            "settings below, in each member the simplest within one standard error of the best, "
            "the "
            if search.get("chosen") == "simplest"
            else "settings below, the "
        )
        + "cross-validated score of the model is "
        f"{search['balanced_accuracy']:.3f} ± {search['std']:.3f}: the balanced accuracy of all "
        f"members, fused and calibrated, over {search['folds']} folds of the training photos (mean "
        "and standard deviation; "
        + (
            "a person's photos are in several folds, since each label is one person). "
            if metadata.get("identity")
            else "all photos of a subject are in one fold). "
        )
        + (
            f"{search['val']:,} photos of the val split were one more fold of the comparison, "
            "fitted to all training photos. "
            if search.get("val")
            else ""
        )
        + "The candidates were compared on the same folds, so that it is slightly too high.",
        _table(("member", *map(_text, settings)), rows),
    ]
    if command := show_hidden(" ".join(metadata["command"].split())):
        blocks.append(f"    {command}")
    versions = ", ".join(f"{package} {value}" for package, value in metadata["versions"].items())
    return [*blocks, f"With {_text(versions)}."]


def _all_groups(figures: "Evaluation") -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """Return the groups of an evaluation; those by label are counted where it has none."""
    return {"label": _by_label(figures["confusion"]), **figures["groups"]}


def _by_label(confusion: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, Any]]:
    counts = {label: (row.get(label, 0), sum(row.values())) for label, row in confusion.items()}
    return {
        label: {"n": n, "accuracy_all": right / n, "interval_all": wilson(right, n)}
        for label, (right, n) in counts.items()
        if n  # a small test split may lack a label
    }


def _interval_found(figures: "Evaluation") -> tuple[float, float]:
    right = sum(row.get(label, 0) for label, row in figures["confusion"].items())
    return wilson(right, figures["detected"])


def _names(labels: Iterable[str]) -> str:
    return ", ".join(_text(label) for label in labels)


def _share(value: float | None, interval: Sequence[float] = ()) -> str:
    if value is None or isnan(value):
        return ""
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, without the columns that are empty in every row."""
    kept = [i for i in range(len(columns)) if not rows or any(row[i] for row in rows)]
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line[i] for i in kept)} |" for line in lines)
