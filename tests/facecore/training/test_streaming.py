import numpy as np
import pytest
from cartoons import LABELS, draw_faces

from facecore.errors import DataError
from facecore.face.features import Features
from facecore.face.prepare import mirror
from facecore.training import streaming
from facecore.training.eigenfaces import fit_space
from facecore.training.streaming import (
    FacesOnDisk,
    fit_eigenfaces,
    measure,
    merge,
    merge_all,
    moments,
    over_shards,
)


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory):
    X, _, _ = draw_faces(LABELS[:2], persons=15, shots=3)
    path = tmp_path_factory.mktemp("disk") / "faces.npy"
    np.save(path, X.astype(np.uint8))
    return FacesOnDisk(path, mirrored=True)


def same(a, b):
    assert a.count == b.count
    for name in ("minimum", "maximum", "mean", "squares"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-5, atol=1e-5)


def test_merged_statistics_do_not_depend_on_how_the_faces_were_cut():
    X = np.random.default_rng(0).integers(0, 256, (97, 30), dtype=np.uint8)
    whole = moments(X)
    for pieces in (2, 5, 97):
        same(merge_all(moments(part) for part in np.array_split(X, pieces)), whole)
    np.testing.assert_allclose(whole.squares, X.var(axis=0) * len(X), rtol=1e-5)


def test_shards_cover_every_face_once_in_order_and_follow_from_the_count(monkeypatch):
    monkeypatch.setattr(streaming, "SHARD", 4)
    monkeypatch.setattr(streaming, "MOST_SHARDS", 6)
    rows = np.arange(100, 130)
    for count, size in ((3, 3), (4, 4), (9, 4), (30, 5)):
        parts = list(over_shards(lambda *part: part, rows[:count], rows[:count] * 2))
        np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), rows[:count])
        np.testing.assert_array_equal(parts[0][1], parts[0][0] * 2)
        assert len(parts[0][0]) == size
    assert list(over_shards(len, rows[:0])) == []


def test_merging_is_associative():
    X = np.random.default_rng(1).normal(3, 2, (60, 8)).astype(np.float32)
    a, b, c = (moments(part) for part in np.split(X, [10, 35]))
    same(merge(merge(a, b), c), merge(a, merge(b, c)))
    same(merge(a, b), merge(b, a))


def test_no_face_is_an_error():
    with pytest.raises(DataError, match="no face"):
        merge_all([])


@pytest.mark.parametrize("whiten", [True, False])
def test_streamed_min_max_and_eigenfaces_equal_those_in_memory(on_disk, whiten):
    X = np.load(on_disk.path)
    rows = np.arange(len(X))
    member = fit_eigenfaces(on_disk, rows, measure(on_disk, rows), 8, whiten)
    scaler, pca = fit_space(X, mirror(X), 8, whiten, 0)
    np.testing.assert_array_equal(member.minimum, scaler.data_min_)
    np.testing.assert_allclose(member.mean, pca.mean_, atol=1e-5)
    np.testing.assert_allclose(member.variance, pca.explained_variance_, rtol=0.01)
    total = pca.explained_variance_.sum() / pca.explained_variance_ratio_.sum()
    assert member.total_variance == pytest.approx(total, rel=1e-3)
    # The same space: every angle between the two is small.
    angles = np.linalg.svd(member.basis @ pca.components_.T, compute_uv=False)
    assert angles.min() > 0.99


def test_histograms_are_streamed_as_well(on_disk):
    side = round(np.load(on_disk.path).shape[1] ** 0.5)
    faces = FacesOnDisk(on_disk.path, Features("hog", side, 1.0, cell=side // 6), mirrored=True)
    X, rows = np.load(on_disk.path), np.arange(60)
    found = measure(faces, rows)
    F = np.concatenate([faces.features.extract(V) for V in (X[:60], mirror(X[:60]))])
    assert found.count == len(F) == 120
    np.testing.assert_allclose(found.maximum, F.max(axis=0))
    member = fit_eigenfaces(faces, rows, found, 5, True)
    np.testing.assert_allclose(
        np.concatenate([member.coordinates(V) for V in (X[:60], mirror(X[:60]))]).mean(axis=0),
        0,
        atol=0.02,
    )
