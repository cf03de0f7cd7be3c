"""Text between two marks of a Markdown page, which a script writes."""


def replace_between(page: str, mark: str, text: str) -> str:
    """Return a page with the text between two marks replaced.

    Parameters
    ----------
    page : str
        Markdown with ``<!-- mark -->`` before and after the text; after a lone one the other is
        set.
    mark : str
    text : str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        The page has no such mark.
    """
    comment = f"<!-- {mark} -->"
    before, found, rest = page.partition(comment)
    if not found:
        raise ValueError(f"the page needs the mark {comment} around the text")
    return f"{before}{comment}\n{text}\n{comment}{rest.rpartition(comment)[2]}"
