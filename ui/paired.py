"""Tab Compare of the page Evaluation: two models on the same photos, the gain and its cost."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from facecore.errors import FacecoreError
from facecore.evaluation import (
    LEAST_PHOTOS,
    ModelComparison,
    changed_since,
    read_comparison,
    tabulate_kinds,
    unpaired_interval,
)
from facecore.system import with_minus
from ui.controls import choose, offer_file, show_metric
from ui.evaluation import ALL, Reports
from ui.look import NEUTRAL, PAIR, REFERENCE, SYMBOLS, count_columns, show, tidy
from ui.models import Chosen
from ui.paired_photos import compare_here
from ui.sheets import to_sheet
from ui.text import as_is

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

EVERY, ANSWERED = "Every face answered", "Answered and right"
MEASURES = {EVERY: "right", ANSWERED: "answered"}
MOST_DOTS = 40  # rows of a figure


def show_paired(chosen: Chosen, reports: Reports, which: str) -> None:
    """Show the stored comparison of the chosen model with a second one, or how to make it.

    Parameters
    ----------
    chosen : Chosen
        The first model.
    reports : mapping
        By model, what `facecore.evaluation.evaluate_predictions` returns; the second is compared.
    which : str
        Name of a test set, or `ALL`.
    """
    others = [name for name in reports if name != chosen.name]
    if not others:
        st.info(
            "Choose a second model of the same labels under *Compare with*, above.",
            icon=":material/compare_arrows:",
        )
        return
    first, second = chosen.name, others[0]
    place = st.container()
    fresh = compare_here(chosen, second)
    with place:
        found = fresh or _read(first, second)
        if found is None:
            _show_unpaired(first, second, reports, which)
        elif which == ALL:
            _show_figures(found)
        elif which in found["sets"]:
            _show_figures({**found, "sets": {which: found["sets"][which]}})
        else:
            st.info(f"The two models were not compared on {as_is(which)}, but on others.")
            _show_unpaired(first, second, reports, which)


def _read(first: str, second: str) -> ModelComparison | None:
    try:
        found = read_comparison(first, second)
        changed = changed_since(found) if found else []
    except FacecoreError as error:
        st.error(as_is(error), title="No comparison", icon=":material/error:")
        return None
    if changed:
        st.warning(
            f"{as_is(' and '.join(changed))}: trained again since this comparison was made. The "
            "figures are those of the model before; make them again:",
            icon=":material/history:",
        )
        st.code(_command(first, second), language="shell")
    return found


def _command(first: str, second: str) -> str:
    return f"python -m facecore compare {first} {second} PHOTOS"


def _show_unpaired(first: str, second: str, reports: Reports, which: str) -> None:
    st.info(
        "The stored predictions hold no names of photos, so they cannot be paired. The two models "
        "are compared photo by photo where the photos are:",
        title="Not compared on the same photos yet",
        icon=":material/compare_arrows:",
    )
    st.code(_command(first, second), language="shell")
    counts = [_right(reports[name]) for name in (first, second)]
    if not all(n for _, n in counts):
        return
    difference, low, high = unpaired_interval(*counts)
    where = "all test sets" if which == ALL else which
    show_metric(
        f"Accuracy of {first} minus {second}, unpaired",
        with_minus(f"{difference:+.3f}"),
        with_minus(f"{low:+.3f} to {high:+.3f}"),
        "The 95% interval of a difference between two groups of different photos (Newcombe). It "
        "is wider than that of a paired comparison, and there is no paired test.",
        "content",
    )
    st.caption(f"Over the stored predictions for {as_is(where)}.")


def _right(report: Mapping[str, Any]) -> tuple[int, int]:
    right = sum(row.get(label, 0) for label, row in report["confusion"].items())
    return right, report["n"]


def _show_figures(found: ModelComparison) -> None:
    first, second = found["models"]
    st.header("Gain")
    measure = choose("What counts as right", list(MEASURES), "compare_measure")
    table = tabulate_kinds(found, MEASURES[measure])
    wholes = table[table["label"].eq("") & table["trait"].eq("")]
    st.dataframe(
        _with_signs(_readable(wholes, found)),
        hide_index=True,
        placeholder="-",
        alt=f"Paired difference between {first} and {second} by test set",
        column_config=_columns(first, second),
    )
    st.caption(_explain(found, measure))
    st.header("For whom")
    tested = table[table["p"].notna()]
    shown = tested.head(MOST_DOTS)
    alt = f"Accuracy of {first} minus that of {second} by set, label and group, with intervals"
    show(difference_dots(shown, first, second), alt, "compare-dots")
    if len(tested) > len(shown):
        st.caption(f"The first {len(shown)} of {len(tested)} kinds; the table has all.")
    st.header("Where they disagree")
    kinds = table[table["label"].ne("") | table["trait"].ne("")]
    st.dataframe(
        _with_signs(_readable(kinds, found)),
        hide_index=True,
        placeholder="-",
        alt=f"Photos that only {first} or only {second} has right, by kind",
        column_config=_columns(first, second),
    )
    offer_file(
        "Download the counts",
        lambda: to_sheet(table),
        f"{first}_{second}_{MEASURES[measure]}.csv",
        "text/csv",
        "compare_csv",
    )
    _show_cost(found)


def _explain(found: ModelComparison, measure: str) -> str:
    first, second = (as_is(name) for name in found["models"])
    counts = (
        "A photo counts where its face gets the true label as the likeliest one; one in which no "
        "face was found is wrong."
        if measure == EVERY
        else "A photo counts where the model answers under its rule, and rightly."
    )
    subjects = [s["subjects"] for s in found["sets"].values()]
    drawn = (
        "95% intervals by bootstrap over subjects"
        if any(subjects)
        else "95% intervals by bootstrap over photos, as their subjects are not known"
    )
    few = [n for n in subjects if 0 < n < 20]
    return (
        f"{counts} The difference is {first} minus {second}. {drawn}; p is McNemar's exact test, "
        "which takes each photo for a piece of evidence of its own and is not corrected for the "
        f"number of rows. Kinds of fewer than {LEAST_PHOTOS} photos are counted, not tested. "
        f"Compared on {found['created']}, seed {found['seed']}."
        + (f" With {min(few)} subjects an interval is too narrow." if few else "")
        + "".join(
            f" {as_is(name)}: {as_is(note)}."
            for name, figures in found["sets"].items()
            for note in figures["notes"]
        )
    )


def _readable(table: pd.DataFrame, found: ModelComparison) -> pd.DataFrame:
    first, second = found["models"]
    shares = {
        name: (table["both right"] + table[f"only {name} right"]) / table["photos"]
        for name in (first, second)
    }
    interval = [
        None if pd.isna(low) else with_minus(f"{low:+.3f} to {high:+.3f}")
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    shown = pd.DataFrame(
        {
            "set": table["set"],
            "label": table["label"],
            "group": _group_names(table),
            "photos": table["photos"],
            first: shares[first],
            second: shares[second],
            "difference": table["difference"],
            "95% interval": interval,
            "p": table["p"],
            f"only {first}": table[f"only {first} right"],
            f"only {second}": table[f"only {second} right"],
            "both wrong": table["both wrong"],
        }
    )
    return shown[[name for name in shown if name not in ("label", "group") or shown[name].any()]]


def _with_signs(table: pd.DataFrame) -> "Styler":
    """Write the differences with their signs; they stay numbers, by which people sort."""
    told = {"difference": lambda value: with_minus(f"{value:+.3f}")}
    return table.style.format(told, na_rep="-")


def _group_names(table: pd.DataFrame) -> list[str]:
    pairs = zip(table["trait"], table["group"], strict=True)
    return [f"{trait} {group}" if trait else "" for trait, group in pairs]


def _columns(*models: str) -> dict[str, Any]:
    share = st.column_config.NumberColumn(format="%.3f")
    return {
        **dict.fromkeys(models, share),
        "p": st.column_config.NumberColumn(format="%.2g"),
        **count_columns("photos", *(f"only {name}" for name in models), "both wrong"),
    }


def difference_dots(table: pd.DataFrame, first: str, second: str) -> go.Figure:
    """Draw the difference between two models for each kind of photos.

    Parameters
    ----------
    table : DataFrame
        Rows of `facecore.evaluation.tabulate_kinds` that have an interval.
    first, second : str
        Names of the models.

    Returns
    -------
    Figure
    """
    names = [
        " ".join(part for part in parts if part) + f" ({n:,})"
        for *parts, n in zip(
            table["set"], table["label"], _group_names(table), table["photos"], strict=True
        )
    ]
    sides = {
        f"{first} better": (table["low"].gt(0), PAIR[0], SYMBOLS[0]),
        f"{second} better": (table["high"].lt(0), PAIR[1], SYMBOLS[1]),
        "may be chance": (table["low"].le(0) & table["high"].ge(0), NEUTRAL, SYMBOLS[2]),
    }
    figure = go.Figure()
    for name, (mine, colour, symbol) in sides.items():
        rows = table[mine]
        figure.add_scatter(
            x=rows["difference"],
            y=[n for n, own in zip(names, mine, strict=True) if own],
            mode="markers",
            name=name,
            showlegend=bool(mine.any()),
            marker={"color": colour, "symbol": symbol, "size": 10},
            error_x={
                "array": rows["high"] - rows["difference"],
                "arrayminus": rows["difference"] - rows["low"],
            },
            hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
        )
    figure.add_vline(0, line=REFERENCE)
    figure.update_xaxes(title=f"Accuracy of {first} minus {second}", tickformat="+.2f")
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=names, autorange="reversed"
    )
    return tidy(figure, 150 + 26 * len(table))


def _show_cost(found: ModelComparison) -> None:
    first, second = found["models"]
    st.header("Cost")
    with st.container(horizontal=True):
        for name, figures in found["sets"].items():
            mine, others = figures["ms"]
            show_metric(
                f"Time per photo, {name}",
                f"{figures['ratio']:.2f} x",
                f"{first} {mine:.0f} ms, {second} {others:.0f} ms",
                f"Time of {first} by that of {second}, the median over the same photos, which both "
                "models answered in turn on one thread; below, the medians of each.",
            )
        mine, others = found["megabytes"]
        show_metric(
            "Size on disk",
            f"{mine / others:.2f} x",
            f"{first} {mine:.1f} MB, {second} {others:.1f} MB",
        )
        for name, need in zip(found["models"], found["needs"], strict=True):
            show_metric(f"{name} needs", need or "nothing else", None)
