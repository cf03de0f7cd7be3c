"""A model's figures and its card: every figure comes from its metadata and evaluation."""

import re

import pandas as pd
import streamlit as st

from facecore.errors import FacecoreError
from facecore.evaluation import balanced_accuracy, balanced_interval, card_of, pool_confusions
from ui.models import Chosen

SHARES = (
    "faces found", "accuracy, faces found", "accuracy, all photos", "balanced, faces found",
    "balanced, all photos",
)  # fmt: skip


def show_card(chosen: Chosen) -> None:
    """Show a row of metrics.

    Parameters
    ----------
    chosen : Chosen
    """
    metadata = chosen.metadata
    faces = metadata["training_faces"]
    data = metadata["data"].values()
    found = sum(part["states"]["kept"] + part["states"]["too_small"] for part in data)
    score, note, explanation = _balanced(chosen)
    member = chosen.model.leading
    share = member.variance.sum() / member.total_variance
    vectors = metadata["kernel_vectors"]["count"]
    metrics = (
        ("Photos", f"{sum(part['photos'] for part in data):,}",
         f"{sum(part['test'] for part in data):,} for the test", None),
        ("Faces found", f"{found:,}", f"{sum(faces.values()):,} to train on",
         "Photos with a face; too small ones, the test's and copies are not trained on"),
        ("Balanced accuracy", score, note, explanation),
        ("Eigenfaces" if chosen.model.draws else "Components", f"{len(member.variance):,}",
         f"{share:.1%} of variance", None),
        ("Size", f"{chosen.megabytes:.1f} MB", f"{vectors:,} kernel vectors", None),
        ("Trained", str(metadata["created"]), f"in {metadata['minutes']:.0f} minutes",
         f"On {', '.join(metadata['data'])}, by the {metadata['recipe']} recipe"),
    )  # fmt: skip
    with st.grid(3, min_column_width=150):
        for label, value, below, help_text in metrics:
            st.metric(
                label, value, below, border=True, help=help_text, height="stretch",
                delta_color="off", delta_arrow="off",
            )  # fmt: skip


def show_papers(chosen: Chosen) -> None:
    """Show the evaluation on each test set and the model's card.

    Parameters
    ----------
    chosen : Chosen
    """
    if chosen.evaluation:
        st.subheader("On photos that it never saw")
        st.dataframe(
            _figures(chosen.evaluation),
            alt="Accuracy of the model on each test set",
            column_config={name: st.column_config.NumberColumn(format="%.3f") for name in SHARES},
        )
        st.caption('"All photos" counts a photo in which no face was found as wrong.')
    card = st.expander("Model card", icon=":material/badge:", key="model_card", bind="query-params")
    if card.open:
        with card:
            _show_text(chosen)


def _show_text(chosen: Chosen) -> None:
    try:
        text = card_of(chosen.name)
    except FacecoreError as error:
        st.error(str(error), title="No card", icon=":material/error:")
        return
    # The page has a title already: every heading goes two levels down.
    st.markdown(re.sub("^#", "###", text, flags=re.MULTILINE))


def _balanced(chosen: Chosen) -> tuple[str, str, str]:
    """Return balanced accuracy, its interval, and what it was measured on."""
    if not chosen.evaluation:
        search = chosen.metadata["search"]
        return (
            f"{search['balanced_accuracy']:.3f}",
            f"± {search['std']:.3f} over folds",
            f"Mean and standard deviation over {search['folds']} folds of the training photos, a "
            "person in one fold only; there is no test set",
        )
    confusion = pool_confusions(chosen.evaluation)
    low, high = balanced_interval(confusion)
    photos = sum(sum(row.values()) for row in confusion.values())
    return (
        f"{balanced_accuracy(confusion):.3f}",
        f"{low:.3f} to {high:.3f}",
        f"Mean of the labels' recalls on {photos:,} test photos of "
        f"{', '.join(chosen.evaluation)}, with its 95 % interval; a photo in which no face was "
        "found counts as wrong",
    )


def _figures(evaluation: dict) -> pd.DataFrame:
    rows = {
        name: {
            "photos": figures["n"],
            "faces found": figures["detected"] / figures["n"],
            "accuracy, faces found": figures["accuracy_found"],
            "accuracy, all photos": figures["accuracy_all"],
            "95 % interval": "{:.3f} to {:.3f}".format(*figures["interval_all"]),
            "balanced, faces found": figures["balanced_accuracy_found"],
            "balanced, all photos": figures["balanced_accuracy_all"],
        }
        for name, figures in evaluation.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("test set")
