"""From pixels to an embedding: what better features of a face gain, and what they cost."""

import streamlit as st

from facecore.model import order_labels
from facecore.training import rungs_of
from ui.controls import choose, name_labels
from ui.face_picker import pick_face, say_whose
from ui.glossary import introduce
from ui.ladder import curve_figure, get_ladder, load_shipped, show_labels, show_rungs, show_table
from ui.look import show
from ui.models import pick_model, written
from ui.navigation import enter_page
from ui.text import as_is

VIEWS = ("Rungs", "Training faces", "Components", "One face")

enter_page()
introduce(
    "Ladder",
    "From pixels to an embedding: the same three steps, min-max, PCA and a support vector machine, "
    "on better and better features of a face. Every rung is trained on the same faces and tested "
    "on the same others.",
    "embedding",
    "component",
    "confidence interval",
)
chosen = pick_model()
view = choose("View", VIEWS, "rung_view", show_label=False)
if view == "One face":
    shipped, problems = load_shipped()
    for problem in problems:
        st.info(as_is(problem), icon=":material/info:")
    rungs = rungs_of({str(one.metadata["recipe"]): one.model for one in shipped})
    rungs = rungs or {chosen.name: chosen.model}
    face = pick_face(chosen)
    if face is None:
        st.stop()
    with st.skeleton(height=420):
        show_rungs(face, rungs, [written(one.name) for one in shipped])
    say_whose(face)
    notes = []
    if shipped:
        notes.append(
            "These rungs are the models that ship with facecore, and their members: their answers "
            f"are {as_is(name_labels(shipped[0].labels))}."
        )
    if not all(model.draws for model in rungs.values()):
        notes.append(
            "An embedding cannot be turned back into a picture, so its rung shows how the decision "
            "changes when a patch of the face is covered with its mean colour."
        )
    st.caption(" ".join(notes))
    st.stop()

ladder = get_ladder()
if ladder is None:
    st.stop()
labels = ladder.about.get("labels", {})
show_labels(labels, chosen)
for rung, why in ladder.about["left_out"].items():
    st.info(as_is(f"The rung {rung} was left out: {why}"), icon=":material/info:")
if view == "Rungs":
    show_table(ladder)
elif view == "Training faces":
    x, name = "training_faces", "training faces"
    figure = curve_figure(ladder.curves, x, name, rungs=list(ladder.rungs["rung"]))
    show(figure, "Accuracy of each rung against the number of training faces", "rung-curves")
else:
    x = "components"
    figure = curve_figure(ladder.components, x, x, rungs=list(ladder.rungs["rung"]))
    show(figure, "Accuracy of each rung against its number of components", "rung-components")
fitted, faces = ladder.rungs[["training_faces", "test_faces"]].iloc[0]
st.caption(
    f"Labels {as_is(name_labels(order_labels(labels))) or 'not recorded'}. Trained on {fitted:,} "
    f"faces, measured on {faces:,} of other people, of the training photos of "
    f"{as_is(', '.join(ladder.about['sets']))} ({ladder.about['created']}), with 95% intervals. "
    "Settings are those of the recipes, found best by a grid search on all faces; the models on "
    "other pages may come from a later, wider search."
)
if view == "Rungs":
    st.caption(
        "Time is CPU time from a photo to its answer on one thread. Size is that of the exact "
        "machine; for the embedding it includes the network's weights."
    )
st.code(ladder.about["command"] or "python -m facecore ladder DATA", language="shell")
