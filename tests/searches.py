"""Made tables of candidates, in the shape in which a model stores a wide search in rounds."""

from itertools import product

import numpy as np
import pandas as pd

COMPONENTS = (10, 25, 60, 140, 300, 500)
PENALTIES = (0.1, 0.5, 2.0, 8.0, 32.0, 128.0)
FACTORS = (0.1, 0.25, 0.6, 1.5, 4.0, 10.0)
WEIGHTS = ("balanced", "none")
FINER = (1.5, 1.8, 1.5)  # steps of the last grid in components, C and gamma
KEPT = 6  # of so many candidates one goes on to the next round


def draw_scores(rows: pd.DataFrame, faces: int, folds: int, seed: int) -> np.ndarray:
    """Return scores of candidates in folds: a hill, what is hard about a fold, and noise."""
    rng = np.random.default_rng(seed)
    n, C, factor = (
        np.log(rows[name].to_numpy(dtype=float))
        for name in ("param_n_components", "param_C", "gamma_factor")
    )
    hill = 0.9 - 0.02 * (n - np.log(140)) ** 2 - 0.004 * (C - np.log(4)) ** 2
    hill -= 0.012 * (factor - np.log(1.2)) ** 2 + 0.004 * (C - np.log(4)) * (factor - np.log(1.2))
    hill += 0.002 * rows["param_class_weight"].eq("balanced") - 0.03 * ~rows["param_whiten"]
    hill = np.maximum(hill, 0.5) - 8 / np.sqrt(faces) * 0.05
    shared, own = rng.normal(0, 0.006, folds), rng.normal(0, 0.001, (len(rows), folds))
    return np.asarray(hill)[:, None] + shared + own


def make_rounds(
    rows: pd.DataFrame, number: int, faces: int, folds: int = 5, seed: int = 0
) -> pd.DataFrame:
    """Return the rows of one round, without ranks."""
    scores = draw_scores(rows, faces, folds, seed + number)
    return rows.assign(
        param_gamma=(rows["gamma_factor"] / rows["param_n_components"]).round(6),
        **{f"split{fold}_test_score": scores[:, fold] for fold in range(folds)},
        mean_test_score=scores.mean(axis=1),
        std_test_score=scores.std(axis=1),
        mean_fit_time=1e-7 * faces**2 * (1 + rows["param_C"] / 100) + rows.index * 1e-5,
        std_fit_time=0.01,
        mean_score_time=1e-6 * faces,
        std_score_time=1e-7,
        iter=number,
        n_resources=faces,
    )


def wide_table(faces: int = 6000, folds: int = 5, seed: int = 0) -> pd.DataFrame:
    """Return a search in four rounds: 864 candidates, their best sixth twice, and a finer grid."""
    names = ("param_n_components", "param_C", "gamma_factor", "param_class_weight", "param_whiten")
    grid = product(COMPONENTS, PENALTIES, FACTORS, WEIGHTS, (True, False))
    rounds = [make_rounds(pd.DataFrame(grid, columns=names), 0, faces // 6, folds, seed)]
    for number, share in ((1, 2), (2, 1)):
        kept = rounds[-1].nlargest(len(rounds[-1]) // KEPT, "mean_test_score")
        kept = kept[list(names)].reset_index(drop=True)
        rounds.append(make_rounds(kept, number, faces // share, folds, seed))
    best = rounds[-1].loc[rounds[-1]["mean_test_score"].idxmax(), list(names)]
    steps = [
        [float(f"{value:.2g}") for value in (middle / step, middle, middle * step)]
        for middle, step in zip(best.iloc[:3], FINER, strict=True)
    ]
    steps[0] = [int(best.iloc[0] / 1.5), int(best.iloc[0]), int(best.iloc[0] * 1.5)]
    finer = pd.DataFrame(product(*steps, best.iloc[3:4], best.iloc[4:5]), columns=names)
    known = set(rounds[-1][list(names)].itertuples(index=False, name=None))
    new = [row not in known for row in finer.itertuples(index=False, name=None)]
    zoom = finer[new].reset_index(drop=True)
    rounds.append(make_rounds(zoom, 3, faces, folds, seed))
    table = pd.concat(rounds, ignore_index=True)
    # Ranks from 1 over all rows on all faces, then over those of each earlier round.
    order = table.assign(score=-table["mean_test_score"], late=-table["n_resources"]).sort_values(
        ["late", "score"], kind="stable"
    )
    table.loc[order.index, "rank_test_score"] = np.arange(1, len(table) + 1)
    return table.astype({"rank_test_score": int})
