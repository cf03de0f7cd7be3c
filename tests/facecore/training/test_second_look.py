"""A second look: which photos are shown, and in which order."""

import pandas as pd
import pytest

from facecore.errors import DataError
from facecore.training.second_look import (
    CELL,
    KINDS,
    LONELY,
    SUSPECTED,
    TEST,
    TRAINING,
    UNSURE,
    WRONG,
    cross_answers,
    photos_of,
    select_photos,
)

PHOTOS = pd.DataFrame(
    [
        ("a", "train", "calm", "calm", True, 0.9, False, 0.8, 0.0),
        ("b", "train", "calm", "sad", True, 0.8, True, -0.6, 0.0),
        ("c", "train", "calm", "sad", True, 0.9, True, -0.8, 5.0),
        ("d", "train", "sad", "calm", False, 0.6, False, -0.2, 0.0),
        ("e", "train", "sad", "sad", False, 0.5, False, 0.1, 4.0),
        ("f", "test", "sad", "", False, float("nan"), False, float("nan"), float("nan")),
        ("g", "test", "sad", "calm", True, 0.7, True, -0.4, float("nan")),
    ],
    columns=[
        *("path", "split", "label", "answer", "answered"),
        *("p_answer", "suspected", "margin", "lonely"),
    ],
)


@pytest.mark.parametrize(
    ("kind", "paths"),
    [(SUSPECTED, "cb"), (WRONG, "cb"), (UNSURE, "ed"), (LONELY, "ce")],
)
def test_the_photos_of_a_kind_come_in_the_order_of_need(kind, paths):
    found = select_photos(photos_of(PHOTOS, TRAINING), kind)
    assert "".join(found["path"]) == paths


def test_a_cell_opens_its_photos():
    train, test = photos_of(PHOTOS, TRAINING), photos_of(PHOTOS, TEST)
    assert select_photos(train, CELL, label="calm", answer="sad")["path"].tolist() == ["c", "b"]
    assert select_photos(test, CELL, label="sad", answer="no face")["path"].tolist() == ["f"]


@pytest.mark.parametrize("part", KINDS)
def test_each_count_of_the_matrix_is_the_number_of_photos_of_its_cell(part):
    photos = photos_of(PHOTOS, part)
    counts = cross_answers(photos, ["sad", "calm"])
    assert list(counts) == ["sad", "calm"]
    for label, row in counts.items():
        for answer, count in row.items():
            assert len(select_photos(photos, CELL, label=label, answer=answer)) == count
    assert sum(sum(row.values()) for row in counts.values()) == len(photos)


def test_an_unknown_kind_is_refused():
    with pytest.raises(DataError, match="there are"):
        select_photos(PHOTOS, "best")
