import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from facecore.errors import DataError
from facecore.face.detect import get_detector
from facecore.face.images import decode
from facecore.model.predict import predict_photo
from facecore.model.synth import make_photo, paste, sample_faces, sample_people, write_photos


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


def test_made_photos_are_written_by_label_as_many_as_asked_for(tiny_model, tmp_path):
    assert write_photos(tiny_model, tmp_path, 7) == 7
    files = contents(tmp_path)
    assert len(files) == 7
    shares = [sum(name.startswith(f"{label}/") for name in files) for label in tiny_model.labels]
    assert sorted(shares) == [3, 4]
    assert len(set(files.values())) == 7


@pytest.mark.parametrize("twins", [("round", "Round"), ("Кот", "кот")])
def test_photos_of_labels_that_would_share_a_folder_are_not_made(twins, tiny_model, tmp_path):
    with pytest.raises(DataError, match=r"differ only in capitals and would share a folder"):
        write_photos(replace(tiny_model, labels=twins), tmp_path / "out", 4)
    assert not (tmp_path / "out").exists()


def test_a_seed_makes_the_same_photos_and_another_seed_makes_others(tiny_model, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_photos(tiny_model, tmp_path / name, 4, seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert not set(contents(tmp_path / "a").values()) & set(contents(tmp_path / "c").values())


def test_made_faces_spread_as_the_faces_of_their_label(tiny_model):
    label = tiny_model.labels[1]
    faces = sample_faces(tiny_model, label, 300, spread=0.5)
    assert faces.shape == (300, 100, 100)
    assert faces.dtype == np.uint8
    Z = tiny_model.pixels.coordinates(faces.reshape(300, -1))
    mean, factor = (part[1] for part in tiny_model.spread)
    expected = 0.5 * np.sqrt((factor**2).sum(axis=1))
    # Grey levels are cut to their range, so the match is not exact.
    assert Z[:, :3].mean(axis=0) == pytest.approx(mean[:3], abs=0.25)
    assert Z[:, :3].std(axis=0) == pytest.approx(expected[:3], rel=0.35)


def test_made_faces_get_their_label_back(tiny_model):
    for label in tiny_model.labels:
        X = sample_faces(tiny_model, label, 60, seed=3).reshape(60, -1)
        assert (tiny_model.predict(X) == label).mean() > 0.8


def test_a_label_that_the_model_does_not_know_is_an_error(tiny_model):
    with pytest.raises(DataError, match="the model has: round, square"):
        sample_faces(tiny_model, "nobody", 1)


def test_a_model_without_spread_cannot_make_faces(tiny_model, tmp_path):
    with pytest.raises(DataError, match="spread"):
        write_photos(replace(tiny_model, spread=None), tmp_path, 2)


def test_a_place_that_cannot_be_written_is_an_error(tiny_model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        write_photos(tiny_model, tmp_path / "file", 2)


@pytest.mark.parametrize("noisy", [False, True])
def test_a_face_is_pasted_whole_on_a_background(noisy):
    face = np.full((100, 100), 255, dtype=np.uint8)
    for seed in range(30):
        photo = paste(face, seed, noisy=noisy)
        assert photo.shape == (250, 250, 3)
        white = photo[:, :, 0] == 255
        assert 0.1 < white.mean() < 0.4
        assert not white[[0, -1]].any() and not white[:, [0, -1]].any()
        assert (photo[0].std() > 0) == noisy


def test_a_pasted_face_ends_in_no_straight_edge():
    for seed in range(20):
        photo = paste(np.zeros((100, 100), dtype=np.uint8), seed)[..., 0].astype(int)
        background = photo.max()
        steps = [np.abs(np.diff(photo, axis=axis)).max() for axis in (0, 1)]
        assert max(steps) < 0.15 * background  # the sides of the square were steps of half of it


def test_one_photo_can_be_made_for_a_page(tiny_model):
    photos = [make_photo(tiny_model, "round", seed) for seed in (0, 0, 1)]
    assert (photos[0] == photos[1]).all()
    assert (photos[0] != photos[2]).any()


def test_the_detector_finds_the_faces_that_the_shipped_model_makes(shipped_model, tmp_path):
    write_photos(shipped_model, tmp_path, 60)
    find = get_detector(shipped_model.recipe.detector)
    found = [bool(find(decode(path).pixels)) for path in tmp_path.rglob("*.png")]
    assert np.mean(found) >= 0.95
    shutil.rmtree(tmp_path)


def test_a_synthetic_photo_of_a_model_of_whole_photos_is_the_face_alone(tiny_whole, tmp_path):
    photo = make_photo(tiny_whole, "round", seed=1)
    assert photo.shape == (250, 250, 3)
    (face,) = predict_photo(photo, tiny_whole).faces
    assert face.likely == "round"
    inside = sample_faces(tiny_whole, "round", 1, seed=1)[0]
    shown = cv2.resize(photo[:, :, 0], inside.shape, interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - inside).mean() < 3  # no background around it
    write_photos(tiny_whole, tmp_path, 4)
    assert len(list(tmp_path.glob("*/*.png"))) == 4


def test_pictures_of_one_synthetic_person_are_more_alike_than_two_people(shipped_model):
    faces = sample_people(shipped_model, people=5, pictures=2, seed=3).reshape(10, -1).astype(float)
    assert (sample_people(shipped_model, 5, 2, seed=3).reshape(10, -1) == faces).all()
    apart = np.abs(faces[:, None] - faces[None]).mean(axis=2)
    own = apart[np.arange(0, 10, 2), np.arange(1, 10, 2)]
    assert (own > 0).all()
    assert own.mean() < 0.6 * apart[::2, ::2][~np.eye(5, dtype=bool)].mean()


def test_people_with_one_picture_take_the_labels_in_turn(shipped_model):
    faces = sample_people(shipped_model, people=10, pictures=1)
    found = shipped_model.predict(faces)
    assert (found == np.array(shipped_model.labels * 5)).mean() >= 0.8
