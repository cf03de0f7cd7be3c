"""The pages: home, apps, photos and their answers, a model's card, and words."""

from flask import Blueprint, abort, current_app, render_template
from PIL import Image
from werkzeug.exceptions import ServiceUnavailable

from facecore.errors import ModelError
from facecore.evaluation import card_of
from facecore.face import DESCRIBED, FORMATS, takes_whole_photos
from facecore.model import (
    GLOSSARY,
    PhotoAnswer,
    damaged_papers,
    eigenface_images,
    lacks_of,
    list_models,
    mean_face,
)
from webapp.errors import status_of
from webapp.forms import PhotoForm
from webapp.security import limit_photos
from webapp.service import Service

EIGENFACES = 7
# Named one by one: a phone with HEIC photos then converts them to JPEG for the site.
ACCEPT = ",".join([*(Image.MIME[kind] for kind in FORMATS), ".pgm", ".ppm", ".pbm", ".pnm", ".j2k"])

blueprint = Blueprint("pages", __name__)


def _service() -> Service:
    service: Service = current_app.extensions["facecore"]
    return service


@blueprint.app_context_processor
def _served() -> dict[str, str | None]:
    loaded = _service().loaded
    return {
        "served": loaded.name if loaded else None,
        "title": loaded.title if loaded else "Faces in photos",
    }


@blueprint.get("/")
def home() -> str:
    """Show what the site is, and how its model reads a face.

    Returns
    -------
    str
        The page; without a model it shows the reason.
    """
    try:
        model = _service().model
    except ServiceUnavailable as error:
        return render_template("home.html", problem=error.description)
    faces = [mean_face(model), *eigenface_images(model, EIGENFACES)] if model.draws else []
    return render_template(
        "home.html",
        faces=faces,
        aligned=model.recipe.alignment is not None,
        whole=takes_whole_photos(model.recipe),
        kinds={member.features.kind for member in model.members},
        fisherfaces=model.fisherfaces is not None,
        several=len(model.members) > 1,
        described=DESCRIBED,
    )


@blueprint.get("/app/")
def apps() -> str:
    """List the apps.

    Returns
    -------
    str
        The page.
    """
    return render_template("apps.html")


@blueprint.route("/app/gender/", methods=["GET", "POST"])  # its address before there were titles
@blueprint.route("/app/faces/", methods=["GET", "POST"])
@limit_photos
def photos() -> tuple[str, int]:
    """Show the form, and under it the answers to the photos that were sent.

    Returns
    -------
    page : str
    status : int
        200, or that of the error when no photo was sent or none can be used.

    Raises
    ------
    ServiceUnavailable
        There is no model, or too many photos came before.
    """
    service = _service()
    served = service.served
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
        "photos.html",
        form=form,
        answers=answers,
        model=served.model,
        labels=served.labels,
        whole=takes_whole_photos(served.model.recipe),
        accept=ACCEPT,
        max_file=service.limits.max_bytes,
    )
    return page, status


@blueprint.get("/models/<name>")
def model_card(name: str) -> str:
    """Show a model's card.

    Parameters
    ----------
    name : str
        Name of the model.

    Returns
    -------
    str
        The page.

    Raises
    ------
    HTTPException
        404 where there is no such model, 503 where it is damaged.
    """
    from webapp import cards  # its Markdown parser is needed for this page alone

    names = list_models()
    if name not in names:
        abort(404, f"There is no model {name!r}; there are: {', '.join(names) or 'none'}.")
    try:
        warnings = damaged_papers(name)  # checks all its files against their checksums
        card = card_of(name)
    except ModelError as error:
        abort(503, str(error))
    return render_template(
        "model.html",
        name=name,
        names=names,
        card=cards.render(card),
        lacks=lacks_of(name),
        warnings=warnings,
    )


@blueprint.get("/glossary")
def glossary() -> str:
    """Explain the words of the field.

    Returns
    -------
    str
        The page.
    """
    return render_template("glossary.html", words=GLOSSARY)
