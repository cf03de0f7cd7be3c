"""The smallest changes of a face that change the answer: one that shows, and one that does not."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from facecore.face import to_rows
from facecore.model import (
    FaceAnswer,
    FaceModel,
    Flip,
    Nudge,
    carry_over,
    label_colours,
    nudge_pixels,
    paint_signed,
    probabilities_along,
    walk_to_flip,
)
from ui.controls import choose
from ui.face_picker import pick_face, say_whose
from ui.film import STEPS, Line, show_film, to_fine
from ui.look import show_picture
from ui.models import Chosen
from ui.photo import has_face
from ui.text import as_is
from ui.your_face import keep

NEAREST = "The nearest other answer"
BEYOND = 1.5  # the film ends at so many times the way to the flip
FLIP = round((STEPS - 1) / BEYOND)  # step at which the answer changes
WHOLE_STEPS = range(0, STEPS, 5)  # at which the whole model is asked: it takes longer
MEMORY = "walk"


@dataclass(frozen=True)
class _Found:
    """What was found for one face; it is kept in the session's memory alone."""

    flip: Flip | None
    nudge: Nudge | None
    change: np.ndarray
    probabilities: np.ndarray
    whole: np.ndarray | None  # probabilities of the whole model at WHOLE_STEPS
    nudged: np.ndarray  # probabilities of the eigenfaces' member before the nudge, and after it
    whole_nudged: np.ndarray | None


def show_walk(chosen: Chosen) -> None:
    """Show the way of a face to another answer as a film, and a nudge of its pixels.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    """
    st.markdown(
        "How little must a face change until the model changes its mind? The film walks from the "
        "face to the nearest face that gets another answer."
    )
    yours = pick_face(chosen)
    if yours is None:
        return
    face, model = yours.answer.main, chosen.model.eigenfaces
    if face is None:
        has_face(yours.answer)  # says so
        return
    label = _pick_target(chosen, face)
    found = keep(yours, MEMORY, lambda: _find(chosen, face, label), label)
    if found.flip is None:
        aim = f"to {as_is(label)}" if label else "of another answer"
        st.info(
            f"No way {aim} was found near this face. Try another face or label.",
            icon=":material/wrong_location:",
        )
    else:
        _show_film(chosen, face, found)
        _say_flip(chosen, found, found.flip)
    st.header("The invisible version")
    if found.nudge is None:
        st.info("No small change of the pixels changes this answer.", icon=":material/shield:")
    else:
        _show_nudge(chosen, model, face, found, found.nudge)
    say_whose(yours)


def _pick_target(chosen: Chosen, face: FaceAnswer) -> str | None:
    """Ask for the label to walk to; of two labels there is only the other."""
    if len(chosen.labels) == 2:
        return None
    model = chosen.model.eigenfaces
    now = str(model.predict(face.crop[None])[0])
    options = (NEAREST, *(label for label in chosen.labels if label != now))
    target = choose("Walk to", options, "towards")
    return None if target == NEAREST else target


def _find(chosen: Chosen, face: FaceAnswer, label: str | None) -> _Found:
    model, crop = chosen.model.eigenfaces, face.crop
    with st.spinner("Looking for the smallest change"):
        flip, nudge = walk_to_flip(model, crop, label), nudge_pixels(model, crop, label)
    change, factors = np.zeros(crop.size), np.linspace(0, BEYOND, STEPS)
    if flip:
        change = to_fine(flip.factor * flip.change)
    probabilities = probabilities_along(model, crop, change, factors)
    whole = whole_nudged = None
    nudged = model.predict_proba(np.array([crop, nudge.picture if nudge else crop]))
    if len(chosen.model.members) > 1:
        whole = _ask_all(chosen.model, face, [factors[i] * change for i in WHOLE_STEPS])
        step = (nudge.picture.astype(float) - crop).reshape(-1) if nudge else np.zeros(crop.size)
        whole_nudged = _ask_all(chosen.model, face, [0 * step, step])
    return _Found(flip, nudge, change, probabilities, whole, nudged, whole_nudged)


def _ask_all(model: FaceModel, face: FaceAnswer, changes: list[np.ndarray]) -> np.ndarray:
    """Return what all members together answer about a face with changes, as probabilities."""
    changed = [carry_over(model, face.prepared, change) for change in changes]
    return model.predict_proba(to_rows(changed, model.recipe))


def _show_film(chosen: Chosen, face: FaceAnswer, found: _Found) -> None:
    labels, colours = chosen.model.labels, label_colours(chosen.model.labels)
    best = found.probabilities.argmax(axis=1)
    first, last = int(best[0]), int(best[FLIP])
    shown = [first] if len(labels) == 2 or first == last else [first, last]
    lines = [
        Line(f"probability of {labels[i]}", colours[labels[i]], range(STEPS), column)
        for i, column in ((i, found.probabilities[:, i]) for i in shown)
    ]
    if found.whole is not None:
        name = f"probability of {labels[first]}, all {len(chosen.model.members)} members"
        values = found.whole[:, first]
        lines.append(Line(name, colours[labels[first]], WHOLE_STEPS, values, "dash"))
    size = found.flip.size * found.flip.factor if found.flip else 0.0
    show_film(
        face.crop, found.change, BEYOND, size, found.probabilities, labels, lines, "walk_film"
    )


def _say_flip(chosen: Chosen, found: _Found, flip: Flip) -> None:
    size = flip.size * flip.factor
    st.markdown(
        f"After **{size:.2f} standard deviations** the answer {as_is(flip.answer)} becomes "
        f"**{as_is(flip.target)}**. One standard deviation is how far faces usually lie from the "
        "mean face along one eigenface."
    )
    if found.whole is not None:
        at = found.whole[WHOLE_STEPS.index(FLIP)]
        _say_whole(chosen, found.whole[0], at, "There")


def _say_whole(chosen: Chosen, before: np.ndarray, after: np.ndarray, where: str) -> None:
    labels, count = chosen.model.labels, len(chosen.model.members)
    first, then = int(before.argmax()), int(after.argmax())
    told = f"{as_is(labels[then])} ({after[then]:.0%})"
    if first == then:
        text = f"the whole model, all {count} members, still answers {told}"
    else:
        text = f"the whole model, all {count} members, changes its answer too: {told}"
    st.caption(f"{where} {text}; before it was {as_is(labels[first])} ({before[first]:.0%}).")


def _show_nudge(
    chosen: Chosen, model: FaceModel, face: FaceAnswer, found: _Found, nudge: Nudge
) -> None:
    labels = model.labels
    before, after = (f"{labels[int(p.argmax())]} {p.max():.0%}" for p in found.nudged)
    moved = nudge.picture.astype(float) - face.crop
    levels = "grey level" if nudge.most == 1 else "grey levels"
    row = st.grid(3, min_column_width=96, gap="small")  # side by side on a phone too
    with row.cell():
        show_picture(face.crop, f"The face before: {before}", f"Before: {before}")
    with row.cell():
        amount = f"{255 / nudge.most:.0f} times stronger"
        alt = "The change of each pixel: orange is brighter, blue darker"
        show_picture(paint_signed(moved.reshape(-1)), alt, f"The change, drawn {amount}")
    with row.cell():
        show_picture(nudge.picture, f"The face after: {after}", f"After: {after}")
    st.markdown(
        f"No pixel changed by more than **{nudge.most} {levels}** of 255, {nudge.share:.0%} of the "
        f"pixels changed at all, and the answer is now **{as_is(nudge.target)}**. You see the same "
        "face twice, the model does not: it adds up thousands of pixels, and a tiny step of each "
        "in the direction that counts adds up to another answer. So a high probability does not "
        "mean that the model sees what you see."
    )
    if found.whole_nudged is not None:
        was, now = found.whole_nudged
        _say_whole(chosen, was, now, "With these pixels changed,")
