"""What the grid search tried, what it found, and what other parameters would do."""

import streamlit as st

from ui.candidates import show_candidates
from ui.glossary import introduce
from ui.heat_maps import show_heat_maps
from ui.hyperparameters import show_explorer
from ui.importance import show_importance, show_parallel
from ui.models import pick_model, read_table
from ui.navigation import enter_page
from ui.search import pick_round, pick_search, searches_of
from ui.search_curves import show_components, show_times
from ui.search_pair import show_pair
from ui.search_summary import show_round, show_summary

enter_page()
introduce(
    "Grid search",
    "How many components and which support vector machine were tried, which did best, and what "
    "others would do.",
    "grid search",
    "cross-validation",
    "hyperparameter",
    "component",
    "heat map",
)
chosen = pick_model()
table = read_table("grid_search", chosen)
if table is None:
    st.stop()
searches = searches_of(chosen, table)
search = pick_search(searches)
show_summary(chosen, search)
shown = pick_round(search)
show_round(shown, search)

of_round = {
    "Heat maps": show_heat_maps,
    "Components": show_components,
    "Time": show_times,
    "Importance": show_importance,
    "Parallel coordinates": show_parallel,
}
names = ["Candidates", *of_round, "Two searches", "Explorer"]
tabs = dict(zip(names, st.tabs(names, key="search_tab", bind="query-params"), strict=True))
for name, tab in tabs.items():
    if not tab.open:
        continue
    with tab:
        if name in of_round:
            of_round[name](shown.rows)
        elif name == "Candidates":
            show_candidates(search)
        elif name == "Two searches":
            show_pair(chosen, search, searches)
        else:
            show_explorer(chosen, search)
