"""You against the model: guess the labels of ten faces first, then see who was right."""

import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.data import photo_at
from facecore.errors import FacecoreError
from facecore.evaluation import (
    QuizFace,
    brier_score,
    draw_quiz,
    pick_quiz,
    reliability,
    tabulate_answers,
    tabulate_guesses,
)
from facecore.model import FaceModel
from facecore.training import TEST, photos_of
from ui.controls import MOST_BUTTONS, choose, show_metric, two_places
from ui.links import knows_photos
from ui.look import PAIR, REFERENCE, show, show_picture, tidy
from ui.mistakes import read_photos
from ui.models import Chosen
from ui.photo import say_no_spread
from ui.text import as_is
from ui.training import is_training_on

COUNT = 10  # faces
BINS = 3  # of the reliability line: ten faces fill no more
MEMORY, PHOTOS, SEED = "quiz_guesses", "quiz_photos", "quiz_seed"
SYNTHETIC, OWN = "Synthetic faces", "Your test photos"
TRUTH = (
    "Its true label is the label whose faces it was drawn like: a random point of the cloud (a "
    "Gaussian) that the training faces of this label form in face space. The clouds overlap, so "
    "nobody can be right about every face, and the model knows the clouds, which you do not."
)


def show_quiz(chosen: Chosen) -> None:
    """Ask for ten guesses, one face after the other, and show both scores afterwards.

    Parameters
    ----------
    chosen : Chosen
        Model that draws synthetic faces, or whose photos are at hand.
    """
    sources = [SYNTHETIC] if chosen.model.draws and chosen.model.spread else []
    sources += [OWN] if is_training_on() and knows_photos(chosen.name) else []
    if not sources:
        say_no_spread()
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = choose("Faces", sources, "quiz_from") if len(sources) > 1 else sources[0]
        seed = st.number_input(
            "Round",
            0,
            9999,
            1,
            width=140,
            key=SEED,
            bind="query-params",
            help="The same number shows the same faces. It is kept in the URL: share the link, "
            "and a whole class plays the same round.",
        )
        st.button("Another round", on_click=_another, icon=":material/casino:")
    name = f"{chosen.name} {chosen.metadata['created']}"
    of = f"{name} {source} {seed}"
    if source == SYNTHETIC:
        faces, skipped = _draw(name, int(seed), chosen.model)
    else:
        faces, skipped = _pick(chosen, of, int(seed))
    if not faces:
        return
    if st.session_state.get(MEMORY, ("", []))[0] != of:
        st.session_state[MEMORY] = (of, [])
    guesses: list[tuple[str, float]] = st.session_state[MEMORY][1]
    if len(guesses) < len(faces):
        _ask(chosen, faces, len(guesses))
    else:
        _show_scores(chosen, faces, guesses)
    if skipped:
        st.caption(f"{skipped} more photos were left out: the model found no face there.")
    if source == SYNTHETIC:
        st.caption(f"Each face is synthetic. {as_is(chosen.whom)} {TRUTH}")
    else:
        st.caption(
            "Test photos of this model, which it was not trained on. The true label is the one "
            "that stands beside the photo in your data. They are kept in this session's memory."
        )


def _pick(chosen: Chosen, of: str, seed: int) -> tuple[list[QuizFace], int]:
    """Pick test photos; they stay in the session's memory, as they are the visitor's own."""
    kept = st.session_state.get(PHOTOS)
    if kept and kept[0] == of:
        return kept[1], kept[2]
    found = read_photos(chosen)
    if found is None:
        return [], 0
    rows = photos_of(found.photos, TEST)
    pairs = zip(rows["source"].astype(str), rows["path"].astype(str), strict=True)
    labels = [
        found.decided.get(pair, label)
        for pair, label in zip(pairs, rows["label"].astype(str), strict=True)
    ]
    rows = rows.assign(true=labels)[lambda table: table["true"].ne("")]  # the others were dropped
    try:
        photos = [
            (photo_at(Path(str(row.source)), str(row.path)), str(row.true))
            for row in rows.itertuples()
        ]
    except (FacecoreError, OSError) as error:
        st.error(as_is(error), title="The photos cannot be read", icon=":material/error:")
        return [], 0
    with st.spinner("Picking photos"):
        faces, skipped = pick_quiz(chosen.model, photos, seed, COUNT)
    if not faces:
        st.info("No test photo of this model shows a face.", icon=":material/info:")
    st.session_state[PHOTOS] = (of, faces, skipped)
    return faces, skipped


@st.cache_data(max_entries=16, show_spinner="Drawing ten faces")
def _draw(name: str, seed: int, _model: FaceModel) -> tuple[list[QuizFace], int]:
    # The underscore keeps the model out of the cache's key: its name and date stand for it.
    return draw_quiz(_model, seed, COUNT)


def _another() -> None:
    st.session_state[SEED] = random.randint(0, 9999)


def _again() -> None:
    st.session_state.pop(MEMORY, None)


def _ask(chosen: Chosen, faces: Sequence[QuizFace], i: int) -> None:
    """Show one face and ask for its label, and how sure the visitor is."""
    picture, question = st.columns([3, 4], gap="medium")
    with picture:
        show_picture(faces[i].close, f"Face {i + 1} of {len(faces)}")
    labels = chosen.labels
    with question:
        st.progress(i / len(faces), f"Face {i + 1} of {len(faces)}")
        # a form: a guess and how sure one is are one answer
        with st.form("quiz_form", border=False):
            key = f"guess_{i}"
            if len(labels) > MOST_BUTTONS:
                st.selectbox("Which label?", labels, index=None, key=key)
            else:
                st.radio("Which label?", labels, index=None, key=key, format_func=as_is)
            least = _least(len(labels))
            st.slider(
                "How sure are you?",
                least,
                100,
                least + (100 - least) // 10 * 5,
                5,
                format="%d%%",
                key=f"sure_{i}",
                help=f"{least}% is a blind guess, 100% is certain.",
            )
            sent = st.form_submit_button("This is my guess", type="primary")
        guess = st.session_state.get(key)
        if sent and guess is None:
            st.warning("Choose a label first.", icon=":material/touch_app:")
        elif sent:
            st.session_state[MEMORY][1].append((guess, st.session_state[f"sure_{i}"] / 100))
            st.rerun()


def _least(count: int) -> int:
    """Return how sure a blind guess among so many labels is, rounded up to steps of 5%."""
    return 5 * math.ceil(20 / count)


def _show_scores(
    chosen: Chosen, faces: Sequence[QuizFace], guesses: Sequence[tuple[str, float]]
) -> None:
    yours, models = tabulate_guesses(faces, guesses), tabulate_answers(faces)
    st.header(_verdict(*(int(_right(table).sum()) for table in (yours, models))))
    figures, chart = two_places()
    for who, table in (("You", yours), ("The model", models)):
        with figures, st.container(horizontal=True):
            show_metric(f"{who}: right", f"{_right(table).sum()} of {len(table)}", height="content")
            value, note = f"{brier_score(table):.3f}", "0 is best"
            show_metric(f"{who}: Brier score", value, note, height="content")
    blind = (1 - 1 / len(chosen.labels)) / 2
    with figures:
        st.caption(
            "The Brier score is the mean squared distance between what one believed and what was "
            f"true. Whoever always holds all labels for equally likely gets {blind:.2f}; being "
            "sure and wrong costs most."
        )
        for who, table in (("You were", yours), ("The model was", models)):
            st.markdown(_say_calibration(who, table))
    with chart:
        figure, told = _reliability_figure(yours, models)
        show(figure, f"How often answers were right, by how sure they were. {told}", "quiz_lines")
    st.header("The faces")
    grid = st.grid("auto", min_column_width=150, gap="small")
    for i, face in enumerate(faces):
        guess, sure = guesses[i]
        answer = str(models["predicted"][i])
        with grid.cell():
            show_picture(face.close, f"Face {i + 1}, label {face.label}")
            st.markdown(f"**{as_is(face.label)}**")
            st.caption(
                f"{_mark(guess == face.label)} You: {as_is(guess)}, {sure:.0%}  \n"
                f"{_mark(answer == face.label)} Model: {as_is(answer)}, {face.scores[answer]:.0%}"
            )
    st.button("Play this round again", on_click=_again, icon=":material/replay:")


def _right(table: pd.DataFrame) -> pd.Series:
    return table["predicted"] == table["label"]


def _mark(right: bool) -> str:
    return ":material/check: right." if right else ":material/close: wrong."


def _verdict(yours: int, models: int) -> str:
    if yours == models:
        return f"A draw: both were right {yours} times"
    winner, other = ("You win", models) if yours > models else ("The model wins", yours)
    return f"{winner}: {max(yours, models)} to {other}"


def _say_calibration(who: str, table: pd.DataFrame) -> str:
    """Compare how sure somebody was on average with how often they were right."""
    scores = table[[column for column in table if str(column).startswith("p_")]]
    sure, right = float(scores.max(axis=1).mean()), float(_right(table).mean())
    gap = sure - right
    if abs(gap) < 0.05:
        judged = "that fits"
    else:
        judged = f"too {'sure' if gap > 0 else 'modest'} by {abs(gap):.0%}"
    return f"{who} {sure:.0%} sure on average and right in {right:.0%}: **{judged}**."


def _reliability_figure(yours: pd.DataFrame, models: pd.DataFrame) -> tuple[go.Figure, str]:
    """Draw how often answers were right by how sure they were; also return it as words."""
    figure, told = go.Figure(), []
    least = 1 / sum(str(column).startswith("p_") for column in yours)
    ends = np.array([least, 1.0])
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="as sure as right", line=REFERENCE, hoverinfo="skip"
    )
    players = (("you", yours, PAIR[0], "circle"), ("the model", models, PAIR[1], "diamond"))
    for name, table, colour, symbol in players:
        bins = reliability(table, BINS)
        figure.add_scatter(
            x=bins["confidence"],
            y=bins["right"],
            name=name,
            mode="lines+markers",
            line={"color": colour},
            marker={"symbol": symbol, "size": 8 + 2 * bins["faces"], "color": colour},
            customdata=bins["faces"],
            hovertemplate="%{x:.0%} sure, %{y:.0%} right, %{customdata} faces<extra></extra>",
        )
        told += [
            f"{name}: {row.confidence:.0%} sure, {row.right:.0%} right" for row in bins.itertuples()
        ]
    figure.add_annotation(x=least, y=1, text="too modest", showarrow=False, xanchor="left")
    figure.add_annotation(x=1, y=0.02, text="too sure", showarrow=False, xanchor="right")
    figure.update_xaxes(title="how sure, on average", tickformat=".0%", range=[least - 0.03, 1.03])
    figure.update_yaxes(title="how often right", tickformat=".0%", range=[-0.05, 1.08])
    return tidy(figure, 320), "; ".join(told)
