"""A report on a model to hand in: one HTML file with its figures, pictures and card.

The file needs nothing beside it and runs nothing: figures are SVG, pictures are in the file, and
its own policy forbids scripts and whatever comes from elsewhere. The same model gives the same
bytes.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from facecore.data.listing import NO_FACE
from facecore.errors import ModelError
from facecore.evaluation.card import card_of
from facecore.evaluation.curves import coverage_curve, reliability, risk_figures
from facecore.evaluation.markup import make_table, render_card, text_of
from facecore.evaluation.searched import draw_search, faces_of
from facecore.evaluation.svg import Line, draw_cells, draw_dots, draw_lines
from facecore.face.images import to_png
from facecore.model.classifier import FaceModel
from facecore.model.drawing import to_image
from facecore.model.explain import eigenface_images, label_means, mean_face
from facecore.model.labels import order_labels, shows_nobody, title_of, whom_it_shows
from facecore.model.store import (
    find_model,
    lacks_of,
    load_model,
    read_evaluation,
    read_metadata,
    read_model_table,
)
from facecore.model.synth import sample_faces

STYLE = Path(__file__).with_name("document.css").read_text(encoding="utf-8")
UNSURE = "unsure"  # stands beside the labels in a confusion table
EIGENFACES, MADE, MOST_MADE = 16, 3, 7  # pictures; synthetic faces per label, and labels
CANDIDATES = 10  # of a search, the best ones
MOST_GROUPS = 30  # in a figure, those with the lowest accuracy
POINTS = 200  # of a curve
PARAMETERS = ("n_components", "whiten", "gamma", "C", "class_weight")


@dataclass(frozen=True)
class _Stored:
    """What the folder of a model holds."""

    name: str
    metadata: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    predictions: pd.DataFrame | None
    search: pd.DataFrame | None
    model: FaceModel | None
    lacks: str

    @property
    def order(self) -> Sequence[str]:
        return tuple(self.metadata.get("order", ()))

    @property
    def labels(self) -> list[str]:
        return order_labels(self.metadata["labels"], self.order)

    def rows_of(self, data: str) -> pd.DataFrame | None:
        """Return the predictions for a data set of which the model knows the labels."""
        if self.predictions is None:
            return None
        rows = self.predictions[self.predictions["set"].eq(data)]
        rows = rows[rows["label"].isin(self.labels)]
        return rows.fillna({"age": "", "race": "", "predicted": ""}) if len(rows) else None


def write_report(name: str | None = None, *, faces: bool = False) -> str:
    """Write a report on a stored model as one HTML file.

    Parameters
    ----------
    name : str, optional
        Of the model; the default model when left out.
    faces : bool
        Draw faces also where they may show a real person. Without it they are drawn only where
        enough subjects of each label are known, as `facecore.model.shows_nobody` says.

    Returns
    -------
    str
        HTML, to be stored as UTF-8. It holds no date of its own.

    Raises
    ------
    ModelError
        The model is missing or damaged, or its metadata lack an entry.

    Examples
    --------
    >>> html = write_report("classic")
    >>> html.startswith("<!doctype html>"), "<script" in html
    (True, False)
    """
    stored = _read(name)
    try:
        sections = {
            "How often it is right": _headline(stored),
            "Confusion": _confusions(stored),
            "Calibration": _calibration(stored),
            "Doubt": _doubt(stored),
            "Groups": _groups(stored),
            "Search": _search(stored),
            "Pictures": _pictures(stored, faces),
            "How it was made": _making(stored),
            "Model card": [render_card(_card(stored), level=1)],
        }
    except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(
            f"no report: the files of model {stored.name!r} lack {error}; train it again"
        ) from error
    return _page(stored, {head: blocks for head, blocks in sections.items() if blocks})


def _read(name: str | None) -> _Stored:
    name = find_model(name).name
    lacks = lacks_of(name) or ""
    return _Stored(
        name,
        read_metadata(name),
        read_evaluation(name) or {},
        read_model_table("predictions", name),
        read_model_table("grid_search", name),
        None if lacks else load_model(name),
        lacks,
    )


def _page(stored: _Stored, sections: Mapping[str, Sequence[str]]) -> str:
    digest = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
    title = f"{title_of(stored.metadata)}: report on the model {stored.name}"
    places = {head: head.lower().replace(" ", "-") for head in sections}
    links = "".join(f'<li><a href="#{at}">{head}</a></li>' for head, at in places.items())
    body = "\n".join(
        f'<section>\n<h2 id="{places[head]}">{head}</h2>\n' + "\n".join(blocks) + "\n</section>"
        for head, blocks in sections.items()
    )
    labels = ", ".join(stored.labels[:12]) + (" ..." if len(stored.labels) > 12 else "")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{text_of(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{text_of(title_of(stored.metadata))}</h1>
<p>Report on the model <strong>{text_of(stored.name)}</strong> of the recipe
{text_of(stored.metadata["recipe"])}, which tells {len(stored.labels):,} labels apart:
{text_of(labels)}. Every figure was computed from the files that are stored with the model.</p>
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _card(stored: _Stored) -> str:
    try:
        return card_of(stored.name).removeprefix("# Model card\n\n")
    except ModelError as error:  # stored without one, and its weights are not at hand
        return f"It cannot be written here: {error}"


def _headline(stored: _Stored) -> list[str]:
    search, rule = stored.metadata["search"], stored.metadata.get("rule")
    folds = (
        f"The cross-validated score of the model is its balanced accuracy over {search['folds']} "
        "folds of the training photos ("
        + (
            "photos of a person in several, since each label is one person"
            if stored.metadata.get("identity")
            else "each subject in one of them"
        )
        + f"): {search['balanced_accuracy']:.3f} ± {search['std']:.3f}, mean and standard "
        "deviation."
    )
    if rule and rule.get("accuracy") is not None:
        folds += (
            f" There it answers {rule['coverage']:.3f} of the faces, and is right in "
            f"{rule['accuracy']:.3f} of these answers."
        )
    if not stored.evaluation:
        return [
            "<p>It was trained without test photos, so how often it is right on photos that it has "
            "never seen is not known.</p>",
            _paragraph(folds),
        ]
    rows = [
        (
            data,
            f"{found['n']:,}",
            f"{found['n'] - found['detected']:,}",
            _share(found.get("coverage")),
            _share(found.get("accuracy_answered"), found.get("interval_answered") or ()),
            _share(found["accuracy_all"], found["interval_all"]),
            _share(found["balanced_accuracy_all"]),
        )
        for data, found in stored.evaluation.items()
    ]
    columns = (
        "test set",
        "photos",
        "no face found",
        "answered",
        "right when answered",
        "forced accuracy",
        "balanced",
    )
    return [
        make_table(columns, rows, "How often the model is right, by test set"),
        _paragraph(
            "On photos that were not used in the training. Answered: the share of photos whose "
            "face gets a label; the others are unsure or have no face. Forced accuracy gives every "
            "face its likeliest label, and counts a photo in which no face was found as wrong. "
            "Balanced: the mean of this share over the labels. 95% intervals are in brackets "
            "(Wilson).",
            "note",
        ),
        _paragraph(folds),
    ]


def _confusions(stored: _Stored) -> list[str]:
    figures = []
    for data, found in stored.evaluation.items():
        table = _confusion(found["confusion"], stored.rows_of(data), stored.order)
        shares = table.div(table.sum(axis=1), axis=0).to_numpy()
        counts = [[f"{count:,}" for count in row] for row in table.to_numpy()]
        alt = f"Confusion matrix of {data}: photos by true label and answer"
        cells = draw_cells(
            shares, counts, list(table.index), list(table.columns), alt, "true label", "answer"
        )
        figures.append(
            _figure(
                cells,
                f"{data}: number of photos; the stronger the colour, the larger its share",
            )
        )
    return [_figures(figures)] if figures else []


def _confusion(
    stored: Mapping[str, Mapping[str, int]], rows: pd.DataFrame | None, order: Sequence[str]
) -> pd.DataFrame:
    """Return photos by true label and answer, with those that the rule leaves unsure."""
    table = pd.DataFrame.from_dict(stored, orient="index")
    if rows is None or "answered" not in rows:
        return table
    answers = rows["predicted"].where(rows["answered"], UNSURE).where(rows["detected"], NO_FACE)
    labels = order_labels(set(table.columns) - {NO_FACE}, order)
    counted = pd.crosstab(rows["label"], answers)
    return counted.reindex(
        index=table.index, columns=[*labels, UNSURE, NO_FACE], fill_value=0
    ).astype(int)


def _calibration(stored: _Stored) -> list[str]:
    figures = []
    for data, found in stored.evaluation.items():
        bins = found.get("reliability")
        if bins is None and (rows := stored.rows_of(data)) is not None:
            bins = reliability(rows).to_dict("records")
        if not bins:
            continue
        ends = (1 / len(stored.labels), 1.0)
        lines = [
            Line(ends, ends, "confidence = accuracy", dotted=True),
            Line(
                [row["confidence"] for row in bins],
                [row["right"] for row in bins],
                low=[row["low"] for row in bins],
                high=[row["high"] for row in bins],
                dots=True,
            ),
        ]
        drawn = draw_lines(
            lines,
            f"Accuracy against confidence on {data}, with 95% intervals",
            "confidence",
            "accuracy",
            y_range=(0, 1),
        )
        words = f"{data}: accuracy of the faces found by confidence"
        if found.get("calibration_error") is not None:
            words += (
                f"; expected calibration error {found['calibration_error']:.3f}, Brier score "
                f"{found['brier_score']:.3f} (0 at best)"
            )
        figures.append(_figure(drawn, words))
    return [_figures(figures)] if figures else []


def _doubt(stored: _Stored) -> list[str]:
    figures = []
    for data in stored.evaluation:
        rows = stored.rows_of(data)
        if rows is None or not rows["detected"].any():
            continue
        curve = coverage_curve(rows)
        curve = curve.iloc[:: max(1, len(curve) // POINTS)]
        drawn = draw_lines(
            [Line(curve["coverage"].tolist(), curve["accuracy"].tolist())],
            f"Accuracy of the answers against the share of the photos of {data} that are answered",
            "share of the photos answered",
            "accuracy when answered",
            x_range=(0, 1),
            y_range=(min(0.9, float(curve["accuracy"].min()) - 0.02), 1),
        )
        words = f"{data}: the more confident answers first"
        if risk := stored.evaluation[data].get("risk") or risk_figures(rows):
            words += (
                f"; area under the risk-coverage curve {risk['aurc']:.4f} (a random order "
                f"{risk['random']:.4f}, an ideal one {risk['ideal']:.4f})"
            )
        figures.append(_figure(drawn, words))
    if not figures:
        return []
    return [
        _paragraph(
            "What a threshold on the confidence gains and costs: the fewer photos are answered, "
            "the more of the answers are right. The area under the risk-coverage curve (Geifman, "
            "Uziel and El-Yaniv 2019) is the share of wrong answers, averaged over all shares of "
            "faces answered: the smaller, the better the confidence tells right answers from wrong "
            "ones."
        ),
        _figures(figures),
    ]


def _groups(stored: _Stored) -> list[str]:
    figures = []
    for data, found in stored.evaluation.items():
        for trait, groups in found.get("groups", {}).items():
            shown = [(group, f) for group, f in groups.items() if f["accuracy_all"] is not None]
            words = f"{data}, by {trait}: accuracy over all photos"
            if len(shown) > MOST_GROUPS:
                words += f"; the lowest {MOST_GROUPS} of {len(shown):,}"
                shown = sorted(shown, key=lambda pair: pair[1]["accuracy_all"])[:MOST_GROUPS]
            if not shown:
                continue
            rows = [
                (
                    f"{group} ({f['n']:,})",
                    f["accuracy_all"],
                    *f["interval_all"],
                    f"{f['n']:,} photos",
                )
                for group, f in shown
            ]
            known = [f for _, f in groups.items() if f["accuracy_all"] is not None]
            mean = sum(f["accuracy_all"] * f["n"] for f in known) / sum(f["n"] for f in known)
            figures.append(_figure(draw_dots(rows, words, "accuracy", reference=mean), words))
    if not figures:
        return []
    return [
        _figures(figures),
        _paragraph(
            "Numbers of photos and 95% intervals (Wilson); the dotted line is the accuracy of all "
            "photos whose group is known. Labels within groups are in the card below.",
            "note",
        ),
    ]


def _search(stored: _Stored) -> list[str]:
    search, table = stored.metadata["search"], stored.search
    blocks = [
        _paragraph(
            f"A grid search compared {search['candidates']:,} candidates by balanced accuracy over "
            f"{search['folds']} folds of the training photos. The cross-validated score of a "
            "candidate is that of one member alone; that of the model is above."
        )
    ]
    if table is None or table.empty:
        return [*blocks, _paragraph("The table of the candidates is not stored with the model.")]
    members = (
        list(table.groupby("param_member", sort=False))
        if "param_member" in table
        else [("", table)]
    )
    for member, rows in members:
        if member:
            blocks.append(f"<h3>Member {text_of(member)}</h3>")
        if len(faces := faces_of(rows)) > 1:
            shown = f"{', '.join(f'{n:,}' for n in faces[:-1])} and {faces[-1]:,}"
            blocks.append(
                _paragraph(
                    f"It went in rounds, the best candidates of each again on more faces: {shown}. "
                    "Scores on different numbers of faces cannot be compared."
                )
            )
        if figures := [_figure(*drawn) for drawn in draw_search(rows)]:
            blocks.append(_figures(figures))
        blocks.append(_candidates(rows, str(member)))
    return blocks


def _candidates(rows: pd.DataFrame, member: str) -> str:
    best = rows.sort_values("rank_test_score", kind="stable").head(CANDIDATES)
    columns = [name for name in PARAMETERS if f"param_{name}" in best]
    cells = [
        (
            f"{row['rank_test_score']:g}",
            *(_value(row[f"param_{name}"]) for name in columns),
            f"{row['mean_test_score']:.4f} ± {row['std_test_score']:.4f}",
            f"{row['mean_fit_time']:.2f}" if "mean_fit_time" in row else None,
        )
        for _, row in best.iterrows()
    ]
    head = ("rank", *columns, "cross-validated score", "seconds per fit")
    return make_table(head, cells, f"Best candidates {member}".strip())


def _pictures(stored: _Stored, faces: bool) -> list[str]:
    model, whom = stored.model, whom_it_shows(stored.metadata)
    if model is None:
        return [_paragraph(f"No picture is drawn: {stored.lacks}.")]
    if not model.draws:
        return [_paragraph("No picture is drawn: the model has no eigenfaces of pixels.")]
    if not (faces or shows_nobody(stored.metadata)):
        return [
            _paragraph(
                "Mean faces, eigenfaces and synthetic faces are left out, since a report may be "
                f"handed on. About a face that is drawn from this model: {whom}"
            )
        ]
    pixels = model.eigenfaces
    variance = pixels.pixels.variance / pixels.pixels.total_variance
    means = [(mean_face(pixels), "Mean of all training faces")]
    if model.spread is not None and len(stored.labels) <= MOST_MADE:
        by_label = dict(zip(model.labels, label_means(pixels), strict=True))
        means += [(to_image(by_label[label]), f"Mean: {label}") for label in stored.labels]
    blocks = [
        _paragraph(f"Of a face that is drawn from this model: {whom}"),
        _faces(means),
        "<h3>Eigenfaces</h3>",
        _faces(
            [
                (picture, f"Eigenface {i + 1}: {variance[i]:.1%} of the variance")
                for i, picture in enumerate(eigenface_images(pixels, EIGENFACES))
            ]
        ),
        _paragraph("Each on a symmetric scale of its own: middle grey is zero.", "note"),
    ]
    if model.spread is not None:
        made = [
            (face, f"Synthetic: {label}")
            for label in stored.labels[:MOST_MADE]
            for face in sample_faces(pixels, label, MADE, seed=0)
        ]
        blocks += [
            "<h3>Synthetic faces</h3>",
            _faces(made),
            _paragraph(
                "Sampled from the face space of the model, with seed 0"
                + (
                    f"; of the first {MOST_MADE} labels." if len(stored.labels) > MOST_MADE else "."
                ),
                "note",
            ),
        ]
    return blocks


def _making(stored: _Stored) -> list[str]:
    metadata = stored.metadata
    rows: list[tuple[str, object]] = [
        ("model", stored.name),
        ("recipe", metadata["recipe"]),
        ("solver", metadata.get("solver")),
        ("trained", metadata["created"]),
        ("minutes", metadata["minutes"]),
        ("seed", metadata["seed"]),
        *metadata["versions"].items(),
    ]
    command = " ".join(str(metadata["command"]).split())
    return [
        *([f"<pre><code>{text_of(command)}</code></pre>"] if command else []),
        make_table(("what", "value"), rows, "How the model was made"),
        "<h3>Checksums</h3>",
        '<div class="sums">'
        + make_table(
            ("file", "SHA-256"), list(metadata["sha256"].items()), "Checksums of the model's files"
        )
        + "</div>",
        _paragraph(f"Terms of the data: {metadata['note'] or 'not stated'}", "note"),
    ]


def _paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{text_of(text)}</p>' if kind else f"<p>{text_of(text)}</p>"


def _figure(drawn: str, caption: str) -> str:
    return f"<figure>{drawn}<figcaption>{text_of(caption)}</figcaption></figure>"


def _figures(figures: Sequence[str]) -> str:
    return f'<div class="figures">{"".join(figures)}</div>'


def _faces(pictures: Sequence[tuple[np.ndarray, str]]) -> str:
    shown = "".join(
        f'<figure><img alt="{text_of(words)}" src="data:image/png;base64,'
        f'{b64encode(to_png(picture)).decode()}"><figcaption>{text_of(words)}</figcaption></figure>'
        for picture, words in pictures
    )
    return f'<div class="faces">{shown}</div>'


def _share(value: float | None, interval: Sequence[float] = ()) -> str | None:
    if value is None or isnan(value):
        return None
    return f"{value:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")


def _value(value: object) -> object:
    if isinstance(value, float):
        return None if isnan(value) else f"{value:g}"
    return value
