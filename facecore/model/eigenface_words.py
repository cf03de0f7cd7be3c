"""Say in words what an eigenface changes, from its pixels."""

from dataclasses import dataclass

import numpy as np

SHADES = 0.35  # share of an eigenface that a plain change of light must have to give it its name
LOPSIDED = 0.6  # share that changes its sign from left to right
BESIDE = 0.2  # of the strength of the sides, from which on a part of the face is named with them
# Parts of an upright face crop: left, top, right and bottom, as shares of its side.
PARTS = {
    "hair and forehead": (0.15, 0.0, 0.85, 0.28),
    "eyes and brows": (0.15, 0.28, 0.85, 0.5),
    "nose and cheeks": (0.15, 0.5, 0.85, 0.68),
    "mouth and chin": (0.15, 0.68, 0.85, 1.0),
    "sides": (0.0, 0.0, 1.0, 1.0),  # what the others leave
}


@dataclass(frozen=True)
class EigenfaceWords:
    """What an eigenface does.

    Parameters
    ----------
    words : str
        Such as ``"brightness"`` or ``"mouth and chin"``.
    share : float
        Share of the eigenface's squared pixels that this explains, in [0, 1].
    """

    words: str
    share: float


def describe_eigenface(row: np.ndarray) -> EigenfaceWords:
    """Say what adding an eigenface to a face changes most.

    A change of light that is the same everywhere, or falls from one side to the other or from the
    middle to the rim, gives it its name if it explains at least `SHADES` of its squared pixels.
    Otherwise it is named for the part of the face in which a pixel changes most. Many change the
    sides most: they are told apart by the part that comes next, if a pixel's squared change there
    is at least `BESIDE` of that at the sides.

    Parameters
    ----------
    row : ndarray of shape (side * side,), float
        The eigenface, in any unit.

    Returns
    -------
    EigenfaceWords
        The words for parts hold for crops of upright faces.

    Examples
    --------
    >>> describe_eigenface(np.full(100, 0.1))
    EigenfaceWords(words='brightness', share=1.0)
    >>> describe_eigenface(np.tile(np.linspace(-1, 1, 10), 10)).words
    'light from the side'
    """
    side = round(len(row) ** 0.5)
    picture = np.asarray(row, dtype=np.float64).reshape(side, side)
    total = float((picture**2).sum()) or 1.0
    place = np.linspace(-1, 1, side)
    x, y = np.meshgrid(place, place)
    rim = x**2 + y**2
    shades = {
        "brightness": np.ones_like(x),
        "light from the side": x,
        "light from above": y,
        "middle against rim": rim - rim.mean(),
    }
    shares = {
        words: float((picture * shade).sum() ** 2 / (shade**2).sum() / total)
        for words, shade in shades.items()
    }
    words = max(shares, key=lambda name: shares[name])
    if shares[words] >= SHADES:
        return EigenfaceWords(words, round(shares[words], 3))
    odd = float(((picture - picture[:, ::-1]) ** 2).sum() / 4 / total)
    left = {words: _part(side, box) for words, box in PARTS.items()}
    left["sides"] = ~np.any([left[words] for words in PARTS if words != "sides"], axis=0)
    strength = {words: float((picture[mask] ** 2).mean()) for words, mask in left.items()}
    words = max(strength, key=lambda name: strength[name])
    changed = left[words]
    if words == "sides":
        most = strength.pop("sides")
        part = max(strength, key=lambda name: strength[name])
        if strength[part] >= BESIDE * most > 0:
            words, changed = f"sides and {part.split()[0]}", changed | left[part]
    if odd >= LOPSIDED:
        return EigenfaceWords(f"left to right: {words}", round(odd, 3))
    return EigenfaceWords(words, round(float((picture[changed] ** 2).sum() / total), 3))


def _part(side: int, box: tuple[float, float, float, float]) -> np.ndarray:
    mask = np.zeros((side, side), dtype=bool)
    left, top, right, bottom = (round(side * share) for share in box)
    mask[top:bottom, left:right] = True
    return mask
