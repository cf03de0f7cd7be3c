import re
from dataclasses import replace

import html5lib
import numpy as np
import pandas as pd
import pytest

from facecore.face.detect import Face
from facecore.model.answers import (
    FaceAnswer,
    PhotoAnswer,
    annotate,
    apply_rule,
    pair_faces,
    same_faces,
)
from facecore.model.predict import classify, predict_photo
from facecore.model.rule import AnswerRule


def test_what_json_shows_is_rounded_and_plain(photo, tiny_model):
    told = predict_photo(photo, tiny_model, name="p").to_dict()
    assert set(told) == {"photo", "error", "notes", "faces"}
    (face,) = told["faces"]
    assert set(face) == {"box", "label", "probability", "scores", "reason"}
    assert (face["label"], face["reason"]) == ("round", None)
    assert all(type(v) is int for v in face["box"])
    assert set(face["scores"]) == set(tiny_model.labels)
    assert face["probability"] == round(face["probability"], 4)


def test_faces_in_the_same_place_are_paired_whatever_their_order(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    (face,) = answer.faces
    x, y, w, h = face.box
    near = replace(face, box=(x + w // 10, y, w, h))
    nearer = replace(face, box=(x + w // 20, y, w, h))
    elsewhere = replace(face, box=(x + w, y, w, h))
    other = replace(answer, faces=(elsewhere, near, nearer))
    assert same_faces(answer, answer) == [(0, 0)]
    assert same_faces(answer, other) == [(0, 2)]
    assert same_faces(answer, replace(answer, faces=(elsewhere,))) == []


def test_each_place_has_the_faces_of_both_or_of_one(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    (face,) = answer.faces
    x, y, w, h = face.box
    elsewhere = replace(face, box=(x + w, y, w, h))
    assert pair_faces(answer, replace(answer, faces=(elsewhere, face))) == [(0, 1), (None, 0)]
    assert pair_faces(replace(answer, faces=(elsewhere, face)), answer) == [(0, None), (1, 0)]
    assert pair_faces(answer, replace(answer, faces=())) == [(0, None)]


@pytest.mark.parametrize(
    "rule",
    [
        AnswerRule(),
        AnswerRule(min_confidence=0.9999),
        AnswerRule(max_distance=0.0),
        AnswerRule(min_score=1e9),
        AnswerRule(min_lead=1e9),
    ],
)
def test_another_rule_needs_no_other_look_at_the_photo(photo, tiny_model, rule):
    again = apply_rule(predict_photo(photo, tiny_model), rule)
    asked = predict_photo(photo, tiny_model, rule=rule)
    assert again.to_dict() == asked.to_dict()
    assert apply_rule(again, tiny_model.rule).faces[0].label == "round"


def test_what_is_probably_not_a_face_is_known_whatever_label_it_gets(photo, tiny_model):
    strict = replace(tiny_model, rule=AnswerRule(max_distance=1e-6))
    (face,) = predict_photo(photo, strict).faces
    assert face.verdict == "not a face"
    assert face.why_no_face == "farther than 1e-06 from face space"
    (labelled,) = predict_photo(photo, strict, rule=AnswerRule()).faces
    assert labelled.label == "round"
    assert labelled.why_no_face == face.why_no_face
    assert predict_photo(photo, tiny_model).faces[0].why_no_face is None


def answer_of(*faces: FaceAnswer, **changes) -> PhotoAnswer:
    pixels = np.full((40, 60, 3), 200, dtype=np.uint8)
    return PhotoAnswer("me & you.jpg", None, faces, pixels, 120, 80, **changes)


def face_of(label: str | None = "a<b", reason: str | None = None, **changes) -> FaceAnswer:
    picture = np.full((10, 10), 90, dtype=np.uint8)
    scores = {"a<b": 0.75, "c": 0.25}
    given = {"reconstruction": picture, "scores": scores} | changes
    return FaceAnswer(
        (10, 20, 30, 40),
        label,
        0.75,
        given.pop("scores"),
        9.0,
        0.05,
        picture,
        prepared=picture,
        reason=reason,
        **given,
    )


def test_an_answer_is_a_table_with_a_row_per_face():
    unsure = face_of(None, "unsure: confidence below 0.8")
    table = answer_of(face_of(), unsure).to_frame()
    assert table["face"].tolist() == [1, 2]
    assert table["photo"].tolist() == ["me & you.jpg"] * 2
    assert table["label"].tolist()[0] == "a<b" and table["label"].isna().tolist() == [False, True]
    assert table["likely"].tolist() == ["a<b"] * 2
    assert table["p_c"].tolist() == [0.25] * 2
    assert table.loc[0, ["x", "y", "width", "height"]].tolist() == [10, 20, 30, 40]
    assert table["reason"].tolist()[1].startswith("unsure")
    assert table["error"].isna().all()


@pytest.mark.parametrize("error", [None, "the photo is damaged"])
def test_a_photo_without_an_answer_is_a_row_that_says_why(error):
    table = PhotoAnswer("x.jpg", error).to_frame()
    assert table.to_dict("records") == [
        {"photo": "x.jpg", "face": 0, "error": error or "no face found", "notes": ""}
    ]


def test_tables_of_several_answers_can_be_joined():
    tables = [answer_of(face_of()).to_frame(), PhotoAnswer("x.jpg", "bad").to_frame()]
    joined = pd.concat(tables, ignore_index=True)
    assert joined["face"].tolist() == [1, 0]


def test_the_main_face_of_an_answer_is_the_one_near_the_middle():
    beside, middle = face_of(), replace(face_of(), box=(50, 25, 29, 39))
    assert answer_of(beside, middle).main is middle
    assert answer_of(beside).main is beside
    assert answer_of().main is None


def test_an_answer_shows_itself_in_one_line():
    assert repr(answer_of(face_of())) == "PhotoAnswer('me & you.jpg', a<b 0.750)"
    assert repr(face_of()) == "FaceAnswer(a<b, a<b 0.750, 30 x 40 at 10, 20)"
    assert repr(PhotoAnswer("x")) == "PhotoAnswer('x', no face found)"
    assert repr(PhotoAnswer("x", "bad")) == "PhotoAnswer('x', error: bad)"


def test_an_answer_shows_its_faces_in_a_notebook_with_names_escaped():
    shown = answer_of(face_of(), face_of(None, "not a face: far"))._repr_html_()
    html5lib.HTMLParser(strict=True).parseFragment(shown)
    assert shown.count("<img ") == 5
    assert "me &amp; you.jpg" in shown and "a&lt;b" in shown and "a<b" not in shown
    assert "<b>not a face</b><br>far" in shown
    without = answer_of(face_of(reconstruction=None))._repr_html_()
    assert without.count("<img ") == 2
    assert "<tr>" in face_of()._repr_html_()


@pytest.mark.parametrize("faces", [(), (face_of(),)])
def test_notes_are_in_json_table_and_notebook(faces):
    answer = PhotoAnswer("x.jpg", faces=faces, notes=("its <end> is missing", "two"))
    assert answer.to_dict()["notes"] == ["its <end> is missing", "two"]
    assert answer.to_frame()["notes"].tolist() == ["its <end> is missing; two"]
    assert "note: its &lt;end&gt; is missing" in answer._repr_html_()


def test_what_has_no_face_shows_why_in_a_notebook():
    assert "no face found" in PhotoAnswer("x")._repr_html_()
    assert "error: &lt;bad&gt;" in PhotoAnswer("x", "<bad>")._repr_html_()


@pytest.mark.parametrize(
    "shown", [answer_of(face_of()), face_of(), PhotoAnswer("$x$"), PhotoAnswer("x", "$bad$")]
)
def test_a_notebook_reads_no_formulas_in_it(shown):
    first = re.match(r"<[^>]*>", shown._repr_html_())[0]  # MathJax passes over what is inside
    assert 'class="tex2jax_ignore mathjax_ignore"' in first


POINTS = ((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0))
SURE = AnswerRule(min_confidence=1.0)


def test_boxes_are_drawn_in_the_colour_of_their_label(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    before = answer.pixels.copy()
    colours = {"round": (0, 0, 255), "square": (255, 128, 0)}
    picture = annotate(answer, colours)
    x, y, w, h = answer.faces[0].box
    assert picture[y + h, x + w // 2].tolist() == [0, 0, 255]
    assert (answer.pixels == before).all()
    small = annotate(answer, colours, long_side=100)
    assert max(small.shape[:2]) == 100
    scale = small.shape[1] / answer.width
    assert small[round((y + h) * scale), round((x + w / 2) * scale)].tolist() == [0, 0, 255]
    assert annotate(answer, colours, long_side=5000).shape == before.shape
    assert (picture != before).any(axis=2).mean() < 0.2


def test_landmarks_are_in_pixels_of_the_full_photo_and_drawn_as_dots(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    assert answer.faces[0].landmarks is None
    twice = tuple((2 * x, 2 * y) for x, y in POINTS)
    found = Face(tuple(2 * v for v in answer.faces[0].box), 1.0, twice)
    (face,) = classify([answer.faces[0].prepared], tiny_model, [found])
    assert face.landmarks == twice
    whole = replace(answer, width=2 * answer.width, height=2 * answer.height, faces=(face,))
    picture = annotate(whole, dict.fromkeys(tiny_model.labels, (0, 0, 255)))
    assert all(picture[int(y), int(x)].tolist() == [0, 0, 255] for x, y in POINTS)


def test_an_unsure_face_has_a_box_of_no_labels_colour(photo, tiny_model):
    answer = predict_photo(photo, tiny_model, rule=SURE)
    picture = annotate(answer, {"round": (0, 0, 255), "square": (255, 128, 0)})
    x, y, w, h = answer.faces[0].box
    red, green, blue = picture[y + h, x + w // 2].tolist()
    assert red == green == blue


def test_boxes_beyond_the_photo_can_be_drawn(photo, tiny_model):
    answer = predict_photo(photo, tiny_model)
    face = replace(answer.faces[0], box=(-40, -30, 280, 300))
    picture = annotate(replace(answer, faces=(face,)), dict.fromkeys(tiny_model.labels, (1, 2, 3)))
    assert picture.shape == answer.pixels.shape


def test_an_answer_without_pixels_cannot_be_drawn(tiny_model):
    with pytest.raises(ValueError, match="no pixels"):
        annotate(predict_photo(b"bad", tiny_model), {})


def test_scores_of_many_labels_come_in_the_order_that_people_read():
    scores = {"s1": 0.5, "s10": 0.3, "s2": 0.2}
    answer = answer_of(face_of("s1", scores=scores))
    assert list(answer.to_dict()["faces"][0]["scores"]) == ["s1", "s2", "s10"]
    told = answer.to_dict(order=["s10", "s2", "s1"])
    assert told["faces"][0]["scores"] == scores
    assert list(told["faces"][0]["scores"]) == ["s10", "s2", "s1"]
    columns = [name for name in answer.to_frame() if name.startswith("p_")]
    assert columns == ["p_s1", "p_s2", "p_s10"]


def test_a_notebook_shows_five_scores_and_folds_the_rest_away():
    scores = {f"s{i}": (0.5 if i == 9 else 0.05) for i in range(11)}
    shown = answer_of(face_of("s9", scores=scores))._repr_html_()
    html5lib.HTMLParser(strict=True).parseFragment(shown)
    head, rest = shown.split("<details><summary>6 more</summary>")
    assert head.count("0.050") == 4 and "s9 0.500" in head
    assert all(label in shown for label in scores) and rest.count("0.050") == 6


def test_what_is_probably_not_a_face_has_a_dashed_box_and_other_numbers_if_asked_for():
    faces = face_of(), replace(face_of(), box=(150, 50, 120, 120))
    pixels = np.full((200, 300, 3), 200, dtype=np.uint8)
    answer = replace(answer_of(*faces), pixels=pixels, width=300, height=200)
    colours = {"a<b": (255, 0, 0)}
    plain = annotate(answer, colours)
    doubted = replace(faces[1], no_face="not a face: far")
    marked = annotate(replace(answer, faces=(faces[0], doubted)), colours)
    assert (marked[:, :140] == plain[:, :140]).all()
    assert not (marked[:, 140:] == (255, 0, 0)).all(axis=2).any()
    bottom = marked[170, 150:271]  # white dashes on a black line
    assert {tuple(pixel) for pixel in bottom.tolist()} == {(0, 0, 0), (255, 255, 255)}
    assert (annotate(answer, colours, numbers=[2, 1]) != plain).any()
