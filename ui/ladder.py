"""The rungs of the ladder side by side, their curves, and one face as each of them reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from facecore.errors import FacecoreError
from facecore.face import RECIPES, describe_member
from facecore.model import (
    PALETTE,
    SHIPPED,
    FaceAnswer,
    FaceModel,
    PhotoAnswer,
    draw_features,
    label_colours,
    occlusion,
    order_labels,
    overlay,
    predict_photo,
    to_rgb,
)
from facecore.training import Ladder, ladder_folder, read_ladder
from ui.controls import name_labels
from ui.evaluation import interval_words
from ui.look import DASHES, NEUTRAL, SYMBOLS, on_page, show, show_picture, spread_ticks, tidy
from ui.models import Chosen, load_chosen
from ui.photo import has_face
from ui.text import as_is, as_is_in_figure
from ui.your_face import YourFace, keep

WORDS = {
    "pixels": "Grey levels of the detector's box",
    "aligned pixels": "Grey levels of the face turned upright by eyes and mouth",
    "gradients": "Directions of edges, in cells (histograms of oriented gradients)",
    "both": "Pixels and gradients, each with a machine of its own; they vote",
    "convolutions": "Shapes that a small network looks for, which others trained to tell gender",
    "fused": "Pixels, gradients, local binary patterns and convolutions; they vote",
    "embedding": "128 numbers by a deep network that was trained to tell people apart",
}
# Numbers in the table, what matters first: heads and formats.
COLUMNS = {
    "accuracy": ("accuracy", "%.3f"),
    "balanced": ("balanced accuracy", "%.3f"),
    "ms_photo": ("ms per photo", "%.1f"),
    "megabytes": ("MB", "%.1f"),
    "components": ("components", "localized"),
}
MEMBERS = 270  # pixels that the longest list of members takes
PICTURE = 100  # pixels, at least; two fit side by side in a cell
MOST_TICKS = 6  # numbers of five digits beside each other on a phone


def get_ladder() -> Ladder | None:
    """Return the ladder's tables; without them, show the command that makes them.

    Returns
    -------
    Ladder or None
    """
    file = ladder_folder() / "ladder.json"
    try:
        found = _read(str(file), file.stat().st_mtime_ns) if file.is_file() else None
    except FacecoreError as error:
        st.error(as_is(error), title="The tables cannot be used", icon=":material/error:")
        return None
    if found is None:
        st.info(
            "Nothing has been measured yet. With raw photos in DATA, run:", icon=":material/stairs:"
        )
        st.code("python -m facecore ladder DATA", language="shell")
    return found


@st.cache_data(max_entries=4, show_spinner="Reading the tables")
def _read(file: str, written: int) -> Ladder | None:
    # `written` is part of the cache's key: tables that were measured again are read again
    return read_ladder()


def show_table(ladder: Ladder) -> None:
    """Show the accuracy, time and size of each rung, as a figure and as a table.

    Parameters
    ----------
    ladder : Ladder
        Tables of the ladder.
    """
    show(rungs_figure(ladder.rungs), "Accuracy, time and size of each rung", "rungs")
    limits = ladder.rungs[["low", "high"]].to_numpy()
    table = ladder.rungs[["rung", *COLUMNS, "members"]]
    table.insert(2, "95% interval", [interval_words(pair) for pair in limits])
    st.dataframe(
        table,
        hide_index=True,
        alt="What each rung reaches",
        column_config={
            "rung": st.column_config.TextColumn(pinned=True),
            "members": st.column_config.TextColumn(width=MEMBERS),
            **{
                name: st.column_config.NumberColumn(head, format=form)
                for name, (head, form) in COLUMNS.items()
            },
        },
    )
    if told := describe_members(ladder.rungs):
        st.caption(as_is(told))


def describe_members(rungs: pd.DataFrame) -> str:
    """Return what the members of the rungs read of a face.

    Parameters
    ----------
    rungs : DataFrame
        One row per rung, in the columns of `facecore.training.Ladder`.

    Returns
    -------
    str
        One sentence; empty where no recipe of today has a member of these names.
    """
    told: dict[str, str] = {}
    for recipe, names in zip(rungs["recipe"], rungs["members"], strict=True):
        members = RECIPES[recipe].members if recipe in RECIPES else {}
        for name in names.split(", "):
            if name in members:
                told[name] = describe_member(members[name].features, members[name].space)
    reads = "; ".join(f"{name}: {words}" for name, words in told.items())
    return f"What the members read. {reads}." if told else ""


def rungs_figure(rungs: pd.DataFrame) -> go.Figure:
    """Draw accuracy with its interval, CPU time and size of each rung.

    Parameters
    ----------
    rungs : DataFrame
        One row per rung, in the columns of `facecore.training.Ladder`.

    Returns
    -------
    Figure
    """
    titles = ("accuracy", "CPU, ms", "MB")  # short enough for a phone
    figure = make_subplots(1, 3, shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.08)
    error = {
        "type": "data",
        "symmetric": False,
        "array": rungs["high"] - rungs["accuracy"],
        "arrayminus": rungs["accuracy"] - rungs["low"],
        "color": on_page(NEUTRAL),
    }
    # The colours and symbols that the rungs have as curves.
    colours = [PALETTE[number % len(PALETTE)] for number in range(len(rungs))]
    symbols = [SYMBOLS[number % len(SYMBOLS)] for number in range(len(rungs))]
    figure.add_scatter(
        x=rungs["accuracy"],
        y=rungs["rung"],
        mode="markers+text",
        error_x=error,
        row=1,
        col=1,
        marker={"size": 11, "color": colours, "symbol": symbols},
        textposition="top center",
        cliponaxis=False,
        text=[f"{value:.1%}" for value in rungs["accuracy"]],
        hovertemplate="%{y}: %{x:.2%}<extra></extra>",
    )
    for column, name in ((2, "ms_photo"), (3, "megabytes")):
        figure.add_bar(
            x=rungs[name],
            y=rungs["rung"],
            orientation="h",
            row=1,
            col=column,
            width=0.5,
            marker_color=colours,
            text=[f"{value:.0f}" for value in rungs[name]],
            hovertemplate="%{y}: %{x:.1f}<extra></extra>",
        )
    figure.update_layout(showlegend=False)
    room = 0.25 * (rungs["high"].max() - rungs["low"].min())  # for the numbers at the dots
    reach = [rungs["low"].min() - room, rungs["high"].max() + room]
    # Few numbers, upright: on a phone a part is a finger wide.
    figure.update_xaxes(tickangle=0, nticks=3)
    figure.update_xaxes(tickformat=".0%", range=reach, row=1, col=1)
    figure.update_yaxes(ticksuffix="  ")
    return tidy(figure, 110 + 52 * len(rungs))


def curve_figure(
    table: pd.DataFrame, x: str, title: str, what: str = "accuracy", rungs: Sequence[str] = ()
) -> go.Figure:
    """Draw accuracy with its interval against a quantity that grows, one line per rung.

    Parameters
    ----------
    table : DataFrame
        Columns rung, accuracy, low, high, and that of the quantity.
    x : str
        Column of the quantity.
    title : str
        Title of the axis.
    what : str
        What the column accuracy holds.
    rungs : sequence of str
        All rungs, where the table may lack some: each keeps its colour.

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    places = {rung: i for i, rung in enumerate(dict.fromkeys([*rungs, *table["rung"]]))}
    for rung, rows in table.groupby("rung", sort=False):
        number = places[rung]
        colour = PALETTE[number % len(PALETTE)]
        red, green, blue = to_rgb(colour)
        # The interval as a band: along its upper edge, and back along its lower one.
        figure.add_scatter(
            x=[*rows[x], *rows[x][::-1]],
            y=[*rows["high"], *rows["low"][::-1]],
            fill="toself",
            fillcolor=f"rgba({red},{green},{blue},0.13)",
            line_width=0,
            hoverinfo="skip",
            showlegend=False,
            legendgroup=str(rung),
            mode="lines",
        )
        figure.add_scatter(
            x=rows[x],
            y=rows["accuracy"],
            name=str(rung),
            mode="lines+markers",
            legendgroup=str(rung),
            line={"color": colour, "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8},
            hovertemplate=f"{as_is_in_figure(str(rung))}, %{{x:,.0f}}: %{{y:.2%}}<extra></extra>",
        )
    ticks = spread_ticks(sorted(table[x].unique().tolist()), MOST_TICKS, logarithmic=True)
    figure.update_xaxes(
        title=title, type="log", tickvals=ticks, ticktext=[f"{t:,.0f}" for t in ticks]
    )
    figure.update_yaxes(title=what, tickformat=".0%")
    return tidy(figure, 460)


def show_labels(labels: Mapping[str, int], chosen: Chosen) -> None:
    """Say that the figures are about other labels than those of the chosen model, if so.

    Parameters
    ----------
    labels : mapping of str to int
        Photos by label, as the tables of the ladder store them; empty where they do not.
    chosen : Chosen
        Model that the visitor looks at.
    """
    if set(labels) == set(chosen.labels):
        return
    about = name_labels(order_labels(labels)) or "labels that the tables do not name"
    st.info(
        f"These figures are about {as_is(about)}, not about the labels of the model "
        f"{as_is(chosen.name)}: {as_is(name_labels(chosen.labels))}. To measure the rungs "
        "on your own labels, run this with folders of raw photos:",
        title="Measured on other labels",
        icon=":material/label:",
    )
    st.code("python -m facecore ladder PHOTOS", language="shell")


def load_shipped() -> tuple[list[Chosen], list[str]]:
    """Return the models that ship, whose members are the rungs, and why others cannot be used.

    Returns
    -------
    models : list of Chosen
    problems : list of str
        One line per model that cannot be used.
    """
    models, problems = [], []
    for name in SHIPPED:
        try:
            models.append(load_chosen(name))
        except (FacecoreError, OSError) as error:
            problems.append(str(error))
    return models, problems


def show_rungs(yours: YourFace, rungs: Mapping[str, FaceModel], version: object) -> None:
    """Show a face as each rung reads it, with each rung's answer.

    Parameters
    ----------
    yours : YourFace
        The face of the visit.
    rungs : mapping of str to FaceModel
        Models by rung, from the lowest.
    version : object
        Changes with the models.
    """
    answers = {
        rung: keep(yours, f"rung {rung}", partial(_answer, yours, model), version)
        for rung, model in rungs.items()
    }
    faces = {rung: answer.main for rung, answer in answers.items() if answer.main}
    if not faces:
        has_face(next(iter(answers.values())))  # shows why there is none
        return
    st.markdown(disagreement({rung: face.likely for rung, face in faces.items()}))
    grid = st.grid(3, min_column_width=250, border=True)
    for number, (rung, model) in enumerate(rungs.items(), start=1):
        with grid.cell():
            st.markdown(f"**{number}. {as_is(rung)}**")
            if rung in faces:
                draw = partial(_pictures, model, faces[rung])
                pictures = keep(yours, f"pictures of rung {rung}", draw, version)
                _show_rung(rung, pictures, faces[rung])
            else:
                st.caption("Its detector finds no face.")


def disagreement(said: Mapping[str, str]) -> str:
    """Describe which rungs disagree with the highest one.

    Parameters
    ----------
    said : mapping of str to str
        Most likely label by rung, from the lowest.

    Returns
    -------
    str
        Markdown.
    """
    top, label = list(said.items())[-1]
    others = [rung for rung, other in said.items() if other != label]
    if not others:
        return f"**All {len(said)} rungs agree**: {as_is(label)}."
    apart = as_is(", ".join(others))
    return f"**{as_is(top)} says {as_is(label)}; {apart} {_differ(others)}**."


def _differ(others: Sequence[str]) -> str:
    return "disagrees" if len(others) == 1 else "disagree"


def _answer(yours: YourFace, model: FaceModel) -> PhotoAnswer:
    # without the pixels: they would take much memory, once per rung
    return replace(predict_photo(yours.photo, model, name=yours.name), pixels=None)


def _show_rung(rung: str, pictures: Sequence[tuple[np.ndarray, str]], face: FaceAnswer) -> None:
    with st.grid(2, min_column_width=PICTURE, gap="small"):
        for picture, what in pictures:
            show_picture(picture, f"The face as {rung} reads it: {what}", what)
    st.markdown(f"{as_is(face.likely)}, probability {face.probability:.2f}")
    st.caption(as_is(f"{WORDS.get(rung, rung)}."))


def _pictures(model: FaceModel, face: FaceAnswer) -> list[tuple[np.ndarray, str]]:
    if model.recipe.embedding:
        colours = [to_rgb(colour) for colour in label_colours(model.labels).values()]
        label = model.labels.index(face.likely)
        heat = occlusion(model, face.prepared, face.likely)
        away = colours[1 - label] if len(colours) == 2 else to_rgb(NEUTRAL)
        picture = overlay(face.prepared, heat, colours[label], away)
        return [(face.prepared, "crop"), (picture, "effect of covering a patch")]
    pictures = []
    for member in model.members:
        if member.features.kind == "pixels" and face.reconstruction is not None:
            pictures.append((face.reconstruction, "reconstruction"))
        else:
            what = f"{member.name}: {describe_member(member.features, member.space)}"
            pictures.append((draw_features(member.features, face.prepared), what))
    return pictures
