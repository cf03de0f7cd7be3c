"""How far groups are apart on the page Evaluation: per test set, and over all where they agree."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from facecore.evaluation import ACCURACY, DISAGREE, RECALL, TraitGap
from facecore.system import with_minus
from ui.text import as_is

POOLED = "all, weighted"

# What `facecore.evaluation.trait_gaps` returns, by model, the chosen model first.
Gaps = Mapping[str, Sequence[TraitGap]]


def show_gaps(gaps: Gaps, least: int) -> None:
    """Show the gaps between groups, and warn where the test sets do not agree.

    Parameters
    ----------
    gaps : mapping
        By model, what `facecore.evaluation.trait_gaps` returns.
    least : int
        Groups of fewer photos were not compared.
    """
    st.header("How far groups are apart")
    table = gap_table(gaps)
    if table.empty:
        st.caption(f"No test set has two groups of {least:,} photos or more.")
        return
    for words in disagreements(gaps):
        st.warning(as_is(words), icon=":material/call_split:")
    share = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(
        table,
        hide_index=True,
        placeholder="-",
        alt="Largest gap between groups in each figure, by trait and test set",
        column_config={"gap": share},
    )
    st.caption(
        f"Each gap is the largest between two groups of {least:,} photos or more; its interval "
        "(Newcombe 1998) is that of these two and does not allow for their choice. A gap in the "
        "recall of a label is one in equal opportunity (Hardt, Price and Srebro 2016). Test sets "
        "agree where a test of homogeneity (Cochran 1954; for several groups Grizzle, Starmer and "
        f"Koch 1969) gives p of {DISAGREE:g} or more. Only then is there a gap over all sets: "
        "the mean of those of the sets, weighted by precision."
    )


def gap_table(gaps: Gaps) -> pd.DataFrame:
    """Return the gaps as a table.

    Parameters
    ----------
    gaps : mapping
        By model, what `facecore.evaluation.trait_gaps` returns.

    Returns
    -------
    DataFrame
        One row per trait, figure and test set, one more where the test sets agree, and per model
        if there are two.
    """
    rows = []
    for name, found in gaps.items():
        for gap in found:
            head = {
                "groups by": gap["trait"],
                "gap in": _figure(gap),
                **({"model": name} if len(gaps) > 1 else {}),
            }
            photos = [" and ".join(f"{n:,}" for n in each["n"][::-1]) for each in gap["sets"]]
            rows += [
                head | _cells(each["set"], each) | {"photos": n, "sets agree": None}
                for each, n in zip(gap["sets"], photos, strict=True)
            ]
            if both := gap["agreement"]:
                told = f"{'yes' if both['agree'] else 'no'}, p {_p_value(both['p'])}"
                cells = _cells(POOLED, both) if both["agree"] else {"test set": POOLED}
                rows.append(head | cells | {"sets agree": told})
    # models below each other in the order of the first
    place = {pair: i for i, pair in enumerate(dict.fromkeys(map(_place, rows)))}
    rows.sort(key=lambda row: place[_place(row)])
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def _place(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["groups by"], row["gap in"]


def _cells(name: str, gap: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "test set": name,
        "gap": gap["gap"],
        "95% interval": with_minus("{:.3f} to {:.3f}".format(*gap["interval"])),
        "lowest": gap["worst"],
        "highest": gap["best"],
    }


def _figure(gap: TraitGap) -> str:
    return f"recall of {gap['label']}" if gap["figure"] == RECALL else gap["figure"]


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def disagreements(gaps: Gaps) -> list[str]:
    """Describe where test sets do not agree, so that all photos together would hide a gap.

    Parameters
    ----------
    gaps : mapping
        By model, what `facecore.evaluation.trait_gaps` returns.

    Returns
    -------
    list of str
        One text per model and trait.
    """
    lines = []
    for name, found in gaps.items():
        apart = [(gap, a) for gap in found if (a := gap["agreement"]) and not a["agree"]]
        for trait in dict.fromkeys(gap["trait"] for gap, _ in apart):
            mine = [pair for pair in apart if pair[0]["trait"] == trait]
            first, told = next((pair for pair in mine if pair[0]["figure"] == ACCURACY), mine[0])
            of = f"{name}: the" if len(gaps) > 1 else "The"
            sets = "; ".join(
                f"in {each['set']} {each['worst']} is {each['gap']:.3f} below {each['best']}"
                for each in first["sets"]
            )
            others = ", ".join(_figure(gap) for gap, _ in mine if gap is not first)
            lines.append(
                f"{of} test sets do not agree on the gap by {trait} in {_figure(first)} "
                f"(p {_p_value(told['p'])}"
                f"{', in opposite directions' if told['opposed'] else ''}): {sets}. All photos "
                f"together would show {told['together']:.3f}, which hides this."
                + (f" Nor do they agree on: {others}." if others else "")
            )
    return lines
