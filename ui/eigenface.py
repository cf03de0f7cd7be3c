"""One eigenface opened: faces with less and more of it, and what it says about the labels."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from facecore.model import (
    Separation,
    describe_eigenface,
    draw_eigenface,
    paint_signed,
    separate_labels,
    to_image,
)
from facecore.system import with_minus
from ui.look import show_picture
from ui.models import Chosen
from ui.text import as_is

OPEN = "eigenface"  # query parameter with the number of the one that is open, from 1
STRIP = (-2, -1, 0, 1, 2)  # standard deviations


def opened(count: int) -> int | None:
    """Return the eigenface that the URL names.

    Parameters
    ----------
    count : int
        Number of eigenfaces of the model.

    Returns
    -------
    int or None
        Its number, from 1; None where the URL names none of them.
    """
    named = st.query_params.get(OPEN, "")
    return int(named) if named.isdecimal() and 1 <= int(named) <= count else None


def open_eigenface(number: int) -> None:
    """Name an eigenface in the URL, so that it is open when the page is drawn.

    Parameters
    ----------
    number : int
        Its number, from 1.
    """
    st.query_params[OPEN] = str(number)


def _close() -> None:
    st.query_params.pop(OPEN, None)


@st.dialog("One eigenface", width="large", icon=":material/face:", on_dismiss=_close)
def show_eigenface(chosen: Chosen) -> None:
    """Show the eigenface that the URL names, over the page.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    """
    model = chosen.model.eigenfaces
    count = len(model.pixels.components)
    number = opened(count)
    if number is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        for text, icon, other in (
            ("Previous", "arrow_back", number - 1),
            ("Next", "arrow_forward", number + 1),
        ):
            st.button(
                text,
                icon=f":material/{icon}:",
                disabled=not 1 <= other <= count,
                on_click=open_eigenface,
                args=(other,),
                key=f"eigenface_{text.lower()}",
            )
    picture = draw_eigenface(model, number - 1)
    found = describe_eigenface(picture)
    share = model.pixels.variance[number - 1] / model.pixels.total_variance
    st.markdown(
        f"**Eigenface {number}: {found.words}.** It explains {share:.1%} of how faces differ. "
        f"The parts that the words name hold {found.share:.0%} of what it changes."
    )
    mean = model.pixels.rebuild(np.zeros((1, 1)))[0]
    grid = st.grid(len(STRIP), min_column_width=88, gap="small")
    for step in STRIP:
        with grid.cell():
            much = with_minus(f"{step:+d}")
            named = much if step else "mean face"
            alt = f"The mean face with {much} standard deviations of eigenface {number}"
            show_picture(to_image(mean + step * picture), alt, named)
    st.caption(
        "The mean face with less of this eigenface (left) and with more (right), in standard "
        "deviations: about 19 of 20 faces lie between \u22122 and +2."
    )
    colours, words = st.columns([1, 3], vertical_alignment="center")
    with colours:
        show_picture(paint_signed(picture), f"Eigenface {number}, signed colours")
    with words:
        st.caption(
            "Orange: adding the eigenface makes this place brighter. Blue: darker. White: no "
            f"change. The strongest colour is {np.abs(picture).max():.0f} grey levels of 255 per "
            "standard deviation."
        )
        if model.spread is None:
            st.caption("This model does not store how each label spreads, so it cannot say more.")
        else:
            _say_separation(separate_labels(model), number, count)


def _say_separation(found: Sequence[Separation], number: int, count: int) -> None:
    if number > len(found):
        st.caption(
            f"How each label spreads is stored for the first {len(found)} eigenfaces, so how much "
            "this one separates the labels is not known."
        )
        return
    one = found[number - 1]
    rank = 1 + sum(other.mean > one.mean for other in found)
    several = "" if one.best == one.mean else f" Over all pairs of labels it is {one.mean:.0%}."
    st.markdown(
        f"**How much it separates the labels.** Take one {as_is(one.more)} face and one "
        f"{as_is(one.less)} face: with a probability of **{one.best:.0%}** the first has more of "
        f"this eigenface. 50% would be a coin toss.{several} That is place {rank} of "
        f"{_compared(len(found), count)}."
    )
    st.caption(
        "Computed from the mean and the variance of each label's training faces, as if they were "
        "normally distributed: the area under the ROC curve of this eigenface alone."
    )


def _compared(stored: int, count: int) -> str:
    """Return in words which eigenfaces a place is among."""
    return (
        f"the {count:,} eigenfaces"
        if stored == count
        else f"the first {stored} eigenfaces, those for which the model stores how labels spread"
    )
