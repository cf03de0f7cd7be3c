"""Your data: would more photos help, and the experiment log."""

import base64
import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facecore.model.store import store_table
from facecore.training.learning_forecast import Hits, describe_curve, tabulate_curve
from facecore.training.runs import begin_run, log_run, read_runs, runs_file

PAGE = "pages/6_Your_data.py"


@pytest.fixture
def models(tmp_path, monkeypatch, tiny_artifacts) -> Path:
    """A folder of models of the test's own with one small model, and a folder of jobs."""
    root = tmp_path / "artifacts"
    shutil.copytree(tiny_artifacts / "tiny", root / "tiny")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    monkeypatch.setenv("FACECORE_WORK", str(tmp_path / "work"))
    return root


def said(app) -> str:
    groups = (app.markdown, app.caption, app.info, app.warning, app.error, app.header)
    return "\n".join(str(element.value) for group in groups for element in group)


def curve(labels, better: float) -> pd.DataFrame:
    """The table of made answers that get better with the share."""
    y = np.repeat(labels, 60)
    rng = np.random.default_rng(0)
    luck = rng.uniform(size=len(y))
    hits = []
    for share in (0.25, 0.354, 0.5, 0.707, 1.0):
        for label in (None, *labels) if share in (0.25, 0.5) else (None,):
            right = luck < 0.9 + better * (np.log2(share) if label is None else share - 1)
            counts = {name: 48 * share if label in (None, name) else 48.0 for name in labels}
            score = float(np.mean([right[y == name].mean() for name in labels]))
            hits.append(Hits(share, label, counts, right, score))
    return tabulate_curve(hits, y, np.arange(len(y)).astype(str))


def figure_of(app, key: str):
    (chart,) = [one for one in app.get("plotly_chart") if key in one.proto.id]
    return json.loads(chart.proto.spec)


def values(numbers) -> list[float]:
    """Return the numbers of a trace, which plotly may have packed."""
    if isinstance(numbers, dict):
        data = base64.b64decode(numbers["bdata"])
        return np.frombuffer(data, numbers["dtype"]).tolist()
    return numbers


@pytest.mark.parametrize("better", [0.0, 0.1])
def test_a_stored_curve_is_shown_with_its_sentences_and_views(open_page, models, better):
    table = curve(["*a*", "b", "c"], better)
    store_table("tiny", "learning_curve", table)
    app = open_page(PAGE, model="tiny")
    assert not app.exception
    first, *rest = describe_curve(table)
    told = said(app).replace("\\", "").replace("\u2060", "")
    assert first in told
    assert all(line in told for line in rest)
    assert ("would not help" in first) == (better == 0)
    names = [trace.get("name") for trace in figure_of(app, "curve-figure")["data"]]
    assert "measured" in names
    for view, kind in (("Recall of each label", "recall"), ("One label alone", "label")):
        app.segmented_control(key="curve_view").set_value(view).run()
        assert not app.exception
        figure = figure_of(app, "curve-figure")
        drawn = [trace for trace in figure["data"] if trace.get("name")]
        assert [trace["name"] for trace in drawn] == ["*a*", "b", "c"]
        rows = table[table["kind"].eq(kind) & table["label"].eq("b")]
        assert values(drawn[1]["y"]) == pytest.approx(rows["score"].tolist())


def test_it_is_measured_on_the_photos_that_are_chosen_above(
    open_page, models, crops_folder, monkeypatch
):
    started = []
    monkeypatch.setattr("ui.learning.start_curve", lambda *given: started.append(given))
    app = open_page(PAGE, model="tiny")
    assert "Not measured yet: choose the photos that tiny was trained on" in said(app)
    app.segmented_control(key="data_from").set_value("Folder").run()
    app.text_input(key="data_folder").set_value(str(crops_folder)).run()
    assert "About" in said(app)  # how long it takes, before it starts
    app.button(key="curve_start").click().run()
    assert not app.exception
    assert started == [("tiny", crops_folder)]


def test_it_is_measured_on_the_folder_of_crops_that_it_was_trained_on(
    open_page, models, crops_folder, tmp_path, monkeypatch
):
    started = []
    monkeypatch.setattr("ui.learning.start_curve", lambda *given: started.append(given))
    folder = tmp_path / "work" / "training"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps({"code": 0, "error": ""}))
    job = {"name": "tiny", "began": 0.0, "crops": str(crops_folder), "commands": [["train"]]}
    (folder / "job.json").write_text(json.dumps(job))
    app = open_page(PAGE, model="tiny")
    app.button(key="curve_start").click().run()
    assert not app.exception
    assert started == [("tiny", crops_folder)]
    # the crops of a ZIP are removed at the end, and their table alone stays
    (folder / "job.json").write_text(json.dumps(job | {"commands": [["crop"], ["train"]]}))
    app = open_page(PAGE, model="tiny")
    assert "curve_start" not in {button.key for button in app.button}
    assert "Photos of a ZIP are removed when its training ends" in said(app)


def test_a_model_that_ships_says_that_it_has_no_photos(open_page, models, tiny_artifacts):
    shutil.copytree(tiny_artifacts / "tiny", models / "classic")
    app = open_page(PAGE, model="classic")
    assert not app.exception
    assert "ships without the photos that it was trained on" in said(app)
    assert "curve_start" not in {button.key for button in app.button}


def test_the_curve_can_be_asked_for_with_the_training(open_page, models, crops_folder, monkeypatch):
    started = []
    monkeypatch.setattr(
        "facecore.training.start_training", lambda *names, **how: started.append(how)
    )
    app = open_page(PAGE)
    app.segmented_control(key="data_from").set_value("Folder").run()
    app.text_input(key="data_folder").set_value(str(crops_folder)).run()
    app.checkbox(key="train_curve").check().run()
    app.button(key="train_start").click().run()
    assert not app.exception
    assert started[0]["curve"] is True


@pytest.fixture
def logged(models):
    """A log of two trainings with scores, one that failed, and a damaged line."""
    for number, score in (("1", 0.81), ("2", 0.84)):
        begin_run(number, f"*m*{number}", {"recipe": "classic", "seed": int(number), "grid": "q"})
        best = {"": {"C": float(number), "gamma": 0.003}}
        scores = {"score": score, "std": 0.02, "minutes": 1.5, "best": best, "checksum": "x"}
        log_run({"run": number, "state": "done", **scores})
    begin_run("3", "mine", {"recipe": "aligned"})
    log_run({"run": "3", "state": "failed", "reason": "no face to train on", "minutes": 0.1})
    with open(runs_file(), "ab") as file:
        file.write(b"no json\n")


def test_trainings_are_a_table_a_figure_and_a_file(open_page, logged, downloads):
    app = open_page(PAGE)
    assert not app.exception
    (table,) = [t.value for t in app.dataframe if "minutes" in t.value]
    assert set(table["name"]) == {"*m*1", "*m*2", "mine"}
    assert table.set_index("name").loc["*m*2", "score"] == 0.84
    assert table.set_index("name").loc["*m*2", "model"] == "deleted since"
    assert table.set_index("name").loc["mine", "reason"] == "no face to train on"
    assert "Damaged lines of the log that are left out: 1." in said(app)
    (trace,) = figure_of(app, "runs-figure")["data"]
    assert sorted(values(trace["y"])) == [0.81, 0.84]
    app.segmented_control(key="runs_figure").set_value("Score against minutes").run()
    (trace,) = figure_of(app, "runs-figure")["data"]
    assert values(trace["x"]) == [1.5, 1.5]
    app.segmented_control(key="runs_figure").set_value("Score against a setting").run()
    app.segmented_control(key="runs_setting").set_value("C").run()
    assert not app.exception
    figure = figure_of(app, "runs-figure")
    drawn = zip(values(figure["data"][0]["x"]), values(figure["data"][0]["y"]), strict=True)
    assert sorted(drawn) == [(1, 0.81), (2, 0.84)]
    assert figure["layout"]["xaxis"]["title"]["text"] == "C"
    assert figure["layout"]["yaxis"]["title"]["text"] == "Cross-validated score of the model"
    rows = list(csv.DictReader(io.StringIO(downloads["facecore_runs.csv"].decode("utf-8-sig"))))
    assert {row["name"]: row["C"] for row in rows} == {"*m*1": "1.0", "*m*2": "2.0", "mine": ""}
    app.multiselect(key="runs_columns").set_value(["name", "C"]).run()
    assert any(list(t.value.columns) == ["name", "C"] for t in app.dataframe)


def test_two_trainings_are_compared_by_what_differs(open_page, logged):
    app = open_page(PAGE)
    options = app.multiselect(key="runs_compare").options
    both = [option for option in options if "*m*" in option]
    app.multiselect(key="runs_compare").set_value(both).run()
    assert not app.exception
    (table,) = [t.value for t in app.dataframe if "differs" in t.value]
    assert set(table["what"]) == {"score", "seed", "C"}
    app.checkbox(key="runs_same").check().run()
    (table,) = [t.value for t in app.dataframe if "differs" in t.value]
    assert "gamma" in set(table["what"])


def test_the_log_can_be_deleted(open_page, logged):
    app = open_page(PAGE)
    app.button(key="runs_delete").click().run()
    assert not app.exception
    assert read_runs().runs == []
    assert "None so far" in said(app)
