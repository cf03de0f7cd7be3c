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
    risk_coverage,
    risk_figures,
    roc,
    score_counts,
    score_labels,
    top_accuracy,
)
from .frame import (
    metric_frame,
)
from .gaps import (
    ACCURACY,
    DISAGREE,
    RECALL,
    TraitGap,
    trait_gaps,
)
from .groups import (
    CrossedGroup,
    accuracy_of_known,
    crossed_groups,
    figures_by_trait,
    fill_unknown,
    trait_columns,
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
    UNSURE,
    Evaluation,
    balanced_accuracy,
    balanced_interval,
    confused_pairs,
    count_labels,
    drop_unknown,
    evaluate_predictions,
    label_figures,
    map_labels,
    pool_answers,
    pool_confusions,
    predict_table,
)
from .thresholds import (
    equal_coverage,
    equal_recall,
)

__all__ = [
    "ACCURACY",
    "DISAGREE",
    "LEAST_PHOTOS",
    "RECALL",
    "UNSURE",
    "CrossedGroup",
    "Evaluation",
    "TraitGap",
    "accuracy_of_known",
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
    "equal_coverage",
    "equal_recall",
    "evaluate_predictions",
    "figures_by_trait",
    "fill_unknown",
    "label_figures",
    "macro_auc",
    "map_labels",
    "metric_frame",
    "pool_answers",
    "pool_confusions",
    "precision_recall",
    "predict_table",
    "reliability",
    "risk_coverage",
    "risk_figures",
    "roc",
    "score_counts",
    "score_labels",
    "top_accuracy",
    "trait_columns",
    "trait_gaps",
    "weakest_group",
    "wilson",
]
