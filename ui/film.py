"""A film of a face that changes step by step, played in the browser, and its probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ui.components import COLOURS, FINE, encode_face, encode_levels, register_component

STEPS = 61

_component = register_component("film")


@dataclass(frozen=True)
class Line:
    """A probability along the film.

    Parameters
    ----------
    name : str
        What it is the probability of.
    colour : str
        Hexadecimal colour.
    at : sequence of int
        Steps of the film, from 0.
    values : sequence of float, or ndarray
        The probability at each of these steps, in [0, 1].
    dash : {"solid", "dash"}
        How the line is drawn.
    """

    name: str
    colour: str
    at: Sequence[int]
    values: Sequence[float] | np.ndarray
    dash: str = "solid"


def to_fine(change: np.ndarray) -> np.ndarray:
    """Return a change as the browser gets it.

    Parameters
    ----------
    change : ndarray of shape (side * side,)
        In grey levels.

    Returns
    -------
    ndarray of shape (side * side,), float64
        Within 500 grey levels, in steps of one in `FINE`.
    """
    return np.asarray(np.rint(np.clip(change, -500, 500) * FINE) / FINE)


def show_film(
    face: np.ndarray,
    change: np.ndarray,
    most: float,
    size: float,
    probabilities: np.ndarray,
    labels: Sequence[str],
    lines: Sequence[Line],
    key: str,
) -> None:
    """Show a film with a button to play it and a slider to any of its steps; all is sent once.

    Parameters
    ----------
    face : ndarray of shape (side, side), uint8
        Grey levels of the face before.
    change : ndarray of shape (side * side,)
        What is added to it, in grey levels, as `to_fine` returns it.
    most : float
        How many times the change is added at the last step.
    size : float
        Of the change, in standard deviations.
    probabilities : ndarray of shape (STEPS, n_labels)
        Of each label at each step.
    labels : sequence of str
        In the order of the probabilities.
    lines : sequence of Line
        What the chart shows.
    key : str
        Of the element.
    """
    best = probabilities.argmax(axis=1)
    flip = int(np.flatnonzero(best != best[0])[0]) if (best != best[0]).any() else STEPS - 1
    before, after = labels[best[0]], labels[best[flip]]
    data: dict[str, Any] = {
        "side": len(face),
        "start": encode_face(face),
        "change": encode_levels(change),
        "fine": FINE,
        "most": most,
        "size": size,
        "steps": STEPS,
        "flip": flip,
        "labels": list(labels),
        "answers": [
            [int(i), round(float(row[i]), 4)] for i, row in zip(best, probabilities, strict=True)
        ],
        "lines": [
            {
                "name": line.name,
                "colour": line.colour,
                "dash": line.dash,
                "at": list(map(int, line.at)),
                "values": [round(float(value), 4) for value in line.values],
            }
            for line in lines
        ],
        "colours": COLOURS,
        "texts": {
            "play": "▶ Play",
            "pause": "❚❚ Pause",
            "slider": "How far the face has walked",
            "flip": "the answer changes",
            "axis": "distance walked",
            "unit": "standard deviations walked",
            "face": "The face at this step of the film",
            "change": "What has changed so far: orange is brighter, blue darker",
            "legend": "What has changed so far: orange is brighter, blue is darker.",
            "hint": "Nothing has changed yet. Press Play, and the change appears here.",
            "chart": f"Probability along the way: {before} {probabilities[0, best[0]]:.0%} at the "
            f"start; {after} {probabilities[flip, best[flip]]:.0%} where the answer changes",
        },
    }
    data["of"] = str(hash((data["start"], data["change"], most)))
    _component(key=key, data=data)
