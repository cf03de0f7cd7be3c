"""The three usual fixtures of a Flask site, and a site that a test configures."""

import pytest
from corpus import draw_face, encode
from siteparts import write_made_models


@pytest.fixture(scope="session")
def made_artifacts(tmp_path_factory):
    """A folder of models with the two models `made` and `other`; not to be changed."""
    root = tmp_path_factory.mktemp("site") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECORE_ARTIFACTS", str(root))
        write_made_models()
    return root


@pytest.fixture
def make_app(made_artifacts, monkeypatch):
    """Build a site for a test, without CSRF and rate limits unless it asks for them."""
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(made_artifacts))
    from webapp import create_app

    def make(**config):
        quiet = {"TESTING": True, "WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False}
        return create_app(quiet | config)

    return make


@pytest.fixture
def app(make_app):
    return make_app()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def runner(app):
    return app.test_cli_runner()


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A photo with one face, drawn."""
    return encode(draw_face())
