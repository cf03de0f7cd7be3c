"""Tables as files that people open in a spreadsheet."""

import pandas as pd
from pandas.api.types import is_numeric_dtype

from facecore.system import show_hidden

# A cell that starts so is run by spreadsheets; some of them read the wide forms alike.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes the letters of UTF-8 for others


def tame(table: pd.DataFrame) -> pd.DataFrame:
    """Put a quote before every text that a spreadsheet would run, and show what is hidden.

    Parameters
    ----------
    table : DataFrame
        Table to write as CSV.

    Returns
    -------
    DataFrame
        Names and texts take one line each; what is no text stays.
    """
    texts = [name for name in table if not is_numeric_dtype(table[name])]
    tamed = {name: table[name].map(_tame, na_action="ignore") for name in texts}
    return table.assign(**tamed).rename(columns=_tame)


def _tame(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    return show_hidden(f"'{cell}" if cell.startswith(FORMULA) else cell)


def to_sheet(table: pd.DataFrame) -> str:
    """Return a table as CSV for people: tame, and with a byte-order mark.

    Parameters
    ----------
    table : DataFrame
        Its index is left out.

    Returns
    -------
    str
        To be encoded as UTF-8.
    """
    rows: str = tame(table).to_csv(index=False, lineterminator="\n")
    return BYTE_ORDER_MARK + rows
