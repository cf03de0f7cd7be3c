"""What many pages ask and show in the same way: one choice of several, a figure, a file."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from facecore.model import PALETTE
from facecore.training import count_candidates
from ui.text import as_is

MOST_BUTTONS = 6  # options side by side; more of them are a list that can be searched
MOST_COLOURS = len(PALETTE)  # labels that a chart tells apart by colour
FEW = 5  # labels of many that a chart shows at first
GRIDS = ("quick", "tuned", "full", "fine")
GRID_HELP = (
    "Which settings the grid search compares. quick: {} candidates; tuned: a few around those that "
    "suited the recipe best; full: {}; fine: {} on some of the photos, the better ones on ever "
    "more, then a finer grid around the best, which may take an hour with thousands of photos"
)

# Texts of options in links that were shared before the options got their present names.
OLD_OPTIONS = {
    "Made face": "Your face",
    "Synthetic face": "Your face",
    "Made faces": "Synthetic faces",
}


def choose(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    default: str | None = None,
    help: str | None = None,
    show_label: bool = True,
    words: Callable[[str], str] = str,
) -> str:
    """Ask for one of several options, or of many; the choice is kept in the URL.

    Parameters
    ----------
    label : str
        What the options are.
    options : sequence of str
        At least one.
    key : str
        Key of the widget and name of the query parameter.
    default : str, optional
        The option chosen at first; the first one when left out.
    help : str, optional
        Explanation behind a question mark.
    show_label : bool
        Whether the label is visible; screen readers have it in any case.
    words : callable of str to str
        Return the text of an option, which also stands in the URL.

    Returns
    -------
    str
        One of the options.
    """
    first = options[0] if default is None else default
    linked = OLD_OPTIONS.get(st.query_params.get(key, ""))
    renamed = [option for option in options if words(option) == linked]
    if renamed and key not in st.session_state:
        st.session_state[key] = renamed[0]
    if st.session_state.get(key, first) not in options:
        del st.session_state[key]  # chosen before, among the options of another model or source
    # A list shows any text as it is; on a button the escapes would get into the URL.
    if len(options) > MOST_BUTTONS or any(as_is(words(each)) != words(each) for each in options):
        listed = st.selectbox(
            label,
            options,
            list(options).index(first),
            format_func=words,
            key=key,
            help=help,
            bind="query-params",
            width=240,
            label_visibility="visible" if show_label else "collapsed",
        )
        return listed if listed in options else first
    chosen = st.segmented_control(
        label,
        options,
        format_func=words,
        default=first,
        required=True,
        key=key,
        help=help,
        bind="query-params",
        wrap=True,  # else options that find no room are out of sight
        label_visibility="visible" if show_label else "collapsed",
    )
    # A link, or a choice made before, may name an option that another model or source has.
    return chosen if chosen in options else first


def pick_few(
    labels: Sequence[str],
    key: str,
    first: Sequence[str] = (),
    rest: str = "The others are grey.",
) -> list[str]:
    """Return the labels that a part of a page shows: all of a few, or those that are chosen.

    Parameters
    ----------
    labels : sequence of str
        In the order in which people read them.
    key : str
        Key of the widget and name of the query parameter.
    first : sequence of str
        Labels chosen at first; the first few of `labels` when left out.
    rest : str
        What happens to the other labels.

    Returns
    -------
    list of str
        At most `MOST_COLOURS` of the labels, in their order.
    """
    if len(labels) <= MOST_COLOURS:
        return list(labels)
    chosen = st.multiselect(
        "Labels shown",
        labels,
        list(first or labels)[:FEW],
        key=key,
        bind="query-params",
        max_selections=MOST_COLOURS,
        help=f"Up to {MOST_COLOURS} of {len(labels)} labels. {rest}",
    )
    return [label for label in labels if label in chosen]


def pick_grid(key: str) -> str:
    """Ask for the grid of a training; the choice is kept in the URL.

    Parameters
    ----------
    key : str
        Key of the widget and name of the query parameter.

    Returns
    -------
    str
        As `facecore.training.grids.read_grid` takes it.
    """
    counts = (count_candidates(grid) for grid in ("quick", "full", "fine"))
    return choose("Grid", GRIDS, key, help=GRID_HELP.format(*counts))


def name_labels(labels: Sequence[str]) -> str:
    """Return labels as a text, with no more than `MOST_COLOURS` of them by name.

    Parameters
    ----------
    labels : sequence of str
        In the order in which people read them.

    Returns
    -------
    str
    """
    more = len(labels) - MOST_COLOURS
    return ", ".join(labels[:MOST_COLOURS]) + (f" and {more} more" if more > 0 else "")


def two_places(least: int = 320) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two places beside each other, or below each other where the page is too narrow.

    Parameters
    ----------
    least : int, default=320
        Pixels that each place is wide at least beside the other.

    Returns
    -------
    tuple of DeltaGenerator
    """
    grid = st.grid(2, min_column_width=least, gap="medium")
    return grid.cell(), grid.cell()


def show_metric(
    label: str,
    value: str | int | None,
    note: str | None = None,
    help: str | None = None,
    height: Literal["stretch", "content"] = "stretch",
) -> None:
    """Show a figure in a box, with a note below it that is not a change: no arrow, no colour.

    Parameters
    ----------
    label : str
        What the figure is.
    value : str, int or None
        The figure, with its unit; a dash when None.
    note : str, optional
        Text below the figure.
    help : str, optional
        Explanation behind a question mark.
    height : {"stretch", "content"}
        As high as the others in its row, or as its content. In a row inside a column only the
        latter works: where the row wraps, stretched boxes lie over what follows.
    """
    st.metric(
        as_is(label),
        value if value is None else as_is(value),
        note and as_is(note),
        help=help and as_is(help),
        border=True,
        height=height,
        delta_color="off",
        delta_arrow="off",
    )


def offer_file(
    label: str, data: Callable[[], str | bytes], name: str, kind: str, key: str, off: bool = False
) -> None:
    """Offer a file to download; it is made on the click, and the page does not run again.

    Parameters
    ----------
    label : str
        Text of the button.
    data : callable
        Return the contents of the file.
    name : str
        Name of the file.
    kind : str
        MIME type, such as ``"text/csv"``.
    key : str
        Key of the widget.
    off : bool
        Whether the button is disabled.
    """
    st.download_button(
        label,
        data,
        name,
        kind,
        icon=":material/download:",
        on_click="ignore",
        key=key,
        disabled=off,
    )
