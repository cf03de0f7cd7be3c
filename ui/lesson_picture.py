"""The moving pictures of the lesson, drawn in the browser: one scene per step.

Other pages show the recipe of a face by the same scene.
"""

from typing import Any

from ui.components import COLOURS, FINE, register_component

_component = register_component("lesson_picture")


def show_lesson_picture(
    kind: str, of: str, locked: bool, data: dict[str, Any], key: str = "lesson_picture"
) -> None:
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
        What the scene draws: numbers, texts, and pictures as `ui.components` encodes them.
    key : str
        Of the element, unique on the page.
    """
    _component(
        key=key,
        data={
            "kind": kind,
            "of": f"{kind} {of} {locked}",
            "locked": locked,
            "fine": FINE,
            "colours": COLOURS,
            "signs": ["brighter", "darker"],
            **data,
        },
    )
