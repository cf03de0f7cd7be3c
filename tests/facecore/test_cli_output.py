"""What the command line prints: a line per photo, in any encoding, and true words when stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cartoons import draw_photo, encode

REPO = Path(__file__).resolve().parents[2]
ODD = ["new\nline.png", "tab\t.png", "\x1b[31mred.png", "exe\u202egnp.png", "Zoë 子.png"]
SHOWN = [r"new\nline.png", r"tab\t.png", r"\x1b[31mred.png", r"exe\u202egnp.png", "Zoë 子.png"]
# By command: what it calls first, its arguments, and what is true after it was stopped.
STOPPED = {
    "crop": ("facecore.data.crops.crop_folder", ["RAW", "--out", "x"], "goes on where it was"),
    "train": ("facecore.training.pipeline.train", ["RAW", "--name", "x"], "only when it is whole"),
    "evaluate": ("facecore.data.listing.read_listing", ["RAW"], "no figures were written"),
    "predict": ("facecore.model.predict.predict_many", ["RAW"], "the answers so far are whole"),
    "synth": ("facecore.model.synth.write_photos", ["--out", "x"], "writes all photos again"),
    "ladder": ("facecore.training.ladder.climb", ["RAW"], "no table was written"),
    "sizes": ("facecore.data.crops.read_table", ["RAW"], "the same command begins again"),
    "models": ("facecore.model.store.list_models", [], "the same command begins again"),
}
needs_odd_names = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows forbids such characters in names"
)


@pytest.fixture
def photos(tmp_path) -> Path:
    (tmp_path / "photos").mkdir()
    for i, name in enumerate(ODD if sys.platform != "win32" else ODD[-1:]):
        (tmp_path / "photos" / name).write_bytes(encode(draw_photo("round", i), "PNG"))
    return tmp_path / "photos"


@needs_odd_names
def test_each_photo_has_a_line_on_which_nothing_is_hidden(run, photos, tiny_artifacts):
    (photos / "bad\n.png").write_bytes(b"x")
    done = run("predict", photos, "gone\r.png", models=tiny_artifacts)
    lines = done.stdout.splitlines()
    assert done.stdout.isprintable() or set(done.stdout) - {"\n"} == set("".join(lines))
    assert all(line.isprintable() for line in lines)
    names = [line.split(": ")[0].removeprefix(f"{photos}{os.sep}") for line in lines]
    assert sorted(names) == sorted([*SHOWN, r"bad\n.png", r"gone\r.png"])


@needs_odd_names
def test_json_has_the_true_names_one_object_per_line(run, photos, tiny_artifacts):
    done = run("predict", photos, "--json", models=tiny_artifacts)
    found = [Path(json.loads(line)["photo"]).name for line in done.stdout.split("\n")[:-1]]
    assert sorted(found) == sorted(ODD)


@needs_odd_names
def test_an_error_is_one_line(run, tmp_path, tiny_artifacts):
    done = run("evaluate", tmp_path / "no\n\x1b[2J\u202esuch", models=tiny_artifacts)
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert line.isprintable()
    assert r"no\n\x1b[2J\u202esuch" in line


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "latin-1"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_output_that_cannot_encode_a_name(photos, tiny_artifacts, encoding, options):
    done = subprocess.run(
        [sys.executable, "-m", "facecore", "predict", *options, "Zoë 子.png", "gone 子.png"],
        cwd=photos,
        env=os.environ
        | {
            "PYTHONIOENCODING": encoding,
            "PYTHONPATH": str(REPO),
            "FACECORE_ARTIFACTS": str(tiny_artifacts),
        },
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    lines = done.stdout.decode(encoding).splitlines()
    assert len(lines) == 2
    if options:
        assert [json.loads(line)["photo"] for line in lines] == ["Zoë 子.png", "gone 子.png"]


@pytest.mark.parametrize("pattern", ["photos/*.png", "photos/Z*", "phot*", "*/*子.png"])
def test_patterns_that_no_shell_expanded(run, photos, tiny_artifacts, pattern):
    done = run("predict", pattern, models=tiny_artifacts)
    assert done.returncode == 0
    assert f"photos{os.sep}Zoë 子.png: " in done.stdout


def test_a_pattern_without_a_match_is_an_error_of_its_own(run, photos, tiny_artifacts):
    done = run("predict", "photos/Z*", "*.gif", models=tiny_artifacts)
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert "error" not in first
    assert second.startswith("*.gif: error: ")


def test_one_folder_by_a_pattern(run, raw_folder, tmp_path):
    pattern = raw_folder.parent / f"{raw_folder.name[:3]}*"
    how = ("--recipe", "classic", "--jobs", 1)
    assert run("crop", pattern, "--out", tmp_path / "out", *how).returncode == 0
    (tmp_path / "a1").mkdir()
    (tmp_path / "a2").mkdir()
    done = run("crop", tmp_path / "a?", "--out", tmp_path / "out")
    assert (done.returncode, done.stderr.startswith("error: 2 files match")) == (1, True)


def test_a_tilde_is_the_home_folder_in_every_option(
    run, raw_folder, tiny_grid, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    (home / "raw").symlink_to(raw_folder)
    (home / "grid.json").write_bytes(tiny_grid.read_bytes())
    how = ("--recipe", "classic", "--jobs", 1)
    crop = run("crop", "~/raw", "--out=~/crops", "--progress=~/crop.json", *how)
    assert (crop.returncode, (home / "crop.json").is_file()) == (0, True)
    assert run("sizes", "~/crops").returncode == 0
    models = tmp_path / "models"
    train = run("train", "~/crops", "--name", "m", "--grid=~/grid.json", *how, models=models)
    assert train.returncode == 0, train.stderr
    photo = next(path.relative_to(raw_folder) for path in raw_folder.rglob("*.jpg"))
    assert run("predict", f"~/raw/{photo}", models=models).returncode == 0
    measured = run("evaluate", "~/raw", "--json=~/figures.json", "--jobs", 1, models=models)
    assert (measured.returncode, (home / "figures.json").is_file()) == (0, True)
    assert not list(tmp_path.glob("~*"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", STOPPED)
def test_a_command_that_is_stopped_says_what_is_true(
    run, raw_folder, tiny_artifacts, monkeypatch, command, number, code
):
    called, arguments, words = STOPPED[command]
    monkeypatch.setattr(called, lambda *_, **__: signal.raise_signal(number))
    arguments = [str(raw_folder) if word == "RAW" else word for word in arguments]
    if number == signal.SIGINT:  # ignored where the tests themselves run in the background
        signal.signal(number, signal.default_int_handler)
    before = signal.getsignal(number)
    done = run(command, *arguments, models=tiny_artifacts)
    assert (done.returncode, done.stdout) == (code, "")
    line = done.stderr.splitlines()[-1]
    assert line.startswith("stopped; ")
    assert words in line
    assert ("where it was" in line) == (command == "crop")
    assert signal.getsignal(number) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_process_that_is_stopped_ends_in_one_line(photos, tiny_artifacts, number, code):
    names = [str(photos / ODD[-1])] * 400
    process = subprocess.Popen(
        [sys.executable, "-m", "facecore", "predict", "--jobs", "1", "--json", *names],
        env=os.environ | {"PYTHONPATH": str(REPO), "FACECORE_ARTIFACTS": str(tiny_artifacts)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    with process:
        first = process.stdout.readline()  # it is at work
        process.send_signal(number)
        rest, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert told.splitlines() == [
        "stopped; the answers so far are whole; the same command begins again"
    ]
    assert all(json.loads(line) for line in [first, *rest.splitlines()])


def test_progress_in_a_log_file_is_a_few_lines(raw_folder, tmp_path):
    log = tmp_path / "log.txt"
    with open(log, "wb") as file:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "facecore",
                "crop",
                raw_folder,
                "--out",
                tmp_path / "out",
                "--recipe",
                "classic",
                "--jobs",
                "1",
            ],
            env=os.environ | {"PYTHONPATH": str(REPO)},
            stdout=file,
            stderr=file,
            timeout=300,
            check=True,
        )
    text = log.read_text(encoding="utf-8")
    assert "\r" not in text
    told = [line for line in text.splitlines() if line.startswith("crop: ")]
    assert told[-1] == "crop: 100% (32 of 32 photos)"
    assert len(told) <= 4
