"""You against the model: the guesses first, then both scores; a link shows the same faces."""

import pytest

from facecore.evaluation.curves import brier_score
from facecore.evaluation.quiz import draw_quiz, tabulate_answers, tabulate_guesses
from facecore.model.store import load_model

PAGE = "pages/9_You_against_the_model.py"


def said(app) -> str:
    groups = (app.markdown, app.caption, app.header, app.warning)
    return "\n".join(str(element.value) for group in groups for element in group)


def guess(app, label: str, sure: int = 80):
    (radio,), (slider,) = app.radio, app.slider
    radio.set_value(label)
    slider.set_value(sure)
    return send(app)


def send(app):
    (button,) = (button for button in app.button if button.label == "This is my guess")
    button.click().run()
    assert not app.exception
    return app


@pytest.fixture(scope="module")
def faces():
    return draw_quiz(load_model("classic"), 5)[0]


def test_no_answer_is_shown_before_the_last_guess(open_page):
    app = open_page(PAGE, quiz_seed="5")
    for i in range(9):
        guess(app, "female")
        assert not app.metric
        assert len(app.get("image")) == 1
        assert f"Face {i + 2} of 10" in [bar.proto.text for bar in app.get("progress")]


def test_afterwards_both_are_measured_alike(open_page, faces):
    app = open_page(PAGE, quiz_seed="5")
    guesses = [("female" if i % 3 else "male", 0.5 + 0.05 * i) for i in range(10)]
    for label, sure in guesses:
        guess(app, label, round(100 * sure))
    shown = {metric.label: metric.value for metric in app.metric}
    for who, table in (
        ("You", tabulate_guesses(faces, guesses)),
        ("The model", tabulate_answers(faces)),
    ):
        right = (table["predicted"] == table["label"]).sum()
        assert shown[f"{who}: right"] == f"{right} of 10"
        assert shown[f"{who}: Brier score"] == f"{brier_score(table):.3f}"
    assert len(app.get("image")) == 10
    assert "73% sure on average" in said(app) or "72% sure on average" in said(app)
    next(b for b in app.button if b.label == "Play this round again").click().run()
    assert len(app.get("image")) == 1


def test_a_guess_without_a_label_is_asked_again(open_page):
    app = send(open_page(PAGE))
    assert "Choose a label first." in said(app)
    assert "Face 1 of 10" in [bar.proto.text for bar in app.get("progress")]


def test_another_round_begins_anew_and_is_named_in_the_address(open_page):
    app = guess(open_page(PAGE, quiz_seed="5"), "male")
    next(b for b in app.button if b.label == "Another round").click().run()
    assert not app.exception
    assert "Face 1 of 10" in [bar.proto.text for bar in app.get("progress")]


def test_it_says_what_the_true_label_of_a_synthetic_face_is(open_page):
    assert "the label whose faces it was drawn like" in said(open_page(PAGE))


def test_with_many_labels_a_blind_guess_is_less_sure(open_page, in_many):
    app = open_page(PAGE, model="many")
    assert not app.exception
    assert app.slider[0].min == 10
    assert app.selectbox(key="guess_0").options == [f"s{i}" for i in range(1, 13)]
