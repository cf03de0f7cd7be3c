"""Choose and order the photos that deserve a second look, from the table that a model keeps."""

from collections.abc import Sequence

import pandas as pd

from facecore.data.listing import NO_FACE
from facecore.errors import DataError
from facecore.training.doubts import LONELY_FROM

SUSPECTED, WRONG, UNSURE, LONELY, CELL = (
    "Label may be wrong",
    "Wrong",
    "Unsure",
    "Lonely",
    "A cell",
)
TRAINING, TEST = "Training photos", "Test photos"
KINDS = {  # by part, since a test photo has no neighbours of its own to be lonely among
    TRAINING: (SUSPECTED, WRONG, UNSURE, LONELY, CELL),
    TEST: (SUSPECTED, WRONG, UNSURE, CELL),
}


def photos_of(photos: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return the training photos or the test photos of a model's table.

    Parameters
    ----------
    photos : DataFrame
        As `facecore.training.doubts.tabulate_training` returns it, test photos below.
    part : str
        `TRAINING` or `TEST`.

    Returns
    -------
    DataFrame
        With the row numbers of the whole table.
    """
    test = photos["split"].eq("test")
    return photos[test if part == TEST else ~test]


def cross_answers(photos: pd.DataFrame, labels: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count the photos of each label by their answers.

    Parameters
    ----------
    photos : DataFrame
        Columns label and answer; the answer is empty where no face was found.
    labels : sequence of str
        Of the model, in the order in which people read them.

    Returns
    -------
    dict of str to dict of str to int
        By label and by answer, "no face" last and only where a photo has none.

    Examples
    --------
    >>> photos = pd.DataFrame({"label": ["calm", "sad", "sad"], "answer": ["calm", "calm", ""]})
    >>> cross_answers(photos, ["calm", "sad"])
    {'calm': {'calm': 1, 'sad': 0, 'no face': 0}, 'sad': {'calm': 1, 'sad': 0, 'no face': 1}}
    """
    answers = photos["answer"].replace("", NO_FACE)
    counts = pd.crosstab(photos["label"], answers)
    columns = [*labels, *([NO_FACE] if NO_FACE in counts else [])]
    full = counts.reindex(index=list(labels), columns=columns, fill_value=0)
    return {label: {answer: int(full.loc[label, answer]) for answer in columns} for label in labels}


def select_photos(
    photos: pd.DataFrame, kind: str, *, label: str = "", answer: str = ""
) -> pd.DataFrame:
    """Choose the photos of one kind, those first that deserve a look most.

    Parameters
    ----------
    photos : DataFrame
        As `photos_of` returns it.
    kind : str
        `SUSPECTED`: see `facecore.training.doubts.find_suspects`. `WRONG`: the model gives another
        label, the most confident mistake first. `UNSURE`: it gives none, the nearest to a choice
        first. `LONELY`: see
        `facecore.training.doubts.measure_loneliness`, the loneliest first. `CELL`: those
        of a label with an answer.
    label, answer : str
        Of `CELL`; the answer may be "no face".

    Returns
    -------
    DataFrame
        With the row numbers of the whole table.

    Raises
    ------
    DataError
        There is no such kind.
    """
    other = photos["answer"].ne(photos["label"])
    seen = photos["answer"].ne("")
    if kind == SUSPECTED:
        return photos[photos["suspected"]].sort_values("margin", kind="stable")
    if kind == WRONG:
        wrong = other & seen & photos["answered"]
        return photos[wrong].sort_values("p_answer", ascending=False, kind="stable")
    if kind == UNSURE:
        return photos[seen & ~photos["answered"]].sort_values("p_answer", kind="stable")
    if kind == LONELY:
        far = photos["lonely"] > LONELY_FROM
        return photos[far].sort_values("lonely", ascending=False, kind="stable")
    if kind == CELL:
        cell = photos["label"].eq(label) & photos["answer"].replace("", NO_FACE).eq(answer)
        return photos[cell].sort_values("p_answer", ascending=False, kind="stable")
    raise DataError(f"no kind of photos {kind!r}; there are: {', '.join(KINDS[TRAINING])}")


def nearest_rows(near: str) -> list[int]:
    """Return the rows of a photo's nearest training faces.

    Parameters
    ----------
    near : str
        As the column near of `facecore.training.doubts.tabulate_training` has it.

    Returns
    -------
    list of int
        The nearest first.

    Examples
    --------
    >>> nearest_rows("12 5")
    [12, 5]
    """
    return [int(row) for row in near.split()]
