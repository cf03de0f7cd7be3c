"""How good a model is, and for whom."""

from .card import (
    card_of,
)
from .comparison import (
    COMPARISONS_FOLDER,
    ModelComparison,
    changed_since,
    compare_models,
    compare_pair,
    comparison_file,
    read_comparison,
    tabulate_kinds,
    write_comparison,
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
from .document import (
    write_report,
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
from .markup import (
    make_table,
    text_of,
)
from .paired import (
    compare_classifiers,
    unpaired_interval,
)
from .quiz import (
    QuizFace,
    draw_quiz,
    pick_quiz,
    tabulate_answers,
    tabulate_guesses,
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
from .svg import (
    pick_ticks,
)
from .thresholds import (
    equal_coverage,
    equal_recall,
)
from .together import (
    Together,
    predict_together,
)

__all__ = [
    "ACCURACY",
    "COMPARISONS_FOLDER",
    "DISAGREE",
    "LEAST_PHOTOS",
    "RECALL",
    "UNSURE",
    "CrossedGroup",
    "Evaluation",
    "ModelComparison",
    "QuizFace",
    "Together",
    "TraitGap",
    "accuracy_of_known",
    "answers_at",
    "balanced_accuracy",
    "balanced_interval",
    "brier_score",
    "calibration_error",
    "card_of",
    "changed_since",
    "compare_classifiers",
    "compare_models",
    "compare_pair",
    "comparison_file",
    "confused_pairs",
    "count_labels",
    "coverage_curve",
    "crossed_groups",
    "draw_quiz",
    "drop_unknown",
    "equal_coverage",
    "equal_recall",
    "evaluate_predictions",
    "figures_by_trait",
    "fill_unknown",
    "label_figures",
    "macro_auc",
    "make_table",
    "map_labels",
    "metric_frame",
    "pick_quiz",
    "pick_ticks",
    "pool_answers",
    "pool_confusions",
    "precision_recall",
    "predict_table",
    "predict_together",
    "read_comparison",
    "reliability",
    "risk_coverage",
    "risk_figures",
    "roc",
    "score_counts",
    "score_labels",
    "tabulate_answers",
    "tabulate_guesses",
    "tabulate_kinds",
    "text_of",
    "top_accuracy",
    "trait_columns",
    "trait_gaps",
    "unpaired_interval",
    "weakest_group",
    "wilson",
    "write_comparison",
    "write_report",
]
