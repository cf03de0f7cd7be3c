"""Live prediction: made faces, uploads, many at once, and bad files."""

import io

import pytest
from PIL import Image

from facecore.artifacts import load_model
from facecore.images import to_png
from facecore.predict import predict_photo
from facecore.synth import make_photo

PAGE = "pages/5_Live_prediction.py"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return to_png(make_photo(load_model("classic"), "male", 3))


def said(app) -> str:
    return "\n".join(
        str(element.value) for group in (app.markdown, app.caption) for element in group
    )


def test_it_asks_for_a_photo_first(open_page):
    app = open_page(PAGE)
    assert "as soon as there is a photo" in app.info[0].value


def test_an_upload_is_answered_with_what_the_library_says(open_page, photo):
    app = open_page(PAGE)
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    face = predict_photo(photo, load_model("classic")).faces[0]
    assert f"**1: {face.label}**, probability {face.probability:.2f}" in said(app)
    assert "no ground for a decision about anyone" in said(app)


def test_a_bad_file_is_an_error_and_the_others_are_answered(open_page, photo):
    app = open_page(PAGE)
    chooser = app.file_uploader[0]
    chooser.upload("me.png", photo, "image/png")
    chooser.upload("notes.jpg", b"not a photo at all", "image/jpeg")
    chooser.upload("cut.png", photo[: len(photo) // 2], "image/png").run()
    assert not app.exception
    errors = [error.value for error in app.error]
    assert len(errors) == 2
    assert "notes.jpg: the file is not a photo" in errors[0]
    assert "cut.png: the photo is damaged or cut off" in errors[1]
    assert "**1 face**" in said(app)


def test_a_photo_without_a_face_gets_a_message(open_page):
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "grey").save(buffer, "PNG")
    app = open_page(PAGE)
    app.file_uploader[0].upload("wall.png", buffer.getvalue(), "image/png").run()
    assert not app.exception
    assert "No face was found" in app.info[0].value


def test_a_made_face_needs_no_photo_at_all(open_page):
    app = open_page(PAGE)
    app.segmented_control(key="source").set_value("Made face").run()
    app.number_input(key="seed").set_value(4).run()
    assert not app.exception
    model = load_model("classic")
    face = predict_photo(to_png(make_photo(model, "female", 4)), model).faces[0]
    assert f"**1: {face.label}**, probability {face.probability:.2f}" in said(app)
