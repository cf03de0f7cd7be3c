"""Every tab of Grid search and Evaluation, for the shipped models of several members."""

import pytest
from screens import ROOT, SEARCH_TABS

from facecore.evaluation.report import evaluate_predictions
from facecore.model.store import read_metadata, read_model_table

GRID_SEARCH, EVALUATION = "pages/3_Grid_search.py", "pages/4_Evaluation.py"
EVALUATION_TABS = ("Confusion", "Curves", "Calibration", "Unsure", "Groups", "Compare")
pytestmark = pytest.mark.slow
MODELS = ("aligned", pytest.param("embedding", marks=pytest.mark.network))


@pytest.fixture(params=MODELS)
def name(request, tmp_path, monkeypatch) -> str:
    """A shipped model, in use beside the textbook one."""
    for model in (request.param, "classic"):
        folder = ROOT / "artifacts" / model
        if not (folder / "metadata.json").is_file():
            pytest.skip(f"the model that ships, artifacts/{model}, is not there yet")
        (tmp_path / model).symlink_to(folder)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path))
    return str(request.param)


def open_all(app, key: str, tabs: tuple[str, ...]) -> None:
    for tab in tabs:
        app.session_state[key] = tab
        app.run()
        assert not app.exception, tab
        assert not app.error, tab
        (shown,) = (t for t in app.tabs if t.label == tab)
        assert len(shown.children), tab


def test_every_tab_of_the_grid_search_opens(name, open_page):
    table = read_model_table("grid_search", name)
    member = read_metadata(name)["search"]["members"]
    app = open_page(GRID_SEARCH, model=name)
    assert app.segmented_control(key="search_member").options == list(member)
    shown = {metric.label: metric.value for metric in app.metric}
    first = table[table["param_member"].eq(next(iter(member)))]
    best = first.sort_values("rank_test_score").iloc[0]
    score = f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}"
    assert shown["Cross-validated score of the candidate"] == score
    open_all(app, "search_tab", SEARCH_TABS)


def test_every_tab_of_the_evaluation_opens(name, open_page):
    app = open_page(EVALUATION, model=name, other="classic")
    tables = {model: read_model_table("predictions", model) for model in (name, "classic")}
    expected = [
        f"{evaluate_predictions(table.fillna({'predicted': ''}))['accuracy_all']:.3f}"
        for table in tables.values()
    ]
    shown = [metric.value for metric in app.metric if metric.label == "Forced accuracy"]
    assert shown == expected
    open_all(app, "evaluation_tab", EVALUATION_TABS)
