"""The seven screens of the lesson: their sentences, and the figures in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from facecore.model import (
    FaceModel,
    PixelPair,
    add_spot,
    compare_pixels,
    describe_eigenface,
    draw_crowd,
    draw_eigenface,
    label_colours,
    map_faces,
    order_labels,
    separating_components,
    strongest_eigenfaces,
)
from facecore.system import with_minus
from ui.components import encode_change, encode_face, encode_levels
from ui.models import Chosen
from ui.recipe import recipe_data
from ui.text import as_is
from ui.your_face import YourFace, keep

WINDOW = 7  # pixels side by side under the magnifier
CROWD, DOTS, ON_MAP = 24, 240, 80  # faces that are averaged; that are dots; that are on the map
PIXELS = ((0.62, 0.28), (0.62, 0.72))  # row and column of A and B, as shares of the side
SPOT_AT = (0.66, 0.3)
FIRST = 8  # eigenfaces with a picture of their own
MOST_LABELS = 4  # clouds on the map
SMALL = 33  # side of the small faces on the map, at most


@dataclass(frozen=True)
class Screen:
    """One step of the lesson.

    Parameters
    ----------
    title : str
        Heading.
    lead : str
        What one has to know for the question; Markdown.
    question : str
        Asked before the picture moves.
    answers : sequence of str
        Two to four.
    right : int
        Which of them is right.
    why : str
        Two sentences that the picture shows to be true; Markdown.
    note : str
        What to know beside it, below the picture; Markdown.
    kind : str
        Name of the scene.
    data : dict
        What the scene draws.
    terms : sequence of str
        Keys of `facecore.model.GLOSSARY`: the words of this step.
    crowded : bool
        Whether it shows faces that the model made up, beside the one that the lesson follows.
    """

    title: str
    lead: str
    question: str
    answers: Sequence[str]
    right: int
    why: str
    note: str
    kind: str
    data: dict[str, Any]
    terms: Sequence[str]
    crowded: bool = False


def make_screen(number: int, chosen: Chosen, face: YourFace) -> Screen:
    """Return a step of the lesson; what depends on the face is kept in the visitor's session.

    Parameters
    ----------
    number : int
        From 0 up to `len(SCREENS) - 1`.
    chosen : Chosen
        Model with eigenfaces that stores a spread.
    face : YourFace
        The face that the lesson follows.

    Returns
    -------
    Screen
    """
    return keep(face, f"lesson {number}", lambda: SCREENS[number](chosen, face))


def _numbers(chosen: Chosen, face: YourFace) -> Screen:
    side = len(face.crop)
    who = "This is your face" if face.own else "This is a face that the computer has made up"
    return Screen(
        "A picture is a row of numbers",
        f"{who}: {side} lines of {side} dots. Such a dot is called a **pixel**.",
        "What does the computer have to store for this grey picture?",
        (
            "The names of its parts: eyes, nose, mouth",
            f"One number per pixel: {side * side:,} numbers",
            "Two numbers: its height and its width",
        ),
        1,
        f"A grey pixel is one number from 0 (black) to 255 (white), so {side} lines of {side} "
        f"pixels are a row of {side * side:,} numbers. Move the frame over the face to read them: "
        "to the computer, the face is this row and nothing else.",
        "Point at the face, or use the arrow keys.",
        "numbers",
        {
            "side": side,
            "size": WINDOW,
            "at": [int(side * share) for share in (0.4, 0.32)],
            "face": encode_face(face.crop),
            "alts": ["The face"],
            "words": {
                "frame": "Frame on the face",
                "window": "A few pixels, magnified",
                "line": "One line of pixels. All lines, laid end to end, are the row of numbers.",
                "told": "Line {row}, column {column}: grey level {level}. It is number {number} "
                "of the row.",
            },
        },
        ("pixel", "model", "synthetic face"),
    )


def _mean(chosen: Chosen, face: YourFace) -> Screen:
    model = chosen.model.eigenfaces
    faces, _ = _crowd(_key(chosen), tuple(chosen.labels), CROWD, model)
    off = np.abs(faces.reshape(CROWD, -1).mean(axis=0) - _mean_row(model)).mean()
    return Screen(
        "The average of faces",
        f"Here are {CROWD} faces that the model made up. Pictures are rows of numbers, so we can "
        "calculate with them.",
        f"Add the numbers of all {CROWD} faces, pixel by pixel, and divide by {CROWD}. What does "
        "the result look like?",
        (
            "Plain grey, without a face",
            "The face that occurs most often",
            f"A smooth face that is none of the {CROWD}",
        ),
        2,
        "What the faces share adds up: eyes above a nose above a mouth. What only one of them has "
        f"counts for one part in {CROWD} and fades.",
        "The same average over the photos that trained this model is its **mean face**. The "
        f"average of these {CROWD} faces is {off:.1f} grey levels away from it per pixel.",
        "mean",
        {
            "side": len(face.crop),
            "faces": [encode_face(one) for one in faces],
            "alts": ["Synthetic face", "The average of as many faces as the slider says"],
            "words": {"mean": "The average", "slider": "Faces averaged"},
        },
        ("mean face", "pixel", "synthetic face"),
        crowded=True,
    )


def _difference(chosen: Chosen, face: YourFace) -> Screen:
    mean = _mean_row(chosen.model.eigenfaces)
    rest = np.abs(face.crop.reshape(-1) - mean)
    return Screen(
        "What is left without the average",
        f"Now we take the mean face away from {face.words}: pixel by pixel, number minus number.",
        "What is left?",
        (
            f"Only what makes {face.words} different",
            "Nothing at all",
            "The same face, but darker",
        ),
        0,
        f"Numbers above and below 0 are left: orange where {face.words} is brighter than the mean "
        "face, blue where it is darker. Add them to the mean face once and you have the face "
        "again; add them twice and you have a caricature, in which every difference is doubled.",
        f"Per pixel, {face.words} is {rest.mean():.0f} grey levels away from the mean face. Below "
        "0 the slider shows the opposite face.",
        "difference",
        {
            "side": len(face.crop),
            "face": encode_face(face.crop),
            "mean": encode_levels(mean),
            "scale": float(rest.max()) or 1.0,
            "alts": ["The face", "The mean face", "The difference", "Mean face plus difference"],
            "words": {
                "face": "The face",
                "mean": "Mean face",
                "left": "What is left",
                "slider": "Mean face plus so much of what is left",
            },
        },
        ("mean face", "pixel"),
    )


def _axes(chosen: Chosen, face: YourFace) -> Screen:
    model, side = chosen.model.eigenfaces, len(face.crop)
    pair = _pair(_key(chosen), tuple(chosen.labels), model)
    shares = _shares(model)
    few = min(10, len(shares))
    a, b = pair.direction
    answers = (
        "To the right: A differs, B hardly",
        "From lower left to upper right: A and B brighten together",
        "Upwards: B differs, A hardly",
        "From upper left to lower right: where A is bright, B is dark",
    )
    return Screen(
        "Where do faces differ most?",
        f"Take only two pixels, A and B. Each dot is one of {DOTS} made-up faces: the brighter its "
        "pixel A, the further right it lies; the brighter B, the higher.",
        "In which direction do the dots spread most?",
        answers,
        direction_of(pair.angle),
        f"Turn the line: at {_signed(pair.angle, 0)}° the orange shadows of the dots lie furthest "
        f"apart, and this one direction holds {pair.share:.0%} of the spread of both pixels. It is "
        f"a row of two numbers: {_signed(a, 2)} of A and {_signed(b, 2)} of B.",
        f"With {side * side:,} pixels, a face is one dot in {side * side:,} dimensions. Nobody can "
        "draw that, but the computer finds the directions of the greatest spread in the same way "
        "(*principal component analysis*, PCA). In this model the first one holds "
        f"{shares[0]:.0%} of all spread, and {few} directions hold {shares[:few].sum():.0%}.",
        "axes",
        {
            "side": side,
            "points": pair.values.tolist(),
            "pixels": [[int(side * share) for share in place] for place in PIXELS],
            "mean": encode_levels(_mean_row(model)),
            "angle": pair.angle,
            "spread": pair.spread,
            "begin": 0 if abs(pair.angle) > 10 else 60,
            "alts": ["Two pixels of many faces", "The mean face with the pixels A and B"],
            "words": {
                "axes": ["grey level of pixel A", "grey level of pixel B"],
                "where": "The two pixels",
                "slider": "Turn the line",
                "spread": "Spread along the line: {spread} grey levels.",
                "best": " This is the widest!",
            },
        },
        ("PCA", "component", "explained variance"),
        crowded=True,
    )


def direction_of(angle: float) -> int:
    """Return which of the four answers an angle in the plane of two pixels is.

    Parameters
    ----------
    angle : float
        In degrees, above -90 and up to 90.

    Returns
    -------
    int
        0 along the first pixel, 1 with both rising, 2 along the second, 3 with one falling.

    Examples
    --------
    >>> [direction_of(angle) for angle in (5, 45, -88, -45)]
    [0, 1, 2, 3]
    """
    return round(angle / 45) % 4


def _eigenfaces(chosen: Chosen, face: YourFace) -> Screen:
    model, side = chosen.model.eigenfaces, len(face.crop)
    rows = [draw_eigenface(model, i) for i in range(min(FIRST, len(model.pixels.components)))]
    words = [describe_eigenface(row).words for row in rows]
    return Screen(
        "Directions are pictures: eigenfaces",
        f"A direction in {side * side:,} dimensions is a row of {side * side:,} numbers: one for "
        "each pixel.",
        "What do you see if you draw these numbers as a picture?",
        (
            "Noise, as on a television without a station",
            "One of the faces",
            "The ghost of a face: what changes together",
        ),
        2,
        "A direction has one number per pixel, so it is a picture itself: an **eigenface** (German "
        "*eigen*: its own). Going along it, the orange pixels get brighter and the blue ones "
        "darker: choose one, drag, and see what it does to the mean face.",
        f"These are the {len(rows)} directions in which faces differ most. The first one was named "
        f'"{words[0]}": the words are computed from where it changes most. 1 x is a usual amount, '
        "3 x a rare one.",
        "eigenfaces",
        {
            "side": side,
            "mean": encode_levels(_mean_row(model)),
            "eigenfaces": [
                {**encode_change(row), "words": word} for row, word in zip(rows, words, strict=True)
            ],
            "alts": ["The mean face plus so much of the eigenface"],
            "words": {
                "mean": "Mean face",
                "direction": "The first direction, drawn",
                "slider": "Mean face plus so much of the eigenface",
                "choose": "Eigenface",
            },
        },
        ("eigenface", "component", "mean face"),
    )


def _recipe(chosen: Chosen, face: YourFace) -> Screen:
    model, side = chosen.model.eigenfaces, len(face.crop)
    row, column = (int(side * share) for share in SPOT_AT)
    crop = face.crop if face.own else add_spot(face.crop, row, column)
    data = recipe_data(model, crop)
    counts, shares, few = data["counts"], data["shares"], len(data["eigenfaces"])
    every = counts[-1]
    ours = "" if face.own else " We drew the dark spot on its cheek ourselves."
    only = "such as a freckle or a single curl" if face.own else "such as the dark spot"
    found = strongest_eigenfaces(model, crop.reshape(1, -1), 3)
    beginning = " ".join(f"{_signed(one.weight, 1)} x {one.words}" for one in found)
    return Screen(
        "The recipe of a face",
        "A face can be cooked from the mean face and some of each eigenface. How much of each is "
        f"called its **weight**.{ours}",
        f"This model knows {every} eigenfaces. If we add all of them with the right weights, do we "
        "get exactly this picture?",
        (
            "Yes, every single pixel",
            "Almost: fine details are missing",
            "No, quite another face",
        ),
        kept_of(shares[-1]),
        f"All {every} together hold {shares[-1]:.1%} of what makes {face.words} differ from the "
        f"mean face, the {few} strongest {shares[counts.index(few)]:.1%}. Eigenfaces are made of "
        f"what many faces share; what only one face has, {only}, is in none of them, and so the "
        "reconstruction blurs.",
        f"The recipe begins: mean face {beginning}. A weight of 1 is as much as faces usually "
        "have of an eigenface (one *standard deviation* of the training faces).",
        "recipe",
        data,
        ("weight", "reconstruct", "standard deviation", "explained variance"),
    )


def kept_of(share: float) -> int:
    """Return which answer a share is: everything (0), almost everything (1), or little (2).

    Parameters
    ----------
    share : float
        Share of the squared difference from the mean face that all eigenfaces explain, in [0, 1].

    Returns
    -------
    int
    """
    return 0 if share > 0.9999 else 1 if share >= 0.5 else 2


def _map(chosen: Chosen, face: YourFace) -> Screen:
    model = chosen.model.eigenfaces
    chances = model.predict_proba(face.crop.reshape(1, -1))[0]
    by_chance = [model.labels[i] for i in np.argsort(-chances, kind="stable")]
    few = order_labels(by_chance[:MOST_LABELS], chosen.order)
    axes = separating_components(model, few)
    faces, drawn = _crowd(_key(chosen), tuple(few), ON_MAP, model)
    found = map_faces(model, faces, face.crop, axes)
    ways = [draw_eigenface(model, i) for i in axes]
    names = [
        f"{i + 1} ({describe_eigenface(row).words})" for i, row in zip(axes, ways, strict=True)
    ]
    wrong = found.answers != np.array(drawn)
    best = by_chance[0]
    listed = [*few, *(label for label in model.labels if label not in few)]
    order = [model.labels.index(label) for label in listed]
    colours = label_colours(model.labels)
    thin = max(1, -(-len(face.crop) // SMALL))
    shown = "" if len(few) == len(listed) else f" Of {len(listed)} labels, {len(few)} are drawn."
    return Screen(
        "Recognising by the recipe",
        f"Each dot is a made-up face, placed by two of its weights: of eigenface {names[0]} and of "
        f"eigenface {names[1]}. The star is {face.words}; the other weights exist too, but paper "
        f"has only two directions.{shown}",
        "How can a program tell which label the star gets?",
        (
            "By its recipe: on which side of a border it lies",
            "By looking for a beard, long hair or earrings",
            "By finding the same photo in a list",
        ),
        0,
        "In training, the model has drawn a border between the recipes of the labels, and here it "
        f"answers **{as_is(best)}** ({chances.max():.0%}): the colours show its answer wherever "
        f"you drag the star. It errs where the clouds overlap: {wrong.sum()} of these {ON_MAP} "
        "faces (with a ring) get another label than the one they were made for.",
        "Whatever you show it gets an answer, even a picture without a face, since every picture "
        "has a recipe. The dashed lines lead to the nearest recipes, over all weights. The labels "
        "are what people wrote beside the photos, and the model repeats their mistakes.",
        "map",
        {
            "side": len(face.crop),
            "reach": float(found.grid[-1]),
            "face": encode_face(face.crop),
            "small": -(-len(face.crop) // thin),
            "labels": [{"name": label, "colour": colours[label]} for label in listed],
            "points": [
                {
                    "at": at.round(4).tolist(),
                    "rest": round(float(rest), 4),
                    "label": listed.index(label),
                    "wrong": bool(other),
                    "face": encode_face(one[::thin, ::thin]),
                }
                for at, rest, label, other, one in zip(
                    found.points, found.rest, drawn, wrong, faces, strict=True
                )
            ],
            "at": found.at.tolist(),
            "chances": found.chances[order].tolist(),
            "grid": found.grid.tolist(),
            "places": found.places[:, :, order].round(3).tolist(),
            "ways": [encode_change(row) for row in ways],
            "alts": ["Faces as points of two weights", "The face at the star", "A nearest face"],
            "words": {
                "axes": [f"weight of eigenface {name}" for name in names],
                "face": "The face at the star",
                "sliders": [f"Eigenface {name}" for name in names],
                "told": "Answer: {label}, {chance}",
            },
        },
        ("label", "probability", "face space", "weight"),
        crowded=True,
    )


SCREENS: tuple[Callable[[Chosen, YourFace], Screen], ...] = (
    _numbers,
    _mean,
    _difference,
    _axes,
    _eigenfaces,
    _recipe,
    _map,
)


def _signed(number: float, digits: int) -> str:
    return with_minus(f"{number:+.{digits}f}")


def _key(chosen: Chosen) -> str:
    return f"{chosen.name} {chosen.metadata['created']}"


def _mean_row(model: FaceModel) -> np.ndarray:
    return np.asarray(model.pixels.rebuild(np.zeros((1, 1)))[0])


def _shares(model: FaceModel) -> np.ndarray:
    return np.asarray(model.pixels.variance / model.pixels.total_variance)


@st.cache_data(max_entries=16, show_spinner="Drawing faces")
def _crowd(
    name: str, labels: tuple[str, ...], count: int, _model: FaceModel
) -> tuple[np.ndarray, list[str]]:
    # the name stands for the model, whose arrays are too large to hash
    return draw_crowd(_model, labels, count)


@st.cache_data(max_entries=16, show_spinner="Drawing faces")
def _pair(name: str, labels: tuple[str, ...], _model: FaceModel) -> PixelPair:
    faces, _ = draw_crowd(_model, labels, DOTS)
    places = [tuple(int(faces.shape[1] * share) for share in place) for place in PIXELS]
    (a, b), (c, d) = places
    return compare_pixels(faces, (a, b), (c, d))
