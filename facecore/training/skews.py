"""How a training's faces are skewed: few of a label, or only one kind of face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from facecore.errors import DataError
from facecore.model.classifier import FaceModel
from facecore.model.contributions import draw_eigenface
from facecore.model.eigenface_words import describe_eigenface

THIRDS = ("low", "middle", "high")
OPPOSITE = {"low": "high", "high": "low"}
LEAST = 2  # training faces of a label
GREY = "mean grey level"


@dataclass(frozen=True)
class Skew:
    """How the faces of a training are skewed.

    Parameters
    ----------
    kind : {"few", "only", "tied"}
        ``"few"``: there are fewer faces of one label. ``"only"``: all faces are of one third by a
        trait. ``"tied"``: the faces of one label are of one third by a trait, those of all others
        of the opposite third, so that the trait gives the label away.
    label : str
        The label in question; unused by ``"only"``.
    ratio : int
        How many faces of each other label there are per face of `label`, at least 1; for ``"few"``.
    third : {"low", "high"}
        The third by the trait, taken within each label; unused by ``"few"``.
    trait : int or None
        Number of the eigenface, from 0, along which faces are ordered; None for their mean grey
        level. The groups of the test faces are ordered by it as well.
    """

    kind: Literal["few", "only", "tied"]
    label: str = ""
    ratio: int = 1
    third: str = "low"
    trait: int | None = None


@dataclass(frozen=True)
class Portion:
    """The training faces of one label.

    Parameters
    ----------
    label : str
        The label.
    count : int
        How many.
    third : str
        Third by the trait that they are of; empty if they are of all thirds.
    """

    label: str
    count: int
    third: str = ""


def share_out(labels: Sequence[str], total: int, skew: Skew | None = None) -> tuple[Portion, ...]:
    """Return how many faces of each label a training gets, and of which third.

    Parameters
    ----------
    labels : sequence of str
        Two or more.
    total : int
        Number of faces over all labels.
    skew : Skew, optional
        None for as many faces of each label, of all thirds.

    Returns
    -------
    tuple of Portion
        One per label, in their order; counts add up to `total`. Of a rare label there are at least
        `LEAST` faces.

    Raises
    ------
    DataError
        There are not enough faces, or no such label or third.

    Examples
    --------
    >>> [one.count for one in share_out(["round", "square"], 200)]
    [100, 100]
    >>> [one.count for one in share_out(["round", "square"], 200, Skew("few", "square", 9))]
    [180, 20]
    >>> [one.third for one in share_out(["round", "square"], 200, Skew("tied", "square"))]
    ['high', 'low']
    """
    if total < LEAST * len(labels):
        raise DataError(f"{total} faces for {len(labels)} labels; give {LEAST} per label or more")
    counts = dict(zip(labels, _parts(total, len(labels)), strict=True))
    if skew is None:
        return tuple(Portion(label, count) for label, count in counts.items())
    if skew.third not in OPPOSITE:
        raise DataError(f"third {skew.third!r} is unknown; give: {', '.join(OPPOSITE)}")
    if skew.kind == "only":
        return tuple(Portion(label, count, skew.third) for label, count in counts.items())
    if skew.label not in counts:
        raise DataError(f"no label {skew.label!r}; there are: {', '.join(labels)}")
    if skew.kind == "tied":
        return tuple(
            Portion(label, count, skew.third if label == skew.label else OPPOSITE[skew.third])
            for label, count in counts.items()
        )
    rare = max(LEAST, round(total / (1 + skew.ratio * (len(labels) - 1))))
    rest = iter(_parts(total - rare, len(labels) - 1))
    return tuple(Portion(one, rare if one == skew.label else next(rest)) for one in labels)


def _parts(total: int, count: int) -> list[int]:
    return [len(part) for part in np.array_split(np.arange(total), count)]


def offer_traits(model: FaceModel, first: int) -> list[int | None]:
    """Return by what faces can be ordered.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces.
    first : int
        How many of the strongest eigenfaces are offered, at least 1.

    Returns
    -------
    list of int or None
        Traits, as `Skew` has them: the mean grey level, the first eigenfaces, and the strongest
        one that changes the mouth most, if there is one and it is not among them.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> offer_traits(load_model("classic"), 3)
    [None, 0, 1, 2, 12]
    """
    count = len(model.pixels.components)
    mouths = (
        i
        for i in range(count)
        if describe_eigenface(draw_eigenface(model, i)).words.startswith("mouth")
    )
    mouth = next(mouths, 0)
    return [None, *range(min(first, count)), *([mouth] if mouth >= first else [])]


def name_trait(model: FaceModel, trait: int | None) -> str:
    """Return what faces are ordered by, in words.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces.
    trait : int or None
        As `Skew` has it.

    Returns
    -------
    str
        The words of an eigenface are computed from its pixels.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> name_trait(load_model("classic"), None)
    'mean grey level'
    """
    if trait is None:
        return GREY
    return f"eigenface {trait + 1} ({describe_eigenface(draw_eigenface(model, trait)).words})"


def measure_trait(model: FaceModel, X: np.ndarray, trait: int | None) -> np.ndarray:
    """Measure a trait of faces from their pixels.

    Parameters
    ----------
    model : FaceModel
        A model with eigenfaces, which reads the pixels of the whole crop.
    X : ndarray of shape (n_faces, side * side), uint8
        Grey levels, from 0 to 255.
    trait : int or None
        As `Skew` has it.

    Returns
    -------
    ndarray of shape (n_faces,), float
        Mean grey level, or how much of the eigenface each face has.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> measure_trait(load_model("classic"), np.full((1, 10_000), 90, np.uint8), None)
    array([90.])
    """
    if trait is None:
        return np.asarray(X.mean(axis=1))
    member = model.pixels
    return np.asarray((member.scale(X) - member.mean) @ member.basis[trait])


def name_third(trait: str, third: str) -> str:
    """Return the name of a third by a trait.

    Parameters
    ----------
    trait : str
        As `name_trait` returns it.
    third : str
        One of `THIRDS`.

    Returns
    -------
    str

    Examples
    --------
    >>> name_third("mean grey level", "low"), name_third("eigenface 2 (sides)", "high")
    ('darkest third', 'third with most of eigenface 2 (sides)')
    """
    if third == "middle":
        return "middle third"
    if trait == GREY:
        return "darkest third" if third == "low" else "lightest third"
    return f"third with {'least' if third == 'low' else 'most'} of {trait}"
