"""A model at a glance and its card; every figure comes from its metadata and its evaluation."""

import re
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import streamlit as st

from facecore.errors import FacecoreError
from facecore.evaluation import (
    balanced_accuracy,
    balanced_interval,
    card_of,
    make_table,
    pool_answers,
    pool_confusions,
    wilson,
)
from facecore.face import takes_whole_photos
from ui.controls import show_metric
from ui.models import Chosen
from ui.scores import MODEL_HELP, OF_MODEL
from ui.text import as_is, card_as_is

COLUMNS = (
    "test set",
    "photos",
    "answered",
    "right when answered",
    "forced accuracy",
    "95% interval",
    "faces found",
    "accuracy, faces found",
    "balanced, faces found",
    "balanced, all photos",
)


def show_card(chosen: Chosen) -> None:
    """Show the model's main figures: answers and their accuracy, data, components, size.

    Parameters
    ----------
    chosen : Chosen
        Model to describe.
    """
    metadata = chosen.metadata
    data = metadata["data"].values()
    photos, tested = (sum(part[count] for part in data) for count in ("photos", "test"))
    found = sum(part["states"]["kept"] + part["states"]["too_small"] for part in data)
    faces = sum(metadata["training_faces"].values())
    member = chosen.model.leading
    share = member.variance.sum() / member.total_variance
    vectors = metadata["kernel_vectors"]["count"]
    whole = takes_whole_photos(chosen.model.recipe)
    if chosen.evaluation:
        show_headline(chosen.evaluation)
    with st.grid(3, min_column_width=150):
        show_metric("Photos", f"{photos:,}", f"{tested:,} for testing")
        show_metric(
            "Taken for faces" if whole else "Faces found",
            f"{found:,}",
            f"{faces:,} for training",
            ("Each photo was taken for a face" if whole else "Photos in which a face was found")
            + ". Faces that are too small, test photos and duplicates are not trained on.",
        )
        show_metric(*_balanced(chosen))
        show_metric(
            "Eigenfaces" if chosen.model.draws else "Components",
            f"{len(member.variance):,}",
            f"{share:.1%} of variance",
        )
        show_metric("Size", f"{chosen.megabytes:.1f} MB", f"{vectors:,} kernel vectors")
        show_metric(
            "Trained",
            str(metadata["created"]),
            f"in {metadata['minutes']:.0f} minutes",
            f"On {', '.join(metadata['data'])}, by the recipe {metadata['recipe']}",
        )


def show_headline(evaluation: Mapping[str, Any]) -> None:
    """Show how often the model answers, how often it is right then, and when it must answer.

    Parameters
    ----------
    evaluation : mapping
        As `facecore.model.read_evaluation` returns it, of one test set or more.
    """
    answers, confusion = pool_answers(evaluation), pool_confusions(evaluation)
    right = sum(row.get(label, 0) for label, row in confusion.items())
    photos = sum(sum(row.values()) for row in confusion.values())
    coverage, accuracy = answers.get("coverage"), answers.get("accuracy_answered")
    where = f"{photos:,} test photos of {', '.join(evaluation)}"
    with st.grid(3, min_column_width=165):
        show_metric(
            "Answered",
            None if coverage is None else f"{coverage:.3f}",
            "not stored" if coverage is None else f"of {photos:,} test photos",
            f"Share of {where} whose face gets a label; the others are unsure or have no face",
        )
        show_metric(
            "Right when answered",
            None if accuracy is None else f"{accuracy:.3f}",
            None if accuracy is None else _limits(answers["interval_answered"]),
            "Share of these answers that are right, with its 95% interval",
        )
        show_metric(
            "Forced accuracy",
            f"{right / photos:.3f}",
            _limits(wilson(right, photos)),
            "Right of all test photos if every face gets its likeliest label, with its 95% "
            "interval; a photo in which no face was found counts as wrong",
        )


def _limits(interval: Sequence[float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def show_papers(chosen: Chosen) -> None:
    """Show the evaluation on each test set and the model card.

    Parameters
    ----------
    chosen : Chosen
        Model to describe.
    """
    if chosen.evaluation:
        st.header("On photos that it has never seen")
        rows = [_row(name, figures) for name, figures in chosen.evaluation.items()]
        st.html(make_table(COLUMNS, rows, "Accuracy of the model on each test set"))
        st.caption(
            "Answered: the share of photos whose face gets a label. Forced accuracy gives every "
            'face its likeliest label; it and "all photos" count a photo in which no face was '
            "found as wrong."
        )
    card = st.expander("Model card", icon=":material/badge:", key="model_card", bind="query-params")
    if card.open:
        with card:
            _show_text(chosen)


def _show_text(chosen: Chosen) -> None:
    try:
        text = card_of(chosen.name)
    except FacecoreError as error:
        st.error(as_is(error), title="No card", icon=":material/error:")
        return
    # The page has a title already, so every heading of the card moves two levels down.
    st.markdown(re.sub("^#", "###", card_as_is(text), flags=re.MULTILINE))


def _balanced(chosen: Chosen) -> tuple[str, str, str, str]:
    """Return what the score is called, the score, its interval, and what it was measured on."""
    if not chosen.evaluation:
        search = chosen.metadata["search"]
        return (
            OF_MODEL,
            f"{search['balanced_accuracy']:.3f}",
            f"± {search['std']:.3f} over folds",
            f"{MODEL_HELP} There is no test set.",
        )
    confusion = pool_confusions(chosen.evaluation)
    low, high = balanced_interval(confusion)
    photos = sum(sum(row.values()) for row in confusion.values())
    return (
        "Balanced accuracy",
        f"{balanced_accuracy(confusion):.3f}",
        _limits((low, high)),
        f"Mean of the labels' recalls on {photos:,} test photos of "
        f"{', '.join(chosen.evaluation)}, with its 95% interval; a photo in which no face was "
        "found counts as wrong",
    )


def _row(name: str, figures: Mapping[str, Any]) -> list[str | None]:
    shares = (
        figures.get("coverage"),
        figures.get("accuracy_answered"),
        figures["accuracy_all"],
        figures["detected"] / figures["n"],
        figures["accuracy_found"],
        figures["balanced_accuracy_found"],
        figures["balanced_accuracy_all"],
    )
    texts = [None if share is None or isnan(share) else f"{share:.3f}" for share in shares]
    return [name, f"{figures['n']:,}", *texts[:3], _limits(figures["interval_all"]), *texts[3:]]
