"""The eigenfaces as pictures, the variance they explain, and a face reconstructed from them."""

from collections.abc import Iterator, Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facecore.model import (
    FaceModel,
    describe_eigenface,
    draw_eigenface,
    label_means,
    mean_face,
    paint_signed,
    reconstruct,
    reconstruction_errors,
    separate_labels,
    to_image,
)
from ui.controls import choose, pick_few, two_places
from ui.eigenface import open_eigenface, opened, show_eigenface
from ui.look import NEUTRAL, describe_change, mark_point, show, show_picture, tidy
from ui.models import Chosen
from ui.recipe import show_recipe
from ui.text import as_is

SHARES = (0.8, 0.9, 0.95)  # of the variance
ORDERS = ("Variance explained", "Separates the labels best")


def show_gallery(chosen: Chosen) -> None:
    """Show the mean faces, the explained variance and the eigenfaces.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    """
    model = chosen.model.eigenfaces
    st.header("Mean faces")
    labels = pick_few(chosen.labels, "means", rest="") if model.spread else []
    _show_means(model, labels)
    differ = " One minus another is orange where the first is brighter and blue where it is darker."
    st.caption(
        f"A mean face is the mean of training faces. {as_is(chosen.whom)}{differ if labels else ''}"
    )

    variance = model.pixels.variance / model.pixels.total_variance
    st.header("Explained variance")
    with st.container(horizontal=True):
        for share, count in zip(SHARES, components_for(variance), strict=True):
            value = f"{count}" if count else f"more than {len(variance)}"
            st.metric(f"Eigenfaces for {share:.0%}", value, border=True)
        st.metric(f"By all {len(variance)}", f"{variance.sum():.1%}", border=True)
    alt = f"Variance explained by each eigenface and by all up to it, {variance.sum():.1%} in all"
    show(variance_figure(variance), alt, "variance")

    st.header("Gallery")
    _show_eigenfaces(chosen, variance)
    if opened(len(variance)):
        show_eigenface(chosen)


def _show_eigenfaces(chosen: Chosen, variance: np.ndarray) -> None:
    """Show eigenfaces in the order of the visitor's choice; each opens on a click."""
    model, most = chosen.model.eigenfaces, len(variance)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.slider(
            "Eigenfaces shown", 1, most, min(24, most), key="gallery", bind="query-params"
        )
        order = choose("Order", ORDERS, "gallery_order") if model.spread else ORDERS[0]
    st.caption(
        "Orange where adding the eigenface brightens a face, blue where it darkens it, each on a "
        "scale of its own. Subtracting it does the opposite. The words are computed from where it "
        "changes most; the share is that of the variance it explains. Open one to see what it "
        "does to a face, and how much it separates the labels."
    )
    numbers = list(range(most))
    apart: dict[int, float] = {}
    if model.spread and order != ORDERS[0]:
        apart = {i: one.mean for i, one in enumerate(separate_labels(model))}
        numbers.sort(key=lambda i: -apart.get(i, 0.0))
    grid = st.grid("auto", min_column_width=110, gap="small")
    for i in numbers[:count]:
        picture = draw_eigenface(model, i)
        words = describe_eigenface(picture).words
        with grid.cell():
            show_picture(paint_signed(picture), f"Eigenface {i + 1}: {words}")
            st.button(
                f"Open {i + 1}",
                key=f"open_{i + 1}",
                type="tertiary",
                on_click=open_eigenface,
                args=(i + 1,),
                icon=":material/open_in_full:",
            )
            told = f", separates {apart[i]:.0%}" if i in apart else ""
            st.caption(f"{words}, {variance[i]:.1%}{told}")


def _show_means(model: FaceModel, labels: Sequence[str]) -> None:
    pictures = [
        (mean_face(model), "Mean of all training faces", "All"),
        *_label_means(model, labels),
    ]
    # In a row as wide as the page where there are few.
    few = len(pictures) <= 4
    grid = st.grid(len(pictures) if few else "auto", min_column_width=140, gap="small")
    for picture, alt, caption in pictures:
        with grid.cell():
            show_picture(picture, alt, caption)


def _label_means(model: FaceModel, labels: Sequence[str]) -> Iterator[tuple[np.ndarray, str, str]]:
    """Return the mean faces of labels, and then their differences, with alt text and caption."""
    if not labels:
        return
    means = dict(zip(model.labels, label_means(model), strict=True))
    for label in labels:
        yield to_image(means[label]), f"Mean face of the label {label}", label
    if len(model.labels) == 2:  # two differ from each other as they do from their mean
        (other, of_other), *few = ((label, means[label]) for label in labels)
    else:
        other, of_other = "all", model.pixels.rebuild(np.zeros((1, 1)))[0]
        few = [(label, means[label]) for label in labels]
    for label, mean in few:
        alt = f"Mean face of {label} minus mean face of {other}, signed colours"
        yield paint_signed(mean - of_other), alt, f"{label} minus {other}"


def components_for(variance: np.ndarray) -> list[int | None]:
    """Return how many eigenfaces explain each of `SHARES`.

    Parameters
    ----------
    variance : ndarray of shape (n_components,), float64
        Share of the variance that each eigenface explains, in [0, 1].

    Returns
    -------
    list of int or None
        None where all of them together explain less.
    """
    total = variance.cumsum()
    return [int(np.searchsorted(total, s)) + 1 if total[-1] >= s else None for s in SHARES]


def variance_figure(variance: np.ndarray) -> go.Figure:
    """Draw the variance that each eigenface explains, and the cumulative sum.

    Parameters
    ----------
    variance : ndarray of shape (n_components,), float64
        Share of the variance that each eigenface explains, in [0, 1].

    Returns
    -------
    Figure
    """
    number = np.arange(1, len(variance) + 1)
    figure = go.Figure()
    figure.add_bar(x=number, y=variance, name="each", marker_color=NEUTRAL)
    figure.add_scatter(
        x=number, y=variance.cumsum(), name="cumulative", mode="lines", line={"color": NEUTRAL}
    )
    for share, count in zip(SHARES, components_for(variance), strict=True):
        if count:
            # The text goes below the curve, to the right: pixels from the point it names.
            text = f"{count}: {share:.0%}"
            figure.add_annotation(x=count, y=share, text=text, ax=30, ay=25, arrowcolor=NEUTRAL)
    figure.update_traces(hovertemplate="eigenface %{x}: %{y:.1%}")
    figure.update_xaxes(title="eigenface")
    figure.update_yaxes(title="explained variance", tickformat=".0%", range=[0, 1])
    return tidy(figure)


@st.fragment
def show_reconstruction(model: FaceModel, crop: np.ndarray) -> None:
    """Show a face reconstructed from as many eigenfaces as the visitor chooses.

    Parameters
    ----------
    model : FaceModel
        Model of pixels alone, as `FaceModel.eigenfaces` is.
    crop : ndarray of shape (side, side), uint8
        Grey crop of the face.
    """
    most = len(model.pixels.components)
    count = st.slider("Eigenfaces used", 0, most, most // 3, key="used", bind="query-params")
    row = crop.reshape(1, -1)
    errors = reconstruction_errors(model, row)[0]
    rebuilt = reconstruct(model, row, count)[0]
    missing = paint_signed((crop.astype(float) - rebuilt).reshape(-1))
    pictures = st.grid(3, min_column_width=96, gap="small")  # side by side on a phone too
    with pictures.cell():
        show_picture(crop, "Grey crop of the face", "Face")
    with pictures.cell():
        show_picture(rebuilt, f"The face reconstructed from {count} eigenfaces", f"From {count}")
    with pictures.cell():
        show_picture(missing, "Face minus reconstruction, signed colours", "What is missing")
    st.caption(
        "What is missing is the face minus its reconstruction: orange where the face is brighter, "
        "blue where it is darker, white where nothing is missing, on a scale of its own."
    )
    left, right = two_places(240)
    left.metric(
        "Error",
        f"{errors[count]:.3f}",
        **describe_change(errors[count] - errors[0], "{:+.3f}", "inverse"),
        delta_description="from the mean",
        border=True,
        help="Root mean square over the pixels, where 1 is the whole range of a pixel. With all "
        "eigenfaces it is the distance from face space.",
    )
    with right:
        alt = f"Error against the number of eigenfaces; {errors[count]:.3f} with {count}"
        show(error_figure(errors, count), alt, "errors")
    st.header("The recipe of this face")
    show_recipe(model, crop)


def error_figure(errors: np.ndarray, count: int) -> go.Figure:
    """Draw the error of a reconstruction against its number of eigenfaces.

    Parameters
    ----------
    errors : ndarray of shape (n_components + 1,), float64
        Error with 0, 1, ... eigenfaces, root mean square in units of the min-max scale.
    count : int
        Number of eigenfaces to mark.

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    figure.add_scatter(
        x=np.arange(len(errors)),
        y=errors,
        mode="lines",
        showlegend=False,
        line={"color": NEUTRAL},
        hovertemplate="%{x} eigenfaces: %{y:.3f}<extra></extra>",
    )
    mark_point(figure, count, errors[count], NEUTRAL)
    figure.update_xaxes(title="eigenfaces used")
    figure.update_yaxes(title="error", rangemode="tozero")
    return tidy(figure, 300)
