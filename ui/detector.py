"""Expert settings of the detector, for one page's photos."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import streamlit as st

from facecore.face import CASCADES, DETECTORS, detector_spec
from ui.models import Chosen

# Words, smallest and largest value, step, help; narrower than what facecore takes, as a step of
# 1.001 searches for minutes.
FIELDS: dict[str, tuple[str, float, float, float, str]] = {
    "scale_factor": (
        "Scale factor", 1.02, 2.0, 0.01, "Step between the sizes that are searched",
    ),
    "min_neighbors": (
        "Minimum neighbours", 0, 20, 1, "Overlapping detections that make a face",
    ),
    "min_face": (
        "Smallest face", 0.04, 1.0, 0.001, "As a share of the photo's long side",
    ),
    "min_pixels": (
        "Smallest face first", 0, 400, 1,
        "In pixels of the photo: smaller faces are searched only where there is no larger one",
    ),
    "long_side": (
        "Long side", 100, 1600, 20, "The photo is shrunk to it before the search, in pixels",
    ),
    "border": (
        "Border", 0.0, 1.0, 0.05,
        "Where nothing is found, search again with this share of the long side added on every "
        "side; 0 turns it off",
    ),
}  # fmt: skip
FURTHER = ", and mtcnn's further searches for smaller faces"


def pick_detector(recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """Show the detector's settings and return what the visitor made of them.

    Parameters
    ----------
    recipe : mapping
        The detector that the model was trained with.

    Returns
    -------
    dict or None
        As `facecore.face.detect.detector_spec` returns it; None for each model's own detector.
    """
    kind = recipe["name"]
    own_settings = {k: v for k, v in recipe.items() if k != "name"}
    trained = asdict(DETECTORS[kind]()) | own_settings
    with st.popover("Detector", icon=":material/tune:"):
        if not st.toggle(
            "Other settings than the model's", key="own_detector", bind="query-params"
        ):
            st.caption(", ".join(f"{_word(name)} {value}" for name, value in recipe.items()))
            return None
        values: dict[str, Any] = {}
        if "cascade" in trained:
            values["cascade"] = st.selectbox(
                "Cascade", CASCADES, CASCADES.index(trained["cascade"]), key=f"{kind}_cascade",
                bind="query-params",
            )  # fmt: skip
        for name in (field.name for field in fields(DETECTORS[kind]) if field.name in FIELDS):
            words, low, high, step, meaning = FIELDS[name]
            own = type(step)(trained[name])
            least, most = min(low, own), max(high, own)
            more = FURTHER if (kind, name) == ("mtcnn", "border") else ""
            value = st.number_input(
                words, least, most, own, step, help=meaning + more, key=f"{kind}_{name}",
                format="%d" if isinstance(step, int) else "%.3f", bind="query-params",
            )  # fmt: skip
            values[name] = min(max(value, least), most)  # a client may send what it likes
        st.button(
            "Reset to the model's", on_click=_reset, args=(kind, trained),
            icon=":material/restart_alt:", key="detector_reset",
        )  # fmt: skip
    return detector_spec(kind, DETECTORS[kind](**values))


def say_difference(detector: Mapping[str, Any], models: Sequence[Chosen]) -> None:
    """Say in what a detector differs from the one that a model was trained with.

    Parameters
    ----------
    detector : mapping
        As `facecore.face.detect.detector_spec` returns it.
    models : sequence of Chosen
        The first has a detector of that name; one that has not keeps its own.
    """
    recipe = models[0].model.recipe["detector"]
    changed = [name for name, value in detector.items() if value != recipe.get(name)]
    if changed:
        settings = ", ".join(
            f"{_word(name)} {recipe.get(name)} -> {detector[name]}" for name in changed
        )
        others = [m.name for m in models if m.model.recipe["detector"]["name"] != detector["name"]]
        st.warning(
            f"The detector differs from the one that the model was trained with ({settings}): "
            "its crops may be cut in another way than those that the model knows."
            + "".join(f" {name} has another detector and keeps its settings." for name in others),
            icon=":material/tune:",
        )


def _word(name: str) -> str:
    return FIELDS[name][0].lower() if name in FIELDS else name


def _reset(kind: str, trained: Mapping[str, Any]) -> None:
    for name, value in trained.items():
        st.session_state[f"{kind}_{name}"] = value
