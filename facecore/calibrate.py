"""Turn decision values into probabilities."""

import numpy as np
from sklearn.linear_model import LogisticRegression


def platt(
    decisions: np.ndarray, y: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a sigmoid to out-of-fold decision values (Platt 1999, with his smoothed targets).

    Every label counts the same, however many faces it has.

    Parameters
    ----------
    decisions : ndarray of shape (n_faces, n_outputs)
    y : ndarray of shape (n_faces,)
    classes : ndarray of shape (n_labels,)

    Returns
    -------
    slope, offset : ndarray of shape (n_outputs,), float64
        Probability = ``1 / (1 + exp(-slope * (decision + offset)))``.
    """
    positives = classes[1:] if decisions.shape[1] == 1 else classes
    fits = [
        _fit_sigmoid(column, y == label)
        for column, label in zip(decisions.T, positives, strict=True)
    ]
    slope, offset = np.array(fits).T
    return slope, offset


def _fit_sigmoid(values: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    weight = np.where(positive, 0.5 / max(n_pos, 1), 0.5 / max(n_neg, 1)) * len(values)
    spread = max(float(np.abs(values).mean()), 1e-12)
    fit = LogisticRegression(C=1e6, max_iter=1000).fit(
        np.concatenate([values, values])[:, None] / spread,
        np.repeat([True, False], len(values)),
        sample_weight=np.concatenate([target * weight, (1 - target) * weight]),
    )
    slope, bias = float(fit.coef_[0, 0]) / spread, float(fit.intercept_[0])
    if slope <= 0:  # decisions that do not order the labels: leave them as they are
        return 1.0, 0.0
    return slope, bias / slope
