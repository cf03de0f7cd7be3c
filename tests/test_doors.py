"""Every model at every door: the pages of the site, its API, and the screens of the dashboard."""

import base64
import io
import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from html import unescape
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import streamlit as st
from cartoons import LABELS, draw_photo, encode, write_raw
from corpus import plain
from PIL import Image
from screens import ROOT, SCREENS, SEARCH_TABS, open_screen
from validity import check_html
from weights import use_weights

from facecore.data import crop_folder, recipe_settings
from facecore.face import embedding, takes_whole_photos
from facecore.model import SHIPPED, FaceModel, load_model
from facecore.training import train
from ui.face_picker import YOURS
from webapp import create_app
from webapp.openapi import DOCUMENT

# A visitor's own models, small ones: one of every further recipe, and one of three labels.
OWN = {
    "own-aligned": "aligned_artifacts",
    "own-embedding": "described_artifacts",
    "own-whole": "whole_artifacts",
    "own-fisher": "fisher_artifacts",
}
MODELS = [*SHIPPED, *OWN, "own-three"]
FURTHER = ["own-aligned", "own-whole", "own-fisher", "own-three"]  # slow together
NETWORKS = ["embedding", "own-embedding"]
# The further views of a screen by its address; two models see them all, as the screens' own tests
# open them with the classic one.
SEES_ALL = ["own-aligned", "own-embedding"]
VIEWS = {
    "pages/2_Eigenfaces.py": [
        {"space": view} for view in ("Reconstruction", "Explorer", "Walk", "Points")
    ],
    "pages/3_Grid_search.py": [{"search_tab": tab} for tab in SEARCH_TABS[1:]],
    "pages/4_Evaluation.py": [
        {"evaluation_tab": tab} for tab in ("Curves", "Calibration", "Unsure", "Groups")
    ],
    "pages/5_Live_prediction.py": [{"source": YOURS}],
    "pages/7_Ladder.py": [
        {"rung_view": view} for view in ("Training faces", "Components", "One face")
    ],
}
# Where a photo is given by hand, and by which address.
UPLOADS = {
    "dashboard.py": {},
    "pages/2_Eigenfaces.py": {"space": "Reconstruction"},
    "pages/5_Live_prediction.py": {"source": "Upload"},
}


@pytest.fixture(scope="module")
def models(request, tmp_path_factory, tiny_grid) -> Path:
    """A folder with all models; not to be changed."""
    root = tmp_path_factory.mktemp("doors") / "artifacts"
    shutil.copytree(ROOT / "artifacts", root)
    for name, fixture in OWN.items():
        shutil.copytree(request.getfixturevalue(fixture) / "tiny", root / name)
    raw = write_raw(root.parent / "raw", LABELS, persons=6)
    crop_folder(raw, root.parent / "crops", recipe_settings("classic"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(root))
        train([root.parent / "crops"], "own-three", recipe="classic", grid=str(tiny_grid))
    return root


@pytest.fixture(scope="module")
def at_the_doors(models) -> Iterator[None]:
    """The models in use, from the checkout as working folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(models))
        patch.chdir(ROOT)
        yield


NAMES = [
    *(name for name in MODELS if name not in FURTHER),
    *(pytest.param(name, marks=pytest.mark.slow) for name in FURTHER),
    pytest.param("embedding with its own weights", marks=pytest.mark.network),
]


@pytest.fixture(scope="module", params=NAMES)
def name(request, at_the_doors, made_weights) -> Iterator[str]:
    """Name of a model; a network has made weights, but where its own are asked for."""
    name, _, own = request.param.partition(" ")
    with nullcontext() if own else use_weights(made_weights):
        yield name


@pytest.fixture(scope="module")
def model(name) -> FaceModel:
    return load_model(name)


@pytest.fixture(scope="module")
def site(name):
    """The site that answers with the model."""
    config = {"TESTING": True, "WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False}
    return create_app({**config, "MODEL": name}).test_client()


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A drawn photo with a face that both detectors find."""
    return encode(draw_photo("round", 3), "PNG")


@pytest.mark.parametrize("path", ["/", "/app/", "/app/gender/", "/models/{}", "/missing"])
def test_a_page_of_the_site_opens(site, name, path):
    response = site.get(path.format(name))
    assert response.status_code == (404 if path == "/missing" else 200)
    check_html(response.text)


def test_home_shows_eigenfaces_where_the_model_has_some(site, model):
    page = site.get("/").text
    assert ("Eigenface 1" in page) == model.draws
    assert ("made grey" in page) == model.draws
    assert ("The whole photo is taken for one face" in page) == takes_whole_photos(model.recipe)
    assert ("A detector finds the faces" in page) != takes_whole_photos(model.recipe)
    assert ("deep network" in page) != model.draws


def test_the_site_answers_photos_and_names_what_it_shows(site, model, photo):
    files = [(io.BytesIO(data), f"{i}.png") for i, data in enumerate((photo, plain(50, 50), b"x"))]
    page = site.post("/app/gender/", data={"photo": files})
    assert page.status_code == 200
    check_html(page.text)
    whole = takes_whole_photos(model.recipe)  # then a photo without a face is read as one, too
    said = ["Taken for one face"] if whole else ["One face found", "No face was found"]
    for words in (*said, "not a photo"):
        assert words in page.text
    assert ("No face was found" in page.text) != whole
    first = page.text.split("</article>")[0]
    heads = re.findall(r'<th scope="col">(.*?)</th>', first)[1:]
    shown = re.findall(r'<img class="face" src="data:.*?,(.*?)" alt="(.*?)">', first)
    pictures = [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data, _ in shown]
    if model.draws:
        assert heads == ["Grey crop", "Recon&shy;struction", "Label and scores"]
        words = ["Grey crop of face 1", "Face 1 reconstructed from eigenfaces"]
        assert [picture.ndim for picture in pictures] == [2, 2]
    else:
        assert heads == ["Colour crop", "Label and scores"]
        words = ["Colour crop of face 1"]
        assert [picture.shape for picture in pictures] == [(150, 150, 3)]
        assert "no picture\n        can be reconstructed" in page.text
    assert [alt for _, alt in shown] == words


def holds(value: object, schema: str) -> None:
    reference = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(reference).validate(value)


def test_the_api_answers_as_it_is_described(site, name, model, photo):
    response = site.post("/api/v1/predict", data=photo, content_type="image/png")
    assert response.status_code == 200
    holds(response.json, "Answers")
    assert response.json["model"] == name
    (face,) = response.json["photos"][0]["faces"]
    assert set(face["scores"]) == set(model.labels)
    assert (face["label"] is None) == (face["reason"] is not None)


def test_the_api_lists_the_model(site, name, model):
    response = site.get("/api/v1/models")
    assert response.status_code == 200
    holds(response.json, "Models")
    (served,) = [item for item in response.json["models"] if item["served"]]
    assert (served["name"], served["labels"]) == (name, list(model.labels))
    assert served["lacks"] is None


def test_the_site_is_ready(site, name, model):
    assert site.get("/readyz").json == {"status": "ok", "model": name, "labels": list(model.labels)}
    assert site.get("/metrics").status_code == 200


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", NAMES[1:], indirect=True, scope="module")
def test_a_screen_of_the_dashboard_opens(name, screen):
    views = VIEWS.get(screen, []) if name in SEES_ALL else []
    for view in [{}, *views]:
        app = open_screen(screen, model=name, **view)
        assert not app.exception, view
        assert not app.error, view
        # an address that a screen does not know would open its first view
        assert all(app.session_state[k] == view[k] for k in view if k in app.session_state)
        assert app.sidebar.selectbox[0].value == name


@pytest.mark.parametrize("screen", UPLOADS)
def test_a_screen_of_the_dashboard_answers_a_photo(name, model, photo, screen):
    # a heat map of the network takes seconds, so one model has to do
    heat = "false" if name == "embedding" else "true"
    app = open_screen(screen, model=name, heat=heat, **UPLOADS[screen])
    if screen == "pages/2_Eigenfaces.py" and not model.draws:
        assert "no eigenfaces" in app.info[0].value
        return
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    assert not app.error
    assert [image for group in app.image for image in group.proto.imgs]


@pytest.fixture
def without_weights(at_the_doors) -> Iterator[None]:
    with use_weights(None):
        st.cache_resource.clear()
        yield
    st.cache_resource.clear()


@pytest.mark.usefixtures("without_weights")
@pytest.mark.parametrize("name", NETWORKS)
def test_without_weights_the_site_names_the_command_that_installs_them(name, photo):
    config = {"TESTING": True, "WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False}
    site = create_app({**config, "MODEL": name}).test_client()
    for path, status in {"/": 200, "/app/gender/": 503, f"/models/{name}": 200}.items():
        page = site.get(path)
        assert page.status_code == status
        check_html(page.text)
        assert embedding.INSTALL in unescape(page.text)
    assert site.get("/app/").status_code == 200
    assert embedding.INSTALL in unescape(site.get("/readyz").text)
    response = site.post("/api/v1/predict", data=photo, content_type="image/png")
    assert response.status_code == 503
    holds(response.json, "Problem")
    assert embedding.INSTALL in response.json["detail"]
    listed = site.get("/api/v1/models").json
    holds(listed, "Models")
    lacking = [item["name"] for item in listed["models"] if item["lacks"]]
    assert sorted(lacking) == NETWORKS
    assert not any(item["served"] for item in listed["models"])


@pytest.mark.usefixtures("without_weights")
@pytest.mark.parametrize("screen", SCREENS)
def test_without_weights_a_screen_names_the_command_that_installs_them(screen):
    app = open_screen(screen, model="own-embedding (needs an extra)")
    assert not app.exception
    assert embedding.INSTALL in app.error[0].value
