import pytest

from facecore.model.labels import order_labels, shows_nobody, title_of, whom_it_shows
from facecore.model.store import SHIPPED, read_metadata

MANY = {"known": 80, "largest": 0.02}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["s10", "s2", "s1"], ["s1", "s2", "s10"]),
        (["10-19", "0-9", "100+"], ["0-9", "10-19", "100+"]),
        (["b", "A", "a1", "a"], ["A", "a", "a1", "b"]),
        (["1", "a", "01"], ["01", "1", "a"]),
        (["²", "2", "x²"], ["2", "x²", "²"]),
        ([], []),
    ],
)
def test_labels_stand_in_natural_order(labels, expected):
    assert order_labels(labels) == expected


def test_a_declared_order_comes_first_and_other_labels_follow():
    assert order_labels(["c", "b", "a10", "a9"], ["c", "a10"]) == ["c", "a10", "a9", "b"]


def test_a_title_is_the_one_that_was_given_or_else_the_labels():
    assert title_of({"title": "Mood", "labels": ["a", "b"]}) == "Mood"
    assert title_of({"labels": ["a10", "a9", "b"]}) == "a9 / a10 / b"
    assert title_of({"labels": [str(i) for i in range(40)]}) == "40 labels"


@pytest.mark.parametrize(
    ("metadata", "nobody", "words"),
    [
        ({"subjects": {"a": MANY, "b": MANY}}, True, "No real person is shown."),
        ({}, False, "is not known"),
        ({"subjects": {"a": {"known": 0, "largest": 0.0}}}, False, "is not known"),
        ({"subjects": {"a": MANY, "b": {"known": 1, "largest": 0.5}}}, False, "1 known subject."),
        (
            {"subjects": {"a": MANY, "b": {"known": 39, "largest": 0.1}}},
            False,
            "39 known subjects.",
        ),
        ({"subjects": {"a": MANY, "b": {"known": 40, "largest": 0.6}}}, False, "60% of the faces"),
        ({"identity": True, "subjects": {"a": MANY}}, True, "No real person is shown."),
        (
            {"identity": True, "subjects": {"a": {"known": 1, "largest": 1.0}}},
            False,
            "each label is one person",
        ),
    ],
)
def test_faces_are_said_to_show_nobody_only_where_the_subjects_prove_it(metadata, nobody, words):
    assert shows_nobody(metadata) is nobody
    assert words in whom_it_shows(metadata)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_models_that_ship_have_a_title_and_are_known_to_show_nobody(name, shipped):
    metadata = read_metadata(name)
    assert title_of(metadata) == "Gender"
    assert set(metadata["subjects"]) == set(metadata["labels"])
    assert shows_nobody(metadata)
