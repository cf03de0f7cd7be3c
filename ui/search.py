"""The grid search of one member of a model: its candidates, its rounds, and how both are named."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from facecore.face import describe_member
from facecore.training import PARAMETERS, Round, column_of, rounds_of, values_of
from ui.controls import choose
from ui.models import Chosen
from ui.scores import OF_CANDIDATE
from ui.text import as_is

WORDS = {
    "n_components": "components",
    "C": "C",
    "gamma": "gamma",
    "class_weight": "class weight",
    "whiten": "whiten",
}


@dataclass(frozen=True)
class Search:
    """The grid search of one member of a model.

    Parameters
    ----------
    model : str
        Name of the model.
    member : str
        Name of the member.
    table : DataFrame
        Its candidates, in the columns of `facecore.training.SearchResult`.
    parameters : mapping of str
        Parameters of the best candidate.
    reads : str, default=""
        What the member reads of a face, in a few words.
    """

    model: str
    member: str
    table: pd.DataFrame
    parameters: Mapping[str, Any]
    reads: str = ""

    @property
    def title(self) -> str:
        """The member's name, with what it reads."""
        return f"{self.member} ({self.reads})" if self.reads else self.member

    @property
    def best(self) -> pd.Series:
        """The best candidate, a row of the table."""
        return self.table.loc[self.table["rank_test_score"].idxmin()]


def searches_of(chosen: Chosen, table: pd.DataFrame) -> dict[str, Search]:
    """Return the searches of a model by member.

    Parameters
    ----------
    chosen : Chosen
        Model that was searched for.
    table : DataFrame
        Candidates of all members, as the model stores them.

    Returns
    -------
    dict of str to Search
    """
    search = chosen.metadata["search"]
    reads = {one.name: describe_member(one.features, one.space) for one in chosen.model.members}
    if "param_member" not in table:
        name = chosen.model.leading.name
        return {name: Search(chosen.name, name, table, search["best"], reads[name])}
    found = {}
    for name, best in search["members"].items():
        rows = table[table["param_member"].eq(name)].reset_index(drop=True)
        # A member that was not searched in rounds lacks the columns that another one has.
        rows = rows.drop(columns="param_member").dropna(axis="columns", how="all")
        found[name] = Search(chosen.name, name, rows, best, reads.get(name, ""))
    return found


def pick_search(searches: Mapping[str, Search]) -> Search:
    """Ask for a member if the model has several, and return its search.

    Parameters
    ----------
    searches : mapping of str to Search
        By member.

    Returns
    -------
    Search
    """
    members = list(searches)
    if len(members) == 1:
        return searches[members[0]]
    member = choose(
        "Member",
        members,
        "search_member",
        help="Each member reads its own features of a face and has a search of its own",
    )
    scores = ", ".join(
        f"{search.title} {search.best['mean_test_score']:.4f}" for search in searches.values()
    )
    st.caption(f"{OF_CANDIDATE}, the best of each member: {as_is(scores)}.")
    return searches[member]


def pick_round(search: Search) -> Round:
    """Ask for a round of a search in rounds, and return it.

    Parameters
    ----------
    search : Search
        Search of one member.

    Returns
    -------
    Round
        The only one of a search without rounds.
    """
    rounds = {name_round(found, search): found for found in rounds_of(search.table)}
    if len(rounds) == 1:
        return next(iter(rounds.values()))
    name = choose(
        "Round",
        list(rounds),
        "search_round",
        help="A search in rounds compares many candidates on few faces, then the best of them on "
        "more (successive halving), and last a finer grid around the best. Scores of different "
        "rounds cannot be compared, except of those that had all faces.",
    )
    return rounds[name]


def name_round(found: Round, search: Search) -> str:
    """Return what a round is called.

    Parameters
    ----------
    found : Round
        Round to name.
    search : Search
        Search that it belongs to.

    Returns
    -------
    str
        A number, or *zoom* for the finer grid after the round that first had all faces.
    """
    whole = [other.number for other in rounds_of(search.table) if other.comparable]
    return "Zoom" if found.number in whole[1:] else f"Round {found.number}"


def describe(candidate: pd.Series) -> str:
    """Describe the parameters of a candidate.

    Parameters
    ----------
    candidate : Series
        Row of the table.

    Returns
    -------
    str
    """
    weight = "balanced" if candidate["param_class_weight"] == "balanced" else "unweighted"
    return (
        f"{candidate['param_n_components']} components, C {candidate['param_C']:g}, "
        f"gamma {candidate['param_gamma']:.4g}, {weight}"
        + ("" if candidate["param_whiten"] else ", not whitened")
    )


def name_parameter(parameter: str, table: pd.DataFrame) -> str:
    """Return what a parameter is called beside its values in a table.

    Parameters
    ----------
    parameter : str
        As `facecore.training.varied` returns it.
    table : DataFrame
        Candidates, which may hold factors of gamma.

    Returns
    -------
    str
    """
    scaled = column_of(parameter, table) == "gamma_factor"
    return "gamma factor" if scaled else WORDS[parameter]


def name_value(value: object) -> str:
    """Return the text of a value of a parameter.

    Parameters
    ----------
    value : object
        A number, a choice, or whether something is done.

    Returns
    -------
    str
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, (int, float)) else str(value)


def describe_grid(table: pd.DataFrame) -> str:
    """Describe the values that a table of candidates holds.

    Parameters
    ----------
    table : DataFrame
        Candidates of a search or of a round.

    Returns
    -------
    str
    """
    return "; ".join(
        f"{name_parameter(name, table)} {', '.join(map(name_value, values_of(name, table)))}"
        for name in PARAMETERS
    )
