"""Tab Compare of the page Evaluation: a paired test only where the pairs are known."""

import json
import shutil

import pytest

from facecore.evaluation.comparison import (
    compare_models,
    comparison_file,
    read_comparison,
    tabulate_kinds,
    write_comparison,
)
from facecore.evaluation.paired import unpaired_interval
from facecore.model.store import read_model_table
from facecore.system import with_minus

PAGE = "pages/4_Evaluation.py"
TAB = {"evaluation_tab": "Compare"}


@pytest.fixture
def stored(two_models, raw_folder):
    (found,) = compare_models(["plain", "wide"], [raw_folder])
    write_comparison(found)
    return found


def shown(app) -> str:
    texts = [*app.caption, *app.info, *app.warning, *app.error, *app.markdown]
    return "\n".join(element.value for element in texts)


def metrics(app) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def test_without_a_second_model_the_tab_asks_for_one(open_page):
    app = open_page(PAGE, **TAB)
    assert not app.exception
    assert "Choose a second model" in app.info[0].value


def test_without_pairs_there_is_an_unpaired_interval_and_no_test(open_page, two_models):
    app = open_page(PAGE, model="plain", other="wide", **TAB)
    assert not app.exception
    assert "python -m facecore compare plain wide PHOTOS" in [code.value for code in app.code]
    counts = []
    for name in ("plain", "wide"):
        table = read_model_table("predictions", name)
        right = table["detected"] & table["predicted"].eq(table["label"])
        counts.append((int(right.sum()), len(table)))
    difference, low, high = unpaired_interval(*counts)
    value, interval = metrics(app)["Accuracy of plain minus wide, unpaired"]
    assert (value, interval) == (
        with_minus(f"{difference:+.3f}"),
        with_minus(f"{low:+.3f} to {high:+.3f}"),
    )
    assert "McNemar" not in shown(app)
    assert not any("p" in frame.value.columns for frame in app.dataframe)


@pytest.mark.parametrize(("first", "second"), [("plain", "wide"), ("wide", "plain")])
def test_a_stored_comparison_is_shown_from_the_side_of_the_chosen_model(
    first, second, open_page, stored
):
    app = open_page(PAGE, model=first, other=second, **TAB)
    assert not app.exception
    figures = read_comparison(first, second)["sets"]["drawn"]
    row = app.dataframe[0].value.iloc[0]
    right = figures["right"]
    assert row["difference"] == pytest.approx(row[first] - row[second])
    assert row[f"only {first}"] == right["only_first"]
    assert row[first] == pytest.approx((right["both"] + right["only_first"]) / right["n"])
    assert row["p"] == right["p"]
    assert len(app.dataframe[1].value) == len(figures["kinds"])
    ratio, times = metrics(app)["Time per photo, drawn"]
    assert ratio == f"{figures['ratio']:.2f} x"
    assert times == f"{first} {figures['ms'][0]:.0f} ms, {second} {figures['ms'][1]:.0f} ms"


def test_answers_under_the_rule_are_compared_on_demand(open_page, stored):
    app = open_page(PAGE, model="plain", other="wide", **TAB)
    app.segmented_control(key="compare_measure").set_value("Answered and right").run()
    assert not app.exception
    expected = tabulate_kinds(stored, "answered").iloc[0]
    row = app.dataframe[0].value.iloc[0]
    assert row["only wide"] == expected["only wide right"]
    assert row["both wrong"] == expected["both wrong"]


def test_a_set_that_was_not_compared_has_no_paired_figures(open_page, stored):
    found = {**stored, "sets": {"elsewhere": stored["sets"]["drawn"]}}
    write_comparison(found)
    app = open_page(PAGE, model="plain", other="wide", evaluation_set="drawn", **TAB)
    assert not app.exception
    assert "not compared on drawn" in app.info[0].value
    assert not any("p" in frame.value.columns for frame in app.dataframe)


def test_a_model_that_was_trained_again_is_told(open_page, stored):
    found = json.loads(comparison_file("plain", "wide").read_text(encoding="utf-8"))
    found["sha256"][1]["model.npz"] = "0" * 64
    write_comparison(found)
    app = open_page(PAGE, model="plain", other="wide", **TAB)
    assert not app.exception
    assert "wide: trained again since" in app.warning[0].value


def test_a_damaged_comparison_is_told_and_not_shown(open_page, stored):
    comparison_file("plain", "wide").write_text("{}", encoding="utf-8")
    app = open_page(PAGE, model="plain", other="wide", **TAB)
    assert not app.exception
    assert "is damaged" in app.error[0].value
    assert "Accuracy of plain minus wide, unpaired" in metrics(app)


def test_the_counts_are_a_file(open_page, stored, downloads):
    open_page(PAGE, model="plain", other="wide", **TAB)
    rows = downloads["plain_wide_right.csv"].decode("utf-8-sig").splitlines()
    assert rows[0].startswith("set,label,trait,group,photos,both right,only plain right")
    assert len(rows) == 2 + len(stored["sets"]["drawn"]["kinds"])


def compare_on(app, folder):
    app.text_input(key="compare_folder").set_value(str(folder)).run()
    app.button(key="compare_start").click().run()
    assert not app.exception
    return app


def test_photos_of_this_computer_are_compared_shown_and_only_counts_stored(
    open_page, two_models, raw_folder
):
    app = compare_on(open_page(PAGE, model="plain", other="wide", **TAB), raw_folder)
    right = read_comparison("plain", "wide")["sets"]["drawn"]["right"]
    for words, key in (
        ("Only plain is right", "only_first"),
        ("Only wide is right", "only_second"),
        ("Both are wrong", "neither"),
    ):
        assert f"**{words}**: {right[key]} of {right['n']} photos of drawn" in shown(app)
    pictures = right["only_first"] + right["only_second"] + right["neither"]
    assert len(app.get("image")) == pictures
    assert app.dataframe[0].value.iloc[0]["p"] == right["p"]
    text = comparison_file("plain", "wide").read_text(encoding="utf-8")
    assert ".jpg" not in text
    assert str(raw_folder.parent) not in text


def test_a_sample_does_not_replace_a_larger_comparison(
    open_page, stored, two_models, raw_folder, monkeypatch
):
    monkeypatch.setattr("ui.paired_photos.MOST_PHOTOS", 2)
    app = compare_on(open_page(PAGE, model="plain", other="wide", **TAB), raw_folder)
    assert app.dataframe[0].value.iloc[0]["photos"] == 2
    assert read_comparison("plain", "wide") == stored


def test_a_folder_that_cannot_be_compared_says_why(open_page, two_models, tmp_path):
    app = compare_on(open_page(PAGE, model="plain", other="wide", **TAB), tmp_path / "none")
    assert app.error[0].value.startswith("no folder or table at")
    assert read_comparison("plain", "wide") is None


def test_what_was_compared_is_forgotten_with_another_pair(open_page, two_models, raw_folder):
    shutil.copytree(two_models / "plain", two_models / "copy")
    app = compare_on(open_page(PAGE, model="plain", other="wide", **TAB), raw_folder)
    app.selectbox(key="other").set_value("copy").run()
    assert not app.exception
    assert "unpaired" in "".join(metrics(app))


def test_visitors_from_elsewhere_cannot_name_a_folder(open_page, two_models, monkeypatch):
    monkeypatch.setattr("ui.paired_photos.is_local", lambda: False)
    app = open_page(PAGE, model="plain", other="wide", **TAB)
    assert not app.exception
    assert "compare_folder" not in [field.key for field in app.text_input]
