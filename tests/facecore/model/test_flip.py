"""The smallest changes that change an answer: they do, and no smaller one was missed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from facecore.errors import DataError
from facecore.face.recipes import Recipe
from facecore.model.explain import decision_for, decision_gradient
from facecore.model.flip import (
    carry_over,
    nudge_pixels,
    probabilities_along,
    walk_to_flip,
)
from facecore.training.estimator import FaceSpaceClassifier


def made(faces, mirror: bool = False):
    return FaceSpaceClassifier(12, mirror=mirror).fit(*faces[:2]).to_model(Recipe(mirror=mirror))


def straight(faces):
    """A model that decides by the nearer mean of the labels, which is linear."""
    model = made(faces)
    Z = model.pixels.coordinates(faces[0].reshape(len(faces[0]), -1)).astype(np.float64)
    first, second = (Z[faces[1] == label].mean(axis=0) for label in model.labels)
    way = second - first
    member = replace(
        model.pixels,
        kernel="linear",
        kernel_vectors=way[None].astype(np.float32),
        coefficients=np.ones((1, 1)),
        intercept=np.array([-(first + second) @ way / 2]),
    )
    return replace(model, members=(member,))


@pytest.fixture(scope="module", params=["rbf", "linear", "mirror"])
def model(request, faces):
    return straight(faces) if request.param == "linear" else made(faces, request.param == "mirror")


@pytest.fixture(scope="module")
def three(three_faces):
    return made(three_faces)


def ways(model):
    """Grey levels per standard deviation of each eigenface, shape (n_components, n_pixels)."""
    member = model.pixels
    unit = np.sqrt(member.variance) / member.deviation
    Z = np.vstack([np.zeros(len(unit)), np.diag(unit)])
    rows = member.rebuild(Z).astype(np.float64)
    return rows[1:] - rows[0]


def rounded(levels):
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("which", [0, 20, 50, 80])
def test_a_walk_flips_the_models_own_answer(model, faces, which):
    face = faces[0][which].ravel()
    flip = walk_to_flip(model, face)
    assert model.predict(face[None])[0] == flip.answer
    assert flip.target != flip.answer
    walked = rounded(face + flip.factor * flip.change)
    assert model.predict(walked[None])[0] == flip.target


def test_a_walk_stays_in_face_space_and_is_as_long_as_it_says(model, faces):
    face = faces[0][3].ravel()
    flip = walk_to_flip(model, face)
    steps, rest, *_ = np.linalg.lstsq(ways(model).T, flip.change, rcond=None)
    assert rest.item() < 1e-4 * (flip.change**2).sum()
    assert np.linalg.norm(steps) == pytest.approx(flip.size, rel=1e-3)


def test_before_the_end_of_a_walk_the_answer_is_the_old_one_and_there_both_are_as_likely(
    model, faces
):
    face = faces[0][3].ravel().astype(float)
    flip = walk_to_flip(model, face)
    short = model.predict(np.array([face + share * flip.change for share in (0.5, 0.9, 0.99)]))
    assert set(short) == {flip.answer}
    end = (face + flip.change)[None]
    assert abs(decision_for(model, end, flip.target)[0]) < 1e-3


def test_no_shorter_walk_is_found_by_a_finer_search(model, faces):
    face = faces[0][7].ravel().astype(float)
    flip, J = walk_to_flip(model, face), ways(model)

    def lead(u):
        return float(decision_for(model, (face + u @ J)[None], flip.target)[0])

    def slope(u):
        return (decision_gradient(model, (face + u @ J)[None], flip.target) @ J.T)[0]

    rng = np.random.default_rng(0)
    starts = [*rng.normal(0, 1, (5, len(J))), np.linalg.lstsq(J.T, flip.change, rcond=None)[0]]
    found = []
    for start in starts:
        end = minimize(
            lambda u: (u @ u) / 2,
            start,
            jac=lambda u: u,
            constraints={"type": "eq", "fun": lead, "jac": slope},
            method="SLSQP",
        )
        if end.success and abs(lead(end.x)) < 1e-3:
            found.append(np.linalg.norm(end.x))
    assert found
    assert flip.size <= 1.01 * min(found)


def test_with_several_labels_the_nearest_other_answer_is_no_farther_than_any(three, three_faces):
    face = three_faces[0][5].ravel()
    nearest = walk_to_flip(three, face)
    others = [label for label in three.labels if label != nearest.answer]
    sizes = {label: walk_to_flip(three, face, label) for label in others}
    assert all(flip.target == label for label, flip in sizes.items() if flip)
    assert nearest.size <= 1.01 * min(flip.size for flip in sizes.values() if flip)
    assert nearest.target in others


def test_a_nudge_flips_the_answer_and_keeps_to_its_size(model, faces):
    face = faces[0][10]
    nudge = nudge_pixels(model, face)
    moved = nudge.picture.astype(int) - face.reshape(nudge.picture.shape)
    assert model.predict(face.reshape(1, -1))[0] == nudge.answer
    assert model.predict(nudge.picture.reshape(1, -1))[0] == nudge.target != nudge.answer
    assert np.abs(moved).max() == nudge.most >= nudge.bound - 1
    assert (moved != 0).mean() == nudge.share
    assert np.sqrt((moved**2).mean()) == pytest.approx(nudge.mean)


def test_a_nudge_of_a_linear_model_is_the_smallest_that_there_is(faces):
    model = straight(faces)
    for face in faces[0][::20]:
        row = face.reshape(1, -1).astype(float)
        assert ((row > 0) & (row < 255)).all()
        nudge = nudge_pixels(model, face)
        # a linear decision changes by the size times the sum of the absolute gradient, at most
        gradient = decision_gradient(model, row, nudge.target)[0]
        smallest = -decision_for(model, row, nudge.target)[0] / np.abs(gradient).sum()
        assert nudge.bound == pytest.approx(smallest, rel=1e-3)


def test_a_nudge_moves_each_pixel_the_way_that_finite_differences_say(model, faces):
    face = faces[0][10].ravel()
    nudge = nudge_pixels(model, face)
    moved = nudge.picture.ravel().astype(float) - face
    end = face + np.clip(moved, -nudge.bound, nudge.bound)
    changed = np.flatnonzero(moved)
    for pixel in np.random.default_rng(0).choice(changed, 12, replace=False):
        step = np.zeros(len(face))
        step[pixel] = 4
        up, down = decision_for(model, np.array([end + step, end - step]), nudge.target)
        if abs(up - down) > 1e-4:
            assert np.sign(up - down) == np.sign(moved[pixel])


def test_a_nudge_leaves_black_black_and_white_white(faces):
    model = made(faces)
    face = faces[0][10].ravel().copy()
    face[::3], face[1::3] = 0, 255
    nudge = nudge_pixels(model, face)
    if nudge is not None:
        assert model.predict(nudge.picture.reshape(1, -1))[0] == nudge.target
        moved = nudge.picture.ravel().astype(int) - face
        assert (moved[::3] >= 0).all()
        assert (moved[1::3] <= 0).all()


@pytest.mark.parametrize("change", [walk_to_flip, nudge_pixels])
def test_what_cannot_be_reached_is_an_error_or_nothing(model, faces, change, tiny_aligned):
    face = faces[0][0]
    now = str(model.predict(face.reshape(1, -1))[0])
    with pytest.raises(DataError, match=f"answers '{now}' already"):
        change(model, face, now)
    with pytest.raises(DataError, match="no label 'nobody'"):
        change(model, face, "nobody")
    with pytest.raises(DataError, match="nothing but pixels"):
        change(tiny_aligned, np.zeros((160, 160), dtype=np.uint8))
    member = model.pixels
    sure = replace(
        member,
        coefficients=np.zeros_like(member.coefficients),
        intercept=np.ones_like(member.intercept),
    )
    assert change(replace(model, members=(sure,)), face) is None


def test_probabilities_along_a_change_are_those_of_whole_grey_levels(model, faces):
    face = faces[0][0]
    change = np.full(face.size, 0.4)
    p = probabilities_along(model, face, change, np.array([0, 1, 2]))
    assert np.array_equal(p[0], p[1])
    assert np.array_equal(p[2], model.predict_proba(face.reshape(1, -1) + np.uint8(1))[0])


def test_a_change_is_carried_over_to_what_all_members_read(tiny_aligned):
    member = tiny_aligned.pixels
    side = round(len(member.mean) ** 0.5)
    prepared = np.full((160, 160), 100, dtype=np.uint8)
    changed = carry_over(tiny_aligned, prepared, np.full(side * side, 20.0))
    assert (member.features.extract(changed.reshape(1, -1)) == 120).all()
    assert changed[0, 0] == (120 if member.features.frame == 1 else 100)
    assert (prepared == 100).all()
    coloured = carry_over(tiny_aligned, np.dstack([prepared] * 3), np.full(side * side, 20.0))
    assert (coloured == changed[:, :, None]).all()
