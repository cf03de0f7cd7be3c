"""Scores at the border that calibration sets, by scikit-learn."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score


def calibrated_scores(
    decisions: np.ndarray, y: np.ndarray, splits: list[tuple[np.ndarray, np.ndarray]]
) -> list[float]:
    """Balanced accuracy per fold, of answers that a sigmoid fitted to the other folds gives."""
    scores, classes = [], np.unique(y)
    for others, own in splits:
        D, second = decisions[others], y[others] == classes[1]
        size = np.where(second, second.sum(), (~second).sum())
        # Platt's targets: a face of n counts n + 1 for its own label and 1 for the other.
        both = np.concatenate([second, ~second])
        weights = np.concatenate([(size + 1) / (size + 2), 1 / (size + 2)]) / np.tile(size, 2)
        sigmoid = LogisticRegression(C=1e9, tol=1e-9)
        sigmoid.fit(np.concatenate([D, D]), both, sample_weight=weights)
        # A machine that does not order the labels is left as it is.
        offset = sigmoid.intercept_ / sigmoid.coef_[0] if sigmoid.coef_ > 0 else 0.0
        answers = classes[(decisions[own, 0] + offset > 0).astype(int)]
        scores.append(balanced_accuracy_score(y[own], answers))
    return scores
