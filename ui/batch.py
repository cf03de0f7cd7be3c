"""Many photos at once: answered with progress, kept for the session, shown as a table and files."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from facecore.data import PREDICTION_LIMITS, Entry, count_photos, read_photos
from facecore.errors import DataError
from facecore.model import FaceAnswer, PhotoAnswer, apply_rule, pair_faces
from ui.answers import CAVEAT, Settings, show_heat_maps, show_photo
from ui.controls import FEW, MOST_COLOURS, offer_file
from ui.memory import Key, forget_photos
from ui.sheets import tame, to_sheet
from ui.text import as_is

MAX_PHOTOS = PREDICTION_LIMITS.max_photos
KEPT = "batch_answers"
HEAD = ("position", "photo", "face", "answer", "likely", "probability", "reason", "error", "notes")
NOWHERE = "no face found here"
LETTER, MARGIN, WIDEST = 7.5, 24, 900  # pixels of a column of text
BOX = ("x", "y", "width", "height")
NO_PICTURE = np.empty((0, 0), dtype=np.uint8)


@dataclass(frozen=True)
class Source:
    """One photo, or a ZIP of photos.

    Parameters
    ----------
    id : str
        Unique among the visitor's sources.
    name : str
        Name of the file; it ends in ``.zip`` if it is a ZIP.
    data : bytes
        Contents of the file.
    encoding : str, optional
        Of names in a ZIP that do not say theirs; guessed where left out.
    """

    id: str
    name: str
    data: bytes
    encoding: str | None = None

    def count(self) -> int:
        """Return the number of photos; a file that cannot be read counts as one.

        Returns
        -------
        int
        """
        if not self.is_zip():
            return 1
        try:
            return count_photos(self.data, encoding=self.encoding)
        except DataError:
            return 1

    def entries(self) -> Iterator[Entry]:
        """Yield the photos; a file that cannot be read yields its error.

        Yields
        ------
        Entry
        """
        if not self.is_zip():
            yield Entry(self.name, self.data)
            return
        try:
            yield from read_photos(self.data, encoding=self.encoding)
        except DataError as error:
            yield Entry(self.name, b"", str(error))

    def is_zip(self) -> bool:
        """Return whether the file is a ZIP, by its name.

        Returns
        -------
        bool
        """
        return self.name.lower().endswith(".zip")


def within_limit(sources: Sequence[Source]) -> list[Source]:
    """Return the sources that together hold at most `MAX_PHOTOS`; warn if any is left out.

    Parameters
    ----------
    sources : sequence of Source
        All that the visitor uploaded.

    Returns
    -------
    list of Source
    """
    kept: list[Source] = []
    photos = 0
    for source in sources:
        if photos + source.count() <= MAX_PHOTOS:
            kept.append(source)
            photos += source.count()
    if len(kept) < len(sources):
        st.warning(
            f"At most {MAX_PHOTOS:,} photos are answered at once: {len(kept):,} of "
            f"{len(sources):,} files fit. Remove some of them, or split the ZIP.",
            icon=":material/filter_list:",
        )
    return kept


def list_entries(sources: Sequence[Source]) -> Iterator[Entry]:
    """Yield the photos of all sources.

    Parameters
    ----------
    sources : sequence of Source
        Photos and ZIPs.

    Yields
    ------
    Entry
    """
    return chain.from_iterable(source.entries() for source in sources)


def answer_all(sources: Sequence[Source], settings: Settings) -> list[list[PhotoAnswer]]:
    """Answer all photos, with progress; what the session has answered is not computed again.

    Parameters
    ----------
    sources : sequence of Source
        Photos and ZIPs.
    settings : Settings
        Models to ask, and how.

    Returns
    -------
    list of list of PhotoAnswer
        For each model, one answer per photo, without pictures.
    """
    known: dict[Key, list[PhotoAnswer]] = st.session_state.setdefault(KEPT, {})
    keys = [[settings.key(source.id, chosen) for source in sources] for chosen in settings.models]
    # Only the answers to the present photos are kept, so a session's memory does not grow.
    if gone := set(known) - set(chain.from_iterable(keys)):
        forget_photos()
        for key in gone:
            del known[key]
    todo = [
        (key, source, chosen)
        for chosen, row in zip(settings.models, keys, strict=True)
        for source, key in zip(sources, row, strict=True)
        if key not in known
    ]
    if todo:
        total, done = sum(source.count() for _, source, _ in todo), 0
        bar = st.progress(0.0)
        for key, source, chosen in todo:
            answers = []
            for entry in source.entries():
                done += 1
                bar.progress(done / total, f"Photo {done:,} of {total:,}: {as_is(entry.name)}")
                answers.append(_without_pictures(settings.predict(entry, chosen)))
            known[key] = answers
        bar.empty()
    rules = [settings.rule(chosen.model) for chosen in settings.models]
    return [
        [apply_rule(answer, rule) for key in row for answer in known[key]]
        for rule, row in zip(rules, keys, strict=True)
    ]


def tabulate(answers: Sequence[PhotoAnswer], labels: Sequence[str]) -> pd.DataFrame:
    """Return a table with one row per face; a photo without a face has a row that says why.

    Parameters
    ----------
    answers : sequence of PhotoAnswer
        One answer per photo.
    labels : sequence of str
        Labels of the model.

    Returns
    -------
    DataFrame
        Indexed by the position of the photo: photo, face (from 1), answer (the label, or what there
        is in its place), likely (the likeliest label, withheld or not), its probability, reason
        (why there is no label), error, notes (what was not as it should be with the photo), label,
        the probability of each label, distance (from face space), x, y, width, height (of the box,
        in pixels).
    """
    rows: list[dict[str, object]] = []
    for position, answer in enumerate(answers):
        notes = "; ".join(answer.notes) or None
        for number, face in enumerate(answer.faces, start=1):
            box = dict(zip(BOX, face.box, strict=True))
            scores = {f"P({label})": round(face.scores[label], 4) for label in labels}
            rows.append(
                {
                    "position": position,
                    "photo": answer.photo,
                    "face": number,
                    "answer": _answer_of(face),
                    "notes": notes,
                    "label": face.label,
                    "reason": face.reason,
                    "likely": face.likely,
                    "probability": round(face.probability, 4),
                    **scores,
                    "distance": round(face.distance, 4),
                    **box,
                }
            )
        if not answer.faces:
            error = answer.error or "no face"
            empty = {"position": position, "photo": answer.photo, "error": error, "notes": notes}
            rows.append(empty)
    columns = [*HEAD, "label", *(f"P({label})" for label in labels), "distance", *BOX]
    whole = dict.fromkeys(("face", *BOX), "Int64")  # pandas' own integers, which may be missing
    return pd.DataFrame(rows).reindex(columns=columns).astype(whole).set_index("position")


def add_second(
    table: pd.DataFrame,
    first: Sequence[PhotoAnswer],
    second: Sequence[PhotoAnswer],
    name: str,
) -> pd.DataFrame:
    """Add a second model's answers for the same faces.

    Parameters
    ----------
    table : DataFrame
        Table of the first model's answers, as `tabulate` returns it.
    first, second : sequence of PhotoAnswer
        Answers of the two models to the same photos.
    name : str
        Name of the second model.

    Returns
    -------
    DataFrame
        With the columns ``NAME says``, ``NAME P`` and agree (bool, or missing where one of the
        models found no face in that place). Faces that only the second model found have rows of
        their own, after those of their photo.
    """
    says, score = f"{name} says", f"{name} P"
    rows: list[dict[str, object]] = []
    alone: list[dict[str, object]] = []
    for at, (one, other) in enumerate(zip(first, second, strict=True)):
        for number, (i, j) in enumerate(pair_faces(one, other), start=1):
            face = None if j is None else other.faces[j]
            theirs = (
                {says: NOWHERE}
                if face is None
                else {
                    says: _answer_of(face),
                    score: round(face.probability, 4),
                }
            )
            place = {"position": at, "face": number, **theirs}
            if i is not None:
                agree = None if face is None else face.verdict == one.faces[i].verdict
                rows.append(place | {"agree": agree})
            elif face is not None:
                box = dict(zip(BOX, face.box, strict=True))
                alone.append(place | {"photo": one.photo, "answer": NOWHERE, **box})
    columns = ["position", "face", says, score, "agree"]
    theirs_too = pd.DataFrame(rows, columns=columns).astype({"face": "Int64", "agree": "boolean"})
    table = table.reset_index().merge(theirs_too, "left", ["position", "face"])
    added = pd.DataFrame(alone).reindex(columns=table.columns).astype(table.dtypes)
    whole = pd.concat([table, added]) if alone else table
    return whole.set_index("position").sort_index(kind="stable")


def to_json(answers: Sequence[PhotoAnswer], model: str) -> list[dict[str, Any]]:
    """Return what ``predict --json`` prints of answers, with the model and each face's distance.

    Parameters
    ----------
    answers : sequence of PhotoAnswer
        One answer per photo.
    model : str
        Name of the model.

    Returns
    -------
    list of dict
        One document per photo.
    """
    shown = []
    for answer in answers:
        plain = answer.to_dict()
        for face, found in zip(plain["faces"], answer.faces, strict=True):
            face["distance"] = round(found.distance, 4)
        shown.append({"model": model, **plain})
    return shown


@st.fragment
def show_batch(
    sources: Sequence[Source], answers: Sequence[Sequence[PhotoAnswer]], settings: Settings
) -> None:
    """Show the answers to many photos: counts, a table, files, and the photo of a chosen row.

    Parameters
    ----------
    sources : sequence of Source
        Photos and ZIPs.
    answers : sequence of sequence of PhotoAnswer
        For each model, one answer per photo, as `answer_all` returns them.
    settings : Settings
        Models that gave the answers, and how.
    """
    first, chosen = answers[0], settings.models[0]
    table = tabulate(first, chosen.labels)
    for second, other in zip(answers[1:], settings.models[1:], strict=True):
        table = add_second(table, first, second, other.name)
    table = tame(table)  # already here, as Streamlit's table has a download of its own
    _show_counts(first, table, chosen.labels)
    many = len(chosen.labels) > MOST_COLOURS  # their probabilities are in the files alone
    hidden = {"label", *(name for name in ("reason", "error", "notes") if table[name].isna().all())}
    picked = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="batch_table",
        placeholder="",
        column_order=[
            c for c in table.columns if c not in hidden and not (many and c.startswith("P("))
        ],
        alt="One row per face: photo, answer, probabilities, distance from face space and box",
        column_config=_columns(table),
    )
    with st.container(horizontal=True):
        offer_file(
            "Answers as CSV",
            lambda: to_sheet(table),
            "answers.csv",
            "text/csv",
            "batch_csv",
        )
        offer_file(
            "Answers as JSON",
            lambda: _dump(answers, settings),
            "answers.json",
            "application/json",
            "batch_json",
        )
    st.caption(CAVEAT)
    rows = picked["selection"]["rows"]
    if not rows or rows[0] >= len(table):
        st.info("Choose a row to see its face and photo.", icon=":material/touch_app:")
        return
    position, face = int(table.index[rows[0]]), table["face"].iloc[rows[0]]
    entry = next(islice(list_entries(sources), position, None))
    only = None if pd.isna(face) else int(face)
    show_heat_maps(show_photo(entry, settings, "chosen", only))


def _answer_of(face: FaceAnswer) -> str:
    doubted = face.why_no_face and face.label
    return f"{face.verdict} (probably not a face)" if doubted else face.verdict


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    """Return how columns are shown: numbers with three decimals, texts so wide that none is cut."""
    shown: dict[str, Any] = {}
    for name in table.columns:
        if table[name].dtype == "float64":
            shown[name] = st.column_config.NumberColumn(format="%.3f")
        elif name in ("answer", "likely", "reason", "error", "notes") or name.endswith(" says"):
            longest = max(map(len, table[name].dropna().astype(str)), default=0)
            width = min(WIDEST, round(LETTER * max(longest, len(name)) + MARGIN))
            shown[name] = st.column_config.TextColumn(width=width)
    return shown


def _show_counts(
    answers: Sequence[PhotoAnswer], table: pd.DataFrame, labels: Sequence[str]
) -> None:
    faces = table["label"].value_counts()
    doubted = table["reason"].count()
    with st.container(horizontal=True):
        st.metric("Photos", f"{len(answers):,}", border=True)
        st.metric("Faces", f"{faces.sum() + doubted:,}", border=True)
        shown = labels if len(labels) <= MOST_COLOURS else list(faces.index[:FEW])
        for label in shown:
            st.metric(as_is(label), f"{faces.get(label, 0):,}", border=True)
        if others := len(labels) - len(shown):
            count = faces.sum() - faces.reindex(shown).sum()
            st.metric(f"{others} other labels", f"{count:,.0f}", border=True)
        if doubted:
            st.metric("No label", f"{doubted:,}", border=True, help="Unsure, unknown or not a face")
        without = sum(not answer.faces and not answer.error for answer in answers)
        st.metric("Photos without a face", f"{without:,}", border=True)
        st.metric("Unreadable", f"{sum(bool(a.error) for a in answers):,}", border=True)
        if "agree" in table:
            both = table["agree"].dropna()
            st.metric("Same answer", f"{both.sum():,} of {len(both):,}", border=True)


def _dump(answers: Sequence[Sequence[PhotoAnswer]], settings: Settings) -> str:
    names = [chosen.name for chosen in settings.models]
    rows = [to_json(each, name) for each, name in zip(answers, names, strict=True)]
    return json.dumps(list(chain.from_iterable(rows)), indent=1, ensure_ascii=False)


def _without_pictures(answer: PhotoAnswer) -> PhotoAnswer:
    faces = tuple(
        replace(face, crop=NO_PICTURE, reconstruction=None, prepared=NO_PICTURE)
        for face in answer.faces
    )
    return replace(answer, pixels=None, faces=faces)
