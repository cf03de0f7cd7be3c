"""How good a model is, and for whom."""

from .card import (
    card_of,
)
from .curves import (
    answers_at,
    brier_score,
    calibration_error,
    coverage_curve,
    precision_recall,
    reliability,
    roc,
    score_counts,
    score_labels,
)
from .intervals import (
    wilson,
)
from .paired import (
    compare_classifiers,
)
from .report import (
    LEAST_PHOTOS,
    balanced_accuracy,
    balanced_interval,
    evaluate_predictions,
    pool_confusions,
    predict_table,
)

__all__ = [
    "LEAST_PHOTOS",
    "answers_at",
    "balanced_accuracy",
    "balanced_interval",
    "brier_score",
    "calibration_error",
    "card_of",
    "compare_classifiers",
    "coverage_curve",
    "evaluate_predictions",
    "pool_confusions",
    "precision_recall",
    "predict_table",
    "reliability",
    "roc",
    "score_counts",
    "score_labels",
    "wilson",
]
