"""What a fair and a skewed training have seen, what became of it, and what helps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from facecore.evaluation import wilson
from facecore.model import paint_signed
from facecore.system import with_minus
from facecore.training import (
    BiasTrial,
    GroupFigures,
    LabTraining,
    SkewGap,
    gap_of,
    match_eigenfaces,
    name_part,
    name_third,
    tabulate_groups,
)
from ui.look import PAIR, show, show_picture, tidy
from ui.text import as_is, as_is_in_figure

FAIR, SKEWED = "Fair", "Skewed"
EXAMPLES = 10
ALIKE = 0.8  # cosine from which on two eigenfaces are called alike
POINTS = ("circle", "diamond")
APART = 0.17  # of the two points of a group, in rows


@dataclass(frozen=True)
class Look:
    """One point per row of a chart.

    Parameters
    ----------
    name : str
        What it is called in the legend.
    counts : sequence of tuple of int
        How many faces are labelled right, and how many there are, by row.
    """

    name: str
    counts: Sequence[tuple[int, int]]


def show_faces(trial: BiasTrial) -> None:
    """Show some of the faces that both trainings learned from.

    Parameters
    ----------
    trial : BiasTrial
        A fair and a skewed training.
    """
    for name, training in _both(trial):
        st.markdown(f"**{name}:** {as_is(_counts(trial, training))}")
        with st.container(width=400):
            grid = st.grid(5, min_column_width=48, gap="xsmall")
            for face, label in zip(training.examples, training.example_labels, strict=True):
                with grid.cell():
                    show_picture(face, f"{name} training face of label {label}")
    thirds = any(portion.third for portion in trial.skewed.portions)
    st.caption(
        f"About {EXAMPLES} faces of each training: of each label its share, in the order above."
        + (" Thirds are taken within each label." if thirds else "")
    )


def _both(trial: BiasTrial) -> tuple[tuple[str, LabTraining], ...]:
    return (FAIR, trial.fair), (SKEWED, trial.skewed)


def _counts(trial: BiasTrial, training: LabTraining) -> str:
    return ", ".join(
        f"{portion.count} {portion.label}"
        + (f" ({name_third(trial.trait, portion.third)})" if portion.third else "")
        for portion in training.portions
    )


def show_means(trial: BiasTrial) -> None:
    """Show both mean faces and their difference.

    Parameters
    ----------
    trial : BiasTrial
        A fair and a skewed training.
    """
    difference = trial.skewed.mean.astype(float) - trial.fair.mean
    most = float(np.abs(difference).max())
    grid = st.grid(3, min_column_width=90, gap="small")
    for name, training in _both(trial):
        with grid.cell():
            show_picture(training.mean, f"Mean face of the {name.lower()} training", name)
    with grid.cell():
        alt = "Skewed mean face minus fair mean face"
        show_picture(paint_signed(difference.reshape(-1)), alt, "Difference")
    st.caption(
        "Each pixel of a mean face is the average over all training faces. Difference: orange is "
        "brighter in the skewed training, blue is darker, white the same. On average over all "
        f"pixels it is {with_minus(f'{difference.mean():+.1f}')} grey levels of 255; the strongest "
        f"colour is {most:.0f}."
    )


def show_eigenfaces(trial: BiasTrial) -> None:
    """Show the first eigenfaces of both trainings, and which of them are alike.

    Parameters
    ----------
    trial : BiasTrial
        A fair and a skewed training.
    """
    matches = match_eigenfaces(trial)
    for name, training in _both(trial):
        st.markdown(f"**{name}**")
        grid = st.grid(len(training.words), min_column_width=72, gap="xsmall")
        for i, row in enumerate(training.eigenfaces):
            like, cosine = matches[i]
            skewed = name == SKEWED
            with grid.cell():
                turned = row * (np.sign(cosine) or 1) if skewed else row
                show_picture(paint_signed(turned), f"{name}, eigenface {i + 1}")
                note = f", {training.shares[i]:.0%}"
                if skewed:
                    alike = abs(cosine) >= ALIKE
                    note += f"; like fair {like + 1}" if alike else "; like none of the fair ones"
                st.caption(f"**{i + 1}** {training.words[i]}{note}")
    again = sum(abs(cosine) >= ALIKE for _, cosine in matches)
    st.caption(
        "An eigenface is a direction in which the training faces differ. Orange: adding it "
        "brightens this place; blue: it darkens it. The words are computed from its pixels; the "
        "percentage is its share of all differences. "
        f"{again} of the {len(matches)} skewed eigenfaces are like one of the fair ones above: "
        f"the cosine of the angle between them is at least {ALIKE}."
    )


def show_answers(trial: BiasTrial) -> None:
    """Show how many test faces of each group both trainings label right.

    Parameters
    ----------
    trial : BiasTrial
        A fair and a skewed training.
    """
    groups = tabulate_groups(trial)
    names = [_name(trial, group) for group in groups]
    told = "; ".join(
        f"{name}: fair {group.fair / group.n:.0%}, skewed {group.skewed / group.n:.0%}"
        for name, group in zip(names, groups, strict=True)
    )
    looks = (
        Look(FAIR, [(group.fair, group.n) for group in groups]),
        Look(SKEWED, [(group.skewed, group.n) for group in groups]),
    )
    show(_draw(names, looks), f"Test faces labelled right. {told}", "bias-groups")
    with st.expander("The counts", icon=":material/table:"):
        st.dataframe(
            {
                "test faces": names,
                "number": [group.n for group in groups],
                "fair: right": [group.fair for group in groups],
                "skewed: right": [group.skewed for group in groups],
                "p": [group.p for group in groups],
            },
            hide_index=True,
            alt=f"Test faces labelled right. {told}",
            column_config={
                "p": st.column_config.NumberColumn(
                    format="%.3g",
                    help="Of McNemar's test: how often chance alone makes a difference as large, "
                    "if both trainings are equally good",
                )
            },
        )
    st.caption(
        f"Both models label the same {len(trial.test_labels)} new faces. The share of a label's "
        "faces that are labelled right is its recall. Lines are 95% intervals."
    )


def _name(trial: BiasTrial, group: GroupFigures) -> str:
    third = group.third and name_third(trial.trait, group.third)
    return ", ".join(filter(None, (group.label, third))) or "all test faces"


def _draw(names: Sequence[str], looks: Sequence[Look]) -> go.Figure:
    """Draw shares with their intervals, one row per name and one point per look in it."""
    figure, rows = go.Figure(), np.arange(len(names))
    for look, colour, symbol, shift in zip(looks, PAIR, POINTS, (-APART, APART), strict=True):
        shares = np.array([right / n for right, n in look.counts])
        limits = np.array([wilson(right, n) for right, n in look.counts])
        figure.add_scatter(
            x=shares,
            y=rows + shift,
            name=look.name,
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": limits[:, 1] - shares,
                "arrayminus": shares - limits[:, 0],
                "color": colour,
            },
            customdata=[f"{right} of {n}" for right, n in look.counts],
            hovertemplate="%{x:.1%}: %{customdata}<extra></extra>",
        )
    figure.update_xaxes(title="labelled right", tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[as_is_in_figure(name) + " " for name in names],
        range=[len(names) - 0.4, -0.6],
        zeroline=False,
    )
    return tidy(figure, 110 + 34 * len(names))


def show_remedies(found: Sequence[tuple[str, BiasTrial]]) -> None:
    """Show what other trainings make of the gap.

    Parameters
    ----------
    found : sequence of tuple of (str, BiasTrial)
        What is different, and the trial; at least one.
    """
    names, gaps = [name for name, _ in found], [gap_of(one, one.skewed) for _, one in found]
    favoured, neglected = (name_part(found[0][1], part) for part in ("favoured", "neglected"))
    looks = (
        Look(_cap(favoured), [gap.favoured for gap in gaps]),
        Look(_cap(neglected), [gap.neglected for gap in gaps]),
    )
    told = "; ".join(
        f"{name}: gap {_points(gap)}, 95% interval {_limits(gap)}"
        for name, gap in zip(names, gaps, strict=True)
    )
    show(_draw(names, looks), f"What helps. {told}", "bias-helps")
    least = min(range(len(found)), key=lambda i: abs(gaps[i].gap))
    rights = [trial.skewed.right for _, trial in found]
    st.markdown(f"**The smallest gap: {names[least]}, {abs(100 * gaps[least].gap):.0f} points.**")
    with st.expander("The counts", icon=":material/table:"):
        st.dataframe(
            {
                "training": names,
                "faces": [trial.skewed.faces for _, trial in found],
                "right of all": [f"{right.mean():.0%}" for right in rights],
                favoured: [_share(*gap.favoured) for gap in gaps],
                neglected: [_share(*gap.neglected) for gap in gaps],
                "gap": [_points(gap) for gap in gaps],
                "95% interval": [_limits(gap) for gap in gaps],
            },
            hide_index=True,
            alt=f"What helps. {told}",
        )
    st.caption(
        "All are tried on the same test faces. More faces of the same choice help where at least "
        "some were of the neglected kind. Class weights let these count for more; they cannot add "
        "what was never seen."
    )


def _points(gap: SkewGap) -> str:
    return with_minus(f"{round(100 * gap.gap)} points")


def _limits(gap: SkewGap) -> str:
    return with_minus(f"{round(100 * gap.low)} to {round(100 * gap.high)}")


def _share(right: int, n: int) -> str:
    return f"{right / n:.0%} ({right} of {n})"


def _cap(text: str) -> str:
    return text[0].upper() + text[1:]
