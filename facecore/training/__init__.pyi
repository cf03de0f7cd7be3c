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
    start_curve,
    start_training,
    take_photos,
)
from .bias_figures import (
    GroupFigures,
    SkewGap,
    describe_trial,
    gap_of,
    hit_by,
    match_eigenfaces,
    name_part,
    tabulate_groups,
)
from .bias_lab import (
    BiasTrial,
    LabTraining,
    try_remedies,
    try_skew,
)
from .calibrate import score_folds, set_borders
from .doubts import (
    LONELY_FROM,
    find_suspects,
)
from .estimator import (
    FaceSpaceClassifier,
    fit_member,
)
from .explorer import (
    FoldedFaces,
    Refit,
    fold_crops,
    fold_points,
    refit,
)
from .grids import (
    Candidate,
    count_candidates,
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
from .learning_curve import (
    estimate_seconds,
    measure_curve,
    refuse_curve,
)
from .learning_forecast import (
    describe_curve,
    verdict_of,
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
    nearest_points,
    read_points,
    with_mirror_images,
)
from .run_tables import (
    compare_runs,
    settings_of,
    tabulate_runs,
)
from .runs import (
    RunLog,
    delete_runs,
    read_runs,
    runs_file,
)
from .search import (
    SearchResult,
    grid_search,
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
from .skews import (
    THIRDS,
    Portion,
    Skew,
    name_third,
    name_trait,
    share_out,
)
from .streaming import (
    FacesOnDisk,
    in_chunks,
    row_chunks,
)
from .tables import (
    PARAMETERS,
    Effect,
    Importance,
    Place,
    Round,
    best_of_each,
    column_of,
    compare_folds,
    count_compared,
    count_folds,
    effects_of,
    fold_scores,
    importance_of,
    on_all_faces,
    places_of_best,
    rounds_of,
    score_range,
    simplest_within_one_error,
    standard_error,
    time_frontier,
    values_of,
    varied,
    within_one_error,
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
    "PARAMETERS",
    "REAL",
    "TEST",
    "THIRDS",
    "TRAINING",
    "BiasTrial",
    "Candidate",
    "Effect",
    "FacePoints",
    "FaceSpaceClassifier",
    "FacesOnDisk",
    "FoldedFaces",
    "GroupFigures",
    "Importance",
    "Job",
    "LabTraining",
    "Ladder",
    "Place",
    "Portion",
    "Refit",
    "Round",
    "RunLog",
    "SearchResult",
    "Skew",
    "SkewGap",
    "TrainingOptions",
    "best_of_each",
    "cancel_job",
    "choose_labels",
    "clear_job",
    "column_of",
    "compare_folds",
    "compare_runs",
    "count_candidates",
    "count_compared",
    "count_folds",
    "cross_answers",
    "delete_runs",
    "describe_curve",
    "describe_trial",
    "drop_photos",
    "effects_of",
    "estimate_seconds",
    "find_suspects",
    "fit_member",
    "fit_nystroem",
    "fold_crops",
    "fold_points",
    "fold_scores",
    "gap_of",
    "grid_search",
    "hit_by",
    "importance_of",
    "in_chunks",
    "ladder_folder",
    "make_points",
    "match_eigenfaces",
    "measure_curve",
    "name_part",
    "name_third",
    "name_trait",
    "nearest_points",
    "nearest_rows",
    "on_all_faces",
    "photos_of",
    "places_of_best",
    "read_job",
    "read_ladder",
    "read_points",
    "read_runs",
    "refit",
    "refuse_curve",
    "rounds_of",
    "row_chunks",
    "rungs_of",
    "runs_file",
    "score_folds",
    "score_range",
    "select_photos",
    "set_borders",
    "settings_of",
    "share_out",
    "simplest_within_one_error",
    "standard_error",
    "start_curve",
    "start_training",
    "tabulate_groups",
    "tabulate_runs",
    "take_photos",
    "time_frontier",
    "train",
    "train_arrays",
    "try_remedies",
    "try_skew",
    "values_of",
    "varied",
    "verdict_of",
    "with_mirror_images",
    "within_one_error",
]
