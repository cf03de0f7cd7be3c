"""How many faces of a group photo are answered, and how long it takes against one face.

A group is a photo of tiles with one face each, made from synthetic faces of no real person or from
a folder of photos. It is answered by the model as it is, and with the search at 480 pixels alone,
which is what detectors on shrunk photos do; and so is a photo of the same size with one face.

    python benchmarks/groups.py [--data DIR] [--models NAME ...] [--quick] [--json FILE]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks.figures import publish  # noqa: E402
from facecore.data import list_photos, root_of  # noqa: E402
from facecore.face import Face, WholeSettings, decode, get_detector  # noqa: E402
from facecore.model import FaceModel, load_model, predict_photo, write_photos  # noqa: E402

SOURCE = "aligned"  # the model whose synthetic faces are shown
# columns, rows, width of a face and of a tile, in pixels
GROUPS = {
    "24": (6, 4, 100, 250),
    "40": (8, 5, 100, 250),
    "70": (10, 7, 100, 250),
    "96": (12, 8, 100, 250),
    "96, small": (12, 8, 60, 150),
    "96, smallest": (12, 8, 54, 135),
    "96, large": (12, 8, 160, 360),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="a data set instead of synthetic photos"
    )
    parser.add_argument("--models", nargs="+", default=["classic", "aligned"], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="two groups, each timed once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    groups = dict(list(GROUPS.items())[:2]) if options.quick else GROUPS

    def take() -> dict[str, Any]:
        figures: dict[str, Any] = {}
        with tempfile.TemporaryDirectory() as work:
            tiles = read_tiles(Path(work), options.data)
            for name in options.models:
                model = load_model(name)
                figures[name] = {
                    group: measure(model, tiles, *how, times=1 if options.quick else 3)
                    for group, how in groups.items()
                }
        show(figures)
        return figures

    return publish(take, options.json)


def read_tiles(work: Path, data: Path | None) -> list[tuple[np.ndarray, Face]]:
    """Return photos in which one frontal face was found, and the face.

    Parameters
    ----------
    work : Path
        An empty folder.
    data : Path or None
        Data set as `facecore.data.list_photos` takes it, of which the train split is shown;
        synthetic photos when None.

    Returns
    -------
    list of tuple
        RGB pixels and face, of at most 96 photos.
    """
    source = data or work / "photos"
    if data is None:
        write_photos(load_model(SOURCE), source, 96)
    table = list_photos(source)
    table = table[table["split"].ne("test")].sample(frac=1, random_state=0)
    find, tiles = get_detector(load_model(SOURCE).recipe.detector), []
    for path in table["path"]:
        pixels = decode(root_of(source) / path).pixels
        if len(faces := find(pixels)) == 1:
            tiles.append((pixels, faces[0]))
        if len(tiles) == 96:
            break
    return tiles


def draw_group(
    tiles: list[tuple[np.ndarray, Face]], columns: int, rows: int, face: int, tile: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo of tiles, and the middle of each face.

    Parameters
    ----------
    tiles : list of tuple
        As `read_tiles` returns it.
    columns, rows : int
        Number of tiles.
    face, tile : int
        Width of a face and of a tile, in pixels.

    Returns
    -------
    group : ndarray of shape (rows * tile, columns * tile, 3), uint8
        RGB.
    middles : ndarray of shape (rows * columns, 2), float64
        x and y in pixels.
    """
    group = np.full((rows * tile, columns * tile, 3), 128, dtype=np.uint8)
    middles = []
    for i in range(rows * columns):
        pixels, found = tiles[i % len(tiles)]
        x, y, w, h = found.box
        scale = face / w
        left, top = tile / 2 - (x + w / 2) * scale, tile / 2 - (y + h / 2) * scale
        shown = cv2.warpAffine(
            pixels if scale > 0.5 else cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale),
            np.array([[scale, 0, left], [0, scale, top]]),
            (tile, tile),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        row, column = i // columns * tile, i % columns * tile
        group[row : row + tile, column : column + tile] = shown
        middles.append((column + tile / 2, row + tile / 2))
    return group, np.array(middles)


def measure(
    model: FaceModel,
    tiles: list[tuple[np.ndarray, Face]],
    columns: int,
    rows: int,
    face: int,
    tile: int,
    times: int,
) -> dict[str, Any]:
    """Answer a group, and one face in a photo of the same size.

    Parameters
    ----------
    model : FaceModel
        The model that answers.
    tiles : list of tuple
        As `read_tiles` returns it.
    columns, rows, face, tile : int
        As `draw_group` takes them.
    times : int
        How often each photo is answered; the median counts.

    Returns
    -------
    dict
        megapixels, shown (faces), answered (faces with an answer), further (answers that belong to
        none of them), before (`answered` with the search at 480 pixels alone); group, one (seconds
        of the whole answer), one_before (of one face with that search), search_group, search_one
        (of the search for faces alone).
    """
    settings = model.recipe.detector
    if isinstance(settings, WholeSettings):
        raise SystemExit(f"error: {model.recipe.name} searches no faces")
    shrunk = replace(settings, most_pixels=0)
    photo, middles = draw_group(tiles, columns, rows, face, tile)
    alone, _ = draw_group(tiles, 1, 1, min(face * rows, rows * tile // 3), rows * tile)
    side = (columns * tile - rows * tile) // 2
    alone = cv2.copyMakeBorder(alone, 0, 0, side, side, cv2.BORDER_REPLICATE)
    data, single = to_jpeg(photo), to_jpeg(alone)

    def count(detector: Any) -> tuple[int, int]:
        boxes = [found.box for found in predict_photo(data, model, detector=detector).faces]
        places = np.array([(x + w / 2, y + h / 2) for x, y, w, h in boxes]).reshape(-1, 2)
        apart = np.linalg.norm(middles[:, None] - places[None], axis=2)
        near = apart < face / 2
        return int(near.any(axis=1).sum()), int((~near.any(axis=0)).sum())

    answered, further = count(settings)
    return {
        "megapixels": round(photo.shape[0] * photo.shape[1] / 1e6, 1),
        "shown": columns * rows,
        "answered": answered,
        "further": further,
        "before": count(shrunk)[0],
        "group": time_of(lambda: predict_photo(data, model), times),
        "one": time_of(lambda: predict_photo(single, model), times),
        "one_before": time_of(lambda: predict_photo(single, model, detector=shrunk), times),
        "search_group": time_of(lambda: get_detector(settings)(photo), times),
        "search_one": time_of(lambda: get_detector(settings)(alone), times),
    }


def to_jpeg(pixels: np.ndarray) -> bytes:
    """Return a JPEG file as cameras write it.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, 3), uint8
        RGB.

    Returns
    -------
    bytes
        The content of the file.
    """
    good, data = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert good
    return data.tobytes()


def time_of(run: Any, times: int) -> float:
    """Return the median time of a call, after one that is not timed.

    Parameters
    ----------
    run : callable
        Takes nothing.
    times : int
        Number of timed calls.

    Returns
    -------
    float
        Seconds.
    """
    run()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return round(float(np.median(taken)), 4)


def show(figures: dict[str, Any]) -> None:
    """Print the figures.

    Parameters
    ----------
    figures : dict
        What `measure` returns, by group and model.
    """
    for name, groups in figures.items():
        print(f"\n{name}: faces answered, further answers, at 480 pixels alone; times are ratios")
        print(f"{'':14}{'MP':>6}{'answered':>12}{'further':>9}{'at 480':>8}", end="")
        print(f"{'search: group / one':>21}{'one: now / 480':>16}{'ms per face':>13}")
        for group, found in groups.items():
            print(
                f"{group:14}{found['megapixels']:6}{found['answered']:8} /{found['shown']:2}"
                f"{found['further']:9}{found['before']:8}"
                f"{found['search_group'] / found['search_one']:21.1f}"
                f"{found['one'] / found['one_before']:16.2f}"
                f"{found['group'] * 1e3 / max(found['answered'], 1):13.1f}"
            )


if __name__ == "__main__":
    sys.exit(main())
