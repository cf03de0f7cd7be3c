"""Fit Fisherfaces: the directions of face space in which labels differ most."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import eigh
from sklearn.decomposition import PCA

from facecore.model.classifier import Member

SHRINKAGE = 0.03  # share of all faces in the covariance within labels (docs/decisions)
LEAST = 1e-9  # share of the largest variance that every direction has, at least


@dataclass(frozen=True)
class Discriminants:
    """Linear discriminants of points of face space.

    Parameters
    ----------
    axes : ndarray of shape (n_components, n_discriminants), float64
        Points times it are their coordinates. There is one discriminant fewer than labels, or
        as many as components where these are fewer.
    ratios : ndarray of shape (n_discriminants,), float64
        Variance between the labels in units of that within a label (to which `SHRINKAGE` adds a
        little), falling.
    """

    axes: np.ndarray
    ratios: np.ndarray

    def project(self, views: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the coordinates of faces along the discriminants.

        Parameters
        ----------
        views : sequence of ndarray of shape (n_faces, n_components)
            Coordinates in the space of the eigenfaces, one array per view.

        Returns
        -------
        list of ndarray of shape (n_faces, n_discriminants)
            In the precision of the views.
        """
        return [view @ self.axes.astype(view.dtype) for view in views]

    def fold(self, member: Member, pca: PCA) -> Member:
        """Return a member that projects faces along the discriminants in one step.

        Parameters
        ----------
        member : Member
            Its machine was fitted to what `project` returns.
        pca : PCA
            The eigenfaces on which the discriminants were fitted.

        Returns
        -------
        Member
            Its components are the Fisherfaces, rows of unit length.
        """
        deviation = np.sqrt(pca.explained_variance_) if pca.whiten else np.ones(pca.n_components_)
        rows = (self.axes.T / deviation) @ pca.components_
        lengths = np.linalg.norm(rows, axis=1)
        return replace(
            member,
            components=(rows / lengths[:, None]).astype(np.float32),
            deviation=(1 / lengths).astype(np.float32),
            variance=self.ratios.astype(np.float32),
            total_variance=max(float(self.ratios.sum()), 1e-12),
            space="fisherfaces",
        )


def fit_discriminants(
    views: Sequence[np.ndarray], y: np.ndarray, sample_weight: np.ndarray | None = None
) -> Discriminants:
    """Fit linear discriminants to faces in the space of their eigenfaces.

    They are the directions with the largest ratio of the variance between labels to that within a
    label (Fisher 1936; of faces: Belhumeur, Hespanha and Kriegman 1997). Every label counts the
    same between labels, every face within them. Where there are hardly more faces than components,
    some directions vary too little within labels by chance, and would outweigh all others; so the
    covariance matrix within labels is drawn a little towards that of all faces (Friedman 1989).

    Coordinates are scaled as a whole so that their mean square is that of whitened eigenfaces.
    The same widths of an RBF kernel then suit both spaces, whatever the number of labels.

    Parameters
    ----------
    views : sequence of ndarray of shape (n_faces, n_components)
        Coordinates of the training faces, one array per view; views count as further faces.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, above 0; 1 if None.

    Returns
    -------
    Discriminants
        The sign of each axis makes its largest entry positive.

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(60, 4)) * [9, 1, 1, 1]
    >>> y = np.repeat(["round", "square", "wide"], 20)
    >>> Z[y == "wide", 1] += 8  # the second direction varies less, but tells the labels apart
    >>> found = fit_discriminants([Z], y)
    >>> found.axes.shape, int(np.abs(found.axes[:, 0]).argmax())
    ((4, 2), 1)
    """
    Z = np.concatenate(views).astype(np.float64)
    codes = np.tile(np.unique(y, return_inverse=True)[1], len(views))
    weights = np.ones(len(Z)) if sample_weight is None else np.tile(sample_weight, len(views))
    totals = np.bincount(codes, weights=weights)
    means = np.array([np.bincount(codes, weights=weights * column) for column in Z.T]).T
    means /= totals[:, None]
    apart = means - means.mean(axis=0)
    between = apart.T @ apart / len(means)
    rest = Z - means[codes]
    within, total = ((part.T * weights) @ part / weights.sum() for part in (rest, Z))
    within = (1 - SHRINKAGE) * within + SHRINKAGE * total
    # Faces that are all equal to the mean of their label would leave nothing to divide by.
    within[np.diag_indices_from(within)] += LEAST * max(between.max(), within.max(), 1e-12)
    size = Z.shape[1]
    count = min(len(means) - 1, size)
    values, axes = eigh(between, within, subset_by_index=[size - count, size - 1])
    values, axes = np.maximum(values[::-1], 0), axes[:, ::-1]
    peaks = np.abs(axes).argmax(axis=0)[None]
    axes = axes * np.sign(np.take_along_axis(axes, peaks, axis=0))
    spread = float(np.average(((Z @ axes) ** 2).sum(axis=1), weights=weights))
    return Discriminants(axes * np.sqrt(size / max(spread, 1e-12)), values)
