"""A model of twelve labels, which no chart can tell apart by colour."""

import json

import numpy as np
import pytest
from charts import charts_of

from facecore.evaluation.curves import macro_auc
from facecore.evaluation.report import confused_pairs, evaluate_predictions
from facecore.face.images import to_png
from facecore.model.drawing import label_colours
from facecore.model.labels import order_labels, whom_it_shows
from facecore.model.predict import predict_photo
from facecore.model.rule import AnswerRule
from facecore.model.store import read_metadata, read_model_table
from facecore.model.synth import make_photo

HOME, SIZES, EIGENFACES = "dashboard.py", "pages/1_Face_sizes.py", "pages/2_Eigenfaces.py"
EVALUATION, LIVE = "pages/4_Evaluation.py", "pages/5_Live_prediction.py"
LADDER = "pages/7_Ladder.py"
LABELS = [f"s{i}" for i in range(1, 13)]


@pytest.fixture(autouse=True)
def model(in_many):
    """The model of twelve labels, in use."""
    return in_many


@pytest.fixture
def predictions():
    return read_model_table("predictions", "many").fillna({"age": "", "race": "", "predicted": ""})


def charts(app) -> dict:
    """The figures of a screen by the text for screen readers."""
    return {c.proto.alt: json.loads(c.proto.spec) for c in app.get("plotly_chart")}


def find(app, start: str) -> dict:
    (figure,) = (figure for alt, figure in charts(app).items() if alt.startswith(start))
    return figure


def names(figure: dict) -> list[str]:
    return [trace["name"] for trace in figure["data"]]


def captions(app) -> str:
    return "\n".join(caption.value for caption in app.caption)


def test_labels_are_picked_from_a_list_in_natural_order(open_page):
    app = open_page(HOME)
    assert app.sidebar.caption[0].value.startswith("12 labels: s1, s2, ")
    assert app.selectbox(key="face_label").options == LABELS
    app.selectbox(key="face_label").set_value("s10").run()
    assert not app.exception
    assert open_page(HOME, face_label="s11").selectbox(key="face_label").value == "s11"


def test_a_label_of_another_model_in_a_link_is_the_first_of_this_one(open_page):
    app = open_page(HOME, face_label="female")
    assert not app.exception
    assert app.selectbox(key="face_label").value == "s1"


def test_models_of_few_and_of_many_labels_take_turns(
    open_page, copy_model, many_artifacts, tiny_artifacts
):
    copy_model(many_artifacts / "many", "many")
    copy_model(tiny_artifacts / "tiny", "tiny")
    app = open_page(HOME, model="many", face_label="s10")
    app.sidebar.selectbox[0].set_value("tiny").run()
    assert app.segmented_control(key="face_label").value == "round"
    app.sidebar.selectbox[0].set_value("many").run()
    assert not app.exception
    assert app.selectbox(key="face_label").value == "s1"


def test_the_last_step_draws_the_likeliest_five_with_the_probabilities_of_the_answer(
    open_page, model
):
    app = open_page(HOME, face_label="s3")
    face = predict_photo(to_png(make_photo(model, "s3", 15)), model).faces[0]
    best = sorted(face.scores, key=face.scores.get)[:-6:-1]
    drawn = charts_of(app)
    (decisions,) = (c for alt, c in drawn.items() if alt.startswith("Decision value of each"))
    assert decisions.texts[1::2] == best
    shares = [text for label in best for text in (label, f"{face.scores[label]:.0%}")]
    of = "Probability of each label: "
    (chances,) = (c for alt, c in drawn.items() if alt.startswith(of) and "probability" in c.texts)
    assert chances.texts == ["probability", *shares]
    assert not app.get("plotly_chart")
    assert not app.dataframe
    assert f"probability {face.probability:.2f}" in "\n".join(m.value for m in app.markdown)
    assert "Only the 5 likeliest of 12 labels are drawn." in captions(app)


def test_a_drawn_face_is_said_to_show_whom_it_may_show(open_page):
    words = whom_it_shows(read_metadata("many"))
    assert words.startswith("A real person may be shown")
    for screen, address in [
        (HOME, {}),
        (EIGENFACES, {}),
        (EIGENFACES, {"space": "Reconstruction"}),
        (EIGENFACES, {"space": "Explorer"}),
        (EIGENFACES, {"space": "Walk"}),
        (LIVE, {"source": "Synthetic face"}),
        (LADDER, {"rung_view": "One face"}),
        ("pages/6_Your_data.py", {"data_from": "Synthetic faces"}),
    ]:
        assert words in captions(open_page(screen, **address)), (screen, address)


def test_mean_faces_of_the_chosen_labels_are_compared_with_the_mean_of_all(open_page):
    app = open_page(EIGENFACES)
    app.multiselect(key="means").set_value(["s10", "s2"]).run()
    assert not app.exception
    shown = [image.proto.imgs[0].caption for image in app.get("image")]
    assert shown[:5] == ["All", "s2", "s10", "s2 minus all", "s10 minus all"]


def test_points_of_the_chosen_labels_are_in_colour_above_all_others_in_grey(open_page, model):
    app = open_page(EIGENFACES, space="Points")
    app.multiselect(key="points_labels").set_value(["s7", "s12"]).run()
    (figure,) = charts(app).values()
    assert names(figure)[:3] == ["10 other labels", "s7", "s12"]
    colours = label_colours(model.labels)
    assert [t["marker"]["color"] for t in figure["data"][1:3]] == [colours["s7"], colours["s12"]]


def test_a_walk_leads_to_the_label_that_was_chosen(open_page, model):
    app = open_page(EIGENFACES, space="Walk")
    assert not app.exception
    flip = app.session_state["your_face"].made["walk"][1].flip
    target = next(label for label in LABELS if label not in (flip.answer, flip.target))
    app = open_page(EIGENFACES, space="Walk", towards=target)
    assert not app.exception
    chosen = app.session_state["your_face"].made["walk"][1].flip
    assert chosen is None or (chosen.answer, chosen.target) == (flip.answer, target)
    assert chosen is None or chosen.size > 0.99 * flip.size


def test_face_sizes_pool_all_but_a_few_labels(open_page):
    app = open_page(SIZES)
    app.multiselect(key="sizes_labels").set_value(["s1", "s10"]).run()
    assert not app.exception
    assert names(find(app, "Number of faces by width"))[:3] == ["s1", "s10", "10 other labels"]
    counts = app.dataframe[0].value
    assert list(counts.index) == [*LABELS, "all labels"]


def test_an_evaluation_has_the_figures_of_many_labels(open_page, predictions):
    app = open_page(EVALUATION)
    shown = {metric.label: metric.value for metric in app.metric}
    figures = evaluate_predictions(predictions)
    assert shown["Macro AUC"] == f"{macro_auc(predictions):.3f}"
    assert shown["Macro F1"] == f"{figures['macro_f1']:.3f}"
    for count in ("2", "3", "5"):
        assert shown[f"Top {count}"] == f"{figures['top_accuracy'][count]:.3f}"


def test_a_large_confusion_matrix_is_in_natural_order_and_lists_what_is_confused(
    predictions, open_page, copy_model, many_artifacts
):
    wrong = predictions.assign(predicted=np.where(predictions.index % 3, "s10", "s2"))
    copy_model(many_artifacts / "many", "many", predictions=wrong)
    app = open_page(EVALUATION)
    (figure,) = charts(app).values()
    assert figure["data"][0]["y"] == LABELS
    assert figure["data"][0]["x"] == [*LABELS, "unsure", "no face"]
    pairs, by_label = (frame.value for frame in app.dataframe)
    expected = confused_pairs(evaluate_predictions(wrong)["confusion_answered"])
    assert pairs["answered"].tolist() == [pair["answered"] for pair in expected]
    assert list(by_label.index) == LABELS
    assert {"precision", "recall", "F1"} <= set(by_label)


def test_twelve_labels_within_groups_are_a_table_without_colours(
    predictions, open_page, copy_model, many_artifacts
):
    ages = np.where(predictions.index % 2, "20-39", "60+")
    copy_model(many_artifacts / "many", "many", predictions=predictions.assign(age=ages))
    app = open_page(EVALUATION, evaluation_tab="Groups", evaluation_least="1")
    assert not app.exception
    gaps = app.dataframe[0].value
    assert "recall of s10" in set(gaps["gap in"])
    assert "Label and age" in [header.value for header in app.header]
    assert set(app.dataframe[-1].value["label"]) == set(LABELS)
    assert not any("label within" in alt for alt in charts(app))


@pytest.mark.parametrize("count", [13, 40])
def test_a_matrix_of_more_than_twelve_labels_has_no_numbers_and_a_bounded_height(count):
    from ui.evaluation import confusion_heat

    labels = [f"s{i}" for i in range(count)]
    figure = confusion_heat({label: dict.fromkeys(labels, 1) for label in labels})
    assert not figure.layout.annotations and figure.data[0].showscale
    assert figure.layout.height < 1000


@pytest.mark.parametrize("tab", ["Curves", "Calibration", "Unsure", "Groups"])
def test_a_tab_of_the_evaluation_opens(open_page, tab):
    app = open_page(EVALUATION, evaluation_tab=tab, evaluation_label="s10")
    assert not app.exception
    assert charts(app)
    assert all(len(figure["data"]) <= 15 for figure in charts(app).values())


def test_an_answer_shows_five_scores_and_a_table_of_all(open_page, model):
    app = open_page(LIVE, source="Your face", face_label="s4", face_seed="2", ruled="false")
    assert not app.exception
    face = predict_photo(to_png(make_photo(model, "s4", 2)), model).faces[0]
    best = sorted(face.scores, key=face.scores.get)[:-6:-1]
    (bars,) = (c for alt, c in charts_of(app).items() if alt.startswith("Probabilities of face 1"))
    assert bars.texts == [text for k in best for text in (k, f"{face.scores[k]:.0%}")]
    (table,) = (e.proto.body for e in app.get("html") if "<table>" in e.proto.body)
    rows = [f">{label}</th><td>{face.scores[label]:.4f}</td>" for label in best]
    assert [table.index(row) for row in rows] == sorted(table.index(row) for row in rows)
    assert table.count("<td>") == len(face.scores)
    rest = 1 - sum(face.scores[label] for label in best)
    assert f"7 more labels have {rest:.1%} together." in captions(app)


def test_a_table_of_many_photos_has_the_likeliest_label_and_its_probability(model):
    from ui.batch import tabulate

    answer = predict_photo(to_png(make_photo(model, "s4", 2)), model)
    table = tabulate([answer], order_labels(model.labels))
    face = answer.faces[0]
    assert table.loc[0, "likely"] == face.likely
    assert table.loc[0, "probability"] == round(face.probability, 4)
    assert [c for c in table if c.startswith("P(")] == [f"P({label})" for label in LABELS]


def test_many_photos_are_counted_by_the_most_frequent_answers(open_page, model):
    app = open_page(LIVE, ruled="false")
    photos = [to_png(make_photo(model, label, 2)) for label in ("s1", "s4", "s7", "s10")]
    files = [(f"{i}.png", photo, "image/png") for i, photo in enumerate(photos)]
    app.file_uploader[0].set_value(files).run()
    assert not app.exception
    answers = [
        face.label
        for photo in photos
        for face in predict_photo(photo, model, rule=AnswerRule()).faces
    ]
    shown = {metric.label: metric.value for metric in app.metric}
    for label in set(answers):
        assert shown[label] == str(answers.count(label))
    assert shown[f"{12 - len(set(answers))} other labels"] == "0"


def test_the_ladder_says_on_which_labels_it_was_climbed(open_page, copy_model, many_artifacts):
    from screens import ROOT

    root = copy_model(many_artifacts / "many", "many")
    (root / "_ladder").symlink_to(ROOT / "artifacts" / "_ladder")
    app = open_page(LADDER)
    assert not app.exception
    told = app.info[0].value
    assert "female, male" in told and "s1, s2, s3, s4, s5, s6, s7 and 5 more" in told
    assert app.code[0].value == "python -m facecore ladder PHOTOS"
    assert "Labels female, male." in captions(app)


def test_the_margins_of_many_labels_have_the_worst_five_in_colour(model):
    from facecore.training.explorer import fold_points, refit
    from facecore.training.points import make_points
    from ui.models import load_chosen
    from ui.refits import margin_bars

    points = make_points(model, 240)
    params = {"n_components": 5, "C": 1.0, "gamma": 0.01, "class_weight": None}
    found = refit(fold_points(points), params)
    figure = margin_bars(found, points.y, load_chosen("many"))
    assert figure.data[0].name.startswith("7 other labels")
    right = {label: np.mean(found.margins[points.y == label] > 0) for label in LABELS}
    shown = [trace.name.split(",")[0] for trace in figure.data[1:]]
    assert max(right[label] for label in shown) <= min(
        right[label] for label in LABELS if label not in shown
    )


def test_a_declared_order_is_that_of_every_list_and_gives_an_error_in_steps(
    open_page, copy_model, many_artifacts
):
    root = copy_model(many_artifacts / "many", "many")
    path = root / "many" / "metadata.json"
    metadata = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(metadata | {"order": LABELS[::-1], "title": "Size"}))
    app = open_page(HOME)
    assert app.selectbox(key="face_label").options == LABELS[::-1]
    assert "Size" in [subheader.value for subheader in app.header]
    shown = {metric.label: metric.value for metric in open_page(EVALUATION).metric}
    assert float(shown["Steps off"]) >= 0
