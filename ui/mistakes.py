"""Photos of your own model on the page Check photos: lists of them, cards, and corrections."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.data import correct, photo_at, read_corrections, table_of
from facecore.errors import FacecoreError
from facecore.face import decode, takes_whole_photos, to_png
from facecore.model import LOCAL, SHIPPED, find_model, read_local_table
from facecore.system import show_hidden
from facecore.training import (
    CELL,
    KINDS,
    TEST,
    cross_answers,
    nearest_rows,
    photos_of,
    select_photos,
    start_training,
)
from ui.controls import choose, pick_grid
from ui.evaluation import confusion_heat
from ui.local import is_local
from ui.look import finish
from ui.models import Chosen, command_to_train_again
from ui.text import as_is
from ui.training import can_be_named
from ui.training_photos import may_see

PER_PAGE = 12  # cards
SHOWN = 4  # nearest training faces of a card
NOTE = "check_note"  # what a callback did, shown in the run after it
WORDS = {
    "Label may be wrong": "Faces that machines trained on the other photos take for another label, "
    "with at least the probability that faces of that label usually get (confident learning). The "
    "likeliest mistake comes first. Not each of them is one: look.",
    "Wrong": "Faces that get another label than theirs. The most confident answer comes first.",
    "Unsure": "Faces that get no label under the model's rule. The least confident comes first.",
    "Lonely": "Faces that are far from face space, or from the nearest faces of their own label: "
    "often no upright face, a drawing, or another person than meant. The farthest comes first.",
    CELL: "Click on a cell, or choose label and answer. The most confident answer comes first.",
}


@dataclass(frozen=True)
class Found:
    """The photos of a model that this visitor may see.

    Parameters
    ----------
    photos : DataFrame
        As the model stores them, with all their rows.
    decided : dict
        By data set (a path) and photo: what somebody decided, a label, or empty for a dropped one.
    """

    photos: pd.DataFrame
    decided: Mapping[tuple[str, str], str]

    @property
    def sources(self) -> list[str]:
        """The data sets, as paths."""
        return [str(source) for source in self.photos["source"].unique()]


def read_photos(chosen: Chosen) -> Found | None:
    """Return the photos of a model, if they are on this computer; if not, say why.

    Parameters
    ----------
    chosen : Chosen
        Any model.

    Returns
    -------
    Found or None
    """
    try:
        photos = _read(chosen.name)
        if photos is None or photos.empty:
            _say_none(chosen)
            return None
        sources = [str(source) for source in photos["source"].unique()]
        if not all(_is_mine(source) for source in sources):
            st.info(
                "The photos of this model can be seen only on the computer that runs the "
                "dashboard, while it listens on localhost, or by the visitor who sent them.",
                icon=":material/lock:",
            )
            return None
        if gone := [source for source in sources if not source or not Path(source).exists()]:
            st.info(
                f"The photos of {as_is(chosen.name)} are not here any more. Photos of a ZIP are "
                "removed when the training ends, unless you tick that they are kept; a folder may "
                "have been moved:",
                icon=":material/folder_off:",
            )
            for source in gone:
                st.text(source or "synthetic faces, or crops that do not say what they were cut of")
            return None
        decided = {
            (source, str(row.path)): "" if row.dropped else str(row.corrected)
            for source in sources
            for row in _decisions(source, _written(source)).itertuples()
        }
    except (FacecoreError, OSError) as error:
        st.error(as_is(error), title="The photos cannot be read", icon=":material/error:")
        return None
    return Found(photos, decided)


def _say_none(chosen: Chosen) -> None:
    if chosen.metadata["kernel_vectors"]["kind"] == "cluster centres" or chosen.name in SHIPPED:
        st.info(
            f"{as_is(chosen.name)} is safe to share, so it does not know which photos it was "
            "trained on. Choose a model that you trained on your own photos, on the page Your data "
            "or by `python -m facecore train` without the option `--centres`.",
            icon=":material/lock:",
        )
        return
    st.info(
        f"{as_is(chosen.name)} was stored without a table of its photos: its faces came as arrays, "
        "from a download, or from an older version. Train it again on its folder:",
        icon=":material/table:",
    )
    st.code(command_to_train_again(chosen.name), language="shell")


def _is_mine(source: str) -> bool:
    return is_local() or may_see(Path(source))


def _read(name: str) -> pd.DataFrame | None:
    file = find_model(name) / LOCAL / "photos.csv"
    return _read_table(file, file.stat().st_mtime_ns) if file.is_file() else None


@st.cache_data(max_entries=4, show_spinner="Reading the table")
def _read_table(file: Path, written: int) -> pd.DataFrame | None:
    return read_local_table("photos", file.parents[1].name)


def _written(source: str) -> int:
    table = table_of(Path(source))
    return table.stat().st_mtime_ns if table.is_file() else 0


@st.cache_data(max_entries=8, ttl="10m", show_spinner="Reading the labels")
def _decisions(source: str, written: int) -> pd.DataFrame:
    # `written` is part of the cache's key: a table that was written anew is read anew
    return read_corrections(Path(source))


def show_notes() -> None:
    """Show what a button did in the run before."""
    if note := st.session_state.pop(NOTE, None):
        st.error(as_is(note), title="Not written", icon=":material/error:")


def pick_kind(chosen: Chosen, found: Found, part: str) -> pd.DataFrame:
    """Ask which photos to look at.

    Parameters
    ----------
    chosen : Chosen
        The model.
    found : Found
        Its photos.
    part : str
        Training photos or test photos.

    Returns
    -------
    DataFrame
        The photos, those first that deserve a look most.
    """
    photos = photos_of(found.photos, part)
    labels = chosen.labels
    counts = cross_answers(photos, labels)
    kind = choose("Show", KINDS[part], "check_kind")
    if kind != CELL:
        st.caption(WORDS[kind])
        return select_photos(photos, kind)
    answers = list(next(iter(counts.values())))
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with right:
        label = choose("True label", labels, "check_label")
        answer = choose("Answer", answers, "check_answer", default=answers[min(1, len(labels) - 1)])
    with left:
        _show_cells(counts, f"check_cells_{chosen.name}_{part}")
    st.caption(
        WORDS[CELL]
        + ("" if part == TEST else " Answers are out of fold: by machines not fitted to the photo.")
    )
    return select_photos(photos, kind, label=label, answer=answer)


def _show_cells(counts: Mapping[str, Mapping[str, int]], key: str) -> None:
    """Show a confusion matrix whose cells can be clicked."""
    labels, answers = list(counts), list(next(iter(counts.values())))
    figure = confusion_heat(counts)
    # A heat map returns no clicks, so that unseen points lie over its cells.
    figure.add_trace(
        go.Scatter(
            x=[answer for _ in labels for answer in answers],
            y=[label for label in labels for _ in answers],
            mode="markers",
            marker={"symbol": "square", "size": 44, "opacity": 0},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            hovertemplate="%{y}, answered %{x}<extra></extra>",
            showlegend=False,
        )
    )
    finish(figure)
    st.plotly_chart(
        figure.update_layout(dragmode=False),
        config={"displayModeBar": False},
        alt="Confusion matrix: answers by true label; a click on a cell shows its photos",
        key=key,
        on_select=lambda: _choose_cell(key, labels, answers),
        selection_mode="points",
    )


def _choose_cell(key: str, labels: list[str], answers: list[str]) -> None:
    points = st.session_state[key].selection.points
    if points:
        row, column = divmod(points[0]["point_index"], len(answers))
        st.session_state["check_label"] = labels[row]
        st.session_state["check_answer"] = answers[column]


def show_gallery(chosen: Chosen, found: Found, part: str, selected: pd.DataFrame) -> None:
    """Show photos as cards, with what can be done about each.

    Parameters
    ----------
    chosen : Chosen
        The model.
    found : Found
        All its photos.
    part : str
        Training photos or test photos.
    selected : DataFrame
        The photos to show.
    """
    keys = zip(selected["source"], selected["path"], strict=True)
    open_ = np.array([key not in found.decided for key in keys], dtype=bool)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(selected):,} photos**, {int((~open_).sum()):,} of them checked")
        both = st.toggle("Show checked photos", key="check_both", bind="query-params")
    if part == TEST:
        st.caption(
            "A test photo is there to judge the model. Correct it by what you see, not by what the "
            "model says: whoever corrects towards the model flatters its figures."
        )
    shown = selected if both else selected[open_]
    if shown.empty:
        st.info("Nothing to look at here.", icon=":material/check:")
        return
    pages = -(-len(shown) // PER_PAGE)
    page = 1
    if pages > 1:
        if st.session_state.get("check_page", 1) > pages:
            st.session_state["check_page"] = pages
        page = st.number_input(f"Page, of {pages}", 1, pages, key="check_page", width=160)
    grid = st.grid("auto", min_column_width=290, gap="small")
    for number, row in shown.iloc[(page - 1) * PER_PAGE : page * PER_PAGE].iterrows():
        with grid.cell(), st.container(border=True, height="stretch"):
            _show_card(chosen, found, int(str(number)), row)


def _show_card(chosen: Chosen, found: Found, number: int, row: Mapping[str, Any]) -> None:
    source, path, label, answer = (str(row[k]) for k in ("source", "path", "label", "answer"))
    left, right = st.columns([2, 3], gap="small")
    with left:
        _show_face(row, f"Photo of the label {label}", 120)
    with right:
        st.markdown(f"**{as_is(label)}**")
        if answer:
            st.markdown(f"answer: **{as_is(answer)}** {row['p_answer']:.0%}")
            if answer != label:
                st.markdown(f"{as_is(label)}: {row['p_label']:.0%}")
            if not row["answered"]:
                st.caption("unsure under the rule")
        else:
            st.markdown("no face was found")
    st.text(show_hidden(path))  # file names are no Markdown
    if near := nearest_rows(str(row["near"]))[:SHOWN]:
        st.caption("Nearest training faces")
        with st.container(horizontal=True, gap="xsmall"):
            for place in near:
                other = found.photos.iloc[place]
                _show_face(other, f"Training face of {other['label']}", 56, other["label"])
    _offer_actions(chosen, found, number, (source, path), label, answer)


def _show_face(row: Mapping[str, Any], alt: str, width: int, caption: str = "") -> None:
    try:
        file = photo_at(Path(str(row["source"])), str(row["path"]))
        box = tuple(float(row[name]) for name in ("x", "y", "w", "h"))
        picture = _cut(file, file.stat().st_mtime_ns, box)
    except (FacecoreError, OSError) as error:
        st.caption(as_is(getattr(error, "strerror", None) or error))
        return
    st.image(picture, caption=as_is(caption) or None, alt=alt, width=width)


@st.cache_data(max_entries=400, show_spinner=False)
def _cut(file: Path, written: int, box: tuple[float, ...]) -> bytes:
    """Return the face of a photo with some of what is around it; the whole photo without a box."""
    # `written` is part of the cache's key: another photo under the same name is read anew
    photo = decode(file, enough=600)
    pixels = photo.pixels
    if np.isfinite(box).all():
        x, y, w, h = (value * photo.scale for value in box)
        top, left = max(0, round(y - h / 3)), max(0, round(x - w / 3))
        pixels = pixels[top : round(y + h * 4 / 3), left : round(x + w * 4 / 3)]
    step = max(1, max(pixels.shape[:2]) // 240)
    return to_png(np.ascontiguousarray(pixels[::step, ::step]))


def _offer_actions(
    chosen: Chosen, found: Found, number: int, photo: tuple[str, str], label: str, answer: str
) -> None:
    if photo in found.decided:
        decision = found.decided[photo]
        words = "dropped" if not decision else f"corrected to {as_is(decision)}"
        st.success("found right" if decision == label else words, icon=":material/check:")
        st.button("Undo", key=f"check_undo_{number}", on_click=_decide, args=(photo,))
        return
    others = [other for other in chosen.labels if other != label]
    right = others[0]
    if len(others) > 1:
        likely = others.index(answer) if answer in others else 0
        right = st.selectbox(
            "Right label", others, likely, key=f"check_right_{number}", format_func=str
        )
    with st.container(horizontal=True, gap="xsmall"):
        for words, key, decided in (
            (f"It is {as_is(right)}", "change", right),
            ("Drop", "drop", ""),
            ("Label is right", "keep", label),
        ):
            st.button(
                words,
                key=f"check_{key}_{number}",
                on_click=_decide,
                args=(photo, decided, not decided),
            )


def _decide(photo: tuple[str, str], label: str = "", dropped: bool = False) -> None:
    source, path = photo
    try:
        correct(Path(source), path, label=label, dropped=dropped)
    except FacecoreError as error:
        st.session_state[NOTE] = str(error)


def show_corrections(found: Found) -> int:
    """Show what was decided about the photos, and where it is written.

    Parameters
    ----------
    found : Found
        Photos of the model.

    Returns
    -------
    int
        Number of photos with another label, or dropped.
    """
    st.header("Corrections")
    tables = [_decisions(source, _written(source)) for source in found.sources]
    table = pd.concat(tables, ignore_index=True)
    if table.empty:
        st.caption(
            "None yet. They are written into labels.csv beside the photos; the photos stay as they "
            "are."
        )
        return 0
    changed = table["corrected"].ne("") & table["corrected"].ne(table["label"])
    dropped = table["dropped"].astype(bool)
    with st.container(horizontal=True):
        st.metric("Labels corrected", f"{changed.sum():,}", border=True)
        st.metric("Photos dropped", f"{dropped.sum():,}", border=True)
        st.metric("Found right", f"{(~changed & ~dropped).sum():,}", border=True)
    with st.expander("List of the corrections"):
        st.dataframe(table, hide_index=True, alt="Photos with their labels and what was decided")
    for source in found.sources:
        st.text(f"written into {table_of(Path(source))}")
    return int((changed | dropped).sum())


def show_train_again(chosen: Chosen, found: Found) -> None:
    """Offer to train on the same photos with the corrections.

    Parameters
    ----------
    chosen : Chosen
        The model, whose settings are used again.
    found : Found
        Its photos.
    """
    st.header("Train again")
    sources = [Path(source) for source in found.sources]
    if len(sources) > 1 or not sources[0].is_dir():
        st.caption("Several data sets, or a table of its own, are trained on by command:")
        st.code(
            command_to_train_again(chosen.name).replace("PHOTOS", shlex.join(map(str, sources))),
            language="shell",
        )
        return
    (title,) = found.photos["set"].unique()
    whole = takes_whole_photos(chosen.model.recipe)
    minimum = chosen.metadata["data"].get(title, {}).get("min_size")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the model", f"{chosen.name}-2", max_chars=64, key="check_name", width=220
        ).strip()
        grid = pick_grid("check_grid")
    ready = can_be_named(name)
    if st.button(
        "Train again with corrections",
        type="primary",
        icon=":material/model_training:",
        disabled=not ready,
        key="check_train",
    ):
        try:
            with st.spinner("Starting"):
                start_training(
                    name,
                    sources[0],
                    title=str(title),
                    grid=grid,
                    recipe=chosen.model.recipe.name,
                    min_size=None if whole else minimum,
                    whole_photo=whole,
                    identity=bool(chosen.metadata.get("identity")),
                    seed=int(chosen.metadata["seed"]),
                    keep=True,
                )
        except FacecoreError as error:
            st.error(as_is(error), title="Not started", icon=":material/error:")
        else:
            st.switch_page("pages/6_Your_data.py")
    st.caption(
        "With the recipe, minimum face width and seed of this model. Without splits in labels.csv, "
        "other photos may be held out as test photos than before, so that small differences of the "
        "test figures are chance: compare the scores over the folds."
    )
