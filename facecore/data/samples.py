"""Samples from a camera: pictures that a browser sends, checked and packed for a training."""

import binascii
import csv
import io
import zipfile
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass

from facecore.data.archive import TABLE, survey_labels
from facecore.data.listing import is_label, refuse_twins
from facecore.errors import DataError, PhotoError
from facecore.face.images import Limits, decode

MOST_AT_ONCE = 60  # pictures that a browser may send together
LARGEST = Limits(max_bytes=80_000, max_pixels=640 * 640)  # a sample has 320 x 240 and 20 kB
JPEG = b"\xff\xd8"


@dataclass(frozen=True)
class Sample:
    """One picture of a label.

    Parameters
    ----------
    label : str
        The label.
    hold : int
        Which time the camera was held on the label, from 0. Pictures of one time are almost alike,
        so they are kept together when a training is validated.
    data : bytes
        The picture as JPEG.
    """

    label: str
    hold: int
    data: bytes


def read_samples(pictures: object, most: int = MOST_AT_ONCE) -> tuple[list[bytes], int]:
    """Check pictures that a browser sent.

    Parameters
    ----------
    pictures : object
        A list of JPEGs as base64 text, if the browser is ours; anything else from others.
    most : int, default=60
        Number of pictures that are wanted; those after it are refused.

    Returns
    -------
    samples : list of bytes
        JPEGs within `LARGEST` that can be decoded, in their order.
    refused : int
        Number of the others.

    Raises
    ------
    DataError
        It is not a list, or has more than `MOST_AT_ONCE` entries.

    Examples
    --------
    >>> read_samples(["no picture", 7])
    ([], 2)
    """
    if not isinstance(pictures, list) or len(pictures) > MOST_AT_ONCE:
        raise DataError(f"the browser must send a list of at most {MOST_AT_ONCE} pictures")
    samples = [data for one in pictures[:most] if (data := _read(one))]
    return samples, len(pictures) - len(samples)


def _read(text: object) -> bytes | None:
    if not isinstance(text, str) or len(text) > 4 * LARGEST.max_bytes / 3 + 4:
        return None
    try:
        data = b64decode(text, validate=True)
        photo = decode(data, limits=LARGEST)
    except (binascii.Error, ValueError, PhotoError):
        return None
    # A JPEG of more pixels is no error: it would be read at half its size.
    small = photo.width * photo.height <= LARGEST.max_pixels
    return data if data.startswith(JPEG) and small else None


def pack_samples(samples: Sequence[Sample]) -> bytes:
    """Pack samples as a ZIP of label folders, as uploads are.

    Its ``labels.csv`` puts all into the train split and names each hold as a subject of its own: a
    test split out of the same moments would say little, and cross-validation keeps each hold in one
    fold.

    Parameters
    ----------
    samples : sequence of Sample
        Of two labels or more, each of two holds or more.

    Returns
    -------
    bytes
        A ZIP that `unpack_labels` takes.

    Raises
    ------
    DataError
        There are too few labels or holds, or a label cannot be the name of a folder.

    Examples
    --------
    >>> pack_samples([Sample("calm", 0, b"")])
    Traceback (most recent call last):
    facecore.errors.DataError: samples of one label only; take some of another
    """
    holds: dict[str, set[int]] = {}
    for sample in samples:
        holds.setdefault(sample.label, set()).add(sample.hold)
    if len(holds) < 2:
        raise DataError("samples of one label only; take some of another")
    for label, found in holds.items():
        if not is_label(label):
            raise DataError(f"{label!r} cannot be a label; labels are names of folders")
        if len(found) < 2:
            raise DataError(
                f"label {label!r} was held once; hold it once more, so that the training can be "
                "validated on another moment than it learned from"
            )
    refuse_twins(holds, "the samples")
    buffer, rows = io.BytesIO(), io.StringIO(newline="")
    table = csv.writer(rows)
    table.writerow(("path", "label", "subject", "split"))
    with zipfile.ZipFile(buffer, "w") as archive:
        for i, sample in enumerate(samples):
            path = f"{sample.label}/hold-{sample.hold}-{i:04d}.jpg"
            archive.writestr(path, sample.data)
            table.writerow((path, sample.label, f"{sample.label} hold {sample.hold}", "train"))
        archive.writestr(TABLE, rows.getvalue())
    survey_labels(buffer)  # refuses labels that are no folder on some system
    return buffer.getvalue()
