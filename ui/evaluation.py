"""Metrics and figures of the page Evaluation, of one model or of two side by side."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots
from streamlit.delta_generator import DeltaGenerator

from facecore.evaluation import (
    UNSURE,
    balanced_interval,
    brier_score,
    calibration_error,
    confused_pairs,
    drop_unknown,
    fill_unknown,
    label_figures,
    precision_recall,
    reliability,
    risk_figures,
    roc,
    score_counts,
    score_labels,
)
from facecore.model import AnswerRule, label_colours
from facecore.system import describe_share
from ui.cells import write_cells
from ui.controls import MOST_COLOURS, choose, name_labels, two_places
from ui.look import (
    DASHES,
    NEUTRAL,
    PAIR,
    PATTERNS,
    REFERENCE,
    SHADES_ON_DARK,
    SYMBOLS,
    count_columns,
    describe_change,
    is_dark,
    see_through,
    show,
    tidy,
)
from ui.models import Chosen, load_chosen, pick_other, read_table
from ui.rule import rule_words
from ui.text import as_is, as_is_in_figure

ALL = "all"
AS_ANSWERED, FORCED = "As answered", "Forced"
FEW_ROWS = 4  # of a confusion matrix, with much room for each
MOST_NUMBERED = 12  # rows of a confusion matrix with numbers in its cells

# Predictions for the test photos by model, the chosen model first.
Tested = Mapping[str, pd.DataFrame]
# What `facecore.evaluation.evaluate_predictions` returns, by model, the chosen model first.
Reports = Mapping[str, Mapping[str, Any]]


class Metric(NamedTuple):
    """How a figure is shown.

    Parameters
    ----------
    form : str
        Format of the figure, with its unit.
    colour : str
        Meaning of an increase: ``"normal"`` for better, ``"inverse"`` for worse, else ``"off"``.
    help : str, optional
        Explanation behind a question mark.
    """

    form: str
    colour: Literal["normal", "inverse", "off"]
    help: str | None = None


TOP_HELP = "Share of the faces found whose true label is among the {} likeliest."
METRICS = {
    "Photos": Metric("{:,}", "off"),
    "Faces found": Metric("{:,}", "off", "Photos in which a face was found."),
    "Answered": Metric(
        "{:.3f}",
        "off",
        "Share of all photos whose face gets a label by the model's own rule. The others are "
        "unsure, or no face was found.",
    ),
    "Right when answered": Metric(
        "{:.3f}",
        "normal",
        "Share of these answers that are right. Below: the 95% interval (Wilson).",
    ),
    "Forced accuracy": Metric(
        "{:.3f}",
        "normal",
        "Right of all photos if every face gets its likeliest label; a photo in which no face was "
        "found counts as wrong. Below: the 95% interval (Wilson).",
    ),
    "Balanced accuracy": Metric(
        "{:.3f}",
        "normal",
        "Mean of the labels' recalls over all photos. Below: the 95% interval, combined from "
        "those of the recalls (Zou and Donner 2008).",
    ),
    "AUC": Metric(
        "{:.3f}",
        "normal",
        "Area under the ROC curve: how often a face of this label scores higher than a face of "
        "another label. Over the faces found.",
    ),
    "Macro AUC": Metric(
        "{:.3f}",
        "normal",
        "Mean over the labels of the area under the ROC curve of one label against the rest. Over "
        "the faces found.",
    ),
    "Macro F1": Metric(
        "{:.3f}",
        "normal",
        "Mean over the labels of F1, the harmonic mean of precision and recall. Over all photos.",
    ),
    "Steps off": Metric(
        "{:.2f}",
        "inverse",
        "Mean absolute error in steps of the order of the labels, over the faces found; 0 is best.",
    ),
    "Calibration error": Metric(
        "{:.3f}",
        "inverse",
        "Mean distance between confidence and accuracy in 10 bins, over the faces found; 0 is "
        "best.",
    ),
    "Brier score": Metric(
        "{:.3f}",
        "inverse",
        "Mean squared error of the probabilities, over the faces found; 0 is best.",
    ),
    "Risk-coverage area": Metric(
        "{:.4f}",
        "inverse",
        "Mean share of wrong answers over all shares of faces answered, the surest first (AURC, "
        "see the tab Unsure); 0 is best.",
    ),
    "Time per photo": Metric(
        "{:.0f} ms", "inverse", "Median, on the computer that evaluated the model."
    ),
}


def known(table: pd.DataFrame, which: str) -> pd.DataFrame:
    """Return the predictions for one test set, or for all; warn of labels the model does not know.

    Parameters
    ----------
    table : DataFrame
        Predictions as a model stores them.
    which : str
        Name of a test set, or `ALL`.

    Returns
    -------
    DataFrame
        The same columns, with an empty text for an unknown trait or prediction, without photos
        whose label the model does not know.
    """
    rows = table if which == ALL else table[table["set"].eq(which)]
    rows, note = drop_unknown(rows, score_labels(table))
    if note:
        st.warning(as_is(note), icon=":material/filter_alt:")
    return fill_unknown(rows)


def compare(
    chosen: Chosen, rows: pd.DataFrame, which: str, place: DeltaGenerator
) -> dict[str, pd.DataFrame]:
    """Ask for a second model, and warn if the two cannot be compared.

    Parameters
    ----------
    chosen : Chosen
        The first model.
    rows : DataFrame
        Its predictions.
    which : str
        Name of a test set, or `ALL`.
    place : DeltaGenerator
        Place for the picker.

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
        st.warning(as_is(f"{other.name} has other labels: {name_labels(other.labels)}."))
    elif others.empty:
        st.warning(as_is(f"{other.name} was not tested on {which}."))
    else:
        tested[other.name] = others
        counts = [table.groupby(["set", "label"]).size() for table in tested.values()]
        if not counts[0].equals(counts[1]):
            st.warning(
                "The two models were tested on different photos: the sets or their counts differ. "
                "A difference between the figures may be due to the photos.",
                icon=":material/balance:",
            )
    return tested


def show_metrics(reports: Reports, tested: Tested, positive: str) -> None:
    """Show rows of metrics for each model, and how far the second is from the first.

    Parameters
    ----------
    reports : mapping
        By model, what `facecore.evaluation.evaluate_predictions` returns.
    tested : mapping of str to DataFrame
        By model, the predictions of which it does.
    positive : str
        Label that counts as positive.
    """
    first: dict[str, float | None] = {}
    for name, report in reports.items():
        if len(reports) > 1:
            st.markdown(f"**{as_is(name)}**")
        limits = {
            "Right when answered": report.get("interval_answered"),
            "Forced accuracy": report["interval_all"],
            "Balanced accuracy": balanced_interval(report["confusion"]),
        }
        risk = risk_figures(tested[name])
        values = {
            "Answered": report.get("coverage"),
            "Right when answered": report.get("accuracy_answered"),
            "Forced accuracy": report["accuracy_all"],
            "Balanced accuracy": report["balanced_accuracy_all"],
            "AUC": roc(tested[name], positive).area,
            "Calibration error": calibration_error(tested[name]),
            "Brier score": brier_score(tested[name]),
            "Risk-coverage area": risk["aurc"] if risk else None,
            "Photos": report["n"],
            "Faces found": report["detected"],
            "Time per photo": report["ms_per_photo"],
        }
        rows = [list(values)[:4], list(values)[4:8], list(values)[8:]]
        if len(score_labels(tested[name])) > 2:
            values |= _label_values(report)
            rows.append(list(values)[11:])
        for kinds in rows:
            with st.container(horizontal=True):
                for kind in kinds:
                    label = f"AUC of {as_is(positive)}" if kind == "AUC" else kind
                    metric = METRICS.get(kind) or _top_metric(kind)
                    _show_metric(metric, label, values[kind], first.get(kind), limits.get(kind))
        first = first or values


def _label_values(report: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the figures that only more than two labels have."""
    values = {"Macro AUC": report.get("macro_auc"), "Macro F1": report["macro_f1"]}
    values |= {f"Top {count}": share for count, share in report.get("top_accuracy", {}).items()}
    if "mean_absolute_error" in report:
        values["Steps off"] = report["mean_absolute_error"]
    return values


def _top_metric(kind: str) -> Metric:
    return Metric("{:.3f}", "normal", TOP_HELP.format(kind.removeprefix("Top ")))


def _show_metric(
    metric: Metric,
    label: str,
    value: float | None,
    first: float | None,
    limits: Sequence[float] | None,
) -> None:
    interval = interval_words(limits) if limits else None
    note: dict[str, Any] = {"delta": interval, "delta_color": "off", "delta_arrow": "off"}
    if value is not None and first is not None and not pd.isna(value) and not pd.isna(first):
        note = describe_change(value - first, metric.form.replace(":", ":+"), metric.colour)
        note["delta_description"] = interval
    st.metric(
        label,
        None if pd.isna(value) else metric.form.format(value),
        **note,
        help=metric.help,
        border=True,
        height="stretch",
    )


def interval_words(limits: Sequence[float]) -> str:
    """Return the text of an interval.

    Parameters
    ----------
    limits : sequence of float
        Lower and upper end.

    Returns
    -------
    str
    """
    return f"{limits[0]:.3f} to {limits[1]:.3f}"


def show_confusions(reports: Reports) -> None:
    """Show the confusion matrices side by side, as answered or with every face given a label.

    Parameters
    ----------
    reports : mapping
        By model, what `facecore.evaluation.evaluate_predictions` returns.
    """
    notes = {name: _why_forced(name, report) for name, report in reports.items()}
    forced = (
        all(notes.values())
        or choose(
            "Answers",
            (AS_ANSWERED, FORCED),
            "evaluation_answers",
            help="As answered: by the model's own rule, with a column for faces that get no label. "
            "Forced: every face gets its likeliest label.",
        )
        == FORCED
    )
    for column, (name, report) in zip(st.columns(len(reports)), reports.items(), strict=True):
        plain = forced or bool(notes[name])
        confusion = report["confusion" if plain else "confusion_answered"]
        with column:
            figure = confusion_heat(confusion).update_layout(title=name)
            how = "forced" if plain else "as answered"
            alt = f"Confusion matrix of {name}, {how}: answers by true label, as counts and shares"
            show(figure, alt, f"evaluation-confusion-{name}")
            if notes[name]:
                st.caption(as_is(notes[name]))
            if len(confusion) > 2:
                _show_labels(confusion, name)


def _why_forced(name: str, report: Mapping[str, Any]) -> str:
    """Return why the matrix of a model has no column of unsure faces; empty if it has one."""
    if "confusion_answered" not in report:
        return (
            "It was stored by an older version, without what was answered, so that every face "
            "counts with its likeliest label. To have it, train the model again."
        )
    rule = load_chosen(name).model.rule
    return rule_words(rule) if rule == AnswerRule() else ""


def _show_labels(confusion: Mapping[str, Mapping[str, int]], name: str) -> None:
    """Show which labels are confused, and the figures of each label."""
    share = st.column_config.NumberColumn(format="%.3f")
    st.markdown("**Most confused**")
    if found := confused_pairs(confusion):
        pairs = pd.DataFrame(found)
        pairs.columns = ["true label", "answered", "photos", "share of the label's photos"]
        st.dataframe(
            pairs,
            hide_index=True,
            alt=f"Pairs of labels that {name} confuses most often",
            column_config={pairs.columns[-1]: share, **count_columns("photos")},
        )
    else:
        st.caption("No photo was answered with another label.")
    st.markdown("**By label**")
    st.dataframe(
        pd.DataFrame.from_dict(label_figures(confusion), orient="index")
        .rename(columns={"n": "photos", "f1": "F1"})
        .rename_axis("label"),
        placeholder="-",
        alt=f"Precision, recall and F1 of {name} by label",
        column_config={
            **dict.fromkeys(("precision", "recall", "F1"), share),
            **count_columns("photos"),
        },
    )


def confusion_heat(confusion: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Draw a confusion matrix as shares of the true label; a small one has numbers in its cells.

    Parameters
    ----------
    confusion : mapping of str to mapping of str to int
        Number of photos by true label and answer.

    Returns
    -------
    Figure
    """
    table = pd.DataFrame.from_dict(confusion, orient="index")
    if "unsure" not in table:  # no label has this name
        table = table.rename(columns={UNSURE: "unsure"})
    shares = table.div(table.sum(axis=1), axis=0)
    text = [
        [f"{n:,}<br>{describe_share(share, 1)}" for n, share in zip(*pair, strict=True)]
        for pair in zip(table.to_numpy(), shares.to_numpy(), strict=True)
    ]
    many = len(table) > MOST_NUMBERED
    colours = SHADES_ON_DARK if is_dark() else "Blues"
    heat = go.Heatmap(
        z=shares,
        x=list(table.columns),
        y=list(table.index),
        text=text,
        colorscale=colours,
        zmin=0,
        zmax=1,
        showscale=many,
        # below the matrix, where it takes no width from it on a phone
        colorbar={
            "orientation": "h",
            "y": 0,
            "yanchor": "top",
            "thickness": 10,
            "tickformat": ".0%",
        },
        xgap=0 if many else 2,
        ygap=0 if many else 2,
        hovertemplate="%{y}, answered %{x}: %{text}<extra></extra>",
    )
    height = 110 + (80 if len(table) <= FEW_ROWS else 48) * len(table)
    figure = go.Figure(heat)
    if not many:
        write_cells(figure, np.array(text), colours=colours)
    tidy(figure, min(height, 160 + 18 * len(table)) if many else height)
    figure.update_xaxes(title="Answer", type="category", side="top")
    return figure.update_yaxes(title="True label", type="category", autorange="reversed")


def show_curves(tested: Tested, positive: str) -> None:
    """Show ROC curves beside precision-recall curves.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model.
    positive : str
        Label that counts as positive.
    """
    left, right = two_places()
    with left:
        st.header("ROC")
        show(roc_lines(tested, positive), f"ROC curve of {positive}", "evaluation-roc")
    with right:
        st.header("Precision and recall")
        alt = f"Precision against recall of {positive}"
        show(precision_lines(tested, positive), alt, "evaluation-precision")
    st.caption(f"Over the faces found, with {as_is(positive)} as the positive label.")


def roc_lines(tested: Tested, positive: str) -> go.Figure:
    """Draw the ROC curve of each model.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model.
    positive : str
        Label that counts as positive.

    Returns
    -------
    Figure
    """
    chance = _reference_line("chance", (0, 1), (0, 1))
    figure = go.Figure([chance, *_curves(tested, positive, "AUC")])
    figure.update_xaxes(title="False positive rate", range=[0, 1])
    return tidy(figure.update_yaxes(title="True positive rate", range=[0, 1.01]), 380)


def precision_lines(tested: Tested, positive: str) -> go.Figure:
    """Draw precision against recall of each model.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model.
    positive : str
        Label that counts as positive.

    Returns
    -------
    Figure
    """
    truth = next(iter(tested.values()))
    share = truth.loc[truth["detected"], "label"].eq(positive).mean()
    chance = _reference_line("chance", (0, 1), (share, share))
    figure = go.Figure([chance, *_curves(tested, positive, "average precision")])
    figure.update_xaxes(title="Recall", range=[0, 1])
    return tidy(figure.update_yaxes(title="Precision", range=[0, 1.01]), 380)


def _curves(
    tested: Tested, positive: str, area: Literal["AUC", "average precision"]
) -> list[go.Scatter]:
    colour = label_colours(score_labels(next(iter(tested.values()))))[positive]
    lines = []
    for (name, rows), dash in zip(tested.items(), DASHES, strict=False):
        curve = roc(rows, positive) if area == "AUC" else precision_recall(rows, positive)
        lines.append(
            go.Scatter(
                x=curve.x,
                y=curve.y,
                customdata=curve.threshold,
                mode="lines",
                line={"color": colour, "dash": dash},
                name=f"{name}, {area} {curve.area:.3f}",
                hovertemplate="%{x:.3f}, %{y:.3f} at score %{customdata:.3f}<extra></extra>",
            )
        )
    return lines


def _reference_line(name: str, x: Sequence[float], y: Sequence[float]) -> go.Scatter:
    line = REFERENCE | {"width": 1.5}
    return go.Scatter(x=x, y=y, mode="lines", line=line, name=name, hoverinfo="skip")


def show_calibration(tested: Tested, positive: str) -> None:
    """Show reliability diagrams beside histograms of the scores.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model.
    positive : str
        Label whose probabilities the histograms count.
    """
    left, right = two_places()
    with left:
        st.header("Reliability")
        alt = "Accuracy against confidence in ten bins, with intervals and counts"
        show(reliability_dots(tested), alt, "evaluation-reliability")
    with right:
        st.header("Scores by true label")
        for name, rows in tested.items():
            if len(tested) > 1:
                st.markdown(f"**{as_is(name)}**")
            alt = f"Histogram of the probability of {positive} by true label, {name}"
            show(score_histogram(rows, positive), alt, f"evaluation-scores-{name}")


def reliability_dots(tested: Tested) -> go.Figure:
    """Draw accuracy against confidence, with intervals, above the number of faces.

    Parameters
    ----------
    tested : mapping of str to DataFrame
        Predictions by model.

    Returns
    -------
    Figure
    """
    figure = make_subplots(
        rows=2, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.05
    )
    # The most likely of n labels has a probability of at least 1 / n.
    ends = (1 / len(score_labels(next(iter(tested.values())))), 1)
    figure.add_trace(_reference_line("confidence = accuracy", ends, ends), row=1, col=1)
    for i, (name, rows) in enumerate(tested.items()):
        bins = reliability(rows)
        figure.add_scatter(
            x=bins["confidence"],
            y=bins["right"],
            mode="lines+markers",
            name=name,
            marker={"symbol": SYMBOLS[i], "size": 9},
            customdata=bins["faces"],
            line={"dash": DASHES[i], "color": PAIR[i]},
            error_y={
                "array": bins["high"] - bins["right"],
                "arrayminus": bins["right"] - bins["low"],
            },
            hovertemplate="confidence %{x:.3f}: accuracy %{y:.3f} over %{customdata:,} faces"
            "<extra></extra>",
            row=1,
            col=1,
        )
        figure.add_bar(
            x=(bins["from"] + bins["to"]) / 2,
            y=bins["faces"],
            # two would lie over each other
            text=[f"{n:,}" for n in bins["faces"]] if len(tested) == 1 else None,
            textangle=0,
            textposition="outside",
            constraintext="none",
            cliponaxis=False,
            showlegend=False,
            marker={"color": PAIR[i], "pattern": {"shape": PATTERNS[i]}},
            hovertemplate="%{y} faces<extra></extra>",
            row=2,
            col=1,
        )
    figure.update_xaxes(title="Confidence", row=2, col=1)
    figure.update_yaxes(title="Accuracy", row=1, col=1)
    figure.update_yaxes(title="Faces", nticks=3, row=2, col=1)
    return tidy(figure, 460)


def score_histogram(rows: pd.DataFrame, positive: str) -> go.Figure:
    """Draw how the probabilities of one label spread over the faces of each true label.

    Parameters
    ----------
    rows : DataFrame
        Predictions of a model.
    positive : str
        Label whose probabilities to count.

    Returns
    -------
    Figure
    """
    if len(score_labels(rows)) > MOST_COLOURS:
        rest = "all other labels"
        rows = rows.assign(label=rows["label"].where(rows["label"].eq(positive), rest))
    counts = score_counts(rows, positive)
    colours = label_colours(score_labels(rows))
    figure = go.Figure(layout={"barmode": "overlay", "bargap": 0})
    for i, label in enumerate(counts):
        figure.add_bar(
            x=counts.index,
            y=counts[label],
            name=f"{label} ({counts[label].sum():,})",
            marker=see_through(colours.get(label, NEUTRAL), i),
            hovertemplate=as_is_in_figure(label) + ", score %{x:.2f}: %{y} faces<extra></extra>",
        )
    figure.update_xaxes(title=f"Probability of {positive}", range=[0, 1])
    return tidy(figure.update_yaxes(title="Faces"), 460)
