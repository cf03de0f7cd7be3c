import numpy as np
import pytest
from cartoons import draw_face

from facecore.face.attribution import split_features
from facecore.face.features import Features
from facecore.face.prepare import flatten

READ = [
    Features("pixels"),
    Features("pixels", side=40, frame=0.75),
    Features("pixels", side=100, frame=0.8),
    Features("hog", side=48, frame=0.625, cell=8),
    Features("lbp", side=61, frame=0.875, cell=12),
    Features("convolutions", side=32, frame=0.7),
]


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    grey = draw_face("round", 1, side=80)
    return np.stack([grey, grey // 2 + 40, 255 - grey], axis=2)


@pytest.mark.parametrize("features", READ[1:], ids=lambda f: f"{f.kind} {f.side}")
def test_parts_add_up_to_the_weighted_difference_of_the_features(face, features):
    plain = np.full_like(face, (90, 110, 130))
    one, other = (features.extract(flatten(p))[0].astype(float) for p in (face, plain))
    weights = np.random.default_rng(0).normal(size=len(one))
    parts = split_features(features, face, plain, weights)
    assert parts.shape == (80, 80)
    assert parts.sum() == pytest.approx(weights @ (one - other), rel=1e-3)
    edge = round(80 * (1 - features.frame) / 2)
    assert not parts[:edge].any() and not parts[:, -edge:].any()


@pytest.mark.parametrize("features", READ, ids=lambda f: f"{f.kind} {f.side}")
def test_a_part_lies_where_the_pictures_differ(face, features):
    picture = face[:, :, 0].copy() if features.side == 0 else face.copy()
    other = picture.copy()
    other[20:32, 44:56] = 255 - other[20:32, 44:56]
    count = features.count(80)
    parts = np.abs(split_features(features, picture, other, np.linspace(1, 2, count)))
    # cells of histograms, and the surroundings that convolutions read, reach over the edge
    assert parts[:52, 24:76].sum() == pytest.approx(parts.sum(), rel=1e-6)
    assert parts[20:32, 44:56].sum() > 0.2 * parts.sum() > 0
