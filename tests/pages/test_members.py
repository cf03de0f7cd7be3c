"""A model of several members, on every screen that shows more than its label."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from charts import charts_of, percent, read_charts

from facecore.evaluation.report import evaluate_predictions
from facecore.face.detect import BlazeSettings, HaarSettings, spec_of
from facecore.face.images import to_png
from facecore.face.recipes import describe_member
from facecore.model.classifier import FaceModel
from facecore.model.predict import predict_photo
from facecore.model.store import read_metadata, read_model_table
from facecore.model.synth import make_photo
from facecore.system import with_minus

LIVE, GRID, EVALUATION, FACES = (
    f"pages/{name}.py"
    for name in ("5_Live_prediction", "3_Grid_search", "4_Evaluation", "2_Eigenfaces")
)


@pytest.fixture
def in_fisher(fisher_artifacts, tiny_fisher, monkeypatch) -> FaceModel:
    """A small model with Fisherfaces, in use."""
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(fisher_artifacts))
    return tiny_fisher


@pytest.fixture
def offer_crops(open_page, tmp_path, monkeypatch) -> Callable[[Path], None]:
    """Put a folder of crops where a dashboard that listens on localhost finds it."""
    monkeypatch.setattr("ui.local.is_local", lambda: True)
    monkeypatch.chdir(tmp_path)
    return lambda folder: shutil.copytree(folder, tmp_path / "crops" / "here")


def said(app) -> str:
    groups = (app.markdown, app.caption, app.warning)
    return "\n".join(str(element.value) for group in groups for element in group)


def charts(app) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def pictures(app) -> list[str]:
    return [image.alt for group in app.image for image in group.proto.imgs]


@pytest.fixture
def photo(shipped_model) -> bytes:
    return to_png(make_photo(shipped_model, "female", 15))


def test_fisherfaces_are_shown_beside_as_many_eigenfaces(open_page, in_fisher):
    app = open_page(FACES, model="tiny", space="Fisherfaces")
    assert not app.exception
    shown = pictures(app)
    assert shown == ["Fisherface 1", "Fisherface 2", "Eigenface 1", "Eigenface 2"]
    assert "3 labels have 2 Fisherfaces" in said(app)
    (figure,) = charts(app)
    assert figure["layout"]["xaxis"]["title"]["text"] == "Fisherface 1"
    assert sorted(trace["name"] for trace in figure["data"]) == sorted(in_fisher.labels)
    table = read_model_table("coordinates", "tiny")
    assert f"{len(table):,} of the training faces" in said(app)


def test_a_model_without_fisherfaces_has_no_such_view(open_page, in_aligned):
    app = open_page(FACES, model="made", space="Fisherfaces")
    assert not app.exception
    assert "Fisherfaces" not in app.segmented_control(key="space").options
    assert any(alt.startswith("Eigenface 1: ") for alt in pictures(app))


def test_the_explorer_says_why_it_has_no_fisherfaces(open_page, in_fisher, offer_crops):
    app = open_page(GRID, model="tiny", search_tab="Explorer", search_member="fisherfaces")
    assert not app.exception
    assert "fitted to the labels" in said(app)
    assert "python -m facecore crop PHOTOS --out CROPS --recipe fisher" in app.code[0].value


def test_the_steps_say_where_fisherfaces_come_in(open_page, in_fisher, photo):
    app = open_page("dashboard.py", model="tiny")
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    assert "The member fisherfaces also goes" in said(app)


def test_a_single_fisherface_is_shown_as_a_histogram(tiny_model):
    from facecore.training import MADE, FacePoints
    from ui.fisherfaces import histogram

    labels = tiny_model.labels
    y = np.array([labels[0], labels[0], labels[1]])
    figure = histogram(FacePoints(np.array([[0.0], [0.0], [1.0]]), y, y, MADE), tiny_model)
    assert [bar.name for bar in figure.data] == list(labels)
    assert [sum(bar.y) for bar in figure.data] == [2, 1]


def test_the_steps_show_what_each_member_reads_and_how_it_votes(open_page, in_aligned, photo):
    app = open_page("dashboard.py", model="made")
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    text = said(app)
    assert "**2. Turn upright and crop**" in text
    assert "**3. Colour, 160 x 160**" in text
    for member in in_aligned.members:
        assert f"What the member {member.name} reads of the face" in pictures(app)
        assert f"{member.features.count(160):,} numbers" in text
    face = predict_photo(photo, in_aligned).faces[0]
    votes = in_aligned.member_decisions(face.prepared.reshape(1, -1))[:, 0, 0]
    (bars,) = (c for alt, c in charts_of(app).items() if alt.startswith("Decision value of each"))
    assert any("above 0 male" in text for text in bars.texts)
    shares = in_aligned.shares[:, 0]
    names = [f"{m.name} ({c:.0%})" for m, c in zip(in_aligned.members, shares, strict=True)]
    expected = dict(zip([*names, "mean"], [*votes, shares @ votes], strict=True))
    told = [(name, with_minus(f"{value:+.2f}")) for name, value in expected.items()]
    assert bars.texts[2:-1] == [text for row in told for text in row]
    labels = in_aligned.labels
    assert [t.split(":")[0] for t in bars.titles] == [labels[int(v > 0)] for v in expected.values()]
    assert "The mean of the members" in text


def test_votes_of_three_labels_have_a_bar_for_each_label():
    from ui.steps import vote_bars

    votes = np.array([[1.0, -2.0, 0.5], [0.0, -1.0, 1.5]])
    shares = np.array([[0.5] * 3, [0.5] * 3])
    html = vote_bars(["a", "b"], votes, shares, ["round", "square", "wide"], "votes")
    chart = read_charts(html)["votes"]
    assert chart.texts[:3] == ["round", "square", "wide"]
    assert chart.texts[-5:-1] == ["mean", "+0.50", "\u22121.50", "+1.00"]
    widths = [percent(style, "width") for style in chart.of("bar")]
    assert np.allclose(
        widths, 100 * np.abs([1, -2, 0.5, 0, -1, 1.5, 0.5, -1.5, 1]) / 3.5, atol=0.01
    )


def test_votes_of_many_labels_are_those_of_the_likeliest_five():
    from ui.steps import vote_bars

    labels = sorted(f"s{i}" for i in range(1, 41))
    votes = np.array([[float(label[1:]) for label in labels]] * 2)
    chart = read_charts(vote_bars(["a", "b"], votes, np.full((2, 40), 0.5), labels, "votes"))[
        "votes"
    ]
    assert chart.texts[:5] == ["s40", "s39", "s38", "s37", "s36"]
    assert chart.titles[:5] == [f"s{i}: +{i}.00" for i in (40, 39, 38, 37, 36)]


def test_its_map_is_one_of_differences(open_page, in_aligned, photo):
    app = open_page(LIVE, model="made")
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    assert not app.exception
    assert "plain square of the face's mean colour" in said(app)
    assert "exact gradient" not in said(app)


@pytest.mark.parametrize(("first", "second"), [("made", "classic"), ("classic", "made")])
def test_a_detectors_settings_are_for_models_with_that_detector(
    open_page, in_aligned, shipped_model, photo, first, second
):
    kind, settings = {
        "made": ("blazeface", BlazeSettings(min_pixels=20)),
        "classic": ("haar", HaarSettings(min_pixels=20)),
    }[first]
    app = open_page(LIVE, model=first, other=second, own_detector="true")
    app.file_uploader[0].upload("me.png", photo, "image/png").run()
    app.number_input(key=f"{kind}_min_pixels").set_value(20).run()
    assert not app.exception
    assert f"{second} has another detector and keeps its settings" in app.warning[0].value
    models = {"made": in_aligned, "classic": shipped_model}
    spec = spec_of(settings)
    one = predict_photo(photo, models[first], detector=spec).faces[0]
    two = predict_photo(photo, models[second]).faces[0]
    assert f"Box {list(one.box)}" in said(app)
    assert f"Box {list(two.box)}" in said(app)


def test_each_member_has_a_search_of_its_own(open_page, in_aligned):
    table, search = read_model_table("grid_search", "made"), read_metadata("made")["search"]
    tops = table.groupby("param_member")["mean_test_score"].max()
    for member in search["members"]:
        app = open_page(GRID, model="made", search_member=member)
        assert not app.exception
        shown = {metric.label: metric.value for metric in app.metric}
        best = shown["Cross-validated score of the candidate"]
        assert best.startswith(f"{tops[member]:.4f}")
        (read,) = (each for each in in_aligned.members if each.name == member)
        words = describe_member(read.features, read.space)
        assert f"{member} ({words}) {tops[member]:.4f}" in said(app)
        whole = f"{search['balanced_accuracy']:.4f} ± {search['std']:.4f}"
        assert shown["Cross-validated score of the model"] == whole


def test_the_explorer_starts_at_the_best_of_the_chosen_member(
    open_page, in_aligned, made_aligned, offer_crops
):
    member = "patterns"
    address = {"model": "made", "search_tab": "Explorer", "search_member": member}
    app = open_page(GRID, **address)
    assert "python -m facecore crop PHOTOS --out CROPS --recipe aligned" in app.code[0].value
    offer_crops(made_aligned.parent / "crops")
    app = open_page(GRID, **address)
    assert not app.exception
    best = read_metadata("made")["search"]["members"][member]
    assert app.select_slider(key="search_c_patterns").value == best["C"]
    assert "Score of these parameters" in {metric.label for metric in app.metric}


def test_the_explorer_refuses_crops_cut_in_another_way(
    open_page, in_aligned, crops_folder, offer_crops
):
    offer_crops(crops_folder)
    app = open_page(GRID, model="made", search_tab="Explorer", search_source="Crops")
    assert not app.exception
    assert "cut in another way" in app.error[0].value


def test_the_rule_tells_what_it_answers(open_page, in_aligned):
    table = read_model_table("predictions", "made").fillna({"age": "", "race": "", "predicted": ""})
    figures = evaluate_predictions(table)
    app = open_page(EVALUATION, model="made", evaluation_tab="Unsure")
    assert not app.exception
    assert f"it answers {figures['coverage']:.1%} of these photos" in said(app)


def test_a_kept_batch_holds_no_pictures(open_page, in_aligned, photo):
    app = open_page(LIVE, model="made")
    for i in range(4):
        app.file_uploader[0].upload(f"{i}.png", photo, "image/png")
    app.run()
    kept = app.session_state["batch_answers"]
    faces = [face for answers in kept.values() for answer in answers for face in answer.faces]
    assert len(faces) == 4
    assert all(f.crop.size == f.prepared.size == 0 for f in faces)
    assert all(f.reconstruction is None for f in faces)


@pytest.mark.parametrize(
    ("weights", "recipes"),
    [
        ("no_weights", ["aligned", "fisher"]),
        ("with_weights", ["aligned", "embedding", "fisher"]),
    ],
)
def test_a_folder_of_its_crops_is_trained_by_a_recipe_that_cuts_so(
    weights, recipes, open_page, in_aligned, made_aligned, request
):
    request.getfixturevalue(weights)
    app = open_page("pages/6_Your_data.py", model="made", data_from="Folder")
    app.text_input(key="data_folder").set_value(str(made_aligned.parent / "crops")).run()
    assert not app.exception
    assert app.segmented_control(key="train_recipe").options == recipes
