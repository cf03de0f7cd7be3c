"""Find faces in a photo: three detectors, or none at all, behind one interface.

A photo is searched shrunk, for faces of about a tenth of its long side. A larger one, of a group
perhaps, may have smaller faces of 54 pixels and more: it is searched for these as well.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

import cv2
import numpy as np

from facecore.errors import ModelError
from facecore.face.blazeface import BlazeFace
from facecore.face.mtcnn import CELL, QUICK, Mtcnn, suppress
from facecore.face.prepare import shrink, to_grey

CASCADES = ("frontalface_alt", "frontalface_alt2", "frontalface_default")

# Smallest and largest value of each setting, and whether it is a whole number.
RANGES: dict[str, tuple[float, float, bool]] = {
    "scale_factor": (1.001, 10, False),
    "min_neighbors": (0, 1000, True),
    "long_side": (24, 10_000, True),
    "min_face": (0, 1, False),
    "min_pixels": (0, 10_000, True),
    "border": (0, 2, False),
    "most_pixels": (0, 100_000_000, True),
}

MIN_SIZE = 54  # side of the smallest face that a model is trained on, in pixels
COARSE, FINE = 1.2, 1.05  # steps between sizes: where a small face may be, and whether it is one
SLACK = 0.75  # of the smallest face: a narrower one was found by chance
TIGHT = 0.4  # of the long side: the smallest face of a tight crop
PLACES = 2000  # where the cascade looks closer, at most: they bound the time
CLOSE = 32  # side of a small face where the cascade looks closer, in pixels
DOUBTED = 0.97  # score of a face below which the photo may lie on its side
SURE = 0.99  # least score of a face in a turned photo
TURNS = (30, -30, 90, -90, 180)  # degrees: how photos without an upright face are searched again

_local = threading.local()


@dataclass(frozen=True)
class Face:
    """A detected face.

    Parameters
    ----------
    box : tuple of float
        x, y, width, height in pixels of the upright photo at full resolution; may reach over
        the photo's border.
    score : float
        Confidence of the detector; for the Haar cascade the number of overlapping detections, and
        1 for a whole photo, which nobody searched.
    landmarks : tuple of tuple of float or None
        x and y of the eye at the left and at the right of the picture, the nose, and the corners
        of the mouth at the left and at the right, in pixels of the photo, where the detector
        gives them.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: tuple[tuple[float, float], ...] | None = None


class Detector(Protocol):
    """What every detector does: find faces in RGB pixels, largest first.

    `scale` is the number of pixels per pixel of the full photo, in (0, 1]. Where only the main face
    is needed, `every` is False, and small ones are looked for only if there is no other.
    """

    def __call__(
        self, pixels: np.ndarray, *, scale: float = 1.0, every: bool = True
    ) -> list[Face]: ...


@dataclass(frozen=True)
class HaarSettings:
    """Settings of the Haar cascade of Viola and Jones (2001), as OpenCV ships it.

    The defaults were chosen on the training photos; see docs/decisions.

    Parameters
    ----------
    cascade : str
        One of `CASCADES`.
    scale_factor : float
        Ratio between two sizes that are searched, from 1.001 to 10.
    min_neighbors : int
        Number of overlapping detections that make a face, from 0 to 1,000.
    long_side : int
        The photo is shrunk to this long side before the search, from 24 to 10,000 pixels.
    min_face : float
        Side of the smallest face that is searched, as a share of the long side, in [0, 1].
    min_pixels : int
        Faces smaller than this in the photo are searched only if there is no larger one, which
        saves time on small photos; from 0 to 10,000 pixels.
    border : float
        Where nothing is found, the photo is searched again with this share of its long side
        added on every side by repeating the outermost pixels, which helps with tight crops, and
        then in half the steps; in [0, 2], and 0 turns these searches off.
    most_pixels : int
        Where the smallest face that was searched is larger than `min_pixels` in the photo, those
        between are searched as well, on a copy of at most so many pixels; on larger photos from
        `smallest_face` on. From 0 to 100,000,000; 0 turns this search off.

    Raises
    ------
    ModelError
        The cascade is unknown, or a setting is not a number in its range.

    Examples
    --------
    >>> HaarSettings(min_neighbors=5).cascade
    'frontalface_alt2'
    """

    CELL: ClassVar[float] = 20  # the smallest face that the cascade sees, in pixels of its copy

    cascade: str = "frontalface_alt2"
    scale_factor: float = 1.1
    min_neighbors: int = 3
    long_side: int = 480
    min_face: float = 0.1
    min_pixels: int = MIN_SIZE
    border: float = 0.25
    most_pixels: int = 900_000

    def __post_init__(self) -> None:
        if self.cascade not in CASCADES:
            raise ModelError(f"no cascade {self.cascade!r}; there are: {', '.join(CASCADES)}")
        _check_ranges(self)

    def build(self) -> Detector:
        """Return a new detector, for use by one thread only.

        Returns
        -------
        callable
            As `get_detector` returns it.

        Raises
        ------
        ModelError
            OpenCV was installed without the cascade.
        """
        return _Haar(self)


class _Haar:
    def __init__(self, settings: HaarSettings) -> None:
        self.settings = settings
        path = Path(cv2.__file__).parent / "data" / f"haarcascade_{settings.cascade}.xml"
        self.cascade = cv2.CascadeClassifier(str(path))
        if self.cascade.empty():  # OpenCV does not raise for a missing file
            raise ModelError(
                f"OpenCV {cv2.__version__} has no Haar cascade at {path.name}; "
                "pip install 'opencv-python-headless>=4.14,<5'"
            )

    def __call__(self, pixels: np.ndarray, *, scale: float = 1.0, every: bool = True) -> list[Face]:
        return _search_twice(self, to_grey(pixels), scale, every)

    def search_small(self, grey: np.ndarray, smallest: float) -> list[Face]:
        """Find where small faces may be in steps that are too large, then look there closer."""
        scale = HaarSettings.CELL / smallest
        copy = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        most = round(self.settings.min_face * max(grey.shape) * scale * COARSE)
        found, _ = self.cascade.detectMultiScale2(
            copy,
            scaleFactor=COARSE,
            minNeighbors=0,
            minSize=(round(HaarSettings.CELL),) * 2,
            maxSize=(most, most),
        )
        if not len(found):
            return []
        places = np.array(sorted(tuple(int(v) for v in box) for box in found))
        boxes = np.hstack([places[:, :2], places[:, :2] + places[:, 2:]])
        kept = suppress(boxes, places[:, 2].astype(float), 0.25)[:PLACES]  # the largest first
        places = places[kept] / scale
        faces = (self._look_closer(grey, *map(float, place)) for place in places)
        return [face for face in faces if face is not None]

    def _look_closer(
        self, grey: np.ndarray, x: float, y: float, width: float, height: float
    ) -> Face | None:
        """Return the most certain face around a box, whose side is between two steps."""
        margin = 0.35 * width
        left, top = max(round(x - margin), 0), max(round(y - margin), 0)
        part = grey[top : round(y + height + margin), left : round(x + width + margin)]
        scale = CLOSE / width
        found, scores = self.cascade.detectMultiScale2(
            cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
            scaleFactor=FINE,
            minNeighbors=self.settings.min_neighbors,
            minSize=(round(0.6 * CLOSE),) * 2,
        )
        if not len(found):
            return None
        score, box = max(
            (int(score), tuple(map(int, box))) for score, box in zip(scores, found, strict=True)
        )
        x, y, width, height = (value / scale for value in box)
        return Face((left + x, top + y, width, height), float(score))

    def search_shrunk(self, pixels: np.ndarray, large: bool) -> list[Face]:
        """Search the photo at the long side of the settings, in ways that cost more and more.

        A large photo is searched for small faces afterwards.
        """
        settings = self.settings
        grey = shrink(pixels, settings.long_side)
        # from the cheapest search to the dearest; most photos need the first only
        for share, border, step in self._tries(pixels, large):
            smallest, width = (round(v * max(grey.shape)) for v in (share, border))
            if faces := self._search(grey, smallest, width, step):
                break
        x_scale = pixels.shape[1] / grey.shape[1]
        y_scale = pixels.shape[0] / grey.shape[0]
        return [
            Face((x * x_scale, y * y_scale, w * x_scale, h * y_scale), float(score))
            for (x, y, w, h), score in faces
        ]

    def _tries(self, pixels: np.ndarray, large: bool) -> list[tuple[float, float, float]]:
        """Return smallest face, border and step of each search, in the order of their cost."""
        settings, step = self.settings, self.settings.scale_factor
        tries = [(_large_face(settings, pixels), 0.0, step), (settings.min_face, 0.0, step)]
        if border := settings.border:
            # a border helps with tight crops; a large photo is searched for small faces anyway
            smallest = max(settings.min_face, TIGHT) if large else settings.min_face
            tries += [(smallest, border, step), (smallest, border, (1 + step) / 2)]
        return list(dict.fromkeys(tries))

    def _search(
        self, grey: np.ndarray, smallest: int, border: int, step: float
    ) -> list[tuple[tuple[int, int, int, int], int]]:
        boxes, scores = self.cascade.detectMultiScale2(
            cv2.copyMakeBorder(grey, *4 * (border,), borderType=cv2.BORDER_REPLICATE),
            scaleFactor=step,
            minNeighbors=self.settings.min_neighbors,
            minSize=(smallest, smallest),
        )
        found = [
            ((int(x) - border, int(y) - border, int(w), int(h)), int(score))
            for (x, y, w, h), score in zip(boxes, scores, strict=True)
        ]
        # OpenCV's order is not stable
        return sorted(found, key=lambda item: (-item[0][2] * item[0][3], item[0]))


@dataclass(frozen=True)
class MtcnnSettings:
    """Settings of the multi-task cascaded networks (Zhang, Zhang, Li and Qiao 2016).

    The defaults were chosen on the training photos; see docs/decisions.

    Parameters
    ----------
    long_side : int
        The photo is shrunk to this long side before the search, from 24 to 10,000 pixels.
    min_face : float
        Side of the smallest face that is searched, as a share of the long side, in [0, 1].
    min_pixels : int
        Faces smaller than this in the photo are searched only if there is no larger one, which
        saves time on small photos; from 0 to 10,000 pixels.
    border : float
        Where nothing is found, the photo is searched again with this share of its long side
        added on every side by repeating the outermost pixels, which helps with tight crops. Then
        it is searched for faces of half the smallest size, and for these at twice the long side
        with half the border. In [0, 2]; 0 turns these searches off.
    most_pixels : int
        Where the smallest face that was searched is larger than `min_pixels` in the photo, those
        between are searched as well, on a copy of at most so many pixels; on larger photos from
        `smallest_face` on. From 0 to 100,000,000; 0 turns this search off.

    Raises
    ------
    ModelError
        A setting is not a number in its range.

    Examples
    --------
    >>> MtcnnSettings(long_side=960).min_face
    0.083
    """

    CELL: ClassVar[float] = 9.6  # as that of the cascade: in a larger window, the network sees it

    long_side: int = 480
    min_face: float = 0.083
    min_pixels: int = MIN_SIZE
    border: float = 0.25
    most_pixels: int = 1_000_000

    def __post_init__(self) -> None:
        _check_ranges(self)

    def build(self) -> Detector:
        """Return a new detector, for use by one thread only.

        Returns
        -------
        callable
            As `get_detector` returns it.

        Raises
        ------
        ModelError
            The package with the weights is not installed.
        """
        return _Cascaded(self)


@dataclass(frozen=True)
class BlazeSettings:
    """Settings of BlazeFace (Bazarevsky et al. 2019), judged by MTCNN's third network.

    BlazeFace sees the photo once, in 128 pixels, and proposes; the third network of MTCNN decides
    and places the landmarks. MTCNN searches alone for what is too small for BlazeFace, and where
    that finds nothing. The defaults were chosen on the training photos; see docs/decisions.

    Parameters
    ----------
    min_face : float
        Side of the smallest face that BlazeFace finds, as a share of the long side, in [0, 1].
    min_pixels : int
        Faces smaller than this in the photo are taken only if there is no larger one; from 0 to
        10,000 pixels.
    border : float
        Where nothing is found, the photo is searched again with this share of its long side
        added on every side by repeating the outermost pixels, and with 2.4 times as much, which
        helps with tight crops. Where still nothing is found, or nothing that is sure, it is turned,
        and last MTCNN searches it. In [0, 2]; 0 turns these searches off.
    most_pixels : int
        Where the smallest face that was searched is larger than `min_pixels` in the photo, those
        between are searched as well, on a copy of at most so many pixels; on larger photos from
        `smallest_face` on. From 0 to 100,000,000; 0 turns this search off.

    Raises
    ------
    ModelError
        A setting is not a number in its range.

    Examples
    --------
    >>> BlazeSettings().min_face
    0.12
    """

    CELL: ClassVar[float] = MtcnnSettings.CELL  # whose networks search for small faces

    min_face: float = 0.12
    min_pixels: int = MIN_SIZE
    border: float = 0.25
    most_pixels: int = 1_000_000

    def __post_init__(self) -> None:
        _check_ranges(self)

    def build(self) -> Detector:
        """Return a new detector, for use by one thread only.

        Returns
        -------
        callable
            As `get_detector` returns it.

        Raises
        ------
        ModelError
            The package with MTCNN's weights is not installed.
        """
        return _Blaze(self)


class _Blaze:
    def __init__(self, settings: BlazeSettings) -> None:
        self.settings = settings
        self.net = BlazeFace()
        self.cascaded = _Cascaded(MtcnnSettings())

    def __call__(self, pixels: np.ndarray, *, scale: float = 1.0, every: bool = True) -> list[Face]:
        faces = _search_twice(self, pixels, scale, every)
        if not self.settings.border:
            return faces
        likeliest = max((face.score for face in faces), default=0.0)
        if likeliest < DOUBTED:
            turned = self._search_turned(pixels)
            if max((face.score for face in turned), default=0.0) > likeliest:
                return turned
        return faces or self.cascaded.search_shrunk(pixels, large=False)

    def search_small(self, pixels: np.ndarray, smallest: float) -> list[Face]:
        """Search the photo for faces that are too small for BlazeFace."""
        return self.cascaded.search_small(pixels, smallest, self.settings.min_face)

    def search_shrunk(self, pixels: np.ndarray, large: bool) -> list[Face]:
        """Search the photo, and once more with a border around it where nothing is found."""
        border = self.settings.border
        for width in dict.fromkeys((0.0, border, 2.4 * border)):
            if faces := self._search(pixels, width):
                return faces
        return []

    def _search(self, pixels: np.ndarray, border: float = 0.0) -> list[Face]:
        boxes = self.net.propose(pixels, border)
        faces = _to_faces(*self.cascaded.net.judge(pixels, boxes))
        large = [face for face in faces if face.box[2] >= SLACK * self.settings.min_pixels]
        return large or faces

    def _search_turned(self, pixels: np.ndarray) -> list[Face]:
        """Search a photo that lies on its side, or shows people who do."""
        best: list[Face] = []
        small = shrink(pixels, self.cascaded.settings.long_side)
        factor = max(pixels.shape[:2]) / max(small.shape[:2])
        middle = np.array([small.shape[1], small.shape[0]]) / 2
        for angle in TURNS:
            there = cv2.getRotationMatrix2D(middle.tolist(), angle, 1.0)
            half = np.abs(there[:, :2]) @ middle
            there[:, 2] += half - middle  # so that all of the photo is seen
            size = np.ceil(2 * half).astype(int).tolist()
            turned = cv2.warpAffine(small, there, size, borderMode=cv2.BORDER_REPLICATE)
            sure = [face for face in self._search(turned) if face.score >= SURE]
            if sure and (not best or sure[0].score > best[0].score):
                best = _turn_back(sure, cv2.invertAffineTransform(there), factor)
        return best


def _turn_back(faces: Sequence[Face], back: np.ndarray, factor: float) -> list[Face]:
    """Return faces of a turned copy where they are in the photo, `factor` times as large."""

    def move(x: float, y: float) -> tuple[float, float]:
        px, py = (factor * (back @ (x, y, 1.0))).tolist()
        return px, py

    moved = []
    for face in faces:
        x, y, width, height = face.box
        middle_x, middle_y = move(x + width / 2, y + height / 2)
        width, height = factor * width, factor * height
        box = middle_x - width / 2, middle_y - height / 2, width, height
        marks = tuple(move(*mark) for mark in face.landmarks or ())
        moved.append(Face(box, face.score, marks))
    return moved


class _Cascaded:
    def __init__(self, settings: MtcnnSettings) -> None:
        self.settings = settings
        self.net = Mtcnn()

    def __call__(self, pixels: np.ndarray, *, scale: float = 1.0, every: bool = True) -> list[Face]:
        return _search_twice(self, pixels, scale, every)

    def search_small(
        self, pixels: np.ndarray, smallest: float, share: float | None = None
    ) -> list[Face]:
        """Search the photo for faces from a size on that the other search leaves out.

        `share` is the smallest face of that search; the settings' own if left out.
        """
        least = smallest * CELL / MtcnnSettings.CELL
        most = 1.5 * (share or self.settings.min_face) * max(pixels.shape[:2])
        return _to_faces(*self.net.detect(pixels, least, most, QUICK))

    def search_shrunk(self, pixels: np.ndarray, large: bool) -> list[Face]:
        """Search the photo at the long side of the settings, in ways that cost more and more."""
        long, smallest = self.settings.long_side, self.settings.min_face
        border, first = self.settings.border, _large_face(self.settings, pixels)
        tries = [(long, share, 0.0) for share in dict.fromkeys((first, smallest))]
        if border:
            tries += [(long, smallest, border), (long, smallest / 2, 0.0)]
            tries += [(2 * long, smallest / 2, border / 2)]
        for side, share, width in tries:
            if faces := self._search(pixels, side, share, width):
                return faces
        return []

    def _search(self, pixels: np.ndarray, side: int, share: float, width: float) -> list[Face]:
        small, border = shrink(pixels, side), 0
        smallest = max(share * max(small.shape[:2]), 12)  # the first network sees 12 pixels
        x_scale, y_scale = pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]
        if width:
            border = round(width * max(small.shape[:2]))
            small = cv2.copyMakeBorder(
                small, border, border, border, border, borderType=cv2.BORDER_REPLICATE
            )
        scale = np.array([x_scale, y_scale])
        boxes, scores, landmarks = self.net.detect(small, smallest)
        corners = (boxes.reshape(-1, 2, 2) - border) * scale
        return _to_faces(corners.reshape(-1, 4), scores, (landmarks - border) * scale)


def _to_faces(boxes: np.ndarray, scores: np.ndarray, landmarks: np.ndarray) -> list[Face]:
    faces = []
    for box, score, marks in zip(boxes, scores, landmarks, strict=True):
        left, top, right, bottom = map(float, box)
        points = tuple((float(x), float(y)) for x, y in marks)
        faces.append(Face((left, top, right - left, bottom - top), float(score), points))
    return _by_size(faces)


@dataclass(frozen=True)
class WholeSettings:
    """No detector: each photo is one face already, from border to border.

    Examples
    --------
    >>> WholeSettings().build()(np.zeros((112, 92, 3), dtype=np.uint8))
    [Face(box=(0.0, 0.0, 92.0, 112.0), score=1.0, landmarks=None)]
    """

    def build(self) -> Detector:
        """Return what takes a photo for a face.

        Returns
        -------
        callable
            As `get_detector` returns it.
        """
        return _take_whole


def _take_whole(pixels: np.ndarray, *, scale: float = 1.0, every: bool = True) -> list[Face]:
    height, width = pixels.shape[:2]
    return [Face((0.0, 0.0, float(width), float(height)), score=1.0)]


Searching = HaarSettings | MtcnnSettings | BlazeSettings
Settings = Searching | WholeSettings
DETECTORS: dict[str, type[Settings]] = {
    "haar": HaarSettings,
    "mtcnn": MtcnnSettings,
    "blazeface": BlazeSettings,
    "whole": WholeSettings,
}


def spec_of(settings: Settings) -> dict[str, Any]:
    """Return a detector's settings as a model file stores them.

    Parameters
    ----------
    settings : HaarSettings, MtcnnSettings, BlazeSettings or WholeSettings
        The detector's settings.

    Returns
    -------
    dict
        The detector's name and all its settings, JSON types only.

    Examples
    --------
    >>> spec_of(MtcnnSettings())["name"]
    'mtcnn'
    """
    name = next(name for name, kind in DETECTORS.items() if kind is type(settings))
    return {"name": name, **asdict(settings)}


def parse_detector(spec: Any) -> Settings:
    """Return the settings that `spec_of` turned into a dict, checked.

    Parameters
    ----------
    spec : object
        A mapping such as ``{"name": "haar", "scale_factor": 1.1}``; settings left out take their
        defaults.

    Returns
    -------
    HaarSettings, MtcnnSettings, BlazeSettings or WholeSettings
        The detector's settings, checked.

    Raises
    ------
    ModelError
        The value is not a mapping, the name or a setting is unknown, or a value is out of range.

    Examples
    --------
    >>> parse_detector({"name": "haar", "min_neighbors": 5}).min_neighbors
    5
    """
    if not isinstance(spec, Mapping):
        raise ModelError(f"the detector {spec!r} is not a table of settings")
    settings = {str(key): value for key, value in spec.items()}
    name = settings.pop("name", None)
    if not isinstance(name, str) or name not in DETECTORS:
        raise ModelError(f"no detector {name!r}; there are: {', '.join(DETECTORS)}")
    known = [field.name for field in fields(DETECTORS[name])]
    if unknown := sorted(set(settings) - set(known)):
        raise ModelError(
            f"detector {name!r} has no setting {', '.join(unknown)}; there are: {', '.join(known)}"
        )
    return DETECTORS[name](**settings)


def get_detector(detector: Settings | Mapping[str, Any]) -> Detector:
    """Return this thread's own detector.

    OpenCV's cascades and nets are not thread-safe, so each thread keeps its own.

    Parameters
    ----------
    detector : HaarSettings, MtcnnSettings, WholeSettings or mapping
        The detector's settings, or a mapping as `parse_detector` takes it.

    Returns
    -------
    callable
        Takes RGB pixels, ndarray of shape (height, width, 3), uint8; returns a list of `Face`,
        largest first. See `Detector` for what else it takes.

    Raises
    ------
    ModelError
        A setting is wrong, or the cascade or the weights are not installed.

    Examples
    --------
    >>> get_detector(HaarSettings())(np.zeros((60, 80, 3), dtype=np.uint8))
    []
    """
    settings = parse_detector(detector) if isinstance(detector, Mapping) else detector
    cache = _local.__dict__.setdefault("detectors", {})
    if settings not in cache:
        if len(cache) >= 8:  # settings come from sliders; do not keep a detector for each
            cache.clear()
        cache[settings] = settings.build()
    found: Detector = cache[settings]
    return found


class Located(Protocol):
    """What has a box: a `Face`, or an answer about one."""

    @property
    def box(self) -> Sequence[float]:
        """x, y, width and height, in pixels."""
        ...


def main_face(faces: Sequence[Located], width: int, height: int) -> int:
    """Return which face a photo is about: a large one near the middle.

    The largest is not always the person whom a label means: somebody at the border may be nearer
    to the camera (docs/decisions/main-face.md).

    Parameters
    ----------
    faces : sequence
        At least one face with a box of x, y, width and height, as `Face` has it.
    width, height : int
        Of the photo, in the pixels of the boxes, at least 1.

    Returns
    -------
    int
        Index of the face with the largest area x (1 - d)², where d is the distance between the
        middles of its box and of the photo, in halves of the photo's diagonal. Of equal ones, the
        first.

    Examples
    --------
    >>> beside, middle = Face((0, 0, 40, 40), score=0.9), Face((60, 40, 36, 36), score=0.9)
    >>> main_face([beside, middle], width=160, height=120)
    1
    """
    half = math.hypot(width, height) / 2

    def worth(face: Located) -> float:
        x, y, w, h = face.box
        away = math.hypot(x + w / 2 - width / 2, y + h / 2 - height / 2) / half
        return w * h * max(1 - away, 0) ** 2

    return max(range(len(faces)), key=lambda i: worth(faces[i]))


def smallest_face(settings: Settings, width: int, height: int, scale: float = 1.0) -> float:
    """Return the side of the smallest face that is looked for in a photo.

    Parameters
    ----------
    settings : HaarSettings, MtcnnSettings, BlazeSettings or WholeSettings
        The detector's settings.
    width, height : int
        Of the photo as it is searched, in pixels, at least 1.
    scale : float
        Its pixels per pixel of the full photo, in (0, 1].

    Returns
    -------
    float
        In pixels of the photo as it is searched; 0 where nobody searches.

    Examples
    --------
    >>> smallest_face(HaarSettings(), 3000, 2000)
    54.0
    >>> round(smallest_face(HaarSettings(), 4000, 3000))
    73
    >>> round(smallest_face(HaarSettings(most_pixels=0), 3000, 2000))
    300
    """
    if isinstance(settings, WholeSettings):
        return 0.0
    first = settings.min_face * max(width, height)
    if not settings.most_pixels:
        return first
    seen = settings.CELL * max(1.0, math.sqrt(width * height / settings.most_pixels))
    return min(first, max(settings.min_pixels * scale, seen))


def _search_twice(
    detector: "_Haar | _Cascaded | _Blaze", pixels: np.ndarray, scale: float, every: bool
) -> list[Face]:
    """Search a photo shrunk, and then for the small faces that this leaves out."""
    smallest = _small_face(detector.settings, pixels, scale)
    faces = detector.search_shrunk(pixels, large=smallest > 0)
    if smallest and (every or not faces):
        return _join(faces, detector.search_small(pixels, smallest), SLACK * smallest)
    return faces


def _small_face(settings: Searching, pixels: np.ndarray, scale: float) -> float:
    """Return the smallest face of the search for small ones; 0 where the first saw as much."""
    height, width = pixels.shape[:2]
    smallest = smallest_face(settings, width, height, scale)
    largest = min(settings.min_face * max(width, height), width, height)
    return smallest if smallest < largest else 0.0


def _join(faces: list[Face], small: list[Face], least: float) -> list[Face]:
    """Return the faces of two searches, each once: the more certain one, largest first."""
    faces = [*faces, *(face for face in small if face.box[2] >= least)]
    boxes = np.array([face.box for face in faces]).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    scores = np.array([face.score for face in faces])
    return _by_size([faces[i] for i in suppress(boxes, scores, 0.5, of_smaller=True)])


def _by_size(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: (-face.box[2] * face.box[3], face.box))


def _check_ranges(settings: Searching) -> None:
    for name in (field.name for field in fields(settings) if field.name in RANGES):
        low, high, whole = RANGES[name]
        value = getattr(settings, name)
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise ModelError(f"detector setting {name} must be {kind} from {low} to {high}")


def _large_face(settings: Searching, pixels: np.ndarray) -> float:
    """Return the smallest face of the first search, as a share of the long side."""
    long_side: int = max(pixels.shape[:2])
    return max(settings.min_face, min(settings.min_pixels / long_side, 0.5))
