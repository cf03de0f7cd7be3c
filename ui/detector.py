"""Expert settings of the detector, for the photos of one page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import streamlit as st

from facecore.face import CASCADES, DETECTORS, spec_of
from ui.models import Chosen
from ui.text import as_is

# Words, smallest and largest value, and step. The ranges are narrower than the library's: a scale
# factor of 1.001 would search for minutes.
FIELDS: dict[str, tuple[str, float, float, float]] = {
    "scale_factor": ("Scale factor", 1.02, 2.0, 0.01),
    "min_neighbors": ("Minimum neighbours", 0, 20, 1),
    "min_face": ("Smallest face", 0.04, 1.0, 0.001),
    "min_pixels": ("Smallest face first", 0, 400, 1),
    "long_side": ("Long side", 100, 1600, 20),
    "border": ("Border", 0.0, 1.0, 0.05),
    "most_pixels": ("Pixels for small faces", 0, 4_000_000, 100_000),
}
HELP = {
    "scale_factor": "Ratio between the sizes that are searched",
    "min_neighbors": "Overlapping detections that make a face",
    "min_face": "As a share of the photo's long side",
    "min_pixels": "In pixels of the photo: smaller faces are searched for only where there is no "
    "larger one",
    "long_side": "The photo is shrunk to this long side before the search, in pixels",
    "border": "Where nothing is found, search again with this share of the long side added on "
    "every side; 0 turns that off",
    "most_pixels": "Large photos are also searched for faces that the long side leaves out, "
    "down to the size above, on a copy of at most so many pixels; 0 turns that off",
}
FURTHER = ", and mtcnn's further searches for smaller faces too"


def pick_detector(recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """Show the detector's settings and return those that the visitor chose.

    Parameters
    ----------
    recipe : mapping
        Detector that the model was trained with, as `facecore.face.spec_of` returns it.

    Returns
    -------
    dict or None
        Detector in the same form; None for each model's own.
    """
    kind = recipe["name"]
    own_settings = {k: v for k, v in recipe.items() if k != "name"}
    trained = asdict(DETECTORS[kind]()) | own_settings
    with st.popover("Detector", icon=":material/tune:"):
        if not own_settings:
            st.caption("None: this model takes each photo for a face, so there is nothing to set.")
            return None
        if not st.toggle("Override the settings", key="own_detector", bind="query-params"):
            words = (f"{_word(name)} {value}" for name, value in recipe.items())
            st.caption(as_is(", ".join(words)))
            return None
        values: dict[str, Any] = {}
        if "cascade" in trained:
            values["cascade"] = st.selectbox(
                "Cascade",
                CASCADES,
                CASCADES.index(trained["cascade"]),
                key=f"{kind}_cascade",
                bind="query-params",
            )
        for name in (field.name for field in fields(DETECTORS[kind]) if field.name in FIELDS):
            values[name] = _pick_number(kind, name, trained[name])
        st.button(
            "Reset to the model's settings",
            on_click=_reset,
            args=(kind, trained),
            icon=":material/restart_alt:",
            key="detector_reset",
        )
    return spec_of(DETECTORS[kind](**values))


def _pick_number(kind: str, name: str, trained: float) -> float:
    words, low, high, step = FIELDS[name]
    # Streamlit wants value, ends and step of one type: all int, or all float.
    own = type(step)(trained)
    least, most = min(low, own), max(high, own)
    more = FURTHER if (kind, name) == ("mtcnn", "border") else ""
    value = st.number_input(
        words,
        least,
        most,
        own,
        step,
        help=HELP[name] + more,
        key=f"{kind}_{name}",
        format="%d" if isinstance(step, int) else "%.3f",
        bind="query-params",
    )
    return min(max(value, least), most)  # the ends hold in the browser only


def warn_of_difference(detector: Mapping[str, Any], models: Sequence[Chosen]) -> None:
    """Warn if a detector differs from the one that a model was trained with.

    Parameters
    ----------
    detector : mapping
        Detector as `facecore.face.spec_of` returns it.
    models : sequence of Chosen
        Models that answer. The first was trained with a detector of that name; a model that was
        not keeps its own.
    """
    recipe = spec_of(models[0].model.recipe.detector)
    changed = [name for name, value in detector.items() if value != recipe.get(name)]
    if changed:
        settings = ", ".join(
            f"{_word(name)} {recipe.get(name)} -> {detector[name]}" for name in changed
        )
        others = [
            m.name for m in models if spec_of(m.model.recipe.detector)["name"] != detector["name"]
        ]
        st.warning(
            f"The detector differs from the one that the model was trained with ({settings}): its "
            "crops may be cut differently from those that the model knows."
            + "".join(
                f" {as_is(name)} has another detector and keeps its settings." for name in others
            ),
            icon=":material/tune:",
        )


def _word(name: str) -> str:
    return FIELDS[name][0].lower() if name in FIELDS else name


def _reset(kind: str, trained: Mapping[str, Any]) -> None:
    for name, value in trained.items():
        st.session_state[f"{kind}_{name}"] = value
