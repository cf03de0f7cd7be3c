"""The trained model: arrays and JSON, NumPy only, no code inside and no scikit-learn needed."""

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from facecore.errors import DataError, ModelError
from facecore.face.features import WHOLE, Features, read_features
from facecore.face.prepare import mirror
from facecore.face.recipes import SPACES, Recipe, lacks, rows_of
from facecore.model.outside import Outside
from facecore.model.rule import AnswerRule
from facecore.system.files import sha256

FORMATS = {"sigmoid": 1, "softmax": 2}  # of a model file, by the link of its decisions
MAX_ARRAY_BYTES = 2**30
KERNELS = ("rbf", "linear")
CHUNK = 1024  # faces whose kernel values are in memory at once
FEW = 64  # rows that are multiplied two by two
BLOCK = 2**18  # numbers of a matrix that stay in a core's cache
SMALL = 9_000  # numbers of a matrix that BLAS does not share among threads


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
        Eigenfaces, orthonormal; or Fisherfaces, of unit length.
    deviation : ndarray of shape (n_components,), float32
        Coordinates are divided by it: standard deviations if whitened, else ones.
    variance : ndarray of shape (n_components,), float32
        Explained variance of each eigenface, in units of the min-max scale; of each Fisherface the
        variance between labels, in units of that within a label.
    total_variance : float
        Variance of the training faces, all components; of Fisherfaces the sum of `variance`.
    kernel_vectors : ndarray of shape (n_vectors, n_components), float16 or float32
        Support vectors or cluster centres in face space.
    coefficients : ndarray of shape (n_vectors, n_outputs), float64
        Weight of each kernel vector in each output.
    intercept : ndarray of shape (n_outputs,), float64
        What is added to each output.
    gamma : float
        Factor in the RBF kernel ``exp(-gamma * squared distance)``, at least 0; unused if linear.
    kernel : str
        ``"rbf"`` or ``"linear"``.
    features : Features
        What the member reads from a prepared face.
    name : str
        Unique within the model.
    space : str
        What the components are: ``"eigenfaces"`` or ``"fisherfaces"``.
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
    space: str = "eigenfaces"

    @cached_property
    def basis(self) -> np.ndarray:
        """Components as float32, ndarray of shape (n_components, n_features)."""
        return np.ascontiguousarray(self.components, dtype=np.float32)

    @cached_property
    def rows(self) -> np.ndarray:
        """Components in their own dtype, each contiguous in memory."""
        return np.asarray(self.components, order="C")

    @cached_property
    def _vectors(self) -> np.ndarray:
        # One face waits for memory, not for arithmetic: half the bytes are twice the speed.
        half = self.kernel_vectors.dtype == np.float16
        return self.kernel_vectors if half else self.kernel_vectors.astype(np.float32, copy=False)

    @cached_property
    def _squares(self) -> np.ndarray:
        squares = np.einsum("ij,ij->i", self._vectors, self._vectors, dtype=np.float64)
        return np.asarray(squares)

    @cached_property
    def _outputs(self) -> np.ndarray:
        return np.ascontiguousarray(self.coefficients.T)

    def unpack(self) -> None:
        """Fill the member's caches, so that copies of it carry them."""
        _ = self.rows, self._vectors, self._squares, self._outputs

    def _kernel(self, rows: np.ndarray) -> np.ndarray:
        """Return the kernel's values for points and kernel vectors, float32."""
        values = _times(self._vectors, rows.astype(np.float32))
        if self.kernel == "rbf":
            # |a - b|^2 = |a|^2 + |b|^2 - 2 ab: one matrix product in place of all differences;
            # rounding may leave it just below 0
            values *= -2
            values += ((rows.astype(np.float64) ** 2).sum(1)[:, None] + self._squares).astype("f4")
            np.maximum(values, 0, out=values)
            values *= -self.gamma
            np.exp(values, out=values)
        return values

    def scale(self, X: np.ndarray) -> np.ndarray:
        """Min-max scale the features of prepared faces: ``(X - min) / (max - min)``.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side)
            Grey levels, from 0 to 255; or embeddings, of shape (n_faces, 128).

        Returns
        -------
        ndarray of shape (n_faces, n_features), float32
            In [0, 1] for training faces; other faces may leave it.
        """
        features = self.features.extract(X).astype(np.float32)
        return np.asarray((features - self.minimum) / self.span)

    def coordinates(self, X: np.ndarray) -> np.ndarray:
        """Project prepared faces into face space (Turk and Pentland 1991).

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side)
            Grey levels, from 0 to 255; or embeddings, of shape (n_faces, 128).

        Returns
        -------
        ndarray of shape (n_faces, n_components), float32
            In standard deviations where the member is whitened, else in units of the min-max scale.
        """
        return np.asarray(_times(self.rows, self.scale(X) - self.mean) / self.deviation)

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

        Raises
        ------
        ModelError
            The components are Fisherfaces, which are not orthogonal.
        """
        if self.space != "eigenfaces":
            raise ModelError(
                f"the member {self.name!r} has no eigenfaces to reconstruct faces from"
            )
        k = Z.shape[1]
        scaled = (Z * self.deviation[:k]).astype(np.float32) @ _widen(self.rows[:k]) + self.mean
        return np.asarray(scaled * self.span + self.minimum)

    def decide(self, Z: np.ndarray) -> np.ndarray:
        """Return the kernel machine's values at points of face space.

        Parameters
        ----------
        Z : ndarray of shape (n_faces, n_components)
            Coordinates, as `coordinates` returns them.

        Returns
        -------
        ndarray of shape (n_faces, n_outputs), float64
            Decision values of the member, before calibration.
        """
        parts = []
        for start in range(0, max(1, len(Z)), CHUNK):
            values = self._kernel(Z[start : start + CHUNK])
            parts.append(_times(self._outputs, values.astype(np.float64)) + self.intercept)
        return np.concatenate(parts)

    def gradient(self, Z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the gradient of a weighted sum of the kernel machine's values.

        Parameters
        ----------
        Z : ndarray of shape (n_faces, n_components)
            Coordinates, as `coordinates` returns them.
        weights : ndarray of shape (n_outputs,) or (n_faces, n_outputs)
            Weights of the values that `decide` returns, for all faces or for each one.

        Returns
        -------
        ndarray of shape (n_faces, n_components), float64
            Change of the weighted sum per unit of each coordinate.
        """
        share = weights @ self._outputs
        vectors = _widen(self._vectors)
        if self.kernel == "linear":
            return np.array(np.broadcast_to(share @ vectors, Z.shape))
        # the gradient of exp(-gamma |z - v|^2) is itself times 2 gamma (v - z)
        pull = share * self._kernel(Z)
        towards = pull.astype(np.float32) @ vectors  # else all vectors would be widened once more
        return np.asarray(2 * self.gamma * (towards - pull.sum(1)[:, None] * Z))


class FaceSpace(Protocol):
    """Whatever has eigenfaces of pixels: a model, or a few faces."""

    @property
    def pixels(self) -> Member:
        """Mean face and eigenfaces."""
        ...


@dataclass(frozen=True)
class FaceModel:
    """A classifier of faces, with the recipe that prepares a photo for it.

    Parameters
    ----------
    labels : tuple of str
        Two or more different labels; with two, a decision above 0 means the second.
    members : tuple of Member
        The members, at least one, whose decisions are averaged by `weights`.
    slope : ndarray of shape (n_outputs,), float64
        Factor of the decisions in `probability_of`, above 0.
    recipe : Recipe
        How a photo becomes a row of numbers. If its `mirror` is set, decisions are the mean over
        a face and its mirror image.
    spread : tuple of ndarray or None
        For each label the mean, shape (n_labels, k), and a factor of the covariance, shape
        (n_labels, k, k), of the leading coordinates, from which synthetic faces are sampled.
    rule : AnswerRule
        When a face gets a label.
    weights : ndarray of shape (n_members, n_outputs), float64, or None
        Weight of each member, at least 0, summing to 1 for each output; None means equal weights.
    link : {"sigmoid", "softmax"}
        How decisions become probabilities, as `probability_of` says. Two labels have a sigmoid.
    outside : tuple of Outside
        Kinds of pictures that it was shown in order to give them no label.

    Examples
    --------
    >>> from facecore.model import load_model, sample_faces
    >>> model = load_model("classic")
    >>> faces = sample_faces(model, "female", 3, seed=1)
    >>> model.predict(faces).shape, model.predict_proba(faces).shape
    ((3,), (3, 2))
    >>> model.transform(faces).shape
    (3, 150)
    """

    labels: tuple[str, ...]
    members: tuple[Member, ...]
    slope: np.ndarray
    recipe: Recipe = field(default_factory=Recipe)
    spread: tuple[np.ndarray, np.ndarray] | None = None
    rule: AnswerRule = field(default_factory=AnswerRule)
    weights: np.ndarray | None = None
    link: str = "sigmoid"
    outside: tuple[Outside, ...] = ()

    def __repr__(self) -> str:
        members = ", ".join(member.name for member in self.members)
        labels = " / ".join(self.labels)
        return f"FaceModel({labels}, recipe {self.recipe.name!r}, members: {members})"

    @property
    def classes_(self) -> np.ndarray:
        """The labels, ndarray of shape (n_labels,), in the order of `predict_proba`."""
        return np.array(self.labels)

    @property
    def shares(self) -> np.ndarray:
        """Weight of each member, ndarray of shape (n_members, n_outputs), summing to 1."""
        if self.weights is None:
            return np.full((len(self.members), len(self.slope)), 1 / len(self.members))
        return self.weights

    @property
    def pixels(self) -> Member:
        """The member that has eigenfaces of pixels.

        Raises
        ------
        ModelError
            No member reads pixels.
        """
        if not self.draws:
            raise ModelError("no member of this model reads pixels, so it has no eigenfaces")
        return next(member for member in self.members if _has_eigenfaces(member))

    @property
    def fisherfaces(self) -> Member | None:
        """The member that has Fisherfaces of pixels, or None."""
        found = (
            m for m in self.members if m.space == "fisherfaces" and m.features.kind == "pixels"
        )
        return next(found, None)

    @property
    def draws(self) -> bool:
        """Whether a member reads pixels, so that faces can be reconstructed."""
        return any(map(_has_eigenfaces, self.members))

    @property
    def leading(self) -> Member:
        """The member whose face space is shown: that of the eigenfaces, or else the first."""
        return self.pixels if self.draws else self.members[0]

    @cached_property
    def eigenfaces(self) -> "FaceModel":
        """The model of the pixels alone, which classifies reconstructed faces.

        It is the model itself where there is no other member. It reads the pictures that
        `Member.rebuild` returns. Its slope is 1 where the model has several members.

        Raises
        ------
        ModelError
            No member reads pixels.
        """
        member = self.pixels
        if len(self.members) == 1 and member.features == WHOLE:
            return self
        alone = replace(member, features=WHOLE)
        recipe = replace(self.recipe, side=round(len(member.mean) ** 0.5), colour=False)
        slope = self.slope if len(self.members) == 1 else np.ones_like(self.slope)
        return FaceModel(self.labels, (alone,), slope, recipe, self.spread, link=self.link)

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the decision values, the weighted mean over the members.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side) or (n_faces, side, side)
            Prepared faces, as `check_faces` takes them.

        Returns
        -------
        ndarray of shape (n_faces,) or (n_faces, n_labels), float64
            One value per face for two labels, above 0 for the second; else one per label.

        Raises
        ------
        DataError
            The faces are refused by `check_faces`.
        """
        return self.judge(X)[0]

    def judge(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the decision values, and how far faces are beyond the kinds that are `outside`.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side) or (n_faces, side, side)
            Prepared faces, as `check_faces` takes them.

        Returns
        -------
        decisions : ndarray of shape (n_faces,) or (n_faces, n_labels), float64
            As `decision_function` returns them.
        beyond : ndarray of shape (n_faces, n_kinds), float64
            Above 0 for pictures of the kind, as `Outside.measure` measures it.

        Raises
        ------
        DataError
            The faces are refused by `check_faces`.
        """
        # a member without weight may draw faces; its vote would only cost time
        voting = np.flatnonzero(self.shares.any(axis=1))
        values, beyond = self._decide([self.members[i] for i in voting], X)
        decisions = np.asarray((self.shares[voting][:, None] * values).sum(axis=0))
        return (decisions[:, 0] if decisions.shape[1] == 1 else decisions), beyond

    def member_decisions(self, X: np.ndarray) -> np.ndarray:
        """Return the decision values of each member, whose weighted mean is the model's.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side) or (n_faces, side, side)
            Prepared faces, as `check_faces` takes them.

        Returns
        -------
        ndarray of shape (n_members, n_faces, n_outputs), float64
            One output for two labels, else one per label.

        Raises
        ------
        DataError
            The faces are refused by `check_faces`.
        """
        return self._decide(self.members, X)[0]

    def _decide(self, members: Sequence[Member], X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        X = self.check_faces(X)
        views = 2 if self.recipe.mirror else 1
        rows = np.concatenate([X, mirror(X)]) if self.recipe.mirror else X
        values, beyond = [], np.full((len(rows), len(self.outside)), -np.inf)
        for member in members:
            Z = member.coordinates(rows)
            values.append(member.decide(Z))
            for i, kind in enumerate(self.outside):
                if kind.member == member.name:
                    beyond[:, i] = kind.measure(Z)

        def average(each: np.ndarray) -> np.ndarray:
            return np.asarray(each.reshape(views, len(X), each.shape[1]).mean(axis=0))

        return np.array([average(value) for value in values]), average(beyond)

    def probability_of(self, decisions: np.ndarray) -> np.ndarray:
        """Turn decision values into probabilities.

        With the link ``"sigmoid"`` each output has a probability of its own,
        ``1 / (1 + exp(-slope * decision))`` (Platt 1999), and with more than two labels these are
        divided by their sum. With ``"softmax"`` the exponentials of ``slope * decision`` are
        divided by their sum, which stays right for any number of labels.

        Parameters
        ----------
        decisions : ndarray of shape (n_faces,) or (n_faces, n_labels)
            As `decision_function` returns them.

        Returns
        -------
        ndarray of shape (n_faces, n_labels), float64
            In [0, 1], each row sums to 1.
        """
        values = decisions[:, None] if decisions.ndim == 1 else decisions
        if self.link == "softmax":
            powers = self.slope * values
            p = np.exp(powers - powers.max(axis=1, keepdims=True))
            return np.asarray(p / p.sum(axis=1, keepdims=True))
        p = 1 / (1 + np.exp(np.clip(-self.slope * values, -500, 500)))
        if p.shape[1] == 1:
            return np.hstack([1 - p, p])
        return np.asarray(p / np.maximum(p.sum(axis=1, keepdims=True), 1e-300))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the calibrated probability of each label.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side) or (n_faces, side, side)
            Prepared faces, as `check_faces` takes them.

        Returns
        -------
        ndarray of shape (n_faces, n_labels), float64
            In [0, 1], in the order of `labels`; each row sums to 1.

        Raises
        ------
        DataError
            The faces are refused by `check_faces`.
        """
        return self.probability_of(self.decision_function(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the likeliest label of each face, whatever the rule.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side) or (n_faces, side, side)
            Prepared faces, as `check_faces` takes them.

        Returns
        -------
        ndarray of shape (n_faces,), str
            One label per face.

        Raises
        ------
        DataError
            The faces are refused by `check_faces`.
        """
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Project prepared faces into face space, that of the eigenfaces where there are any.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side) or (n_faces, side, side)
            Prepared faces, as `check_faces` takes them.

        Returns
        -------
        ndarray of shape (n_faces, n_components), float32
            Coordinates, in standard deviations where the member is whitened.

        Raises
        ------
        DataError
            The faces are refused by `check_faces`.
        """
        return self.leading.coordinates(self.check_faces(X))

    def inverse_transform(self, Z: np.ndarray) -> np.ndarray:
        """Reconstruct faces from points of face space.

        Parameters
        ----------
        Z : ndarray of shape (n_faces, k), k <= n_components
            Leading coordinates, as `transform` returns them; the rest count as 0.

        Returns
        -------
        ndarray of shape (n_faces, s, s), float32
            Grey levels of the part of the face that the eigenfaces read; they may leave [0, 255].

        Raises
        ------
        ModelError
            No member reads pixels, so the model has no eigenfaces.
        DataError
            There are more coordinates than eigenfaces.

        Examples
        --------
        >>> from facecore.model import load_model
        >>> load_model("classic").inverse_transform(np.zeros((1, 10))).shape
        (1, 100, 100)
        """
        member, Z = self.pixels, np.atleast_2d(np.asarray(Z))
        if Z.shape[1] > len(member.components):
            raise DataError(
                f"{Z.shape[1]} coordinates, but the model has {len(member.components)} eigenfaces"
            )
        rows = member.rebuild(Z)
        side = round(rows.shape[1] ** 0.5)
        return rows.reshape(-1, side, side)

    def check_faces(self, X: np.ndarray) -> np.ndarray:
        """Return faces as the rows that the model reads, or refuse what it would misread.

        Parameters
        ----------
        X : ndarray of shape (n_faces, side * side) or (n_faces, side, side)
            Grey levels of prepared faces, from 0 to 255, of any integer or float dtype; RGB levels,
            of shape (n_faces, side * side * 3) or (n_faces, side, side, 3), where the model reads
            colours; or embeddings, floats of shape (n_faces, 128), where it reads these.

        Returns
        -------
        ndarray of shape (n_faces, n_numbers)
            The rows, in the dtype of `X`; a view where possible.

        Raises
        ------
        DataError
            The shape does not fit the recipe, or the numbers are not grey levels from 0 to 255,
            such as floats in [0, 1].
        """
        X = np.asarray(X)
        rows = X.reshape(len(X), -1) if X.ndim in (3, 4) else X
        (_, width), _ = rows_of(0, self.recipe)
        side, embedded = self.recipe.side, self.recipe.embedding
        # a face without colours is read as one of grey colours
        if rows.ndim != 2 or rows.shape[1] not in ({width} if embedded else {width, side * side}):
            squares = f" or (n, {side}, {side}{', 3' if self.recipe.colour else ''})"
            wanted = f"(n, {width})" + ("" if embedded else squares)
            raise DataError(f"faces of shape {X.shape}; this model reads shape {wanted}")
        if rows.dtype.kind not in "uif":
            raise DataError(f"faces of type {rows.dtype}; this model reads numbers")
        if rows.dtype.kind == "f" and rows.size and not self.recipe.embedding:
            least, most = float(rows.min()), float(rows.max())
            if not np.isfinite([least, most]).all():
                raise DataError("faces hold NaN or infinity; this model reads grey levels")
            if least >= 0 and 0 < most <= 1:
                raise DataError(
                    "faces are floats in [0, 1]; this model reads grey levels from 0 to 255: "
                    "(255 * X).round().astype('uint8')"
                )
        return rows

    def save(self, folder: Path) -> None:
        """Write ``model.npz`` (arrays) and ``model.json`` (all else) into an existing folder.

        Parameters
        ----------
        folder : Path
            The folder; files of these names are overwritten.
        """
        arrays: dict[str, np.ndarray] = {"slope": self.slope}
        scalars = []
        for i, member in enumerate(self.members):
            # row by row, as products read them
            arrays |= {
                f"{name}_{i}": np.asarray(getattr(member, name), order="C") for name in _ARRAYS
            }
            values = {name: getattr(member, name) for name in _SCALARS}
            if member.space != "eigenfaces":
                values["space"] = member.space
            scalars.append(values | {"features": member.features.to_dict()})
        if self.weights is not None:
            arrays["weights"] = self.weights
        arrays |= {f"outside_{i}": kind.weights for i, kind in enumerate(self.outside)}
        if self.spread:
            arrays["spread_mean"], arrays["spread_factor"] = self.spread
        with open(folder / "model.npz", "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        document = {
            "format": FORMATS[self.link],
            "labels": list(self.labels),
            "recipe": self.recipe.to_dict(),
            "members": scalars,
            "sha256": sha256(folder / "model.npz"),
        }
        if rule := self.rule.to_dict():
            document["rule"] = rule
        if self.outside:
            document["outside"] = [kind.to_dict() for kind in self.outside]
        (folder / "model.json").write_text(json.dumps(document, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "FaceModel":
        """Read a model, refusing what is damaged, foreign or of a newer format.

        Parameters
        ----------
        folder : Path
            The folder with ``model.npz`` and ``model.json``.

        Returns
        -------
        FaceModel
            The model, after checking all of it.

        Raises
        ------
        ModelError
            A file is missing, damaged or does not match its checksum, the format is newer, or the
            recipe needs weights that are not installed.
        """
        name = folder.name
        try:
            document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            version = document["format"]
            links = {number: link for link, number in FORMATS.items()}
            if type(version) is not int or version not in links:
                raise ModelError(
                    f"model {name!r} has format {version!r}, this version reads {sorted(links)}; "
                    "pip install --upgrade facecore, or train it again"
                )
            if document["sha256"] != sha256(folder / "model.npz"):
                raise ModelError(
                    f"model {name!r} is damaged: model.npz does not match its checksum; "
                    "restore the folder or train it again"
                )
            arrays = _read_arrays(folder / "model.npz")
            known = {f"{key}_{i}" for key in _ARRAYS for i in range(len(document["members"]))}
            kinds = document.get("outside", [])
            known |= {f"outside_{i}" for i in range(len(kinds))}
            if added := sorted(set(arrays) - known - _OPTIONAL):
                raise ValueError(f"{added[0]} is not one of its arrays")
            members = tuple(
                _member({key: arrays[f"{key}_{i}"] for key in _ARRAYS}, scalars)
                for i, scalars in enumerate(document["members"])
            )
            labels = tuple(document["labels"])
            if not all(isinstance(label, str) and label for label in labels):
                raise ValueError("its labels must be non-empty strings")
            spread = (
                (arrays["spread_mean"], arrays["spread_factor"])
                if "spread_mean" in arrays
                else None
            )
            rule = AnswerRule.from_dict(document.get("rule", {}))
            recipe, weights = _read_recipe(document["recipe"]), arrays.get("weights")
            outside = tuple(
                Outside.from_dict(kind, arrays[f"outside_{i}"]) for i, kind in enumerate(kinds)
            )
            model = cls(
                labels,
                members,
                arrays["slope"],
                recipe,
                spread,
                rule,
                weights,
                links[version],
                outside,
            )
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
            raise ModelError(
                f"model {name!r} is damaged or is not a facecore model: {error}"
            ) from error
        return model


def _has_eigenfaces(member: Member) -> bool:
    return member.features.kind == "pixels" and member.space == "eigenfaces"


def _times(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return ``rows @ matrix.T``, with the matrix in float32 where it is stored in float16.

    A few rows are multiplied two by two with blocks of the matrix that fit in a core's cache, so
    that the matrix is read from memory once. A result depends neither on the number of threads nor
    on the other rows.
    """
    if len(rows) > FEW:  # arithmetic counts more than memory, and threads help
        return np.asarray((_widen(matrix) @ rows.T).T)
    result = np.empty((len(rows), len(matrix)), dtype=rows.dtype)
    start = 0
    # blocks outside, pairs inside: a block is in the cache for all pairs but the first
    for block in in_blocks(matrix):
        end = start + len(block)
        for i in range(0, len(rows), 2):
            result[i : i + 2, start:end] = _times_pair(block, rows[i : i + 2])
        start = end
    return result


def _times_pair(block: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """Return ``pair @ block.T`` from products with vectors that BLAS does not share."""
    if block.shape[1] > SMALL:
        rest = _times_pair(block[:, SMALL:], pair[:, SMALL:])
        return np.asarray(_times_pair(block[:, :SMALL], pair[:, :SMALL]) + rest)
    columns = pair[:, :, None]
    group = SMALL // block.shape[1]
    whole = len(block) - len(block) % group
    groups = block[:whole].reshape(-1, 1, min(group, len(block)), block.shape[1])
    most = (groups @ columns)[..., 0].swapaxes(0, 1).reshape(len(pair), whole)
    return np.concatenate([most, (block[whole:] @ columns)[..., 0]], axis=1)


def in_blocks(matrix: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of a matrix in blocks that fit in a core's cache.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns), floats
        Perhaps a memory map.

    Yields
    ------
    ndarray of shape (n, n_columns)
        Some rows; those of a float16 matrix in float32, and only until the next block.

    Examples
    --------
    >>> [block.shape for block in in_blocks(np.zeros((5, 120_000), dtype=np.float16))]
    [(2, 120000), (2, 120000), (1, 120000)]
    """
    matrix = np.asarray(matrix)  # views of a memory map are slow to make
    step = max(1, BLOCK // matrix.shape[1])
    half = matrix.dtype == np.float16
    room = np.empty((min(step, len(matrix)), matrix.shape[1]), np.float32) if half else None
    for start in range(0, len(matrix), step):
        yield _widen(matrix[start : start + step], room)


def _widen(matrix: np.ndarray, room: np.ndarray | None = None) -> np.ndarray:
    """Return a matrix of float16 in float32, where there is room for it, and others as they are."""
    if matrix.dtype != np.float16 or not matrix.size:
        return matrix
    # OpenCV uses the processor's instruction for it, NumPy takes eight times as long
    bits = np.ascontiguousarray(matrix).view(np.int16)
    return np.asarray(cv2.convertFp16(bits, None if room is None else room[: len(bits)]))


_ARRAYS = (
    "minimum",
    "span",
    "mean",
    "components",
    "deviation",
    "variance",
    "kernel_vectors",
    "coefficients",
    "intercept",
)
_OPTIONAL = {"slope", "weights", "spread_mean", "spread_factor"}
_SCALARS = ("total_variance", "gamma", "kernel", "name")


def _read_recipe(document: Any) -> Recipe:
    try:
        return Recipe.from_dict(document)
    except ModelError as error:  # the caller names the model
        raise ValueError(str(error)) from error


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_ARRAY_BYTES:
            raise ValueError("its arrays are larger than 1 GB")
    with np.load(path, allow_pickle=False) as file:
        # older files hold eigenfaces column by column
        return {key: np.asarray(file[key], order="C") for key in file.files}


def _member(arrays: Mapping[str, Any], scalars: Mapping[str, Any]) -> Member:
    return Member(
        **arrays,
        total_variance=float(scalars["total_variance"]),
        gamma=float(scalars["gamma"]),
        kernel=str(scalars["kernel"]),
        features=read_features(scalars["features"]),
        name=str(scalars.get("name", "pixels")),
        space=str(scalars.get("space", "eigenfaces")),
    )


def _check(model: FaceModel) -> None:
    k = len(model.labels)
    outputs = 1 if k == 2 else k
    if k < 2 or len(set(model.labels)) != k or not model.members:
        raise ValueError("it needs at least two different labels and one member")
    if model.link == "softmax" and k == 2:
        raise ValueError("a softmax needs more than two labels")
    if model.slope.shape != (outputs,) or model.slope.dtype.kind != "f":
        raise ValueError("the calibration does not fit the labels")
    if not (np.isfinite(model.slope) & (model.slope > 0)).all():
        raise ValueError("the slope of the calibration is not above 0")
    shares = model.shares
    if shares.shape != (len(model.members), outputs) or shares.dtype.kind != "f":
        raise ValueError("the weights do not fit the members")
    if not ((shares >= 0).all() and np.allclose(shares.sum(axis=0), 1)):
        raise ValueError("member weights must be non-negative and sum to 1")
    for m in model.members:
        if m.components.ndim != 2 or m.kernel_vectors.ndim != 2:
            raise ValueError("eigenfaces or kernel vectors are not tables")
        n, d = m.components.shape
        v = len(m.kernel_vectors)
        if not (n and d and v):
            raise ValueError("eigenfaces or kernel vectors are empty")
        shapes = {
            "minimum": (d,),
            "span": (d,),
            "mean": (d,),
            "deviation": (n,),
            "variance": (n,),
            "kernel_vectors": (v, n),
            "coefficients": (v, outputs),
            "intercept": (outputs,),
        }
        for key, shape in shapes.items():
            if getattr(m, key).shape != shape:
                raise ValueError(f"{key} has shape {getattr(m, key).shape}, not {shape}")
        for key in _ARRAYS:
            array = getattr(m, key)
            if array.dtype.kind != "f" or not np.isfinite(array).all():
                raise ValueError(f"{key} must hold finite floats only")
        if not ((m.span > 0).all() and (m.deviation > 0).all()):
            raise ValueError("a span or deviation is not above 0")
        if m.space not in SPACES:
            raise ValueError(f"space {m.space!r} is unknown")
        if m.kernel not in KERNELS or not np.isfinite(m.gamma) or m.gamma < 0:
            raise ValueError(f"kernel {m.kernel!r} is unknown")
        if d != m.features.count(model.recipe.side):
            raise ValueError("the eigenfaces do not have the size of the features")
    kinds = {m.features.kind for m in model.members}
    if model.recipe.embedding:
        fits = "network" in kinds <= {"network", "convolutions" if model.recipe.colour else ""}
    else:
        as_they_are = any(m.features == WHOLE for m in model.members)  # faces in colour are not
        fits = model.draws and "network" not in kinds and not (model.recipe.colour and as_they_are)
    if not fits:
        raise ValueError("its members do not read what its recipe prepares")
    if len({m.name for m in model.members}) != len(model.members):
        raise ValueError("two members have the same name")
    sizes = {m.name: len(m.components) for m in model.members}
    for kind in model.outside:
        if kind.weights.dtype.kind != "f" or kind.weights.shape != (sizes.get(kind.member),):
            raise ValueError(f"the weights of {kind.name!r} do not fit a member")
    if model.spread is not None:
        mean, factor = model.spread
        size = mean.shape[-1]
        if mean.shape != (k, size) or factor.shape != (k, size, size):
            raise ValueError("the spread of the coordinates does not fit the labels")
        if size > len(model.leading.components):
            raise ValueError("the spread has more coordinates than eigenfaces")
        if not all(a.dtype.kind == "f" and np.isfinite(a).all() for a in model.spread):
            raise ValueError("the spread must hold finite floats only")
