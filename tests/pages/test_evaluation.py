"""Evaluation: every number on the page follows from the stored predictions."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from facecore.evaluation.curves import answers_at, brier_score, calibration_error, roc
from facecore.evaluation.groups import weakest_group
from facecore.evaluation.report import balanced_interval, evaluate_predictions
from facecore.model.rule import AnswerRule
from facecore.model.store import (
    read_evaluation,
    read_metadata,
    read_model_table,
    write_model,
)

PAGE = "pages/4_Evaluation.py"
TABS = ("Confusion", "Curves", "Calibration", "Unsure", "Groups", "Compare")


@pytest.fixture
def predictions(shipped) -> pd.DataFrame:
    table = pd.read_csv(shipped / "predictions.csv", keep_default_na=False, na_values=[""])
    return table.fillna({"age": "", "race": "", "predicted": ""})


def open_tab(app, tab: str):
    app.session_state["evaluation_tab"] = tab
    app.run()
    assert not app.exception
    return app


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def charts(app) -> dict[str, dict]:
    """Return the data and layout of each chart by its alternative text."""
    return {chart.proto.alt: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def interval(low: float, high: float) -> str:
    return f"{low:.3f} to {high:.3f}"


def test_the_metrics_are_those_of_all_stored_predictions(open_page, predictions):
    app = open_page(PAGE)
    assert not app.exception
    figures, shown = evaluate_predictions(predictions), metrics(app)
    assert shown == {
        "Photos": f"{len(predictions):,}",
        "Faces found": f"{predictions['detected'].sum():,}",
        "Accuracy": f"{figures['accuracy_all']:.3f}",
        "Balanced accuracy": f"{figures['balanced_accuracy_all']:.3f}",
        "AUC of male": f"{roc(predictions, 'male').area:.3f}",
        "Calibration error": f"{calibration_error(predictions):.3f}",
        "Brier score": f"{brier_score(predictions):.3f}",
        "Time per photo": f"{predictions['ms'].median():.0f} ms",
    }
    deltas = {metric.label: metric.delta for metric in app.metric}
    assert deltas["Accuracy"] == interval(*figures["interval_all"])
    assert deltas["Balanced accuracy"] == interval(*balanced_interval(figures["confusion"]))


@pytest.mark.parametrize("name", ["lfw", "utkface", "congress"])
def test_one_test_set_shows_the_figures_of_the_stored_evaluation(open_page, name):
    app = open_page(PAGE)
    app.selectbox(key="evaluation_set").set_value(name).run()
    assert not app.exception
    figures = read_evaluation("classic")[name]
    assert metrics(app)["Photos"] == f"{figures['n']:,}"
    assert metrics(app)["Accuracy"] == f"{figures['accuracy_all']:.3f}"
    assert metrics(app)["Balanced accuracy"] == f"{figures['balanced_accuracy_all']:.3f}"
    (heat,) = charts(app).values()
    text = json.dumps(heat["data"][0]["text"])
    for row in figures["confusion"].values():
        for count in row.values():
            assert f"{count:,}<br>{count / sum(row.values()):.1%}" in text
    assert list(heat["data"][0]["x"]) == ["female", "male", "no face"]


def test_the_positive_label_turns_the_curves(open_page, predictions):
    app = open_tab(open_page(PAGE), "Curves")
    app.segmented_control(key="evaluation_label").set_value("female").run()
    assert not app.exception
    assert metrics(app)["AUC of female"] == f"{roc(predictions, 'female').area:.3f}"
    alts = list(charts(app))
    assert alts == ["ROC curve of female", "Precision against recall of female"]
    names = [trace["name"] for trace in charts(app)["ROC curve of female"]["data"]]
    assert f"classic, AUC {roc(predictions, 'female').area:.3f}" in names


@pytest.mark.parametrize("tab", TABS)
def test_only_the_open_tab_is_drawn(open_page, tab):
    app = open_tab(open_page(PAGE), tab)
    assert [t.label for t in app.tabs] == list(TABS)
    for other in app.tabs:
        assert bool(len(other.children)) == (other.label == tab)


def test_scores_are_counted_for_every_face_found(open_page, predictions):
    app = open_tab(open_page(PAGE), "Calibration")
    scores = charts(app)["Histogram of the probability of male by true label, classic"]
    names = {trace["name"] for trace in scores["data"]}
    found = predictions[predictions["detected"]]["label"].value_counts()
    assert names == {f"{label} ({count:,})" for label, count in found.items()}
    patterns = {trace["marker"]["pattern"].get("shape", "") for trace in scores["data"]}
    assert len(patterns) == 2


@pytest.mark.parametrize("threshold", [0.5, 0.83, 1.0])
def test_unsure_trades_coverage_for_accuracy(open_page, predictions, threshold):
    app = open_tab(open_page(PAGE), "Unsure")
    app.slider(key="evaluation_unsure").set_value(threshold).run()
    assert not app.exception
    point, shown = answers_at(predictions, threshold), metrics(app)
    assert shown["Coverage"] == f"{point.coverage:.1%}"
    assert shown["Answered"] == f"{point.answered:,}"
    assert shown["Unsure"] == f"{point.unsure:,}"
    assert shown["No face"] == f"{point.no_face:,}"
    if point.answered:
        assert shown["Accuracy when answered"] == f"{point.accuracy:.1%}"


def test_unsure_starts_at_the_models_own_rule(open_page, ruled, predictions):
    app = open_tab(open_page(PAGE), "Unsure")
    assert app.slider(key="evaluation_unsure").value == 0.995
    assert metrics(app)["Coverage"] == f"{answers_at(predictions, 0.995).coverage:.1%}"
    assert any(
        caption.value.startswith(
            "The model itself gives no label to a face with a confidence below 0.995, or farther "
            "than 0.9 from face space. By that rule it answers "
        )
        for caption in app.caption
    )


def test_a_model_without_a_rule_is_said_to_have_none(
    open_page, shipped, shipped_model, tmp_path, monkeypatch
):
    metadata, evaluation = read_metadata(shipped.name), read_evaluation(shipped.name)
    tables = {"predictions": read_model_table("predictions", shipped.name)}
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "bold"))
    write_model("bold", replace(shipped_model, rule=AnswerRule()), metadata, tables, evaluation)
    app = open_tab(open_page(PAGE), "Unsure")
    words = "The model itself gives every face a label."
    assert any(caption.value.startswith(words) for caption in app.caption)


def test_groups_of_a_table_that_says_what_was_answered_have_their_coverage(
    open_page, copy_model, shipped, predictions
):
    scores = predictions[["p_female", "p_male"]].max(axis=1)
    table = predictions.assign(answered=scores >= 0.9)
    copy_model(shipped, "classic", predictions=table)
    app = open_tab(open_page(PAGE), "Groups")
    groups = evaluate_predictions(table)["groups"]
    headers = [header.value for header in app.subheader]
    assert headers == ["Label", "Age", "Race", "Label and age", "Label and race"]
    for frame, found in zip(app.dataframe[:3], groups.values(), strict=True):
        shown = frame.value.set_index("group")
        assert shown["coverage"].to_dict() == {n: g["coverage"] for n, g in found.items()}
        right = {n: g["accuracy_answered"] for n, g in found.items()}
        assert shown["accuracy when answered"].to_dict() == right


def test_groups_show_the_stored_counts_and_intervals(open_page):
    app = open_page(PAGE)
    app.selectbox(key="evaluation_set").set_value("utkface")
    open_tab(app, "Groups")
    stored = read_evaluation("classic")["utkface"]["groups"]
    assert len(stored) == 3
    for frame, (_, groups) in zip(app.dataframe[:3], stored.items(), strict=True):
        table = frame.value.set_index("group")
        assert table["photos"].to_dict() == {name: g["n"] for name, g in groups.items()}
        assert table["accuracy"].to_dict() == {n: g["accuracy_all"] for n, g in groups.items()}
        for name, group in groups.items():
            assert table.loc[name, "95 % interval"] == interval(*group["interval_all"])


def test_labels_within_groups_have_their_figures_intervals_and_weakest(open_page, predictions):
    app = open_page(PAGE)
    app.selectbox(key="evaluation_set").set_value("utkface")
    open_tab(app, "Groups")
    crossed = evaluate_predictions(predictions[predictions["set"].eq("utkface")])["crossed"]
    assert len(app.dataframe) == 5
    for frame, trait in zip(app.dataframe[3:], ("age", "race"), strict=True):
        cells = [cell for cell in crossed if cell["trait"] == trait]
        shown = frame.value
        for column, key in (
            ("label", "label"),
            (trait, "group"),
            ("photos", "n"),
            ("accuracy", "accuracy_all"),
            ("coverage", "coverage"),
            ("accuracy when answered", "accuracy_answered"),
        ):
            assert shown[column].tolist() == [cell[key] for cell in cells]
        limits = [interval(*cell["interval_all"]) for cell in cells]
        assert shown["95 % interval"].tolist() == limits
        weakest = weakest_group(cells)
        words = f"{weakest['label']}, {weakest['group']}: {weakest['accuracy_all']:.3f}"
        assert any(words in caption.value for caption in app.caption)
        traces = charts(app)[
            f"Accuracy of each label within each group by {trait}, with 95 % intervals"
        ]["data"]
        assert [trace["name"] for trace in traces] == ["female", "male"]
        hollow = [symbol.endswith("-open") for t in traces for symbol in t["marker"]["symbol"]]
        assert hollow == [cell["n"] < 50 for cell in cells]


def test_labels_within_groups_of_two_models_are_side_by_side(
    open_page, copy_model, shipped, predictions
):
    copy_model(shipped, "classic")
    copy_model(shipped, "other", predictions=predictions.iloc[::2])
    app = open_page(PAGE, other="other", evaluation_tab="Groups")
    assert not app.exception
    frame = app.dataframe[3].value
    assert frame["model"].tolist() == ["classic", "other"] * (len(frame) // 2)
    assert (frame["age"].iloc[::2].to_numpy() == frame["age"].iloc[1::2].to_numpy()).all()
    words = next(c.value for c in app.caption if c.value.startswith("Weakest"))
    assert "classic: male, 13-19" in words
    assert "; other: " in words


def test_photos_of_nobody_known_have_no_groups(open_page):
    app = open_page(PAGE)
    app.selectbox(key="evaluation_set").set_value("congress")
    open_tab(app, "Groups")
    assert "labels.csv" in app.info[0].value
    assert app.code[0].value.startswith("python -m facecore train")


def test_a_small_model_of_the_visitor_shows_every_tab(open_page, in_tiny_artifacts):
    app = open_page(PAGE)
    stored = read_model_table("predictions", "tiny")
    assert metrics(app)["Photos"] == f"{len(stored):,}"
    for tab in TABS:
        open_tab(app, tab)


def test_three_labels_show_every_tab(open_page, copy_model, tiny_artifacts):
    rng = np.random.default_rng(0)
    P = rng.dirichlet([1, 1, 1], 60)
    labels = ["round", "square", "wide"]
    table = pd.DataFrame(P.round(6), columns=[f"p_{label}" for label in labels])
    table = table.assign(
        set="drawn",
        label=rng.choice(labels, 60),
        detected=np.arange(60) % 10 != 0,
        ms=1.0,
        age="",
        race="",
        predicted=np.array(labels)[P.argmax(axis=1)],
    )
    unseen = ~table["detected"]
    table.loc[unseen, "predicted"] = ""
    table.loc[unseen, [f"p_{label}" for label in labels]] = np.nan
    copy_model(tiny_artifacts / "tiny", "tiny", predictions=table)
    app = open_page(PAGE)
    assert app.segmented_control(key="evaluation_label").options == labels
    for tab in TABS:
        open_tab(app, tab)
    open_tab(app, "Unsure")
    assert app.slider(key="evaluation_unsure").min == 0.33


def test_two_models_stand_side_by_side(open_page, copy_model, shipped, predictions):
    fewer = predictions.iloc[::2]
    copy_model(shipped, "classic")
    copy_model(shipped, "other", predictions=fewer)
    app = open_page(PAGE)
    app.selectbox(key="other").set_value("other").run()
    assert not app.exception
    assert "different photos" in app.warning[0].value
    first, second = evaluate_predictions(predictions), evaluate_predictions(fewer)
    photos = [metric for metric in app.metric if metric.label == "Photos"]
    assert [metric.value for metric in photos] == ["4,322", "2,161"]
    assert photos[1].delta == "-2,161"
    accuracy = [metric for metric in app.metric if metric.label == "Accuracy"][1]
    change = second["accuracy_all"] - first["accuracy_all"]
    assert accuracy.value == f"{second['accuracy_all']:.3f}"
    assert float(accuracy.delta) == pytest.approx(change, abs=6e-4)
    for tab in TABS:
        open_tab(app, tab)
    dashes = [
        trace["line"].get("dash")
        for trace in charts(open_tab(app, "Curves"))["ROC curve of male"]["data"]
    ]
    assert len(set(dashes)) == 3


def test_two_models_tested_on_as_many_photos_need_no_warning(open_page, copy_model, shipped):
    copy_model(shipped, "classic")
    copy_model(shipped, "other")
    app = open_page(PAGE)
    app.selectbox(key="other").set_value("other").run()
    assert not app.exception
    assert not app.warning
    assert {metric.delta for metric in app.metric if metric.label == "Brier score"} == {"", "0"}


def test_models_that_cannot_be_compared_are_told_apart(
    open_page, copy_model, shipped, tiny_artifacts, predictions
):
    copy_model(shipped, "classic")
    copy_model(tiny_artifacts / "tiny", "tiny")
    copy_model(shipped, "untested", predictions=None)
    copy_model(shipped, "elsewhere", predictions=predictions.assign(set="elsewhere"))
    app = open_page(PAGE)
    app.selectbox(key="other").set_value("tiny").run()
    assert "has other labels: round, square" in app.warning[0].value
    app.selectbox(key="other").set_value("untested").run()
    assert "untested was stored without the table predictions.csv" in app.info[0].value
    app.selectbox(key="evaluation_set").set_value("lfw")
    app.selectbox(key="other").set_value("elsewhere").run()
    assert "elsewhere was not tested on lfw" in app.warning[0].value
    assert len([metric for metric in app.metric if metric.label == "Photos"]) == 1
    assert not app.exception


def test_another_model_with_other_sets_and_labels_can_be_chosen(
    open_page, copy_model, shipped, tiny_artifacts
):
    copy_model(shipped, "classic")
    copy_model(tiny_artifacts / "tiny", "tiny")
    app = open_page(PAGE)
    app.selectbox(key="evaluation_set").set_value("lfw").run()
    app.sidebar.selectbox[0].set_value("tiny").run()
    assert not app.exception
    assert app.selectbox(key="evaluation_set").value == "all"
    assert "AUC of square" in metrics(app)


@pytest.mark.parametrize("unknown", ["child", "Male"])
def test_photos_whose_label_the_model_does_not_know_are_told_and_left_out(
    unknown, open_page, copy_model, shipped, predictions
):
    spoilt = predictions.copy()
    spoilt.loc[spoilt.index[:5], "label"] = unknown
    copy_model(shipped, "classic", predictions=spoilt)
    app = open_page(PAGE)
    assert not app.exception
    assert f"left out: 5 photos of labels that the model does not know: {unknown} (5)" in (
        app.warning[0].value
    )
    assert metrics(app)["Photos"] == f"{len(predictions) - 5:,}"


def test_a_model_without_predictions_names_the_command(open_page, copy_model, shipped):
    copy_model(shipped, "classic", predictions=None)
    app = open_page(PAGE)
    assert not app.exception
    assert "without the table predictions.csv" in app.info[0].value
    assert app.code[0].value == "python -m facecore train PHOTOS --name my-model"


@pytest.mark.filterwarnings("ignore::facecore.errors.ModelWarning")
def test_a_damaged_table_is_named_and_the_command_that_makes_it_shown(
    open_page, copy_model, shipped
):
    root = copy_model(shipped, "classic")
    (root / "classic" / "predictions.csv").write_text("set,label\nlfw,male\n")
    app = open_page(PAGE)
    assert not app.exception
    assert "predictions.csv does not match its checksum" in app.warning[0].value
    assert app.code[0].value.startswith("python -m facecore train")
