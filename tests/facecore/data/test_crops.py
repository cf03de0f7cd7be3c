import errno
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cartoons import draw_face, draw_photo, encode, write_raw
from disks import break_call

from facecore.data.crops import (
    ALL,
    COLUMNS,
    STATES,
    check_finished,
    check_recipe,
    count_states,
    crop_folder,
    difference_hash,
    has_whole_photos,
    minimum_of,
    near_test,
    raw_root,
    read_table,
    recipe_settings,
    recipes_for,
)
from facecore.data.faces import gather
from facecore.errors import DataError
from facecore.face.detect import get_detector
from facecore.face.images import Limits, decode
from facecore.face.prepare import EYES_AND_MOUTH, LEAST, MOST, PLACES, cut
from facecore.face.recipes import RECIPES, Alignment, for_whole_photos

REPO = Path(__file__).resolve().parents[3]


def tree(folder: Path) -> dict[str, str]:
    """Return every file below a folder, hidden ones too, with its checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def dirty_folder(root: Path) -> Path:
    """A data set with every kind of photo that there is."""
    write_raw(root, persons=3, shots=2)
    table = pd.read_csv(root / "labels.csv", keep_default_na=False)
    table.loc[table["path"].eq("round/p00_0.jpg"), "split"] = "test"
    table.loc[table["path"].eq("round/p00_1.jpg"), "split"] = "train"
    table.to_csv(root / "labels.csv", index=False)
    one = root / "round"
    (one / "copy.jpg").write_bytes((one / "p01_0.jpg").read_bytes())
    (one / "torn.jpg").write_bytes((root / "square" / "p02_0.jpg").read_bytes())
    (one / "wall.png").write_bytes(encode(np.full((90, 120, 3), 140, dtype=np.uint8), "PNG"))
    (one / "tiny.png").write_bytes(encode(draw_photo("round", 9, side=80, face=40), "PNG"))
    (one / "text.jpg").write_text("not a photo")
    (one / "empty.jpg").write_bytes(b"")
    (one / "cut.jpg").write_bytes((one / "p02_0.jpg").read_bytes()[:2000])
    (one / "loop.jpg").symlink_to("loop.jpg")
    (one / ".hidden.jpg").write_bytes((one / "p01_0.jpg").read_bytes())
    return root


@pytest.fixture(scope="module")
def dirty(tmp_path_factory) -> Path:
    return dirty_folder(tmp_path_factory.mktemp("dirty") / "raw")


@pytest.fixture(scope="module")
def dirty_crops(tmp_path_factory, dirty) -> Path:
    out = tmp_path_factory.mktemp("dirty-crops") / "out"
    crop_folder(dirty, out, recipe_settings("classic"))
    return out


@pytest.fixture
def own_raw(tmp_path) -> Path:
    """A small data set that the test may change."""
    return write_raw(tmp_path / "raw", persons=3, shots=1)


def test_every_photo_has_a_row_that_says_what_became_of_it(dirty, dirty_crops):
    table = read_table(dirty_crops)
    assert tuple(table.columns) == COLUMNS
    raw = {f"{p.parent.name}/{p.name}" for p in dirty.glob("*/[!.]*")}
    assert set(table["path"]) == raw
    assert table["path"].is_monotonic_increasing
    states = table.set_index("path")["state"].to_dict()
    assert {path: state for path, state in states.items() if state != "kept"} == {
        "round/cut.jpg": "unreadable",
        "round/empty.jpg": "unreadable",
        "round/loop.jpg": "unreadable",
        "round/p01_0.jpg": "duplicate",
        "round/text.jpg": "unreadable",
        "round/tiny.png": "too_small",
        "round/torn.jpg": "duplicate",
        "round/wall.png": "no_face",
        "square/p02_0.jpg": "duplicate",
    }


def test_the_states_sum_to_the_number_of_files(dirty, dirty_crops):
    counts = count_states(read_table(dirty_crops))
    assert counts.index.tolist() == [*STATES, ALL]
    assert counts.columns.tolist() == ["round", "square", ALL]
    assert counts.loc[ALL, ALL] == len(list(dirty.glob("*/[!.]*")))
    assert (counts.loc[list(STATES)].sum() == counts.loc[ALL]).all()
    assert counts.loc["unreadable", "round"] == 4


def test_the_same_bytes_under_one_label_are_kept_once(dirty_crops):
    table = read_table(dirty_crops).set_index("path")
    assert table.loc["round/copy.jpg", "state"] == "kept"
    assert table.loc["round/p01_0.jpg", "reason"] == "same bytes as another photo of the label"


def test_the_same_bytes_under_two_labels_are_both_dropped(dirty_crops):
    table = read_table(dirty_crops).set_index("path")
    assert set(table.loc[["round/torn.jpg", "square/p02_0.jpg"], "reason"]) == {
        "same bytes under two labels"
    }


def test_unreadable_photos_say_why_without_paths(dirty, dirty_crops):
    table = read_table(dirty_crops).set_index("path")
    assert "cut off" in table.loc["round/cut.jpg", "reason"]
    assert "not a photo" in table.loc["round/text.jpg", "reason"]
    assert "0 bytes" in table.loc["round/empty.jpg", "reason"]
    assert not table["reason"].str.contains(str(dirty), regex=False).any()


def test_the_crop_of_a_kept_photo_is_its_largest_face_at_native_size(dirty, dirty_crops):
    kept = read_table(dirty_crops).query("state == 'kept'")
    assert len(kept) == 11
    for row in kept.itertuples():
        crop = decode(dirty_crops / row.crop).pixels
        assert crop.shape[1] == pytest.approx(row.w, abs=1)
        raw = decode(dirty / row.path).pixels
        assert (crop == cut(raw, (row.x, row.y, row.w, row.h))).mean() > 0.99
        assert (row.photo_width, row.photo_height) == raw.shape[1::-1]


def test_there_are_crops_of_kept_photos_only_and_no_litter(dirty_crops):
    files = set(tree(dirty_crops))
    kept = set(read_table(dirty_crops).query("state == 'kept'")["crop"])
    assert files == kept | {"faces.csv", "crop.json"}


def test_what_the_label_table_knows_travels_along(dirty_crops):
    row = read_table(dirty_crops).set_index("path").loc["round/p00_0.jpg"]
    assert row[["split", "subject", "age", "race"]].tolist() == ["test", "s-round-0", "15", "r0"]


def test_the_table_that_is_returned_is_the_one_that_is_written(own_raw, tmp_path):
    table = crop_folder(own_raw, tmp_path / "out")
    pd.testing.assert_frame_equal(table, read_table(tmp_path / "out"))


def test_the_result_does_not_depend_on_the_number_of_workers(dirty, dirty_crops, tmp_path):
    crop_folder(dirty, tmp_path / "out", recipe_settings("classic"), jobs=2)
    assert tree(tmp_path / "out") == tree(dirty_crops)


def test_a_run_with_nothing_to_do_detects_no_face_again(own_raw, tmp_path, monkeypatch):
    out = tmp_path / "out"
    crop_folder(own_raw, out)
    before, times = tree(out), {p: p.stat().st_mtime_ns for p in out.glob("*/*")}

    def explode(spec):
        raise AssertionError("a face was searched again")

    monkeypatch.setattr("facecore.data.crops.get_detector", explode)
    crop_folder(own_raw, out)
    assert tree(out) == before
    assert {p: p.stat().st_mtime_ns for p in out.glob("*/*")} == times


@pytest.mark.parametrize("sizes", [(54, 90), (95, 54)])
def test_another_minimum_size_gives_what_a_fresh_run_gives(dirty, tmp_path, sizes):
    first, last = (recipe_settings("classic", size) for size in sizes)
    crop_folder(dirty, tmp_path / "twice", first)
    crop_folder(dirty, tmp_path / "twice", last)
    crop_folder(dirty, tmp_path / "once", last)
    assert tree(tmp_path / "twice") == tree(tmp_path / "once")


def test_changes_of_the_photos_between_runs_give_what_a_fresh_run_gives(own_raw, tmp_path):
    (own_raw / "round" / "broken.jpg").write_text("broken")
    crop_folder(own_raw, tmp_path / "again")
    (own_raw / "round" / "broken.jpg").unlink()
    (own_raw / "round" / "p00_0.jpg").unlink()
    (own_raw / "round" / "new.jpg").write_bytes(encode(draw_photo("round", 7)))
    (own_raw / "round" / "p01_0.jpg").write_bytes(encode(draw_photo("round", 8)))
    (own_raw / "square" / "p01_0.jpg").write_text("broken now")
    crop_folder(own_raw, tmp_path / "again")
    crop_folder(own_raw, tmp_path / "fresh")
    assert tree(tmp_path / "again") == tree(tmp_path / "fresh")


def test_a_photo_that_is_mended_between_runs_is_read_again(own_raw, tmp_path):
    photo = own_raw / "round" / "p00_0.jpg"
    whole = photo.read_bytes()
    photo.write_bytes(whole[:1000])
    crop_folder(own_raw, tmp_path / "again")
    photo.write_bytes(whole)
    crop_folder(own_raw, tmp_path / "again")
    crop_folder(own_raw, tmp_path / "fresh")
    assert tree(tmp_path / "again") == tree(tmp_path / "fresh")


def test_a_label_that_goes_away_takes_its_crops_along(own_raw, tmp_path):
    crop_folder(own_raw, tmp_path / "again")
    shutil.rmtree(own_raw / "square")
    crop_folder(own_raw, tmp_path / "again")
    assert not (tmp_path / "again" / "square_crop").exists()
    assert set(read_table(tmp_path / "again")["label"]) == {"round"}


def test_a_crop_that_was_deleted_comes_back(own_raw, tmp_path):
    crop_folder(own_raw, tmp_path / "out")
    before = tree(tmp_path / "out")
    next((tmp_path / "out" / "round_crop").glob("*.png")).unlink()
    crop_folder(own_raw, tmp_path / "out")
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("file", ["faces.csv", "crop.json"])
def test_a_damaged_account_is_made_anew(own_raw, tmp_path, file):
    crop_folder(own_raw, tmp_path / "out")
    before = tree(tmp_path / "out")
    (tmp_path / "out" / file).write_text('{"half')
    crop_folder(own_raw, tmp_path / "out")
    assert tree(tmp_path / "out") == before


def test_pictures_that_crop_did_not_make_are_never_removed(own_raw, tmp_path):
    mine = tmp_path / "out" / "round_crop" / "mine.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"precious")
    with pytest.raises(DataError, match="did not make"):
        crop_folder(own_raw, tmp_path / "out")
    assert mine.read_bytes() == b"precious"


def test_crops_may_lie_beside_the_raw_photos(own_raw):
    for _ in range(2):
        table = crop_folder(own_raw, own_raw)
        assert len(table) == 6
        assert (table["state"] == "kept").all()


@pytest.mark.parametrize("moment", range(3))
def test_a_run_that_is_killed_loses_nothing(moment, dirty, dirty_crops, tmp_path, start):
    chance = random.Random(moment)
    out = tmp_path / "out"
    process = start("crop", dirty, "--out", out, "--recipe", "classic", "--jobs", 1 + moment % 2)
    crops, deadline = chance.randint(1, 8), time.monotonic() + 60
    while len(list(out.glob("*_crop/*.png"))) < crops and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.03))
    process.kill()
    process.wait()
    crop_folder(dirty, out, recipe_settings("classic"))
    assert tree(out) == tree(dirty_crops)


@pytest.fixture(params=[None, errno.ENOLCK, errno.EOPNOTSUPP])
def busy_crops(request, tmp_path, crops_folder, monkeypatch) -> Path:
    """A copy of a folder of crops into which another process crops; with and without locks."""
    if request.param is not None:
        break_call(monkeypatch, tmp_path / "start", "fcntl.flock", request.param)
    out = tmp_path / "out"
    shutil.copytree(crops_folder, out)
    code = (
        "import sys; from pathlib import Path; from facecore.system.holds import hold; "
        "file = hold(Path(sys.argv[1]), make=True); print('held', flush=True); sys.stdin.read()"
    )
    paths = filter(None, [os.environ.get("PYTHONPATH"), str(REPO)])
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out / ".crop.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    ) as process:
        assert process.stdout.readline().strip() == b"held"
        yield out
        process.kill()


def test_a_folder_into_which_another_process_crops_is_left_alone(busy_crops, raw_folder):
    before = tree(busy_crops)
    with pytest.raises(DataError, match=r"another process crops into .*out; wait until it ends"):
        crop_folder(raw_folder, busy_crops, recipe_settings("aligned"))
    with pytest.raises(DataError, match=r"another process crops into .*out; wait until it ends"):
        check_finished(busy_crops)
    assert tree(busy_crops) == before


def test_of_crops_that_begin_at_once_each_is_whole_or_says_why_not(run_apart_all, dirty, tmp_path):
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    ended = run_apart_all(3, "crop", dirty, "--out", out, "--recipe", "classic", "--jobs", 1)
    assert 0 in [code for code, _ in ended]
    for code, told in ended:
        assert code == 0 or told.splitlines()[-1].startswith(
            f"error: another process crops into {out}; wait"
        )
    crop_folder(dirty, fresh, recipe_settings("classic"))
    assert tree(out) == tree(fresh)


@pytest.fixture
def run_apart_all():
    """Run the same command several times at once; return exit codes and standard errors."""

    def call(times: int, *command) -> list[tuple[int, str]]:
        begun = [
            subprocess.Popen(
                [sys.executable, "-m", "facecore", *map(str, command)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                cwd=REPO,
            )
            for _ in range(times)
        ]
        told = [process.communicate()[1] for process in begun]
        return [(p.returncode, text) for p, text in zip(begun, told, strict=True)]

    return call


@pytest.mark.parametrize("left", ["journal", "settings"])
def test_crops_that_were_stopped_are_not_complete_until_crop_has_run_again(
    left, raw_folder, crops_folder, tmp_path
):
    out = tmp_path / "out"
    shutil.copytree(crops_folder, out)
    check_finished(out)
    if left == "journal":
        (out / ".faces.jsonl").write_text("\n")
    else:
        (out / "faces.csv").unlink()
    for refuse in (check_finished, lambda folder: gather([folder], RECIPES["classic"])):
        with pytest.raises(DataError, match=r"not complete, since crop was stopped.*--out"):
            refuse(out)
    crop_folder(raw_folder, out, recipe_settings("classic"))
    check_finished(out)
    assert len(gather([out], RECIPES["classic"])) == 32


def test_raw_photos_are_not_taken_for_crops_that_were_stopped(raw_folder, tmp_path):
    check_finished(raw_folder)
    check_finished(tmp_path / "none")
    (tmp_path / "crop.json").write_text('{"source": "mine"}')
    check_finished(tmp_path)


def test_litter_of_a_killed_run_is_cleared_away(dirty, dirty_crops, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(dirty_crops, out)
    (out / "faces.csv").unlink()
    for name in (".tmp-abc", "round_crop/.tmp-p00_0.png", "round_crop/orphan.png"):
        (out / name).write_bytes(b"half")
    (out / ".faces.jsonl").write_text('\n{"path": "round/p00_0.jpg", "problem": ""\n[]\n3\nnull\n')
    crop_folder(dirty, out, recipe_settings("classic"))
    assert tree(out) == tree(dirty_crops)


def test_what_the_journal_of_a_killed_run_knows_is_not_done_again(own_raw, tmp_path, monkeypatch):
    out = tmp_path / "out"
    table = crop_folder(own_raw, out)
    before = tree(out)
    rows = table.drop(columns=["label", "state"]).to_dict("records")
    lines = [json.dumps({**row, "problem": ""}) for row in rows]
    (out / ".faces.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (out / "faces.csv").unlink()
    monkeypatch.setattr("facecore.data.crops.get_detector", None)
    crop_folder(own_raw, out)
    assert tree(out) == before


def test_labels_and_names_of_any_kind_are_kept_apart(tmp_path):
    names = [
        "x y/A.jpg",
        "x y/a.png",
        "x y/v1.2.jpg",
        "été.女/ü.jpg",
        "été.女/a.jpg",
        "été.女/A.JPG",
    ]
    for i, name in enumerate(names):
        path = tmp_path / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = "PNG" if name.endswith("png") else "JPEG"
        path.write_bytes(encode(draw_photo("round", i), kind))
    table = crop_folder(tmp_path / "raw", tmp_path / "out")
    assert table["state"].tolist() == ["kept"] * 6
    assert table["crop"].str.casefold().nunique() == 6
    assert all((tmp_path / "out" / crop).is_file() for crop in table["crop"])
    assert read_table(tmp_path / "out")["label"].tolist() == table["label"].tolist()


def test_a_table_of_labels_is_a_data_set_too(raw_folder, tmp_path):
    table = crop_folder(raw_folder / "labels.csv", tmp_path / "out")
    assert len(table) == 32
    assert raw_root(tmp_path / "out") == raw_folder


def test_a_photo_that_lacks_its_end_is_kept_counted_and_remembered(own_raw, tmp_path, capsys):
    for name in ("round/p00_0.jpg", "square/p01_0.jpg"):
        (own_raw / name).write_bytes((own_raw / name).read_bytes()[:-2])
    settings = recipe_settings("classic")
    first = crop_folder(own_raw, tmp_path / "out", settings, progress=True)
    told = f"2 of {len(first)} photos were used, although the end of the file is missing"
    assert told in capsys.readouterr().err
    noted = first[first["reason"].ne("")]
    assert noted["path"].tolist() == ["round/p00_0.jpg", "square/p01_0.jpg"]
    assert noted["state"].eq("kept").all()
    again = crop_folder(own_raw, tmp_path / "out", settings)
    pd.testing.assert_frame_equal(first, again)


def test_one_label_alone_can_be_cropped(tmp_path):
    write_raw(tmp_path / "raw", labels=("round",), persons=2, shots=1, table=False)
    table = crop_folder(tmp_path / "raw", tmp_path / "out")
    assert table["state"].tolist() == ["kept", "kept"]


def test_an_empty_folder_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(DataError, match="no photo"):
        crop_folder(tmp_path / "raw", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_an_error(own_raw, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(DataError, match="cannot write"):
        crop_folder(own_raw, tmp_path / "out")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_an_output_without_permission_is_an_error(own_raw, tmp_path):
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(DataError, match="cannot write"):
        crop_folder(own_raw, tmp_path / "out")


@pytest.mark.parametrize("text", ["", "path,label\n", "path,state\nx,fine\n", "\0"])
def test_a_table_that_crop_did_not_write_is_an_error(tmp_path, text):
    (tmp_path / "faces.csv").write_text(text)
    with pytest.raises(DataError):
        read_table(tmp_path)


def test_a_folder_without_crops_names_the_command_that_makes_them(tmp_path):
    with pytest.raises(DataError, match="facecore crop RAW --out"):
        read_table(tmp_path)


def test_raw_photos_that_went_away_have_no_root(own_raw, tmp_path):
    crop_folder(own_raw, tmp_path / "out")
    assert raw_root(tmp_path / "out") == own_raw
    own_raw.rename(tmp_path / "elsewhere")
    assert raw_root(tmp_path / "out") is None
    assert raw_root(tmp_path) is None


def split_table(raw: Path, splits: dict[str, str]) -> None:
    rows = [(path, path.split("/")[0], split) for path, split in splits.items()]
    pd.DataFrame(rows, columns=["path", "label", "split"]).to_csv(raw / "labels.csv", index=False)


@pytest.fixture
def twins(tmp_path) -> Path:
    """Photos of which some nearly equal or equal others; the train copies sort first."""
    folder = tmp_path / "raw" / "round"
    folder.mkdir(parents=True)
    photo, other = draw_photo("round", 1), draw_photo("round", 2)
    for name, pixels, quality in (
        ("a-train.jpg", photo, 60),
        ("b-test.jpg", photo, 95),
        ("c-train.jpg", other, 95),
        ("d-test.jpg", other, 95),
        ("e-train.jpg", draw_photo("round", 4), 95),
    ):
        (folder / name).write_bytes(encode(pixels, quality=quality))
    split_table(
        tmp_path / "raw",
        {f"round/{p.name}": p.stem[2:] for p in folder.iterdir()},
    )
    return tmp_path / "raw"


def test_of_near_duplicates_in_train_and_test_the_train_copy_is_dropped(twins, tmp_path):
    table = crop_folder(twins, tmp_path / "out").set_index("path")
    assert table["state"].to_dict() == {
        "round/a-train.jpg": "duplicate",
        "round/b-test.jpg": "kept",
        "round/c-train.jpg": "duplicate",
        "round/d-test.jpg": "kept",
        "round/e-train.jpg": "kept",
    }
    assert set(table.loc[table["state"].eq("duplicate"), "reason"]) == {
        "nearly equals a photo of the test split"
    }


def test_near_duplicates_within_a_split_stay(twins, tmp_path):
    split_table(twins, dict.fromkeys(["round/a-train.jpg", "round/b-test.jpg"], "train"))
    table = crop_folder(twins, tmp_path / "out").set_index("path")
    assert table.loc[["round/a-train.jpg", "round/b-test.jpg"], "state"].tolist() == ["kept"] * 2


def test_a_saved_or_scaled_copy_has_nearly_the_same_hash_and_another_photo_has_not():
    def bits(a: str, b: str) -> int:
        return (int(a, 16) ^ int(b, 16)).bit_count()

    photo = draw_photo("round", 1, side=200)
    saved = decode(encode(photo, quality=70)).pixels
    half = decode(encode(photo[::2, ::2], "PNG")).pixels
    first = difference_hash(photo)
    assert len(first) == 64
    assert bits(first, difference_hash(saved)) <= 40
    assert bits(first, difference_hash(half)) <= 40
    assert bits(first, difference_hash(draw_photo("square", 5))) > 60


def test_near_duplicates_are_counted_by_bits():
    zero, ten, eleven = (f"{2**n - 1:064x}" for n in (0, 10, 11))
    table = pd.DataFrame(
        {
            "split": ["test", "train", "train", "train", "", "train"],
            "hash": [zero, zero, ten, eleven, zero, ""],
        }
    )
    assert near_test(table).tolist() == [False, True, True, False, False, False]


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (40, 3)])
def test_the_smallest_photos_have_a_hash(shape):
    assert len(difference_hash(draw_face("round", 0)[: shape[0], : shape[1]])) == 64


def test_aligned_crops_are_squares_with_eyes_and_mouth_at_their_places(aligned_crops):
    recipe = RECIPES["aligned"]
    table = read_table(aligned_crops)
    assert (table["state"] == "kept").all()
    assert table["score"].between(0.9, 1).all()
    for crop in table["crop"][::3]:
        pixels = decode(aligned_crops / crop).pixels
        assert LEAST <= len(pixels) == pixels.shape[1] <= MOST
        (face,) = get_detector(recipe.detector)(pixels)
        points = np.array(face.landmarks)[EYES_AND_MOUTH]
        unit = len(pixels) / recipe.alignment.width
        assert (points - len(pixels) / 2) / unit == pytest.approx(PLACES, abs=0.2)


def test_a_folder_of_crops_knows_how_they_were_cut(crops_folder, aligned_crops, tmp_path):
    classic, aligned = RECIPES["classic"], RECIPES["aligned"]
    for folder, good, bad in (
        (crops_folder, classic, aligned),
        (aligned_crops, aligned, classic),
        (tmp_path, classic, aligned),  # crops without their paper are boxes
        (aligned_crops, aligned, replace(aligned, alignment=Alignment(4.0))),
    ):
        check_recipe(folder, good)
        with pytest.raises(DataError, match=f"--recipe {bad.name}"):
            check_recipe(folder, bad)


def test_cropping_by_another_recipe_gives_what_a_fresh_run_gives(own_raw, tmp_path):
    for recipe in ("classic", "aligned"):
        crop_folder(own_raw, tmp_path / "twice", recipe_settings(recipe))
    crop_folder(own_raw, tmp_path / "once", recipe_settings("aligned"))
    assert tree(tmp_path / "twice") == tree(tmp_path / "once")


@pytest.fixture(scope="module")
def whole_crops(small_crops, tmp_path_factory) -> Path:
    """The photos of `small_crops` as faces; not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    crop_folder(small_crops, folder, recipe_settings(whole_photo=True))
    return folder


def test_a_photo_that_is_the_face_already_is_kept_as_it_is_whatever_its_size(
    whole_crops, small_crops
):
    table = read_table(whole_crops)
    assert table["state"].eq("kept").all()
    assert table[["x", "y", "w", "h"]].drop_duplicates().to_numpy().tolist() == [[0, 0, 48, 48]]
    assert table["score"].isna().all()  # nobody looked for these faces
    row = table.iloc[3]
    crop, raw = (decode(file).pixels for file in (whole_crops / row.crop, small_crops / row.path))
    assert (crop == raw).all()


def test_a_folder_of_whole_photos_knows_it_and_fits_every_recipe_for_them(
    whole_crops, crops_folder, tmp_path
):
    assert has_whole_photos(whole_crops)
    assert not has_whole_photos(crops_folder)
    assert not has_whole_photos(tmp_path)
    assert recipes_for(whole_crops) == list(RECIPES)
    for recipe in RECIPES.values():
        check_recipe(whole_crops, for_whole_photos(recipe))
        with pytest.raises(DataError, match=r"are whole photos.*add --whole-photo"):
            check_recipe(whole_crops, recipe)
        with pytest.raises(DataError, match=f"--recipe {recipe.name} --whole-photo"):
            check_recipe(crops_folder, for_whole_photos(recipe))


def test_a_folder_knows_its_minimum_and_another_one_alone_finds_no_face_anew(
    own_raw, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    crop_folder(own_raw, out, recipe_settings("classic", 90))
    assert minimum_of(out) == 90
    assert minimum_of(tmp_path) is None
    monkeypatch.setattr(
        "facecore.data.crops.difference_hash", lambda pixels: pytest.fail("read again")
    )
    crop_folder(own_raw, out, recipe_settings("classic", 96))
    assert minimum_of(out) == 96
    assert read_table(out).query("state == 'kept'")["w"].min() >= 96


@pytest.mark.parametrize("minimum", [0, -3, 54.0, True, "54"])
def test_a_minimum_that_is_no_number_of_pixels_is_refused(minimum):
    with pytest.raises(DataError, match=r"min_size .* at least 1"):
        recipe_settings("classic", minimum)


def test_settings_of_an_unknown_recipe_name_those_there_are():
    with pytest.raises(DataError, match="there are: classic, aligned"):
        recipe_settings("cake")


def test_of_a_huge_photo_the_box_is_in_pixels_of_all_of_it(tmp_path):
    write_raw(tmp_path / "raw", persons=2, shots=1)
    settings = recipe_settings("classic")
    whole = crop_folder(tmp_path / "raw", tmp_path / "whole", settings)
    pixels = int(whole["photo_width"].iloc[0] * whole["photo_height"].iloc[0])
    less = replace(settings, limits=Limits(max_pixels=pixels // 2))
    half = crop_folder(tmp_path / "raw", tmp_path / "half", less)
    assert half["photo_width"].equals(whole["photo_width"])
    assert half["state"].eq("kept").all()
    apart = (half[["x", "y", "w", "h"]] - whole[["x", "y", "w", "h"]]).abs()
    # at half the size the cascade stops at another step; without the scale it were half the width
    assert (apart.to_numpy() < 0.35 * whole["w"].to_numpy()[:, None]).all()
    crop = decode(tmp_path / "half" / half["crop"].iloc[0])
    assert crop.width == pytest.approx(half["w"].iloc[0] / 2, abs=1)


@pytest.mark.parametrize("recipe", ["classic", "aligned"])
def test_the_main_face_is_cropped_and_crops_of_another_rule_are_made_again(tmp_path, recipe):
    photo = np.full((240, 400, 3), 150, dtype=np.uint8)
    for left, top, side in ((0, 0, 120), (150, 70, 110)):
        photo[top : top + side, left : left + side] = draw_face("round", 3, side=side)[:, :, None]
    raw, out = tmp_path / "raw", tmp_path / "crops"
    (raw / "round").mkdir(parents=True)
    (raw / "round" / "two.png").write_bytes(encode(photo, "PNG"))
    (face,) = crop_folder(raw, out, recipe_settings(recipe)).to_dict("records")
    assert face["x"] + face["w"] / 2 == pytest.approx(150 + 110 / 2, abs=15)

    table = read_table(out)
    table["x"] = 0.0  # as if another face had been cropped
    table.to_csv(out / "faces.csv", index=False)
    settings = json.loads((out / "crop.json").read_text())
    (out / "crop.json").write_text(json.dumps({k: settings[k] for k in settings if k != "face"}))
    (again,) = crop_folder(raw, out, recipe_settings(recipe)).to_dict("records")
    assert again == face
