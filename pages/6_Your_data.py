"""Train a model on photos of your own, watch it, and look after the models."""

import streamlit as st

from facecore.errors import FacecoreError
from facecore.training import start_training
from ui.glossary import introduce
from ui.learning import show_learning
from ui.live_view import show_live_view
from ui.manage import show_models
from ui.models import pick_model_or_none
from ui.navigation import enter_page
from ui.runs import show_runs
from ui.text import as_is
from ui.training import (
    can_be_named,
    follow_job,
    is_training_on,
    pick_options,
    show_end,
    watch_training,
)
from ui.training_photos import pick_photos, place_photos

enter_page()
introduce(
    "Your data",
    "Train a model that tells your labels apart: put the photos of each label into a folder of its "
    "own, or take them with the camera, then start.",
    "label",
    "recipe",
    "subject",
    "grid search",
)
job = follow_job()
chosen = pick_model_or_none()
if not is_training_on():
    st.info(
        "Training and changing models are turned off on this server (FACECORE_TRAINING=off). On "
        "your own computer, start the dashboard without that setting, or run:",
        icon=":material/lock:",
    )
    st.code("python -m facecore train PHOTOS --name my-model", language="shell")
    st.stop()

photos = None
if job.state == "running":
    watch_training()
else:
    if job.state != "none":
        show_end(job, chosen)
    st.header("Photos")
    photos = pick_photos(chosen, job)
    if photos:
        st.header("Training")
        options = pick_options(photos)
        ready = can_be_named(options.name)
        if st.button(
            "Start training",
            type="primary",
            icon=":material/model_training:",
            disabled=not ready,
            key="train_start",
        ):
            try:
                with st.spinner("Starting"):
                    start_training(
                        options.name,
                        place_photos(photos),
                        title=photos.title,
                        made=photos.made,
                        made_by=chosen.name if chosen else None,
                        grid=options.grid,
                        recipe=options.recipe,
                        min_size=options.min_size,
                        whole_photo=options.whole_photo,
                        identity=options.identity,
                        seed=options.seed,
                        keep=photos.keep,
                        curve=options.curve,
                    )
            except FacecoreError as error:
                st.error(as_is(error), title="Not started", icon=":material/error:")
            else:
                st.rerun()

if chosen:
    if job.state != "running":
        show_live_view(chosen)
    show_learning(chosen, photos, job)
st.header("Your models")
show_models()
show_runs()
