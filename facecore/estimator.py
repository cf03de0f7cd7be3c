"""The scikit-learn side: fit min-max, PCA and SVM, and hand over a `FaceModel`."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from facecore.model import FaceModel, Member

SPREAD_COMPONENTS = 100


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
        machines = svm.estimators_ if isinstance(svm, OneVsRestClassifier) else [svm]
        spans = scaler.data_max_ - scaler.data_min_
        deviation = np.sqrt(pca.explained_variance_) if pca.whiten else np.ones(pca.n_components_)
        total = float(np.sum(pca.explained_variance_) / np.sum(pca.explained_variance_ratio_))
        member = Member(
            minimum=scaler.data_min_.astype(np.float32),
            span=np.where(spans == 0, 1, spans).astype(np.float32),
            mean=pca.mean_.astype(np.float32),
            components=pca.components_.astype(np.float16),
            deviation=deviation.astype(np.float32),
            variance=pca.explained_variance_.astype(np.float32),
            total_variance=total,
            kernel_vectors=np.concatenate([m.support_vectors_ for m in machines]).astype("f4"),
            coefficients=_stack_coefficients(machines),
            intercept=np.array([m.intercept_[0] for m in machines], dtype=np.float64),
            gamma=float(machines[0]._gamma),
        )
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


def as_float(X: np.ndarray) -> np.ndarray:
    """Return grey levels in the precision that the three steps compute in.

    Parameters
    ----------
    X : ndarray
        uint8, or any number.

    Returns
    -------
    ndarray, float32 for uint8 and float32 input, else float64
    """
    return X.astype(np.float32 if X.dtype in (np.uint8, np.float32) else np.float64)


def fit_pca(scaled: np.ndarray, n_components: int, whiten: bool, seed: int) -> PCA:
    """Fit eigenfaces, rounded to what the model file stores.

    Rounding before the SVM sees the coordinates makes the stored model the fitted one.

    Parameters
    ----------
    scaled : ndarray of shape (n_faces, n_features)
        After min-max.
    n_components : int
        At most; fewer where the data have fewer.
    whiten : bool
    seed : int

    Returns
    -------
    PCA
    """
    most = max(1, min(n_components, scaled.shape[0] - 1, scaled.shape[1]))
    solver = "randomized" if most < 0.5 * min(scaled.shape) else "full"
    pca = PCA(most, whiten=whiten, svd_solver=solver, random_state=seed).fit(scaled)
    pca.components_ = pca.components_.astype(np.float16).astype(scaled.dtype)
    if whiten:  # a constant direction would be divided by zero
        smallest = np.finfo(scaled.dtype).eps * max(pca.explained_variance_[0], 1e-12)
        pca.explained_variance_ = np.maximum(pca.explained_variance_, smallest)
    return pca


def fit_svm(
    Z: np.ndarray, y: np.ndarray, svc: SVC, class_weight: str | Mapping[Any, float] | None
) -> SVC | OneVsRestClassifier:
    """Fit one SVM for two labels, one a label against the rest for more.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components), or (n_faces, n_faces) for a precomputed kernel
    y : ndarray of shape (n_faces,)
    svc : SVC
        Unfitted.
    class_weight : "balanced", mapping or None

    Returns
    -------
    SVC or OneVsRestClassifier
    """
    if len(np.unique(y)) == 2:
        return svc.set_params(class_weight=class_weight).fit(Z, y)
    # In one label against the rest a weight by label must travel with each face.
    weights = compute_sample_weight(class_weight, y)
    with sklearn.config_context(enable_metadata_routing=True):
        machine = OneVsRestClassifier(svc.set_fit_request(sample_weight=True))
        return machine.fit(Z, y, sample_weight=weights)


def measure_spread(
    Z: np.ndarray, y: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measure how the leading coordinates of each label spread.

    Parameters
    ----------
    Z : ndarray of shape (n_faces, n_components)
    y : ndarray of shape (n_faces,)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    mean : ndarray of shape (n_labels, k), float32
        k is at most `SPREAD_COMPONENTS`.
    factor : ndarray of shape (n_labels, k, k), float32
        ``factor @ factor.T`` is the covariance.
    """
    k = min(SPREAD_COMPONENTS, Z.shape[1])
    means, factors = [], []
    for label in classes:
        rows = Z[y == label][:, :k].astype(np.float64)
        means.append(rows.mean(axis=0))
        covariance = (
            np.atleast_2d(np.cov(rows, rowvar=False)) if len(rows) > 1 else np.zeros((k, k))
        )
        values, vectors = np.linalg.eigh(covariance)
        factors.append(vectors * np.sqrt(np.maximum(values, 0)))
    return np.array(means, dtype=np.float32), np.array(factors, dtype=np.float32)


def _stack_coefficients(machines: list[SVC]) -> np.ndarray:
    """Return one column of coefficients for each machine over all their vectors, stacked."""
    sizes = [len(m.support_vectors_) for m in machines]
    table = np.zeros((sum(sizes), len(machines)))
    start = 0
    for column, (machine, size) in enumerate(zip(machines, sizes, strict=True)):
        table[start : start + size, column] = machine.dual_coef_[0]
        start += size
    return table
