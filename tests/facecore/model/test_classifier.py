import json
import re
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from cartoons import draw_photo
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from facecore.errors import DataError, ModelError
from facecore.face.prepare import mirror
from facecore.face.recipes import Recipe, rows_of
from facecore.model.classifier import FEW, FORMATS, FaceModel, Member
from facecore.model.predict import predict_photo
from facecore.model.rule import AnswerRule
from facecore.system.files import sha256
from facecore.training.estimator import FaceSpaceClassifier

REPO = Path(__file__).resolve().parents[3]
RECIPE = Recipe(frame=0.85)


def fit(data, **options) -> FaceModel:
    X, y, _ = data
    return FaceSpaceClassifier(12, calibrate=False, **options).fit(X, y).to_model(RECIPE, X, y)


@pytest.fixture(scope="module")
def two(faces) -> FaceModel:
    return replace(fit(faces), slope=np.array([1.7]))


@pytest.fixture(scope="module")
def three(three_faces) -> FaceModel:
    return replace(fit(three_faces), slope=np.array([1.5, 2.0, 0.7]))


def small_model(k: int = 2) -> FaceModel:
    """A model of 4 pixels, whose numbers can be followed by hand."""
    outputs = 1 if k == 2 else k
    member = Member(
        minimum=np.full(4, 10, dtype=np.float32),
        span=np.full(4, 100, dtype=np.float32),
        mean=np.full(4, 0.5, dtype=np.float32),
        components=np.eye(2, 4, dtype=np.float16),
        deviation=np.array([1, 2], dtype=np.float32),
        variance=np.array([1, 4], dtype=np.float32),
        total_variance=6.0,
        kernel_vectors=np.array([[0, 0], [1, 0]], dtype=np.float32),
        coefficients=np.tile([[1.0], [-1.0]], (1, outputs)),
        intercept=np.linspace(0.25, 0.5, outputs),
        gamma=2.0,
    )
    return FaceModel(tuple("abcd"[:k]), (member,), np.ones(outputs), Recipe(side=2))


@pytest.fixture
def saved(tmp_path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    small_model().save(folder)
    return folder


def rewrite(folder: Path, change_arrays=None, change_document=None) -> None:
    """Change a saved model and make its checksum right again."""
    with np.load(folder / "model.npz") as file:
        arrays = dict(file)
    document = json.loads((folder / "model.json").read_text())
    if change_arrays:
        change_arrays(arrays)
    np.savez(folder / "model.npz", **arrays)
    document["sha256"] = sha256(folder / "model.npz")
    if change_document:
        change_document(document)
    (folder / "model.json").write_text(json.dumps(document))


def refuse(folder: Path, match: str = "small") -> None:
    with pytest.raises(ModelError, match=match):
        FaceModel.load(folder)


def test_scaling_projecting_and_deciding_follow_the_formulas():
    model = small_model()
    (member,) = model.members
    X = np.array([[110, 60, 60, 10]], dtype=np.uint8)
    assert member.scale(X).tolist() == [[1, 0.5, 0.5, 0]]
    assert member.coordinates(X).tolist() == [[0.5, 0]]
    k = np.exp(-2 * np.array([0.25, 0.25]))
    assert model.decision_function(X) == pytest.approx([k[0] - k[1] + 0.25])


def test_unseen_pixels_may_leave_the_range_of_the_training_faces():
    assert small_model().members[0].scale(np.array([[0, 210, 10, 110]])).tolist() == [
        [pytest.approx(-0.1), 2, 0, 1]
    ]


def test_a_linear_machine_uses_the_same_numbers():
    model = small_model()
    linear = replace(model, members=(replace(model.members[0], kernel="linear"),))
    X = np.array([[110, 110, 60, 60]], dtype=np.uint8)
    assert linear.decision_function(X) == pytest.approx([-0.5 + 0.25])


def test_rebuilding_is_the_inverse_of_projecting_within_face_space():
    (member,) = small_model().members
    Z = np.array([[0.3, -0.2], [1, 1]], dtype=np.float32)
    assert member.coordinates(member.rebuild(Z)) == pytest.approx(Z, abs=1e-6)
    assert member.rebuild(Z[:, :1]) == pytest.approx(member.rebuild(Z * [1, 0]))


def with_fisherfaces() -> FaceModel:
    """The small model, with a second member whose components are not orthogonal."""
    model = small_model()
    rows = np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0]], dtype=np.float32)
    second = replace(model.members[0], components=rows, name="fisherfaces", space="fisherfaces")
    return replace(model, members=(*model.members, second))


def test_fisherfaces_project_faces_but_draw_none():
    model = with_fisherfaces()
    member = model.fisherfaces
    X = np.array([[110, 60, 60, 10]], dtype=np.uint8)
    assert member.coordinates(X) == pytest.approx(np.array([[0.5, 0.15]]))
    with pytest.raises(ModelError, match="'fisherfaces' has no eigenfaces"):
        member.rebuild(np.zeros((1, 2)))
    assert small_model().fisherfaces is None


def test_faces_are_drawn_by_the_member_of_eigenfaces_wherever_it_stands():
    model = with_fisherfaces()
    assert replace(model, members=model.members[::-1]).pixels is model.members[0]
    assert model.eigenfaces.members == (model.members[0],)
    assert not replace(model, members=model.members[1:]).draws


def test_a_model_file_names_the_space_of_a_member_unless_it_is_that_of_eigenfaces(tmp_path):
    model = with_fisherfaces()
    model.save(tmp_path)
    first, second = json.loads((tmp_path / "model.json").read_text())["members"]
    assert "space" not in first
    assert second["space"] == "fisherfaces"
    loaded = FaceModel.load(tmp_path)
    assert [member.space for member in loaded.members] == ["eigenfaces", "fisherfaces"]
    X = np.array([[110, 60, 60, 10]], dtype=np.uint8)
    assert loaded.decision_function(X) == pytest.approx(model.decision_function(X))


@pytest.mark.parametrize("space", ["faces", 3])
def test_a_model_with_a_member_of_an_unknown_space_is_refused(saved, space):
    rewrite(saved, None, lambda document: document["members"][0].update(space=space))
    refuse(saved, f"space '{space}' is unknown")


def test_a_model_of_fisherfaces_alone_is_refused(saved):
    rewrite(saved, None, lambda document: document["members"][0].update(space="fisherfaces"))
    refuse(saved, "do not read what its recipe prepares")


def test_many_faces_are_decided_as_each_alone():
    (member,) = small_model().members
    Z = np.random.default_rng(0).normal(size=(2500, 2))
    assert (member.decide(Z)[[0, 1024, 2499]] == member.decide(Z[[0, 1024, 2499]])).all()
    assert member.decide(Z[:0]).shape == (0, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize(("side", "vectors"), [(2, 1), (30, 31), (100, 3000)])
def test_matrices_of_any_size_and_type_are_multiplied_as_by_the_formula(dtype, side, vectors):
    rng = np.random.default_rng(side)
    (plain,) = small_model().members
    width, n = side**2, min(side**2, 40)
    member = replace(
        plain,
        minimum=np.zeros(width, dtype=np.float32),
        span=np.full(width, 255, dtype=np.float32),
        mean=np.full(width, 0.5, dtype=np.float32),
        components=np.asfortranarray(rng.normal(size=(n, width)).astype(dtype)),
        deviation=np.full(n, side, dtype=np.float32),
        kernel_vectors=rng.normal(size=(vectors, n)).astype(dtype),
        coefficients=rng.normal(size=(vectors, 2)),
        gamma=0.1,
    )
    X = rng.integers(0, 256, (7, width), dtype=np.uint8)
    wide = {name: getattr(member, name).astype(np.float64) for name in ("components", "mean")}
    Z = (X / 255 - wide["mean"]) @ wide["components"].T / side
    assert member.coordinates(X) == pytest.approx(Z, abs=1e-4)
    away = ((Z[:, None] - member.kernel_vectors.astype(np.float64)) ** 2).sum(axis=2)
    values = np.exp(-0.1 * away) @ member.coefficients + member.intercept
    assert member.decide(member.coordinates(X)) == pytest.approx(values, abs=1e-4)
    alone = [member.decide(member.coordinates(row[None]))[0] for row in X]
    assert (member.decide(member.coordinates(X)) == alone).all()


def test_a_loaded_model_keeps_its_matrices_row_by_row(saved):
    (member,) = FaceModel.load(saved).members
    assert member.rows is member.components
    assert member.rows.flags.c_contiguous
    assert (member.basis == member.rows).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_decision_of_a_face_depends_neither_on_threads_nor_on_other_faces(mirrored, two, faces):
    model = replace(two, recipe=replace(RECIPE, mirror=mirrored))
    with threadpool_limits(1):
        together = model.decision_function(faces[0][:20])
    assert len(faces[0]) > FEW
    for rows in (faces[0][:1], faces[0][:5], faces[0]):
        n = min(len(rows), 20)
        with threadpool_limits(2):
            assert model.decision_function(rows)[:n] == pytest.approx(together[:n], abs=1e-6)


def test_the_decisions_of_members_are_averaged():
    model = small_model()
    (member,) = model.members
    other = replace(member, intercept=member.intercept + 1)
    X = np.array([[110, 60, 60, 10]], dtype=np.uint8)
    both = replace(model, members=(member, other))
    assert both.decision_function(X) == pytest.approx(model.decision_function(X) + 0.5)
    votes = both.member_decisions(X)
    assert votes.shape == (2, 1, 1)
    assert votes[:, 0, 0] == pytest.approx(model.decision_function(X)[0] + np.array([0, 1]))


def test_a_recipe_with_mirror_decides_by_a_face_and_its_mirror_image():
    plain = small_model()
    mirrored = replace(plain, recipe=Recipe(side=2, mirror=True))
    X = np.array([[110, 60, 60, 10]], dtype=np.uint8)
    assert mirror(X).tolist() == [[60, 110, 10, 60]]
    mean = (plain.decision_function(X) + plain.decision_function(mirror(X))) / 2
    assert mirrored.decision_function(X) == pytest.approx(mean)
    assert mirrored.decision_function(mirror(X)) == pytest.approx(mean)


def test_a_model_shows_itself_in_one_line(two):
    assert repr(two) == "FaceModel(round / square, recipe 'custom', members: pixels)"


def test_the_classes_are_the_labels_in_the_order_of_the_probabilities(two):
    assert two.classes_.tolist() == list(two.labels)


def test_faces_may_be_pictures_or_rows(two, faces):
    X = faces[0][:5]
    pictures = X.reshape(5, 100, 100)
    assert (two.predict_proba(pictures) == two.predict_proba(X)).all()
    assert (two.transform(pictures) == two.transform(X)).all()


def test_grey_levels_may_be_floats_of_the_same_range(two, faces):
    X = faces[0][:5]
    assert two.predict_proba(X.astype(float)) == pytest.approx(two.predict_proba(X))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform", "decision_function"])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda X: X / 255, r"floats in \[0, 1\].*from 0 to 255: \(255 \* X\)"),
        (lambda X: X[:, :4096], r"shape \(3, 4096\); this model reads shape \(n, 10000\) or"),
        (lambda X: X[0], r"shape \(10000,\)"),
        (lambda X: X.reshape(3, 50, 200)[:, :, :100], r"shape \(3, 50, 100\)"),
        (lambda X: X.astype(str), "type <U"),
        (lambda X: np.where(X < 200, X, np.nan), "NaN or infinity"),
    ],
    ids=["floats to 1", "other size", "one row", "other shape", "texts", "nan"],
)
def test_faces_that_would_be_misread_are_refused(method, change, problem, two, faces):
    with pytest.raises(DataError, match=problem):
        getattr(two, method)(change(faces[0][:3]))


def test_points_of_face_space_are_drawn_as_faces_and_found_again(two, faces):
    Z = two.transform(faces[0][:5])
    assert Z.shape == (5, 12)
    drawn = two.inverse_transform(Z)
    assert (drawn.shape, drawn.dtype) == ((5, 100, 100), np.float32)
    assert two.transform(drawn) == pytest.approx(Z, abs=1e-2)
    assert two.inverse_transform(Z[:, :3]).shape == (5, 100, 100)
    with pytest.raises(DataError, match="13 coordinates, but the model has 12 eigenfaces"):
        two.inverse_transform(np.zeros((1, 13)))


@pytest.mark.parametrize("name", ["two", "three"])
def test_probabilities_are_of_each_label_and_sum_to_one(name, request, three_faces):
    model = request.getfixturevalue(name)
    p = model.predict_proba(three_faces[0])
    assert p.shape == (len(three_faces[0]), len(model.labels))
    assert p.sum(axis=1) == pytest.approx(1)
    assert ((p >= 0) & (p <= 1)).all()
    assert (model.predict(three_faces[0]) == np.array(model.labels)[p.argmax(axis=1)]).all()


def test_decision_zero_is_probability_one_half_and_the_change_of_label(two):
    values = np.array([-1e-9, 0, 1e-9])
    assert two.probability_of(values)[:, 1] == pytest.approx([0.5] * 3)
    assert two.probability_of(values)[:, 1].argsort().tolist() == [0, 1, 2]
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (200, 10_000), dtype=np.uint8)
    decisions, p = two.decision_function(X), two.predict_proba(X)[:, 1]
    assert ((decisions > 0) == (p > 0.5)).all()
    assert ((decisions > 0) == (two.predict(X) == two.labels[1])).all()


def test_extreme_decisions_are_no_error(two, three):
    far = np.array([-1e300, 1e300])
    assert two.probability_of(far)[:, 1] == pytest.approx([0, 1])
    assert three.probability_of(np.full((1, 3), -1e300)).sum() <= 1 + 1e-9


def test_the_slope_turns_decisions_into_probabilities(two, faces):
    X = faces[0][:5]
    expected = 1 / (1 + np.exp(-1.7 * two.decision_function(X)))
    assert two.predict_proba(X)[:, 1] == pytest.approx(expected)


@pytest.mark.parametrize("name", ["two", "three"])
def test_the_decision_is_the_weighted_mean_of_the_members(name, request, faces):
    model, X = request.getfixturevalue(name), faces[0][:5]
    member = model.members[0]
    other = replace(member, name="other", coefficients=-2 * member.coefficients)
    weights = np.linspace([0.9], [0.1], len(model.slope)).reshape(1, -1)
    weights = np.concatenate([weights, 1 - weights])
    pair = replace(model, members=(member, other), weights=weights)
    one, two = pair.member_decisions(X)
    expected = weights[0] * one + weights[1] * two
    assert pair.decision_function(X).reshape(expected.shape) == pytest.approx(expected)
    equal = replace(pair, weights=None)
    expected = (one + two) / 2
    assert equal.decision_function(X).reshape(expected.shape) == pytest.approx(expected)


def test_a_member_without_weight_has_no_part_in_the_decision(two, faces):
    X, *_ = faces
    (member,) = two.members
    blind = replace(member, name="blind", coefficients=np.full_like(member.coefficients, np.nan))
    pair = replace(two, members=(blind, member), weights=np.array([[0.0], [1.0]]))
    assert (pair.decision_function(X[:5]) == two.decision_function(X[:5])).all()
    assert np.isnan(pair.member_decisions(X[:5])[0]).all()


@pytest.mark.parametrize(
    "weights", [[[0.5], [0.6]], [[1.5], [-0.5]], [[1.0]], [[0.5, 0.5], [0.5, 0.5]], [[np.nan], [1]]]
)
def test_weights_that_are_no_shares_of_the_members_are_refused(weights, two, tmp_path):
    members = (two.members[0], replace(two.members[0], name="other"))
    replace(two, members=members, weights=np.array(weights, dtype=float)).save(tmp_path)
    with pytest.raises(ModelError, match="weights"):
        FaceModel.load(tmp_path)


@pytest.mark.parametrize("name", ["two", "three"])
def test_a_model_that_is_saved_and_loaded_is_equal(name, request, tmp_path, three_faces):
    model = request.getfixturevalue(name)
    model.save(tmp_path)
    again = FaceModel.load(tmp_path)
    assert again.labels == model.labels
    assert again.recipe == model.recipe
    for field in fields(Member):
        a, b = getattr(again.members[0], field.name), getattr(model.members[0], field.name)
        assert np.array_equal(a, b), field.name
        assert np.asarray(a).dtype == np.asarray(b).dtype
    assert all(map(np.array_equal, again.spread, model.spread))
    X = three_faces[0]
    assert (again.decision_function(X) == model.decision_function(X)).all()


def test_the_rule_goes_with_the_model(three, tmp_path):
    rule = AnswerRule(min_confidence=0.935, max_distance=0.21)
    replace(three, rule=rule).save(tmp_path)
    assert FaceModel.load(tmp_path).rule == rule
    written = json.loads((tmp_path / "model.json").read_text())["rule"]
    assert written == {"min_confidence": 0.935, "max_distance": 0.21}


def test_a_model_without_a_rule_is_written_and_read_as_before_there_were_rules(saved):
    assert "rule" not in json.loads((saved / "model.json").read_text())
    assert FaceModel.load(saved).rule == AnswerRule()


def test_the_model_that_ships_has_a_rule(shipped_model):
    assert 0.5 < shipped_model.rule.min_confidence < 1
    assert shipped_model.rule.max_outside == 0
    assert [kind.face for kind in shipped_model.outside] == [True, False]


def test_a_model_saved_twice_is_the_same_bytes(two, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        two.save(tmp_path / name)
    for file in ("model.npz", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_model_holds_no_pickle_and_no_path(two, tmp_path):
    two.save(tmp_path)
    with zipfile.ZipFile(tmp_path / "model.npz") as archive:
        assert all(name.endswith(".npy") for name in archive.namelist())
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        assert {file[key].dtype.kind for key in file.files} == {"f"}
    assert str(tmp_path) not in (tmp_path / "model.json").read_text()


@pytest.mark.parametrize("file", ["model.npz", "model.json"])
def test_a_missing_file_is_named(saved, file):
    (saved / file).unlink()
    refuse(saved, f"{file} is missing")


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
@pytest.mark.parametrize("file", ["model.npz", "model.json"])
def test_a_truncated_file_is_refused(saved, file, share):
    data = (saved / file).read_bytes()
    (saved / file).write_bytes(data[: int(len(data) * share)])
    refuse(saved)


def test_a_flipped_byte_in_the_arrays_is_refused(saved):
    data = bytearray((saved / "model.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (saved / "model.npz").write_bytes(data)
    refuse(saved, "checksum")


@pytest.mark.parametrize("version", [max(FORMATS.values()) + 1, 0, "1", None, [1], True, 1.0])
def test_another_format_is_refused_by_number(saved, version):
    rewrite(saved, change_document=lambda d: d.update(format=version))
    refuse(saved, re.escape(f"this version reads {sorted(FORMATS.values())}"))


@pytest.mark.parametrize(
    "text", ["{}", "[]", "3", "null", '"model"', "[" * 5000, '{"format": 1}', "\ufeff{}", "1e999"]
)
def test_foreign_json_is_refused(saved, text):
    (saved / "model.json").write_text(text, encoding="utf-8")
    refuse(saved)


def put(key, value):
    return lambda arrays: arrays.update({key: value})


@pytest.mark.parametrize(
    "change",
    [
        put("minimum_0", np.zeros(5, "f4")),
        put("components_0", np.zeros((2, 0), "f2")),
        put("components_0", np.zeros(4, "f2")),
        put("components_0", np.zeros((2, 4), "i8")),
        put("kernel_vectors_0", np.zeros((2, 3), "f4")),
        put("mean_0", np.full(4, np.nan, "f4")),
        put("coefficients_0", np.zeros((2, 2))),
        put("coefficients_0", np.zeros((10**6, 1))),
        put("intercept_0", np.zeros(2)),
        put("intercept_0", np.float64(3)),
        put("span_0", np.zeros(4, "f4")),
        put("deviation_0", np.zeros(2, "f4")),
        put("slope", np.ones(3)),
        put("slope", np.array(["a"])),
        put("slope", np.array([np.inf])),
        put("slope", np.array([-1.0])),
        put("variance_0", np.array(["x", "y"])),
        put("minimum_0", np.zeros(4, "c16")),
        put("spread_mean", np.zeros((2, 2), "f4")),
        lambda arrays: arrays.pop("gamma", arrays.pop("mean_0")),
        lambda arrays: arrays.update(
            spread_mean=np.zeros((3, 2), "f4"), spread_factor=np.zeros((3, 2, 2), "f4")
        ),
        lambda arrays: arrays.update(
            spread_mean=np.zeros((2, 9), "f4"), spread_factor=np.zeros((2, 9, 9), "f4")
        ),
        lambda arrays: arrays.update(
            kernel_vectors_0=np.zeros((0, 2), "f4"), coefficients_0=np.zeros((0, 1))
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_though_their_checksum_is_right(saved, change):
    rewrite(saved, change)
    refuse(saved, "damaged or is not a facecore model")


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["a"]},
        {"labels": ["a", "a"]},
        {"labels": ["a", "b", "c"]},
        {"labels": 7},
        {"labels": ["a", 1]},
        {"labels": ["a", ""]},
        {"members": []},
        {"members": [{}]},
        {"members": None},
        {"recipe": {}},
        {"recipe": {"side": 3}},
        {"recipe": {"side": "x"}},
        {"rule": None},
        {"rule": {"min_confidence": 2}},
        {"rule": {"max_distance": 10**400}},
        {"rule": {"certain": 1}},
        {"rule": [0.9]},
        {"recipe": {"side": float("inf")}},
        {"recipe": {"side": 2, "frame": 0}},
        {"recipe": 5},
    ],
    ids=str,
)
def test_a_description_that_does_not_fit_is_refused(saved, change):
    rewrite(saved, change_document=lambda d: d.update(change))
    refuse(saved, "damaged or is not a facecore model")


@pytest.mark.parametrize(
    "change",
    [
        {"kernel": "poly"},
        {"gamma": None},
        {"gamma": float("nan")},
        {"gamma": 10**400},
        {"gamma": -1},
    ],
    ids=["kernel", "none", "nan", "huge", "negative"],
)
def test_scalars_that_make_no_sense_are_refused(saved, change):
    rewrite(saved, change_document=lambda d: d["members"][0].update(change))
    refuse(saved, "damaged or is not a facecore model")


def test_a_pickled_object_is_never_loaded(saved):
    class Trap:
        def __reduce__(self):
            return (print, ("the trap was sprung",))

    rewrite(saved, put("mean_0", np.array([Trap()], dtype=object)))
    refuse(saved, "damaged or is not a facecore model")


def test_an_array_too_many_is_refused_by_name(saved):
    rewrite(saved, lambda arrays: arrays.update(payload=np.ones(3)))
    refuse(saved, "payload is not one of its arrays")


def test_arrays_beyond_the_limit_are_refused_before_reading(saved, monkeypatch):
    monkeypatch.setattr("facecore.model.classifier.MAX_ARRAY_BYTES", 1000)
    monkeypatch.setattr("facecore.model.classifier.np.load", None)
    refuse(saved, "larger than 1 GB")


@pytest.fixture(scope="module")
def flippable(tmp_path_factory) -> tuple[Path, bytes, bytes]:
    folder = tmp_path_factory.mktemp("flip")
    small_model().save(folder)
    return folder, (folder / "model.npz").read_bytes(), (folder / "model.json").read_bytes()


CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(CHANGES)
def test_flipped_bytes_in_the_arrays_give_a_model_or_a_model_error(flippable, changes):
    folder, arrays, document = flippable
    data = bytearray(arrays)
    for place, mask in changes:
        data[int(place * (len(data) - 1))] ^= mask
    (folder / "model.npz").write_bytes(data)
    described = json.loads(document) | {"sha256": sha256(folder / "model.npz")}
    (folder / "model.json").write_text(json.dumps(described))
    load_and_use(folder)


@settings(max_examples=150, deadline=None)
@given(CHANGES)
def test_flipped_bytes_in_the_description_give_a_model_or_a_model_error(flippable, changes):
    folder, arrays, document = flippable
    data = bytearray(document)
    for place, mask in changes:
        data[int(place * (len(data) - 1))] ^= mask
    (folder / "model.npz").write_bytes(arrays)
    (folder / "model.json").write_bytes(data)
    load_and_use(folder)


PHOTO = draw_photo("round", 0)


def load_and_use(folder: Path) -> None:
    """Load a model, and if it loads, ask it about rows and about a photo."""
    try:
        model = FaceModel.load(folder)
    except ModelError:
        return
    with np.errstate(all="ignore"):  # a flipped exponent is a number, too
        (_, numbers), dtype = rows_of(1, model.recipe)
        model.predict_proba(np.zeros((1, numbers), dtype))
        answer = predict_photo(PHOTO, model)
    assert answer.error is None
    assert all(face.verdict for face in answer.faces)
