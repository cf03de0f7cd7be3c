"""Text on colours, such as the cells of a heat map: black or white, whichever stands out more."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale, unlabel_rgb

from facecore.model import luminance
from ui.text import NUMBERS

EVEN = 0.179  # luminance on which black and white stand out alike


def inks_on(rgb: np.ndarray) -> list[str]:
    """Return the colours of texts on colours; each has a contrast of 4.5:1 or more.

    Parameters
    ----------
    rgb : ndarray of shape (n_colours, 3)
        sRGB, from 0 to 255.

    Returns
    -------
    list of str
        Black or white, hexadecimal.

    Examples
    --------
    >>> inks_on(np.array([[230, 159, 0], [0, 114, 178]]))
    ['#000000', '#ffffff']
    """
    inks: list[str] = np.where(luminance(rgb) > EVEN, "#000000", "#ffffff").tolist()
    return inks


def write_cells(
    figure: go.Figure,
    texts: np.ndarray,
    scale: tuple[float, float] = (0.0, 1.0),
    colours: str | Sequence[str] = "Blues",
) -> None:
    """Write into the cells of the heat map that a figure has, whose axes are categories.

    plotly's own text is dark grey on a light cell, which is hard to read on one of middling light.

    Parameters
    ----------
    figure : Figure
        Its first trace is the heat map; gets an annotation per cell, and loses all others.
    texts : ndarray of shape (n_rows, n_columns), str
        Numbers, in lines that ``<br>`` parts; empty where nothing is written.
    scale : tuple of float, default=(0, 1)
        Values at which the colours begin and end.
    colours : str or sequence of str, default="Blues"
        The map's scale of colours.
    """
    cells, (low, high) = figure.data[0], scale
    places = np.argwhere(texts != "").tolist()
    z = np.array([cells.z[i][j] for i, j in places], dtype=float)
    shares = np.nan_to_num(np.clip((z - low) / max(high - low, 1e-12), 0, 1))
    behind = np.array([unlabel_rgb(colour) for colour in sample_colorscale(colours, shares)])
    look = {"name": NUMBERS, "showarrow": False}
    # By the numbers of the categories, as their names may be numbers, too. All at once:
    # add_annotation makes all earlier ones again, which takes seconds for a few hundred.
    figure.layout.annotations = [
        {"x": j, "y": i, "text": texts[i, j], "font": {"color": ink}, **look}
        for (i, j), ink in zip(places, inks_on(behind), strict=True)
    ]
