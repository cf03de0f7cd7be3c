"""What a grid search found, in figures and sentences: the best, the simplest, edges and effects."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from facecore.training import (
    Effect,
    Place,
    Round,
    count_compared,
    count_folds,
    effects_of,
    on_all_faces,
    places_of_best,
    rounds_of,
    simplest_within_one_error,
    standard_error,
)
from ui.controls import show_metric
from ui.models import Chosen
from ui.scores import (
    MODEL_HELP,
    OF_CANDIDATE,
    OF_MODEL,
    define_scores,
    explain_candidate,
    is_simplest,
)
from ui.search import Search, describe, describe_grid, name_parameter, name_round, name_value
from ui.text import as_is

EFFECTS_HELP = (
    "Of each value the best candidate is compared with the best of all, fold by fold, since a "
    "fold that is hard is hard for all. What is within the 95% interval of that difference, "
    "corrected for the faces that folds share (Nadeau and Bengio 2003), counts as no difference. A "
    "number between two that are as good counts so up to twice the interval: of many values some "
    "are worse by chance."
)
FACTOR_NOTE = (
    " The gamma factor is gamma in units of 1 / total variance of the coordinates (scikit-learn's "
    "*scale*), so that it can be compared between numbers of components."
)


def show_summary(chosen: Chosen, search: Search) -> None:
    """Show what was searched, the best candidate, and the simplest that is hardly worse.

    Parameters
    ----------
    chosen : Chosen
        Model that the search was for.
    search : Search
        Search of one of its members.
    """
    compared, best = on_all_faces(search.table), search.best
    error, stored = standard_error(best), chosen.metadata["search"]
    simple = compared.loc[simplest_within_one_error(compared)]
    rounds = rounds_of(search.table)
    with st.container(horizontal=True):
        show_metric(
            "Candidates",
            f"{count_compared(search.table):,}",
            f"in {len(rounds)} rounds" if len(rounds) > 1 else None,
        )
        show_metric("Folds", count_folds(search.table.columns))
        show_metric("Faces", f"{sum(chosen.metadata['training_faces'].values()):,}")
    with st.container(horizontal=True):
        show_metric(
            OF_CANDIDATE,
            f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}",
            describe(best),
            f"Of the best candidate. {explain_candidate(stored)}",
        )
        members = len(stored.get("members", [search.member]))
        show_metric(
            OF_MODEL,
            f"{stored['balanced_accuracy']:.4f} ± {stored['std']:.4f}",
            f"{members} members, fused and calibrated" if members > 1 else "calibrated",
            MODEL_HELP,
        )
        show_metric(
            "Simplest within one standard error",
            f"{simple['mean_test_score']:.4f}",
            describe(simple),
            f"The one-standard-error rule: of the candidates at most {error:.4f} below the best, "
            "the one with the fewest components, then the smallest C and gamma."
            + (" The model was made of it." if is_simplest(stored) else ""),
        )
    st.caption(define_scores(stored))
    _show_places(search)


def _show_places(search: Search) -> None:
    places = places_of_best(search.table)
    edges = describe_edges(places, search.table)
    if edges:
        st.info(as_is(edges), title="The best is at an edge", icon=":material/open_in_full:")
    told = [describe_inside(places, search.table), describe_zoom(search.table)]
    if any(told):
        st.caption(as_is(" ".join(filter(None, told))))


def describe_edges(places: Sequence[Place], table: pd.DataFrame) -> str:
    """Describe at which edges of the values searched the best candidate is.

    Parameters
    ----------
    places : sequence of Place
        As `facecore.training.places_of_best` returns them.
    table : DataFrame
        Candidates of the search.

    Returns
    -------
    str
        With the direction in which one would search on; empty if it is inside.
    """
    return " ".join(
        f"Of {name_parameter(place.parameter, table)}, {name_value(place.value)} is the "
        f"{'largest' if place.beyond == 'above' else 'smallest'} value that was searched: "
        + (
            f"search on {place.beyond} it."
            if place.rival is None
            else f"{name_value(place.rival)} is as good within the noise, so searching on "
            f"{place.beyond} it may gain nothing."
        )
        for place in places
        if place.beyond
    )


def describe_inside(places: Sequence[Place], table: pd.DataFrame) -> str:
    """Describe for which parameters the best is inside the values searched, and which had one.

    Parameters
    ----------
    places : sequence of Place
        As `facecore.training.places_of_best` returns them.
    table : DataFrame
        Candidates of the search.

    Returns
    -------
    str
    """
    inside = [
        f"{name_parameter(place.parameter, table)} ({name_value(place.value)} between "
        f"{name_value(place.values[0])} and {name_value(place.values[-1])})"
        for place in places
        if place.searched and not place.beyond and len(place.values) > 2
    ]
    single = [
        f"{name_parameter(place.parameter, table)} ({name_value(place.value)})"
        for place in places
        if not place.searched
    ]
    return " ".join(
        f"{words}: {', '.join(found)}."
        for words, found in (("The best is inside", inside), ("Not searched", single))
        if found
    )


def describe_zoom(table: pd.DataFrame) -> str:
    """Describe at which edges of the finer grid of the last round the best candidate is.

    Parameters
    ----------
    table : DataFrame
        Candidates of the search, of all rounds.

    Returns
    -------
    str
        With another value that is as good, where there is one; empty if the best candidate is
        inside that grid, or of an earlier round.
    """
    zoom = rounds_of(table)[-1]
    rounds = [found for found in rounds_of(table) if found.comparable]
    if len(rounds) < 2 or table["rank_test_score"].idxmin() not in zoom.rows.index:
        return ""
    edges = [place for place in places_of_best(zoom.rows) if place.beyond]
    if not edges:
        return ""
    names = _list([name_parameter(place.parameter, table) for place in edges])
    told = f"In the zoom it is at the edge of {names}"
    rivals = [
        f"{name_parameter(place.parameter, table)} {name_value(place.rival)}"
        for place in edges
        if place.rival is not None
    ]
    if rivals:
        are = "are" if len(rivals) > 1 else "is"
        told += f"; {_list(rivals)} {are} as good within the noise"
    return f"{told}."


def _list(words: Sequence[str]) -> str:
    *others, end = words
    return f"{', '.join(others)} and {end}" if others else end


def show_round(found: Round, search: Search) -> None:
    """Show what a round compared, and what it says about each parameter.

    Parameters
    ----------
    found : Round
        Round of the search.
    search : Search
        Search of one member.
    """
    rows, single = found.rows, len(rounds_of(search.table)) == 1
    faces = "" if found.faces is None else f" on {found.faces:,} faces"
    start = "Grid" if single else f"{name_round(found, search)}, {len(rows):,} candidates{faces}"
    factor = FACTOR_NOTE if "gamma_factor" in rows else ""
    st.caption(f"{start}: {as_is(describe_grid(rows))}.{factor}")
    if effects := effects_of(rows):
        told = describe_effects(effects, rows)
        if not single:
            name = name_round(found, search).lower()
            where = f"the {name}" if name == "zoom" else name
            told = f"In {where},{faces}, {told[0].lower()}{told[1:]}"
        st.markdown(as_is(told), help=EFFECTS_HELP)


def describe_effects(effects: Sequence[Effect], table: pd.DataFrame) -> str:
    """Describe what matters and what is flat.

    Parameters
    ----------
    effects : sequence of Effect
        As `facecore.training.effects_of` returns them.
    table : DataFrame
        The candidates.

    Returns
    -------
    str
        One or two sentences, the parameter that costs most first.
    """
    ordered = sorted(effects, key=lambda effect: -max(effect.costs))
    matter = [_describe_effect(effect, table) for effect in ordered if effect.worse]
    flat = [
        f"{name_parameter(effect.parameter, table)} (at most {max(effect.costs):.4f} between "
        f"{name_value(effect.values[0])} and {name_value(effect.values[-1])})"
        for effect in ordered
        if not effect.worse
    ]
    return " ".join(
        f"{words}: {'; '.join(found)}."
        for words, found in (("What matters", matter), ("No difference within the noise", flat))
        if found
    )


def _describe_effect(effect: Effect, table: pd.DataFrame) -> str:
    worst = max(map(effect.values.index, effect.worse), key=effect.costs.__getitem__)
    return (
        f"{name_parameter(effect.parameter, table)}, best {_describe_flat(effect)}; with "
        f"{name_value(effect.values[worst])} the score is {effect.costs[worst]:.4f} ± "
        f"{effect.errors[worst]:.4f} lower"
    )


def _describe_flat(effect: Effect) -> str:
    """Describe the values that are as good as the best: numbers in a row by their ends."""
    places = [i for i, value in enumerate(effect.values) if value not in effect.worse]
    holes = [i for i in range(places[0], places[-1]) if i not in places]
    if not effect.ordered or len(places) < 3 or 2 * len(holes) > len(places):
        return " or ".join(name_value(effect.values[i]) for i in places)
    told = f"{name_value(effect.values[places[0]])} to {name_value(effect.values[places[-1]])}"
    without = [name_value(effect.values[i]) for i in holes]
    return f"{told}, except {_list(without)}" if holes else told
