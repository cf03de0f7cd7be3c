"""From a photo to its faces, and from a face to the numbers that a model reads."""

from .detect import (
    CASCADES,
    DETECTORS,
    MIN_SIZE,
    Face,
    HaarSettings,
    MtcnnSettings,
    detector_spec,
    get_detector,
)
from .features import (
    DESCRIBED,
    Features,
)
from .images import (
    DEFAULT_LIMITS,
    FORMATS,
    SUFFIXES,
    Limits,
    Photo,
    decode,
    to_png,
)
from .prepare import (
    align,
    cut,
    flatten,
    mirror,
    to_grey,
    to_square,
)
from .recipes import (
    DEFAULT_RECIPE,
    MEMBERS,
    RECIPES,
    crops_of,
    cut_face,
    find_recipe,
    lacks,
    prepare_crop,
    to_rows,
)

__all__ = [
    "CASCADES",
    "DEFAULT_LIMITS",
    "DEFAULT_RECIPE",
    "DESCRIBED",
    "DETECTORS",
    "FORMATS",
    "MEMBERS",
    "MIN_SIZE",
    "RECIPES",
    "SUFFIXES",
    "Face",
    "Features",
    "HaarSettings",
    "Limits",
    "MtcnnSettings",
    "Photo",
    "align",
    "crops_of",
    "cut",
    "cut_face",
    "decode",
    "detector_spec",
    "find_recipe",
    "flatten",
    "get_detector",
    "lacks",
    "mirror",
    "prepare_crop",
    "to_grey",
    "to_png",
    "to_rows",
    "to_square",
]
