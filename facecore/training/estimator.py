"""The scikit-learn side: fit min-max, PCA and SVM, and hand over a `FaceModel`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from facecore.model.classifier import FaceModel, Member
from facecore.training.eigenfaces import as_float, fit_pca, fit_space, measure_spread
from facecore.training.kernels import fit_svm, machines_of, mirror_kernel


class FaceSpaceClassifier(ClassifierMixin, BaseEstimator):
    """Per-pixel min-max, PCA (eigenfaces) and an SVM with an RBF kernel.

    Two labels are told apart by one SVM, more by one SVM a label against the rest.

    Parameters
    ----------
    n_components : int, default=150
        Eigenfaces kept; fewer where the data have fewer.
    whiten : bool, default=True
        Divide each coordinate by its standard deviation.
    C : float, default=5.0
        Penalty of the SVM.
    gamma : float or "scale", default="scale"
        Width of the RBF kernel, as scikit-learn's `SVC` takes it.
    class_weight : "balanced" or None, default="balanced"
    random_state : int, default=0
        Seed of the randomized PCA (Halko, Martinsson and Tropp 2011).

    Attributes
    ----------
    pipeline_ : Pipeline
        The fitted MinMaxScaler, PCA and SVC.
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    """

    def __init__(
        self,
        n_components: int = 150,
        *,
        whiten: bool = True,
        C: float = 5.0,
        gamma: float | str = "scale",
        class_weight: str | None = "balanced",
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Fit the three steps.

        Parameters
        ----------
        X : ndarray of shape (n_faces, n_features)
            Grey levels, one face a row.
        y : ndarray of shape (n_faces,)

        Returns
        -------
        FaceSpaceClassifier
        """
        X, y = validate_data(self, X, y, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"the classifier needs 2 classes or more; there is one class: {self.classes_[0]!r}"
            )
        scaler = MinMaxScaler()
        scaled = scaler.fit_transform(as_float(X))
        pca = fit_pca(scaled, self.n_components, self.whiten, self.random_state)
        svm = fit_svm(
            pca.transform(scaled),
            y,
            SVC(C=self.C, gamma=self.gamma, cache_size=1000),
            self.class_weight,
        )
        self.pipeline_ = Pipeline([("minmax", scaler), ("pca", pca), ("svm", svm)])
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the fitted pipeline's decision values.

        Parameters
        ----------
        X : ndarray of shape (n_faces, n_features)

        Returns
        -------
        ndarray of shape (n_faces,) for two labels, else (n_faces, n_labels)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return np.asarray(self.pipeline_.decision_function(as_float(X)))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each face.

        Parameters
        ----------
        X : ndarray of shape (n_faces, n_features)

        Returns
        -------
        ndarray of shape (n_faces,)
        """
        values = self.decision_function(X)
        index = (values > 0).astype(int) if values.ndim == 1 else values.argmax(axis=1)
        return np.asarray(self.classes_[index])

    def to_model(
        self, recipe: Mapping[str, Any], X: np.ndarray | None = None, y: np.ndarray | None = None
    ) -> FaceModel:
        """Return the fitted machine as a `FaceModel` with an identity calibration.

        Parameters
        ----------
        recipe : mapping
            Stored with the model.
        X, y : ndarray, optional
            Training faces and labels; given, the model also learns how the coordinates of each
            label spread, which made faces are drawn from.

        Returns
        -------
        FaceModel
        """
        check_is_fitted(self)
        scaler, pca, svm = (step for _, step in self.pipeline_.steps)
        machines = machines_of(svm)
        vectors = np.concatenate([m.support_vectors_ for m in machines])
        member = _build_member(scaler, pca, vectors, _stack_coefficients(machines), machines)
        member = replace(member, gamma=float(machines[0]._gamma))
        model = FaceModel(
            labels=tuple(str(label) for label in self.classes_),
            members=(member,),
            slope=np.ones(len(machines)),
            recipe=dict(recipe),
        )
        if X is None or y is None:
            return model
        spread = measure_spread(member.coordinates(X), np.asarray(y), self.classes_)
        return FaceModel(model.labels, model.members, model.slope, model.recipe, spread)


def fit_member(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    params: Mapping[str, Any],
    seed: int = 0,
) -> Member:
    """Fit min-max, eigenfaces and SVM to features, and return them as a member of a model.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features)
    mirrored : ndarray of shape (n_faces, n_features), or None
        Features of the mirror images, as further training data.
    y : ndarray of shape (n_faces,)
    params : mapping
        n_components, whiten, C, gamma, class_weight.
    seed : int

    Returns
    -------
    Member
        Whose features and name are the defaults.
    """
    scaler, pca = fit_space(X, mirrored, params["n_components"], params["whiten"], seed)
    views = [
        np.asarray(pca.transform(scaler.transform(as_float(view))))
        for view in ([X] if mirrored is None else [X, mirrored])
    ]
    K = mirror_kernel(views, views, params["gamma"])
    svc = SVC(C=params["C"], kernel="precomputed", cache_size=500)
    machines = machines_of(fit_svm(K, y, svc, params["class_weight"]))
    support = np.unique(np.concatenate([m.support_ for m in machines]))
    coefficients = np.zeros((len(support), len(machines)))
    for column, machine in enumerate(machines):
        coefficients[np.searchsorted(support, machine.support_), column] = machine.dual_coef_[0]
    vectors = np.concatenate([view[support] for view in views])
    shares = np.concatenate([coefficients / len(views)] * len(views))
    member = _build_member(scaler, pca, vectors, shares, machines)
    return replace(member, gamma=float(params["gamma"]))


def _build_member(
    scaler: MinMaxScaler,
    pca: PCA,
    vectors: np.ndarray,
    coefficients: np.ndarray,
    machines: Sequence[SVC],
) -> Member:
    spans = scaler.data_max_ - scaler.data_min_
    deviation = np.sqrt(pca.explained_variance_) if pca.whiten else np.ones(pca.n_components_)
    total = float(np.sum(pca.explained_variance_) / np.sum(pca.explained_variance_ratio_))
    return Member(
        minimum=scaler.data_min_.astype(np.float32),
        span=np.where(spans == 0, 1, spans).astype(np.float32),
        mean=pca.mean_.astype(np.float32),
        components=pca.components_.astype(np.float16),
        deviation=deviation.astype(np.float32),
        variance=pca.explained_variance_.astype(np.float32),
        total_variance=total,
        kernel_vectors=vectors.astype(np.float32),
        coefficients=coefficients,
        intercept=np.array([m.intercept_[0] for m in machines], dtype=np.float64),
        gamma=1.0,
    )


def _stack_coefficients(machines: list[SVC]) -> np.ndarray:
    """Return one column of coefficients for each machine over all their vectors, stacked."""
    sizes = [len(m.support_vectors_) for m in machines]
    table = np.zeros((sum(sizes), len(machines)))
    start = 0
    for column, (machine, size) in enumerate(zip(machines, sizes, strict=True)):
        table[start : start + size, column] = machine.dual_coef_[0]
        start += size
    return table
