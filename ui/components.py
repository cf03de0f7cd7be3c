"""What the components that the browser draws share: their files, and pictures as text."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from facecore.model import ABOVE, BELOW, to_rgb

FINE = 64  # steps per grey level in which pictures that are calculated with are sent
COLOURS = [list(to_rgb(colour)) for colour in (ABOVE, BELOW)]  # of what is added and taken away


def register_component(name: str) -> Any:
    """Register a component whose files stand in this folder.

    Parameters
    ----------
    name : str
        Of the component and of its files, without their endings. The script and the style that all
        components share come before its own.

    Returns
    -------
    callable
        Mounts the component, as `st.components.v2.component` returns it.
    """
    return st.components.v2.component(
        name,
        html=_read(f"{name}.html"),
        css="\n".join(_read(f"{part}.css") for part in ("component", name)),
        js="\n".join(_read(f"{part}.js") for part in ("face_pixels", name)),
    )


def _read(file: str) -> str:
    return Path(__file__).with_name(file).read_text(encoding="utf-8")


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
    return _encode(np.ascontiguousarray(face, dtype=np.uint8))


def encode_levels(row: np.ndarray) -> str:
    """Return grey levels that are no whole numbers, and may lie outside [0, 255], as text.

    Parameters
    ----------
    row : ndarray of shape (n_pixels,), float
        Grey levels, or differences of them; beyond 500 they are clipped.

    Returns
    -------
    str
        Base64, two bytes per pixel, the lower first, in steps of 1 / `FINE`.
    """
    return _encode(np.rint(np.clip(row, -500, 500) * FINE).astype("<i2"))


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
    return {"pixels": _encode(np.rint(row / scale * 127).astype(np.int8)), "scale": scale}


def _encode(numbers: np.ndarray) -> str:
    return b64encode(numbers.tobytes()).decode()
