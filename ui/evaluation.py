"""Metrics and figures of the page Evaluation, of one model or of two side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots
from streamlit.delta_generator import DeltaGenerator

from facecore.evaluation import (
    answers_at,
    balanced_interval,
    brier_score,
    calibration_error,
    coverage_curve,
    precision_recall,
    reliability,
    roc,
    score_counts,
    score_labels,
)
from facecore.model import AnswerRule
from ui.look import DASHES, NEUTRAL, PAIR, PATTERNS, SYMBOLS, label_colours, show, tidy
from ui.models import Chosen, pick_other, read_table
from ui.rule import STEP, least_confidence, rule_words

ALL = "all"
POINTS = 400

# By the name of a model what it said of the test photos: the chosen model first.
Tested = Mapping[str, pd.DataFrame]


def known(table: pd.DataFrame, which: str) -> pd.DataFrame:
    """Return the predictions of one test set, or of all, with "" for what nobody knows.

    Parameters
    ----------
    table : DataFrame
        As a model stores it.
    which : str
        A test set, or `ALL`.

    Returns
    -------
    DataFrame
    """
    rows = table if which == ALL else table[table["set"].eq(which)]
    return rows.fillna({"age": "", "race": "", "predicted": ""})


def compare(
    chosen: Chosen, rows: pd.DataFrame, which: str, place: DeltaGenerator
) -> dict[str, pd.DataFrame]:
    """Ask for a second model, and say on the page whether the two can be compared.

    Parameters
    ----------
    chosen : Chosen
    rows : DataFrame
        Predictions of the chosen model.
    which : str
        A test set, or `ALL`.
    place : DeltaGenerator
        Where the picker goes.

    Returns
    -------
    dict of str to DataFrame
        Predictions of the chosen model, and of the other if there are any of the same labels.
    """
    tested = {chosen.name: rows}
    with place:
        other = pick_other(chosen)
    table = read_table("predictions", other) if other else None
    if other is None or table is None:
        return tested
    others = known(table, which)
    if score_labels(others) != score_labels(rows):
        st.warning(f"{other.name} knows other labels: {', '.join(other.model.labels)}.")
    elif others.empty:
        st.warning(f"{other.name} was not tested on {which}.")
    else:
        tested[other.name] = others
        counts = [table.groupby(["set", "label"]).size() for table in tested.values()]
        if not counts[0].equals(counts[1]):
            st.warning(
                "The two models were tested on different photos: the sets or their counts differ. "
                "A difference may be that of the photos.",
                icon=":material/balance:",
            )
    return tested


def show_metrics(reports: Mapping[str, Mapping[str, Any]], tested: Tested, positive: str) -> None:
    """Show rows of metrics for each model, the second with its distance from the first.

    Parameters
    ----------
    reports : mapping
        By model what `facecore.evaluation.evaluate_predictions` returns.
    tested : mapping of str to DataFrame
    positive : str
    """
    first: dict[str, float | None] = {}
    for name, report in reports.items():
        if len(reports) > 1:
            st.markdown(f"**{name}**")
        limits = {
            "Accuracy": report["interval_all"],
            "Balanced accuracy": balanced_interval(report["confusion"]),
        }
        values = {
            "Photos": report["n"],
            "Faces found": report["detected"],
            "Accuracy": report["accuracy_all"],
            "Balanced accuracy": report["balanced_accuracy_all"],
            "AUC": roc(tested[name], positive).area,
            "Calibration error": calibration_error(tested[name]),
            "Brier score": brier_score(tested[name]),
            "Time per photo": report["ms_per_photo"],
        }
        for kinds in (list(values)[:4], list(values)[4:]):
            with st.container(horizontal=True):
                for kind in kinds:
                    label = f"AUC of {positive}" if kind == "AUC" else kind
                    _show_metric(kind, label, values[kind], first.get(kind), limits.get(kind))
        first = first or values


def _show_metric(
    kind: str, label: str, value: Any, first: Any, limits: Sequence[float] | None
) -> None:
    form, colour, text = METRICS[kind]
    interval = _interval(limits) if limits else None
    delta: str | float | None = None
    if not pd.isna(value) and not pd.isna(first):
        delta = form.replace(":", ":+").format(value - first)
        delta = delta if any(digit in delta for digit in "123456789") else 0
    alone = delta is None
    st.metric(
        label,
        None if pd.isna(value) else form.format(value),
        interval if alone else delta,
        delta_color="off" if alone else colour,
        delta_arrow="off" if alone else "auto",
        delta_description=None if alone else interval,
        help=text,
        border=True,
        height="stretch",
    )


# Format, what a change upwards means, and help.
METRICS: dict[str, tuple[str, Any, str | None]] = {
    "Photos": ("{:,}", "off", None),
    "Faces found": ("{:,}", "off", "Photos in which a face was found."),
    "Accuracy": (
        "{:.3f}",
        "normal",
        "Over all photos: one in which no face was found counts as wrong. Below it the 95 % "
        "interval (Wilson).",
    ),
    "Balanced accuracy": (
        "{:.3f}",
        "normal",
        "Mean of the labels' recalls over all photos. Below it the 95 % interval, from those of "
        "the recalls (Zou and Donner 2008).",
    ),
    "AUC": (
        "{:.3f}",
        "normal",
        "Area under the ROC curve: how often a face of this label scores higher than one of "
        "another. Over faces found.",
    ),
    "Calibration error": (
        "{:.3f}",
        "inverse",
        "Mean distance between confidence and share right in 10 bins, over faces found; 0 is best.",
    ),
    "Brier score": (
        "{:.3f}",
        "inverse",
        "Mean squared error of the probabilities, over faces found; 0 is best.",
    ),
    "Time per photo": (
        "{:.0f} ms",
        "inverse",
        "Median, on the computer that evaluated the model.",
    ),
}


def _interval(limits: Sequence[float]) -> str:
    return f"{limits[0]:.3f} to {limits[1]:.3f}"


def confusion_heat(confusion: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Draw a confusion matrix as counts and shares of the true label.

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        As `facecore.evaluation.evaluate_predictions` returns it.

    Returns
    -------
    Figure
    """
    table = pd.DataFrame.from_dict(confusion, orient="index")
    shares = table.div(table.sum(axis=1), axis=0)
    text = [
        [f"{n:,}<br>{share:.1%}" for n, share in zip(*pair, strict=True)]
        for pair in zip(table.to_numpy(), shares.to_numpy(), strict=True)
    ]
    heat = go.Heatmap(
        z=shares, x=list(table.columns), y=list(table.index), text=text, texttemplate="%{text}",
        colorscale="Blues", zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
        hovertemplate="%{y}, answered %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    figure = tidy(go.Figure(heat), 110 + 80 * len(table))
    figure.update_xaxes(title="Answer", type="category", side="top")
    return figure.update_yaxes(title="True label", type="category", autorange="reversed")


def roc_lines(tested: Tested, positive: str) -> go.Figure:
    """Draw the ROC curve of each model.

    Parameters
    ----------
    tested : mapping of str to DataFrame
    positive : str

    Returns
    -------
    Figure
    """
    figure = go.Figure(_diagonal("chance"))
    _add_curves(figure, {name: roc(rows, positive) for name, rows in tested.items()}, tested,
                positive, "AUC")  # fmt: skip
    figure.update_xaxes(title="False positive rate", range=[0, 1])
    return tidy(figure.update_yaxes(title="True positive rate", range=[0, 1.01]), 380)


def precision_lines(tested: Tested, positive: str) -> go.Figure:
    """Draw precision against recall of each model.

    Parameters
    ----------
    tested : mapping of str to DataFrame
    positive : str

    Returns
    -------
    Figure
    """
    truth = next(iter(tested.values()))
    share = truth.loc[truth["detected"], "label"].eq(positive).mean()
    line = {"color": NEUTRAL, "dash": "dot", "width": 1}
    figure = go.Figure(
        go.Scatter(x=[0, 1], y=[share, share], mode="lines", line=line, name="chance")
    )
    curves = {name: precision_recall(rows, positive) for name, rows in tested.items()}
    _add_curves(figure, curves, tested, positive, "average precision")
    figure.update_xaxes(title="Recall", range=[0, 1])
    return tidy(figure.update_yaxes(title="Precision", range=[0, 1.01]), 380)


def _add_curves(
    figure: go.Figure, curves: Mapping[str, Any], tested: Tested, positive: str, area: str
) -> None:
    colour = label_colours(score_labels(next(iter(tested.values()))))[positive]
    for (name, curve), dash in zip(curves.items(), DASHES, strict=False):
        figure.add_scatter(
            x=curve.x, y=curve.y, customdata=curve.threshold, mode="lines",
            line={"color": colour, "dash": dash}, name=f"{name}, {area} {curve.area:.3f}",
            hovertemplate="%{x:.3f}, %{y:.3f} at score %{customdata:.3f}<extra></extra>",
        )  # fmt: skip


def _diagonal(name: str, start: float = 0) -> go.Scatter:
    ends = [start, 1]
    line = {"color": NEUTRAL, "dash": "dot", "width": 1}
    return go.Scatter(x=ends, y=ends, mode="lines", line=line, name=name, hoverinfo="skip")


def reliability_dots(tested: Tested) -> go.Figure:
    """Draw the share right against confidence, with intervals, over the number of faces.

    Parameters
    ----------
    tested : mapping of str to DataFrame

    Returns
    -------
    Figure
    """
    figure = make_subplots(
        rows=2, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.05
    )
    start = 1 / len(score_labels(next(iter(tested.values()))))
    figure.add_trace(_diagonal("confidence = share right", start), row=1, col=1)
    for i, (name, rows) in enumerate(tested.items()):
        bins = reliability(rows)
        figure.add_scatter(
            x=bins["confidence"], y=bins["right"], mode="lines+markers", name=name,
            marker={"symbol": SYMBOLS[i], "size": 9}, customdata=bins["faces"],
            line={"dash": DASHES[i], "color": PAIR[i]},
            error_y={
                "array": bins["high"] - bins["right"], "arrayminus": bins["right"] - bins["low"],
            },
            hovertemplate="confidence %{x:.3f}: %{y:.3f} right of %{customdata} faces"
            "<extra></extra>",
            row=1, col=1,
        )  # fmt: skip
        figure.add_bar(
            x=(bins["from"] + bins["to"]) / 2, y=bins["faces"],
            text=bins["faces"] if len(tested) == 1 else None,
            textangle=0, textposition="outside", cliponaxis=False, showlegend=False,
            marker={"color": PAIR[i], "pattern": {"shape": PATTERNS[i]}},
            hovertemplate="%{y} faces<extra></extra>", row=2, col=1,
        )  # fmt: skip
    figure.update_xaxes(title="Confidence", row=2, col=1)
    figure.update_yaxes(title="Share right", row=1, col=1)
    figure.update_yaxes(title="Faces", nticks=3, row=2, col=1)
    return tidy(figure, 460)


def score_bars(rows: pd.DataFrame, positive: str) -> go.Figure:
    """Draw how the probabilities of one label spread over the faces of each true label.

    Parameters
    ----------
    rows : DataFrame
    positive : str

    Returns
    -------
    Figure
    """
    counts = score_counts(rows, positive)
    colours = label_colours(score_labels(rows))
    figure = go.Figure(layout={"barmode": "overlay", "bargap": 0})
    for i, label in enumerate(counts):
        colour = colours.get(label, NEUTRAL)
        figure.add_bar(
            x=counts.index, y=counts[label], name=f"{label} ({counts[label].sum():,})",
            marker={
                "color": colour, "opacity": 0.6, "line": {"color": colour, "width": 2},
                "pattern": {"shape": PATTERNS[i % len(PATTERNS)]},
            },
            hovertemplate=f"{label}, score %{{x:.2f}}: %{{y}} faces<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title=f"Probability of {positive}", range=[0, 1])
    return tidy(figure.update_yaxes(title="Faces"), 460)


@st.fragment
def show_unsure(tested: Tested, rule: AnswerRule, own: Mapping[str, Any]) -> None:
    """Let the visitor say how sure an answer must be, and show what that costs.

    Parameters
    ----------
    tested : mapping of str to DataFrame
    rule : AnswerRule
        Of the chosen model; the slider starts at its confidence, if it asks for any.
    own : mapping
        What `facecore.evaluation.evaluate_predictions` says of the chosen model.
    """
    least = least_confidence(len(score_labels(next(iter(tested.values())))))
    threshold = st.slider(
        "Unsure below", least, 1.0, max(least, rule.min_confidence or 0.7), STEP, format="%.3f",
        key="evaluation_unsure", bind="query-params",
        help="An answer with less confidence counts as not answered.",
    )  # fmt: skip
    words = rule_words(rule)
    if own.get("accuracy_answered") is not None:
        words += (
            f" By that rule it answers {own['coverage']:.1%} of these photos and "
            f"{own['accuracy_answered']:.1%} of the answers are right; the slider asks for "
            "confidence alone."
        )
    st.caption(words)
    points = {name: answers_at(rows, threshold) for name, rows in tested.items()}
    for name, point in points.items():
        if len(points) > 1:
            st.markdown(f"**{name}**")
        with st.container(horizontal=True):
            st.metric("Coverage", f"{point.coverage:.1%}", border=True, height="stretch")
            st.metric(
                "Accuracy when answered",
                f"{point.accuracy:.1%}" if point.answered else None,
                "{:.1%} to {:.1%}".format(*point.interval),
                delta_color="off",
                delta_arrow="off",
                border=True,
            )
            st.metric("Answered", f"{point.answered:,}", border=True, height="stretch")
            st.metric("Unsure", f"{point.unsure:,}", border=True, height="stretch")
            st.metric("No face", f"{point.no_face:,}", border=True, height="stretch")
    show(
        coverage_lines(tested, points),
        "Accuracy of the answers against the share of photos answered, the chosen point marked",
        "evaluation-coverage",
    )


def coverage_lines(tested: Tested, points: Mapping[str, Any]) -> go.Figure:
    """Draw accuracy against coverage, with a marker at the chosen threshold.

    Parameters
    ----------
    tested : mapping of str to DataFrame
    points : mapping of str to Answers

    Returns
    -------
    Figure
    """
    figure = go.Figure()
    for i, (name, rows) in enumerate(tested.items()):
        curve = coverage_curve(rows)
        curve = curve.iloc[:: max(1, len(curve) // POINTS)]
        figure.add_scatter(
            x=curve["coverage"], y=curve["accuracy"], customdata=curve["threshold"], name=name,
            mode="lines", line={"color": PAIR[i], "dash": DASHES[i]},
            hovertemplate="%{x:.1%} answered, %{y:.1%} right, unsure below %{customdata:.2f}"
            "<extra></extra>",
        )  # fmt: skip
        point = points[name]
        figure.add_scatter(
            x=[point.coverage], y=[point.accuracy], mode="markers", showlegend=False,
            marker={"symbol": SYMBOLS[i], "size": 14, "color": PAIR[i]},
            error_y={
                "array": [point.interval[1] - point.accuracy],
                "arrayminus": [point.accuracy - point.interval[0]],
            },
            hovertemplate="%{x:.1%} answered, %{y:.1%} right<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="Coverage: share of photos answered", range=[0, 1.02],
                        tickformat=".0%")  # fmt: skip
    figure.update_yaxes(title="Accuracy when answered", tickformat=".0%")
    return tidy(figure, 380)


def group_dots(groups: Mapping[str, Mapping[str, Any]], overall: float) -> go.Figure:
    """Draw the accuracy of each group with its interval.

    Parameters
    ----------
    groups : mapping
        By model, by group what `facecore.evaluation.evaluate_predictions` says of it.
    overall : float
        Accuracy of the chosen model over all photos.

    Returns
    -------
    Figure
    """
    figure = go.Figure(layout={"scattermode": "group"})
    for i, (name, found) in enumerate(groups.items()):
        table = pd.DataFrame.from_dict(found, orient="index")
        low, high = np.array(table["interval_all"].tolist()).T
        figure.add_scatter(
            x=table["accuracy_all"], y=list(table.index), mode="markers", orientation="h",
            name=name, customdata=table["n"],
            marker={"symbol": SYMBOLS[i], "size": 10, "color": PAIR[i]},
            error_x={"array": high - table["accuracy_all"],
                     "arrayminus": table["accuracy_all"] - low},
            hovertemplate="%{y}: %{x:.3f} of %{customdata} photos<extra></extra>",
        )  # fmt: skip
    figure.add_vline(overall, line={"dash": "dot", "color": NEUTRAL})
    least = min(min(f["interval_all"][0] for f in found.values()) for found in groups.values())
    figure.update_xaxes(title="Accuracy, all photos of the group", range=[least - 0.03, 1.01])
    figure.update_yaxes(type="category", autorange="reversed")
    return tidy(figure, 130 + 44 * max(map(len, groups.values())))


def gap_words(reports: Mapping[str, Mapping[str, Any]], trait: str) -> str:
    """Say in words how far apart the accuracies of the groups are; nothing where it is not known.

    Parameters
    ----------
    reports : mapping
        By model what `facecore.evaluation.evaluate_predictions` returns.
    trait : str

    Returns
    -------
    str
    """
    gaps = {name: r["gaps"][trait] for name, r in reports.items() if trait in r.get("gaps", {})}
    said = [
        (f"{name}: " if len(reports) > 1 else "")
        + "{gap:.3f}, from {worst} up to {best}".format(**gap)
        for name, gap in gaps.items()
    ]
    return "; ".join(said)


OF_ANSWERS = {"coverage": "coverage", "accuracy_answered": "right when answered"}


def group_table(groups: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the figures of each group as a table.

    Parameters
    ----------
    groups : mapping
        By model, by group what `facecore.evaluation.evaluate_predictions` says of it.

    Returns
    -------
    DataFrame
        A row for each group, and for each model if there are two.
    """
    rows = [
        {
            "group": group,
            **({"model": name} if len(groups) > 1 else {}),
            "photos": figures["n"],
            "faces": figures["detected"],
            "accuracy": figures["accuracy_all"],
            "95 % interval": _interval(figures["interval_all"]),
            "balanced": figures["balanced_accuracy_all"],
            **{words: figures[key] for key, words in OF_ANSWERS.items() if key in figures},
        }
        for name, found in groups.items()
        for group, figures in found.items()
    ]
    return pd.DataFrame(rows).sort_values("group", kind="stable")
