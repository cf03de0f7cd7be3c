"""Synthetic faces, sampled from a model's face space: they show no real subject."""

from pathlib import Path

import cv2
import numpy as np

from facecore.errors import DataError
from facecore.face.images import to_png
from facecore.face.recipes import takes_whole_photos
from facecore.model.classifier import FaceModel
from facecore.model.drawing import to_image
from facecore.system.files import try_folder
from facecore.system.paths import find_twins

WHOLE_SIDE = 250  # of a synthetic photo that is the face alone, in pixels
SPREAD = 0.8  # share of the standard deviations that samples are drawn with
OVAL = 1.12  # radius of the oval that is pasted, in halves of the face's side
WITHIN = 0.3  # of those that pictures of one synthetic person differ by


def sample_coordinates(
    model: FaceModel, label: str, count: int, seed: int = 0, spread: float = SPREAD
) -> np.ndarray:
    """Sample points of face space from the Gaussian of a label's leading coordinates.

    Parameters
    ----------
    model : FaceModel
        A model that stores the spread of its coordinates.
    label : str
        One of the model's labels.
    count : int
        Number of points, at least 0.
    seed : int
        Seed of the random numbers, at least 0.
    spread : float
        Share of the standard deviations, at least 0; 1 samples points as spread out as the
        training faces.

    Returns
    -------
    ndarray of shape (count, k), float64
        The k leading coordinates, those whose spread the model stores.

    Raises
    ------
    DataError
        The model has no such label, or stores no spread.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> len(sample_coordinates(load_model("classic"), "female", 3))
    3
    """
    if label not in model.labels:
        raise DataError(f"no label {label!r}; the model has: {', '.join(model.labels)}")
    if model.spread is None:
        raise DataError(
            "this model stores no spread of its coordinates, so faces cannot be sampled"
        )
    which = model.labels.index(label)
    mean, factor = model.spread[0][which], model.spread[1][which]
    rng = np.random.default_rng([seed, which])
    return np.asarray(mean + spread * rng.standard_normal((count, len(mean))) @ factor.T)


def sample_faces(
    model: FaceModel, label: str, count: int, seed: int = 0, spread: float = SPREAD
) -> np.ndarray:
    """Sample synthetic faces from the Gaussian of a label's coordinates in face space.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    label : str
        One of the model's labels.
    count : int
        Number of faces, at least 0.
    seed : int
        Seed of the random numbers, at least 0.
    spread : float
        Share of the standard deviations, at least 0; the smaller, the more average the faces.

    Returns
    -------
    ndarray of shape (count, side, side), uint8
        Grey levels, from 0 to 255.

    Raises
    ------
    DataError
        The model has no such label, or stores no spread.
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> sample_faces(load_model("classic"), "female", 3, seed=1).shape
    (3, 100, 100)
    """
    Z = sample_coordinates(model, label, count, seed, spread)
    rows = np.clip(np.rint(model.pixels.rebuild(Z)), 0, 255).astype(np.uint8)
    side = round(rows.shape[1] ** 0.5)
    return np.asarray(rows.reshape(count, side, side))


def sample_people(model: FaceModel, people: int, pictures: int, seed: int = 0) -> np.ndarray:
    """Sample synthetic people, each with several pictures; the labels take turns.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    people : int
        Number of people, at least 1.
    pictures : int
        Number of pictures of each, at least 1. They differ from the person's own point of face
        space by `WITHIN` of the standard deviations of the label.
    seed : int
        Seed of the random numbers, at least 0.

    Returns
    -------
    ndarray of shape (people * pictures, side, side), uint8
        Grey levels, from 0 to 255; the pictures of a person stand together.

    Raises
    ------
    DataError
        The model stores no spread.
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> sample_people(load_model("classic"), people=3, pictures=2).shape
    (6, 100, 100)
    """
    points = []
    for person in range(people):
        label = model.labels[person % len(model.labels)]
        own = 1000 * seed + person
        centre = sample_coordinates(model, label, 1, own)
        if pictures > 1:  # the first of the same stream drew the person
            mean = sample_coordinates(model, label, 1, spread=0)
            centre = centre - mean + sample_coordinates(model, label, pictures + 1, own, WITHIN)[1:]
        points.append(centre)
    rows = model.pixels.rebuild(np.concatenate(points))
    return np.array([to_image(row) for row in rows])


def paste(face: np.ndarray, seed: int = 0, side: int = 250, noisy: bool = False) -> np.ndarray:
    """Paste a face, with a feathered oval edge, on a plain or noisy background.

    Parameters
    ----------
    face : ndarray of shape (s, s), uint8
        Grey levels, from 0 to 255.
    seed : int
        Seed of the place, the size and the background, at least 0.
    side : int
        Width and height of the photo, in pixels.
    noisy : bool
        Whether to add smooth noise to the background.

    Returns
    -------
    ndarray of shape (side, side, 3), uint8
        A grey photo in RGB.

    Examples
    --------
    >>> paste(np.full((100, 100), 80, dtype=np.uint8), side=200).shape
    (200, 200, 3)
    """
    rng = np.random.default_rng([seed, 7])
    size = int(rng.integers(round(side * 0.44), round(side * 0.64)))
    left, top = (int(v) for v in rng.integers(round(side * 0.1), side - size - 2, 2))
    photo = np.full((side, side), rng.integers(90, 200), dtype=np.float32)
    if noisy:
        coarse = rng.normal(0, 18, (12, 12)).astype(np.float32)
        photo += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    big = cv2.resize(face, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    # The oval is a little larger than the face, whose sides would otherwise be seen as straight
    # edges: there the face goes on as its mirror image.
    rim = round((OVAL - 1) * size / 2)
    big = cv2.copyMakeBorder(big, rim, rim, rim, rim, cv2.BORDER_REFLECT)
    reach = 1 + 2 * rim / (size - 1)
    axis = np.linspace(-reach, reach, size + 2 * rim, dtype=np.float32)
    radius = np.sqrt((axis[None] / 0.97) ** 2 + (axis[:, None] / 1.0) ** 2)
    alpha = np.clip((OVAL - radius) / 0.22, 0, 1)
    area = photo[top - rim : top + size + rim, left - rim : left + size + rim]
    rows, columns = area.shape  # fewer where the photo ends
    alpha, big = alpha[:rows, :columns], big[:rows, :columns]
    area[:] = alpha * big + (1 - alpha) * area
    grey = np.clip(np.rint(photo), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def make_photo(model: FaceModel, label: str, seed: int = 0) -> np.ndarray:
    """Return a photo with one synthetic face; of a model of whole photos, the face alone.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    label : str
        One of the model's labels.
    seed : int
        Seed of the face and its background, at least 0; odd seeds give a noisy background.

    Returns
    -------
    ndarray of shape (250, 250, 3), uint8
        A grey photo in RGB.

    Raises
    ------
    DataError
        The model has no such label, or stores no spread.
    ModelError
        The model has no eigenfaces.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> make_photo(load_model("classic"), "male", seed=2).shape
    (250, 250, 3)
    """
    return _photo(model, sample_faces(model, label, 1, seed)[0], seed, noisy=seed % 2 == 1)


def _photo(model: FaceModel, face: np.ndarray, seed: int, noisy: bool) -> np.ndarray:
    if not takes_whole_photos(model.recipe):
        return paste(face, seed, noisy=noisy)
    grey = cv2.resize(face, (WHOLE_SIDE, WHOLE_SIDE), interpolation=cv2.INTER_LINEAR)
    return np.repeat(grey[:, :, None], 3, axis=2)


def write_photos(model: FaceModel, out: Path, count: int, seed: int = 0) -> int:
    """Write photos with synthetic faces to ``OUT/<label>/*.png``, equally many per label.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces that stores the spread of its coordinates.
    out : Path
        Folder to write to; it is created where needed.
    count : int
        Number of photos over all labels; the first labels get one more where it does not divide.
    seed : int
        Seed of the faces and their backgrounds, at least 0.

    Returns
    -------
    int
        Number of photos written.

    Raises
    ------
    DataError
        The model stores no spread, two of its labels would be one folder on Windows and macOS, or
        the folder cannot be written.
    ModelError
        The model has no eigenfaces.
    """
    if twins := find_twins(model.labels):
        raise DataError(
            f"the labels {twins[0]!r} and {twins[1]!r} of the model differ only in capitals and "
            "would share a folder; train it again with other labels"
        )
    try_folder(Path(out))
    shares = [len(part) for part in np.array_split(np.arange(count), len(model.labels))]
    for label, share in zip(model.labels, shares, strict=True):
        folder = Path(out) / label
        faces = sample_faces(model, label, share, seed)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for i, face in enumerate(faces):
                photo = _photo(model, face, seed * 100_003 + i, noisy=i % 2 == 1)
                (folder / f"{label}_{i:05d}.png").write_bytes(to_png(photo))
        except OSError as error:
            raise DataError(f"cannot write to {folder}: {error.strerror}") from error
    return count
