"""The card of a model: every figure comes from its metadata and evaluation."""

import pandas as pd
import streamlit as st

from ui.answers import CAVEAT
from ui.models import Chosen

SHARES = (
    "faces found", "accuracy, faces found", "accuracy, all photos", "balanced, faces found",
    "balanced, all photos",
)  # fmt: skip


def show_card(chosen: Chosen) -> None:
    """Show a row of metrics, the evaluation and how the model was made.

    Parameters
    ----------
    chosen : Chosen
    """
    metadata, member = chosen.metadata, chosen.model.pixels
    photos = sum(data["photos"] for data in metadata["data"].values())
    faces = metadata["training_faces"]
    with st.container(horizontal=True):
        st.metric("Photos", f"{photos:,}", border=True)
        st.metric("Training faces", f"{sum(faces.values()):,}", border=True)
        st.metric("Eigenfaces", len(member.variance), border=True)
        share = member.variance.sum() / member.total_variance
        st.metric("Variance explained", f"{share:.1%}", border=True)
        st.metric(
            "Balanced accuracy, folds",
            f"{metadata['search']['balanced_accuracy']:.3f}",
            help=f"Mean over {metadata['search']['folds']} folds of the training photos, a person "
            f"in one fold only; standard deviation {metadata['search']['std']:.3f}",
            border=True,
        )
    if chosen.evaluation:
        st.subheader("On photos that it never saw")
        st.dataframe(
            _figures(chosen.evaluation),
            alt="Accuracy of the model on each test set",
            column_config={name: st.column_config.NumberColumn(format="%.3f") for name in SHARES},
        )
        st.caption('"All photos" counts a photo in which no face was found as wrong.')
    with st.expander("How it was made, and what it is not for", icon=":material/badge:"):
        st.markdown(
            f"Trained {metadata['created']} from "
            + ", ".join(f"{name} ({data['train']:,})" for name, data in metadata["data"].items())
            + f" in {metadata['minutes']:.0f} minutes. Faces by label: "
            + ", ".join(f"{label} {count:,}" for label, count in faces.items())
            + f". Kernel vectors: {metadata['kernel_vectors']['count']:,} "
            f"{metadata['kernel_vectors']['kind']}, of which "
            f"{metadata['kernel_vectors']['lead_back_to_a_photo']:,} lead back to a photo."
        )
        st.code(metadata["command"], language="shell")
        st.markdown(f"{metadata['note']} {CAVEAT}")


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
