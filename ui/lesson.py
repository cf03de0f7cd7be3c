"""The frame of the lesson: where one is, a question, its answer, and the picture that shows it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from facecore.model import DEFAULT_MODEL, list_models
from ui.face_picker import YOURS, ask_for_face, face_or_hint
from ui.glossary import explain_words
from ui.lesson_picture import show_lesson_picture
from ui.lesson_screens import SCREENS, Screen, make_screen
from ui.models import Chosen
from ui.photo import say_whom
from ui.text import as_is

STEPS = tuple(str(i + 1) for i in range(len(SCREENS)))
SKIPPED = -1  # in place of an answer
SUMMARY = {
    "What is an eigenface?": "A direction in which many faces differ, drawn as a picture: one "
    "number per pixel.",
    "What is a weight?": "How much of an eigenface a face has. The mean face and all weights are "
    "the recipe of the face.",
    "Why does the reconstruction blur?": "Eigenfaces hold what many faces share. A detail of one "
    "face is in none of them.",
    "Why can it err?": "It knows nothing but the weights. Where recipes of two labels look alike, "
    "or a picture is unlike all it learned from, it still answers.",
}


def show_lesson(chosen: Chosen) -> None:
    """Show the step of the lesson that the URL names.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces that stores a spread.
    """
    if st.session_state.get("step", STEPS[0]) not in STEPS:
        del st.session_state["step"]  # a link to a step that there is not
    with st.container(horizontal=True, vertical_alignment="center"):
        back = st.container(width="content")
        step = st.segmented_control(
            "Step",
            STEPS,
            default=STEPS[0],
            required=True,
            key="step",
            bind="query-params",
            wrap=True,
            label_visibility="collapsed",
        )
        number = STEPS.index(step) if step in STEPS else 0
        _turn(back, "Back", number, -1)
        _turn(st.container(width="content"), "Next", number, 1)
        with st.popover(YOURS, icon=":material/face:"):
            ask_for_face(chosen)
    face = face_or_hint(chosen)
    if face is None:
        return
    screen = make_screen(number, chosen, face)
    answers = st.session_state.setdefault("lesson_answers", {})
    st.header(f"{step} of {len(STEPS)}: {screen.title}")
    st.markdown(screen.lead)
    picture, words = st.columns([3, 2], gap="medium")
    with words:
        if number in answers:
            _explain(screen, number, answers[number])
        else:
            _ask(screen, number)
    with picture:
        of = f"{chosen.name} {chosen.metadata['created']} {face.id}"
        show_lesson_picture(screen.kind, of, number not in answers, screen.data)
        if number in answers:
            st.caption(screen.note)
    if number == len(STEPS) - 1 and number in answers:
        _sum_up()
    if screen.crowded or not face.own:
        say_whom(chosen)
    explain_words(*screen.terms)  # last: beside the question they would give its answer away


def say_no_lesson(chosen: Chosen) -> None:
    """Say why a model cannot be used here, and lead on to one that can.

    Parameters
    ----------
    chosen : Chosen
        Model without eigenfaces, or without a spread to draw faces from.
    """
    why = (
        "stores no spread, so no faces can be drawn from it"
        if chosen.model.draws
        else "reads an embedding, which cannot be turned back into a picture: it has no eigenfaces"
    )
    st.info(
        f"The model {as_is(chosen.name)} {why}. Choose another model in the sidebar.",
        title="This lesson needs another model",
        icon=":material/school:",
    )
    if DEFAULT_MODEL in list_models() and chosen.name != DEFAULT_MODEL:
        st.button(
            f"Use the model {DEFAULT_MODEL}",
            icon=":material/arrow_forward:",
            on_click=_use,
            args=(DEFAULT_MODEL,),
        )


def _use(name: str) -> None:
    st.session_state["model"] = name


def _turn(place: DeltaGenerator, label: str, number: int, by: int) -> None:
    place.button(
        label,
        key=f"lesson_{label.lower()}",
        on_click=_go,
        args=(number + by,),
        disabled=not 0 <= number + by < len(STEPS),
    )


def _go(number: int) -> None:
    st.session_state["step"] = STEPS[number]


def _ask(screen: Screen, number: int) -> None:
    st.markdown(f"**{screen.question}**")
    for i, answer in enumerate(screen.answers):
        key = f"lesson_answer_{number}_{i}"
        st.button(answer, key=key, on_click=_answer, args=(number, i), width="stretch", wrap=True)
    st.button(
        "Show the answer",
        key=f"lesson_skip_{number}",
        type="tertiary",
        on_click=_answer,
        args=(number, SKIPPED),
    )


def _explain(screen: Screen, number: int, given: int) -> None:
    st.markdown(f"**{screen.question}**")
    right = f"**{screen.answers[screen.right]}.**"
    if given == screen.right:
        st.success(right, title="Yes", icon=":material/check:")
    elif given == SKIPPED:
        st.info(right, title="The answer", icon=":material/lightbulb:")
    else:
        said = f'You said: "{screen.answers[given]}."'
        st.info(f"{right} {said}", title="Not quite", icon=":material/lightbulb:")
    st.markdown(screen.why)
    with st.container(horizontal=True):
        if number + 1 < len(STEPS):
            st.button(
                "Go on",
                key=f"lesson_on_{number}",
                type="primary",
                icon=":material/arrow_forward:",
                on_click=_go,
                args=(number + 1,),
            )
        st.button(
            "Ask again",
            key=f"lesson_again_{number}",
            type="tertiary",
            on_click=_ask_again,
            args=(number,),
        )


def _answer(number: int, given: int) -> None:
    st.session_state["lesson_answers"][number] = given


def _ask_again(number: int) -> None:
    st.session_state["lesson_answers"].pop(number, None)


def _sum_up() -> None:
    st.header("In short")
    grid = st.grid("auto", min_column_width=340, gap="small")
    for question, answer in SUMMARY.items():
        with grid.cell(), st.container(border=True, height="stretch"):
            st.markdown(f"**{question}**")
            st.markdown(answer)
    with st.container(horizontal=True):
        st.page_link("pages/2_Eigenfaces.py", label="Move a face yourself", icon=":material/face:")
        st.page_link(
            "pages/5_Live_prediction.py", label="Try it on a photo", icon=":material/photo_camera:"
        )
