"""Recipes: how a photo becomes a row of numbers, and which members read that row.

Everything about a recipe is defined here, so that a new one is a single edit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from facecore.errors import DataError, ModelError
from facecore.face import convolutions, embedding
from facecore.face.detect import (
    BlazeSettings,
    Face,
    HaarSettings,
    MtcnnSettings,
    Settings,
    WholeSettings,
    parse_detector,
    spec_of,
)
from facecore.face.features import DESCRIBED, READS, WHOLE, Features
from facecore.face.prepare import SIDE, align, cut, flatten, mirror, to_colour, to_square

MAX_SIDE = 1000
MAX_WIDTH = 20.0
SPACES = ("eigenfaces", "fisherfaces")
REQUIRED = ("name", "detector", "side")
OPTIONAL = ("alignment", "frame", "mirror", "colour", "network", "unsure")


@dataclass(frozen=True)
class Alignment:
    """How wide a crop is cut when faces are turned upright by their landmarks.

    Parameters
    ----------
    width : float
        Width of the crop in distances between the eyes, in (0, 20].

    Raises
    ------
    ModelError
        The width is not a number in this range.

    Examples
    --------
    >>> Alignment(width=3.5)
    Alignment(width=3.5)
    """

    width: float

    def __post_init__(self) -> None:
        if not _is_number(self.width) or not 0 < self.width <= MAX_WIDTH:
            raise ModelError(
                f"alignment width {self.width!r} is not a number above 0, up to {MAX_WIDTH:g}"
            )


@dataclass(frozen=True)
class MemberRecipe:
    """How one member of a model is trained.

    Parameters
    ----------
    features : Features
        What the member reads from a prepared face.
    tuned : mapping of str to list
        A small grid around the best settings of wider searches on the training photos: lists of
        values of n_components, gamma and C.
    best : mapping of str to int or float
        Good settings within that grid, which the ladder fits without a search.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        Directions of the coordinates: those in which faces differ most, or those in which labels
        differ most compared with the faces within a label.

    Raises
    ------
    ModelError
        The space has another name.
    """

    features: Features
    tuned: Mapping[str, list[Any]]
    best: Mapping[str, Any]
    space: str = "eigenfaces"

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise ModelError(f"no space {self.space!r}; there are: {', '.join(SPACES)}")


@dataclass(frozen=True)
class Recipe:
    """How a photo becomes a row of numbers.

    A model file stores it, so that prediction does what training did.

    Parameters
    ----------
    name : str
        The recipe's name, not empty.
    detector : HaarSettings, MtcnnSettings, BlazeSettings or WholeSettings
        Settings of the detector that finds the faces; with the last, each photo is a face.
    alignment : Alignment, optional
        How faces are turned upright; without it the detector's box is cut as it is.
    side : int
        Width and height of a prepared face, from 1 to 1,000 pixels.
    frame : float
        Share of the crop's width and height that is prepared, around its middle, in (0, 1].
    mirror : bool
        Whether to train on mirror images too, and decide by the mean over a face and its mirror
        image.
    colour : bool
        Whether a member reads convolutions: the prepared face stays in colour, and its row holds
        RGB levels; or, of an embedding, what the convolutions find follows it in the row.
    embedding : bool
        Whether the model reads embeddings: the prepared face stays in colour, and a network turns
        it into 128 numbers.
    unsure : float, optional
        Target accuracy of the answers, in (0, 1]: training chooses the threshold of "unsure" to
        reach it. Without it every face gets a label.
    members : mapping of str to MemberRecipe
        How each member is trained, by the member's name. A stored recipe has none: the model file
        holds the members themselves.

    Raises
    ------
    ModelError
        A value has another type or lies outside its range, or two values contradict each other.

    Examples
    --------
    >>> recipe = find_recipe("classic")
    >>> recipe.side, recipe.mirror, list(recipe.members)
    (100, True, ['pixels'])
    >>> Recipe.from_dict(recipe.to_dict()).detector == recipe.detector
    True
    """

    name: str = "custom"
    detector: Settings = field(default_factory=HaarSettings)
    alignment: Alignment | None = None
    side: int = SIDE
    frame: float = 1.0
    mirror: bool = False
    colour: bool = False
    embedding: bool = False
    unsure: float | None = None
    members: Mapping[str, MemberRecipe] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        checks = {
            f"name {self.name!r} is not a non-empty string": (
                isinstance(self.name, str) and bool(self.name)
            ),
            f"side {self.side!r} is not a whole number from 1 to {MAX_SIDE}": (
                type(self.side) is int and 1 <= self.side <= MAX_SIDE
            ),
            f"frame {self.frame!r} is not a number above 0, up to 1": (
                _is_number(self.frame) and 0 < self.frame <= 1
            ),
            f"mirror {self.mirror!r} is not true or false": isinstance(self.mirror, bool),
            f"colour {self.colour!r} is not true or false": isinstance(self.colour, bool),
            # named by its key in a model file
            f"network {self.embedding!r} is not true or false": isinstance(self.embedding, bool),
            f"unsure {self.unsure!r} is not a number above 0, up to 1": (
                self.unsure is None or (_is_number(self.unsure) and 0 < self.unsure <= 1)
            ),
            "alignment needs landmarks, which only the detectors mtcnn and blazeface give": (
                self.alignment is None or isinstance(self.detector, (MtcnnSettings, BlazeSettings))
            ),
        }
        for problem, holds in checks.items():
            if not holds:
                raise ModelError(f"the recipe's {problem}")
        if self.embedding and (self.side != embedding.SIDE or self.mirror):
            raise ModelError(
                f"the recipe's embedding reads faces of side {embedding.SIDE}, not {self.side}, "
                "and covers the mirror image itself, so mirror must be false"
            )

    @property
    def in_colour(self) -> bool:
        """Whether the prepared face is RGB."""
        return self.colour or self.embedding

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as a model file stores it.

        Returns
        -------
        dict
            JSON types only, without the members. The key of `embedding` is ``network``.
        """
        document: dict[str, Any] = {
            "name": self.name,
            "detector": spec_of(self.detector),
            "alignment": None if self.alignment is None else asdict(self.alignment),
            "side": self.side,
            "frame": self.frame,
            "mirror": self.mirror,
        }
        if self.colour:
            document["colour"] = True
        if self.embedding:
            document["network"] = True
        if self.unsure is not None:
            document["unsure"] = self.unsure
        return document

    @classmethod
    def from_dict(cls, document: Any) -> Self:
        """Return the recipe that a model file stores, after checking all of it.

        Parameters
        ----------
        document : object
            Parsed JSON; a mapping as `to_dict` returns it is accepted.

        Returns
        -------
        Recipe
            Without members.

        Raises
        ------
        ModelError
            The document is not a mapping, lacks a key, has an unknown one, or a value is wrong.

        Examples
        --------
        >>> detector = {"name": "haar", "min_neighbors": 5}
        >>> Recipe.from_dict({"name": "mine", "detector": detector, "side": 64}).frame
        1.0
        """
        if not isinstance(document, Mapping):
            raise ModelError("the recipe is not a table of settings")
        known = (*REQUIRED, *OPTIONAL)
        if unknown := sorted(map(str, set(document) - set(known))):
            raise ModelError(f"the recipe has an unknown key {unknown[0]!r}; known: {known}")
        if missing := [key for key in REQUIRED if key not in document]:
            raise ModelError(f"the recipe lacks {missing[0]!r}")
        values = dict(document)
        values["detector"] = parse_detector(values["detector"])
        values["alignment"] = _parse_alignment(values.get("alignment"))
        values["embedding"] = values.pop("network", False)
        return cls(**values)


def _parse_alignment(document: Any) -> Alignment | None:
    if document is None:
        return None
    if not isinstance(document, Mapping) or set(document) != {"width"}:
        raise ModelError(f"the recipe's alignment {document!r} is not of the form {{'width': 3.5}}")
    return Alignment(document["width"])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TEXTURES: Mapping[str, list[Any]] = {
    "n_components": [300],
    "C": [5.0, 10.0],
    "gamma": [0.0017, 0.0027],
}
_SHAPES: Mapping[str, list[Any]] = {
    "n_components": [80],
    "whiten": [False],
    "C": [2.0, 4.0, 8.0],
    "gamma": [0.014, 0.025, 0.04, 0.06],
}
_SHAPES_BEST: Mapping[str, Any] = {
    "n_components": 80,
    "whiten": False,
    "gamma": 0.025,
    "C": 4.0,
}
_PIXELS_ALIGNED = MemberRecipe(
    Features("pixels", SIDE, 0.75),
    tuned={"n_components": [200], "C": [5.0, 10.0], "gamma": [0.0017, 0.0025]},
    best={"n_components": 200, "gamma": 0.0025, "C": 10.0},
)
# The small network reads 0.7 of an aligned crop, where eyes are as in its own training faces.
BESIDE = Features("convolutions", convolutions.SIDE, 0.7 / 0.81)  # of a face of 0.81
_FACES_ALIGNED = Alignment(width=3.52)  # so that "embedding" shares the crops of "aligned"

# Chosen by cross-validation on the training photos, subjects kept in one fold (docs/decisions).
RECIPES: dict[str, Recipe] = {
    "classic": Recipe(
        name="classic",
        detector=HaarSettings(),
        side=SIDE,
        frame=0.86,
        mirror=True,
        unsure=0.99,
        members={
            "pixels": MemberRecipe(
                WHOLE,
                # C from 4 to 16 are level in the folds: a smoother machine loses less on centres
                tuned={"n_components": [150], "C": [2.0, 4.0], "gamma": [0.004, 0.006, 0.009]},
                best={"n_components": 150, "gamma": 0.009, "C": 4.0},
            )
        },
    ),
    "aligned": Recipe(
        name="aligned",
        detector=BlazeSettings(),
        alignment=_FACES_ALIGNED,
        side=160,
        mirror=True,
        colour=True,
        unsure=0.99,
        members={
            "pixels": _PIXELS_ALIGNED,
            "hog tight": MemberRecipe(
                Features("hog", 96, 0.625, cell=8),
                tuned=_TEXTURES,
                best={"n_components": 300, "gamma": 0.0017, "C": 5.0},
            ),
            "patterns": MemberRecipe(
                Features("lbp", 122, 0.875, cell=12),
                tuned=_TEXTURES,
                best={"n_components": 300, "gamma": 0.0027, "C": 5.0},
            ),
            "convolutions": MemberRecipe(
                Features("convolutions", convolutions.SIDE, 0.7), tuned=_SHAPES, best=_SHAPES_BEST
            ),
        },
    ),
    "fisher": Recipe(
        name="fisher",
        detector=BlazeSettings(),
        alignment=_FACES_ALIGNED,
        side=160,
        mirror=True,
        unsure=0.99,
        members={
            "pixels": _PIXELS_ALIGNED,
            "fisherfaces": MemberRecipe(
                _PIXELS_ALIGNED.features,
                tuned={"n_components": [100, 200, 300], "C": [0.3, 1.0], "gamma": [0.003]},
                best={"n_components": 200, "gamma": 0.003, "C": 1.0},
                space="fisherfaces",
            ),
        },
    ),
    "embedding": Recipe(
        name="embedding",
        detector=BlazeSettings(),
        alignment=_FACES_ALIGNED,
        side=embedding.SIDE,
        frame=0.81,  # puts eyes and mouth where the network's training faces had them
        colour=True,
        embedding=True,
        unsure=0.99,
        members={
            "network": MemberRecipe(
                Features("network"),
                tuned={
                    "n_components": [64, 78],
                    "C": [2.0, 5.0, 10.0],
                    "gamma": [0.0025, 0.004, 0.008],
                },
                best={"n_components": 78, "gamma": 0.004, "C": 5.0},
            ),
            "convolutions": MemberRecipe(
                BESIDE, tuned=_SHAPES, best={**_SHAPES_BEST, "gamma": 0.04, "C": 2.0}
            ),
        },
    ),
}
DEFAULT_RECIPE = "aligned"
# What each recipe does, in a few words for whoever chooses among models.
PHRASES = {
    "classic": "grey pixels and their eigenfaces, the textbook's way",
    "aligned": "faces turned upright by eyes and mouth, described in several ways",
    "fisher": "upright faces, as eigenfaces and as Fisherfaces",
    "embedding": "upright faces, described in numbers by deep networks",
}


def find_recipe(name: str) -> Recipe:
    """Return a recipe by name.

    Parameters
    ----------
    name : str
        A key of `RECIPES`.

    Returns
    -------
    Recipe
        With its members.

    Raises
    ------
    DataError
        There is no recipe of that name.
    ModelError
        The recipe needs weights that are not installed.

    Examples
    --------
    >>> find_recipe("aligned").alignment
    Alignment(width=3.52)
    """
    if name not in RECIPES:
        raise DataError(f"no recipe {name!r}; there are: {', '.join(RECIPES)}")
    if why := lacks(RECIPES[name]):
        raise ModelError(f"the recipe {name!r} cannot be used: {why}")
    return RECIPES[name]


def describe_recipe(recipe: Recipe) -> str:
    """Return what a recipe does, in a few words.

    Parameters
    ----------
    recipe : Recipe
        Any recipe, also a stored one.

    Returns
    -------
    str
        Of `RECIPES`, whatever the settings of its detector and its target of right answers; empty
        for a recipe that prepares faces in another way, under whichever name.

    Examples
    --------
    >>> describe_recipe(find_recipe("fisher"))
    'upright faces, as eigenfaces and as Fisherfaces'
    >>> describe_recipe(for_whole_photos(find_recipe("fisher")))
    ''
    """
    known = RECIPES.get(recipe.name)
    if known is None or type(recipe.detector) is not type(known.detector):
        return ""
    same = replace(recipe, detector=known.detector, unsure=known.unsure) == known
    return PHRASES[recipe.name] if same else ""


def describe_member(features: Features, space: str = "eigenfaces") -> str:
    """Return what a member of a model reads of a face, in a few words.

    Parameters
    ----------
    features : Features
        Its features.
    space : {"eigenfaces", "fisherfaces"}, default="eigenfaces"
        Directions of its coordinates.

    Returns
    -------
    str

    Examples
    --------
    >>> member = RECIPES["aligned"].members["hog tight"]
    >>> describe_member(member.features, member.space)
    'directions of edges'
    >>> describe_member(Features(), "fisherfaces")
    'grey levels, along the directions in which the labels differ most'
    """
    along = ", along the directions in which the labels differ most"
    return READS[features.kind] + (along if space == "fisherfaces" else "")


def for_whole_photos(recipe: Recipe) -> Recipe:
    """Return a recipe for photos that are one face already, such as sets of small crops.

    No detector runs, neither in training nor in prediction, and nothing is aligned. Each member
    reads the whole photo: the share around the middle of an aligned crop would cut mouth and chin
    off a face that fills its photo (docs/decisions/whole-photos.md). A photo that is not square is
    squeezed into a square, so nothing of it is lost.

    Parameters
    ----------
    recipe : Recipe
        With or without its members.

    Returns
    -------
    Recipe
        Of the same name.

    Examples
    --------
    >>> recipe = for_whole_photos(find_recipe("aligned"))
    >>> recipe.detector, recipe.alignment
    (WholeSettings(), None)
    """
    members = {
        name: replace(member, features=replace(member.features, frame=1.0))
        for name, member in recipe.members.items()
    }
    return replace(recipe, detector=WholeSettings(), alignment=None, frame=1.0, members=members)


def takes_whole_photos(recipe: Recipe) -> bool:
    """Return whether a recipe takes each photo for a face, without a detector.

    Parameters
    ----------
    recipe : Recipe
        Any recipe, also a stored one.

    Returns
    -------
    bool
        True for what `for_whole_photos` returns.

    Examples
    --------
    >>> takes_whole_photos(find_recipe("classic"))
    False
    """
    return isinstance(recipe.detector, WholeSettings)


def lacks(recipe: Recipe) -> str | None:
    """Return which requirement of a recipe is not installed, and the command that helps.

    Parameters
    ----------
    recipe : Recipe
        Any recipe, also a stored one.

    Returns
    -------
    str or None
        None where nothing is missing.

    Examples
    --------
    >>> lacks(find_recipe("classic")) is None
    True
    """
    return embedding.missing() if recipe.embedding else None


def crops_of(recipe: Recipe) -> str:
    """Return the first recipe that cuts faces in the same way, so that both can share crops.

    Parameters
    ----------
    recipe : Recipe
        One of `RECIPES`, or one for whole photos.

    Returns
    -------
    str
        A key of `RECIPES`, or ``"whole"``.

    Examples
    --------
    >>> crops_of(RECIPES["embedding"])
    'aligned'
    """
    if takes_whole_photos(recipe):
        return "whole"
    return next(
        name
        for name, other in RECIPES.items()
        if (other.detector, other.alignment) == (recipe.detector, recipe.alignment)
    )


def cut_face(pixels: np.ndarray, face: Face, alignment: Alignment | None = None) -> np.ndarray:
    """Cut a face out of a photo: its box, or upright by its landmarks.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        RGB photo.
    face : Face
        A detected face, in pixels of `pixels`.
    alignment : Alignment, optional
        How to turn the face upright; without it the box is cut.

    Returns
    -------
    ndarray of shape (crop height, crop width, 3), uint8
        The crop; what lies outside the photo repeats its outermost pixels.

    Raises
    ------
    ModelError
        An alignment is given, but the face has no landmarks.

    Examples
    --------
    >>> cut_face(np.zeros((80, 60, 3), dtype=np.uint8), Face((10, 20, 30, 40), score=9)).shape
    (40, 30, 3)
    """
    if alignment is None:
        return cut(pixels, face.box)
    if face.landmarks is None:
        raise ModelError(
            "faces are aligned by landmarks, which only the detectors mtcnn and blazeface give"
        )
    return align(pixels, face.landmarks, alignment.width)


def prepare_crop(crop: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Return a crop as the recipe's prepared face.

    Parameters
    ----------
    crop : ndarray of shape (height, width, 3) or (height, width), uint8
        RGB or grey crop, as `cut_face` cuts it.
    recipe : Recipe
        Only `side`, `frame`, `colour` and `embedding` are used.

    Returns
    -------
    ndarray of shape (side, side) or (side, side, 3), uint8
        The prepared face: grey, or RGB where the recipe says so.

    Examples
    --------
    >>> prepare_crop(np.zeros((80, 80, 3), dtype=np.uint8), find_recipe("classic")).shape
    (100, 100)
    """
    face = to_square(crop, recipe.side, recipe.frame, recipe.in_colour)
    return to_colour(face) if recipe.in_colour else face


def to_rows(faces: Sequence[np.ndarray] | np.ndarray, recipe: Recipe) -> np.ndarray:
    """Return prepared faces as the rows of numbers that a model reads.

    Parameters
    ----------
    faces : sequence of ndarray of shape (side, side) or (side, side, 3), uint8
        As `prepare_crop` returns them.
    recipe : Recipe
        The recipe by which they were prepared.

    Returns
    -------
    ndarray of shape (n_faces, numbers), uint8 or float32
        As `rows_of` says: grey levels, RGB levels or embeddings.

    Raises
    ------
    ModelError
        The recipe uses embeddings, whose weights are not installed.

    Examples
    --------
    >>> to_rows(np.zeros((2, 100, 100), dtype=np.uint8), find_recipe("classic")).shape
    (2, 10000)
    """
    if recipe.embedding:
        rows = embedding.describe(np.asarray(faces))
        return np.hstack([rows, _convolutions(faces)]) if recipe.colour else rows
    return np.vstack([flatten(face) for face in faces])


def _convolutions(faces: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Return the mean of what convolutions find in each face and in its mirror image."""
    X = np.vstack([flatten(face) for face in faces])
    return np.asarray((BESIDE.extract(X) + BESIDE.extract(mirror(X))) / 2)


def rows_of(count: int, recipe: Recipe) -> tuple[tuple[int, int], np.dtype[Any]]:
    """Return the shape and dtype of the rows that `to_rows` returns of prepared faces.

    Parameters
    ----------
    count : int
        Number of faces.
    recipe : Recipe
        The recipe by which they are prepared.

    Returns
    -------
    shape : tuple of int
        Faces and numbers per face: side * side, three times as many in colour; or 128, and with
        convolutions 4,224.
    dtype : numpy.dtype
        uint8, or float32 for embeddings.

    Examples
    --------
    >>> rows_of(5, RECIPES["classic"])
    ((5, 10000), dtype('uint8'))
    """
    if recipe.embedding:
        numbers = DESCRIBED + (convolutions.COUNT if recipe.colour else 0)
        return (count, numbers), np.dtype(np.float32)
    return (count, recipe.side**2 * (3 if recipe.colour else 1)), np.dtype(np.uint8)
