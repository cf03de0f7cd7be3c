"""A face on the line through two faces, redrawn in the browser while one drags."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import streamlit as st

from facecore.model import FaceModel, judge_pictures, label_colours, mix_faces
from ui.components import FINE, encode_levels, register_component
from ui.look import leading_labels

_component = register_component("line_face")


@dataclass(frozen=True)
class Mark:
    """A named place on the line.

    Parameters
    ----------
    at : float
        Share of the second face.
    text : str
        Below the slider.
    long : str
        What the face there is.
    """

    at: float
    text: str
    long: str


@dataclass(frozen=True)
class Line:
    """How far the line goes, and its words.

    Parameters
    ----------
    low, high, step : float
        Shares of the second face: at the ends, and from one place of the slider to the next.
    share : float
        Where the slider stands at first, if the URL does not say it.
    marks : tuple of Mark
        Named places.
    between : str
        What a face in any other place is; ``{share}`` and ``{rest}`` are percentages, ``{times}``
        is the number without its sign, ``{sign}`` the sign.
    slider : str
        What the slider moves, for screen readers.
    """

    low: float
    high: float
    step: float
    share: float
    marks: tuple[Mark, ...]
    between: str
    slider: str


def show_line_face(
    first: np.ndarray,
    second: np.ndarray,
    line: Line,
    key: str,
    model: FaceModel | None,
    order: Sequence[str] = (),
) -> float:
    """Show the face between two faces, with a slider, and the model's decision along it.

    Everything is sent once; while the slider moves, nothing is asked of the server. Nothing of the
    faces is kept.

    Parameters
    ----------
    first, second : ndarray of shape (side, side) or (side * side,)
        Grey levels of the faces at 0 and at 1.
    line : Line
        How far it goes.
    key : str
        Of the element, and of its place in the URL.
    model : FaceModel or None
        Model of pixels alone that judges the faces; without one there is no decision.
    order : sequence of str
        The order of the labels that the model declares, if it does.

    Returns
    -------
    float
        Share of the second face on which the slider rests.
    """
    count = round((line.high - line.low) / line.step) + 1
    scores: dict[str, np.ndarray] = {}
    if model is not None:
        rows = mix_faces(first, second, np.linspace(line.low, line.high, count))
        scores = dict(zip(model.labels, judge_pictures(model, rows).T, strict=True))
    start = _from_address(key, line)
    start_key = f"{key}_first"
    st.session_state.setdefault(start_key, start)
    way = second.astype(np.float64).reshape(-1) - first.reshape(-1)
    found = _component(
        key=f"{key}_face",
        data={
            "side": round(len(way) ** 0.5),
            "fine": FINE,
            "first": encode_levels(first.astype(np.float64).reshape(-1)),
            "way": encode_levels(way),
            **{part: getattr(line, part) for part in ("low", "high", "step")},
            "share": st.session_state[start_key],
            "marks": [asdict(mark) for mark in line.marks],
            "labels": _curves(scores, order),
            "texts": {
                "play": "▶ Play",
                "stop": "■ Stop",
                "slider": line.slider,
                "between": line.between,
                "alt": "The face at this place of the slider",
                "decision": "What the model says of this picture",
                "curve": "Probability of each label along the slider, from 0 at the bottom to 1",
                "low": line.marks[0].text,
                "high": line.marks[-1].text,
            },
        },
        on_share_change=lambda: None,
    )
    share = float(found.share) if found.share is not None else st.session_state[start_key]
    if round(share, 2) != line.share:
        st.query_params[key] = f"{share:.2f}"
    elif key in st.query_params:
        del st.query_params[key]
    return float(np.clip(share, line.low, line.high))


def _curves(scores: Mapping[str, np.ndarray], order: Sequence[str]) -> list[dict[str, object]]:
    """Return the labels that are drawn, and their probabilities along the line."""
    if not scores:
        return []
    colours = label_colours(list(scores))
    drawn, _ = leading_labels({name: float(p.max()) for name, p in scores.items()}, order)
    return [
        {"name": name, "colour": colours[name], "scores": scores[name].round(4).tolist()}
        for name in drawn
    ]


def _from_address(key: str, line: Line) -> float:
    try:
        share = float(st.query_params.get(key, line.share))
    except ValueError:
        return line.share
    return float(np.clip(share, line.low, line.high)) if np.isfinite(share) else line.share
