"""A face that is redrawn in the browser while one drags its eigenfaces."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from facecore.model import FaceSpace, describe_eigenface, draw_eigenface
from ui.components import COLOURS, FINE, encode_change, encode_levels, register_component

MOST = 12  # eigenfaces
REACH = 3.0  # standard deviations
TEXTS = {
    "play": "▶ Play",
    "stop": "■ Stop",
    "random": "Random",
    "reset": "Reset",
    "compare": "Original",
}


_component = register_component("live_face")


def show_live_face(
    space: FaceSpace,
    name: str,
    start: np.ndarray,
    key: str,
    *,
    weights: Sequence[float] | None = None,
    compare: str = TEXTS["compare"],
    reach: float = REACH,
    answer: Callable[[np.ndarray], str] | None = None,
) -> None:
    """Show a face with a slider for each leading eigenface; the browser redraws it.

    The eigenfaces are sent once. While a slider moves, nothing is asked of the server; on release
    the page runs again with the new weights.

    Parameters
    ----------
    space : FaceSpace
        Model with eigenfaces, or the space of a few faces.
    name : str
        Name and date of the model, by which caches know it, or any name of the few faces.
    start : ndarray of shape (n_components,), float
        Coordinates of the face to start from.
    key : str
        Of the element.
    weights : sequence of float, optional
        Where the sliders are at first, in standard deviations. When left out, the URL says it and
        keeps it, as e1, e2 and so on. When given, the faces are a visitor's: neither the URL nor
        a cache keeps anything of them.
    compare : str
        Text of the button that shows the start.
    reach : float
        How far the sliders go to either side, in standard deviations.
    answer : callable, optional
        Takes what is added to the start, in standard deviations of the training faces, ndarray of
        shape (n_sliders,), float64; returns what stands below the face, without markup.
    """
    count = min(MOST, len(start))
    first = f"{key}_first"
    if weights is not None:
        st.session_state[first] = list(weights)
    elif first not in st.session_state:
        st.session_state[first] = [_from_address(i) for i in range(count)]
    describe = _describe if weights is not None else _describe_stored
    row = space.pixels.rebuild(start[None])[0]
    moved = st.session_state.get(key, {}).get("weights")
    kept = _kept(st.session_state[first] if moved is None else moved, count, reach)
    _component(
        key=key,
        data={
            **describe(name, count, space),
            "start": encode_levels(row),
            "weights": st.session_state[first][:count],
            "reach": reach,
            "texts": {**TEXTS, "compare": compare},
            "answer": answer(kept) if answer else "",
            "answered": kept.tolist(),
        },
        on_weights_change=lambda: None,
    )
    if weights is None:
        for i, weight in enumerate(kept):
            _to_address(i, float(weight))


def _kept(weights: Sequence[float], count: int, reach: float) -> np.ndarray:
    """Return weights within reach, one per slider: another model may have more or fewer."""
    kept, given = np.zeros(count), np.asarray(weights, dtype=np.float64)[:count]
    kept[: len(given)] = np.clip(given, -reach, reach)
    return kept


@st.cache_data(max_entries=8, show_spinner=False)
def _describe_stored(name: str, count: int, _space: FaceSpace) -> dict[str, Any]:
    return _describe(name, count, _space)


def _describe(name: str, count: int, space: FaceSpace) -> dict[str, Any]:
    """Return what the browser needs of a space: changes of grey levels per standard deviation."""
    faces = []
    for number in range(count):
        row = draw_eigenface(space, number)
        found = describe_eigenface(row)
        faces.append(
            {
                **encode_change(row),
                "words": found.words,
                "title": f"{found.words}: {found.share:.0%} of what this eigenface changes",
            }
        )
    return {
        "of": name,
        "side": round(len(space.pixels.mean) ** 0.5),
        "fine": FINE,
        "eigenfaces": faces,
        "colours": COLOURS,
        "alt": "The face that the sliders draw",
    }


def _from_address(i: int) -> float:
    try:
        weight = float(st.query_params.get(f"e{i + 1}", 0))
    except ValueError:
        return 0.0
    return float(np.clip(weight, -REACH, REACH)) if np.isfinite(weight) else 0.0


def _to_address(i: int, weight: float) -> None:
    name = f"e{i + 1}"
    if weight:
        st.query_params[name] = f"{weight:g}"
    elif name in st.query_params:
        del st.query_params[name]
