"""What the grid search tried, what it found, and what other parameters would do."""

import streamlit as st

from ui.hyperparameters import show_explorer
from ui.look import ICON, show
from ui.models import pick_model, read_table
from ui.search import (
    component_line,
    pick_search,
    show_candidates,
    show_heat_maps,
    show_summary,
    time_dots,
)

TABS = ("Candidates", "Heat maps", "Components", "Time", "Explorer")

st.set_page_config("Grid search", ICON, layout="wide")
st.title("Grid search")
st.write(
    "How many components and which support vector machine were tried, which did best, and what "
    "others would do."
)
chosen = pick_model()
table = read_table("grid_search", chosen)
if table is None:
    st.stop()
search = pick_search(chosen, table)
show_summary(search, sum(chosen.metadata["training_faces"].values()))

candidates, heat, components, time, explorer = st.tabs(TABS, key="search_tab", bind="query-params")
if candidates.open:
    with candidates:
        show_candidates(search, chosen.name)
if heat.open:
    with heat:
        show_heat_maps(search)
if components.open:
    with components:
        show(component_line(search), "Best score of each number of components", "search-components")
if time.open:
    with time:
        alt = "Score of each candidate against its time to fit"
        show(time_dots(search.table), alt, "search-time")
if explorer.open:
    with explorer:
        show_explorer(chosen, search)
