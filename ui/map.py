"""Two components as a map: what the model answers where, and the face at any place of it."""

from base64 import b64encode
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facecore.face import to_png
from facecore.model import (
    FaceModel,
    label_colours,
    map_probabilities,
    paint_answers,
    to_image,
)
from facecore.training import FacePoints, nearest_points
from ui.face_picker import pick_face
from ui.look import finish, show_picture
from ui.models import Chosen
from ui.text import as_is_in_figure
from ui.your_face import OWN, your_visit

CELLS = 41  # of the background, along each axis
PALE = 0.35  # opacity of the background where the model is certain
NEAR = 4  # faces shown beside the one at a place
STAR, HERE = "#d81b60", "#111111"


def pick_star(chosen: Chosen) -> np.ndarray | None:
    """Ask whether the face of the visit shall be put on the map.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.

    Returns
    -------
    ndarray of shape (side, side), uint8, or None
        The picture of the face; None as long as there is none.
    """
    if not st.toggle(
        "Put your face on the map",
        OWN in your_visit().photos,
        key="map_star",
        bind="query-params",
        help="A star marks it on a map of two components",
    ):
        return None
    face = pick_face(chosen)
    return face.crop if face else None


def show_map(
    chosen: Chosen,
    figure: go.Figure,
    points: FacePoints,
    axes: list[int],
    face: np.ndarray | None,
    alt: str,
) -> None:
    """Show points on a map with a background of answers, and the face where one clicks.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    figure : Figure
        The points on two components; it is changed in place.
    points : FacePoints
        The points of the figure.
    axes : list of int
        Numbers of the two components, from 1.
    face : ndarray of shape (side, side), uint8, or None
        Face that is marked by a star.
    alt : str
        Text for screen readers.
    """
    model = chosen.model.eigenfaces
    star = None if face is None else model.pixels.coordinates(face.reshape(1, -1))[0]
    first, second = axes[0] - 1, axes[1] - 1
    left, bottom = np.floor(points.Z.min(axis=0))[[first, second]]
    right, top = np.ceil(points.Z.max(axis=0))[[first, second]]
    bounds = (float(left), float(right), float(bottom), float(top))
    name = f"{chosen.name} {chosen.metadata['created']}"
    x, y, p = _answers(name, (first, second), bounds, model)
    _add_background(figure, model, x, y, p)
    if star is not None:  # it may lie outside; the background, kept for all visitors, does not grow
        left, right = min(left, star[first] - 1), max(right, star[first] + 1)
        bottom, top = min(bottom, star[second] - 1), max(top, star[second] + 1)
    figure.update_xaxes(range=[left, right], zeroline=False)
    figure.update_yaxes(range=[bottom, top], zeroline=False)
    picture, details = st.columns([5, 3], gap="medium")
    with details:
        place = _pick_place(bounds)
    if star is not None:
        _mark(figure, star[[first, second]], "your face", "star", 20, STAR)
    _mark(figure, place, "the place shown", "x", 13, HERE)
    with picture:
        _show_clickable(figure, alt, bounds)
    with details:
        _show_place(chosen, points, axes, place)
    if star is not None and face is not None:
        _show_star(model, points, star, face)


def _mark(
    figure: go.Figure, place: Sequence[float], name: str, symbol: str, size: int, colour: str
) -> None:
    # by WebGL, as the points are: what is drawn otherwise lies below them
    marker = {
        "symbol": symbol,
        "size": size,
        "color": colour,
        "line": {"width": 2, "color": "#ffffff"},
    }
    figure.add_trace(
        go.Scattergl(
            x=[float(place[0])], y=[float(place[1])], name=name, mode="markers", marker=marker
        )
    )


@st.cache_data(max_entries=16, show_spinner="Drawing the map")
def _answers(
    name: str,
    axes: tuple[int, int],
    bounds: tuple[float, float, float, float],
    _model: FaceModel,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # The underscore keeps the model out of the cache's key: its name and date stand for it.
    left, right, bottom, top = bounds
    x, y = np.linspace(left, right, CELLS), np.linspace(bottom, top, CELLS)
    return x, y, map_probabilities(_model, axes, x, y)


def _add_background(
    figure: go.Figure, model: FaceModel, x: np.ndarray, y: np.ndarray, p: np.ndarray
) -> None:
    colours = label_colours(model.labels)
    png = to_png(paint_answers(p[::-1], [colours[label] for label in model.labels]))
    # the middle of the outermost cells lies on the bounds
    wide, high = x[1] - x[0], y[1] - y[0]
    figure.add_layout_image(
        source=f"data:image/png;base64,{b64encode(png).decode()}",
        xref="x",
        yref="y",
        x=x[0] - wide / 2,
        y=y[-1] + high / 2,
        sizex=x[-1] - x[0] + wide,
        sizey=y[-1] - y[0] + high,
        sizing="stretch",
        opacity=PALE,
        layer="below",
    )
    # an unseen point in each cell, that a pointer finds
    best = p.argmax(axis=2)
    told = [
        f"{as_is_in_figure(model.labels[label])} {share:.0%}"
        for label, share in zip(best.ravel(), p.max(axis=2).ravel(), strict=True)
    ]
    across, along = np.meshgrid(x, y)
    figure.add_trace(
        go.Scattergl(
            x=np.round(across.ravel(), 2),
            y=np.round(along.ravel(), 2),
            mode="markers",
            marker={"opacity": 0, "size": 10},
            name="answers",
            text=told,
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        )
    )


def _pick_place(bounds: tuple[float, float, float, float]) -> tuple[float, float]:
    """Ask for a place of the map; a click on it answers as well."""
    limits = {"map_x": bounds[:2], "map_y": bounds[2:]}
    with st.container(horizontal=True):
        for key, (low, high) in limits.items():
            kept = st.session_state.get(key)
            if kept is not None and not low <= kept <= high:  # of other components
                del st.session_state[key]
            st.number_input(
                "Across" if key == "map_x" else "Up",
                low,
                high,
                min(max(0.0, low), high),
                0.25,
                key=key,
                bind="query-params",
                width=130,
            )
    return float(st.session_state["map_x"]), float(st.session_state["map_y"])


def _show_clickable(figure: go.Figure, alt: str, bounds: tuple[float, float, float, float]) -> None:
    # what is not chosen would fade, and the unseen points, once chosen, would show
    for trace in figure.data:
        opacity = trace.marker.opacity
        kept = {"marker": {"opacity": 1 if opacity is None else opacity}}
        trace.update(selected=kept, unselected=kept)
    figure.update_layout(dragmode=False)
    finish(figure)

    def take() -> None:
        chosen = st.session_state["points"].selection.points
        if chosen:
            left, right, bottom, top = bounds
            st.session_state["map_x"] = float(np.clip(round(chosen[0]["x"], 2), left, right))
            st.session_state["map_y"] = float(np.clip(round(chosen[0]["y"], 2), bottom, top))

    st.plotly_chart(
        figure,
        config={"displayModeBar": False},
        alt=alt,
        key="points",
        on_select=take,
        selection_mode="points",
    )


def _show_place(
    chosen: Chosen, points: FacePoints, axes: list[int], place: tuple[float, float]
) -> None:
    model = chosen.model.eigenfaces
    shown = [axis - 1 for axis in axes]
    point = np.zeros((1, max(axes)))
    point[0, shown] = place
    face = to_image(model.pixels.rebuild(point)[0])
    p = model.predict_proba(face[None])[0]
    told = f"{model.labels[int(p.argmax())]} {p.max():.0%}"
    st.markdown("**At this place**")
    with st.grid(2, min_column_width=120, gap="small").cell():
        show_picture(face, f"The face at this place of the map: {told}", told)
    st.markdown("**Nearest on the map**")
    near = nearest_points(points.Z[:, shown], np.array(place), _unit(model)[shown], NEAR)
    row = st.grid(NEAR, min_column_width=56, gap="small")
    for i in near:
        with row.cell():
            _show_face(model, points, int(i))
    st.caption(
        "Click the map. At this place: the mean face plus so much of the two components, and what "
        "the model answers about it. Two faces that are near on the map may differ in all other "
        "components, so they need not look alike."
    )


def _show_star(model: FaceModel, points: FacePoints, star: np.ndarray, face: np.ndarray) -> None:
    st.header("Your face")
    count = points.Z.shape[1]
    near = nearest_points(points.Z, star[:count], _unit(model)[:count], NEAR)
    row = st.grid(NEAR + 1, min_column_width=56, gap="small")
    with row.cell():
        show_picture(face, "Your face, the star on the map", "Your face")
    for i in near:
        with row.cell():
            _show_face(model, points, int(i))
    st.caption(
        f"Your face and the nearest {points.kind}, by their distance in all {count} components "
        "that are stored, not only the two of the map. Your face stays in this session's memory."
    )


def _show_face(model: FaceModel, points: FacePoints, i: int) -> None:
    face = to_image(model.pixels.rebuild(points.Z[i : i + 1])[0])
    label = str(points.y[i])
    show_picture(face, f"A face of the label {label}", label)


def _unit(model: FaceModel) -> np.ndarray:
    """Return a standard deviation of each coordinate."""
    member = model.pixels
    return np.asarray(np.sqrt(member.variance) / member.deviation)
