import dataclasses

import numpy as np
import pytest
from cartoons import noisy

from facecore.errors import DataError
from facecore.training.kept_searches import keep_search
from facecore.training.options import TrainingOptions
from facecore.training.search import grid_search
from facecore.training.streaming import FacesOnDisk

GRID = {
    "n_components": [5, 10],
    "C": [1.0, 5.0],
    "gamma": [0.0123],
    "whiten": [True],
    "class_weight": ["balanced", None],
}


@pytest.fixture
def kept(faces, tmp_path):
    """Search the faces, or take the kept search; counts how often it was made."""
    X, y, subjects = noisy(faces)
    np.save(tmp_path / "faces.npy", X)
    folder = tmp_path / "kept"
    folder.mkdir()
    made = []

    def call(grid=GRID, how="exact", labels=y, folder=folder, **options):
        def make():
            made.append(how)
            return grid_search(X, y, subjects, grid, folds=3)

        found = keep_search(
            folder,
            make,
            FacesOnDisk(tmp_path / "faces.npy"),
            {"y": labels},
            grid,
            TrainingOptions(**options),
            how,
        )
        return found, len(made)

    call.folder, call.faces = folder, tmp_path / "faces.npy"
    return call


def test_a_finished_search_is_taken_up_to_the_last_digit(kept):
    (first, _), (second, made) = kept(), kept()
    assert made == 1
    assert second.best == first.best
    assert second.table.equals(first.table)
    assert (second.decisions == first.decisions).all()
    assert (second.distances == first.distances).all()
    assert second.saved > first.saved == 0


@pytest.mark.parametrize(
    "change",
    [{"grid": GRID | {"C": [1.0, 6.0]}}, {"how": "nystroem"}, {"seed": 1}],
    ids=["grid", "solver", "seed"],
)
def test_another_search_is_made_anew(kept, change):
    kept()
    assert kept(**change)[1] == 2


def test_other_faces_or_labels_are_searched_anew(kept, faces):
    kept()
    assert kept(labels=faces[1][::-1].copy())[1] == 2
    X = np.load(kept.faces)
    X[0, 0] += 1
    np.save(kept.faces, X)
    assert kept()[1] == 3


def test_without_a_folder_nothing_is_kept(kept):
    kept(folder=None)
    assert kept(folder=None)[1] == 2
    assert list(kept.folder.iterdir()) == []


def test_a_damaged_search_is_named_with_what_helps(kept):
    kept()
    (file,) = kept.folder.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match=r"damaged: .*; delete it"):
        kept()


def test_the_best_of_a_kept_search_has_the_types_of_a_made_one(kept):
    kept()
    found, _ = kept()
    for field in dataclasses.fields(found.best):
        value = getattr(found.best, field.name)
        assert type(value) in (int, float, bool, str, type(None))
