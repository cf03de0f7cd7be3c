"""Rows of numbers in, a model out."""

from .arrays import (
    train_arrays,
)
from .background import (
    Job,
    cancel_job,
    clear_job,
    drop_photos,
    read_job,
    start_training,
    take_photos,
)
from .doubts import (
    LONELY_FROM,
    find_suspects,
)
from .estimator import (
    FaceSpaceClassifier,
    fit_member,
)
from .explorer import (
    Refit,
    project_crops,
    refit,
)
from .grids import (
    Candidate,
)
from .kernels import (
    choose_labels,
)
from .ladder import (
    LADDER_FOLDER,
    Ladder,
    ladder_folder,
    read_ladder,
    rungs_of,
)
from .nystroem import (
    fit_nystroem,
)
from .options import (
    LANDMARKS,
    MEMORY_MB,
    TrainingOptions,
)
from .pipeline import (
    train,
)
from .points import (
    CROPS,
    MADE,
    REAL,
    FacePoints,
    make_points,
    read_points,
)
from .search import (
    SearchResult,
    count_folds,
    grid_search,
    simplest_within_one_error,
    standard_error,
)
from .second_look import (
    CELL,
    KINDS,
    TEST,
    TRAINING,
    cross_answers,
    nearest_rows,
    photos_of,
    select_photos,
)
from .streaming import (
    FacesOnDisk,
    in_chunks,
    row_chunks,
)

__all__ = [
    "CELL",
    "CROPS",
    "KINDS",
    "LADDER_FOLDER",
    "LANDMARKS",
    "LONELY_FROM",
    "MADE",
    "MEMORY_MB",
    "REAL",
    "TEST",
    "TRAINING",
    "Candidate",
    "FacePoints",
    "FaceSpaceClassifier",
    "FacesOnDisk",
    "Job",
    "Ladder",
    "Refit",
    "SearchResult",
    "TrainingOptions",
    "cancel_job",
    "choose_labels",
    "clear_job",
    "count_folds",
    "cross_answers",
    "drop_photos",
    "find_suspects",
    "fit_member",
    "fit_nystroem",
    "grid_search",
    "in_chunks",
    "ladder_folder",
    "make_points",
    "nearest_rows",
    "photos_of",
    "project_crops",
    "read_job",
    "read_ladder",
    "read_points",
    "refit",
    "row_chunks",
    "rungs_of",
    "select_photos",
    "simplest_within_one_error",
    "standard_error",
    "start_training",
    "take_photos",
    "train",
    "train_arrays",
]
