"""Two grid searches side by side: of two members of a model, or of two models."""

import pandas as pd
import streamlit as st

from facecore.training import (
    PARAMETERS,
    compare_folds,
    count_compared,
    count_folds,
    fold_scores,
    on_all_faces,
    rounds_of,
    score_range,
    values_of,
)
from ui.controls import choose
from ui.heat_maps import show_best_map
from ui.look import show
from ui.models import Chosen, pick_other, read_table
from ui.scores import OF_CANDIDATE
from ui.search import Search, name_parameter, name_value, searches_of
from ui.search_curves import component_line
from ui.text import as_is


def show_pair(chosen: Chosen, search: Search, searches: dict[str, Search]) -> None:
    """Ask for a second search, and show both side by side.

    Parameters
    ----------
    chosen : Chosen
        Model that was searched for.
    search : Search
        Search of one of its members.
    searches : dict of str to Search
        Searches of all its members.
    """
    other = pick_other(chosen)
    table = None if other is None else read_table("grid_search", other)
    if other is not None and table is None:
        return
    found = searches if other is None or table is None else searches_of(other, table)
    members = [name for name in found if other is not None or name != search.member]
    if not members:
        st.info(
            "There is nothing to compare with yet: the model has one member. Choose another model "
            "where there is one.",
            icon=":material/compare_arrows:",
        )
        return
    key = "search_member_2"
    second = found[choose("Member to compare with", members, key) if members[1:] else members[0]]
    names = [f"{one.model}: {one.title}" for one in (search, second)]
    pair = dict(zip(names, (search, second), strict=True))
    st.table(
        pd.DataFrame({as_is(name): _figures(one) for name, one in pair.items()}),
        alt=f"The searches {' and '.join(names)} side by side",
    )
    tables = {name: on_all_faces(one.table) for name, one in pair.items()}
    alt = f"Best score of each number of components, {' and '.join(names)}"
    show(component_line(tables), alt, "search-pair")
    st.caption(
        "Candidates that had all faces, of each number of components the best; the band is one "
        "standard error. " + as_is(_compare(search, second))
    )
    with st.grid(2, min_column_width=280):
        for i, (name, one) in enumerate(pair.items()):
            first = rounds_of(one.table)[0]
            with st.container():
                st.markdown(f"**{as_is(name)}**")
                show_best_map(first.rows, name, f"search-pair-{i}")
                low, high = score_range(first.rows)
                faces = "" if first.faces is None else f", on {first.faces:,} faces"
                st.caption(f"Colours from ≤ {low:.3f} to the best, {high:.3f}{faces}.")


def _figures(search: Search) -> dict[str, str]:
    best, compared = search.best, on_all_faces(search.table)
    return {
        "candidates": f"{count_compared(search.table):,}",
        "rounds": str(len(rounds_of(search.table))),
        "candidates on all faces": f"{len(compared):,}",
        "folds": str(count_folds(search.table.columns)),
        OF_CANDIDATE: f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}",
        **{
            name_parameter(name, search.table): name_value(
                values_of(name, search.table.loc[[best.name]])[0]
            )
            for name in PARAMETERS
        },
        "seconds to fit it in one fold": f"{best['mean_fit_time']:.2f}",
    }


def _compare(first: Search, second: Search) -> str:
    """Return in words how much better one is; two models may have had other faces."""
    if first.model != second.model:
        return (
            "Two models may have had other faces and folds, so their scores are not subtracted "
            "fold by fold."
        )
    difference, error = compare_folds(fold_scores(first.best), fold_scores(second.best))
    more, less = (first, second) if difference >= 0 else (second, first)
    told = "more than chance explains" if abs(difference) > error else "no more than chance"
    return (
        f"Fold by fold, the best candidate of {more.member} scores {abs(difference):.4f} ± "
        f"{error:.4f} above that of {less.member}: {told} (95% interval over the folds, corrected "
        "for the faces that they share)."
    )
