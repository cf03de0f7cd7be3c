"""The pages: what they say, that they are valid HTML, and that a screen reader can read them."""

import hashlib
import html
import io
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from corpus import draw_face, encode
from siteparts import METADATA, make_model
from validity import check_html

from facecore.face.features import Features
from facecore.face.images import HEIC_READABLE
from facecore.face.recipes import RECIPES
from facecore.model.glossary import GLOSSARY
from facecore.model.rule import AnswerRule
from facecore.model.store import store_card, write_model

CARDS = ["/models/made", "/models/other"]
PAGES = ["/", "/app/", "/app/faces/", "/app/gender/", *CARDS, "/glossary", "/missing"]


def post(client, *photos: bytes):
    data = {"photo": [(io.BytesIO(photo), f"{i}.png") for i, photo in enumerate(photos)]}
    return client.post("/app/faces/", data=data)


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


@pytest.mark.parametrize("path", PAGES)
def test_page_loads_nothing_from_elsewhere(client, path):
    addresses = re.findall(r'(?:href|src)="([^"]*)"', client.get(path).text)
    assert all(address.startswith(("/", "#", "data:image/")) for address in addresses)


def test_home_shows_the_face_space(client):
    page = client.get("/").text
    assert page.count("data:image/png;base64,") == 8
    assert 'href="/app/faces/"' in page


def test_home_tells_what_the_model_does(client, make_app, tmp_path, monkeypatch):
    plain = client.get("/").text
    assert "A support vector machine gives the label" in plain
    assert "eyes and mouth" not in plain
    model, some = make_model(), slice(0, 3528)
    (pixels,) = model.members
    edges = replace(
        pixels,
        name="edges",
        features=Features("hog", 96, 1.0, cell=12),
        minimum=pixels.minimum[some],
        span=pixels.span[some],
        mean=pixels.mean[some],
        components=pixels.components[:, some],
    )
    recipe = replace(RECIPES["aligned"], side=model.recipe.side, colour=False)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    write_model("two", replace(model, members=(pixels, edges), recipe=recipe), METADATA, {})
    page = make_app(MODEL="two").test_client().get("/").text
    check_html(page)
    assert "turned upright by its eyes and mouth" in page
    assert "one for each description, vote for the label" in page
    assert "made grey and resized" in page


def test_home_tells_that_a_small_network_sees_colours(make_app, aligned_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(aligned_artifacts))
    page = make_app(MODEL="tiny").test_client().get("/").text
    check_html(page)
    assert "made grey for all but the small network" in page
    assert "which others trained to tell gender" in page


def test_the_app_has_the_title_of_its_model(client, make_app, tmp_path, monkeypatch):
    page = client.get("/app/").text
    assert 'href="/app/faces/"' in page
    assert '<h2 class="card-title h4">round / square &amp; &lt;b&gt;</h2>' in page
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    write_model("moods", make_model(), METADATA | {"title": "Mood"}, {})
    titled = make_app().test_client()
    assert '<h2 class="card-title h4">Mood</h2>' in titled.get("/app/").text
    page = titled.get("/app/faces/").text
    assert "<title>Mood · Face space</title>" in page
    assert re.search("<h1[^>]*>Mood</h1>", page)


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/app/gender/"])
def test_no_page_says_gender_unless_the_labels_do(client, path):
    page = client.get(path).text
    assert not re.search("gender|female|male", page.replace("/app/gender/", ""), re.IGNORECASE)


def test_the_address_of_the_gender_app_shows_the_same_app(client, photo):
    assert client.get("/app/gender/").text == client.get("/app/faces/").text
    data = {"photo": (io.BytesIO(photo), "0.png")}
    old = client.post("/app/gender/", data=data)
    assert (old.status_code, old.text) == (200, post(client, photo).text)


@pytest.fixture
def twelve(make_app, tmp_path, monkeypatch):
    """A visitor of a site whose model has twelve labels in natural order."""
    labels = tuple(sorted(f"s{i}" for i in range(1, 13)))
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    write_model("twelve", make_model(labels), METADATA | {"labels": list(labels)}, {})
    return make_app().test_client()


def test_all_scores_are_shown_five_of_many_at_once(twelve, photo):
    page = post(twelve, photo)
    check_html(page.text)
    assert page.text.count('<svg class="bar"') == 12
    first, rest = page.text.split("<summary>7 more labels</summary>")
    shown = re.findall(r'<li>\s*<span class="text-break">(s\d+)</span>', first)
    assert len(shown) == 5
    (face,) = twelve.post("/api/v1/predict", data=photo, content_type="image/png").json["photos"][
        0
    ]["faces"]
    assert list(face["scores"]) == [f"s{i}" for i in range(1, 13)]
    assert set(shown) == set(sorted(face["scores"], key=face["scores"].get)[-5:])
    others = re.findall(r'<li>\s*<span class="text-break">(s\d+)</span>', rest)
    assert others == [f"s{i}" for i in range(1, 13) if f"s{i}" not in shown]


def test_many_labels_are_named_in_short_and_in_full(twelve):
    page = twelve.get("/app/faces/").text
    check_html(page)
    assert "or one of 5 other labels" in page
    assert "<summary>All 12 labels</summary>" in page
    assert ", ".join(f"s{i}" for i in range(1, 13)) in page
    assert "<title>12 labels · Face space</title>" in page


def test_labels_come_in_the_order_that_the_model_declares(make_app, tmp_path, monkeypatch, photo):
    labels, order = ("adult", "child", "teen"), ["child", "teen", "adult"]
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    metadata = METADATA | {"labels": list(labels), "order": order}
    write_model("ages", make_model(labels), metadata, {})
    client = make_app().test_client()
    page = post(client, photo).text
    assert re.findall(r'<li>\s*<span class="text-break">(\w+)</span>', page) == order
    (model,) = client.get("/api/v1/models").json["models"]
    assert (model["labels"], model["title"]) == (order, "child / teen / adult")
    answer = client.post("/api/v1/predict", data=photo, content_type="image/png").json
    assert list(answer["photos"][0]["faces"][0]["scores"]) == order


def test_answer_has_photo_and_one_row_per_face(client):
    response = post(client, encode(np.hstack([draw_face()] * 2)))
    assert response.status_code == 200
    check_html(response.text)
    assert response.text.count("data:image/jpeg;base64,") == 2
    assert response.text.count('<img class="face"') == 4
    assert response.text.count('<th scope="row">') == 2
    assert re.search(r"2 faces found:\s+(round|square)", response.text)
    assert "not for decisions about a person" in response.text


def test_many_faces_are_summed_up_by_their_labels(client):
    shown = post(client, encode(np.vstack([np.hstack([draw_face()] * 4)] * 2))).text
    summary = re.search(r"<p data-summary>(.*?)</p>", shown, re.S)[1]
    text = " ".join(html.unescape(summary).split())
    assert text.startswith("8 faces found: ")
    assert sum(map(int, re.findall(r"(?:: |, )(\d+) ", text))) == 8
    assert "%" not in text
    check_html(shown)


def test_score_is_a_number_and_a_bar_in_the_colour_of_the_label(client, photo):
    page = post(client, photo).text
    percent = re.search(r"<span>(\d+)%</span>", page).group(1)
    assert re.search(rf'<rect width="{percent}" height="8" fill="#(e69f00|0072b2)"/>', page)


def test_markup_in_a_label_is_shown_and_not_run(client):
    assert "square &amp; &lt;b&gt;" in client.get("/app/faces/").text


def test_several_photos_are_answered_in_order(client, photo):
    response = post(client, photo, b"x", encode(np.zeros((50, 50, 3), np.uint8)))
    check_html(response.text)
    marks = ["One face found", "not a photo", "No face was found"]
    places = [response.text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_unsure_has_a_reason_in_place_of_a_label(make_app, photo):
    page = post(make_app(UNSURE=1.0).test_client(), photo).text
    check_html(page)
    assert re.search(r"One face found:\s+unsure \((round|square &amp; &lt;b&gt;) \d+%\)", page)
    assert "<strong>unsure</strong>" in page
    assert "Confidence below 1." in page
    bar = re.search(r'<rect width="\d+" height="8" fill="(.*?)"/>', page)
    assert bar.group(1) == "gray"


def test_what_is_far_from_face_space_is_called_no_face(make_app, photo, monkeypatch):
    rule = AnswerRule(max_distance=0.001)
    monkeypatch.setattr("webapp.service.load_model", lambda _: replace(make_model(), rule=rule))
    page = post(make_app().test_client(), photo).text
    assert "<strong>not a face</strong>" in page
    assert "Farther than 0.001 from face space." in page


def test_card_tells_how_the_model_was_made_and_how_well_it_does(client):
    page = client.get("/models/made").text
    for words in (
        "1,234 faces",
        "Made of cosines.",
        "0.810 (0.722 to 0.875)",
        "drawings, by age",
        "square &amp; &lt;b&gt;",
        "What it must not be used for",
    ):
        assert words in page
    assert 'href="/models/other"' in page


def test_card_that_is_stored_is_the_one_that_is_shown(
    make_app, made_artifacts, monkeypatch, tmp_path
):
    root = tmp_path / "artifacts"
    shutil.copytree(made_artifacts, root)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    store_card("made", "# Model card\n\nA stored one.\n")
    assert "<p>A stored one.</p>" in make_app().test_client().get("/models/made").text


def test_card_is_linked_from_every_page(client):
    for path in PAGES:
        footer = client.get(path).text.split("<footer")[1]
        assert 'href="/models/made"' in footer


def test_card_of_a_model_without_evaluation(client):
    page = client.get("/models/other").text
    assert "It was trained without test photos" in page
    assert "For whom" not in page


def test_unknown_model_names_the_known_ones(client):
    response = client.get("/models/none")
    assert response.status_code == 404
    assert "made, other" in response.text


@pytest.fixture
def empty_client(make_app, monkeypatch, tmp_path):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    return make_app().test_client()


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/app/", 200), ("/app/faces/", 503), ("/models/made", 404)]
)
def test_site_without_a_model_says_so(empty_client, path, status):
    response = empty_client.get(path)
    assert response.status_code == status
    check_html(response.text)
    if path in ("/", "/app/faces/"):
        assert "python -m facecore train" in response.text


def test_damaged_model_has_an_error_page(make_app, made_artifacts, monkeypatch, tmp_path):
    client = make_app().test_client()
    shutil.copytree(made_artifacts, tmp_path / "artifacts")
    (tmp_path / "artifacts" / "made" / "model.npz").write_bytes(b"broken")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "artifacts"))
    response = client.get("/models/made")
    assert response.status_code == 503
    assert "does not match its checksum" in response.text
    assert client.get("/api/v1/models").status_code == 503


@pytest.mark.filterwarnings("ignore::facecore.errors.ModelWarning")
@pytest.mark.parametrize("how", ["missing", "changed", "unreadable"])
def test_damaged_papers_are_told_on_the_page_of_the_model_and_in_the_api(
    how, make_app, made_artifacts, monkeypatch, tmp_path
):
    folder = tmp_path / "artifacts" / "made"
    shutil.copytree(made_artifacts, folder.parent)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(folder.parent))
    client = make_app().test_client()
    paper = folder / "evaluation.json"
    paper.unlink() if how == "missing" else paper.write_text("[<b>")
    if how == "unreadable":
        metadata = json.loads((folder / "metadata.json").read_text())
        metadata["sha256"][paper.name] = hashlib.sha256(paper.read_bytes()).hexdigest()
        (folder / "metadata.json").write_text(json.dumps(metadata))
    made, other = client.get("/api/v1/models").json["models"]
    (warning,) = made["warnings"]
    assert "evaluation.json" in warning
    assert (made["accuracy"], other["warnings"]) == ({}, [])
    response = client.get("/models/made")
    assert response.status_code == 200
    check_html(response.text)
    assert response.text.count("alert-warning") == 1
    assert html.unescape(response.text).count(warning) == 1
    assert "alert-warning" not in client.get("/models/other").text


def test_the_form_offers_every_format_but_heic_so_that_phones_convert_it(client):
    (accept,) = re.findall(r'accept="([^"]+)"', client.get("/app/gender/").text)
    offered = accept.split(",")
    assert {"image/jpeg", "image/png", "image/jp2", ".pgm", ".ppm"} <= set(offered)
    assert HEIC_READABLE or not [kind for kind in offered if "hei" in kind]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("exe\u202egnp.png", r"exe\u202egnp.png"),
        ("\u2066a\u2069.png", r"\u2066a\u2069.png"),
        ("a\x1bb.png", r"a\x1bb.png"),
        ("<b>$x$ *a*.png", "&lt;b&gt;$x$ *a*.png"),
    ],
)
@pytest.mark.parametrize("data", [encode(draw_face()), b"x"])
def test_a_name_is_shown_with_nothing_hidden_or_reordered(client, name, shown, data):
    page = client.post("/app/faces/", data={"photo": [(io.BytesIO(data), name)]}).text
    assert f">{shown}</h2>" in page
    assert not {"\u202e", "\u2066", "\x1b"} & set(page)
    check_html(page)


def test_the_glossary_explains_every_word(client):
    page = html.unescape(client.get("/glossary").text)
    assert all(f"<dt>{term}</dt>\n  <dd>{text}</dd>" in page for term, text in GLOSSARY.items())
