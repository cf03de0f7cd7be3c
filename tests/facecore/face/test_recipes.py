import inspect
import json
from dataclasses import replace

import numpy as np
import pytest
from cartoons import drawn_face
from hypothesis import given, settings
from hypothesis import strategies as st

from facecore.errors import DataError, ModelError
from facecore.face.detect import BlazeSettings, Face, HaarSettings, get_detector
from facecore.face.prepare import (
    MOST,
    SIDE,
    align,
    flatten,
    to_square,
)
from facecore.face.recipes import (
    DEFAULT_RECIPE,
    PHRASES,
    RECIPES,
    Alignment,
    Recipe,
    crops_of,
    cut_face,
    describe_member,
    describe_recipe,
    find_recipe,
    for_whole_photos,
    prepare_crop,
    rows_of,
    takes_whole_photos,
    to_rows,
)
from facecore.training.background import start_training

STORED = json.loads(json.dumps(RECIPES["aligned"].to_dict()))
DESCRIBED = json.loads(json.dumps(RECIPES["embedding"].to_dict()))
WIDTH = 3.52  # of an aligned crop, in distances of the eyes
PLACE = st.floats(-1e4, 1e4)


@pytest.mark.usefixtures("with_weights")
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_found_by_its_name(name):
    assert find_recipe(name) == RECIPES[name]
    assert RECIPES[name].name == name


@pytest.mark.parametrize("name", ["", "Aligned", "cake"])
def test_an_unknown_recipe_names_those_there_are(name):
    with pytest.raises(DataError, match=rf"no recipe '{name}'; there are: classic, aligned"):
        find_recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_being_stored_as_json(name):
    assert Recipe.from_dict(json.loads(json.dumps(RECIPES[name].to_dict()))) == RECIPES[name]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_described_by_what_it_does_and_not_by_its_name(name):
    stored = Recipe.from_dict(json.loads(json.dumps(RECIPES[name].to_dict())))
    assert describe_recipe(stored) == PHRASES[name] != ""
    assert describe_recipe(replace(stored, unsure=0.9)) == PHRASES[name]
    others = (replace(stored, name="mine"), replace(stored, frame=0.5), for_whole_photos(stored))
    assert [describe_recipe(other) for other in others] == ["", "", ""]
    assert PHRASES[name] not in json.dumps(stored.to_dict())
    assert len(PHRASES) == len(RECIPES)


def test_what_may_be_left_out_of_a_stored_recipe_takes_its_default():
    least = {"name": "mine", "detector": {"name": "haar"}, "side": 64}
    assert Recipe.from_dict(least) == Recipe(name="mine", detector=HaarSettings(), side=64)


@pytest.mark.parametrize("key", ["name", "detector", "side"])
def test_a_stored_recipe_that_lacks_a_part_is_refused_by_the_parts_name(key):
    with pytest.raises(ModelError, match=f"the recipe lacks '{key}'"):
        Recipe.from_dict({k: v for k, v in STORED.items() if k != key})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"mirorr": True}, "unknown key 'mirorr'; known: .*'mirror'"),
        ({"members": {}}, "unknown key 'members'"),
        ({"name": ""}, "name '' is not a non-empty string"),
        ({"name": 3}, "name 3 is not"),
        ({"side": 100.7}, "side 100.7 is not a whole number from 1 to 1000"),
        ({"side": "160"}, "side '160' is not"),
        ({"side": True}, "side True is not"),
        ({"side": 0}, "side 0 is not"),
        ({"side": 10**9}, "side 1000000000 is not"),
        ({"frame": 0}, "frame 0 is not a number above 0, up to 1"),
        ({"frame": 1.5}, "frame 1.5 is not"),
        ({"frame": float("nan")}, "frame nan is not"),
        ({"frame": None}, "frame None is not"),
        ({"mirror": "no"}, "mirror 'no' is not true or false"),
        ({"mirror": 1}, "mirror 1 is not"),
        ({"colour": "red"}, "colour 'red' is not true or false"),
        ({"network": "yes"}, "network 'yes' is not"),
        ({"network": True}, "embedding reads faces of side 150, not 160"),
        ({"unsure": 0}, "unsure 0 is not a number above 0"),
        ({"unsure": "0.9"}, "unsure '0.9' is not"),
        ({"unsure": True}, "unsure True is not"),
        ({"alignment": {}}, "alignment {} is not of the form"),
        ({"alignment": {"width": "3"}}, "alignment width '3' is not a number above 0"),
        ({"alignment": {"width": -3.5}}, "alignment width -3.5 is not"),
        ({"alignment": {"width": 3.5, "tilt": 1}}, "is not of the form"),
        ({"alignment": 3.5}, "alignment 3.5 is not of the form"),
        ({"detector": None}, "detector None is not a table"),
        ({"detector": "haar"}, "detector 'haar' is not a table"),
        ({"detector": {"name": "dlib"}}, "no detector 'dlib'; there are: haar, mtcnn, blazeface"),
        ({"detector": {"name": "mtcnn", "cascade": "x"}}, "'mtcnn' has no setting cascade"),
        ({"detector": {"name": "mtcnn", "long_side": 480.5}}, "long_side must be a whole number"),
        ({"detector": {"name": "mtcnn", "min_pixels": False}}, "min_pixels must be a whole number"),
        (
            {"detector": {"name": "haar"}},
            "landmarks, which only the detectors mtcnn and blazeface give",
        ),
    ],
    ids=str,
)
def test_a_stored_recipe_with_a_wrong_part_is_refused_with_the_value(change, problem):
    with pytest.raises(ModelError, match=problem):
        Recipe.from_dict(STORED | change)


@pytest.mark.parametrize("change", [{"mirror": True}, {"side": 100}], ids=str)
def test_a_network_describes_both_views_of_faces_of_its_own_size(change):
    with pytest.raises(ModelError, match="embedding reads faces of side 150"):
        Recipe.from_dict(DESCRIBED | change)


@pytest.mark.parametrize("document", [None, [], 5, "classic", ["name"]], ids=str)
def test_what_is_not_a_table_is_not_a_recipe(document):
    with pytest.raises(ModelError, match="is not a table of settings"):
        Recipe.from_dict(document)


def test_a_recipe_made_in_code_is_checked_as_a_stored_one_is():
    with pytest.raises(ModelError, match="side 0"):
        replace(RECIPES["classic"], side=0)
    with pytest.raises(ModelError, match="landmarks"):
        Recipe(alignment=Alignment(3.5))


@pytest.mark.parametrize("name", RECIPES)
def test_the_detector_of_a_recipe_can_be_built_and_gives_the_landmarks_it_aligns_by(name):
    recipe = RECIPES[name]
    assert get_detector(recipe.detector) is not None
    assert recipe.alignment is None or isinstance(recipe.detector, BlazeSettings)


def test_of_every_recipe_the_first_member_has_eigenfaces_or_reads_the_networks_numbers():
    for recipe in RECIPES.values():
        found = [(member.features.kind, member.space) for member in recipe.members.values()]
        if recipe.embedding:
            assert found == [("network", "eigenfaces"), ("convolutions", "eigenfaces")]
        else:
            assert found[0] == ("pixels", "eigenfaces")
            assert found.count(found[0]) == 1


def test_every_member_is_described_by_what_it_reads_and_not_by_its_name():
    told: dict[str, set[str]] = {}
    for recipe in RECIPES.values():
        for name, member in recipe.members.items():
            told.setdefault(name, set()).add(describe_member(member.features, member.space))
    assert all(len(words) == 1 for words in told.values())
    assert len(set.union(*told.values())) == len(told)


def test_a_member_spans_eigenfaces_or_fisherfaces():
    pixels = RECIPES["fisher"].members["pixels"]
    assert pixels.space == "eigenfaces"
    with pytest.raises(ModelError, match="no space 'faces'; there are: eigenfaces, fisherfaces"):
        replace(pixels, space="faces")


def test_the_crops_of_aligned_serve_fisherfaces_too():
    assert crops_of(RECIPES["fisher"]) == "aligned"


@pytest.mark.usefixtures("no_weights")
def test_a_recipe_whose_network_is_missing_says_how_to_install_it():
    with pytest.raises(ModelError, match=r"embedding.*not installed: pip install"):
        find_recipe("embedding")
    assert find_recipe("aligned") == RECIPES["aligned"]


def test_the_crops_of_aligned_serve_the_embedding_too():
    assert RECIPES["embedding"].alignment == RECIPES["aligned"].alignment
    assert RECIPES["embedding"].detector == RECIPES["aligned"].detector


@pytest.mark.usefixtures("with_weights")
@pytest.mark.parametrize("name", RECIPES)
def test_rows_have_the_shape_and_type_that_is_foretold(name):
    crop = np.random.default_rng(0).integers(0, 256, (170, 170, 3)).astype(np.uint8)
    rows = to_rows([prepare_crop(crop, RECIPES[name])] * 3, RECIPES[name])
    assert (rows.shape, rows.dtype) == rows_of(3, RECIPES[name])


def test_no_member_enlarges_the_prepared_face():
    for recipe in RECIPES.values():
        for features in (member.features for member in recipe.members.values()):
            assert features.side <= recipe.side * features.frame


def test_the_best_settings_of_a_member_are_in_its_tuned_grid():
    for member in (m for recipe in RECIPES.values() for m in recipe.members.values()):
        assert set(member.best) == set(member.tuned)
        assert all(value in member.tuned[name] for name, value in member.best.items())


def test_what_names_no_recipe_takes_the_default(run):
    assert DEFAULT_RECIPE in RECIPES
    assert inspect.signature(start_training).parameters["recipe"].default == DEFAULT_RECIPE
    for command in ("crop", "train"):
        assert f"({DEFAULT_RECIPE})" in run(command, "--help").stdout


def test_a_face_is_cut_by_its_box_or_upright_by_its_landmarks_as_the_recipe_says():
    photo, landmarks = drawn_face()
    face = Face((90, 60, 160, 160), 0.9, tuple(map(tuple, landmarks)))
    assert (cut_face(photo, face) == photo[60:220, 90:250]).all()
    assert (cut_face(photo, face, Alignment(3)) == align(photo, landmarks, 3.0)).all()


def test_a_face_without_landmarks_cannot_be_aligned():
    photo, _ = drawn_face()
    with pytest.raises(ModelError, match="mtcnn and blazeface"):
        cut_face(photo, Face((90, 60, 160, 160), 12.0), Alignment(WIDTH))


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(PLACE, PLACE, st.floats(0, 500), st.floats(0, 500)),
    st.lists(st.tuples(PLACE, PLACE), min_size=5, max_size=5),
    st.floats(0.05, 1),
    st.booleans(),
)
def test_any_place_of_a_face_gives_a_row_of_grey_levels(shape, box, points, frame, aligned):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    face = Face(box, 1.0, tuple(points))
    crop = cut_face(pixels, face, Alignment(WIDTH) if aligned else None)
    assert crop.shape[2] == 3
    assert max(crop.shape[:2]) <= max(MOST, 500)
    row = flatten(to_square(crop, SIDE, frame))
    assert (row.shape, row.dtype) == ((1, SIDE * SIDE), np.uint8)
    assert pixels.min() <= row.min() <= row.max() <= pixels.max()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_for_whole_photos_reads_all_of_them_and_is_stored(name):
    recipe = for_whole_photos(RECIPES[name])
    assert takes_whole_photos(recipe) and not takes_whole_photos(RECIPES[name])
    assert (recipe.name, recipe.side, recipe.mirror) == (
        name,
        RECIPES[name].side,
        RECIPES[name].mirror,
    )
    assert (recipe.alignment, recipe.frame) == (None, 1)
    assert {member.features.frame for member in recipe.members.values()} == {1}
    assert recipe.members.keys() == RECIPES[name].members.keys()
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert crops_of(recipe) == "whole"


def test_a_whole_photo_that_is_not_square_is_squeezed_so_that_nothing_of_it_is_lost():
    recipe = for_whole_photos(RECIPES["classic"])
    photo = np.zeros((112, 92, 3), dtype=np.uint8)
    photo[:28], photo[:, -23:] = 100, 200  # a quarter of the height, a quarter of the width
    (face,) = get_detector(recipe.detector)(photo)
    prepared = prepare_crop(cut_face(photo, face, recipe.alignment), recipe)
    assert prepared.shape == (100, 100)
    assert (prepared[:23, :73] == 100).all() and (prepared[:, 77:] == 200).all()
    assert not prepared[27:, :73].any()
