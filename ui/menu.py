"""The menu of the dashboard: one line per page."""

from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).resolve().parents[1] / "pages"
REST = "More"  # group of the pages that no line of the menu names


@dataclass(frozen=True)
class Entry:
    """A page in the menu.

    Parameters
    ----------
    file : str
        Name of its file in `pages/`, without the ending.
    title : str
        What the menu calls it.
    icon : str
        Name of a Material symbol.
    question : str
        What the page answers, for links and tooltips.
    """

    file: str
    title: str
    icon: str
    question: str

    @property
    def path(self) -> str:
        """Path of the page, as ``st.page_link`` takes it."""
        return f"pages/{self.file}.py"


LESSON = Entry("0_What_is_an_eigenface", "What is an eigenface?", "school", "Begin here: a lesson")

# A new page is one line here; its address comes from the name of its file.
MENU = {
    "Learn": (
        LESSON,
        Entry("2_Eigenfaces", "Eigenfaces", "face", "See and move through face space"),
        Entry("10_Your_class", "Your class", "groups", "Eigenfaces of your class"),
        Entry("11_Mix_faces", "Mix faces", "join_inner", "Morph, average, caricature"),
        Entry("14_Bias_lab", "Bias lab", "balance", "What does a skewed choice of faces do?"),
        Entry("13_Tutorial", "Tutorial", "terminal", "The pipeline as commands and Python"),
        Entry("12_Glossary", "Glossary", "dictionary", "What do the words mean?"),
    ),
    "Make": (
        Entry("1_Face_sizes", "Face sizes", "straighten", "Which faces are large enough?"),
        Entry("3_Grid_search", "Grid search", "grid_on", "Which settings are best?"),
        Entry("6_Your_data", "Your data", "model_training", "Train on your own photos"),
        Entry("8_Check_photos", "Check photos", "fact_check", "Which labels are wrong?"),
    ),
    "Judge": (
        Entry("4_Evaluation", "Evaluation", "query_stats", "How good is it, and for whom?"),
        Entry("5_Live_prediction", "Live prediction", "photo_camera", "Try it on a photo"),
        Entry(
            "9_You_against_the_model",
            "You against the model",
            "sports_score",
            "Who guesses better?",
        ),
        Entry("7_Ladder", "Ladder", "stairs", "From pixels to an embedding"),
    ),
}


def full_menu() -> dict[str, tuple[Entry, ...]]:
    """Return the menu with every page in `pages/`.

    Returns
    -------
    dict of str to tuple of Entry
        Entries by group; pages that `MENU` does not name are in a last group `REST`.
    """
    named = {entry.file for entries in MENU.values() for entry in entries}
    found = (path.stem for path in sorted(PAGES.glob("[!._]*.py")))
    rest = tuple(_entry_of(file) for file in found if file not in named)
    return MENU | ({REST: rest} if rest else {})


def _entry_of(file: str) -> Entry:
    title = file.split("_", 1)[-1].replace("_", " ")
    return Entry(file, title, "article", title)
