"""Data sets as people have them: each command ends in a result or in one clear line."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from cartoons import draw_photo, encode

from facecore.data.crops import read_table


def photo(path: Path, label: str = "round", person: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(draw_photo(label, person), "PNG"))


@pytest.fixture
def raw(tmp_path) -> Path:
    return tmp_path / "raw"


def error_of(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of error in which a command has to end."""
    lines = [line for line in done.stderr.splitlines() if line and "%|" not in line]
    assert done.returncode == 1, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture
def refused(run):
    """Run a command that has to end in one line of error; return the line."""
    return lambda *arguments: error_of(run(*arguments))


@pytest.fixture
def crop(run, raw, tmp_path):
    """Crop the data set; return the table. What fails must say in one line what it kept."""

    def call(words: str = "") -> pd.DataFrame:
        done = run("crop", raw, "--out", tmp_path / "out", "--recipe", "classic")
        assert done.returncode == bool(words), done.stderr
        assert words in done.stderr.splitlines()[-1]
        return read_table(tmp_path / "out")

    return call


@pytest.mark.parametrize("second", ["missing", "empty", "unreadable", "one"])
def test_training_names_the_label_that_it_lacks(second, raw, crop, refused, tmp_path):
    for i in range(4):
        photo(raw / "neutral" / f"{i}.png", person=i)
    if second != "missing":
        (raw / "smiling").mkdir()
    if second == "unreadable":
        (raw / "smiling" / "a.jpg").write_bytes(b"no photo")
    if second == "one":
        photo(raw / "smiling" / "a.png", "square")
    crop()
    line = refused("train", tmp_path / "out", "--name", "m", "--recipe", "classic", "--jobs", 1)
    if second in ("missing", "empty"):
        assert "at least two labels; found ['neutral']" in line
    else:
        assert "smiling" in line


def test_where_no_photo_can_be_read_the_account_says_why_and_training_ends(
    raw, crop, refused, tmp_path
):
    for label in ("neutral", "smiling"):
        (raw / label).mkdir(parents=True)
        for i in range(3):
            (raw / label / f"{i}.jpg").write_bytes(f"{label} {i}".encode())
    table = crop("error: no face was kept: 6 of 6 photos cannot be read; the column reason")
    assert table["state"].tolist() == ["unreadable"] * 6
    assert table["reason"].str.contains("not a photo").all()
    line = refused("train", tmp_path / "out", "--name", "m", "--recipe", "classic")
    assert re.search(r"no face to train on: out: (\d) of \1 photos cannot be read; ", line)


@pytest.mark.parametrize(
    "contents", [{}, {"neutral": []}, {"neutral_crop": ["a.png"]}, {".x": ["a.png"]}]
)
def test_a_folder_without_photos_is_told(contents, raw, refused, tmp_path):
    raw.mkdir()
    for folder, files in contents.items():
        (raw / folder).mkdir()
        for name in files:
            photo(raw / folder / name)
    for command in (["crop", raw, "--out", tmp_path / "out"], ["train", raw, "--name", "m"]):
        assert f"no photo in {raw}" in refused(*command)


NAMES = [
    "a b",
    "v1.2",
    "Neutral",
    "köpek",
    "猫",
    "кот",
    "all",
    "kept",
    "too_small",
    "-x",
    "#1",
]


def test_labels_of_any_name_are_cropped_sized_trained_and_evaluated(raw, crop, run, tmp_path):
    labels = [*NAMES, "nan", "1"]
    for number, label in enumerate(labels):
        for i in range(3):
            look = ("round", "square", "wide")[number % 3]
            photo(raw / label / f"{i}.png", look, 10 * number + i)
    table = crop()
    assert sorted(table["label"].unique()) == sorted(labels)
    assert table["state"].eq("kept").sum() > 2 * len(labels)
    done = run("sizes", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    grid = tmp_path / "grid.json"
    grid.write_text('{"n_components": [8], "C": [5.0], "gamma": [0.005]}')
    how = ["--name", "m", "--recipe", "classic", "--grid", grid, "--jobs", 1]
    done = run("train", tmp_path / "out", *how, models=tmp_path / "models")
    assert done.returncode == 0, done.stderr
    done = run("evaluate", raw, "--model", "m", models=tmp_path / "models")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("twins", [("Neutral", "neutral"), ("KÖPEK", "köpek"), ("Кот", "кот")])
def test_labels_that_would_be_one_folder_are_refused_by_every_command(
    twins, raw, run, refused, tmp_path, tiny_artifacts
):
    for label in (*twins, "smiling"):
        photo(raw / label / "a.png")
    words = f"{twins[0]!r} and {twins[1]!r} differ only in capitals"
    assert words in refused("crop", raw, "--out", tmp_path / "out")
    assert words in refused("train", raw, "--name", "m", "--recipe", "classic")
    assert words in error_of(run("evaluate", raw, "--model", "tiny", models=tiny_artifacts))
    assert words in refused("ladder", raw, "--quick", "--out", tmp_path / "ladder")
    assert not (tmp_path / "out" / "faces.csv").exists()


def test_a_label_that_tables_need_for_themselves_is_refused_by_name(raw, refused, tmp_path):
    photo(raw / "no face" / "a.png")
    assert "'no face' cannot be a label" in refused("crop", raw, "--out", tmp_path / "out")


def test_a_name_as_long_as_names_can_be_is_cropped(raw, crop, tmp_path):
    names = ["n" * 251 + ".png", "n" * 250 + "m.png", "é" * 125 + ".png"]
    for i, name in enumerate(names):
        photo(raw / "neutral" / name, person=i)
    table = crop()
    assert table["state"].tolist() == ["kept"] * 3
    assert table["crop"].nunique() == 3
    assert all((tmp_path / "out" / name).is_file() for name in table["crop"])


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_links_that_go_round_or_nowhere_are_rows_or_passed_over(raw, crop):
    for label, look in (("neutral", "round"), ("smiling", "square")):
        photo(raw / label / "a.png", look)
    (raw / "neutral" / "up").symlink_to("..")
    (raw / "round").symlink_to(raw)
    (raw / "smiling" / "nowhere.png").symlink_to("nothing.png")
    (raw / "smiling" / "itself.png").symlink_to("itself.png")
    table = crop().set_index("path")
    assert table.loc["neutral/a.png", "state"] == table.loc["smiling/a.png", "state"] == "kept"
    assert table.loc["smiling/nowhere.png", "state"] == "unreadable"
    assert table.loc["smiling/itself.png", "state"] == "unreadable"


def test_hidden_files_and_folders_are_passed_over(raw, crop):
    for name in ("neutral/a.png", "neutral/.hidden.png", ".trash/b.png", "neutral/.DS_Store"):
        photo(raw / name)
    assert crop()["path"].tolist() == ["neutral/a.png"]


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (b"path,label\nneutral/a.png,neutral\nneutral/gone.png,neutral\n", None),
        (b"path,label\nneutral/a.png,smiling\n", None),
        (b"path,label\nneutral/a.png,neutral\nneutral/a.png,smiling\n", None),
        (b"file,label\nneutral/a.png,neutral\n", None),
        (b"where,label\nneutral/a.png,neutral\n", "needs the columns path and label"),
        ("path,label\nneutral/é.png,neutral\n".encode("latin-1"), "no row of"),
        (b"path,label\n" + b"a,b,c,d\n" * 3, "cannot read the table"),
        (b"", "cannot read the table"),
    ],
)
def test_a_table_that_disagrees_with_the_folder_is_a_result_or_one_line(
    table, word, raw, run, refused, tmp_path
):
    photo(raw / "neutral" / "a.png")
    (raw / "labels.csv").write_bytes(table)
    command = ["crop", raw, "--out", tmp_path / "out", "--recipe", "classic"]
    if word:
        assert word in refused(*command)
    else:
        assert run(*command).returncode == 0
        rows = read_table(tmp_path / "out")  # the folder says which photos there are, and of whom
        assert rows[["path", "label"]].to_numpy().tolist() == [["neutral/a.png", "neutral"]]


def test_a_table_alone_names_its_missing_photos(raw, run, tmp_path):
    photo(raw / "a.png")
    (raw / "list.csv").write_text("path,label\na.png,neutral\nb.png,neutral\n")
    done = run("crop", raw / "list.csv", "--out", tmp_path / "out", "--recipe", "classic")
    assert done.returncode == 0, done.stderr
    rows = read_table(tmp_path / "out").set_index("path")
    assert rows.loc["b.png", "state"] == "unreadable"
    assert "cannot read b.png" in rows.loc["b.png", "reason"]


def test_an_output_folder_that_is_a_file_is_one_line(raw, refused, tmp_path):
    photo(raw / "neutral" / "a.png")
    (tmp_path / "out").write_text("mine")
    assert "cannot write to" in refused("crop", raw, "--out", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 80 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=80k", "tmpfs", str(folder)]
    if not mount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_full_disk_is_one_line_and_the_work_goes_on_where_there_is_room(
    small_disk, raw, refused, crop, run, tmp_path
):
    for i in range(12):
        photo(raw / ("neutral", "smiling")[i % 2] / f"{i}.png", ("round", "square")[i % 2], i)
    line = refused("crop", raw, "--out", small_disk / "out", "--recipe", "classic")
    assert "No space left" in line
    shutil.copytree(small_disk / "out", tmp_path / "out")
    assert crop()["state"].tolist() == ["kept"] * 12


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_full_disk_for_temporary_files_is_one_line_that_names_the_way_out(
    small_disk, crops_folder, run_apart, tmp_path, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(small_disk))
    how = ["--name", "m", "--recipe", "classic", "--jobs", 1]
    line = error_of(run_apart("train", crops_folder, *how))
    assert "TMPDIR=FOLDER" in line
    assert list(small_disk.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="another user's rights")
def test_what_may_not_be_read_or_written_is_one_line(raw, tmp_path):
    """As a user who is not root, to whom everything is allowed."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    photo(raw / "neutral" / "a.png")
    photo(raw / "smiling" / "b.png", "square")
    (raw / "smiling" / "b.png").chmod(0)
    (tmp_path / "locked").mkdir(mode=0o755)
    for folder in [tmp_path, *tmp_path.parents]:
        if not folder.stat().st_mode & 0o001:
            pytest.skip(f"others may not enter {folder}")
    code = (
        "import sys; from pathlib import Path; from facecore.errors import DataError\n"
        "from facecore.data.crops import crop_folder, recipe_settings\n"
        "try: print(crop_folder(Path(sys.argv[1]), Path(sys.argv[2]), recipe_settings('classic'))"
        "['state'].tolist())\n"
        "except DataError as error: print('error:', error)"
    )
    repo = Path(__file__).resolve().parents[2]
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for out, words in (
        ("open/out", "['kept', 'unreadable']"),
        ("locked/out", "error: cannot write"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, raw, tmp_path / out],
            user=65534,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={"PYTHONPATH": str(repo), "HOME": "/tmp"},
        )
        if "Permission denied" in done.stderr:
            pytest.skip("another user may not read this checkout")
        assert words in done.stdout, done.stderr


def test_thousands_of_small_files_are_accounted_for(raw, crop):
    half = int(os.environ.get("FACECORE_FILES", "2000")) // 2
    for label in ("neutral", "smiling"):
        (raw / label).mkdir(parents=True)
        for i in range(half):
            (raw / label / f"{i:06}.jpg").write_bytes(f"{label} {i}".encode())
    table = crop(f"no face was kept: {2 * half:,} of {2 * half:,} photos cannot be read")
    assert len(table) == 2 * half
    assert table["state"].eq("unreadable").all()
