"""Eight threads at once get the answers that one gets; for the dashboard, see its sessions."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from cartoons import LABELS, draw_photo, encode

from facecore.model.predict import predict_photo
from facecore.model.store import load_model
from webapp import create_app


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    return [encode(draw_photo(LABELS[i % 2], i), "PNG") for i in range(12)]


def at_once(ask, photos: list[bytes], count: int = 8) -> list:
    """Ask for every photo in each of several threads, each in an order of its own."""

    def work(start: int) -> list:
        order = [(start + i) % len(photos) for i in range(len(photos))]
        answers = {i: ask(photos[i]) for i in order}
        return [answers[i] for i in range(len(photos))]

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


@pytest.mark.parametrize("name", ["classic", "aligned"])
def test_the_library_answers_eight_threads_as_one(name, shipped, photos):
    model = load_model(name)

    def ask(photo: bytes) -> dict:
        return predict_photo(photo, model).to_dict()

    alone = [ask(photo) for photo in photos]
    assert sum(len(answer["faces"]) for answer in alone) >= 10
    assert all(answers == alone for answers in at_once(ask, photos))


def test_the_site_answers_eight_threads_as_one(tiny_artifacts, photos, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tiny_artifacts))
    app = create_app({"TESTING": True, "WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False})

    def ask(photo: bytes) -> str:
        form = {"photo": (io.BytesIO(photo), "a.png")}
        response = app.test_client().post("/app/gender/", data=form)
        assert response.status_code == 200
        return response.text[response.text.index('<div id="answers">') :]

    alone = [ask(photo) for photo in photos]
    assert len(set(alone)) == len(photos)
    assert all(answers == alone for answers in at_once(ask, photos))
