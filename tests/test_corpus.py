"""The same file gets the same verdict at every door; those of the apps are tested with them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cartoons import LABELS, draw_face, encode
from conftest import environment
from corpus import HEIC, LARGE, SAMPLES, Sample

from facecore.data.crops import crop_folder, recipe_settings
from facecore.face.images import HEIC_READABLE
from facecore.model.predict import predict_many, predict_photo

ALL = [*SAMPLES, *([] if HEIC_READABLE else [HEIC])]


def name_of(sample: Sample) -> str:
    return f"{ALL.index(sample):03}.jpg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Every sample in a file of its own, all of one label, and a good photo of another."""
    root = tmp_path_factory.mktemp("corpus")
    for label in ("some", "others"):
        (root / label).mkdir()
    for sample in ALL:
        (root / "some" / name_of(sample)).write_bytes(sample.make())
    (root / "others" / "one.png").write_bytes(SAMPLES[-1].make())
    return root


def verdict(answer) -> tuple[int, str]:
    return len(answer.faces), answer.reason or ""


def test_at_least_ninety_kinds():
    assert len({sample.kind for sample in ALL}) == len(ALL) >= 90


@pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.kind)
def test_the_library_answers_or_tells_why_not(sample, tiny_model):
    answer = predict_photo(sample.make(), tiny_model)
    assert verdict(answer) == (sample.faces, sample.reason)
    assert sample.message in (answer.error or "")
    assert len(answer.notes) == bool(sample.note)
    assert sample.note in "".join(answer.notes)


def test_many_photos_at_once_are_answered_as_one(folder, tiny_model):
    sources = [(name_of(sample), folder / "some" / name_of(sample)) for sample in ALL]
    answers = predict_many(sources, tiny_model, jobs=2)
    for sample, answer in zip(ALL, answers, strict=True):
        assert verdict(answer) == (sample.faces, sample.reason), sample.kind
        assert len(answer.notes) == bool(sample.note), sample.kind


def test_the_command_line_answers_all_of_a_folder(folder, run, tiny_artifacts):
    done = run("predict", folder / "some", "--model", "tiny", "--json", models=tiny_artifacts)
    assert (done.returncode, done.stderr) == (1, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for sample, answer in zip(ALL, answers, strict=True):
        assert Path(answer["photo"]).name == name_of(sample)
        assert len(answer["faces"]) == sample.faces, sample.kind
        assert sample.message in (answer["error"] or ""), sample.kind
        assert bool(answer["error"]) == bool(sample.reason), sample.kind
        assert len(answer["notes"]) == bool(sample.note), sample.kind


def test_cropping_keeps_an_account_of_each(folder, tmp_path):
    table = crop_folder(folder, tmp_path / "out", recipe_settings("classic"))
    rows = table[table["label"].eq("some")].set_index("path")
    for sample in ALL:
        row = rows.loc[f"some/{name_of(sample)}"]
        if sample.reason:
            assert row["state"] == "unreadable", sample.kind
            assert sample.message in row["reason"]
        else:
            wanted = {"kept", "duplicate"} if sample.faces else {"no_face", "duplicate"}
            assert row["state"] in wanted, sample.kind
            if row["state"] == "kept":
                assert bool(row["reason"]) == bool(sample.note), sample.kind


# The peak that the kernel keeps for a program, not the one that it inherits from its parent.
MEASURE = """
import json, re, sys
from facecore import load_model
from facecore.model.predict import predict_photo
model = load_model("tiny")
peaks = []
for path in sys.argv[1:]:
    answer = predict_photo(path, model)
    peaks.append(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024)
print(json.dumps([answer.reason, answer.error, peaks[0], peaks[1] - peaks[0]]))
"""


def measure(artifacts: Path, small: Path, large: Path) -> list:
    """Reason and error of the answer to a large photo, and megabytes, idle and for the photo."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, small, large],
        env=environment(artifacts),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory as Linux tells it")
@pytest.mark.parametrize("models", ["tiny_artifacts", "aligned_artifacts"])
def test_nor_does_a_photo_of_many_people(models, folder, tmp_path, request):
    tile, face, columns, rows = 660, 100, 12, 8
    picture = np.full((rows * tile, columns * tile), 150, dtype=np.uint8)
    for i in range(rows * columns):
        top, left = i // columns * tile + 200, i % columns * tile + 200
        picture[top : top + face, left : left + face] = draw_face(LABELS[i % 2], i, side=face)
    large = tmp_path / "large"
    large.write_bytes(encode(picture, "JPEG", quality=90))
    small = folder / "others" / "one.png"
    reason, error, _, megabytes = measure(request.getfixturevalue(models), small, large)
    assert (reason, error) == (None, None)
    assert megabytes <= 300


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory as Linux tells it")
@pytest.mark.parametrize(
    "sample",
    [pytest.param(sample, marks=pytest.mark.slow, id=sample.kind) for sample in LARGE[1:]]
    + [pytest.param(LARGE[0], id=LARGE[0].kind)],
)
def test_no_photo_takes_more_than_300_mb(sample, folder, tiny_artifacts, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(sample.make())
    small = folder / "others" / "one.png"
    reason, error, idle, megabytes = measure(tiny_artifacts, small, large)
    assert (reason or "") == sample.reason
    assert sample.message in (error or "")
    assert idle < 150
    assert megabytes <= 300
