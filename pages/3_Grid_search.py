"""What the grid search tried, what it found, and what other parameters would do."""

import streamlit as st

from facecore.training import count_folds, simplest_within_one_error, standard_error
from ui.look import ICON, show
from ui.models import pick_model, read_table
from ui.search import (
    candidate_table,
    component_line,
    describe,
    describe_grid,
    fold_dots,
    heat_maps,
    show_explorer,
    time_dots,
)

st.set_page_config("Grid search", ICON, layout="wide")
st.title("Grid search")
st.write("Which eigenfaces and which machine were tried, which won, and what others would do.")
chosen = pick_model()
table = read_table("grid_search", chosen)
if table is None:
    st.stop()

search = chosen.metadata["search"]
grid, parameters, member = search["grid"], search["best"], chosen.model.leading.name
if "param_member" in table:
    members = list(search["members"])
    picked = st.segmented_control(
        "Member", members, default=members[0], required=True, key="search_member",
        bind="query-params", help="Each reads a face in its own way and is searched on its own",
    )  # fmt: skip
    member = picked if picked in members else members[0]
    tops = table.groupby("param_member")["mean_test_score"].max()
    st.caption(
        f"Best of each member: {', '.join(f'{name} {tops[name]:.4f}' for name in members)}. Fused, "
        f"in the same folds: **{search['balanced_accuracy']:.4f} ± {search['std']:.4f}**."
    )
    table = table[table["param_member"].eq(member)].reset_index(drop=True)
    grid, parameters = grid[member], search["members"][member]
best = table.loc[table["rank_test_score"].idxmin()]
simple = table.loc[simplest_within_one_error(table)]
error = standard_error(best)
with st.container(horizontal=True):
    st.metric("Candidates", f"{len(table):,}", border=True, height="stretch")
    st.metric("Folds", count_folds(table.columns), border=True, height="stretch")
    faces = sum(chosen.metadata["training_faces"].values())
    st.metric("Faces", f"{faces:,}", border=True, height="stretch")
with st.container(horizontal=True):
    st.metric(
        "Best", f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}", describe(best),
        delta_color="off", delta_arrow="off", border=True,
        help="Balanced accuracy: mean and deviation over the folds, a person in one fold only",
    )  # fmt: skip
    cost = simple["mean_test_score"] - best["mean_test_score"]
    st.metric(
        "Simplest within one standard error", f"{simple['mean_test_score']:.4f} ({cost:+.4f})",
        describe(simple), delta_color="off", delta_arrow="off", border=True,
        help=f"Fewest components, then smallest C and gamma, among the candidates at most "
        f"{error:.4f} below the best: the one-standard-error rule",
    )  # fmt: skip
st.caption(f"Searched: {describe_grid(grid)}. Balanced accuracy over the folds.")

names = ("Candidates", "Heat maps", "Components", "Time", "Explorer")
candidates, heat, components, time, explorer = st.tabs(names, key="search_tab", bind="query-params")
if candidates.open:
    with candidates:
        ranked = candidate_table(table)
        event = st.dataframe(
            ranked, height=320 if len(ranked) > 8 else "content", hide_index=True,
            on_select="rerun", selection_mode="single-row", key="search_row",
            alt="Candidates, the best first",
            column_config={
                name: st.column_config.NumberColumn(format=form)
                for name, form in (("mean", "%.4f"), ("spread", "%.4f"), ("fit, s", "%.2f"),
                                   ("score, s", "%.2f"))
            },
        )  # fmt: skip
        row = table.loc[ranked.index[(event.selection.rows or [0])[0]]]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.download_button(
                "Download all columns", lambda: table.to_csv(index=False),
                f"{chosen.name}_grid_search.csv", "text/csv", icon=":material/download:",
                on_click="ignore",
            )  # fmt: skip
            st.caption("Choose a row to see its folds.")
        st.markdown(f"**Rank {row['rank_test_score']}**: {describe(row)}")
        show(fold_dots(row, best), "Score of the candidate in each fold", "search-folds")
if heat.open:
    with heat:
        shown = table
        with st.container(horizontal=True):
            for name, words in (("class_weight", "Class weight"), ("whiten", "Whiten")):
                options = [str(value) for value in table[f"param_{name}"].unique()]
                if len(options) > 1:
                    default = str(best[f"param_{name}"])
                    option = st.segmented_control(
                        words, options, default=default, required=True, key=f"search_{name}",
                        bind="query-params",
                    )  # fmt: skip
                    shown = shown[shown[f"param_{name}"].astype(str).eq(option)]
        show(heat_maps(shown), "Mean score over C and gamma by number of components", "search-heat")
if components.open:
    with components:
        figure = component_line(table, best["mean_test_score"] - error)
        show(figure, "Best score of each number of components", "search-components")
if time.open:
    with time:
        show(time_dots(table), "Score of each candidate against its time to fit", "search-time")
if explorer.open:
    with explorer:
        show_explorer(chosen, table, parameters, member)
