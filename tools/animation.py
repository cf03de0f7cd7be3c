"""Draw docs/face-space.webp, the README's walk through face space: python tools/animation.py

Every face in it is synthetic: a point of the face space of `classic`, which shows no person.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from facecore.model import (  # noqa: E402
    FaceModel,
    eigenface_images,
    load_model,
    sample_coordinates,
    to_image,
)

OUT = REPO / "docs" / "face-space.webp"
SEEDS = ((22, 12), (9, 7), (2, 5))  # of the faces that the walk passes, one per label
SPREAD = 0.6  # of the training faces' standard deviations
STEPS = 14  # from one face to the next
PAUSE, REST = 70, 900  # milliseconds between frames, and on each face
SIZE = (760, 300)
FACE, SMALL, GAP = 260, 60, 12
SHOWN = 6  # eigenfaces
REACH = 1.5  # standard deviations that a bar can show
BACK, TEXT, LINE = (20, 24, 31), (226, 232, 240), (71, 85, 105)
COLOURS = ((230, 159, 0), (86, 180, 233))  # one per label, as in the dashboard


def main() -> None:
    """Draw the walk and write it."""
    model = load_model("classic")
    frames, times = [], []
    pictures = eigenface_images(model, SHOWN)
    for point, share in way(model):
        frames.append(draw(model, pictures, point))
        times.append(REST if share == 0 else PAUSE)
    frames[0].save(
        OUT,
        save_all=True,
        append_images=frames[1:],
        duration=times,
        loop=0,
        quality=85,
        method=6,
    )
    print(f"{OUT.relative_to(REPO)}: {len(frames)} frames, {OUT.stat().st_size / 1e3:.0f} kB")


def way(model: FaceModel) -> list[tuple[np.ndarray, float]]:
    """Return the points of a round trip, and how far each is from one face to the next.

    Parameters
    ----------
    model : FaceModel
        With eigenfaces, and a spread of its coordinates to draw faces from.

    Returns
    -------
    list of (ndarray of shape (n_components,), float)
    """
    stops = [
        sample_coordinates(model, label, 1, seed, SPREAD)[0]
        for seeds in SEEDS
        for label, seed in zip(model.labels, seeds, strict=True)
    ]
    shares = (1 - np.cos(np.linspace(0, np.pi, STEPS, endpoint=False))) / 2
    return [
        ((1 - share) * here + share * there, float(share))
        for here, there in zip(stops, stops[1:] + stops[:1], strict=True)
        for share in shares
    ]


def draw(model: FaceModel, pictures: np.ndarray, point: np.ndarray) -> Image.Image:
    """Draw one frame: the face, its leading coordinates, and what the model answers.

    Parameters
    ----------
    model : FaceModel
    pictures : ndarray of shape (SHOWN, side, side), uint8
        The leading eigenfaces.
    point : ndarray of shape (n_components,)
        Coordinates of the face.

    Returns
    -------
    Image
        RGB, of size `SIZE`.
    """
    frame = Image.new("RGB", SIZE, BACK)
    pen = ImageDraw.Draw(frame)
    top = (SIZE[1] - FACE) // 2
    row = model.pixels.rebuild(point[None])[0]
    frame.paste(_square(to_image(row), FACE), (top, top))
    left = top + FACE + 2 * GAP
    _write(pen, (left, top), "How much of each eigenface this face has")
    _draw_coordinates(frame, pen, (left, top + 26), pictures, _in_deviations(model, point))
    grey = np.clip(np.rint(row), 0, 255).astype(np.uint8)
    _draw_answer(
        pen, (left, SIZE[1] - top - 62), model, float(model.predict_proba(grey[None])[0, 1])
    )
    return frame


def _in_deviations(model: FaceModel, point: np.ndarray) -> np.ndarray:
    member = model.pixels
    return point[:SHOWN] * (member.deviation / np.sqrt(member.variance))[:SHOWN]


def _draw_coordinates(
    frame: Image.Image,
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    pictures: np.ndarray,
    values: np.ndarray,
) -> None:
    x, y = corner
    half = 34
    middle = y + SMALL + GAP + half
    for picture, value in zip(pictures, values, strict=True):
        frame.paste(_square(picture, SMALL), (x, y))
        end = middle - round(float(np.clip(value / REACH, -1, 1)) * half)
        pen.rectangle((x + 20, min(end, middle), x + SMALL - 20, max(end, middle)), fill=TEXT)
        pen.line((x, middle, x + SMALL, middle), fill=LINE)
        x += SMALL + GAP


def _draw_answer(
    pen: ImageDraw.ImageDraw, corner: tuple[int, int], model: FaceModel, probability: float
) -> None:
    x, y = corner
    width = SHOWN * (SMALL + GAP) - GAP
    cut = x + round((1 - probability) * width)
    _write(pen, (x, y), "What the model answers")
    pen.rectangle((x, y + 26, cut, y + 38), fill=COLOURS[0])
    pen.rectangle((cut, y + 26, x + width, y + 38), fill=COLOURS[1])
    _write(pen, (x, y + 44), f"{model.labels[0]} {1 - probability:.2f}")
    _write(pen, (x + width, y + 44), f"{model.labels[1]} {probability:.2f}", "ra")


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, anchor: str = "la") -> None:
    pen.text(place, text, fill=TEXT, font=ImageFont.load_default(15), anchor=anchor)


def _square(picture: np.ndarray, side: int) -> Image.Image:
    return Image.fromarray(picture).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)


if __name__ == "__main__":
    main()
