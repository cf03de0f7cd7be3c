"""Drawn faces: they contain no person, and the Haar cascade finds them."""

import io
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

LABELS = ("round", "square", "wide")
# Thickness of the brows and width of the mouth of each label.
LOOKS = {"round": (0.0, 3.0), "square": (2.0, -5.0), "wide": (0.0, -5.0)}


def draw_face(label: str, person: int, shot: int = 0, side: int = 100) -> np.ndarray:
    """Draw a face, ndarray of shape (side, side), uint8: the label's look, a person, a shot."""
    brow, mouth = LOOKS[label]
    of_person = np.random.default_rng([LABELS.index(label), person])
    of_shot = np.random.default_rng([LABELS.index(label), person, shot])
    unit = 4
    skin = of_person.uniform(165, 205)
    hair = of_person.uniform(30, 60)
    eye_x, eye_y = of_person.uniform(16, 19), 42 + of_person.uniform(-1, 1)
    brow += of_person.normal(0, 0.4)
    mouth += of_person.normal(0, 1.2)
    picture = np.full((100 * unit, 100 * unit), of_shot.uniform(90, 130), dtype=np.float32)

    def oval(x: float, y: float, w: float, h: float, grey: float) -> None:
        centre, axes = (int(x * unit), int(y * unit)), (int(w * unit), int(h * unit))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, float(grey), -1)

    oval(50, 45, 42, 48, hair)
    oval(50, 54, 36, 46, skin)
    for way in (-1, 1):
        oval(50 + way * eye_x, eye_y, 12, 7, skin - 60)
        oval(50 + way * eye_x, eye_y, 9, 3.5, skin + 20)
        oval(50 + way * eye_x, eye_y, 3.6, 3.6, 30)
        oval(50 + way * eye_x, eye_y - 11 - brow, 12, max(1, 2 + brow), 45)
        oval(50 + way * 20, 62, 9, 8, skin + 22)
    oval(50, 54, 4.5, 15, skin + 30)
    for way in (-1, 1):
        oval(50 + way * 4, 68, 2, 2, skin - 70)
    oval(50, 80, max(4, 13 + mouth), 3.5, skin - 85)
    oval(50, 92, 10, 4, skin + 15)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.6 * unit)
    picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    picture += of_shot.normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def draw_photo(
    label: str, person: int, shot: int = 0, side: int = 200, face: int | None = None
) -> np.ndarray:
    """Draw a photo with one face, ndarray of shape (side, side, 3), uint8."""
    rng = np.random.default_rng([7, LABELS.index(label), person, shot])
    face = face or int(rng.integers(round(side * 0.45), round(side * 0.6)))
    photo = np.full((side, side), rng.uniform(100, 180)) + rng.normal(0, 2, (side, side))
    top, left = rng.integers(round(side * 0.1), side - face - round(side * 0.05), 2)
    photo[top : top + face, left : left + face] = draw_face(label, person, shot, face)
    tint = np.array([1.0, 0.97, 0.93])
    return np.clip(photo[:, :, None] * tint, 0, 255).astype(np.uint8)


def draw_faces(labels: tuple[str, ...], persons: int, shots: int) -> tuple[np.ndarray, ...]:
    """Return rows of grey levels (n, 10000) uint8, labels, and persons."""
    rows, y, groups = [], [], []
    for label in labels:
        for person in range(persons):
            for shot in range(shots):
                rows.append(draw_face(label, person, shot).reshape(-1))
                y.append(label)
                groups.append(f"{label}-{person}")
    return np.array(rows), np.array(y), np.array(groups)


def drawn_face() -> tuple[np.ndarray, np.ndarray]:
    """A photo with a drawn face, and its landmarks."""
    photo = np.full((300, 340), 140, dtype=np.uint8)
    photo[60:220, 90:250] = draw_face("round", 2, side=160)
    photo = cv2.GaussianBlur(photo, (0, 0), 1.5)
    points = np.array([(152, 127), (188, 127), (170, 150), (157, 188), (183, 188)], dtype=float)
    return np.repeat(photo[:, :, None], 3, axis=2), points


def noisy(data: tuple[np.ndarray, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces that are hard to tell apart, so that candidates differ."""
    X, y, groups = data
    rng = np.random.default_rng(seed)
    X = np.clip(X[:, ::100] + rng.normal(0, 60, (len(X), X.shape[1] // 100)), 0, 255)
    return X.astype(np.uint8), y, groups


def encode(pixels: np.ndarray, kind: str = "JPEG", **options) -> bytes:
    """Encode pixels as an image file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def write_crops(root: Path, labels: tuple[str, ...] = LABELS[:2], persons: int = 8) -> Path:
    """Write ROOT/<label>/*.png: drawn faces from border to border, 48 x 48 pixels, two shots."""
    for label in labels:
        (root / label).mkdir(parents=True, exist_ok=True)
        for person in range(persons):
            for shot in range(2):
                data = encode(draw_face(label, person, shot, side=48), "PNG")
                (root / label / f"p{person:02d}_{shot}.png").write_bytes(data)
    return root


def write_raw(
    root: Path,
    labels: tuple[str, ...] = LABELS[:2],
    persons: int = 8,
    shots: int = 2,
    table: bool = True,
    split: bool = False,
) -> Path:
    """Write ROOT/<label>/*.jpg with drawn faces, and labels.csv if wanted."""
    rows = []
    for label in labels:
        (root / label).mkdir(parents=True, exist_ok=True)
        for person in range(persons):
            for shot in range(shots):
                path = f"{label}/p{person:02d}_{shot}.jpg"
                (root / path).write_bytes(encode(draw_photo(label, person, shot), quality=92))
                which = "" if not split else "test" if person % 4 == 0 else "train"
                row = {"path": path, "label": label, "subject": f"s-{label}-{person}"}
                ages = {"split": which, "age": str(15 + 7 * person), "race": f"r{person % 2}"}
                rows.append(row | ages)
    if table:
        pd.DataFrame(rows).to_csv(root / "labels.csv", index=False)
    return root
