"""How good a model is, and for whom."""

from .card import (
    card_of,
)
from .curves import (
    answers_at,
    brier_score,
    calibration_error,
    coverage_curve,
    macro_auc,
    precision_recall,
    reliability,
    roc,
    score_counts,
    score_labels,
    top_accuracy,
)
from .groups import (
    CrossedGroup,
    crossed_groups,
    weakest_group,
)
from .intervals import (
    LEAST_PHOTOS,
    wilson,
)
from .paired import (
    compare_classifiers,
)
from .report import (
    Evaluation,
    balanced_accuracy,
    balanced_interval,
    confused_pairs,
    count_labels,
    drop_unknown,
    evaluate_predictions,
    label_figures,
    map_labels,
    pool_confusions,
    predict_table,
)

__all__ = [
    "LEAST_PHOTOS",
    "CrossedGroup",
    "Evaluation",
    "answers_at",
    "balanced_accuracy",
    "balanced_interval",
    "brier_score",
    "calibration_error",
    "card_of",
    "compare_classifiers",
    "confused_pairs",
    "count_labels",
    "coverage_curve",
    "crossed_groups",
    "drop_unknown",
    "evaluate_predictions",
    "label_figures",
    "macro_auc",
    "map_labels",
    "pool_confusions",
    "precision_recall",
    "predict_table",
    "reliability",
    "roc",
    "score_counts",
    "score_labels",
    "top_accuracy",
    "weakest_group",
    "wilson",
]
