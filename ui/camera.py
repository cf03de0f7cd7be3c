"""A camera that the browser draws: samples while a button is held, or a look every so often."""

from collections.abc import Callable, Sequence
from typing import Any

from facecore.data import MOST_AT_ONCE
from ui.components import register_component

SIDE, QUALITY = 320, 0.85  # of a picture that is sent: its long side in pixels, and JPEG's share
EACH, LOOK = 200, 700  # ms between two samples, and from an answer to the next look
TEXTS = {
    "on": "Turn the camera on",
    "off": "Turn the camera off",
    "hold": "Hold: {label}",
    "count": "{count} pictures",
    "video": "What the camera sees, mirrored",
    "face": "The face as the model sees it",
    "problems": {
        "insecure": "Browsers give the camera only to pages of this computer or over https. Open "
        "the dashboard as localhost, or over https.",
        "NotAllowedError": "The camera is not allowed. Allow it beside the address of this page, "
        "then turn it on again.",
        "NotFoundError": "No camera was found. Connect one, then turn it on again.",
        "NotReadableError": "The camera is in use by another program. Close that, then turn it on "
        "again.",
        "other": "The camera cannot be turned on.",
    },
}

_component = register_component("camera")


def show_samples_camera(labels: Sequence[dict[str, Any]], key: str) -> dict[str, Any] | None:
    """Show the camera with a button per label, which takes pictures for as long as it is held.

    Parameters
    ----------
    labels : sequence of dict
        ``id`` (int), ``name`` (str), ``count`` (int: pictures that there are) and ``room`` (int:
        how many more are wanted) of each label.
    key : str
        Of the element.

    Returns
    -------
    dict or None
        What the browser sent on release, in the run after it: ``label`` (an id) and ``pictures``,
        both unchecked. None in all other runs.
    """
    found = _component(
        key=key,
        data={"labels": list(labels), "most": MOST_AT_ONCE, "pause": EACH, **_shared()},
        on_batch_change=lambda: None,
    )
    batch: dict[str, Any] | None = found.batch
    return batch


def show_live_camera(answer: dict[str, Any] | None, on_frame: Callable[[], None], key: str) -> None:
    """Show the camera with an answer to what it sees; the next picture waits for the answer.

    Parameters
    ----------
    answer : dict or None
        To the last picture: its ``number``, ``text``, ``detail`` and, where there is a face,
        ``face`` (grey levels as `encode_face` returns them) and ``side``.
    on_frame : callable
        Called with each picture, which the state of the element then has as ``frame``: a dict of
        ``number`` and ``picture``, both unchecked.
    key : str
        Of the element.
    """
    _component(
        key=key,
        data={"look": True, "answer": answer, "pause": LOOK, **_shared()},
        on_frame_change=on_frame,
    )


def _shared() -> dict[str, Any]:
    return {"side": SIDE, "quality": QUALITY, "texts": TEXTS}
