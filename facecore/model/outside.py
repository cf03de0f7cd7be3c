"""Kinds of pictures that a model gives no label, told by a line in a member's face space."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from facecore.model.rule import NO_FACE

MOST_KINDS = 100


@dataclass(frozen=True)
class Outside:
    """A kind of pictures that a model was shown in order to give them no label.

    Parameters
    ----------
    name : str
        What they look like, such as ``"a child"``; not empty.
    member : str
        The member in whose face space they are told.
    weights : ndarray of shape (n_components,), float64
        Of the coordinates; their weighted sum is larger for pictures of the kind.
    limit : float
        The weighted sum above which a picture is of the kind.
    face : bool
        Whether they are faces.

    Examples
    --------
    >>> child = Outside("a child", "pixels", np.array([1.0, -1.0]), limit=0.5)
    >>> child.measure(np.array([[2.0, 0.0], [0.0, 2.0]])).tolist()
    [1.5, -2.5]
    >>> child.reason
    'unsure: looks like a child, which the model is not for'
    """

    name: str
    member: str
    weights: np.ndarray
    limit: float
    face: bool = True

    @property
    def reason(self) -> str:
        """Why such a picture gets no label."""
        if self.face:
            return f"unsure: looks like {self.name}, which the model is not for"
        return f"{NO_FACE}: looks like {self.name}"

    def measure(self, Z: np.ndarray) -> np.ndarray:
        """Measure how far pictures are beyond the limit.

        Parameters
        ----------
        Z : ndarray of shape (n_faces, n_components)
            Coordinates of the member.

        Returns
        -------
        ndarray of shape (n_faces,), float64
            Above 0 for pictures of the kind.
        """
        return np.asarray(Z.astype(np.float64) @ self.weights - self.limit)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the weights, as a model file stores it.

        Returns
        -------
        dict
            JSON types only.
        """
        return {"name": self.name, "member": self.member, "limit": self.limit, "face": self.face}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], weights: np.ndarray) -> "Outside":
        """Return the kind that a model file stores, checked.

        Parameters
        ----------
        document : mapping
            As `to_dict` returns it.
        weights : ndarray of shape (n_components,), float64
            Of the coordinates.

        Returns
        -------
        Outside
            The kind.

        Raises
        ------
        ValueError
            A key is missing or unknown, or a value is not of its type or not finite.
        """
        values = dict(document)
        if set(values) != {"name", "member", "limit", "face"}:
            raise ValueError("a kind outside has only the keys name, member, limit and face")
        texts = all(isinstance(values[key], str) and values[key] for key in ("name", "member"))
        limit = values["limit"]
        number = isinstance(limit, int | float) and not isinstance(limit, bool)
        if not texts or not number or not isinstance(values["face"], bool):
            raise ValueError("a value of a kind outside is not of its type")
        if not np.isfinite([limit, *weights]).all():
            raise ValueError("a kind outside has numbers that are not finite")
        return cls(weights=weights, **values)
