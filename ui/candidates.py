"""The candidates of a grid search as a table, and the folds of one of them."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.training import count_folds, fold_scores
from ui.controls import offer_file
from ui.look import PAIR, REFERENCE, show, tidy
from ui.scores import SCORE
from ui.search import Search, describe
from ui.sheets import to_sheet

# What a candidate reached stands before its settings, so that a narrow screen shows it.
NAMES = {
    "rank_test_score": "rank",
    "mean_test_score": "score",
    "std_test_score": "std",
    "param_n_components": "components",
    "param_C": "C",
    "gamma_factor": "gamma factor",
    "param_gamma": "gamma",
    "param_class_weight": "class weight",
    "param_whiten": "whiten",
    "iter": "round",
    "n_resources": "faces",
    "mean_fit_time": "fit, s",
    "mean_score_time": "scoring, s",
}
# Formats of the columns, and what their heads leave out.
COLUMNS = {
    "score": ("%.4f", f"{SCORE}, the mean over the folds"),
    "std": ("%.4f", "Standard deviation of the score over the folds"),
    "round": ("%d", "Round of the search; where there is a zoom, it is the last"),
    "faces": ("localized", "Faces that the candidate was scored on"),
    "fit, s": ("%.2f", "Seconds to fit one fold, without what candidates share"),
    "scoring, s": ("%.2f", "Seconds to score one fold, without what candidates share"),
}


def show_candidates(search: Search) -> None:
    """Show the candidates as a table, and the folds of the one in the chosen row.

    Parameters
    ----------
    search : Search
        Search to show.
    """
    ranked = rank_candidates(search.table)
    event = st.dataframe(
        ranked,
        height=320 if len(ranked) > 8 else "content",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="search_row",
        alt="Candidates, the best first",
        column_config={
            "rank": st.column_config.NumberColumn(pinned=True),
            **{
                name: st.column_config.NumberColumn(format=form, help=told, pinned=name == "score")
                for name, (form, told) in COLUMNS.items()
            },
        },
    )
    # The first row, the best candidate, until the visitor chooses another.
    row = search.table.loc[ranked.index[(event.selection.rows or [0])[0]]]
    with st.container(horizontal=True, vertical_alignment="center"):
        offer_file(
            "Download all columns",
            lambda: to_sheet(search.table),
            f"{search.model}_grid_search.csv",
            "text/csv",
            "search_download",
        )
        st.caption(
            "Choose a row to see its folds."
            + (
                " The candidates that had all faces come first; ranks compare within the same "
                "number of faces only."
                if "iter" in search.table
                else ""
            )
        )
    st.markdown(f"**Rank {row['rank_test_score']}**: {describe(row)}")
    show(fold_dots(row, search.best), "Score of the candidate in each fold", "search-folds")
    if row.get("n_resources") != search.best.get("n_resources"):
        st.caption(
            f"This candidate was scored on {row['n_resources']:,} faces, the best on "
            f"{search.best['n_resources']:,}: their folds cannot be compared."
        )


def rank_candidates(table: pd.DataFrame) -> pd.DataFrame:
    """Return the candidates with readable column names, the best first.

    Parameters
    ----------
    table : DataFrame
        Candidates, in the columns of `facecore.training.SearchResult`.

    Returns
    -------
    DataFrame
        Columns of `NAMES` that the table has; whiten only if it varies.
    """
    same = [] if len(table["param_whiten"].unique()) > 1 else ["param_whiten"]
    kept = [name for name in NAMES if name in table and name not in same]
    return table.sort_values("rank_test_score")[kept].rename(columns=NAMES)


def fold_dots(candidate: pd.Series, best: pd.Series) -> go.Figure:
    """Draw the score of one candidate in each fold, with its mean, beside the best candidate.

    Parameters
    ----------
    candidate, best : Series
        Rows of the table; the best is left out where it was scored on other faces.

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    folds = range(count_folds(candidate.index))
    rows = [(f"rank {candidate['rank_test_score']}", candidate, "circle", PAIR[0])]
    other = candidate["rank_test_score"] != best["rank_test_score"]
    if other and candidate.get("n_resources") == best.get("n_resources"):
        rows.append(("best", best, "diamond-open", PAIR[1]))
    for name, row, symbol, colour in rows:
        figure.add_scatter(
            x=[f"fold {i + 1}" for i in folds],
            y=fold_scores(row).tolist(),
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour},
            name=name,
            hovertemplate="%{x}: %{y:.4f}<extra></extra>",
        )
    mean = candidate["mean_test_score"]
    figure.add_hline(mean, line=REFERENCE, annotation_text=f"mean {mean:.4f}")
    return tidy(figure.update_yaxes(title=SCORE), 300)
