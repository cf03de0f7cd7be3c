"""The trained model: arrays and JSON, NumPy only, no code inside and no scikit-learn needed."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from facecore.errors import ModelError
from facecore.face.features import WHOLE, Features, read_features
from facecore.face.prepare import mirror
from facecore.face.recipes import lacks
from facecore.model.rule import AnswerRule
from facecore.system.files import sha256

FORMAT = 1


MAX_ARRAY_BYTES = 2**30


KERNELS = ("rbf", "linear")


CHUNK = 1024


FEW = 64  # rows


SMALL = 250_000  # products that BLAS does not share among threads


@dataclass(frozen=True)
class Member:
    """One min-max, PCA and kernel machine over one kind of features.

    Parameters
    ----------
    minimum, span : ndarray of shape (n_features,), float32
        Per-feature minimum of the training faces, and maximum minus minimum (1 where constant).
    mean : ndarray of shape (n_features,), float32
        Mean face, after min-max scaling.
    components : ndarray of shape (n_components, n_features), float16 or float32
        Eigenfaces, orthonormal.
    deviation : ndarray of shape (n_components,), float32
        Coordinates are divided by it: standard deviations if whitened, else ones.
    variance : ndarray of shape (n_components,), float32
        Explained variance of each eigenface, in units of the min-max scale.
    total_variance : float
        Variance of the training faces, all components.
    kernel_vectors : ndarray of shape (n_vectors, n_components), float32
        Support vectors or cluster centres in face space.
    coefficients : ndarray of shape (n_vectors, n_outputs), float64
    intercept : ndarray of shape (n_outputs,), float64
    gamma : float
        Width of the RBF kernel ``exp(-gamma * squared distance)``; unused if linear.
    kernel : str
        ``"rbf"`` or ``"linear"``.
    features : Features
        What it reads of a prepared face.
    name : str
        Apart from those of the model's other members.
    """

    minimum: np.ndarray
    span: np.ndarray
    mean: np.ndarray
    components: np.ndarray
    deviation: np.ndarray
    variance: np.ndarray
    total_variance: float
    kernel_vectors: np.ndarray
    coefficients: np.ndarray
    intercept: np.ndarray
    gamma: float
    kernel: str = "rbf"
    features: Features = WHOLE
    name: str = "pixels"

    @cached_property
    def basis(self) -> np.ndarray:
        """Eigenfaces as float32, ndarray of shape (n_components, n_features)."""
        return np.ascontiguousarray(self.components, dtype=np.float32)

    @cached_property
    def _vectors(self) -> np.ndarray:
        # One face waits for memory, not for arithmetic: half the bytes are twice the speed.
        return self.kernel_vectors.astype(np.float32, copy=False)

    @cached_property
    def _squares(self) -> np.ndarray:
        return np.einsum("ij,ij->i", self._vectors, self._vectors, dtype=np.float64)

    def unpack(self) -> None:
        """Compute now what is computed once, so that copies of the member carry it."""
        _ = self.basis, self._vectors, self._squares

    def _products(self, rows: np.ndarray) -> np.ndarray:
        return _times_few(self._vectors, rows.astype(np.float32)).astype(np.float64)

    def scale(self, X: np.ndarray) -> np.ndarray:
        """Min-max scale the features of prepared faces: ``(X - min) / (max - min)``.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side)
            Grey levels.

        Returns
        -------
        ndarray of shape (n_faces, n_features), float32
            In [0, 1] for training faces; other faces may leave it.
        """
        return (self.features.extract(X).astype(np.float32) - self.minimum) / self.span

    def coordinates(self, X: np.ndarray) -> np.ndarray:
        """Project prepared faces into face space (Turk and Pentland 1991).

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side)
            Grey levels.

        Returns
        -------
        ndarray of shape (n_faces, n_components), float32
        """
        return _times_few(self.basis, self.scale(X) - self.mean) / self.deviation

    def rebuild(self, Z: np.ndarray) -> np.ndarray:
        """Return the features of points of face space, the inverse of `coordinates`.

        Parameters
        ----------
        Z : ndarray of shape (n_faces, k), k <= n_components
            Leading coordinates; the rest count as 0.

        Returns
        -------
        ndarray of shape (n_faces, n_features), float32
            In units of the features (grey levels for pixels).
        """
        k = Z.shape[1]
        scaled = (Z * self.deviation[:k]).astype(np.float32) @ self.basis[:k] + self.mean
        return scaled * self.span + self.minimum

    def decide(self, Z: np.ndarray) -> np.ndarray:
        """Return the kernel machine's values at points of face space.

        Parameters
        ----------
        Z : ndarray of shape (n_faces, n_components)

        Returns
        -------
        ndarray of shape (n_faces, n_outputs), float64
        """
        parts = []
        for start in range(0, max(1, len(Z)), CHUNK):
            rows = Z[start : start + CHUNK].astype(np.float64)
            dot = self._products(rows)
            if self.kernel == "rbf":
                squares = (rows**2).sum(1)[:, None] + self._squares
                dot = np.exp(-self.gamma * np.maximum(squares - 2 * dot, 0))
            parts.append(dot @ self.coefficients + self.intercept)
        return np.concatenate(parts)

    def gradient(self, Z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the gradient of a weighted sum of the kernel machine's values.

        Parameters
        ----------
        Z : ndarray of shape (n_faces, n_components)
        weights : ndarray of shape (n_outputs,)
            Of the values that `decide` returns.

        Returns
        -------
        ndarray of shape (n_faces, n_components), float64
        """
        share = self.coefficients @ weights
        if self.kernel == "linear":
            return np.tile(share @ self._vectors, (len(Z), 1))
        rows = Z.astype(np.float64)
        squares = (rows**2).sum(1)[:, None] + self._squares
        pull = share * np.exp(-self.gamma * np.maximum(squares - 2 * self._products(rows), 0))
        return 2 * self.gamma * (pull @ self._vectors - pull.sum(1)[:, None] * rows)


@dataclass(frozen=True)
class FaceModel:
    """A classifier of faces, with the recipe that prepares a photo for it.

    Parameters
    ----------
    labels : tuple of str
        With two labels a positive decision means the second.
    members : tuple of Member
        Their decisions are averaged, by `weights`.
    slope : ndarray of shape (n_outputs,), float64
        Probability = ``1 / (1 + exp(-slope * decision))`` (Platt 1999, offset folded into the
        decision, so that decision 0 is probability 0.5).
    recipe : mapping
        How a photo becomes a row: detector, alignment, frame, side; with ``mirror`` the decision is
        the mean over a face and its mirror image.
    spread : tuple of ndarray or None
        For each label the mean, shape (n_labels, k), and a factor of the covariance, shape
        (n_labels, k, k), of the leading coordinates: what made faces are drawn from.
    rule : AnswerRule
        When an answer may be given.
    weights : ndarray of shape (n_members, n_outputs), float64, or None
        What each member counts, 1 in all for each output; equally where None.
    """

    labels: tuple[str, ...]
    members: tuple[Member, ...]
    slope: np.ndarray
    recipe: Mapping[str, Any] = field(default_factory=dict)
    spread: tuple[np.ndarray, np.ndarray] | None = None
    rule: AnswerRule = field(default_factory=AnswerRule)
    weights: np.ndarray | None = None

    @property
    def shares(self) -> np.ndarray:
        """What each member counts, ndarray of shape (n_members, n_outputs), 1 in all."""
        if self.weights is None:
            return np.full((len(self.members), len(self.slope)), 1 / len(self.members))
        return self.weights

    @property
    def pixels(self) -> Member:
        """The member whose features are pixels, which draws eigenfaces.

        ModelError is raised where there is none.
        """
        if not self.draws:
            raise ModelError("no member of this model reads pixels, so it has no eigenfaces")
        return next(member for member in self.members if member.features.kind == "pixels")

    @property
    def draws(self) -> bool:
        """Whether a member reads pixels, so that what it keeps of a face can be drawn."""
        return any(member.features.kind == "pixels" for member in self.members)

    @property
    def leading(self) -> Member:
        """The member whose space faces are shown and held against: the eigenfaces if it draws."""
        return self.pixels if self.draws else self.members[0]

    @cached_property
    def eigenfaces(self) -> "FaceModel":
        """The model of the pixels alone, which decides on faces that eigenfaces draw.

        It is the model itself where there is nothing else. It takes the pictures that
        `Member.rebuild` draws, and its probabilities are calibrated on their own.
        """
        member = self.pixels
        if len(self.members) == 1 and member.features == WHOLE:
            return self
        alone = replace(member, features=WHOLE)
        recipe = {**self.recipe, "side": round(len(member.mean) ** 0.5)}
        slope = self.slope if len(self.members) == 1 else np.ones_like(self.slope)
        return FaceModel(self.labels, (alone,), slope, recipe, self.spread)

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the calibrated machine's decision values.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side), uint8 grey levels

        Returns
        -------
        ndarray of shape (n_faces,) for two labels, else (n_faces, n_labels), float64
        """
        values = (self.shares[:, None] * self.member_decisions(X)).sum(axis=0)
        return values[:, 0] if values.shape[1] == 1 else values

    def member_decisions(self, X: np.ndarray) -> np.ndarray:
        """Return the decision values of each member, whose weighted mean is the model's.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side), uint8 grey levels

        Returns
        -------
        ndarray of shape (n_members, n_faces, n_outputs), float64
            One output for two labels, else one a label.
        """
        mirrored = bool(self.recipe.get("mirror"))
        rows = np.concatenate([X, mirror(X)]) if mirrored else X
        values = np.array([m.decide(m.coordinates(rows)) for m in self.members])
        return (values[:, : len(X)] + values[:, len(X) :]) / 2 if mirrored else values

    def probability_of(self, decisions: np.ndarray) -> np.ndarray:
        """Turn decision values into probabilities.

        Parameters
        ----------
        decisions : ndarray
            As `decision_function` returns them.

        Returns
        -------
        ndarray of shape (n_faces, n_labels), float64
            In [0, 1], each row sums to 1.
        """
        values = decisions[:, None] if decisions.ndim == 1 else decisions
        p = 1 / (1 + np.exp(np.clip(-self.slope * values, -500, 500)))
        if p.shape[1] == 1:
            return np.hstack([1 - p, p])
        return p / np.maximum(p.sum(axis=1, keepdims=True), 1e-300)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each label.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side), uint8 grey levels

        Returns
        -------
        ndarray of shape (n_faces, n_labels), float64, in [0, 1]
        """
        return self.probability_of(self.decision_function(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label of each face.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side), uint8 grey levels

        Returns
        -------
        ndarray of shape (n_faces,), str
        """
        return np.asarray(self.labels)[self.predict_proba(X).argmax(axis=1)]

    def save(self, folder: Path) -> None:
        """Write ``model.npz`` (arrays) and ``model.json`` into an existing folder.

        Parameters
        ----------
        folder : Path
        """
        arrays: dict[str, np.ndarray] = {"slope": self.slope}
        scalars = []
        for i, member in enumerate(self.members):
            arrays |= {f"{name}_{i}": getattr(member, name) for name in _ARRAYS}
            values = {name: getattr(member, name) for name in _SCALARS}
            scalars.append(values | {"features": member.features.to_dict()})
        if self.weights is not None:
            arrays["weights"] = self.weights
        if self.spread:
            arrays["spread_mean"], arrays["spread_factor"] = self.spread
        with open(folder / "model.npz", "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        document = {
            "format": FORMAT,
            "labels": list(self.labels),
            "recipe": dict(self.recipe),
            "members": scalars,
            "sha256": sha256(folder / "model.npz"),
        }
        if rule := self.rule.to_dict():
            document["rule"] = rule
        (folder / "model.json").write_text(json.dumps(document, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "FaceModel":
        """Read a model, refusing what is damaged, foreign or of a newer format.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        FaceModel

        Raises
        ------
        ModelError
        """
        name = folder.name
        try:
            document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            version = document["format"]
            if version != FORMAT:
                raise ModelError(
                    f"model {name!r} has format {version!r}, this version reads {FORMAT}; "
                    "pip install --upgrade facecore, or train it again"
                )
            if document["sha256"] != sha256(folder / "model.npz"):
                raise ModelError(
                    f"model {name!r} is damaged: model.npz does not match its checksum; "
                    "restore the folder or train it again"
                )
            arrays = _read_arrays(folder / "model.npz")
            known = {f"{key}_{i}" for key in _ARRAYS for i in range(len(document["members"]))}
            if added := sorted(set(arrays) - known - _OPTIONAL):
                raise ValueError(f"{added[0]} is none of its arrays")
            members = tuple(
                _member({key: arrays[f"{key}_{i}"] for key in _ARRAYS}, scalars)
                for i, scalars in enumerate(document["members"])
            )
            labels = tuple(document["labels"])
            if not all(isinstance(label, str) and label for label in labels):
                raise ValueError("its labels are no texts")
            spread = (
                (arrays["spread_mean"], arrays["spread_factor"])
                if "spread_mean" in arrays
                else None
            )
            rule = AnswerRule.from_dict(document.get("rule", {}))
            recipe, weights = dict(document["recipe"]), arrays.get("weights")
            model = cls(labels, members, arrays["slope"], recipe, spread, rule, weights)
            _check(model)
            if why := lacks(recipe):
                raise ModelError(f"model {name!r} cannot be used: {why}")
        except FileNotFoundError as error:
            missing = Path(error.filename).name
            raise ModelError(f"model {name!r} is incomplete: {missing} is missing") from error
        except ModelError:
            raise
        except Exception as error:
            # Foreign bytes make JSON, zip and NumPy raise nearly anything (OverflowError,
            # zlib.error, NotImplementedError, RecursionError, MemoryError, ...).
            raise ModelError(f"model {name!r} is damaged or no face model: {error}") from error
        return model


def _times_few(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return ``rows @ matrix.T``.

    Few rows go two by two through blocks of the matrix that fit in a core's cache: the matrix comes
    out of memory once. The products are too small for BLAS to share them among threads, so the sums
    depend neither on the number of threads nor on the other rows.
    """
    matrix = np.asarray(matrix)  # views of a memory map are slow to make
    if len(rows) > FEW:
        return (matrix @ rows.T).T
    step = max(1, SMALL // (2 * matrix.shape[1]))
    pairs = [(slice(i, i + 2), rows[i : i + 2].T) for i in range(0, len(rows), 2)]
    result = np.empty((len(rows), len(matrix)), dtype=np.result_type(matrix, rows))
    for start in range(0, len(matrix), step):
        block = matrix[start : start + step]
        for pair, columns in pairs:
            result[pair, start : start + step] = (block @ columns).T
    return result


_ARRAYS = (
    "minimum", "span", "mean", "components", "deviation", "variance",
    "kernel_vectors", "coefficients", "intercept",
)  # fmt: skip


_OPTIONAL = {"slope", "weights", "spread_mean", "spread_factor"}


_SCALARS = ("total_variance", "gamma", "kernel", "name")


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_ARRAY_BYTES:
            raise ValueError("its arrays are larger than 1 GB")
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _member(arrays: Mapping[str, Any], scalars: Mapping[str, Any]) -> Member:
    return Member(
        **arrays,
        total_variance=float(scalars["total_variance"]),
        gamma=float(scalars["gamma"]),
        kernel=str(scalars["kernel"]),
        features=read_features(scalars["features"]),
        name=str(scalars.get("name", "pixels")),
    )


def _check(model: FaceModel) -> None:
    k = len(model.labels)
    outputs = 1 if k == 2 else k
    side, frame = int(model.recipe["side"]), float(model.recipe.get("frame", 1))
    if not 1 <= side <= 1000 or not 0 < frame <= 1:
        raise ValueError("the recipe's side or frame makes no sense")
    if k < 2 or len(set(model.labels)) != k or not model.members:
        raise ValueError("it needs two or more different labels and a member")
    if model.slope.shape != (outputs,) or model.slope.dtype.kind != "f":
        raise ValueError("the calibration does not fit the labels")
    if not (np.isfinite(model.slope) & (model.slope > 0)).all():
        raise ValueError("the slope of the calibration is not above 0")
    shares = model.shares
    if shares.shape != (len(model.members), outputs) or shares.dtype.kind != "f":
        raise ValueError("the weights do not fit the members")
    if not ((shares >= 0).all() and np.allclose(shares.sum(axis=0), 1)):
        raise ValueError("the weights of the members are no shares")
    for m in model.members:
        if m.components.ndim != 2 or m.kernel_vectors.ndim != 2:
            raise ValueError("eigenfaces or kernel vectors are not tables")
        n, d = m.components.shape
        v = len(m.kernel_vectors)
        if not (n and d and v):
            raise ValueError("eigenfaces or kernel vectors are empty")
        shapes = {
            "minimum": (d,), "span": (d,), "mean": (d,), "deviation": (n,), "variance": (n,),
            "kernel_vectors": (v, n), "coefficients": (v, outputs), "intercept": (outputs,),
        }  # fmt: skip
        for key, shape in shapes.items():
            if getattr(m, key).shape != shape:
                raise ValueError(f"{key} has shape {getattr(m, key).shape}, not {shape}")
        for key in _ARRAYS:
            array = getattr(m, key)
            if array.dtype.kind != "f" or not np.isfinite(array).all():
                raise ValueError(f"{key} holds something else than finite numbers")
        if not ((m.span > 0).all() and (m.deviation > 0).all()):
            raise ValueError("a span or deviation is not above 0")
        if m.kernel not in KERNELS or not np.isfinite(m.gamma) or m.gamma < 0:
            raise ValueError(f"kernel {m.kernel!r} is unknown")
        if d != m.features.count(side):
            raise ValueError("the eigenfaces do not have the size of the features")
    described = [m.features.kind == "network" for m in model.members]
    if not (all(described) if model.recipe.get("network") else model.draws and not any(described)):
        raise ValueError("its members do not read what its recipe prepares")
    if len({m.name for m in model.members}) != len(model.members):
        raise ValueError("two members have one name")
    if model.spread is not None:
        mean, factor = model.spread
        size = mean.shape[-1]
        if mean.shape != (k, size) or factor.shape != (k, size, size):
            raise ValueError("the spread of the coordinates does not fit the labels")
        if size > len(model.leading.components):
            raise ValueError("the spread has more coordinates than eigenfaces")
        if not all(a.dtype.kind == "f" and np.isfinite(a).all() for a in model.spread):
            raise ValueError("the spread holds something else than finite numbers")
