"""The eigenfaces as pictures, what they explain, and a face drawn again from them."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facecore.face import to_png
from facecore.model import (
    FaceModel,
    eigenface_images,
    label_means,
    mean_face,
    reconstruct,
    reconstruction_errors,
    to_image,
    to_signed_image,
)
from ui.look import NEUTRAL, show, tidy

SHARES = (0.8, 0.9, 0.95)


def show_gallery(model: FaceModel) -> None:
    """Show the mean faces, the explained variance and the eigenfaces.

    Parameters
    ----------
    model : FaceModel
    """
    st.subheader("Mean faces")
    pictures = [(mean_face(model), "All", "Mean of all training faces")]
    if model.spread:
        means = label_means(model)
        pictures += [
            (to_image(mean), label, f"Mean face of the label {label}")
            for mean, label in zip(means, model.labels, strict=True)
        ]
        pictures += [
            (
                to_signed_image(mean - means[0]),
                f"{label} minus {model.labels[0]}",
                f"Mean face of {label} minus mean face of {model.labels[0]}; grey is no difference",
            )
            for mean, label in zip(means[1:], model.labels[1:], strict=True)
        ]
    row = st.container(horizontal=True)
    for picture, caption, alt in pictures:
        row.image(to_png(picture), caption=caption, alt=alt, output_format="PNG", width=150)

    variance = model.pixels.variance / model.pixels.total_variance
    st.subheader("Explained variance")
    with st.container(horizontal=True):
        for share, count in zip(SHARES, components_for(variance), strict=True):
            value = f"{count}" if count else f"more than {len(variance)}"
            st.metric(f"Eigenfaces for {share:.0%}", value, border=True)
        st.metric(f"By all {len(variance)}", f"{variance.sum():.1%}", border=True)
    show(
        variance_figure(variance),
        f"Explained variance of each eigenface and its sum, {variance.sum():.1%} in all",
        "variance",
    )

    st.subheader("Gallery")
    most = len(variance)
    count = st.slider(
        "Eigenfaces shown", 1, most, min(24, most), key="gallery", bind="query-params"
    )
    st.caption("Each on a symmetric scale of its own: middle grey is zero.")
    grid = st.grid("auto", min_column_width=110, gap="small")
    for i, picture in enumerate(eigenface_images(model, count)):
        grid.image(
            to_png(picture), caption=f"{i + 1}: {variance[i]:.1%}", alt=f"Eigenface {i + 1}",
            output_format="PNG", width="stretch",
        )  # fmt: skip


def components_for(variance: np.ndarray) -> list[int | None]:
    """Return how many eigenfaces explain each of `SHARES`.

    Parameters
    ----------
    variance : ndarray of shape (n_components,)
        Explained shares, in [0, 1].

    Returns
    -------
    list of int or None
        None where all of them do not reach it.
    """
    total = variance.cumsum()
    return [int(np.searchsorted(total, s)) + 1 if total[-1] >= s else None for s in SHARES]


def variance_figure(variance: np.ndarray) -> go.Figure:
    """Draw the explained variance of each eigenface and its sum.

    Parameters
    ----------
    variance : ndarray of shape (n_components,)
        Explained shares, in [0, 1].

    Returns
    -------
    Figure
    """
    number = np.arange(1, len(variance) + 1)
    figure = go.Figure()
    figure.add_bar(x=number, y=variance, name="each", marker_color=NEUTRAL)
    figure.add_scatter(
        x=number, y=variance.cumsum(), name="sum", mode="lines", line={"color": NEUTRAL}
    )
    for share, count in zip(SHARES, components_for(variance), strict=True):
        if count:
            figure.add_annotation(x=count, y=share, text=f"{count}: {share:.0%}", ax=30, ay=25)
    figure.update_traces(hovertemplate="eigenface %{x}: %{y:.1%}")
    figure.update_xaxes(title="eigenface")
    figure.update_yaxes(title="explained variance", tickformat=".0%", range=[0, 1])
    return tidy(figure)


@st.fragment
def show_reconstruction(model: FaceModel, crop: np.ndarray) -> None:
    """Show a face drawn again with as many eigenfaces as the visitor chooses.

    Parameters
    ----------
    model : FaceModel
    crop : ndarray of shape (side, side), uint8
    """
    most = len(model.pixels.components)
    count = st.slider("Eigenfaces used", 0, most, most // 3, key="used", bind="query-params")
    row = crop.reshape(1, -1)
    errors = reconstruction_errors(model, row)[0]
    drawn = reconstruct(model, row, count)[0]
    left, right = st.columns([4, 3], gap="medium")
    with left.container(horizontal=True):
        for picture, caption, alt in (
            (crop, "Face", "Grey crop of the face"),
            (drawn, f"From {count}", f"The face drawn from {count} eigenfaces"),
            (
                to_signed_image((crop.astype(float) - drawn).reshape(-1)),
                "What is missing",
                "Face minus its drawing, on a symmetric scale: middle grey is no difference",
            ),
        ):
            st.image(to_png(picture), caption=caption, alt=alt, output_format="PNG", width=140)
    left.metric(
        "Error", f"{errors[count]:.3f}", f"{errors[count] - errors[0]:+.3f} against the mean face",
        border=True, delta_color="inverse",
        help="Root mean square over the pixels, where 1 is the whole range of a pixel. With all "
        "eigenfaces it is the distance from face space.",
    )  # fmt: skip
    with right:
        show(
            error_figure(errors, count),
            f"Error against number of eigenfaces; {errors[count]:.3f} with {count}",
            "errors",
        )


def error_figure(errors: np.ndarray, count: int) -> go.Figure:
    """Draw the error of a reconstruction against its number of eigenfaces.

    Parameters
    ----------
    errors : ndarray of shape (n_components + 1,)
    count : int
        The number to mark.

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    figure.add_scatter(
        x=np.arange(len(errors)), y=errors, mode="lines", showlegend=False,
        line={"color": NEUTRAL}, hovertemplate="%{x} eigenfaces: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[count], y=[errors[count]], mode="markers", showlegend=False,
        marker={"size": 14, "symbol": "diamond", "color": NEUTRAL}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(title="eigenfaces used")
    figure.update_yaxes(title="error", rangemode="tozero")
    return tidy(figure, 300)
