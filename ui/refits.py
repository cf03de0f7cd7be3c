"""Figures of the hyperparameter explorer: scores fold by fold, and margins by label."""

import numpy as np
import plotly.graph_objects as go

from facecore.model import label_colours, order_labels
from facecore.training import Refit
from ui.controls import FEW, MOST_COLOURS
from ui.look import NEUTRAL, PAIR, REFERENCE, see_through, tidy
from ui.models import Chosen
from ui.scores import SCORE
from ui.text import as_is_in_figure


def paired_dots(mine: Refit, reference: Refit) -> go.Figure:
    """Draw the scores of two refitted candidates in the same folds.

    Parameters
    ----------
    mine, reference : Refit
        Refit of the chosen parameters, and of the search's best ones on the same faces.

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    rows = (
        ("these parameters", mine, "star", PAIR[0]),
        ("best candidate, same faces", reference, "diamond-open", PAIR[1]),
    )
    for name, found, symbol, colour in rows:
        figure.add_scatter(
            x=[f"fold {i + 1}" for i in range(len(found.scores))],
            y=found.scores,
            name=f"{name}, mean {found.mean:.3f}",
            mode="markers",
            marker={"symbol": symbol, "size": 13, "color": colour, "line": {"width": 2}},
            hovertemplate="%{x}: %{y:.4f}<extra></extra>",
        )
    figure.add_hline(reference.mean, line=REFERENCE)
    return tidy(figure.update_yaxes(title=SCORE), 320)


def margin_bars(found: Refit, y: np.ndarray, chosen: Chosen) -> go.Figure:
    """Draw how the margins spread over the faces of each label.

    Of many labels, those with the smallest share of right answers are in colour.

    Parameters
    ----------
    found : Refit
        Refit of one candidate.
    y : ndarray of shape (n_faces,), str
        Labels of the faces.
    chosen : Chosen
        Model whose labels they are.

    Returns
    -------
    Figure
    """
    # The same bins for all labels, whose bars lie over each other.
    edges = np.histogram_bin_edges(found.margins, 40)
    figure = go.Figure(layout={"barmode": "overlay", "bargap": 0})
    colours = label_colours(chosen.model.labels)
    labels = order_labels(np.unique(y).tolist(), chosen.order)
    kinds = [(label, y == label, colours.get(label, NEUTRAL)) for label in labels]
    if len(labels) > MOST_COLOURS:
        right = {label: float(np.mean(found.margins[y == label] > 0)) for label in labels}
        worst = sorted(labels, key=lambda label: right[label])[:FEW]
        kinds = [kind for kind in kinds if kind[0] in worst]
        rest = f"{len(labels) - len(worst)} other labels"
        kinds.insert(0, (rest, ~np.isin(y, worst), NEUTRAL))
    for i, (name, which, colour) in enumerate(kinds):
        margins = found.margins[which]
        figure.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=np.histogram(margins, edges)[0],
            name=f"{name}, {np.mean(margins > 0):.1%} right",
            marker=see_through(colour, i),
            hovertemplate=as_is_in_figure(name) + ", margin %{x:.2f}: %{y} faces<extra></extra>",
        )
    figure.add_vline(0, line=REFERENCE)
    figure.update_xaxes(title="Out-of-fold margin of the true label")
    return tidy(figure.update_yaxes(title="Faces"), 320)
