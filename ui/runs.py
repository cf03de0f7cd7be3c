"""The experiment log on the page Your data: trainings over time, side by side, as a file."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.errors import FacecoreError
from facecore.model import PALETTE
from facecore.training import (
    RunLog,
    compare_runs,
    delete_runs,
    read_runs,
    runs_file,
    tabulate_runs,
)
from ui.controls import choose, offer_file
from ui.look import SYMBOLS, count_columns, show, tidy
from ui.scores import OF_MODEL
from ui.sheets import to_sheet
from ui.text import as_is, as_is_in_figure

FIGURES = ("Score over time", "Score against minutes", "Score against a setting")
FIRST = (
    "when",
    "name",
    "state",
    "recipe",
    "grid",
    "faces",
    "score",
    "answered",
    "right when answered",
    "forced accuracy",
    "minutes",
    "model",
    "reason",
)  # columns shown at first
SHARES = ("score", "std", "candidate score", "answered", "right when answered", "forced accuracy")
DIFFERS = "background-color: rgba(230, 159, 0, 0.22); font-weight: bold"
MOST_COMPARED = 4
OUTCOMES = {
    *("when", "name", "state", "model", "score", "std", "candidate score", "test photos"),
    *("answered", "right when answered", "forced accuracy", "minutes", "by", "reason", "run"),
}  # columns that are no settings


def show_runs() -> None:
    """Show the experiment log: a table, a figure, a comparison, and the file."""
    st.header("Experiment log")
    file = runs_file()
    try:
        log = _read(str(file), file.stat().st_mtime_ns if file.is_file() else 0)
    except (FacecoreError, OSError) as error:
        st.error(as_is(error), icon=":material/error:")
        return
    if log.damaged:
        st.caption(f"Damaged lines of the log that are left out: {log.damaged}.")
    if not log.runs:
        st.caption("Every training is noted here, with its settings and scores. None so far.")
        return
    table = tabulate_runs(log.runs)
    _show_table(table)
    _show_figure(table)
    _compare(log.runs, table)


@st.cache_data(max_entries=4, show_spinner=False, ttl=30)
def _read(file: str, written: int) -> RunLog:
    # `written` is part of the cache's key; a killed training is noticed after a while
    return read_runs()


def _show_table(table: pd.DataFrame) -> None:
    known = [name for name in table.columns if table[name].notna().any()]
    columns = st.multiselect(
        "Columns", known, [n for n in FIRST if n in known], key="runs_columns", bind="query-params"
    )
    shares = {name: st.column_config.NumberColumn(format="%.3f") for name in SHARES}
    st.dataframe(
        table[columns or list(FIRST)],
        hide_index=True,
        height=320 if len(table) > 8 else "content",
        alt="Trainings, the newest first, with settings and scores",
        column_config={
            **shares,
            "score": st.column_config.NumberColumn(
                format="%.3f", help="Cross-validated balanced accuracy of the model"
            ),
            "candidate score": st.column_config.NumberColumn(
                format="%.3f", help="That of the best candidate of the leading member"
            ),
            "answered": st.column_config.NumberColumn(
                format="%.3f", help="Share of the test photos; the others are unsure"
            ),
            "forced accuracy": st.column_config.NumberColumn(
                format="%.3f", help="Over all test photos, as if every one got its likeliest label"
            ),
            "when": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
            "minutes": st.column_config.NumberColumn(format="%.1f"),
            **count_columns("faces", "test photos"),
            "reason": st.column_config.TextColumn(width="large"),
            "model": st.column_config.TextColumn(help="What became of the model of this training"),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        offer_file(
            "Download all columns",
            lambda: to_sheet(table),
            "facecore_runs.csv",
            "text/csv",
            "runs_download",
        )
        with st.popover("Delete the log", icon=":material/delete:", key="runs_delete_open"):
            st.markdown("All entries will be removed; models stay. This cannot be undone.")
            st.button("Delete it for good", type="primary", key="runs_delete", on_click=_delete_log)
        st.caption(f"{len(table):,} trainings; times are UTC.")


def _delete_log() -> None:
    try:
        delete_runs()
    except FacecoreError as error:
        st.error(as_is(error))


def _show_figure(table: pd.DataFrame) -> None:
    done = table[table["score"].notna()]
    if len(done) < 2:
        return
    settings = [x for x in done if x not in OUTCOMES and len(done[x].dropna().unique()) > 1]
    views = FIGURES if settings else FIGURES[:2]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = choose("Figure", views, "runs_figure", show_label=False)
        x = {FIGURES[0]: "when", FIGURES[1]: "minutes"}.get(view)
        x = x or choose("Setting", settings, "runs_setting")
    known = done[done[x].notna()]
    alt = f"{OF_MODEL} of {len(known)} trainings against {x}"
    show(runs_figure(known, x), alt, "runs-figure")
    if rest := len(done) - len(known):
        st.caption(f"Not drawn, since they lack this setting: {rest} trainings.")


def runs_figure(table: pd.DataFrame, x: str) -> go.Figure:
    """Draw the score of each training with its deviation over the folds, by recipe.

    Parameters
    ----------
    table : DataFrame
        As `facecore.training.tabulate_runs` returns it, of trainings that have a score.
    x : str
        Column of the horizontal axis: ``"when"``, ``"minutes"`` or a setting, known of each.

    Returns
    -------
    Figure
    """
    figure, values = go.Figure(), table[x]
    if x != "when" and pd.to_numeric(values, errors="coerce").isna().any():
        table = table.assign(**{x: [as_is_in_figure(str(value)) for value in values]})
    for number, (recipe, rows) in enumerate(table.groupby("recipe", sort=True)):
        notes = [
            f"{as_is_in_figure(str(row['name']))}, {row['when']:%Y-%m-%d %H:%M}<br>score "
            f"{row['score']:.3f} ± {row['std']:.3f}, {row['minutes']:.1f} min"
            for _, row in rows.iterrows()
        ]
        figure.add_scatter(
            x=rows[x],
            y=rows["score"],
            name=str(recipe),
            mode="markers",
            error_y={"type": "data", "array": rows["std"], "thickness": 1},
            marker={
                "size": 11,
                "color": PALETTE[number % len(PALETTE)],
                "symbol": SYMBOLS[number % len(SYMBOLS)],
            },
            text=notes,
            hovertemplate="%{text}<extra></extra>",
        )
    figure.update_xaxes(title="time (UTC)" if x == "when" else as_is_in_figure(x))
    figure.update_yaxes(title=OF_MODEL, tickformat=".3f")
    figure.update_layout(showlegend=True)
    return tidy(figure, 340)


def _compare(runs: Sequence[Mapping[str, Any]], table: pd.DataFrame) -> None:
    if len(runs) < 2:
        return
    # by time and not by place in the list, so that a link still names them after the next training
    times = [f"{row['name']}, {row['when']:%Y-%m-%d %H:%M:%S}" for _, row in table.iterrows()]
    names = {
        f"{time} ({run['run'][:6]})" if times.count(time) > 1 else time: run
        for time, run in zip(times, runs, strict=True)
    }
    picked = st.multiselect(
        "Compare trainings",
        list(names),
        key="runs_compare",
        bind="query-params",
        max_selections=MOST_COMPARED,
        placeholder="two to four trainings",
    )
    if len(picked) < 2:
        return
    compared = compare_runs([names[name] for name in picked])
    every = st.checkbox("Also what is the same", key="runs_same", bind="query-params")
    rows = compared if every else compared[compared["differs"]]
    marked = rows.style.apply(lambda row: [DIFFERS if row["differs"] else ""] * len(row), axis=1)
    st.dataframe(
        marked,
        hide_index=True,
        alt="Settings and scores of the trainings side by side; what differs is marked",
        column_config={"differs": st.column_config.CheckboxColumn(width="small")},
    )
    same = int((~compared["differs"]).sum())
    st.caption(f"{len(compared) - same} of {len(compared)} settings and scores differ.")
