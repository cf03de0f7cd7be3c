"""Texts: read in whatever encoding, written back as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecore.data.texts import decode_text


@given(st.binary().filter(lambda data: data[:2] not in (b"\xff\xfe", b"\xfe\xff")))
def test_any_bytes_come_back_as_they_were(data):
    try:
        found = decode_text(data)
    except UnicodeDecodeError:
        assert data.startswith(b"\xef\xbb\xbf")  # it claims to be UTF-8
        return
    assert found.encode(found.text) == data
    found.plain.encode()  # can stand in any table


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"])
def test_an_encoding_is_recognised_and_kept(codec):
    mark = "\ufeff" if codec.startswith("utf-16") else ""
    data = (mark + "path,José").encode(codec)
    found = decode_text(data)
    assert found.text == "path,José"
    assert found.encode("é") == data[: len(found.mark)] + "é".encode(codec.removesuffix("-sig"))
