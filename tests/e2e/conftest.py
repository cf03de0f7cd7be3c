"""Fixtures of the tests in a browser."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def server(tmp_path_factory, shipped) -> Iterator[str]:
    """The dashboard with the shipped model, twice, in a folder of models of its own."""
    from benchmarks.chromium import serve_dashboard

    root = tmp_path_factory.mktemp("dashboard")
    (root / "models").mkdir()
    for name in ("classic", "second"):
        (root / "models" / name).symlink_to(shipped, target_is_directory=True)
    environment = {
        "FACECORE_ARTIFACTS": str(root / "models"),
        "FACECORE_WORK": str(root / "work"),
    }
    with serve_dashboard(environment) as (address, _):
        yield address
