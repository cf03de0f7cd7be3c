"""What was computed of a visitor's photos, in the memory of their session and nowhere else."""

import hashlib
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import streamlit as st

KEPT = "kept_of_photos"
MOST = {"answer": 8, "picture": 8, "heat": 96}  # that a session keeps, the latest ones

T = TypeVar("T")
Key = tuple[Any, ...]


def digest_of(data: bytes) -> str:
    """Return what tells a photo from all others.

    Parameters
    ----------
    data : bytes
        Contents of the file.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    return hashlib.sha256(data).hexdigest()


def remember(kind: str, key: Key, make: Callable[[], T]) -> T:
    """Return what the session keeps under a key; make it if there is none.

    Parameters
    ----------
    kind : str
        A key of `MOST`.
    key : tuple
        All that the result depends on. It begins with the digest of the photo.
    make : callable
        Compute the result.

    Returns
    -------
    object
        The result; not to be changed.
    """
    kept = _kept(kind)
    kept[key] = kept.pop(key) if key in kept else make()  # the latest comes last
    while len(kept) > MOST[kind]:
        del kept[next(iter(kept))]
    result: T = kept[key]
    return result


def recall(kind: str, key: Key) -> Any:
    """Return what the session keeps under a key.

    Parameters
    ----------
    kind : str
        A key of `MOST`.
    key : tuple
        As `remember` takes it.

    Returns
    -------
    object
        None if there is none.
    """
    return _kept(kind).get(key)


def forget_photos(but: Collection[str] = ()) -> None:
    """Remove everything that was computed of photos from the session.

    Parameters
    ----------
    but : collection of str
        Digests of photos that are still there.
    """
    for kind in MOST:
        kept = _kept(kind)
        for key in [key for key in kept if key[0] not in but]:
            del kept[key]


def _kept(kind: str) -> dict[Key, Any]:
    kept: dict[Key, Any] = st.session_state.setdefault(KEPT, {}).setdefault(kind, {})
    return kept
