"""The pages: what they say, that they are valid HTML, and that a screen reader can read them."""

import io
import re

import numpy as np
import pytest
from uploads import draw_face, encode
from validity import check_html

PAGES = ["/", "/app/", "/app/gender/", "/models/made", "/models/other", "/missing"]


def post(client, *photos: bytes):
    data = {"photo": [(io.BytesIO(photo), f"{i}.png") for i, photo in enumerate(photos)]}
    return client.post("/app/gender/", data=data)


@pytest.mark.parametrize("path", PAGES)
def test_page_is_valid(client, path):
    response = client.get(path)
    assert response.status_code == (404 if path == "/missing" else 200)
    check_html(response.text)


@pytest.mark.parametrize("path", PAGES)
def test_page_links_lead_somewhere(client, path):
    for link in set(re.findall(r'(?:href|src)="(/[^"]*)"', client.get(path).text)):
        with client.get(link) as response:
            assert response.status_code == 200, link


def test_home_shows_the_face_space(client):
    page = client.get("/").text
    assert page.count("data:image/png;base64,") == 8
    assert "/app/gender/" in page


def test_apps_lead_to_gender(client):
    assert 'href="/app/gender/"' in client.get("/app/").text


def test_answer_has_photo_and_one_row_a_face(client):
    response = post(client, encode(np.hstack([draw_face()] * 2)))
    assert response.status_code == 200
    check_html(response.text)
    assert response.text.count("data:image/jpeg;base64,") == 2
    assert response.text.count('<img class="face"') == 4
    assert response.text.count('<th scope="row">') == 2
    assert re.search(r"2 faces found:\s+(round|square)", response.text)
    assert "not for decisions about a person" in response.text


def test_score_is_a_number_and_a_bar_in_the_colour_of_the_label(client, photo):
    page = post(client, photo).text
    percent = re.search(r"<span>(\d+) %</span>", page).group(1)
    assert re.search(rf'<rect width="{percent}" height="8" fill="#(E69F00|0072B2)"/>', page)


def test_markup_in_a_label_is_shown_and_not_run(client):
    assert "square &amp; &lt;b&gt;" in client.get("/app/gender/").text


def test_several_photos_are_answered_in_order(client, photo):
    response = post(client, photo, b"x", encode(np.zeros((50, 50, 3), np.uint8)))
    check_html(response.text)
    marks = ["One face found", "not a photo", "No face was found"]
    places = [response.text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_unsure_has_no_label(app, photo):
    from dataclasses import replace

    service = app.extensions["facecore"]
    answer = service.answer(photo)
    face = replace(answer.faces[0], label=None)
    service.answer = lambda data, name: replace(answer, faces=(face,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("webapp.pictures.annotate", lambda answer, colours: answer.pixels)
        page = post(app.test_client(), photo).text
    assert "<strong>unsure</strong>" in page


def test_card_tells_how_the_model_was_made(client):
    page = client.get("/models/made").text
    for words in (
        "1,234 faces",
        "Made of cosines.",
        "81.0 %",
        "58.0 % to 93.0 %",
        "by age",
        "\N{EN DASH}",
    ):
        assert words in page
    assert 'href="/models/other"' in page


def test_card_of_a_model_without_evaluation(client):
    assert "was not evaluated" in client.get("/models/other").text


def test_unknown_model_names_the_known_ones(client):
    response = client.get("/models/none")
    assert response.status_code == 404
    assert "made, other" in response.text


@pytest.fixture
def empty_client(make_app, monkeypatch, tmp_path):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    return make_app().test_client()


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/app/", 200), ("/app/gender/", 503), ("/models/made", 404)]
)
def test_site_without_a_model_says_so(empty_client, path, status):
    response = empty_client.get(path)
    assert response.status_code == status
    check_html(response.text)
    if status == 503:
        assert "python -m facecore train" in response.text


def test_damaged_model_has_an_error_page(make_app, made_artifacts, monkeypatch, tmp_path):
    import shutil

    client = make_app().test_client()
    shutil.copytree(made_artifacts, tmp_path / "artifacts")
    (tmp_path / "artifacts" / "made" / "model.npz").write_bytes(b"broken")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "artifacts"))
    response = client.get("/models/made")
    assert response.status_code == 503
    assert "does not match its checksum" in response.text
    assert client.get("/api/v1/models").status_code == 503
