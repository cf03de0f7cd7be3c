"""Fit one member of a model, and the scikit-learn classifier around it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, ParamSpec, Self, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.utils import Tags, check_array, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from facecore.face.recipes import SPACES, Recipe
from facecore.model.classifier import FaceModel, Member
from facecore.training.calibrate import calibrate_member, platt, temper
from facecore.training.centres import put_on_centres
from facecore.training.eigenfaces import fit_space, measure_spread, project_views
from facecore.training.fisherfaces import fit_discriminants
from facecore.training.grids import Candidate
from facecore.training.kernels import (
    choose_labels,
    fit_svm,
    machines_of,
    mirror_kernel,
    scale_gamma,
)
from facecore.training.options import TrainingOptions, is_number

TOLERANCE = 1e-3  # of the SVM, as scikit-learn's default
CACHE_MB = 500
FOLDS = 5  # of the calibration
Split = tuple[np.ndarray, np.ndarray]
Given = ParamSpec("Given")
Found = TypeVar("Found")


def fit_member(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    candidate: Candidate,
    seed: int = 0,
    space: str = "eigenfaces",
) -> Member:
    """Fit min-max, eigenfaces and SVM to features, and return them as a member of a model.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features of the training faces, such as grey levels from 0 to 255.
    mirrored : ndarray of shape (n_faces, n_features), or None
        The same features of the mirror images, as further training data.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    candidate : Candidate
        Hyperparameters.
    seed : int, default=0
        Seed of the randomized decomposition.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        What the SVM reads: coordinates along the eigenfaces, or along the Fisherfaces that are
        fitted to them.

    Returns
    -------
    Member
        Uncalibrated, with all pixels as features and the default name.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.integers(0, 100, (40, 25), dtype=np.uint8)
    >>> X[20:, :9] += 60  # squares are brighter there
    >>> y = np.repeat(["round", "square"], 20)
    >>> member = fit_member(X, None, y, Candidate(n_components=5, gamma=0.1, C=1.0))
    >>> decisions = member.decide(member.coordinates(X))  # positive for the second label
    >>> bool(((decisions[:, 0] > 0) == (y == "square")).all())
    True
    """
    views = [X] if mirrored is None else [X, mirrored]
    scaler, pca = fit_space(X, mirrored, candidate.n_components, candidate.whiten, seed)
    Z = project_views(scaler, pca, views)
    if space == "eigenfaces":
        return fit_machine(scaler, pca, Z, y, candidate)
    found = fit_discriminants(Z, y)
    return found.fold(fit_machine(scaler, pca, found.project(Z), y, candidate), pca)


def fit_machine(
    scaler: MinMaxScaler,
    pca: PCA,
    views: Sequence[np.ndarray],
    y: np.ndarray,
    candidate: Candidate,
    sample_weight: np.ndarray | None = None,
    tol: float = TOLERANCE,
) -> Member:
    """Fit an SVM to points of a face space, and return both as a member of a model.

    Parameters
    ----------
    scaler : MinMaxScaler
        As `facecore.training.eigenfaces.fit_space` returns it.
    pca : PCA
        As `facecore.training.eigenfaces.fit_space` returns it.
    views : sequence of ndarray of shape (n_faces, n_components)
        Coordinates of the training faces, one array per view.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    candidate : Candidate
        Its gamma, C and class_weight are used.
    sample_weight : ndarray of shape (n_faces,), optional
        Weight of each face, above 0; 1 if None.
    tol : float, default=1e-3
        At which violation of the optimality conditions the SVM stops, above 0.

    Returns
    -------
    Member
        Uncalibrated, with all pixels as features and the default name.
    """
    K = mirror_kernel(views, views, candidate.gamma)
    svc = SVC(C=candidate.C, kernel="precomputed", tol=tol, cache_size=CACHE_MB)
    machines = machines_of(fit_svm(K, y, svc, candidate.class_weight, sample_weight))
    # Several machines share their support vectors, so each of these is stored once.
    support = np.unique(np.concatenate([m.support_ for m in machines]))
    coefficients = np.zeros((len(support), len(machines)))
    for column, machine in enumerate(machines):
        coefficients[np.searchsorted(support, machine.support_), column] = machine.dual_coef_[0]
    # The kernel is a mean over views, so each view of a support vector has a share of its
    # coefficient.
    vectors = np.concatenate([view[support] for view in views])
    shares = np.concatenate([coefficients / len(views)] * len(views))
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
        coefficients=shares,
        intercept=np.array([m.intercept_[0] for m in machines], dtype=np.float64),
        gamma=float(candidate.gamma),
    )


def fit_planned(
    X: np.ndarray,
    mirrored: np.ndarray | None,
    y: np.ndarray,
    subjects: np.ndarray,
    candidate: Candidate,
    options: TrainingOptions,
    space: str = "eigenfaces",
) -> Member:
    """Fit a member as the options want it: on support vectors, or on cluster centres.

    Parameters
    ----------
    X : ndarray of shape (n_faces, n_features), uint8 or float
        Features of the training faces.
    mirrored : ndarray of shape (n_faces, n_features), or None
        The same features of the mirror images, as further training data.
    y : ndarray of shape (n_faces,)
        Labels, two or more.
    subjects : ndarray of shape (n_faces,)
        Who is in each photo; used with centres only.
    candidate : Candidate
        Hyperparameters.
    options : TrainingOptions
        Its seed and centres are used: with centres, the kernel vectors are about so many means of
        clusters of faces, as `facecore.training.centres.cluster_faces` makes them.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        As `fit_member` takes it.

    Returns
    -------
    Member
        Uncalibrated, with all pixels as features and the default name.

    Raises
    ------
    DataError
        There are too few faces or subjects for a cluster.

    Examples
    --------
    >>> X = np.random.default_rng(0).integers(0, 256, (40, 25), dtype=np.uint8)
    >>> y, subjects = np.repeat(["round", "square"], 20), np.arange(40)
    >>> best = Candidate(n_components=5, gamma=0.1, C=1.0)
    >>> member = fit_planned(X, None, y, subjects, best, TrainingOptions(centres=10))
    >>> member.kernel_vectors.shape
    (8, 5)
    """
    fit = fit_member(X, mirrored, y, candidate, options.seed, space)
    if not options.centres:
        return fit
    views = [fit.coordinates(view) for view in ([X] if mirrored is None else [X, mirrored])]
    return put_on_centres(fit, views, subjects, options.centres, options.seed)


def _is_calibrated(classifier: "FaceSpaceClassifier") -> bool:
    if not classifier.calibrate:
        raise AttributeError("probabilities need a classifier that was made with calibrate=True")
    return True


def _if_calibrated(method: Callable[Given, Found]) -> Callable[Given, Found]:
    """Hide a method of a classifier without probabilities: `available_if`, with types."""
    return cast(Callable[Given, Found], available_if(_is_calibrated)(method))


class FaceSpaceClassifier(
    ClassNamePrefixFeaturesOutMixin, ClassifierMixin, TransformerMixin, BaseEstimator
):
    """Per-pixel min-max, PCA (eigenfaces) and a support vector machine with an RBF kernel.

    It is the machine that `facecore.train` fits, as a scikit-learn classifier and transformer:
    eigenfaces (Turk and Pentland 1991) and an SVM (Cortes and Vapnik 1995). Two labels are told
    apart by one SVM, more by one one-vs-rest SVM per label. Probabilities are calibrated by
    cross-validation on the training data, of two labels by a sigmoid (Platt 1999), of more by a
    softmax with one temperature (Guo et al. 2017): the whole machine, eigenfaces included, is
    fitted once per fold and once to all faces.

    Parameters
    ----------
    n_components : int, float or None, default=150
        Number of eigenfaces, 1 or more; fewer are kept where the faces have fewer. A share in
        (0, 1) keeps as many as explain more than this share of the variance. None keeps all:
        min(n_faces - 1, n_pixels).
    whiten : bool, default=True
        Scale coordinates to unit variance.
    C : float, default=5.0
        Penalty of the SVM, above 0.
    gamma : float or "scale", default="scale"
        Width of the RBF kernel, above 0; ``"scale"`` is 1 / (n_components * variance of the
        coordinates), as in scikit-learn's `SVC`.
    class_weight : {"balanced"}, mapping of label to float, or None, default="balanced"
        ``"balanced"`` gives every label the same total weight, however many faces it has; None
        counts every face the same. Machine and probabilities follow it.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        What the SVM reads: coordinates along the eigenfaces, or along the Fisherfaces (Belhumeur,
        Hespanha and Kriegman 1997) that are fitted to them. There is one Fisherface fewer than
        labels. Components are then Fisherfaces, and faces cannot be reconstructed.
    mirror : bool, default=False
        Train on mirror images too, and decide by the mean over a face and its mirror image. It
        needs faces of shape (n, height, width), or rows that are square pictures.
    calibrate : bool, default=True
        Calibrate the decisions. Without it fitting takes a fraction of the time and there is no
        `predict_proba`.
    cv : int, splitter, iterable of (train, test), or None, default=5
        Folds of the calibration, as scikit-learn takes them. An int (None: 5) is the number of
        stratified folds of consecutive faces, fewer where a label has fewer faces. To keep the
        photos of one subject in one fold pass ``split_folds(y, subjects, folds, seed)`` of
        `facecore.data.splits`.
    tol : float, default=1e-3
        At which violation of the optimality conditions the SVM stops, above 0.
    random_state : int, RandomState or None, default=0
        Seed of the randomized decomposition, which fits a few eigenfaces of many.

    Attributes
    ----------
    member_ : facecore.model.Member
        Fitted min-max, eigenfaces and kernel machine, in NumPy arrays. All answers come from it.
    classes_ : ndarray of shape (n_labels,)
        Labels, sorted.
    n_components_ : int
        Number of eigenfaces, or of Fisherfaces.
    components_ : ndarray of shape (n_components, n_pixels), float32
        Eigenfaces as rows, orthonormal, by falling variance; or Fisherfaces, of unit length.
    eigenfaces_ : ndarray of shape (n_components, height, width), float32
        The components as pictures.
    mean_face_ : ndarray of shape (height, width), float32
        Mean of the training faces, in units of the pixels.
    explained_variance_ratio_ : ndarray of shape (n_components,), float32
        Share of the variance along each eigenface, in [0, 1]; for Fisherfaces, share of the
        variance between labels.
    face_shape_ : tuple of (int, int)
        Height and width in pixels. Rows that are no square pictures have height 1.
    n_features_in_ : int
        Number of pixels.
    feature_names_in_ : ndarray of shape (n_pixels,), str
        Names of the columns, where the faces were a DataFrame.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.integers(0, 100, (60, 6, 5), dtype=np.uint8)  # grey levels of 60 small faces
    >>> X[30:, :3, :3] += 60  # squares are brighter there
    >>> y = np.repeat(["round", "square"], 30)
    >>> classifier = FaceSpaceClassifier(n_components=10).fit(X[::2], y[::2])
    >>> classifier.score(X[1::2], y[1::2]) > 0.9
    True
    >>> classifier.predict_proba(X[1::2]).shape
    (30, 2)
    >>> classifier.eigenfaces_.shape, classifier.transform(X).shape
    ((10, 6, 5), (60, 10))
    """

    member_: Member
    classes_: np.ndarray
    face_shape_: tuple[int, int]

    # scikit-learn wants every hyperparameter to be an argument, so there are more than seven.
    def __init__(
        self,
        n_components: int | float | None = 150,
        *,
        whiten: bool = True,
        C: float = 5.0,
        gamma: float | str = "scale",
        class_weight: str | Mapping[Any, float] | None = "balanced",
        space: str = "eigenfaces",
        mirror: bool = False,
        calibrate: bool = True,
        cv: Any = FOLDS,
        tol: float = TOLERANCE,
        random_state: Any = 0,
    ) -> None:
        self.n_components = n_components
        self.whiten = whiten
        self.C = C
        self.gamma = gamma
        self.class_weight = class_weight
        self.space = space
        self.mirror = mirror
        self.calibrate = calibrate
        self.cv = cv
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit min-max, eigenfaces, SVM and calibration.

        Parameters
        ----------
        X : array-like of shape (n_faces, height, width) or (n_faces, n_pixels)
            Grey levels or other numbers, uint8 or float of any range. uint8 and float32 are fitted
            in single precision, all others in double precision.
        y : array-like of shape (n_faces,)
            Labels: two or more, each of two faces or more.
        sample_weight : array-like of shape (n_faces,), optional
            Weight of each face, 0 or more; 1 if None. A face of weight 2 counts as two equal faces,
            a face of weight 0 is left out.

        Returns
        -------
        FaceSpaceClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            A hyperparameter, the faces, the labels or the weights cannot be used.

        Examples
        --------
        >>> X, y = np.random.default_rng(0).random((20, 6, 4)), ["round", "square"] * 10
        >>> FaceSpaceClassifier(3).fit(X, y).classes_
        array(['round', 'square'], dtype='<U6')
        """
        self._check_hyperparameters()
        faces, shape = _flatten(X)
        rows, labels = validate_data(self, faces, y, ensure_min_samples=2)
        check_classification_targets(labels)
        weights = _check_weights(sample_weight, len(rows))
        kept = np.arange(len(rows)) if weights is None else np.flatnonzero(weights)
        self.classes_ = np.unique(labels[kept])
        if len(self.classes_) < 2:
            raise ValueError(
                f"the classifier needs 2 classes or more; there is one class: {self.classes_[0]!r}"
            )
        if (rows[kept] == rows[kept[0]]).all():
            raise ValueError("all faces are equal, so there is no direction in which they differ")
        self._pictures = shape is not None
        self.face_shape_ = shape or _guess_shape(rows.shape[1])
        if self.mirror and not self._pictures and self.face_shape_[0] == 1:
            raise ValueError(
                f"mirror=True needs pictures: {rows.shape[1]} pixels are not a square; pass faces "
                "of shape (n, height, width)"
            )
        seed = self._draw_seed()
        member = self._fit_rows(rows, labels, weights, kept, seed)
        if self.calibrate:
            splits = self._split(rows, labels, kept)
            member = self._calibrate(member, rows, labels, weights, splits, seed)
        self.member_ = member
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute the decision values of faces.

        Parameters
        ----------
        X : array-like of shape (n_faces, height, width) or (n_faces, n_pixels)
            Faces in the units of the training faces.

        Returns
        -------
        ndarray of shape (n_faces,) for two labels, else (n_faces, n_labels), float64
            Log odds of the second label, or of more labels the exponents of their softmax; without
            calibration the values of the SVM.

        Examples
        --------
        >>> X, y = np.random.default_rng(0).random((30, 6, 4)), list("abc") * 10
        >>> FaceSpaceClassifier(3).fit(X, y).decision_function(X).shape
        (30, 3)
        """
        rows = self._read(X)
        values = self._decide(self.member_, rows)
        return values[:, 0] if values.shape[1] == 1 else values

    @_if_calibrated
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Compute the probability of each label.

        Parameters
        ----------
        X : array-like of shape (n_faces, height, width) or (n_faces, n_pixels)
            Faces in the units of the training faces.

        Returns
        -------
        ndarray of shape (n_faces, n_labels), float64
            In [0, 1], in the order of `classes_`; each row sums to 1.

        Examples
        --------
        >>> X, y = np.random.default_rng(0).random((30, 6, 4)), list("abc") * 10
        >>> FaceSpaceClassifier(3).fit(X, y).predict_proba(X).sum(axis=1)[:3].round(6)
        array([1., 1., 1.])
        """
        decisions = self.decision_function(X)
        return self._as_model().probability_of(decisions)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the likeliest label of each face.

        Parameters
        ----------
        X : array-like of shape (n_faces, height, width) or (n_faces, n_pixels)
            Faces in the units of the training faces.

        Returns
        -------
        ndarray of shape (n_faces,)
            Of the type of `classes_`.

        Examples
        --------
        >>> X, y = np.random.default_rng(0).random((20, 6, 4)), np.arange(20) % 2
        >>> X[y == 1] += 1
        >>> FaceSpaceClassifier(3).fit(X, y).predict(X[:4])
        array([0, 1, 0, 1])
        """
        rows = self._read(X)
        return choose_labels(self._decide(self.member_, rows), self.classes_)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Project faces into face space (Turk and Pentland 1991).

        Parameters
        ----------
        X : array-like of shape (n_faces, height, width) or (n_faces, n_pixels)
            Faces in the units of the training faces.

        Returns
        -------
        ndarray of shape (n_faces, n_components), float32
            Coordinates, in standard deviations if whitened.

        Examples
        --------
        >>> X, y = np.random.default_rng(0).random((20, 6, 4)), ["round", "square"] * 10
        >>> FaceSpaceClassifier(3).fit(X, y).transform(X).shape
        (20, 3)
        """
        rows = self._read(X)
        return self.member_.coordinates(rows)

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        """Reconstruct faces from points of face space.

        Parameters
        ----------
        Z : array-like of shape (n_faces, k), k <= n_components
            Leading coordinates, as `transform` returns them; the rest count as 0.

        Returns
        -------
        ndarray of shape (n_faces, height, width) or (n_faces, n_pixels), float32
            In the shape and the units of the training faces; values may leave their range.

        Raises
        ------
        ValueError
            There are more coordinates than eigenfaces, or the components are Fisherfaces.

        Examples
        --------
        >>> X, y = np.random.default_rng(0).random((20, 6, 4)), ["round", "square"] * 10
        >>> classifier = FaceSpaceClassifier(None).fit(X, y)
        >>> bool(np.abs(classifier.inverse_transform(classifier.transform(X)) - X).max() < 0.01)
        True
        """
        check_is_fitted(self)
        if self.member_.space != "eigenfaces":
            raise ValueError("Fisherfaces cannot reconstruct faces; use space='eigenfaces'")
        points = check_array(Z, dtype=(np.float32, np.float64))
        if points.shape[1] > self.n_components_:
            raise ValueError(
                f"{points.shape[1]} coordinates; the classifier has {self.n_components_} eigenfaces"
            )
        faces = self.member_.rebuild(points)
        return faces.reshape(-1, *self.face_shape_) if self._pictures else faces

    def to_model(
        self, recipe: Recipe, X: ArrayLike | None = None, y: ArrayLike | None = None
    ) -> FaceModel:
        """Return the fitted machine as a `FaceModel`, which can be saved and used by the apps.

        Parameters
        ----------
        recipe : Recipe
            How a photo becomes a row of numbers, stored with the model; its ``mirror`` becomes that
            of the classifier.
        X : array-like of shape (n_faces, height, width) or (n_faces, n_pixels), optional
            Training faces, from which the model learns how the coordinates of each label spread, so
            that synthetic faces can be drawn.
        y : array-like of shape (n_faces,), optional
            Their labels.

        Returns
        -------
        FaceModel
            Its probabilities are those of the classifier; its labels are strings.

        Raises
        ------
        ValueError
            The faces are not square, or the components are Fisherfaces.

        Examples
        --------
        >>> from facecore.face import find_recipe
        >>> rng = np.random.default_rng(0)
        >>> X, y = rng.integers(0, 256, (20, 100, 100), dtype=np.uint8), ["round", "square"] * 10
        >>> model = FaceSpaceClassifier(3, mirror=True).fit(X, y).to_model(find_recipe("classic"))
        >>> model.labels
        ('round', 'square')
        """
        check_is_fitted(self)
        height, width = self.face_shape_
        if height != width:
            raise ValueError(f"a model reads square faces; these are {height} x {width} pixels")
        if self.member_.space != "eigenfaces":
            raise ValueError(
                "a model draws faces from eigenfaces, and this classifier has Fisherfaces; "
                "train_arrays(..., recipe='fisher') makes a model with both"
            )
        model = replace(self._as_model(), recipe=replace(recipe, mirror=self.mirror))
        if X is None or y is None:
            return model
        Z = self.member_.coordinates(self._read(X))
        return replace(model, spread=measure_spread(Z, np.asarray(y), self.classes_))

    @property
    def n_components_(self) -> int:
        """Number of eigenfaces, or of Fisherfaces."""
        return len(self.member_.components)

    @property
    def components_(self) -> np.ndarray:
        """Components as rows, ndarray of shape (n_components, n_pixels), float32."""
        return self.member_.basis

    @property
    def eigenfaces_(self) -> np.ndarray:
        """Components as pictures, ndarray of shape (n_components, height, width), float32."""
        return self.components_.reshape(-1, *self.face_shape_)

    @property
    def mean_face_(self) -> np.ndarray:
        """Mean of the training faces, ndarray of shape (height, width), float32."""
        member = self.member_
        return np.asarray(member.mean * member.span + member.minimum).reshape(self.face_shape_)

    @property
    def explained_variance_ratio_(self) -> np.ndarray:
        """Share of the variance along each eigenface, ndarray of shape (n_components,)."""
        return self.member_.variance / np.float32(self.member_.total_variance)

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]  # coordinates always are
        return tags

    def _check_hyperparameters(self) -> None:
        n, weight = self.n_components, self.class_weight
        rules = {
            "n_components": (
                n is None or (is_number(n) and (n >= 1 if isinstance(n, Integral) else 0 < n < 1)),
                "an int, 1 or more, a float in (0, 1), or None",
            ),
            "C": (_is_positive(self.C), "a number above 0"),
            "gamma": (
                _is_positive(self.gamma) or self._scales_gamma,
                "a number above 0, or 'scale'",
            ),
            "class_weight": (
                weight is None or isinstance(weight, Mapping) or str(weight) == "balanced",
                "'balanced', a mapping of labels to numbers, or None",
            ),
            "space": (isinstance(self.space, str) and self.space in SPACES, " or ".join(SPACES)),
            "tol": (_is_positive(self.tol), "a number above 0"),
        } | {
            name: (isinstance(getattr(self, name), (bool, np.bool_)), "True or False")
            for name in ("whiten", "mirror", "calibrate")
        }
        for name, (good, expected) in rules.items():
            if not good:
                raise ValueError(f"{name} must be {expected}; it is {getattr(self, name)!r}")

    @property
    def _scales_gamma(self) -> bool:
        return isinstance(self.gamma, str) and self.gamma == "scale"

    def _draw_seed(self) -> int:
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _read(self, X: ArrayLike) -> np.ndarray:
        """Return faces to be answered as rows of pixels."""
        check_is_fitted(self)
        rows, shape = _flatten(X)
        if shape is not None and shape != self.face_shape_:
            raise ValueError(
                f"faces of {shape[0]} x {shape[1]} pixels; the classifier was fitted to "
                f"{self.face_shape_[0]} x {self.face_shape_[1]}"
            )
        return np.asarray(validate_data(self, rows, reset=False))

    def _views(self, rows: np.ndarray) -> list[np.ndarray]:
        """Return the pixels of faces, and of their mirror images if these count."""
        if not self.mirror:
            return [rows]
        mirrored = rows.reshape(-1, *self.face_shape_)[:, :, ::-1]
        return [rows, mirrored.reshape(rows.shape)]

    def _decide(self, member: Member, rows: np.ndarray) -> np.ndarray:
        """Return the mean decision over the views, ndarray of shape (n_faces, n_outputs)."""
        # A member multiplies faces two by two, and BLAS rounds one face alone in another way. With
        # a second face beside an odd one, no answer depends on the number of faces in the call.
        count = len(rows)
        if count % 2:
            rows = np.concatenate([rows, rows[-1:]])
        values = [member.decide(member.coordinates(view)) for view in self._views(rows)]
        return np.asarray(np.mean(values, axis=0))[:count]

    def _fit_rows(
        self,
        X: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None,
        rows: np.ndarray,
        seed: int,
    ) -> Member:
        """Fit an uncalibrated member to some of the faces."""
        sample_weight = None if weights is None else weights[rows]
        views = self._views(X[rows])
        mirrored = views[1] if self.mirror else None
        scaler, pca = fit_space(
            views[0], mirrored, self.n_components, self.whiten, seed, sample_weight
        )
        Z = project_views(scaler, pca, views)
        found = None
        if self.space == "fisherfaces":
            found = fit_discriminants(Z, y[rows], sample_weight)
            Z = found.project(Z)
        gamma = scale_gamma(Z, sample_weight) if self._scales_gamma else float(self.gamma)
        weight = self.class_weight
        candidate = Candidate(
            n_components=int(pca.n_components_),
            whiten=bool(self.whiten),
            gamma=gamma,
            C=float(self.C),
            class_weight=dict(weight) if isinstance(weight, Mapping) else weight,
        )
        member = fit_machine(scaler, pca, Z, y[rows], candidate, sample_weight, self.tol)
        return found.fold(member, pca) if found else member

    def _split(self, X: np.ndarray, y: np.ndarray, kept: np.ndarray) -> list[Split]:
        """Return the folds of the calibration; an int splits the faces of weight above 0 only."""
        cv = FOLDS if self.cv is None else self.cv
        if not isinstance(cv, Integral):
            return list(check_cv(cv, y, classifier=True).split(X, y))
        counts = np.unique(y[kept], return_counts=True)[1]
        if counts.min() < 2:
            raise ValueError(
                f"class {self.classes_[counts.argmin()]!r} has 1 face, and calibration by "
                "cross-validation needs 2; calibrate=False fits without probabilities"
            )
        folds = StratifiedKFold(min(int(cv), int(counts.min()))).split(kept, y[kept])
        return [(kept[train], kept[test]) for train, test in folds]

    def _calibrate(
        self,
        member: Member,
        X: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None,
        splits: Sequence[Split],
        seed: int,
    ) -> Member:
        """Return the member calibrated on the decisions of machines that were fitted per fold."""
        decisions = np.zeros((len(y), len(member.intercept)))
        tested = np.zeros(len(y), dtype=bool)
        for train, test in splits:
            rows = np.arange(len(y))[train]  # from a mask, too
            rows = rows if weights is None else rows[weights[rows] > 0]
            if len(np.unique(y[rows])) < len(self.classes_):
                raise ValueError("a fold of the calibration has no training face of some class")
            fold = self._fit_rows(X, y, weights, rows, seed)
            decisions[test] = self._decide(fold, X[test])
            tested[test] = True
        counts = None if weights is None else weights[tested]
        how = y[tested], self.classes_, counts, self.class_weight
        if len(self.classes_) == 2:
            return calibrate_member(member, *platt(decisions[tested], *how))
        return calibrate_member(member, float(temper([decisions[tested]], *how)[0]), 0.0)

    def _as_model(self) -> FaceModel:
        labels = tuple(str(label) for label in self.classes_)
        slope = np.ones(len(self.member_.intercept))
        link = "sigmoid" if len(slope) == 1 else "softmax"
        return FaceModel(labels, (self.member_,), slope, link=link)


def _flatten(X: Any) -> tuple[Any, tuple[int, int] | None]:
    """Return faces as rows, and their height and width if they were pictures."""
    if isinstance(X, (list, tuple)):
        X = np.asarray(X)
    if getattr(X, "ndim", None) != 3:
        return X, None
    n, height, width = np.shape(X)
    return np.reshape(X, (n, height * width)), (height, width)


def _guess_shape(pixels: int) -> tuple[int, int]:
    side = round(pixels**0.5)
    return (side, side) if side**2 == pixels else (1, pixels)


def _check_weights(sample_weight: Any, count: int) -> np.ndarray | None:
    """Return weights that differ from 1."""
    if sample_weight is None:
        return None
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != (count,):
        raise ValueError(f"sample_weight has shape {weights.shape}; there are {count} faces")
    if (weights < 0).any():
        raise ValueError("sample_weight must not be negative")
    if not weights.any():
        raise ValueError("sample_weight must have a value that is not zero")
    return None if (weights == 1).all() else np.asarray(weights)


def _is_positive(value: Any) -> bool:
    return is_number(value) and bool(0 < value < float("inf"))
