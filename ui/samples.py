"""Samples from the camera, for the page Your data: labels that are filled by holding a button.

They are kept in the memory of the visit until a training starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from facecore.data import Sample, pack_samples, read_samples
from facecore.errors import FacecoreError
from ui.camera import show_samples_camera
from ui.text import as_is

KEY = "camera_samples"
MOST_LABELS, MOST_PICTURES = 6, 200  # pictures of a label
SHOWN = 6  # of them as small pictures


@dataclass(frozen=True)
class SampleLabel:
    """A label with its pictures.

    Parameters
    ----------
    id : int
        Unique within the visit.
    name : str
        What the visitor typed.
    holds : tuple of tuple of bytes
        The JPEGs of each time that the button was held.
    """

    id: int
    name: str
    holds: tuple[tuple[bytes, ...], ...] = ()

    @property
    def pictures(self) -> list[bytes]:
        """All JPEGs, in the order in which they were taken."""
        return [picture for hold in self.holds for picture in hold]


def collect_samples() -> bytes:
    """Ask for samples of two labels or more.

    Returns
    -------
    bytes
        A ZIP of them, as an upload is; empty as long as no training can start with them, and the
        page then says why.
    """
    labels = _labels()
    st.caption(
        "Name the labels, then hold a button while you look into the camera: five pictures a "
        "second are taken until you let go. Hold each label at least twice, from a little farther "
        "away or in other light, so that the training can be judged on another moment. The "
        "pictures stay in the memory of this visit; when the training starts, a copy is written "
        "to the computer that runs this dashboard, as an upload would be."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label in labels:
            key = f"sample_name_{label.id}"
            st.text_input(
                f"Label {label.id + 1}",
                label.name,
                key=key,
                max_chars=40,
                width=180,
                on_change=_rename,
                args=(label.id, key),
            )
        if len(labels) < MOST_LABELS:
            st.button("Add a label", icon=":material/add:", on_click=_add_label)
    batch = show_samples_camera(
        [
            {
                "id": label.id,
                "name": label.name.strip() or f"Label {label.id + 1}",
                "count": len(label.pictures),
                "room": MOST_PICTURES - len(label.pictures),
            }
            for label in labels
        ],
        "samples_camera",
    )
    if batch is not None:
        _take(batch)
        st.rerun()
    if news := st.session_state.get(f"{KEY}_news"):
        st.warning(news, icon=":material/broken_image:")
    _show(labels)
    return _ready(labels)


def _labels() -> tuple[SampleLabel, ...]:
    first = (SampleLabel(0, "Label 1"), SampleLabel(1, "Label 2"))
    labels: tuple[SampleLabel, ...] = st.session_state.get(KEY) or first
    return labels


def _take(batch: dict[str, Any]) -> None:
    """Add what the browser sent to its label, and say how much of it was refused."""
    labels, news = _labels(), ""
    named = next((one for one in labels if one.id == batch.get("label")), None)
    if named is None:  # removed meanwhile
        return
    try:
        room = MOST_PICTURES - len(named.pictures)
        pictures, refused = read_samples(batch.get("pictures"), room)
    except FacecoreError as error:
        news = as_is(error)
    else:
        if pictures:
            _replace(replace(named, holds=(*named.holds, tuple(pictures))))
        if refused:
            news = f"{refused} pictures were left out: they cannot be read, or there is no room."
    st.session_state[f"{KEY}_news"] = news


def _replace(label: SampleLabel) -> None:
    st.session_state[KEY] = tuple(label if one.id == label.id else one for one in _labels())


def _rename(number: int, key: str) -> None:
    label = next(one for one in _labels() if one.id == number)
    _replace(replace(label, name=st.session_state[key]))


def _add_label() -> None:
    labels = _labels()
    number = max(label.id for label in labels) + 1
    st.session_state[KEY] = (*labels, SampleLabel(number, f"Label {number + 1}"))


def _remove_label(number: int) -> None:
    st.session_state[KEY] = tuple(label for label in _labels() if label.id != number)


def _empty(number: int) -> None:
    label = next(one for one in _labels() if one.id == number)
    _replace(replace(label, holds=()))


def _remove_all() -> None:
    st.session_state[KEY] = tuple(replace(label, holds=()) for label in _labels())
    st.session_state.pop(f"{KEY}_news", None)


def _show(labels: Sequence[SampleLabel]) -> None:
    for label in labels:
        pictures, name = label.pictures, as_is(label.name.strip() or f"Label {label.id + 1}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            holds = f"{len(label.holds)} hold{'' if len(label.holds) == 1 else 's'}"
            st.markdown(f"**{name}**: {len(pictures)} pictures, {holds}", width=220)
            step = max(1, len(pictures) // SHOWN)
            for i, picture in enumerate(pictures[::step][:SHOWN]):
                st.image(picture, alt=f"Picture {i * step + 1} of {label.name}", width=56)
            if pictures:
                st.button(
                    "Empty",
                    key=f"sample_empty_{label.id}",
                    icon=":material/delete:",
                    type="tertiary",
                    on_click=_empty,
                    args=(label.id,),
                    help=f"Remove all pictures of {name}",
                )
            if len(labels) > 2:
                st.button(
                    "Remove",
                    key=f"sample_remove_{label.id}",
                    icon=":material/close:",
                    type="tertiary",
                    on_click=_remove_label,
                    args=(label.id,),
                    help=f"Remove the label {name} with its pictures",
                )
    if any(label.holds for label in labels):
        st.button(
            "Remove all pictures",
            key="samples_remove",
            icon=":material/delete:",
            on_click=_remove_all,
        )


def _ready(labels: Sequence[SampleLabel]) -> bytes:
    samples = tuple(
        Sample(label.name.strip(), i, picture)
        for label in labels
        for i, hold in enumerate(label.holds)
        for picture in hold
    )
    lacking = [label.name for label in labels if len(label.holds) < 2]
    if lacking:
        st.info(
            f"Two holds of each label are needed; still to do: {as_is(', '.join(lacking))}.",
            icon=":material/touch_app:",
        )
        return b""
    names = [label.name.strip() for label in labels]
    if len(set(names)) < len(names):
        st.error("Two labels have the same name; give them different ones.")
        return b""
    try:
        return pack_samples(samples)
    except FacecoreError as error:
        st.error(as_is(error), icon=":material/error:")
        return b""
