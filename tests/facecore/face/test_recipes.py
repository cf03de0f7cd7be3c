import inspect
import json

import numpy as np
import pytest

from facecore.errors import DataError, ModelError
from facecore.face.detect import get_detector
from facecore.face.recipes import (
    DEFAULT_RECIPE,
    MEMBERS,
    RECIPES,
    find_recipe,
    prepare_crop,
    rows_of,
    to_rows,
)
from facecore.training.background import start_training


@pytest.mark.usefixtures("with_weights")
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_found_by_its_name(name):
    recipe = find_recipe(name)
    assert recipe["name"] == name
    assert {"detector", "alignment", "side", "frame", "mirror"} <= set(recipe)


@pytest.mark.parametrize("name", ["", "Aligned", "cake"])
def test_an_unknown_recipe_names_those_there_are(name):
    with pytest.raises(DataError, match=rf"no recipe '{name}'; there are: classic, aligned"):
        find_recipe(name)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_being_stored_as_json(name):
    assert json.loads(json.dumps(RECIPES[name])) == RECIPES[name]


@pytest.mark.parametrize("name", RECIPES)
def test_the_detector_of_a_recipe_can_be_built_and_gives_the_landmarks_it_aligns_by(name):
    recipe = RECIPES[name]
    assert get_detector(recipe["detector"]) is not None
    assert recipe["alignment"] is None or recipe["detector"]["name"] == "mtcnn"


def test_of_every_recipe_the_first_member_reads_pixels_or_all_read_the_networks_numbers():
    assert set(MEMBERS) == set(RECIPES)
    for name, members in MEMBERS.items():
        kinds = [features.kind for features in members.values()]
        if RECIPES[name].get("network"):
            assert set(kinds) == {"network"}
        else:
            assert kinds[0] == "pixels"
            assert kinds.count("pixels") == 1


@pytest.mark.usefixtures("no_weights")
def test_a_recipe_whose_network_is_missing_says_how_to_install_it():
    with pytest.raises(ModelError, match=r"embedding.*not installed: pip install"):
        find_recipe("embedding")
    assert find_recipe("aligned") == RECIPES["aligned"]


def test_the_crops_of_aligned_serve_the_embedding_too():
    assert RECIPES["embedding"]["alignment"] == RECIPES["aligned"]["alignment"]
    assert RECIPES["embedding"]["detector"] == RECIPES["aligned"]["detector"]


@pytest.mark.usefixtures("with_weights")
@pytest.mark.parametrize("name", RECIPES)
def test_rows_have_the_shape_and_type_that_is_foretold(name):
    crop = np.random.default_rng(0).integers(0, 256, (170, 170, 3)).astype(np.uint8)
    rows = to_rows([prepare_crop(crop, RECIPES[name])] * 3, RECIPES[name])
    assert (rows.shape, rows.dtype) == rows_of(3, RECIPES[name])


def test_no_member_enlarges_the_prepared_face():
    for name, members in MEMBERS.items():
        for features in members.values():
            assert features.side <= RECIPES[name]["side"] * features.frame


def test_what_names_no_recipe_takes_the_default(run):
    assert DEFAULT_RECIPE in RECIPES
    assert inspect.signature(start_training).parameters["recipe"].default == DEFAULT_RECIPE
    for command in ("crop", "train"):
        assert f"({DEFAULT_RECIPE})" in run(command, "--help").stdout
