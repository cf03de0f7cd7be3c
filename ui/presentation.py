"""The presentation: larger type for a projector, and no sidebar; the choice is kept in the URL.

In a presentation the menu stands in the header (`st.navigation` with ``position="top"``) and the
model picker in a bar above the page, so nothing is left in the sidebar: Streamlit itself leaves it
out, on a phone it keeps the menu reachable, and no style of ours must find its parts. The switch is
a widget of the frame with a parameter in the URL, as the model picker is.
"""

from pathlib import Path

import streamlit as st

PRESENTATION = "presentation"  # key of the switch, and its name in the URL
STYLE = Path(__file__).with_suffix(".css")


def is_presenting() -> bool:
    """Return whether the presentation is on; the switch may be drawn later.

    Returns
    -------
    bool
    """
    linked = st.query_params.get(PRESENTATION) == "true"
    return bool(st.session_state.get(PRESENTATION, linked))


def show_switch() -> None:
    """Show the switch that starts the presentation; in one, a button that ends it."""
    st.toggle(
        "Presentation",
        key=PRESENTATION,
        bind="query-params",
        help="For a projector: larger type, no sidebar, and the menu above the page.",
    )
    if is_presenting():
        st.html(STYLE)  # it also hides the switch, which must be there to stay in the URL
        st.button(
            "End presentation",
            icon=":material/close_fullscreen:",
            on_click=_end,
            key="presentation_end",
            type="tertiary",
        )


def _end() -> None:
    st.session_state[PRESENTATION] = False
