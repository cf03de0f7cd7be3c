"""Say why many photos of a data set yielded no training face, and what helps."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from facecore.data.sizes import sizes_of

MANY = 0.2  # share of the photos that is worth a word
SMALL = 20  # pixels: below this width little of a face is left
NONE_LEFT = ("no face was kept", "no face to train on")  # errors of crop and train begin so
FILLS = 0.6  # share of the photo's width from which on the faces look like crops already


@dataclass(frozen=True)
class Loss:
    """Photos of a data set that yielded no training face for one reason.

    Parameters
    ----------
    state : str
        One of `facecore.data.STATES`, but not ``"kept"``.
    count : int
        Photos of that state.
    total : int
        Photos among which they were counted: for ``"too_small"`` those with a face, for
        ``"no_face"`` those that a detector searched, otherwise all.
    minimum : int or None
        Least width of a face that was kept, in pixels; None where it is unknown.
    least : int
        Of ``"too_small"``: a minimum that nearly all faces reach, in pixels, otherwise 0.
    tight : bool
        Whether the photos may be crops of faces already.
    """

    state: str
    count: int
    total: int
    minimum: int | None = None
    least: int = 0
    tight: bool = False

    @property
    def text(self) -> str:
        """What happened, such as ``"981 of 981 faces are smaller than 54 pixels"``."""
        limit = "the minimum" if self.minimum is None else f"{self.minimum} pixels"
        what = {
            "too_small": f"faces are smaller than {limit}",
            "no_face": "photos have no face that the detector finds",
            "unreadable": "photos cannot be read",
            "duplicate": "photos are copies of others",
        }
        return f"{self.count:,} of {self.total:,} {what[self.state]}"

    @property
    def advice(self) -> str:
        """What helps on the command line; empty where no option does."""
        if self.state == "too_small":
            whole = ", or --whole-photo if each photo is the face already" if self.tight else ""
            return f"use --min-size {self.least}{whole}"
        if self.state == "no_face":
            return "if each photo is the face already, use --whole-photo"
        if self.state == "unreadable":
            return "the column reason of faces.csv says why"
        return ""


def find_losses(table: pd.DataFrame, minimum: int | None = None, share: float = MANY) -> list[Loss]:
    """Find the reasons for which many photos of a data set were dropped.

    Parameters
    ----------
    table : DataFrame
        As `facecore.data.sizes_of` takes it: one row per photo.
    minimum : int, optional
        Least width of a face that was kept, in pixels, where it is known.
    share : float
        Share of the photos from which on a reason counts, in [0, 1].

    Returns
    -------
    list of Loss
        The reason of the most photos first; empty where few photos were dropped.

    Examples
    --------
    >>> widths = [30, 40, 41, 42, 44, 80]
    >>> table = pd.DataFrame({"label": "calm", "state": "too_small", "face_size": widths})
    >>> table.loc[5, "state"] = "kept"
    >>> (loss,) = find_losses(table, minimum=54)
    >>> print(f"{loss.text}; {loss.advice}")
    5 of 6 faces are smaller than 54 pixels; use --min-size 31
    """
    sizes = sizes_of(table)
    counts = sizes["state"].value_counts()
    small, missed, unreadable, copies = (
        int(counts.get(state, 0)) for state in ("too_small", "no_face", "unreadable", "duplicate")
    )
    found = small + int(counts.get("kept", 0))
    faces = sizes[sizes["state"].isin(["kept", "too_small"])]
    shares = faces["face_size"] / faces["photo_width"]
    tight = bool(shares.median() >= FILLS and shares.ne(1).any())  # 1: whole photos already
    losses = (
        Loss("too_small", small, found, minimum, _nearly_all(faces["face_size"].dropna()), tight),
        Loss("no_face", missed, found + missed, tight=True),
        Loss("unreadable", unreadable, len(sizes)),
        Loss("duplicate", copies, len(sizes)),
    )
    told = [loss for loss in losses if loss.count and loss.count >= share * loss.total]
    return sorted(told, key=lambda loss: -loss.count)


def describe_losses(
    table: pd.DataFrame, minimum: int | None = None, share: float = MANY
) -> list[str]:
    """Describe the reasons for which many photos were dropped, with the option that helps.

    Parameters
    ----------
    table : DataFrame
        As `find_losses` takes it.
    minimum : int, optional
        Least width of a face that was kept, in pixels, where it is known.
    share : float
        Share of the photos from which on a reason counts, in [0, 1].

    Returns
    -------
    list of str
        One line per reason.

    Examples
    --------
    >>> table = pd.DataFrame({"label": "calm", "state": ["kept", "no_face"]})
    >>> print(*describe_losses(table))
    1 of 2 photos have no face that the detector finds; if each photo is the face already, use
    --whole-photo
    """
    losses = find_losses(table, minimum, share)
    return [loss.text + (f"; {loss.advice}" if loss.advice else "") for loss in losses]


def _nearly_all(widths: pd.Series) -> int:
    """Return a minimum that nearly all faces reach, not below `SMALL` unless many are smaller."""
    if widths.empty:
        return 0
    least, many = (max(1, int(np.floor(widths.quantile(q)))) for q in (0.02, 0.1))
    return least if least >= SMALL else min(SMALL, many)
