"""From pixels to a deep network: what better descriptions of a face gain, and what they cost."""

import streamlit as st

from ui.ladder import curve_figure, get_ladder, load_rungs, rungs_figure, show_rungs
from ui.look import ICON, show
from ui.models import pick_model
from ui.photo import pick_photo

VIEWS = ("Rungs", "Training faces", "Components", "One face")
FORMATS = {
    **dict.fromkeys(("accuracy", "low", "high", "balanced"), "%.3f"),
    **dict.fromkeys(("ms_face", "ms_photo", "megabytes"), "%.1f"),
    **dict.fromkeys(("training_faces", "test_faces", "kernel_vectors"), "localized"),
}

st.set_page_config("Ladder", ICON, layout="wide")
st.title("Ladder")
st.write(
    "From pixels to a network: the same three steps, min-max, PCA and a support vector machine, on "
    "better and better descriptions of a face. Each rung sees the same training faces and is asked "
    "about the same others."
)
chosen = pick_model()
view = st.segmented_control(
    "View",
    VIEWS,
    default=VIEWS[0],
    required=True,
    key="rung_view",
    bind="query-params",
    label_visibility="collapsed",
)
if view == "One face":
    rungs, problems = load_rungs()
    for problem in problems:
        st.info(problem, icon=":material/info:")
    drawing = (model for model in (chosen.model, *rungs.values()) if model.spread)
    photo = pick_photo(next(drawing, chosen.model), "rung")
    if photo is None:
        st.info("Give a photo to see its largest face.", icon=":material/image_search:")
        st.stop()
    with st.skeleton(height=420):
        show_rungs(photo[1], photo[0], rungs or {chosen.name: chosen.model})
    st.caption(
        "The rungs of these pictures are the models that ship and their members. From a network's "
        "numbers no way leads back to a picture; so the last one shows how its decision changes "
        "when a patch is hidden under plain grey."
    )
    st.stop()

ladder = get_ladder()
if ladder is None:
    st.stop()
for rung, why in ladder.about["left_out"].items():
    st.info(f"The rung {rung} was left out: {why}", icon=":material/info:")
if view == "Rungs":
    show(rungs_figure(ladder.rungs), "Accuracy, time and size of each rung", "rungs")
    st.dataframe(
        ladder.rungs.drop(columns="recipe"),
        hide_index=True,
        alt="What each rung reaches",
        column_config={
            name: st.column_config.NumberColumn(name.replace("_", " "), format=form)
            for name, form in FORMATS.items()
        },
    )
elif view == "Training faces":
    figure = curve_figure(ladder.curves, "training_faces", "training faces")
    show(figure, "Accuracy of each rung against the number of training faces", "rung-curves")
else:
    figure = curve_figure(ladder.components, "components", "components")
    show(figure, "Accuracy of each rung against its number of components", "rung-components")
faces = int(ladder.rungs["test_faces"].iloc[0])
st.caption(
    f"Measured on {faces:,} faces of persons held out of the training photos of "
    f"{', '.join(ladder.about['sets'])}, {ladder.about['created']}, with 95 % intervals. Time is "
    "from a photo to its answer on one thread; the size is that of the exact machine, and the "
    "embedding's has the network's weights in it. Settings are those that a grid search found best "
    "with all faces."
)
st.code(ladder.about["command"] or "python -m facecore ladder DATA", language="shell")
