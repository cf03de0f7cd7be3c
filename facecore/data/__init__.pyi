"""Labelled folders as tables: photos, crops, face sizes, splits."""

from .archive import (
    PREDICTION_LIMITS,
    TRAINING_LIMITS,
    Entry,
    count_photos,
    read_photos,
)
from .crops import (
    ALL,
    STATES,
    TABLE,
    CropSettings,
    count_states,
    crop_folder,
    read_table,
    recipe_settings,
    recipes_for,
)
from .faces import (
    gather,
    load_faces,
)
from .listing import (
    list_photos,
    root_of,
)
from .sizes import (
    count_by_size,
    describe_sizes,
    effect_of_minimum,
    face_sizes,
    sizes_of,
)
from .splits import (
    split_folds,
    subjects,
)

__all__ = [
    "ALL",
    "PREDICTION_LIMITS",
    "STATES",
    "TABLE",
    "TRAINING_LIMITS",
    "CropSettings",
    "Entry",
    "count_by_size",
    "count_photos",
    "count_states",
    "crop_folder",
    "describe_sizes",
    "effect_of_minimum",
    "face_sizes",
    "gather",
    "list_photos",
    "load_faces",
    "read_photos",
    "read_table",
    "recipe_settings",
    "recipes_for",
    "root_of",
    "sizes_of",
    "split_folds",
    "subjects",
]
