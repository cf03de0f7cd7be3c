"""Evaluation: every number on the page follows from the stored predictions."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cartoons import draw_face
from streamlit.proto.Metric_pb2 import Metric as MetricProto
from streamlit.testing.v1 import AppTest

from facecore.evaluation.comparison import compare_pair, write_comparison
from facecore.evaluation.curves import (
    answers_at,
    brier_score,
    calibration_error,
    risk_coverage,
    risk_figures,
    roc,
)
from facecore.evaluation.frame import metric_frame
from facecore.evaluation.gaps import trait_gaps
from facecore.evaluation.groups import crossed_groups, figures_by_trait, weakest_group
from facecore.evaluation.report import UNSURE, balanced_interval, evaluate_predictions
from facecore.evaluation.thresholds import equal_coverage, equal_recall
from facecore.evaluation.together import Together
from facecore.model.rule import AnswerRule
from facecore.model.store import (
    read_evaluation,
    read_metadata,
    read_model_table,
    write_model,
)
from facecore.system import with_minus
from facecore.training.arrays import train_arrays

PAGE = "pages/4_Evaluation.py"
TABS = ("Confusion", "Curves", "Calibration", "Unsure", "Groups", "Compare")


@pytest.fixture
def predictions(shipped) -> pd.DataFrame:
    table = pd.read_csv(shipped / "predictions.csv", keep_default_na=False, na_values=[""])
    return table.fillna({"age": "", "race": "", "predicted": ""})


@pytest.fixture
def open_at(open_page) -> Callable[..., AppTest]:
    """Open the page at one of its tabs, by its address."""

    def open_(tab: str, **address: str) -> AppTest:
        app = open_page(PAGE, evaluation_tab=tab, **address)
        assert not app.exception
        return app

    return open_


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


def numbers(values: dict | list) -> np.ndarray:
    """Return the numbers of an axis, which plotly may have packed."""
    if isinstance(values, list):
        return np.array(values)
    return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])


def interval(low: float, high: float) -> str:
    return with_minus(f"{low:.3f} to {high:.3f}")


def test_the_metrics_are_those_of_all_stored_predictions(open_page, predictions):
    app = open_page(PAGE)
    assert not app.exception
    figures, shown = evaluate_predictions(predictions), metrics(app)
    assert shown == {
        "Answered": f"{figures['coverage']:.3f}",
        "Right when answered": f"{figures['accuracy_answered']:.3f}",
        "Forced accuracy": f"{figures['accuracy_all']:.3f}",
        "Photos": f"{len(predictions):,}",
        "Faces found": f"{predictions['detected'].sum():,}",
        "Balanced accuracy": f"{figures['balanced_accuracy_all']:.3f}",
        "AUC of male": f"{roc(predictions, 'male').area:.3f}",
        "Calibration error": f"{calibration_error(predictions):.3f}",
        "Brier score": f"{brier_score(predictions):.3f}",
        "Risk-coverage area": f"{risk_figures(predictions)['aurc']:.4f}",
        "Time per photo": f"{predictions['ms'].median():.0f} ms",
    }
    assert list(shown)[:3] == ["Answered", "Right when answered", "Forced accuracy"]
    deltas = {metric.label: metric.delta for metric in app.metric}
    assert deltas["Right when answered"] == interval(*figures["interval_answered"])
    assert deltas["Forced accuracy"] == interval(*figures["interval_all"])
    assert deltas["Balanced accuracy"] == interval(*balanced_interval(figures["confusion"]))


def test_one_test_set_shows_the_figures_of_the_stored_evaluation(open_page):
    app = open_page(PAGE, evaluation_answers="Forced")
    for name in ("lfw", "utkface", "congress"):
        app.selectbox(key="evaluation_set").set_value(name).run()
        assert not app.exception
        figures = read_evaluation("classic")[name]
        assert metrics(app)["Photos"] == f"{figures['n']:,}"
        assert metrics(app)["Forced accuracy"] == f"{figures['accuracy_all']:.3f}"
        assert metrics(app)["Balanced accuracy"] == f"{figures['balanced_accuracy_all']:.3f}"
        check_matrix(app, figures["confusion"], ["female", "male", "no face"])


def check_matrix(app, confusion: dict, answers: list[str]) -> None:
    """Check that the page shows a confusion matrix, cell by cell."""
    (heat,) = charts(app).values()
    assert list(heat["data"][0]["x"]) == answers
    texts = [
        [f"{count:,}<br>{count / sum(row.values()):.1%}" for count in row.values()]
        for row in confusion.values()
    ]
    assert heat["data"][0]["text"] == texts
    written = {(cell["y"], cell["x"]): cell["text"] for cell in heat["layout"]["annotations"]}
    assert written == {(i, j): text for i, row in enumerate(texts) for j, text in enumerate(row)}


def test_the_confusion_has_the_unsure_by_the_models_own_rule(open_page, predictions):
    app = open_page(PAGE)
    confusion = evaluate_predictions(predictions)["confusion_answered"]
    check_matrix(app, confusion, ["female", "male", "unsure", "no face"])
    unsure = predictions[predictions["detected"] & ~predictions["answered"]]
    counts = unsure["label"].value_counts()
    assert {label: row[UNSURE] for label, row in confusion.items()} == counts.to_dict()


def test_a_label_that_is_called_unsure_keeps_its_column():
    from ui.evaluation import confusion_heat

    confusion = {"unsure": {"unsure": 3, UNSURE: 2, "no face": 0}}
    assert list(confusion_heat(confusion).data[0].x) == ["unsure", UNSURE, "no face"]


def test_a_table_that_does_not_say_what_was_answered_is_shown_as_it_was(
    open_page, copy_model, shipped, predictions
):
    copy_model(shipped, "classic", predictions=predictions.drop(columns="answered"))
    app = open_page(PAGE)
    assert not app.exception
    figures = evaluate_predictions(predictions.drop(columns="answered"))
    check_matrix(app, figures["confusion"], ["female", "male", "no face"])
    assert any("stored by an older version" in caption.value for caption in app.caption)
    assert (metrics(app)["Answered"], metrics(app)["Right when answered"]) == ("—", "—")
    for tab in TABS:
        open_tab(app, tab)


def test_the_positive_label_turns_the_curves(open_at, predictions):
    app = open_at("Curves")
    app.segmented_control(key="evaluation_label").set_value("female").run()
    assert not app.exception
    assert metrics(app)["AUC of female"] == f"{roc(predictions, 'female').area:.3f}"
    alts = list(charts(app))
    assert alts == ["ROC curve of female", "Precision against recall of female"]
    names = [trace["name"] for trace in charts(app)["ROC curve of female"]["data"]]
    assert f"classic, AUC {roc(predictions, 'female').area:.3f}" in names


@pytest.mark.parametrize("tab", TABS)
def test_only_the_open_tab_is_drawn(open_at, tab):
    app = open_at(tab)
    assert [t.label for t in app.tabs] == list(TABS)
    for other in app.tabs:
        assert bool(len(other.children)) == (other.label == tab)


def test_scores_are_counted_for_every_face_found(open_at, predictions):
    app = open_at("Calibration")
    scores = charts(app)["Histogram of the probability of male by true label, classic"]
    names = {trace["name"] for trace in scores["data"]}
    found = predictions[predictions["detected"]]["label"].value_counts()
    assert names == {f"{label} ({count:,})" for label, count in found.items()}
    patterns = {trace["marker"]["pattern"].get("shape", "") for trace in scores["data"]}
    assert len(patterns) == 2


def test_unsure_trades_coverage_for_accuracy(open_at, predictions):
    app = open_at("Unsure")
    for threshold in (0.5, 0.83, 1.0):
        app.slider(key="evaluation_unsure").set_value(threshold).run()
        assert not app.exception
        point, shown = answers_at(predictions, threshold), metrics(app)
        assert shown["Coverage"] == f"{point.coverage:.1%}"
        assert shown["Photos answered"] == f"{point.answered:,}"
        assert shown["Unsure"] == f"{point.unsure:,}"
        assert shown["No face"] == f"{point.no_face:,}"
        if point.answered:
            assert right_when_answered(app) == f"{point.accuracy:.1%}"


def right_when_answered(app) -> str:
    """Return what the tab Unsure shows, below the headline of the same name."""
    return [metric.value for metric in app.metric if metric.label == "Right when answered"][-1]


def test_the_risk_coverage_curve_has_its_area_beside_random_and_ideal_order(open_at, predictions):
    app = open_at("Unsure")
    figures, shown = risk_figures(predictions), metrics(app)
    assert shown["Area under the curve"] == f"{figures['aurc']:.4f}"
    assert shown["In a random order"] == f"{figures['random']:.4f}"
    assert shown["In the ideal order"] == f"{figures['ideal']:.4f}"
    assert shown["Excess over the ideal"] == f"{figures['excess']:.4f}"
    (figure,) = charts(app).values()
    curve, random, ideal = figure["data"][:3]
    whole = risk_coverage(predictions).iloc[-1]
    assert numbers(curve["x"])[-1] == pytest.approx(whole["coverage"])
    for line in (curve, ideal):
        assert numbers(line["y"])[-1] == pytest.approx(figures["random"])
    assert numbers(random["y"]) == pytest.approx(figures["random"])
    assert (numbers(ideal["y"]) <= numbers(curve["y"]) + 1e-9).all()


def test_unsure_starts_at_the_models_own_rule(open_at, ruled, predictions):
    app = open_at("Unsure")
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
    open_at, shipped, shipped_model, tmp_path, monkeypatch
):
    metadata, evaluation = read_metadata(shipped.name), read_evaluation(shipped.name)
    tables = {"predictions": read_model_table("predictions", shipped.name)}
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "bold"))
    write_model("bold", replace(shipped_model, rule=AnswerRule()), metadata, tables, evaluation)
    app = open_at("Unsure")
    words = "The model itself gives every face a label."
    assert any(caption.value.startswith(words) for caption in app.caption)
    app = open_at("Confusion")
    assert any(caption.value.startswith(words) for caption in app.caption)
    (heat,) = charts(app).values()
    assert list(heat["data"][0]["x"]) == ["female", "male", "no face"]


def on_utkface(open_page, **address):
    app = open_page(PAGE, **address)
    app.selectbox(key="evaluation_set").set_value("utkface")
    return open_tab(app, "Groups")


def test_groups_show_the_stored_counts_and_intervals(open_page):
    app = on_utkface(open_page)
    headers = [header.value for header in app.header]
    assert headers[1:] == ["Label", "Age", "Race", "Label and age", "Label and race"]
    stored = read_evaluation("classic")["utkface"]["groups"]
    assert len(stored) == 3
    for frame, groups in zip(app.dataframe[1:4], stored.values(), strict=True):
        table = frame.value.set_index("group")
        for column, key in (
            ("photos", "n"),
            ("forced accuracy", "accuracy_all"),
            ("answered", "coverage"),
            ("right when answered", "accuracy_answered"),
        ):
            assert table[column].to_dict() == {name: g[key] for name, g in groups.items()}
        for name, group in groups.items():
            assert table.loc[name, "95% interval"] == interval(*group["interval_all"])


def test_on_all_sets_every_figure_of_groups_is_of_one_set(open_at, predictions):
    app = open_at("Groups")
    labels = app.dataframe[1].value
    assert labels["test set"].tolist() == [s for s in predictions["set"].unique() for _ in "fm"]
    for name, rows in labels.groupby("test set"):
        found = figures_by_trait(predictions[predictions["set"].eq(name)])["label"]
        assert rows.set_index("group")["forced accuracy"].to_dict() == {
            label: figures["accuracy_all"] for label, figures in found.items()
        }


def references(figure: dict) -> list[float]:
    """Return where the dotted lines of a figure stand, panel by panel."""
    return [shape["x0"] for shape in figure["layout"]["shapes"]]


def test_the_reference_line_is_the_accuracy_of_the_photos_that_carry_the_group(
    open_at, predictions
):
    shown = charts(open_at("Groups"))
    right = predictions["predicted"].eq(predictions["label"])
    known = predictions["age"].ne("")
    assert 0 < known.sum() < len(predictions)
    for alt in (
        "Accuracy of each group by age in each test set, with 95% intervals",
        "Accuracy of each label within each group by age, with 95% intervals",
    ):
        assert references(shown[alt]) == pytest.approx([right[known].mean()], abs=1e-4)
    labels = shown["Accuracy of each group by label in each test set, with 95% intervals"]
    by_set = right.groupby(predictions["set"]).mean()
    sets = predictions["set"].unique()
    assert references(labels) == pytest.approx([by_set[name] for name in sets], abs=1e-4)


def test_a_gap_that_all_sets_together_would_hide_is_warned_of(open_at, predictions):
    app = open_at("Groups")
    gap = trait_gaps(predictions)[0]
    assert (gap["trait"], gap["agreement"]["agree"]) == ("label", False)
    (warning,) = app.warning
    assert "do not agree on the gap by label in forced accuracy (p < 0.001" in warning.value
    for found in gap["sets"]:
        assert f"in {found['set']} {found['worst']} is {found['gap']:.3f} below" in warning.value
    assert f"together would show {gap['agreement']['together']:.3f}" in warning.value
    table = app.dataframe[0].value
    rows = table[table["groups by"].eq("label") & table["gap in"].eq("forced accuracy")]
    assert rows["test set"].tolist() == ["lfw", "utkface", "congress", "all, weighted"]
    assert rows["gap"].tolist()[:3] == [found["gap"] for found in gap["sets"]]
    assert rows["gap"].isna().tolist() == [False, False, False, True]


def test_sets_that_agree_have_one_gap_over_all(open_at, copy_model, shipped, predictions):
    rows = predictions[predictions["set"].eq("utkface")]
    both = pd.concat([rows, rows.assign(set="again")])
    copy_model(shipped, "classic", predictions=both)
    app = open_at("Groups")
    assert not app.warning
    table = app.dataframe[0].value
    pooled = table[table["test set"].eq("all, weighted")]
    assert pooled["gap"].notna().all()
    first = table[table["test set"].eq("utkface")]
    assert pooled["gap"].tolist()[0] == pytest.approx(first["gap"].tolist()[0], abs=2e-4)


def test_gaps_are_those_between_groups_of_enough_photos(open_page, predictions):
    app = on_utkface(open_page, evaluation_least="200")
    rows = predictions[predictions["set"].eq("utkface")]
    expected = [gap["sets"][0] for gap in trait_gaps(rows, least=200)]
    table = app.dataframe[0].value
    assert table["gap"].tolist() == [found["gap"] for found in expected]
    assert table["95% interval"].tolist() == [interval(*found["interval"]) for found in expected]
    assert {"recall of female", "recall of male", "answered"} <= set(table["gap in"])
    app.number_input(key="evaluation_least").set_value(5000).run()
    assert any("two groups of 5,000 photos" in caption.value for caption in app.caption)


def test_labels_within_groups_have_their_figures_intervals_and_weakest(open_page, predictions):
    app = on_utkface(open_page)
    crossed = crossed_groups(predictions[predictions["set"].eq("utkface")])
    assert len(app.dataframe) == 6
    for frame, trait in zip(app.dataframe[4:], ("age", "race"), strict=True):
        cells = [cell for cell in crossed if cell["trait"] == trait]
        shown = frame.value
        for column, key in (
            ("label", "label"),
            (trait, "group"),
            ("photos", "n"),
            ("forced accuracy", "accuracy_all"),
            ("answered", "coverage"),
            ("right when answered", "accuracy_answered"),
        ):
            assert shown[column].tolist() == [cell[key] for cell in cells]
        limits = [interval(*cell["interval_all"]) for cell in cells]
        assert shown["95% interval"].tolist() == limits
        weakest = weakest_group(cells)
        words = f"{weakest['label']}, {weakest['group']}: {weakest['accuracy_all']:.3f}"
        assert any(words in caption.value for caption in app.caption)
        traces = charts(app)[
            f"Accuracy of each label within each group by {trait}, with 95% intervals"
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
    frame = app.dataframe[4].value
    assert frame["model"].tolist() == ["classic", "other"] * (len(frame) // 2)
    assert (frame["age"].iloc[::2].to_numpy() == frame["age"].iloc[1::2].to_numpy()).all()
    words = next(c.value for c in app.caption if c.value.startswith("Weakest"))
    assert "classic: male, 13-19" in words
    assert "; other: " in words


def test_a_further_trait_is_shown_like_age_and_race(open_at, copy_model, shipped, predictions):
    hats = np.where(predictions.index % 3, "no <i>hat</i>", "hat")
    copy_model(shipped, "classic", predictions=predictions.assign(trait_hat=hats))
    app = open_at("Groups")
    headers = [header.value for header in app.header]
    assert {"Hat", "Label and hat"} <= set(headers)
    frame = app.dataframe[headers.index("Hat")].value
    assert frame["photos"].sum() == len(predictions)
    assert "hat" in set(app.dataframe[0].value["groups by"])


def test_a_further_trait_may_have_any_name(open_at, copy_model, shipped, predictions):
    columns = {
        "photos": "photos (trait)",
        "model": "model (trait)",
        "frame": "frame",
        "*bold* $x$": "*bold* $x$",
    }
    made = {
        f"trait_{name}": np.where(predictions.index % (i + 2), "yes", "no")
        for i, name in enumerate(columns)
    }
    table = predictions.assign(**made)
    copy_model(shipped, "classic", predictions=table)
    app = open_at("Groups", group_thresholds="true")
    crossed = [frame.value for frame in app.dataframe if "label" in frame.value]
    cells = crossed_groups(predictions_of(table, "lfw"))
    for name, column in columns.items():
        (shown,) = (shown for shown in crossed if column in shown)
        lfw = shown[shown["test set"].eq("lfw")]
        assert lfw["photos"].tolist() == [cell["n"] for cell in cells if cell["trait"] == name]


def predictions_of(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table[table["set"].eq(name)]


def test_every_figure_of_every_group_can_be_downloaded(open_at, downloads, predictions):
    open_at("Groups")
    sheet = pd.read_csv(
        io.BytesIO(downloads["classic-groups.csv"]), encoding="utf-8-sig", keep_default_na=False
    )
    expected = metric_frame(predictions)
    assert list(sheet) == list(expected)
    assert len(sheet) == len(expected)
    numbers = pd.to_numeric(sheet["accuracy"])
    assert numbers.to_numpy() == pytest.approx(expected["accuracy"].to_numpy(), abs=1e-6)


def test_a_threshold_per_group_is_a_what_if_that_is_closed_at_first(open_page, predictions):
    app = on_utkface(open_page)
    assert not any("thought experiment" in text.value for text in app.markdown)
    app = on_utkface(open_page, group_thresholds="true")
    assert any("would have to know the group of each face" in t.value for t in app.markdown)
    rows = predictions[predictions["set"].eq("utkface")]
    found = equal_recall(rows, "age", "male", 0.5)
    table = app.dataframe[-1].value
    assert table["threshold"].tolist() == found["threshold"].tolist()
    assert table["own threshold: recall"].tolist() == found["own recall"].tolist()
    gap = found["own recall"].max() - found["own recall"].min()
    assert metrics(app)["Gap in recall"] == f"{gap:.3f}"
    app.segmented_control(key="threshold_goal").set_value("Share answered").run()
    assert not app.exception
    start = app.slider(key="threshold_coverage").value
    found = equal_coverage(rows, "age", start)
    assert app.dataframe[-1].value["answered"].tolist() == found["answered"].tolist()


def test_photos_of_nobody_known_have_no_groups(open_page):
    app = open_page(PAGE)
    app.selectbox(key="evaluation_set").set_value("congress")
    open_tab(app, "Groups")
    assert "labels.csv" in app.info[0].value
    assert [header.value for header in app.header][1:] == ["Label"]
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


SEVEN = ["*calm*", "angry", "afraid", "happy", "sad", "[shy](x)", "tired_and_old"]


def predict_seven(seed: int, skill: float) -> pd.DataFrame:
    """Draw predictions of seven labels for the same photos of two sets, with traits."""
    same, rng = np.random.default_rng(0), np.random.default_rng(seed)
    label = same.choice(SEVEN, 280)
    P = rng.dirichlet([0.4] * 7, 280) + skill * np.equal.outer(label, SEVEN)
    P /= P.sum(axis=1, keepdims=True)
    return pd.DataFrame(P.round(6), columns=[f"p_{name}" for name in SEVEN]).assign(
        set=np.repeat(["first set", "*second*"], 140),
        label=label,
        detected=True,
        answered=P.max(axis=1) > 0.6,
        predicted=np.array(SEVEN)[P.argmax(axis=1)],
        ms=rng.uniform(5, 6, 280),
        age=same.choice(["20-39", "60+"], 280),
        race="",
        trait_glasses=same.choice(["yes", "no"], 280),
    )


@pytest.mark.slow
def test_seven_labels_of_two_sets_show_every_tab_with_a_stored_comparison(
    open_page, copy_model, tiny_grid, tmp_path, monkeypatch
):
    y = SEVEN * 5
    faces = np.array([draw_face("round", i % 7, i // 7) for i in range(len(y))])
    split = np.repeat(["train", "test"], [28, 7])
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tmp_path / "made"))
    train_arrays(faces, y, "seven", split=split, grid=str(tiny_grid))
    tables = {"mine": predict_seven(1, 0.8), "theirs": predict_seven(2, 0.5)}
    for name, table in tables.items():
        root = copy_model(tmp_path / "made" / "seven", name, predictions=table)
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    tests = []
    for test in tables["mine"]["set"].unique():
        rows = {name: table[table["set"].eq(test)] for name, table in tables.items()}
        photos = rows["mine"][["label"]].assign(path=rows["mine"].index.astype(str), subject="")
        tests.append(Together(test, Path(), photos.reset_index(drop=True), rows))
    stored = compare_pair("mine", "theirs", tests)
    write_comparison(stored)
    app = open_page(PAGE, model="mine", other="theirs")
    assert app.selectbox(key="evaluation_set").options == ["all", "first set", "*second*"]
    for tab in TABS:
        open_tab(app, tab)
        assert not app.error
        if tab == "Confusion":
            assert len(charts(app)) == 2
            assert all(len(c["data"][0]["y"]) == 7 for c in charts(app).values())
        elif tab == "Unsure":
            assert app.slider(key="evaluation_unsure").min == 0.14
        elif tab == "Groups":
            assert {"Age", "Glasses"} <= {header.value for header in app.header}
    assert not app.info
    wholes, kinds = (frame.value for frame in app.dataframe)
    assert wholes["set"].tolist() == ["first set", "*second*"]
    assert wholes["difference"].tolist() == pytest.approx(
        [found["right"]["difference"] for found in stored["sets"].values()], abs=5e-5
    )  # what is stored is rounded
    assert set(kinds["label"]) == {"", *SEVEN}
    app.selectbox(key="evaluation_set").set_value("*second*").run()
    assert not app.exception
    assert app.dataframe[0].value["set"].tolist() == ["*second*"]


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
    assert photos[1].delta == "\u22122,161"
    accuracy = [metric for metric in app.metric if metric.label == "Forced accuracy"][1]
    change = second["accuracy_all"] - first["accuracy_all"]
    assert accuracy.value == f"{second['accuracy_all']:.3f}"
    assert accuracy.delta == with_minus(f"{change:+.3f}")
    fallen = MetricProto.MetricDirection.DOWN, MetricProto.MetricColor.RED
    assert (accuracy.proto.direction, accuracy.proto.color) == (
        fallen if change < 0 else (MetricProto.MetricDirection.UP, MetricProto.MetricColor.GREEN)
    )
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
