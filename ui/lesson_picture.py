"""The moving pictures of the lesson, drawn in the browser: one scene per step."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from facecore.model import ABOVE, BELOW, to_rgb

FINE = 64  # steps per grey level in which pictures that are calculated with are sent


def _read(kind: str) -> str:
    return Path(__file__).with_name(f"lesson_picture.{kind}").read_text(encoding="utf-8")


_component = st.components.v2.component(
    "lesson_picture", html=_read("html"), css=_read("css"), js=_read("js")
)


def show_lesson_picture(kind: str, of: str, locked: bool, data: dict[str, Any]) -> None:
    """Show a picture that moves while one drags; the server is asked nothing.

    Parameters
    ----------
    kind : str
        Name of the scene in lesson_picture.js.
    of : str
        What it shows; the scene begins anew when this changes.
    locked : bool
        Whether the question is still open: the scene then shows no more than one knows before.
    data : dict
        What the scene draws: numbers, texts, and pictures as the functions below encode them.
    """
    _component(
        key="lesson_picture",
        data={
            "kind": kind,
            "of": f"{kind} {of} {locked}",
            "locked": locked,
            "fine": FINE,
            "colours": [list(to_rgb(colour)) for colour in (ABOVE, BELOW)],
            "signs": ["brighter", "darker"],
            **data,
        },
    )


def encode_face(face: np.ndarray) -> str:
    """Return grey levels as text.

    Parameters
    ----------
    face : ndarray, uint8
        Of any shape.

    Returns
    -------
    str
        Base64, one byte per pixel.
    """
    return b64encode(np.ascontiguousarray(face, dtype=np.uint8).tobytes()).decode()


def encode_levels(row: np.ndarray) -> str:
    """Return grey levels that are no whole numbers, and may lie outside [0, 255], as text.

    Parameters
    ----------
    row : ndarray of shape (n_pixels,), float
        Grey levels.

    Returns
    -------
    str
        Base64, two bytes per pixel, in steps of 1 / `FINE`.
    """
    return b64encode(np.rint(np.clip(row, -500, 500) * FINE).astype("<i2").tobytes()).decode()


def encode_change(row: np.ndarray) -> dict[str, Any]:
    """Return what an eigenface adds to each pixel as text, with its scale.

    Parameters
    ----------
    row : ndarray of shape (n_pixels,), float
        Changes in grey levels.

    Returns
    -------
    dict
        Base64 of one signed byte per pixel, and the change that 127 stands for.
    """
    scale = max(float(np.abs(row).max()), 1e-6)
    pixels = np.rint(row / scale * 127).astype(np.int8).tobytes()
    return {"pixels": b64encode(pixels).decode(), "scale": scale}
