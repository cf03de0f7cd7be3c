from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from facecore.data.crops import read_table
from facecore.data.faces import load_faces
from facecore.errors import DataError, ModelError
from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.face.recipes import Recipe
from facecore.model.drawing import to_signed_image
from facecore.model.explain import (
    WALK_STEP,
    Heat,
    decision_for,
    decision_gradient,
    distance_from_face_space,
    eigenface_images,
    explain_decision,
    explain_decisions,
    fisherface_images,
    label_means,
    map_probabilities,
    mean_face,
    occlusion,
    overlay,
    reconstruct,
    reconstruction_errors,
    split_differences,
    to_fisherfaces,
    typical_distance,
    walk,
)
from facecore.training.estimator import FaceSpaceClassifier


@pytest.fixture(scope="module")
def drawn(faces):
    return faces[0][::9]


@pytest.fixture(scope="module")
def model(faces):
    return FaceSpaceClassifier(20).fit(*faces[:2]).to_model(Recipe())


def test_more_eigenfaces_draw_a_face_more_truly(model, drawn):
    errors = [
        np.abs(reconstruct(model, drawn, k).reshape(len(drawn), -1) - drawn.astype(float)).mean()
        for k in (0, 3, None)
    ]
    assert errors[0] > errors[1] > errors[2]


def test_a_face_of_face_space_is_drawn_again_as_it_is(model):
    Z = np.random.default_rng(0).normal(0, 0.5, (3, len(model.pixels.deviation)))
    rows = np.clip(np.rint(model.pixels.rebuild(Z)), 0, 255).astype(np.uint8)
    again = reconstruct(model, rows).reshape(3, -1)
    assert np.abs(again.astype(int) - rows).mean() < 1
    assert distance_from_face_space(model, rows).max() < 0.03


def test_what_is_no_face_is_farther_from_face_space(model, drawn):
    noise = np.random.default_rng(0).integers(0, 256, drawn.shape, dtype=np.uint8)
    faces, others = (distance_from_face_space(model, X) for X in (drawn, noise))
    assert faces.shape == (len(drawn),)
    assert others.min() > 2 * faces.max()


def test_the_distance_is_the_root_mean_square_of_what_is_left(model, drawn):
    member = model.pixels
    rebuilt = (member.rebuild(member.coordinates(drawn)) - member.minimum) / member.span
    plain = np.sqrt(((member.scale(drawn) - rebuilt) ** 2).mean(axis=1))
    assert distance_from_face_space(model, drawn) == pytest.approx(plain, rel=1e-2)


def test_each_eigenface_uses_the_whole_scale_around_grey(model):
    images = eigenface_images(model, 5)
    assert images.shape == (5, 100, 100)
    assert images.dtype == np.uint8
    far = np.abs(images.astype(int) - 128).reshape(5, -1).max(axis=1)
    assert (far >= 127).all()


def test_the_mean_face_is_the_mean_of_the_training_faces(model, faces):
    assert np.abs(mean_face(model).reshape(-1) - faces[0].mean(axis=0)).max() <= 1


@pytest.fixture(scope="module", params=["two labels", "three labels", "one view"])
def explained(request, faces, three_faces):
    """A model, faces and a label: with mirror images (two and three labels) and without."""
    X, y, _ = three_faces if request.param == "three labels" else faces
    recipe = Recipe(mirror=request.param != "one view")
    return FaceSpaceClassifier(15).fit(X, y).to_model(recipe, X, y), X[::7], str(y[-1])


def test_the_decision_for_a_label_is_above_zero_where_the_model_says_it(explained):
    model, X, label = explained
    if len(model.labels) == 2:
        said = decision_for(model, X, label) > 0
        assert said.tolist() == (model.predict(X) == label).tolist()
        other = next(name for name in model.labels if name != label)
        assert decision_for(model, X, other) == pytest.approx(-decision_for(model, X, label))
    else:
        column = model.decision_function(X)[:, model.labels.index(label)]
        assert decision_for(model, X, label) == pytest.approx(column)


def test_the_gradient_is_the_change_of_the_decision(explained):
    model, X, label = explained
    rows = X[:3].astype(float)
    gradient = decision_gradient(model, rows, label)
    step = np.random.default_rng(0).normal(0, 1, rows.shape)
    change = decision_for(model, rows + step, label) - decision_for(model, rows - step, label)
    assert (gradient * step).sum(axis=1) == pytest.approx(change / 2, rel=0.02, abs=1e-5)


def test_a_heat_map_adds_up_to_the_change_of_the_decision_from_the_mean_face(explained):
    model, X, label = explained
    crop = X[0].reshape(100, 100)
    heat = explain_decision(model, crop, label)
    mean = model.pixels.rebuild(np.zeros((1, 1)))
    change = decision_for(model, X[:1], label) - decision_for(model, mean, label)
    assert heat.kind == "gradient"
    assert heat.values.sum() == pytest.approx(change[0], rel=0.01, abs=1e-3)


def test_left_to_itself_a_heat_map_speaks_for_the_answer(explained):
    model, X, _ = explained
    heat = explain_decision(model, X[0].reshape(100, 100))
    assert heat.label == model.predict(X[:1])[0]


def test_hiding_what_speaks_for_the_label_lowers_its_decision(model, drawn):
    crop = drawn[0].reshape(100, 100)
    label = str(model.predict(drawn[:1])[0])
    heat = occlusion(model, crop, label)
    assert heat.kind == "occlusion"
    y, x = np.unravel_index(heat.values.argmax(), heat.values.shape)
    hidden = crop.copy()
    area = slice(max(0, y - 10), y + 10), slice(max(0, x - 10), x + 10)
    hidden[area] = round(float(crop.mean()))
    before, after = decision_for(model, np.stack([crop, hidden]).reshape(2, -1), label)
    assert after < before


def test_a_model_of_other_features_is_explained_by_differences(model, drawn):
    blurred = Features("pixels", 100, 0.9)
    other = replace(model.members[0], features=blurred, name="other")
    mixed = replace(model, members=(model.members[0], other))
    assert explain_decision(mixed, drawn[0].reshape(100, 100)).kind == "differences"
    with pytest.raises(DataError, match="pixels"):
        decision_gradient(mixed, drawn[:1], model.labels[0])


def test_an_overlay_shows_the_crop_where_nothing_moved_the_decision():
    crop = np.full((40, 40), 100, dtype=np.uint8)
    values = np.zeros((40, 40))
    values[:10, :10], values[-10:, -10:] = 1, -1
    picture = overlay(crop, Heat("gradient", "a", values), (255, 0, 0), (0, 0, 255))
    assert picture[20, 20].tolist() == [100, 100, 100]
    assert picture[2, 2, 0] > 200 > picture[2, 2, 2]
    assert picture[-3, -3, 2] > 200 > picture[-3, -3, 0]


def test_a_walk_raises_the_decision_step_by_step_and_back(explained):
    model, X, label = explained
    start = model.pixels.coordinates(X[:1])[0]
    for steps, sign in ((4, 1), (-4, -1)):
        way = walk(model, start, label, steps)
        assert way.shape == (5, len(start))
        assert way[0] == pytest.approx(start)
        decisions = decision_for(model, model.pixels.rebuild(way), label)
        assert (sign * np.diff(decisions) > 0).all()
    unit = np.sqrt(model.pixels.variance) / model.pixels.deviation
    lengths = np.linalg.norm(np.diff(way, axis=0) / unit, axis=1)
    assert lengths == pytest.approx(WALK_STEP)


def test_no_direction_of_the_same_length_changes_the_decision_faster(model, drawn):
    label = model.labels[1]
    start = model.pixels.coordinates(drawn[:1])[0].astype(float)
    best = walk(model, start, label, 1)[1] - start
    rng = np.random.default_rng(0)
    others = rng.normal(0, 1, (50, len(start)))
    others *= np.linalg.norm(best) / np.linalg.norm(others, axis=1, keepdims=True)
    rows = model.pixels.rebuild(start + np.vstack([best, others]))
    decisions = decision_for(model, rows, label)
    assert decisions[0] >= decisions[1:].max()


def test_errors_fall_with_each_eigenface_down_to_the_distance_from_face_space(model, drawn):
    errors = reconstruction_errors(model, drawn)
    assert errors.shape == (len(drawn), len(model.pixels.components) + 1)
    assert (np.diff(errors, axis=1) <= 1e-9).all()
    assert errors[:, -1] == pytest.approx(distance_from_face_space(model, drawn), rel=0.02)
    scaled = model.pixels.scale(drawn) - model.pixels.mean
    assert errors[:, 0] == pytest.approx(np.sqrt((scaled**2).mean(axis=1)), rel=1e-4)


def test_the_means_of_the_labels_are_those_of_their_faces(faces):
    X, y, _ = faces
    model = FaceSpaceClassifier(30).fit(X, y).to_model(Recipe(), X, y)
    for mean, label in zip(label_means(model), model.labels, strict=True):
        assert np.abs(mean - X[y == label].mean(axis=0)).mean() < 2
    with pytest.raises(DataError, match="no spread"):
        label_means(replace(model, spread=None))


def test_the_typical_distance_is_that_of_the_training_faces(model, faces):
    distances = distance_from_face_space(model, faces[0])
    assert typical_distance(model) == pytest.approx(np.sqrt((distances**2).mean()), rel=0.02)


@pytest.fixture(scope="module")
def prepared(aligned_crops, tiny_aligned):
    """Rows of prepared faces, wider than what the eigenfaces of `tiny_aligned` see."""
    table = read_table(aligned_crops).query("state == 'kept'").assign(folder=str(aligned_crops))
    return load_faces(table.iloc[::5], tiny_aligned.recipe)


@pytest.fixture(scope="module")
def seen(prepared, tiny_aligned):
    """What the eigenfaces see of them."""
    return tiny_aligned.pixels.features.extract(prepared)


@pytest.mark.parametrize("label", ["round", "square"])
def test_differences_add_up_to_the_change_of_the_decision_from_a_plain_square(
    tiny_aligned, prepared, label
):
    crop = prepared[0].reshape(160, 160, 3)
    heat = split_differences(tiny_aligned, [crop], [label])[0]
    plain = np.full_like(crop, np.rint(crop.mean(axis=(0, 1))))
    decided, before = decision_for(tiny_aligned, np.stack([crop, plain]), label)
    assert heat.values.shape == (160, 160)
    assert heat.values.sum() == pytest.approx(decided - before, rel=0.01, abs=1e-3)
    mirrored = split_differences(tiny_aligned, [np.ascontiguousarray(crop[:, ::-1])], [label])[0]
    assert mirrored.values[:, ::-1] == pytest.approx(heat.values, abs=1e-6)


def test_a_model_that_reads_histograms_is_explained_by_differences_and_says_so(
    tiny_aligned, prepared
):
    heat = explain_decision(tiny_aligned, prepared[0].reshape(160, 160, 3))
    assert heat.kind == "differences"
    assert heat.label == tiny_aligned.predict(prepared[:1])[0]


def test_differences_find_what_hiding_patches_one_by_one_finds(tiny_aligned, prepared):
    """The slow way needs a run of the model for each patch; both point to the same places."""
    alike = []
    for row in prepared[:6]:
        crop = row.reshape(160, 160, 3)
        quick, slow = (
            heat.values.reshape(5, 32, 5, 32).sum(axis=(1, 3)).ravel()
            for heat in (
                explain_decision(tiny_aligned, crop, "round"),
                occlusion(tiny_aligned, crop, "round"),
            )
        )
        alike.append(np.corrcoef(quick, slow)[0, 1])
    assert np.mean(alike) > 0.4


def test_faces_that_are_explained_together_get_what_each_gets_alone(tiny_aligned, prepared):
    crops, labels = list(prepared[:3].reshape(3, 160, 160, 3)), ["round", "square", "round"]
    together = explain_decisions(tiny_aligned, crops, labels)
    for heat, crop, label in zip(together, crops, labels, strict=True):
        alone = explain_decision(tiny_aligned, crop, label)
        assert heat.label == label
        assert heat.values == pytest.approx(alone.values, abs=1e-4)
    assert explain_decisions(tiny_aligned, [], []) == []


def test_differences_of_a_linear_decision_are_what_hiding_takes_away(model, drawn):
    """Where the decision is linear in the pixels, both ways give the same for every patch."""
    linear = replace(model, members=(replace(model.members[0], kernel="linear"),))
    crop, label = drawn[0].reshape(100, 100), model.labels[1]
    parts = split_differences(linear, [crop], [label])[0].values
    for y, x in ((0, 0), (40, 20), (60, 80)):
        hidden = crop.copy()
        hidden[y : y + 20, x : x + 20] = round(float(crop.mean()))
        before, after = decision_for(linear, np.stack([crop, hidden]), label)
        lost = parts[y : y + 20, x : x + 20].sum()
        assert lost == pytest.approx(before - after, rel=1e-3, abs=1e-4)


def test_the_cover_of_an_occlusion_is_plain_and_its_value_the_fall_of_the_decision(
    tiny_aligned, prepared
):
    crop = prepared[0].reshape(160, 160, 3)
    heat = occlusion(tiny_aligned, crop, "round")
    hidden = crop.copy()
    hidden[:32, :32] = np.rint(crop.mean(axis=(0, 1)))
    before, after = decision_for(tiny_aligned, np.stack([crop, hidden]).reshape(2, -1), "round")
    # the corner of half a patch is under one patch alone
    assert heat.values[:16, :16] == pytest.approx(before - after, abs=1e-5)
    other = occlusion(tiny_aligned, crop, "square")
    assert other.values == pytest.approx(-heat.values, abs=1e-5)


def test_a_model_that_reads_histograms_has_no_gradient_but_its_eigenfaces_have(
    tiny_aligned, prepared, seen
):
    with pytest.raises(DataError, match="pixels"):
        decision_gradient(tiny_aligned, prepared, "round")
    with pytest.raises(DataError, match="pixels"):
        walk(tiny_aligned, tiny_aligned.pixels.coordinates(prepared[:1])[0], "round", 1)
    heat = explain_decision(tiny_aligned.eigenfaces, seen[0].reshape(100, 100))
    assert heat.kind == "gradient"
    assert heat.values.shape == (100, 100)


def test_the_eigenfaces_of_a_model_decide_as_its_pixel_member(tiny_aligned, prepared, seen):
    member = tiny_aligned.pixels
    alone = replace(tiny_aligned, members=(member,), weights=None)
    eigenfaces = tiny_aligned.eigenfaces
    assert eigenfaces.labels == tiny_aligned.labels
    close = partial(pytest.approx, abs=1e-4)  # coordinates are float32
    assert eigenfaces.decision_function(seen) == close(alone.decision_function(prepared))
    views = [member.decide(member.coordinates(view)) for view in (prepared, mirror(prepared))]
    assert eigenfaces.decision_function(seen) == close(np.mean(views, axis=0)[:, 0])
    assert eigenfaces.eigenfaces is eigenfaces


def test_the_gradient_of_the_eigenfaces_is_the_change_of_their_decision(tiny_aligned, seen):
    eigenfaces, rows = tiny_aligned.eigenfaces, seen[:3].astype(float)
    step = np.random.default_rng(0).normal(0, 1, rows.shape)
    for label in tiny_aligned.labels:
        gradient = decision_gradient(eigenfaces, rows, label)
        high, low = (decision_for(eigenfaces, rows + way * step, label) for way in (1, -1))
        assert (gradient * step).sum(axis=1) == pytest.approx((high - low) / 2, rel=0.02, abs=1e-5)
        one = np.zeros((3, 10000))
        one[:, 40 * 100 + 30] = 2.0
        high, low = (decision_for(eigenfaces, rows + way * one, label) for way in (1, -1))
        assert gradient[:, 40 * 100 + 30] == pytest.approx((high - low) / 4, rel=0.05, abs=2e-5)


def test_reconstruction_and_distance_are_of_the_pixel_member_only(tiny_aligned, prepared, seen):
    drawn, distances = (f(tiny_aligned, prepared) for f in (reconstruct, distance_from_face_space))
    assert drawn.shape == (len(prepared), 100, 100)
    alone = reconstruct(tiny_aligned.eigenfaces, seen)
    assert np.abs(drawn.astype(int) - alone).max() <= 1  # sums of another order may round apart
    assert distances == pytest.approx(distance_from_face_space(tiny_aligned.eigenfaces, seen))
    pixels, tight, *rest = tiny_aligned.members
    others = replace(tiny_aligned, members=(replace(tight, mean=tight.mean + 9), pixels, *rest))
    assert (reconstruct(others, prepared) == drawn).all()
    ring = prepared.reshape(-1, 160, 160, 3).copy()
    ring[:, :19] = ring[:, -19:] = 0  # of the wide face, outside of what the eigenfaces see
    ring = ring.reshape(prepared.shape)
    assert distance_from_face_space(tiny_aligned, ring) == pytest.approx(distances)
    equally = replace(tiny_aligned, weights=None)
    assert equally.decision_function(ring) != pytest.approx(equally.decision_function(prepared))
    errors = reconstruction_errors(tiny_aligned, prepared)
    assert errors[:, -1] == pytest.approx(distances, rel=0.02)


def test_mean_face_and_eigenfaces_of_an_aligned_model_are_what_its_pixel_member_draws(
    tiny_aligned, prepared
):
    assert mean_face(tiny_aligned).shape == (100, 100)
    assert eigenface_images(tiny_aligned, 4).shape == (4, 100, 100)
    assert label_means(tiny_aligned).shape == (2, 10000)
    median = np.median(distance_from_face_space(tiny_aligned, prepared))
    assert 0.5 < median / typical_distance(tiny_aligned) < 2


def test_a_walk_in_the_face_space_of_an_aligned_model_changes_the_answer(tiny_aligned, seen):
    eigenfaces = tiny_aligned.eigenfaces
    for row in seen:
        start = eigenfaces.pixels.coordinates(row[None])[0]
        label = str(eigenfaces.predict(row[None])[0])
        way = walk(eigenfaces, start, label, -40)
        decisions = decision_for(eigenfaces, eigenfaces.pixels.rebuild(way), label)
        changed = int((decisions < 0).argmax())
        assert changed > 0
        assert (np.diff(decisions[: changed + 1]) < 0).all()
        answers = eigenfaces.predict(eigenfaces.pixels.rebuild(way[changed - 1 : changed + 1]))
        assert answers[0] == label != answers[1]


def test_fisherfaces_are_drawn_one_fewer_than_labels(tiny_fisher, tiny_aligned):
    pictures = fisherface_images(tiny_fisher)
    assert pictures.shape == (2, 100, 100)
    assert pictures.dtype == np.uint8
    member = tiny_fisher.fisherfaces
    assert (pictures[0] == to_signed_image(member.basis[0])).all()
    assert len(fisherface_images(tiny_aligned)) == 0


def test_points_of_face_space_have_the_fisherface_coordinates_of_their_reconstruction(tiny_fisher):
    member, pixels = tiny_fisher.fisherfaces, tiny_fisher.pixels
    Z = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    scaled = (pixels.rebuild(Z) - member.minimum) / member.span - member.mean
    expected = scaled @ member.basis.T / member.deviation
    assert to_fisherfaces(tiny_fisher, Z) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_without_fisherfaces_there_are_no_coordinates_along_them(tiny_aligned, tiny_fisher):
    with pytest.raises(ModelError, match="no Fisherfaces"):
        to_fisherfaces(tiny_aligned, np.zeros((1, 2)))
    first, second = tiny_fisher.members
    other = replace(tiny_fisher, members=(first, replace(second, features=Features("pixels", 100))))
    with pytest.raises(ModelError, match="no Fisherfaces of the pixels"):
        to_fisherfaces(other, np.zeros((1, 2)))


def test_a_decision_along_fisherfaces_is_explained_by_differences(tiny_fisher):
    crop = np.random.default_rng(0).integers(0, 256, (160, 160)).astype(np.uint8)
    heat = explain_decision(tiny_fisher, crop)
    plain = np.full_like(crop, np.rint(crop.mean()))
    decided, before = decision_for(tiny_fisher, np.stack([crop, plain]), heat.label)
    assert heat.kind == "differences"
    assert heat.values.sum() == pytest.approx(decided - before, rel=0.01, abs=1e-3)


def test_a_map_has_the_answer_about_the_face_at_each_place(model):
    x, y = np.array([-1.0, 0.5, 2.0]), np.array([-2.0, 1.0])
    p = map_probabilities(model, (3, 1), x, y)
    assert p.shape == (2, 3, len(model.labels))
    point = np.array([[0, 1.0, 0, 0.5]])
    face = np.clip(np.rint(model.pixels.rebuild(point)), 0, 255).astype(np.uint8)
    assert p[1, 1] == pytest.approx(model.predict_proba(face)[0])
    assert not np.allclose(p[0, 0], p[1, 2])
