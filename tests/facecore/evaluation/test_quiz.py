"""The faces of a quiz are the same for everybody, and guesses are measured as answers are."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from facecore.errors import DataError
from facecore.evaluation.curves import brier_score, reliability
from facecore.evaluation.quiz import (
    QuizFace,
    draw_quiz,
    pick_quiz,
    tabulate_answers,
    tabulate_guesses,
)
from facecore.model.predict import predict_photo

BLACK = np.zeros((1, 1, 3), dtype=np.uint8)
FACES = [
    QuizFace(BLACK, "round", {"round": 0.8, "square": 0.2}),
    QuizFace(BLACK, "square", {"round": 0.6, "square": 0.4}),
    QuizFace(BLACK, "square", {"round": 0.1, "square": 0.9}),
]


def test_a_seed_draws_the_same_faces_and_another_seed_others(shipped_model):
    (first, _), (again, _), (other, _) = (draw_quiz(shipped_model, seed, 4) for seed in (3, 3, 4))
    assert [face.label for face in first] == [face.label for face in again]
    assert all(np.array_equal(a.photo, b.photo) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].photo, other[0].photo)


def test_the_answers_are_those_of_the_model_about_the_photo(shipped_model):
    (faces, skipped) = draw_quiz(shipped_model, 1, 3)
    assert len(faces) == 3
    assert skipped >= 0
    for face in faces:
        assert face.scores == predict_photo(face.photo, shipped_model).main.scores
        assert face.label in shipped_model.labels


def test_a_face_fills_its_picture_whose_border_moves_the_cut_inwards(shipped_model):
    photo = np.arange(100 * 200, dtype=np.uint16).reshape(100, 200)
    middle, corner, large = (
        QuizFace(photo, "round", {}, box).close
        for box in ((80, 40, 40, 20), (190, 90, 20, 20), (0, 0, 90, 90))
    )
    assert np.array_equal(middle, photo[25:75, 75:125])
    assert np.array_equal(corner, photo[75:, 175:])
    assert large.shape == (100, 100)
    assert QuizFace(photo, "round", {}).close is photo
    for face in draw_quiz(shipped_model, 1, 3)[0]:
        assert len(face.close) == pytest.approx(1.25 * max(face.box[2:]), abs=1)


def test_all_labels_are_drawn(shipped_model):
    labels = {face.label for face in draw_quiz(shipped_model, 0, 12)[0]}
    assert labels == set(shipped_model.labels)


def test_without_a_spread_no_quiz_is_drawn(shipped_model):
    with pytest.raises(DataError, match="no spread"):
        draw_quiz(replace(shipped_model, spread=None))


def test_photos_are_picked_at_random_and_what_shows_no_face_is_counted(tiny_model, raw_folder):
    photos = [(path, path.parent.name) for path in sorted(raw_folder.glob("*/*.*"))[:30]]
    photos = [(path, label) for path, label in photos if label in tiny_model.labels]
    assert len(photos) > 6
    faces, skipped = pick_quiz(tiny_model, photos, 2, 5)
    again, _ = pick_quiz(tiny_model, photos, 2, 5)
    assert len(faces) == 5
    assert skipped <= len(photos) - 5
    assert [face.scores for face in faces] == [face.scores for face in again]
    assert max(faces[0].photo.shape) <= 500
    gone = [(raw_folder / "gone.png", tiny_model.labels[0]), (photos[0][0], "of no model")]
    assert pick_quiz(tiny_model, gone) == ([], 1)


def test_guesses_have_the_brier_score_of_probabilities():
    guesses = [("round", 0.9), ("round", 0.7), ("square", 0.6)]
    table = tabulate_guesses(FACES, guesses)
    # of round: what the visitor holds for its probability
    assert brier_score(table) == pytest.approx(brier_score_loss([1, 0, 0], [0.9, 0.7, 0.4]))
    assert brier_score(tabulate_answers(FACES)) == pytest.approx(
        brier_score_loss([1, 0, 0], [0.8, 0.6, 0.1])
    )
    bins = reliability(table, 1)
    assert bins["confidence"].item() == pytest.approx((0.9 + 0.7 + 0.6) / 3)
    assert bins["right"].item() == pytest.approx(2 / 3)


def test_a_blind_guess_counts_as_the_label_that_was_named():
    assert tabulate_guesses(FACES[:1], [("square", 0.5)])["predicted"].tolist() == ["square"]


def test_what_is_left_is_shared_by_the_other_labels():
    face = QuizFace(BLACK, "a", {"a": 0.2, "b": 0.3, "c": 0.5})
    row = tabulate_guesses([face], [("b", 0.4)]).iloc[0]
    assert (row.p_a, row.p_b, row.p_c) == pytest.approx((0.3, 0.4, 0.3))


def test_guesses_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="1 guesses for 3 faces"):
        tabulate_guesses(FACES, [("round", 0.9)])
    with pytest.raises(DataError, match="no label 'oval'"):
        tabulate_guesses(FACES[:1], [("oval", 0.9)])
