"""Mix faces: from one to another, the average of many, and away from the mean."""

import numpy as np
import streamlit as st

from facecore.model import average_faces, judge_pictures, mean_face, sample_faces, to_image
from ui.class_faces import YourClass, your_class
from ui.controls import choose
from ui.line_face import Line, Mark, show_line_face
from ui.look import MOST_BARS, TOP, show_picture
from ui.mixed_faces import or_yours, pick_first, pick_second
from ui.models import Chosen
from ui.photo import say_no_spread, say_whom
from ui.probabilities import show_scores
from ui.text import as_is

MOST = 200  # synthetic faces of an average
FEW = 12  # of them that are shown
MORPH = Line(
    low=0.0,
    high=1.0,
    step=0.02,
    share=0.5,
    marks=(
        Mark(0.0, "first", "The first face"),
        Mark(0.5, "half", "Half of each face"),
        Mark(1.0, "second", "The second face"),
    ),
    between="{rest} of the first face, {share} of the second",
    slider="From the first face to the second",
)
CARICATURE = Line(
    low=-2.0,
    high=3.0,
    step=0.1,
    share=1.0,
    marks=(
        Mark(-2.0, "\u22122", "\u22122 times what is special: twice the anti-face"),
        Mark(
            -1.0,
            "anti-face",
            "\u22121: the anti-face, in which everything special is turned around",
        ),
        Mark(0.0, "mean", "0: the mean face, in which nothing is special"),
        Mark(1.0, "face", "1: the face itself"),
        Mark(2.0, "caricature", "2: the caricature, with twice what is special"),
        Mark(3.0, "3", "3 times what is special"),
    ),
    between="{sign}{times} times what makes the face differ from the mean",
    slider="How much of what makes the face special",
)


def fitting_class(chosen: Chosen) -> YourClass:
    """Return the faces of the visitor's class, if the chosen model prepared them; else say so.

    Parameters
    ----------
    chosen : Chosen
        Any model.

    Returns
    -------
    YourClass
        Without faces where another model prepared them.
    """
    klass = your_class()
    if not klass.faces or klass.model == chosen.name:
        return klass
    st.caption(
        f"The faces of your class were prepared by the model {as_is(klass.model)}; choose it to "
        "mix them."
    )
    return YourClass()


def show_morph(chosen: Chosen, klass: YourClass) -> None:
    """Show two faces on one slider, with the decision along it.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    klass : YourClass
        Faces to choose from besides.
    """
    with st.container(horizontal=True):
        with st.popover("First face", icon=":material/face:"):
            picked = pick_first(chosen, klass, "first")
        with st.popover("Second face", icon=":material/face:"):
            second = pick_second(chosen, klass)
    first = or_yours(picked, chosen)
    if first.face is None or second.face is None:
        st.info("Choose a photo for each face.", icon=":material/image_search:")
        return
    show_line_face(first.face, second.face, MORPH, "morph", chosen.model.eigenfaces, chosen.order)
    _say_hidden(chosen)
    st.caption(
        "Each pixel goes in a straight line from the first face to the second. In between, both "
        "are seen at once: eyes and mouths do not move, they fade. Look where the answer changes."
    )
    if drawer := first.drawer or second.drawer:
        say_whom(drawer)


def show_caricature(chosen: Chosen, klass: YourClass) -> None:
    """Show a face moved away from the mean face, and through it.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    klass : YourClass
        Faces to choose from besides, which also have a mean.
    """
    mean = mean_face(chosen.model)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.popover("Face", icon=":material/face:"):
            picked = pick_first(chosen, klass, "special")
        if len(klass.faces) > 1:
            means = ("All training faces", "Your class")
            if choose("Mean of", means, "special_mean") == means[1]:
                mean = to_image(average_faces(klass.crops).reshape(-1))
    special = or_yours(picked, chosen)
    if special.face is None:
        return
    show_line_face(mean, special.face, CARICATURE, "special", chosen.model.eigenfaces, chosen.order)
    _say_hidden(chosen)
    st.caption(
        "What makes a face special is its difference from the mean face. The slider multiplies "
        "this difference: above 1 it is exaggerated, as in a caricature, at 0 it is gone, and "
        "below 0 dark becomes bright: the anti-face. Pixels darker than black or brighter than "
        "white are shown as black or white."
    )
    if special.drawer:
        say_whom(special.drawer)


def show_average(chosen: Chosen, klass: YourClass) -> None:
    """Show the average of the first few faces of many.

    Parameters
    ----------
    chosen : Chosen
        Model with eigenfaces.
    klass : YourClass
        Faces to choose from besides.
    """
    sources = ["Synthetic faces"] if chosen.model.spread else []
    sources += ["Your class"] if klass.faces else []
    if not sources:
        say_no_spread()
    else:
        faces = _pick_faces(chosen, klass, sources)
        picture, words = st.columns([2, 3], gap="medium")
        with picture.container(width=460):
            average = to_image(average_faces(faces).reshape(-1))
            count = len(faces)
            alt = f"The average of {count} faces"
            show_picture(average, alt, alt)
        with words:
            model = chosen.model.eigenfaces
            p = judge_pictures(model, average.reshape(1, -1).astype(np.float64))[0]
            scores = dict(zip(model.labels, map(float, p), strict=True))
            best = max(scores, key=scores.__getitem__)
            st.markdown(f"What the model says of the average: **{as_is(best)}**")
            show_scores(scores, chosen.order, "Probability of each label")
            grid = st.grid("auto", min_column_width=72, gap="xsmall")
            for i, face in enumerate(faces[:FEW]):
                with grid.cell():
                    show_picture(face, f"Face {i + 1} of the average")
            if count > FEW:
                st.caption(f"The first {FEW} of the {count} faces are shown.")
        st.caption(
            "Each pixel is the average of that pixel in all faces. The more faces, the smoother: "
            "what is special about each one cancels out."
        )
        if sources[0] == "Synthetic faces":
            say_whom(chosen)
    st.page_link(
        "pages/10_Your_class.py", label="Bring faces of your own", icon=":material/group_add:"
    )


def _pick_faces(chosen: Chosen, klass: YourClass, sources: list[str]) -> np.ndarray:
    """Ask for faces and how many; return them, shape (n_faces, side, side)."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = choose("Faces", sources, "average_of")
        if source == "Your class":
            faces = klass.crops
        else:
            label = choose("Label", chosen.labels, "average_label")
            faces = sample_faces(chosen.model.eigenfaces, label, MOST)
        if len(faces) == 1:
            return faces
        most = len(faces)
        key = f"average_count_{most}"
        count = st.slider("How many", 1, most, min(10, most), key=key, bind="query-params")
    return faces[:count]


def _say_hidden(chosen: Chosen) -> None:
    if (count := len(chosen.labels)) > MOST_BARS:
        st.caption(f"Only the {TOP} labels that are likeliest somewhere, of {count}, are drawn.")
