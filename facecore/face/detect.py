"""Find faces in a photo: the Haar cascade behind an interface that other detectors can join."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from facecore.errors import ModelError
from facecore.face.mtcnn import Mtcnn
from facecore.face.prepare import to_grey

CASCADES = ("frontalface_alt", "frontalface_alt2", "frontalface_default")


# Smallest and largest value of each setting, and whether it is a whole number.
RANGES: dict[str, tuple[float, float, bool]] = {
    "scale_factor": (1.001, 10, False),
    "min_neighbors": (0, 1000, True),
    "long_side": (24, 10_000, True),
    "min_face": (0, 1, False),
    "min_pixels": (0, 10_000, True),
    "border": (0, 2, False),
}


MIN_SIZE = 54  # side of the smallest face that a model is trained on, in pixels


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
        Confidence of the detector; for the Haar cascade the number of overlapping detections.
    landmarks : tuple of tuple of float or None
        x and y of the eye at the left and at the right of the picture, the nose, and the corners
        of the mouth at the left and at the right, in pixels of the photo, where the detector
        gives them.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: tuple[tuple[float, float], ...] | None = None


class Detector(Protocol):
    """What every detector does: find faces in RGB pixels, largest first."""

    def __call__(self, pixels: np.ndarray) -> list[Face]: ...


@dataclass(frozen=True)
class HaarSettings:
    """Settings of the Haar cascade of Viola and Jones (CVPR 2001), as OpenCV ships it.

    The defaults were chosen on the train splits of the project's data (1,350 photos of LFW,
    UTKFace and celebrity crops), with the landmarks of a second detector as the reference.
    Photos with a face found: 0.998, 0.998 and 0.902; of these boxes 0.987, 0.984 and 0.956 sit
    on the face, at 12, 20 and 43 ms of one core. ``frontalface_alt`` at 1.05 / 3, searching for
    every size at once, found 0.998, 0.993 and 0.889 (right: 0.987, 0.993 and 0.960) at 62, 63 and
    93 ms, and under the same PCA and SVM, in five folds by person on 3,800 photos, its boxes gave
    a balanced accuracy of 0.835 against 0.842. In an earlier such comparison the boxes of
    ``frontalface_default`` at 1.1 / 5 gave 0.818, those of ``frontalface_alt`` 0.841.

    Parameters
    ----------
    cascade : str
        One of `CASCADES`.
    scale_factor : float
        Step between the sizes that are searched, above 1.
    min_neighbors : int
        Overlapping detections that make a face.
    long_side : int
        The photo is shrunk to this long side before the search, in pixels.
    min_face : float
        Smallest face that is searched, as a share of the long side, in (0, 1].
    min_pixels : int
        Faces that are smaller than this in the photo are searched only where there is no larger
        one: on small photos that takes half the time.
    border : float
        When nothing is found, search again with this share of the long side added on every
        side by repeating the outermost pixels (tight crops), then so in half the steps; 0 turns
        the further tries off.
    """

    cascade: str = "frontalface_alt2"
    scale_factor: float = 1.1
    min_neighbors: int = 3
    long_side: int = 480
    min_face: float = 0.1
    min_pixels: int = MIN_SIZE
    border: float = 0.25

    def __post_init__(self) -> None:
        if self.cascade not in CASCADES:
            raise ModelError(f"no cascade {self.cascade!r}; there are: {', '.join(CASCADES)}")
        _check_ranges(self)

    def build(self) -> Detector:
        """Return a new detector, for use by one thread only."""
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

    def __call__(self, pixels: np.ndarray) -> list[Face]:
        settings = self.settings
        grey = _shrink(to_grey(pixels), settings.long_side)
        for share, border, step in self._tries(pixels):
            smallest, width = (round(v * max(grey.shape)) for v in (share, border))
            if faces := self._search(grey, smallest, width, step):
                break
        x_scale = pixels.shape[1] / grey.shape[1]
        y_scale = pixels.shape[0] / grey.shape[0]
        return [
            Face((x * x_scale, y * y_scale, w * x_scale, h * y_scale), float(score))
            for (x, y, w, h), score in faces
        ]

    def _tries(self, pixels: np.ndarray) -> list[tuple[float, float, float]]:
        """Return smallest face, border and step of each search, until one finds something."""
        settings, step = self.settings, self.settings.scale_factor
        tries = [(_large_face(settings, pixels), 0.0, step), (settings.min_face, 0.0, step)]
        if border := settings.border:
            tries += [(settings.min_face, border, step)]
            tries += [(settings.min_face, border, (1 + step) / 2)]
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

    Photos of the train splits with a face found by the first search and by all of them: LFW
    0.9999 and 1.000, UTKFace 0.996 and 0.999, celebrity crops 0.957 and 0.998.

    Parameters
    ----------
    long_side : int
        The photo is shrunk to this long side before the search, in pixels.
    min_face : float
        Smallest face that is searched, as a share of the long side, in (0, 1].
    min_pixels : int
        Faces that are smaller than this in the photo are searched only where there is no larger
        one: on small photos that takes half the time.
    border : float
        When nothing is found, search again with this share of the long side added on every side
        by repeating the outermost pixels (tight crops), then for faces of half the smallest size,
        then for these at twice the long side with half the border; 0 turns the further tries off.
    """

    long_side: int = 480
    min_face: float = 0.083
    min_pixels: int = MIN_SIZE
    border: float = 0.25

    def __post_init__(self) -> None:
        _check_ranges(self)

    def build(self) -> Detector:
        """Return a new detector, for use by one thread only."""
        return _Cascaded(self)


class _Cascaded:
    def __init__(self, settings: MtcnnSettings) -> None:
        self.settings = settings
        self.net = Mtcnn()

    def __call__(self, pixels: np.ndarray) -> list[Face]:
        long, smallest = self.settings.long_side, self.settings.min_face
        border, large = self.settings.border, _large_face(self.settings, pixels)
        tries = [(long, share, 0.0) for share in dict.fromkeys((large, smallest))]
        if border:
            tries += [(long, smallest, border), (long, smallest / 2, 0.0)]
            tries += [(2 * long, smallest / 2, border / 2)]
        for side, share, width in tries:
            if faces := self._search(pixels, side, share, width):
                return faces
        return []

    def _search(self, pixels: np.ndarray, side: int, share: float, width: float) -> list[Face]:
        small, border = _shrink(pixels, side), 0
        smallest = max(share * max(small.shape[:2]), 12)
        x_scale, y_scale = pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0]
        if width:
            border = round(width * max(small.shape[:2]))
            small = cv2.copyMakeBorder(
                small, border, border, border, border, borderType=cv2.BORDER_REPLICATE
            )
        scale = np.array([x_scale, y_scale])
        faces = []
        for box, score, landmarks in zip(*self.net.detect(small, smallest), strict=True):
            (left, top), (right, bottom) = (box.reshape(2, 2) - border) * scale
            points = tuple((float(x), float(y)) for x, y in (landmarks - border) * scale)
            place = (float(left), float(top), float(right - left), float(bottom - top))
            faces.append(Face(place, float(score), points))
        return sorted(faces, key=lambda face: (-face.box[2] * face.box[3], face.box))


Settings = HaarSettings | MtcnnSettings


DETECTORS: dict[str, type[Settings]] = {"haar": HaarSettings, "mtcnn": MtcnnSettings}


def detector_spec(name: str, settings: Settings) -> dict[str, Any]:
    """Return the JSON form of a detector for a model's recipe.

    Parameters
    ----------
    name : str
        A key of `DETECTORS`.
    settings : HaarSettings or MtcnnSettings

    Returns
    -------
    dict
    """
    return {"name": name, **asdict(settings)}


def get_detector(spec: Mapping[str, Any]) -> Detector:
    """Return this thread's own detector for a recipe's description.

    OpenCV's cascades and nets are not thread-safe, so each thread keeps its own.

    Parameters
    ----------
    spec : mapping
        ``{"name": "haar", "scale_factor": 1.1, ...}``; what is left out takes its default.

    Returns
    -------
    callable
        Takes RGB pixels, ndarray of shape (height, width, 3), uint8; returns a list of `Face`,
        largest first.

    Raises
    ------
    ModelError
        The name or a setting is unknown.
    """
    settings = dict(spec)
    name = settings.pop("name", None)
    if not isinstance(name, str) or name not in DETECTORS:
        raise ModelError(f"no detector {name!r}; there are: {', '.join(DETECTORS)}")
    known = [field.name for field in fields(DETECTORS[name])]
    if unknown := sorted(set(settings) - set(known)):
        raise ModelError(
            f"detector {name!r} has no setting {', '.join(unknown)}; there are: {', '.join(known)}"
        )
    chosen = DETECTORS[name](**settings)
    cache = _local.__dict__.setdefault("detectors", {})
    if chosen not in cache:
        if len(cache) >= 8:  # settings come from sliders; do not keep a detector for each
            cache.clear()
        cache[chosen] = chosen.build()
    detector: Detector = cache[chosen]
    return detector


def _check_ranges(settings: Any) -> None:
    for name in (field.name for field in fields(settings) if field.name in RANGES):
        low, high, whole = RANGES[name]
        value = getattr(settings, name)
        number = isinstance(value, int if whole else (int, float)) and value is not True
        if not number or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise ModelError(f"detector setting {name} is {kind} from {low} to {high}")


def _large_face(settings: Any, pixels: np.ndarray) -> float:
    """Return the share of the long side from which on a face is searched first."""
    return max(settings.min_face, min(settings.min_pixels / max(pixels.shape[:2]), 0.5))


def _shrink(pixels: np.ndarray, long_side: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
