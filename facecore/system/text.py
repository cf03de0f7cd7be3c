"""Texts of others, such as names of files and labels, shown as they are: one line, no markup."""

import re

# What moves the cursor, hides or reorders text on a screen, and what no output can encode:
# controls, line separators, marks of direction, halves of a pair (bytes of a name without meaning).
HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
MARKUP = re.compile(
    r"[\\`*\[\]|~$&#]|<(?=[a-z/!?])|^>|>(?!=)|:(?=\w)"  # versions such as >=1,<2 are no markup
    r"|(?<![^\W_])_|_(?![^\W_])"  # nor is an underscore inside a word
    r"|^[-+](?=[-\s]|$)",
    re.IGNORECASE,
)
NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
HYPHEN = re.compile(r"(?<![\w.])-(?=\.?\d)")  # before a number, where a minus is meant
TRAIT = "trait_"  # before the name of a further trait in the columns of a table


def show_hidden(text: str) -> str:
    r"""Return a text on one line in which nothing is hidden or reordered.

    Parameters
    ----------
    text : str
        Of any origin, such as the name of a file.

    Returns
    -------
    str
        With escapes in place of control characters, line ends, marks of direction and bytes that
        are no text.

    Examples
    --------
    >>> show_hidden("a\nb\u202egnp.exe")
    'a\\nb\\u202egnp.exe'
    """
    return HIDDEN.sub(lambda found: _escape(found[0]), text)


def _escape(sign: str) -> str:
    code = ord(sign)
    return NAMED.get(sign) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def escape_markdown(text: object) -> str:
    r"""Return a text that Markdown shows as it is.

    Parameters
    ----------
    text : object
        Its ``str`` is of any origin, such as a label.

    Returns
    -------
    str
        Markdown on one line, without markup.

    Examples
    --------
    >>> escape_markdown("*a* costs $5")
    '\\*a\\* costs \\$5'
    """
    line = show_hidden(" ".join(str(text).split()))
    return NUMBERED.sub(r"\1\\\2", MARKUP.sub(r"\\\g<0>", line))


def describe_share(share: float, digits: int = 0) -> str:
    """Return a share in percent that does not call a small one nothing.

    Parameters
    ----------
    share : float
        In [0, 1].
    digits : int, default=0
        Digits behind the decimal point, 0 or more.

    Returns
    -------
    str

    Examples
    --------
    >>> [describe_share(share) for share in (0.876, 0.004, 0.0)]
    ['88%', '<1%', '0%']
    >>> describe_share(0.0003, 1), describe_share(0.25, 1)
    ('<0.1%', '25.0%')
    """
    nothing, told = f"{0:.{digits}%}", f"{share:.{digits}%}"
    return f"<{10**-digits:.{digits}f}%" if share and told == nothing else told


def with_minus(number: str) -> str:
    """Return the text of a number, or of a few, with the minus sign in place of hyphens.

    The sign is as wide as a plus and easier to see than a hyphen; charts have it as well. Texts
    for machines and for terminals keep the hyphen, which every encoding has.

    Parameters
    ----------
    number : str
        Numbers, with words of the project's own between them; no label or name of a file.

    Returns
    -------
    str

    Examples
    --------
    >>> with_minus("-0.5"), with_minus("-.002 to +.019")
    ('−0.5', '−.002 to +.019')
    """
    return HYPHEN.sub("\u2212", number)


def describe_seconds(seconds: float) -> str:
    """Return a span of time for a person.

    Parameters
    ----------
    seconds : float
        0 or more; less counts as 0.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_seconds(4.2), describe_seconds(95), describe_seconds(7260)
    ('4 s', '1 min 35 s', '2 h 1 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
