"""The frame of the bias lab: which skew, a question, its answer, and a view of both trainings."""

from collections.abc import Callable

import streamlit as st

from facecore.errors import FacecoreError
from facecore.model import FaceModel
from facecore.training import (
    BiasTrial,
    Skew,
    describe_trial,
    hit_by,
    name_part,
    name_third,
    name_trait,
    offer_traits,
    try_remedies,
    try_skew,
)
from ui.bias_views import show_answers, show_eigenfaces, show_faces, show_means, show_remedies
from ui.controls import MOST_COLOURS, choose
from ui.models import Chosen, Written, written
from ui.photo import say_whom
from ui.text import as_is

FEW, ONLY, TIED = "Few of one label", "Only one kind", "A giveaway"
TRAITS = 8  # of the strongest eigenfaces, to order faces by
MOST_RATIO, FIRST_RATIO = 19, 9
SKIPPED = -1  # in place of an answer
OPTIONS = ("neglected", "favoured", "neither")
ANSWERED = "bias_answers"
SHOW = "bias_show"
VIEWS: dict[str, Callable[[BiasTrial], None]] = {
    "Training faces": show_faces,
    "Answers": show_answers,
    "Mean faces": show_means,
    "Eigenfaces": show_eigenfaces,
}
HELPS = "What helps"
KINDS = (
    f"{FEW}: the other labels have many more faces. {ONLY}: all faces of all labels are dark, for "
    f"example. {TIED}: one label has only dark faces and all others only light ones, for example."
)
WHY = {
    FEW: "A training counts mistakes. Where there are few faces of a label, mistakes on them cost "
    "little, and the model has seen little of how they differ.",
    ONLY: "Faces that the model has never seen the like of lie outside all that it learned from. "
    "It answers all the same.",
    TIED: "The training cannot know which of two differences was meant: the label, or what was "
    "tied to it. It takes whatever separates its own faces, and is right for the wrong reason.",
}


def show_bias_lab(chosen: Chosen) -> None:
    """Show the lab.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces that stores a spread.
    """
    labels = tuple(chosen.labels[:MOST_COLOURS])
    kind = choose("Skew", (FEW, ONLY, TIED), "bias", help=KINDS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        skew = _pick_skew(kind, chosen, labels)
        total, balanced = _pick_training(kind)
    if len(labels) < len(chosen.labels):
        st.caption(f"The first {len(labels)} of the {len(chosen.labels)} labels take part.")
    try:
        trial = _try(chosen.name, written(chosen.name), labels, skew, total, balanced, chosen.model)
    except FacecoreError as error:
        st.error(as_is(error), icon=":material/error:")
        return
    answers = st.session_state.setdefault(ANSWERED, {})
    views = (*VIEWS, HELPS)
    view = choose("Show", views, SHOW, show_label=False) if kind in answers else views[0]
    if kind in answers:
        st.markdown(f"**{as_is(_findings(trial)[0])}**")
    picture, words = st.columns([3, 2], gap="medium")
    with words:
        if kind in answers:
            _explain(trial, kind, answers[kind])
        else:
            _ask(trial, kind)
    with picture:
        if view == HELPS:
            show_remedies(
                _remedy(chosen.name, written(chosen.name), labels, skew, total, chosen.model)
            )
        else:
            VIEWS[view](trial)
    say_whom(chosen)


def _pick_training(kind: str) -> tuple[int, bool]:
    with st.popover("Training", icon=":material/tune:"):
        total = st.slider(
            "Training faces",
            100,
            400,
            300,
            50,
            key="bias_faces",
            bind="query-params",
            help="Of each training, over all labels",
        )
        balanced = st.toggle(
            "Class weights",
            key="bias_weights",
            bind="query-params",
            help="In the skewed training the faces of all labels together count the same, so that "
            "each face of a rare label counts for more",
        )
    return int(total), balanced and kind == FEW  # else labels have as many faces each


def _pick_skew(kind: str, chosen: Chosen, labels: tuple[str, ...]) -> Skew:
    if kind == FEW:
        label = choose("Rare label", labels, "bias_label")
        ratio = st.slider(
            "Faces of each other label per rare face",
            1,
            MOST_RATIO,
            FIRST_RATIO,
            key="bias_ratio",
            bind="query-params",
            width=260,
            help="9 means 9 to 1; 1 is fair",
        )
        return Skew("few", label, int(ratio))
    traits = _name_traits(chosen.name, written(chosen.name), chosen.model)
    label = choose("Label", labels, "bias_label") if kind == TIED else ""
    trait = choose("Ordered by", list(traits), "bias_trait")
    third = choose(
        "Its third" if kind == TIED else "Only the",
        ("low", "high"),
        "bias_third",
        words=lambda third: name_third(trait, third).split(" of eigenface")[0],
        help="All others get the opposite third" if kind == TIED else None,
    )
    if kind == TIED:
        return Skew("tied", label, third=third, trait=traits[trait])
    return Skew("only", third=third, trait=traits[trait])


@st.cache_data(max_entries=16, show_spinner=False)
def _name_traits(name: str, written: Written, _model: FaceModel) -> dict[str, int | None]:
    # name and date of the model stand for its arrays, which are too large to hash
    model = _model.eigenfaces
    return {name_trait(model, trait): trait for trait in offer_traits(model, TRAITS)}


def _ask(trial: BiasTrial, kind: str) -> None:
    st.markdown(
        "**Both models see the same new faces, of all kinds in equal numbers. Of which does the "
        "skewed one recognise fewer than the fair one?**"
    )
    for i, option in enumerate(_options(trial)):
        key = f"bias_answer_{i}"
        st.button(option, key=key, on_click=_answer, args=(kind, i), width="stretch", wrap=True)
    st.button(
        "Show the answer",
        key="bias_skip",
        type="tertiary",
        on_click=_answer,
        args=(kind, SKIPPED),
    )


def _options(trial: BiasTrial) -> list[str]:
    parts = [as_is(name_part(trial, part)) for part in ("neglected", "favoured")]
    return [part[0].upper() + part[1:] for part in parts] + ["Neither: about as many as before"]


def _explain(trial: BiasTrial, kind: str, given: int) -> None:
    right = OPTIONS.index(hit_by(trial))
    options = _options(trial)
    text = f"**{options[right]}.**"
    if given == right:
        st.success(text, title="Yes", icon=":material/check:")
    elif given == SKIPPED:
        st.info(text, title="The answer", icon=":material/lightbulb:")
    else:
        said = f'You said: "{options[given]}."'
        st.info(f"{text} {said}", title="Not here", icon=":material/lightbulb:")
    st.markdown("\n".join(f"- {as_is(line)}" for line in _findings(trial)[1:]))
    if right == 0:
        st.markdown(WHY[kind])
    st.button("Ask again", key="bias_again", type="tertiary", on_click=_ask_again, args=(kind,))


def _findings(trial: BiasTrial) -> list[str]:
    """Return what the skew did, the group that it hit first."""
    neglected, favoured, lead = describe_trial(trial)
    first = [favoured, neglected] if hit_by(trial) == "favoured" else [neglected, favoured]
    return [*first, lead]


def _answer(kind: str, given: int) -> None:
    st.session_state[ANSWERED][kind] = given
    st.session_state[SHOW] = "Answers"


def _ask_again(kind: str) -> None:
    st.session_state[ANSWERED].pop(kind, None)


@st.cache_data(max_entries=16, show_spinner="Training both models")
def _try(
    name: str,
    written: Written,
    labels: tuple[str, ...],
    skew: Skew,
    total: int,
    balanced: bool,
    _model: FaceModel,
) -> BiasTrial:
    # name and date of the model stand for its arrays, which are too large to hash
    return try_skew(_model, labels, skew, total, balanced=balanced)


@st.cache_data(max_entries=8, show_spinner="Training four more models")
def _remedy(
    name: str,
    written: Written,
    labels: tuple[str, ...],
    skew: Skew,
    total: int,
    _model: FaceModel,
) -> list[tuple[str, BiasTrial]]:
    return try_remedies(_model, labels, skew, total)
