import numpy as np
import pandas as pd
import pytest

from facecore.data.splits import hold_out, labels_are_subjects, split_folds, subject_names
from facecore.errors import DataError


def test_without_a_split_whole_persons_are_held_out():
    table = pd.DataFrame(
        {
            "label": np.repeat(["a", "b"], 30),
            "subject": [f"{i // 3}" for i in range(60)],
            "path": [f"{i}.jpg" for i in range(60)],
        }
    )
    split = hold_out(table, 0)
    assert 8 <= (split == "test").sum() <= 16
    assert set(split) == {"train", "test"}
    assert pd.Series(split).groupby(table["subject"]).nunique().eq(1).all()
    assert set(table["label"][split == "test"]) == {"a", "b"}
    assert (split == hold_out(table, 0)).all()


def test_persons_are_apart_between_data_sets_and_unknown_ones_are_each_their_own():
    table = pd.DataFrame(
        {
            "set": ["x", "y", "x", "x", "x"],
            "subject": ["eve", "eve", "", "", "eve"],
            "path": ["1", "2", "3", "4", "5"],
        }
    )
    who = subject_names(table)
    assert len(set(who)) == 4
    assert who[0] == who[4]


@pytest.mark.parametrize("seed", range(5))
def test_no_person_is_on_both_sides_of_a_fold_and_every_face_is_tested_once(three_faces, seed):
    _, y, groups = three_faces
    splits = split_folds(y, groups, 5, seed)
    assert len(splits) == 5
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
        assert set(y[train]) == set(y)
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(len(y)))


def test_a_label_with_few_persons_has_fewer_folds():
    y = np.array(["a"] * 3 + ["b"] * 10)
    assert len(split_folds(y, np.arange(13).astype(str), 5, 0)) <= 3


def test_one_label_is_an_error():
    with pytest.raises(DataError, match="two labels"):
        split_folds(np.repeat("a", 6), np.arange(6), 5, 0)


def test_a_label_of_one_person_is_an_error_that_names_it():
    with pytest.raises(DataError, match="'b'"):
        split_folds(np.array(list("aabb")), np.array(["1", "2", "3", "3"]), 5, 0)


def persons(subjects: list[str]) -> pd.DataFrame:
    labels = np.repeat(["eve", "ida", "leo"], 10)
    paths = [f"{i}.jpg" for i in range(30)]
    return pd.DataFrame({"set": "x", "label": labels, "subject": subjects, "path": paths})


@pytest.mark.parametrize(
    ("subjects", "same"),
    [
        (["eve"] * 10 + ["ida"] * 10 + ["leo"] * 10, True),
        (["1"] * 10 + ["2"] * 10 + ["3"] * 10, True),
        (["eve"] * 10 + ["ida"] * 10 + [""] * 10, False),
        (["eve"] * 20 + ["leo"] * 10, False),
        (["eve"] * 9 + ["ida"] * 11 + ["leo"] * 10, False),
        ([""] * 30, False),
    ],
)
def test_labels_are_persons_if_each_has_one_subject_of_its_own(subjects, same):
    assert labels_are_subjects(persons(subjects)) is same


def test_photos_of_a_person_are_split_where_the_label_is_the_person():
    table = persons(["eve"] * 10 + ["ida"] * 10 + ["leo"] * 10)
    split = hold_out(table, 0)
    assert set(table["label"][split == "test"]) == set(table["label"][split == "train"])
    assert len(set(subject_names(table))) == 30
    assert len(set(subject_names(table, identity=False))) == 3


def test_labels_that_are_said_to_be_persons_are_split_by_photo_whatever_the_subjects():
    table = persons(["eve"] * 15 + ["leo"] * 15)
    assert len(set(subject_names(table, identity=True))) == 30
    assert set(hold_out(table, 0, identity=True)) == {"train", "test"}
