"""Samples that a browser sends: what is taken, what is refused, and how they are packed."""

import io
import zipfile
from base64 import b64encode

import pandas as pd
import pytest
from cartoons import draw_photo, encode

from facecore.data.archive import survey_labels, unpack_labels
from facecore.data.listing import read_listing
from facecore.data.samples import LARGEST, MOST_AT_ONCE, Sample, pack_samples, read_samples
from facecore.errors import DataError
from facecore.face.images import to_png


def text(data: bytes) -> str:
    return b64encode(data).decode()


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return encode(draw_photo("round", 1), quality=85)


def test_pictures_are_taken_in_their_order_and_others_are_counted(jpeg):
    other = encode(draw_photo("square", 1), quality=85)
    sent = [text(jpeg), "#", None, text(b"\xff\xd8 no picture"), text(other)]
    assert read_samples(sent) == ([jpeg, other], 3)


def test_what_is_wanted_no_more_is_refused(jpeg):
    assert read_samples([text(jpeg)] * 3, most=2) == ([jpeg] * 2, 1)
    assert read_samples([text(jpeg)], most=0) == ([], 1)


def test_other_formats_and_large_pictures_are_refused(jpeg):
    png = to_png(draw_photo("round", 1))
    wide = encode(draw_photo("round", 1, side=700), quality=30)
    long = jpeg + bytes(LARGEST.max_bytes)
    assert read_samples([text(png), text(wide), text(long)]) == ([], 3)


@pytest.mark.parametrize("sent", [None, {"0": "a"}, "abc", [""] * (MOST_AT_ONCE + 1)])
def test_what_is_no_short_list_is_an_error(sent):
    with pytest.raises(DataError, match=f"a list of at most {MOST_AT_ONCE} pictures"):
        read_samples(sent)


def samples(jpeg: bytes, *labels: str, holds: int = 2) -> list[Sample]:
    return [Sample(label, hold, jpeg) for label in labels for hold in range(holds)]


def test_a_pack_is_unpacked_with_its_holds_as_subjects_and_no_test_split(jpeg, tmp_path):
    packed = pack_samples(samples(jpeg, "calm, sad", "happy"))
    assert survey_labels(io.BytesIO(packed)).photos == 4
    assert unpack_labels(io.BytesIO(packed), tmp_path / "photos") == {"happy": 2, "calm, sad": 2}
    table = read_listing(tmp_path / "photos").photos
    assert set(table["split"]) == {"train"}
    assert table.groupby("label")["subject"].nunique().to_dict() == {"happy": 2, "calm, sad": 2}
    assert table["subject"].nunique() == 4


def test_a_pack_holds_the_bytes_that_were_sent(jpeg):
    with zipfile.ZipFile(io.BytesIO(pack_samples(samples(jpeg, "a", "b")))) as archive:
        table = pd.read_csv(archive.open("labels.csv"))
        assert [archive.read(path) for path in table["path"]] == [jpeg] * 4


@pytest.mark.parametrize(
    ("labels", "holds", "says"),
    [
        (["a"], 2, "samples of one label only"),
        (["a", "b"], 1, "label 'a' was held once"),
        (["a", "x/y"], 2, "'x/y' cannot be a label"),
        (["a", " "], 2, "' ' cannot be a label"),
        (["a", "no face"], 2, "'no face' cannot be a label"),
        (["a", "A"], 2, "differ only in capitals"),
        (["a", "b?"], 2, "cannot be a label"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(jpeg, labels, holds, says):
    with pytest.raises(DataError, match=says):
        pack_samples(samples(jpeg, *labels, holds=holds))
