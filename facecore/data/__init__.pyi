"""Labelled folders as tables: photos, crops, face sizes, splits."""

from .archive import (
    PREDICTION_LIMITS,
    TRAINING_LIMITS,
    Entry,
    Survey,
    count_photos,
    read_photos,
    survey_labels,
    survey_photos,
)
from .corrections import (
    correct,
    read_corrections,
)
from .crops import (
    ALL,
    STATES,
    TABLE,
    CropSettings,
    count_states,
    crop_folder,
    has_whole_photos,
    minimum_of,
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
    photo_at,
    read_listing,
    root_of,
    table_of,
)
from .losses import (
    NONE_LEFT,
    Loss,
    describe_losses,
    find_losses,
)
from .names import (
    ENCODINGS,
)
from .samples import (
    MOST_AT_ONCE,
    Sample,
    pack_samples,
    read_samples,
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
    split_for_search,
    subject_names,
)

__all__ = [
    "ALL",
    "ENCODINGS",
    "MOST_AT_ONCE",
    "NONE_LEFT",
    "PREDICTION_LIMITS",
    "STATES",
    "TABLE",
    "TRAINING_LIMITS",
    "CropSettings",
    "Entry",
    "Loss",
    "Sample",
    "Survey",
    "correct",
    "count_by_size",
    "count_photos",
    "count_states",
    "crop_folder",
    "describe_losses",
    "describe_sizes",
    "effect_of_minimum",
    "face_sizes",
    "find_losses",
    "gather",
    "has_whole_photos",
    "list_photos",
    "load_faces",
    "minimum_of",
    "pack_samples",
    "photo_at",
    "read_corrections",
    "read_listing",
    "read_photos",
    "read_samples",
    "read_table",
    "recipe_settings",
    "recipes_for",
    "root_of",
    "sizes_of",
    "split_folds",
    "split_for_search",
    "subject_names",
    "survey_labels",
    "survey_photos",
    "table_of",
]
