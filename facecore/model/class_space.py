"""The eigenfaces of a few faces, such as those of a school class, and who resembles whom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facecore.model.classifier import Member

WHITE = 255.0
NOTHING = 1e-9  # share of the largest singular value: below it there are rounding errors


@dataclass(frozen=True)
class ClassSpace:
    """Mean face and eigenfaces of a few faces.

    Parameters
    ----------
    pixels : Member
        Mean face and eigenfaces of grey levels divided by 255, which is its min-max scale; its
        coordinates are not whitened, and its kernel machine has no vectors.
    """

    pixels: Member


@dataclass(frozen=True)
class LeftOut:
    """A face that was compared with faces among which it was not.

    Parameters
    ----------
    face : int
        Its number, from 0.
    nearest : int
        Number of the most similar face of the others.
    right : bool
        Whether both have the same name.
    chance : float
        Share of the others that have its name: how often a guess is right, in [0, 1].
    """

    face: int
    nearest: int
    right: bool
    chance: float


def fit_class_space(faces: np.ndarray) -> ClassSpace:
    """Compute the mean face and all eigenfaces of a few faces (Turk and Pentland 1991).

    Pixels are not min-max scaled one by one: in a few faces the least and the largest level of a
    pixel are chance.

    Parameters
    ----------
    faces : ndarray of shape (n_faces, side, side), uint8
        Grey levels of prepared faces, from 0 to 255; at least one.

    Returns
    -------
    ClassSpace
        With at most n_faces - 1 eigenfaces, fewer where some faces are equal; with none for one
        face.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> faces = sample_faces(load_model("classic"), "female", 10)
    >>> fit_class_space(faces).pixels.components.shape
    (9, 10000)
    """
    rows = _to_rows(faces)
    mean, components, variance = _fit(rows)
    width, count = len(mean), len(components)
    return ClassSpace(
        Member(
            minimum=np.zeros(width, np.float32),
            span=np.full(width, WHITE, np.float32),
            mean=mean.astype(np.float32),
            components=components.astype(np.float32),
            deviation=np.ones(count, np.float32),
            variance=variance.astype(np.float32),
            total_variance=float(variance.sum()),
            kernel_vectors=np.zeros((0, count), np.float32),
            coefficients=np.zeros((0, 1)),
            intercept=np.zeros(1),
            gamma=0.0,
        )
    )


def face_distances(faces: np.ndarray, n_components: int | None = None) -> np.ndarray:
    """Return how much each pair of faces differs, in pixels or in their own face space.

    Parameters
    ----------
    faces : ndarray of shape (n_faces, side, side), uint8
        Grey levels of prepared faces, from 0 to 255; at least one.
    n_components : int, optional
        Number of leading eigenfaces of these faces in whose space the distance is measured; in
        pixels when left out. With all eigenfaces both distances are the same.

    Returns
    -------
    ndarray of shape (n_faces, n_faces), float64
        Root mean square over the pixels, in grey levels.

    Examples
    --------
    >>> faces = np.zeros((2, 10, 10), np.uint8)
    >>> faces[1] = 20
    >>> face_distances(faces).round(3).tolist()
    [[0.0, 20.0], [20.0, 0.0]]
    """
    rows = _to_rows(faces)
    unit = WHITE / np.sqrt(rows.shape[1])
    points = _to_points(rows)
    if n_components is not None:
        mean, components, _ = _fit(points)
        points = (points - mean) @ components[:n_components].T
    squares = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    return np.asarray(np.sqrt(squares) * unit)


def recognise_left_out(
    faces: np.ndarray, names: Sequence[str], n_components: int | None = None
) -> list[LeftOut]:
    """Name each face after the most similar of the others, whose eigenfaces do not know it.

    For each face the mean and the eigenfaces are computed anew from the other faces that have a
    name. Its nearest neighbour in their space names it (Turk and Pentland 1991).

    Parameters
    ----------
    faces : ndarray of shape (n_faces, side, side), uint8
        Grey levels of prepared faces, from 0 to 255.
    names : sequence of str of length n_faces
        Whom each face shows; faces without a name, which is empty, take no part.
    n_components : int, optional
        Number of leading eigenfaces; all when left out.

    Returns
    -------
    list of LeftOut
        One per face whose name another face has too; the others could not be recognised.

    Examples
    --------
    >>> faces = np.array([[[0, 0]], [[9, 0]], [[200, 90]], [[190, 99]]], np.uint8)
    >>> [one.right for one in recognise_left_out(faces, ["Ann", "Ann", "Bo", "Bo"])]
    [True, True, True, True]
    """
    named = [i for i, name in enumerate(names) if name]
    if not named:
        return []
    points = _to_points(_to_rows(faces[named]))
    found = []
    for k, i in enumerate(named):
        others = [j for j in named if j != i]
        same = [names[j] == names[i] for j in others]
        if not any(same):
            continue
        rest = np.delete(points, k, axis=0)
        mean, components, _ = _fit(rest)
        basis = components[:n_components]
        away = ((rest - mean) @ basis.T) - ((points[k] - mean) @ basis.T)
        best = int((away**2).sum(axis=1).argmin())
        found.append(LeftOut(i, others[best], same[best], sum(same) / len(same)))
    return found


def _to_rows(faces: np.ndarray) -> np.ndarray:
    return faces.reshape(len(faces), -1).astype(np.float64) / WHITE


def _to_points(rows: np.ndarray) -> np.ndarray:
    """Return faces in the space that they span: at most n_faces numbers each, equal distances."""
    return np.transpose(np.asarray(np.linalg.qr(rows.T, mode="r")))


def _fit(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean, the components and the variance along each."""
    mean = rows.mean(axis=0)
    _, values, components = np.linalg.svd(rows - mean, full_matrices=False)
    # differences from the mean sum to 0, so one of the n directions has nothing
    kept = values[: len(rows) - 1] > max(NOTHING * float(values[0]), NOTHING)
    values, components = values[: len(rows) - 1][kept], components[: len(rows) - 1][kept]
    peaks = np.abs(components).argmax(axis=1)[:, None]
    components = components * np.sign(np.take_along_axis(components, peaks, axis=1))
    return mean, components, values**2 / max(len(rows) - 1, 1)
