"""Texts of unknown encoding, read so that they can be written back as they were."""

import codecs
from dataclasses import dataclass

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),  # as Excel writes "Unicode text"
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Text:
    """A text, and how it was stored.

    Parameters
    ----------
    text : str
        Without a byte order mark. Bytes that the encoding does not know are lone surrogates.
    codec : str
        Name of the encoding.
    mark : bytes
        Byte order mark, or empty.
    """

    text: str
    codec: str
    mark: bytes = b""

    @property
    def plain(self) -> str:
        """The text with a replacement mark for bytes that its encoding does not know."""
        return self.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def encode(self, text: str) -> bytes:
        """Return another text as this one was stored.

        Parameters
        ----------
        text : str
            Such as this one with a change.

        Returns
        -------
        bytes

        Raises
        ------
        UnicodeEncodeError
            The encoding has no such letters.
        """
        how = "surrogateescape" if self.codec == "cp1252" else "strict"
        return self.mark + text.encode(self.codec, how)


def decode_text(data: bytes) -> Text:
    r"""Decode a text: UTF-16 or UTF-8 by its mark, else UTF-8, else as Windows writes it.

    Parameters
    ----------
    data : bytes
        Of a file.

    Returns
    -------
    Text

    Raises
    ------
    UnicodeDecodeError
        There is a mark, and what follows is damaged.

    Examples
    --------
    >>> decode_text("é".encode("cp1252"))
    Text(text='é', codec='cp1252', mark=b'')
    >>> decode_text(b"\xef\xbb\xbfa").encode("ab")
    b'\xef\xbb\xbfab'
    """
    for mark, codec in MARKS:
        if data.startswith(mark):
            return Text(data[len(mark) :].decode(codec), codec, mark)
    try:
        return Text(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return Text(data.decode("cp1252", errors="surrogateescape"), "cp1252")
