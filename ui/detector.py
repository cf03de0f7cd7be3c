"""Expert settings of the detector, for one page's photos."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from facecore.detect import CASCADES, HaarSettings, detector_spec

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
        "Smallest face", 0.04, 1.0, 0.01, "As a share of the photo's long side",
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


def pick_detector(recipe: Mapping[str, Any]) -> dict[str, Any] | None:
    """Show the detector's settings and return what the visitor made of them.

    Parameters
    ----------
    recipe : mapping
        The detector that the model was trained with.

    Returns
    -------
    dict or None
        As `facecore.detect.detector_spec` returns it; None for each model's own detector.
    """
    trained = asdict(HaarSettings()) | {k: v for k, v in recipe.items() if k != "name"}
    with st.popover("Detector", icon=":material/tune:"):
        if not st.toggle(
            "Other settings than the model's", key="own_detector", bind="query-params"
        ):
            st.caption(", ".join(f"{name} {value}" for name, value in recipe.items()))
            return None
        values: dict[str, Any] = {
            "cascade": st.selectbox(
                "Cascade", CASCADES, CASCADES.index(trained["cascade"]), key="haar_cascade",
                bind="query-params",
            )
        }  # fmt: skip
        for name, (words, low, high, step, meaning) in FIELDS.items():
            own = type(step)(trained[name])
            least, most = min(low, own), max(high, own)
            value = st.number_input(
                words, least, most, own, step, help=meaning, key=f"haar_{name}",
                bind="query-params",
            )  # fmt: skip
            values[name] = min(max(value, least), most)  # a client may send what it likes
        st.button(
            "Reset to the model's", on_click=_reset, args=(trained,),
            icon=":material/restart_alt:", key="haar_reset",
        )  # fmt: skip
    return detector_spec("haar", HaarSettings(**values))


def say_difference(detector: Mapping[str, Any], recipe: Mapping[str, Any]) -> None:
    """Say in what a detector differs from the one that the model was trained with.

    Parameters
    ----------
    detector, recipe : mapping
        As `facecore.detect.detector_spec` returns it.
    """
    changed = [name for name, value in detector.items() if value != recipe.get(name)]
    if changed:
        settings = ", ".join(f"{name} {recipe.get(name)} -> {detector[name]}" for name in changed)
        st.warning(
            f"The detector differs from the one that the model was trained with ({settings}): "
            "its crops may be cut in another way than those that the model knows.",
            icon=":material/tune:",
        )


def _reset(trained: Mapping[str, Any]) -> None:
    for name, value in trained.items():
        st.session_state[f"haar_{name}"] = value
