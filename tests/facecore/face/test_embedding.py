import numpy as np
import pytest
from weights import write_weights

from facecore.data.crops import read_table
from facecore.data.faces import load_faces
from facecore.errors import ModelError
from facecore.face import embedding as network
from facecore.face.recipes import RECIPES, to_rows
from facecore.model.classifier import FaceModel
from facecore.model.explain import decision_for, explain_decision, overlay, reconstruct
from facecore.model.predict import predict_many, predict_photo
from facecore.model.store import list_models, load_model


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Two pictures of the network's size that are no faces, and are not symmetric."""
    y, x = np.mgrid[:150, :150] / 149
    colours = 200 * np.hypot(x - 0.5, y - 0.5) + 40, 255 * x, 90 + 90 * np.sin(9 * y + 4 * x)
    picture = np.stack(colours, axis=2).clip(0, 255).astype(np.uint8)
    return np.stack([picture, picture[::-1]])


@pytest.fixture
def described(described_artifacts, with_weights, monkeypatch) -> FaceModel:
    """A small model of the recipe `embedding` that knows drawn faces, in use."""
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(described_artifacts))
    return load_model("tiny")


@pytest.fixture
def photos(aligned_crops, raw_folder) -> list[str]:
    """Paths of drawn photos in which a face is found."""
    table = read_table(aligned_crops)
    return [str(raw_folder / path) for path in table.loc[table["state"].eq("kept"), "path"][:4]]


@pytest.mark.network
def test_the_numbers_are_those_of_dlib(faces):
    # dlib 20.0.1, compute_face_descriptor: mean of the picture's and of its mirror image's
    dlib = [-0.08219, 0.09735, 0.08606, -0.01586, -0.05303, -0.07612, -0.05235, -0.01367]
    found = network.describe(faces)
    assert found.shape == (2, 128)
    assert found[0, :8] == pytest.approx(dlib, abs=2e-5)
    assert np.linalg.norm(found[0]) == pytest.approx(1.26151, abs=1e-4)


@pytest.mark.network
def test_real_faces_of_one_person_lie_nearer_to_each_other_than_to_another(shared_data):
    from facecore.data.listing import list_photos
    from facecore.face.detect import get_detector
    from facecore.face.images import decode
    from facecore.face.recipes import cut_face, prepare_crop

    recipe = RECIPES["embedding"]
    photos = list_photos(shared_data / "lfw")
    groups = [rows for _, rows in photos.groupby("subject") if len(rows) > 1][:6]
    pairs = [rows["path"].iloc[:2].tolist() for rows in groups]
    prepared = []
    for path in (path for pair in pairs for path in pair):
        pixels = decode(shared_data / "lfw" / path).pixels
        face = get_detector(recipe.detector)(pixels)[0]
        prepared.append(prepare_crop(cut_face(pixels, face, recipe.alignment), recipe))
    rows = to_rows(prepared, recipe)[:, :128]
    distances = np.linalg.norm(rows[:, None] - rows, axis=2)
    person = np.arange(len(rows)) // 2
    same = (person[:, None] == person) & ~np.eye(len(rows), dtype=bool)
    assert np.median(distances[same]) < 0.6 < np.median(distances[person[:, None] != person])


@pytest.mark.usefixtures("with_weights")
def test_a_face_and_its_mirror_image_have_the_same_numbers_whatever_comes_with_them(faces):
    found = network.describe(faces)
    assert network.describe(faces[:, :, ::-1]) == pytest.approx(found, abs=1e-5)
    assert (network.describe(faces[1:]) == found[1:]).all()
    assert np.abs(found[0] - found[1]).max() > 0.01
    assert network.describe(faces[:0]).shape == (0, 128)


@pytest.mark.usefixtures("no_weights")
def test_without_weights_every_way_to_the_network_says_what_to_install(
    faces, described_artifacts, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(described_artifacts))
    assert network.INSTALL in str(network.missing())
    with pytest.raises(ModelError, match="pip install"):
        network.describe(faces)
    with pytest.raises(ModelError, match=r"model 'tiny' cannot be used: .*pip install"):
        load_model("tiny")
    assert list_models() == ["tiny"]


@pytest.mark.parametrize("cut", [100, 5000, -40])
def test_damaged_weights_are_named(faces, made_weights, tmp_path, monkeypatch, cut):
    damaged = tmp_path / "damaged.dat"
    damaged.write_bytes(made_weights.read_bytes()[:cut])
    monkeypatch.setattr(network, "_find", lambda: damaged)
    network._read.cache_clear()
    with pytest.raises(ModelError, match=r"damaged\.dat are damaged"):
        network.describe(faces)
    network._read.cache_clear()


def test_other_weights_give_other_numbers(faces, made_weights, tmp_path, monkeypatch):
    found = []
    for file in (made_weights, write_weights(tmp_path / "other.dat", seed=1)):
        monkeypatch.setattr(network, "_find", lambda file=file: file)
        network._read.cache_clear()
        found.append(network.describe(faces))
    network._read.cache_clear()
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_training_sees_what_prediction_sees(described, aligned_crops, photos):
    table = read_table(aligned_crops).assign(folder=str(aligned_crops))
    table = table[table["state"].eq("kept")].head(4)
    rows = load_faces(table, described.recipe)
    answers = [predict_photo(path, described) for path in photos]
    probabilities = described.predict_proba(rows)
    for answer, p in zip(answers, probabilities, strict=True):
        assert list(answer.faces[0].scores.values()) == pytest.approx(p, abs=1e-4)


def test_an_answer_has_the_colours_the_network_saw_and_no_reconstruction(described, photos):
    answers = list(predict_many([(path, path) for path in photos], described))
    assert all(answer.faces for answer in answers)
    for face in (face for answer in answers for face in answer.faces):
        assert face.reconstruction is None
        assert face.prepared.shape == (150, 150, 3)
        assert (face.crop == face.prepared).all()
        assert face.distance >= 0


@pytest.mark.usefixtures("with_weights")
def test_the_difference_from_a_plain_square_is_split_among_the_pixels(faces):
    colour, weights = np.array([90, 120, 150], dtype=np.uint8), np.linspace(-1, 1, 128)
    for face in (faces[0], faces[1], faces[0][:, ::-1]):
        rows, explain = network.compare(face, colour)
        plain = np.full((1, 150, 150, 3), colour)
        assert rows == pytest.approx(network.describe(np.vstack([face[None], plain])), abs=1e-6)
        parts = explain(weights) * (face.astype(float) - colour)
        assert parts.sum() == pytest.approx((rows[0] - rows[1]) @ weights, rel=1e-3)
    # the two views of a face and of its mirror image are the same
    straight = network.compare(faces[0], colour)[1](weights)
    assert explain(weights)[:, ::-1] == pytest.approx(straight, abs=1e-6)


def test_a_decision_of_the_network_is_explained_by_its_difference_from_a_plain_square(
    described, photos
):
    face = predict_photo(photos[0], described).faces[0]
    heat = explain_decision(described, face.prepared)
    assert (heat.kind, heat.label) == ("differences", face.likely)
    assert heat.values.shape == (150, 150)
    plain = np.full_like(face.prepared, np.rint(face.prepared.mean(axis=(0, 1))))
    rows = to_rows([face.prepared, plain], described.recipe)
    decided, before = decision_for(described, rows, face.likely)
    assert heat.values.sum() == pytest.approx(decided - before, rel=0.02, abs=1e-3)
    assert overlay(face.prepared, heat, (255, 0, 0), (0, 0, 255)).shape == (150, 150, 3)


def test_what_needs_eigenfaces_is_refused_with_the_reason(described):
    assert not described.draws
    with pytest.raises(ModelError, match="no eigenfaces"):
        reconstruct(described, np.zeros((1, 128), dtype=np.float32))
