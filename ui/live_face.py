"""A face that is redrawn in the browser while one drags its eigenfaces."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from facecore.model import ABOVE, BELOW, FaceModel, describe_eigenface, to_rgb

MOST = 12  # eigenfaces
REACH = 3.0  # standard deviations
FINE = 64  # steps per grey level in which the face at the start is sent
TEXTS = {
    "play": "▶ Play",
    "stop": "■ Stop",
    "random": "Random",
    "reset": "Reset",
    "compare": "Original",
}


def _read(kind: str) -> str:
    return Path(__file__).with_name(f"live_face.{kind}").read_text(encoding="utf-8")


_component = st.components.v2.component(
    "live_face", html=_read("html"), css=_read("css"), js=_read("js")
)


def show_live_face(model: FaceModel, name: str, start: np.ndarray, key: str) -> np.ndarray:
    """Show a face with a slider for each leading eigenface; the browser redraws it.

    The eigenfaces are sent once. While a slider moves, nothing is asked of the server; on release
    the page runs again with the new weights.

    Parameters
    ----------
    model : FaceModel
        Model with eigenfaces.
    name : str
        Name and date of the model, by which caches know it.
    start : ndarray of shape (n_components,), float
        Coordinates of the face to start from.
    key : str
        Of the element; its weights stand in the URL as e1, e2 and so on.

    Returns
    -------
    ndarray of shape (n_sliders,), float64
        What is added to the start, in standard deviations of the training faces.
    """
    count = min(MOST, len(start))
    first = f"{key}_first"
    if first not in st.session_state:
        st.session_state[first] = [_from_address(i) for i in range(count)]
    row = model.pixels.rebuild(start[None])[0]
    found = _component(
        key=key,
        data={
            **_eigenfaces(name, count, model),
            "start": _encode(np.rint(np.clip(row, -500, 500) * FINE).astype("<i2")),
            "weights": st.session_state[first][:count],
        },
        on_weights_change=lambda: None,
    )
    weights = found.weights if found.weights is not None else st.session_state[first]
    kept = np.clip(np.resize(np.asarray(weights, dtype=np.float64), count), -REACH, REACH)
    for i, weight in enumerate(kept):
        _to_address(i, float(weight))
    return kept


@st.cache_data(max_entries=8, show_spinner=False)
def _eigenfaces(name: str, count: int, _model: FaceModel) -> dict[str, Any]:
    """Return what the browser needs of a model: changes of grey levels per standard deviation."""
    unit = np.sqrt(_model.pixels.variance[:count]) / _model.pixels.deviation[:count]
    Z = np.zeros((count + 1, len(_model.pixels.components)))
    Z[np.arange(1, count + 1), np.arange(count)] = unit
    rows = _model.pixels.rebuild(Z)
    faces = []
    for row in rows[1:] - rows[0]:
        scale = max(float(np.abs(row).max()), 1e-6)
        found = describe_eigenface(row)
        faces.append(
            {
                "pixels": _encode(np.rint(row / scale * 127).astype(np.int8)),
                "scale": scale,
                "words": found.words,
                "title": f"{found.words}: {found.share:.0%} of what this eigenface changes",
            }
        )
    return {
        "of": name,
        "side": _model.recipe.side,
        "fine": FINE,
        "reach": REACH,
        "eigenfaces": faces,
        "colours": [list(to_rgb(colour)) for colour in (ABOVE, BELOW)],
        "texts": TEXTS,
        "alt": "The face that the sliders draw",
    }


def _encode(numbers: np.ndarray) -> str:
    return b64encode(numbers.tobytes()).decode()


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
