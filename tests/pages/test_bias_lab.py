"""Bias lab: a question first, then what both trainings make of the same faces."""

import json
from dataclasses import replace

import pytest

from facecore.model.store import load_model, read_metadata, write_model
from facecore.training import Skew, describe_trial, hit_by, try_skew
from ui.text import as_is

PAGE = "pages/14_Bias_lab.py"


def said(app) -> str:
    groups = (app.markdown, app.caption, app.info, app.success)
    return "\n".join(str(e.value) for group in groups for e in group)


def press(app, text: str):
    next(button for button in app.button if button.label == text).click().run()
    assert not app.exception
    return app


def test_the_question_comes_first_and_the_answer_is_computed(open_page):
    app = open_page(PAGE, bias_faces="100")
    assert not app.exception
    assert "**Skewed:** 10 female, 90 male" in said(app)
    assert not app.get("plotly_chart")
    trial = try_skew(load_model("classic"), ["female", "male"], Skew("few", "female", 9), 100)
    assert hit_by(trial) == "neglected"
    press(app, "Faces of label female")
    assert app.success[0].value == "**Faces of label female.**"
    assert [text.value for text in app.markdown if text.value.startswith("**Of faces")] == [
        f"**{as_is(describe_trial(trial)[0])}**"
    ]
    for line in describe_trial(trial):
        assert line.split("(")[0] in said(app)
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    rare = [trace["x"] for trace in figure["data"]]
    counts = app.dataframe[0].value.set_index("test faces").loc["female"]
    assert counts["number"] == 300
    assert counts["skewed: right"] == trial.skewed.right[trial.test_labels == 0].sum()
    assert len(rare) == 2
    press(app, "Ask again")
    press(app, "Neither: about as many as before")
    assert 'You said: "Neither: about as many as before."' in said(app)


@pytest.mark.parametrize("skew", ["Only one kind", "A giveaway"])
def test_every_view_of_a_skew_by_a_trait_is_drawn(open_page, skew):
    app = press(open_page(PAGE, bias=skew, bias_faces="100"), "Show the answer")
    assert "eigenface 13 (mouth and chin)" in app.selectbox(key="bias_trait").options
    for view in ("Training faces", "Mean faces", "Eigenfaces"):
        app.segmented_control(key="bias_show").set_value(view).run()
        assert not app.exception
        assert len(app.get("image") or app.get("imgs")) >= 3
    assert "skewed eigenfaces are like one of the fair ones" in said(app)
    app.segmented_control(key="bias_show").set_value("What helps").run()
    assert not app.exception
    assert app.dataframe[0].value["faces"].tolist() == [100, 100, 400, 50]


def test_of_many_labels_the_first_take_part(open_page, in_many):
    app = press(open_page(PAGE, model="many", bias_ratio="3"), "Show the answer")
    assert "The first 7 of the 12 labels take part." in said(app)
    assert app.dataframe[0].value["test faces"].tolist()[1:8] == [f"s{i}" for i in range(1, 8)]


def test_a_model_without_a_spread_says_so(open_page, shipped_model, tmp_path, monkeypatch):
    metadata = read_metadata("classic")
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "models"))
    write_model("flat", replace(shipped_model, spread=None), metadata, {}, None)
    app = open_page(PAGE, model="flat")
    assert not app.exception
    assert "stores no spread" in said(app)
