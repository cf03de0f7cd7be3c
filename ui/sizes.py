"""Parts of the page Face sizes: what happened to the photos, and what a minimum size leaves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.data import (
    ALL,
    STATES,
    count_by_size,
    count_states,
    describe_sizes,
    effect_of_minimum,
    face_sizes,
)
from facecore.face import MIN_SIZE
from facecore.model import label_colours, order_labels
from facecore.system import describe_share
from ui.controls import FEW, choose, pick_few, two_places
from ui.look import (
    DASHES,
    LOG,
    NEUTRAL,
    PATTERNS,
    REFERENCE,
    SYMBOLS,
    count_columns,
    describe_change,
    show,
    tidy,
)
from ui.models import Chosen
from ui.text import as_is

Colours = dict[str, str]  # by label, in the order in which people read the labels
STATE_WORDS = {state: state.replace("_", " ") for state in STATES}
SMALLEST, LARGEST = 20, 300  # ends of the slider, pixels
SAMPLE = 1500  # points of the scatter; more of them hide each other
STRIPES = {"fillmode": "overlay", "fgopacity": 0.3, "size": 6}


def colour_labels(table: pd.DataFrame, chosen: Chosen) -> dict[str, str]:
    """Return the colours of the labels of a table, in the order in which people read the labels.

    Parameters
    ----------
    table : DataFrame
        Table as `facecore.data.sizes_of` returns it.
    chosen : Chosen
        Model whose labels keep their colours if the table has any of them.

    Returns
    -------
    dict of str to str
        Hexadecimal colours.
    """
    labels, known = set(table["label"]), chosen.model.labels
    if labels & set(known):
        colours = label_colours([*known, *sorted(labels - set(known))])
    else:
        colours = label_colours(sorted(labels))
    return {label: colours[label] for label in order_labels(labels, chosen.order)}


def pool_labels(table: pd.DataFrame, colours: Mapping[str, str]) -> tuple[pd.DataFrame, Colours]:
    """Put all but a few labels of many into one, so that charts can tell the labels apart.

    Parameters
    ----------
    table : DataFrame
        Table as `facecore.data.sizes_of` returns it.
    colours : mapping of str to str
        Colours of its labels, as `colour_labels` returns them.

    Returns
    -------
    table : DataFrame
        The labels that the visitor did not choose have one name in common.
    colours : dict of str to str
        Colours of the labels that are left.
    """
    photos = table["label"].value_counts()
    largest = sorted(colours, key=lambda label: -photos[label])[:FEW]
    shown = pick_few(
        list(colours),
        "sizes_labels",
        order_labels(largest, list(colours)),
        "The others are counted together.",
    )
    if len(shown) == len(colours):
        return table, dict(colours)
    rest = f"{len(colours) - len(shown)} other labels"
    pooled = table.assign(label=table["label"].where(table["label"].isin(shown), rest))
    return pooled, {label: colours[label] for label in shown} | {rest: NEUTRAL}


def filter_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Ask for data sets and splits, if there are several, and keep only their photos.

    Parameters
    ----------
    table : DataFrame
        Table as `facecore.data.sizes_of` returns it.

    Returns
    -------
    DataFrame
        The rows that are left.
    """
    row = st.container(horizontal=True)
    for column, words in (("set", "Data sets"), ("split", "Splits")):
        values = sorted(value for value in table[column].unique() if value)
        if len(values) > 1:
            key = f"sizes_{column}"
            if any(as_is(value) != value for value in values):  # a list shows any text as it is
                chosen = row.multiselect(words, values, key=key, bind="query-params")
            else:
                chosen = row.pills(
                    words, values, selection_mode="multi", key=key, bind="query-params"
                )
            table = table[table[column].isin(chosen or values)]
    return table


def show_outcomes(
    table: pd.DataFrame, labels: Sequence[str], pooled: pd.DataFrame, colours: Colours
) -> None:
    """Show what happened to the photos: metrics, the share of each label that was lost, counts.

    Parameters
    ----------
    table : DataFrame
        Table as `facecore.data.sizes_of` returns it.
    labels : sequence of str
        Its labels, in the order in which people read them.
    pooled : DataFrame
        The same with the labels that the chart shows, as `pool_labels` returns it.
    colours : dict of str to str
        Colours of these labels.
    """
    counts = count_states(table)
    photos = counts.loc[ALL, ALL]
    with st.container(horizontal=True):
        st.metric("Photos", f"{photos:,}", border=True)
        for state, words in STATE_WORDS.items():
            count = counts.loc[state, ALL]
            share = f"{count / photos:.1%} of the photos"
            st.metric(words.capitalize(), f"{count:,}", help=share, border=True)
    bars, numbers = two_places()
    with bars:
        if counts.loc["kept", ALL] == photos:
            st.success("Every photo yielded a training face.", icon=":material/check:")
        else:
            show(
                _lost(count_states(pooled), colours),
                "Share of each label's photos that yielded no training face, by reason",
                "sizes-account",
            )
    shown = counts.rename(index=STATE_WORDS)[[*labels, ALL]]
    by_label = len(labels) > len(shown)
    with numbers:
        show_counts(shown.T if by_label else shown)


def show_counts(counts: pd.DataFrame) -> None:
    """Show how many photos had which outcome.

    Parameters
    ----------
    counts : DataFrame
        Numbers of photos by outcome and label, or by label and outcome, with the sums in a row and
        a column `ALL`.
    """
    by_label = set(STATE_WORDS.values()) < set(counts.columns)
    sums = ("all labels", "all photos") if by_label else ("all photos", "all labels")
    st.dataframe(
        counts.rename(index={ALL: sums[0]}).rename_axis("label" if by_label else "outcome"),
        alt="Number of photos by outcome and label",
        column_config=_name_all(count_columns(*counts), sums[1]),
    )


def _name_all(columns: dict[str, Any], name: str) -> dict[str, Any]:
    """Give the column `ALL` a readable head; a label may have the same name, so not in the data."""
    return {**columns, ALL: {**columns[ALL], "label": name}}


@st.fragment
def explore_minimum(table: pd.DataFrame, colours: Colours, rounded: bool) -> None:
    """Show the face sizes, and what a minimum size of the visitor's choice leaves of them.

    Parameters
    ----------
    table : DataFrame
        Table as `facecore.data.sizes_of` returns it, with at least one face.
    colours : dict of str to str
        Colours of the labels.
    rounded : bool
        Whether the sizes are rounded, as those of a model are.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        minimum = st.slider(
            "Minimum face width, pixels",
            SMALLEST,
            LARGEST,
            MIN_SIZE,
            key="sizes_minimum",
            bind="query-params",
        )
        axis = choose("Size axis", ("linear", "log"), "sizes_axis")
    log = axis == "log"
    effect = effect_of_minimum(table, {0, MIN_SIZE, minimum})
    _show_effect(effect[[ALL, *(label for label in colours if label in effect)]], minimum)
    if rounded:
        st.caption(
            "The sizes stored with a model are rounded to two digits (53.6 becomes 54), so a few "
            "faces just below a minimum may count here that training left out."
        )
    left, right = two_places()
    with left:
        show(
            _histogram(count_by_size(table, log), colours, minimum, log),
            f"Number of faces by width and label, with lines at {MIN_SIZE} and {minimum} pixels",
            "sizes-histogram",
        )
    with right:
        show(
            _balance(effect, colours),
            f"Share of each label among all faces, at {MIN_SIZE} and at {minimum} pixels",
            "sizes-balance",
        )


def show_spread(table: pd.DataFrame, colours: Colours) -> None:
    """Show the sizes of faces against those of their photos, and percentiles.

    Parameters
    ----------
    table : DataFrame
        Table as `facecore.data.sizes_of` returns it, with at least one face.
    colours : dict of str to str
        Colours of the labels.
    """
    faces = face_sizes(table)
    left, right = two_places()
    with left:
        show(
            _scatter(faces.sample(min(SAMPLE, len(faces)), random_state=0), colours),
            "Width of each face against the long side of its photo",
            "sizes-scatter",
        )
        if len(faces) > SAMPLE:
            st.caption(f"A random sample of {SAMPLE:,} of {len(faces):,} faces.")
    with right:
        st.markdown("**Width of the faces in pixels**")
        percentiles = describe_sizes(table)
        rows = [*(label for label in colours if label in percentiles.index), ALL]
        widths = percentiles.loc[rows].T.rename_axis("statistic")
        st.dataframe(
            widths,
            alt="Percentiles of the face widths by label",
            column_config=_name_all(count_columns(*widths), "all labels"),
        )


def _show_effect(effect: pd.DataFrame, minimum: int) -> None:
    left, ruled = effect.loc[minimum], effect.loc[MIN_SIZE]
    with st.container(horizontal=True):
        for label in (ALL, *effect.columns.drop(ALL)):
            name = "Faces left" if label == ALL else as_is(label)
            share = "" if label == ALL else f" ({left[label] / max(left[ALL], 1):.1%})"
            st.metric(
                name,
                f"{left[label]:,}{share}",
                **describe_change(left[label] - ruled[label], "{:+,}", "off"),
                delta_description=f"versus {MIN_SIZE} px",
                border=True,
            )


def _lost(counts: pd.DataFrame, colours: Colours) -> go.Figure:
    shares = counts.div(counts.loc[ALL].clip(lower=1)).drop(index=["kept", ALL], columns=ALL)
    return _bars(shares.rename(index=STATE_WORDS), colours, "share of the label's photos")


def _balance(effect: pd.DataFrame, colours: Colours) -> go.Figure:
    shares = effect.div(effect[ALL].clip(lower=1), axis=0).drop(columns=ALL).sort_index()
    shares.index = [f"{size} px" if size else "all found" for size in shares.index]
    return _bars(shares, colours, "share of the faces").update_layout(
        barmode="stack", legend_traceorder="normal"
    )


def _bars(shares: pd.DataFrame, colours: Colours, title: str) -> go.Figure:
    figure = go.Figure()
    for label, colour, pattern in _marks(shares.columns, colours, PATTERNS):
        figure.add_bar(
            y=shares.index,
            x=shares[label],
            orientation="h",
            name=label,
            marker={"color": colour, "pattern": {"shape": pattern, **STRIPES}},
            text=[describe_share(value, 1) for value in shares[label]],
            textangle=0,
            hovertemplate="%{y}: %{x:.2%}",
        )
    figure.update_xaxes(title=title, tickformat=".2~%", fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    return tidy(figure)


def _histogram(counts: pd.DataFrame, colours: Colours, minimum: int, log: bool) -> go.Figure:
    figure = go.Figure()
    edges = [*counts.index.left, counts.index.right[-1]]
    for label, colour, dash in _marks(counts.columns, colours, DASHES):
        figure.add_scatter(
            x=edges,
            y=[*counts[label], 0],
            mode="lines",
            name=label,
            fill="tozeroy",
            line={"shape": "hv", "color": colour, "dash": dash},
            hovertemplate="from %{x:.0f} px: %{y:,} faces",
        )
    top = counts.to_numpy().max()
    for name, size, dash in (
        (f"{MIN_SIZE}-pixel rule", MIN_SIZE, "dot"),
        ("minimum", minimum, "solid"),
    ):
        figure.add_scatter(
            x=[size, size],
            y=[0, top],
            mode="lines",
            name=name,
            hovertemplate="%{x} px",
            line={"color": NEUTRAL, "dash": dash},
        )
    figure.update_xaxes(title="width of the face, pixels", **(LOG if log else {}))
    figure.update_yaxes(title="faces", range=[0, 1.05 * top])  # the top is seen whole
    return tidy(figure)


def _scatter(faces: pd.DataFrame, colours: Colours) -> go.Figure:
    figure = go.Figure()
    long_side = faces[["photo_width", "photo_height"]].max(axis=1)
    for label, colour, symbol in _marks(faces["label"].unique(), colours, SYMBOLS):
        own = faces["label"].eq(label)
        figure.add_scatter(
            x=long_side[own],
            y=faces.loc[own, "face_size"],
            mode="markers",
            name=label,
            marker={"color": colour, "symbol": symbol, "size": 6, "opacity": 0.8},
            hovertemplate="photo %{x:.0f} px, face %{y:.0f} px",
        )
    figure.add_hline(MIN_SIZE, line=REFERENCE)
    figure.update_xaxes(title="long side of the photo, pixels", **LOG)
    figure.update_yaxes(title="width of the face, pixels", **LOG)
    return tidy(figure, 380)


def _marks(
    present: Iterable[str], colours: Colours, marks: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield each label that is present, with its colour and its dash, pattern or symbol."""
    found = set(present)
    for i, (label, colour) in enumerate(colours.items()):
        if label in found:
            yield label, colour, marks[i % len(marks)]
