"""Train a model on photos of your own, watch it, and look after the models."""

import streamlit as st

from facecore.data import recipes_for
from facecore.errors import FacecoreError
from facecore.face import MIN_SIZE, RECIPES, lacks
from facecore.model import SHIPPED, check_name, list_models
from facecore.training import start_training
from ui.look import ICON
from ui.manage import show_models
from ui.models import pick_model_or_none
from ui.training import follow_job, is_training_on, pick_photos, show_end, watch_training

st.set_page_config("Your data", ICON, layout="wide")
st.title("Your data")
st.write("Train a model that tells your labels apart: photos in one folder a label, then start.")
job = follow_job()
chosen = pick_model_or_none()
if not is_training_on():
    st.info(
        "Training and changing models are turned off on this server (FACECORE_TRAINING=off). On "
        "a computer of your own, start the dashboard without that setting, or:",
        icon=":material/lock:",
    )
    st.code("python -m facecore train PHOTOS --name my-model", language="shell")
    st.stop()

if job.state == "running":
    watch_training()
else:
    if job.state != "none":
        show_end(job, chosen)
    st.subheader("Photos")
    photos = pick_photos(chosen)
    if photos:
        st.subheader("Training")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input("Name of the model", "mine", max_chars=64, key="train_name",
                                 width=220).strip()  # fmt: skip
            fitting = recipes_for(photos.source) if photos.cropped and photos.source else RECIPES
            # the default one first
            recipes = [name for name in sorted(fitting or RECIPES) if not lacks(RECIPES[name])]
            recipe = st.segmented_control(
                "Recipe", recipes, default=recipes[0], required=True, key="train_recipe",
                bind="query-params", help="aligned: faces turned upright by eyes and mouth, four "
                "members; classic: the textbook's Haar cascade and pixels alone, faster; "
                "embedding: the numbers of a deep network, most accurate"
                + (f" ({why}). " if (why := lacks(RECIPES["embedding"])) else ". ")
                + "A folder made by crop was cut for some of them.",
            )  # fmt: skip
            recipe = recipe if recipe in recipes else recipes[0]  # chosen for other photos
            grid = st.segmented_control(
                "Grid", ("quick", "full"), default="quick", required=True, key="train_grid",
                bind="query-params", help="How many candidates the grid search tries",
            )  # fmt: skip
            min_size = st.number_input(
                "Minimum face width, pixels", 20, 400, MIN_SIZE, key="train_minimum", width=200,
                bind="query-params", disabled=photos.cropped,
                help="Smaller faces are left out; a folder made by crop has its own minimum",
            )  # fmt: skip
            seed = st.number_input("Seed", 0, 9999, 0, key="train_seed", bind="query-params",
                                   width=140)  # fmt: skip
        problem = ""
        try:
            check_name(name)
        except FacecoreError as error:
            problem = str(error)
        if name in SHIPPED:
            problem = f"{name} ships with facecore and stays as it is; choose another name."
        elif name in list_models() and not st.checkbox(
            f"Replace the model {name}, which exists", key="train_replace"
        ):
            problem = f"There is a model {name} already: replace it, or choose another name."
        if problem:
            st.warning(problem)
        if st.button("Start training", type="primary", icon=":material/model_training:",
                     disabled=bool(problem), key="train_start"):  # fmt: skip
            try:
                with st.spinner("Starting"):
                    start_training(
                        name, photos.source, title=photos.title, made=photos.made,
                        made_by=chosen.name if chosen else None, grid=str(grid),
                        recipe=str(recipe), min_size=int(min_size), seed=int(seed),
                    )  # fmt: skip
            except FacecoreError as error:
                st.error(str(error), title="Not started", icon=":material/error:")
            else:
                st.rerun()

st.subheader("Your models")
show_models()
