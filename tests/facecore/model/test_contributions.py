from dataclasses import replace

import numpy as np
import pytest

from facecore.errors import ModelError
from facecore.face.features import Features
from facecore.model.contributions import draw_eigenface, strongest_eigenfaces, sums_of
from facecore.model.eigenface_words import describe_eigenface
from facecore.model.explain import reconstruct, reconstruction_errors
from facecore.model.store import load_model
from facecore.model.synth import sample_faces


@pytest.fixture(scope="module")
def model():
    return load_model("classic")


@pytest.fixture(scope="module")
def face(model):
    return sample_faces(model, "male", 1, seed=4).reshape(1, -1)


def test_shares_are_what_the_error_of_a_reconstruction_loses(model, face):
    everything = strongest_eigenfaces(model, face, 10_000)
    squared = reconstruction_errors(model, face)[0] ** 2
    assert len(everything) == len(model.pixels.components)
    gained = {one.eigenface: one.share for one in everything}
    expected = -np.diff(squared) / squared[0]
    assert [gained[i] for i in range(len(expected))] == pytest.approx(expected, abs=1e-5)


def test_the_strongest_come_first_with_their_words(model, face):
    found = strongest_eigenfaces(model, face, 8)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    for one in found:
        assert one.words == describe_eigenface(draw_eigenface(model, one.eigenface)).words


def test_weights_are_standard_deviations(model, face):
    z = model.pixels.coordinates(face)[0]  # whitened
    for one in strongest_eigenfaces(model, face, 8):
        assert one.weight == pytest.approx(z[one.eigenface], abs=1e-4)


def test_the_sums_lead_from_the_mean_face_to_the_reconstruction(model, face):
    sums = sums_of(model, face, range(len(model.pixels.components) + 1))[0]
    assert sums[0] == pytest.approx(model.pixels.rebuild(np.zeros((1, 1)))[0], abs=1e-3)
    whole = reconstruct(model, face)[0].reshape(-1)
    assert np.abs(np.clip(sums[-1], 0, 255) - whole).max() <= 0.51


def test_each_step_adds_so_much_of_its_eigenface(model, face):
    found = strongest_eigenfaces(model, face, 3)
    sums = sums_of(model, face, range(len(found) + 1))[0]
    for one, before, after in zip(found, sums, sums[1:], strict=False):
        added = one.weight * draw_eigenface(model, one.eigenface)
        assert after - before == pytest.approx(added, abs=0.05)


def test_the_mean_face_itself_has_no_strong_eigenface(model):
    mean = np.clip(model.pixels.rebuild(np.zeros((1, 1))), 0, 255).round().astype(np.uint8)
    assert all(abs(one.weight) < 0.1 for one in strongest_eigenfaces(model, mean, 8))


def test_a_model_that_reads_no_pixels_has_no_eigenfaces_to_draw(model):
    reads_edges = replace(model.members[0], features=Features("hog", 96, 0.625, cell=8))
    with pytest.raises(ModelError, match="eigenfaces"):
        draw_eigenface(replace(model, members=(reads_edges,)), 0)
