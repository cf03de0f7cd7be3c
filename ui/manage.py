"""Models of this dashboard as a table, and what can be done with each."""

from datetime import UTC, datetime
from functools import partial

import pandas as pd
import streamlit as st

from facecore.errors import FacecoreError
from facecore.model import (
    SHIPPED,
    delete_model,
    lacks_of,
    list_models,
    order_labels,
    pack_model,
    read_metadata,
    rename_model,
)
from ui.controls import name_labels, offer_file
from ui.models import Written, written
from ui.scores import MODEL_HELP, OF_MODEL
from ui.text import as_is

NOTE = "models_note"  # what a callback did, shown in the run after it


def show_models() -> None:
    """Show a table of all models, and controls to download, rename or delete one."""
    if note := st.session_state.pop(NOTE, None):
        said = st.error if note.startswith("Not done: ") else st.success
        said(as_is(note))
    names = list_models()
    if not names:
        st.info("No models yet. The first one that you train appears here.")
        return
    table = pd.DataFrame([_describe(name, written(name)) for name in names])
    problems = table["problem"].ne("")
    st.dataframe(
        table if problems.any() else table.drop(columns="problem"),
        hide_index=True,
        alt="The models: score, recipe, faces, when they were trained, size and labels",
        column_config={
            "name": st.column_config.TextColumn(pinned=True),
            OF_MODEL: st.column_config.NumberColumn(
                "score", format="%.3f", help=f"{OF_MODEL}. {MODEL_HELP}"
            ),
            "faces": st.column_config.NumberColumn(format="localized", help="Training faces"),
            "size": st.column_config.NumberColumn("size, MB", format="%.1f"),
        },
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Model to manage", names, key="manage", width=260)
        problem = bool(table.loc[table["name"].eq(name), "problem"].item())
        broken = problem and not lacks_of(name)  # one that only lacks an extra may be taken along
        offer_file(
            "Download",
            partial(pack_model, name),
            f"{name}.zip",
            "application/zip",
            "manage_download",
            off=broken,
        )
        if name not in SHIPPED:
            with st.popover("Rename", icon=":material/edit:", key="manage_rename_open"):
                st.text_input("New name", max_chars=64, key="manage_new_name")
                st.button(
                    f"Rename {as_is(name)}", key="manage_rename", on_click=_rename, args=(name,)
                )
            with st.popover("Delete", icon=":material/delete:", key="manage_delete_open"):
                st.markdown(f"The model **{as_is(name)}** will be removed. This cannot be undone.")
                st.button(
                    f"Delete {as_is(name)} for good",
                    type="primary",
                    key="manage_delete",
                    on_click=_delete,
                    args=(name,),
                )
    if name in SHIPPED:
        st.caption(f"{as_is(name)} ships with facecore: it can be neither renamed nor deleted.")


def _rename(old: str) -> None:
    new = st.session_state["manage_new_name"].strip()
    try:
        rename_model(old, new)
    except FacecoreError as error:
        st.session_state[NOTE] = f"Not done: {error}"
        return
    st.session_state[NOTE] = f"The model {old} is now called {new}."
    st.session_state["manage"] = new
    st.session_state["manage_new_name"] = ""
    if st.session_state.get("model") == old:
        st.session_state["model"] = new


def _delete(name: str) -> None:
    try:
        delete_model(name)
    except FacecoreError as error:
        st.session_state[NOTE] = f"Not done: {error}"
        return
    st.session_state[NOTE] = f"The model {name} was deleted."
    for key in ("manage", "model"):
        if st.session_state.get(key) == name:
            st.session_state[key] = next(iter(list_models()), None)


@st.cache_data(max_entries=64, show_spinner="Reading the models")
def _describe(name: str, written: Written) -> dict[str, object]:
    when = max(time for _, time, _ in written) / 1e9
    row: dict[str, object] = {
        "name": name,
        OF_MODEL: None,
        "recipe": "",
        "faces": None,
        "trained": datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d"),
        "size": sum(size for *_, size in written) / 1e6,
        "labels": "",
        "problem": "",
    }
    try:
        metadata = read_metadata(name)
        return row | {
            "recipe": metadata["recipe"],
            "labels": name_labels(order_labels(metadata["labels"], metadata.get("order", ()))),
            "faces": sum(metadata["training_faces"].values()),
            OF_MODEL: metadata["search"]["balanced_accuracy"],
            "trained": metadata["created"],
            "problem": lacks_of(name) or "",
        }
    except FacecoreError as error:
        return row | {"problem": str(error)}
    except (KeyError, TypeError, AttributeError) as error:
        return row | {"problem": f"its metadata lack {error}; train it again"}
