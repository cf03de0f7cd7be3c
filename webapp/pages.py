"""The pages: home, apps, gender, and a model's card."""

from typing import Any

from flask import Blueprint, abort, current_app, render_template

from facecore.errors import ModelError
from facecore.evaluation import card_of
from facecore.face import FORMATS
from facecore.model import (
    PhotoAnswer,
    eigenface_images,
    lacks_of,
    list_models,
    mean_face,
    read_metadata,
)
from webapp import cards
from webapp.errors import status_of
from webapp.forms import PhotoForm
from webapp.security import limit_photos
from webapp.service import Service

EIGENFACES = 7
# Named one by one, so that a phone which takes HEIC photos turns them into JPEG for the site.
ACCEPT = ",".join(f"image/{kind.lower()}" for kind in FORMATS)

blueprint = Blueprint("pages", __name__)


def _service() -> Service:
    service: Service = current_app.extensions["facecore"]
    return service


@blueprint.app_context_processor
def _served() -> dict[str, str | None]:
    return {"served": _service().name}


@blueprint.get("/")
def home() -> str:
    """Show what the site is."""
    shown: dict[str, Any] = {}
    if _service().name:
        model = _service().model
        shown = {
            "faces": [mean_face(model), *eigenface_images(model, EIGENFACES)]
            if model.draws
            else [],
            "aligned": bool(model.recipe.get("alignment")),
            "kinds": {member.features.kind for member in model.members},
        }
    return render_template("home.html", **shown)


@blueprint.get("/app/")
def apps() -> str:
    """List the apps."""
    return render_template("apps.html")


@blueprint.route("/app/gender/", methods=["GET", "POST"])
@limit_photos
def gender() -> tuple[str, int]:
    """Show the form, and under it what the model says of the photos that were sent."""
    service = _service()
    labels = service.model.labels
    form = PhotoForm()
    answers: list[PhotoAnswer] = []
    status = 200
    if form.is_submitted():
        if form.validate():
            answers = [service.answer(file.read(), file.filename) for file in form.photo.data]
            status = status_of(answers)
        else:
            status = 400
    page = render_template(
        "gender.html",
        form=form,
        answers=answers,
        labels=labels,
        accept=ACCEPT,
        max_file=service.limits.max_bytes,
    )
    return page, status


@blueprint.get("/models/<name>")
def model_card(name: str) -> str:
    """Show a model's card."""
    names = list_models()
    if name not in names:
        abort(404, f"There is no such model; there are: {', '.join(names) or 'none'}.")
    try:
        read_metadata(name)  # which holds all its files to their checksums
        card = card_of(name)
    except ModelError as error:
        abort(503, str(error))
    return render_template(
        "model.html", name=name, names=names, card=cards.render(card), lacks=lacks_of(name)
    )
