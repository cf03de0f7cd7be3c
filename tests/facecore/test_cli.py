import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from cartoons import LABELS, draw_photo, encode, write_raw
from disks import kill_workers

from facecore.__main__ import main
from facecore.evaluation.groups import weakest_group
from facecore.face.recipes import PHRASES
from facecore.model.classifier import FaceModel
from facecore.model.labels import whom_it_shows
from facecore.model.predict import predict_photo
from facecore.model.rule import AnswerRule
from facecore.model.store import load_model, read_metadata, write_model


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for i in range(2):
        (root / f"good {i}.jpg").write_bytes(encode(draw_photo("round", i)))
    (root / "bad.jpg").write_text("no photo")
    return root


def fails_in_one_line(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("command", "target"),
    [
        (("crop", "RAW", "--out", "file/out"), "file/out"),
        (("crop", "RAW", "--out", "new", "--progress", "none/p.json"), "none/p.json"),
        (("train", "RAW", "--name", "mine"), "file"),
        (("train", "RAW", "--name", "mine", "--progress", "file/p.json"), "file/p.json"),
        (("evaluate", "RAW", "--json", "none/e.json"), "none/e.json"),
        (("synth", "--out", "file"), "file"),
        (("ladder", "RAW", "--out", "file/tables"), "file/tables"),
        (("ladder", "RAW"), "file/_ladder"),
    ],
)
def test_a_target_that_cannot_be_written_is_named_before_any_work(
    command, target, raw_folder, tiny_artifacts, run, tmp_path
):
    (tmp_path / "file").touch()
    given = [raw_folder if part == "RAW" else part for part in command]
    models = tiny_artifacts if command[0] in ("evaluate", "synth") else tmp_path / "file"
    done = run(*given, models=models)
    fails_in_one_line(done, "cannot write", target)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="kills worker processes")
@pytest.mark.parametrize("command", ["crop", "train"])
def test_workers_that_are_killed_are_one_line_that_says_what_helps(
    command, raw_folder, tmp_path, monkeypatch
):
    kill_workers(monkeypatch, tmp_path / "start")
    paths = [os.environ["PYTHONPATH"], str(Path(__file__).resolve().parents[2])]
    where = ["--out", "out"] if command == "crop" else ["--name", "mine"]
    done = subprocess.run(
        [sys.executable, "-m", "facecore", command, str(raw_folder), *where, "--jobs", "2"],
        cwd=tmp_path,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(paths), "FACECORE_ARTIFACTS": str(tmp_path / "models")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(lines) == 1
    assert lines[0].startswith("error: a worker process was killed (SIGKILL")
    assert "--jobs 1" in lines[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "error", [MemoryError(), cv2.error("OpenCV(4) alloc.cpp:73: error: (-4:Insufficient memory)")]
)
@pytest.mark.parametrize(
    ("command", "call"),
    [
        (("crop", "RAW", "--out", "out", "--jobs", 1), "facecore.data.crops.decode"),
        (("train", "CROPS", "--recipe", "classic", "--name", "m"), "facecore.data.faces.rows_of"),
        (("evaluate", "RAW", "--jobs", 1), "facecore.model.predict.classify"),
        (("predict", "RAW", "--jobs", 1), "facecore.model.predict.classify"),
    ],
)
def test_memory_that_is_short_is_one_line_that_says_what_helps(
    command, call, error, raw_folder, crops_folder, tiny_artifacts, run, monkeypatch
):
    def fail(*given, **options):
        raise error

    monkeypatch.setattr(call, fail)
    given = [{"RAW": raw_folder, "CROPS": crops_folder}.get(part, part) for part in command]
    done = run(*given, models=tiny_artifacts)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: memory is short")
    assert "--jobs 1" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.ESTALE])
def test_a_disk_that_fails_is_one_line(number, tiny_artifacts, run, monkeypatch):
    def fail(*given):
        raise OSError(number, os.strerror(number), "/mnt/models")

    monkeypatch.setattr("facecore.model.store.list_models", fail)
    fails_in_one_line(run("models", models=tiny_artifacts), "/mnt/models", os.strerror(number))


def test_the_whole_way_from_photos_to_a_model_and_its_evaluation(
    raw_folder, tiny_grid, run, tmp_path
):
    models = tmp_path / "models"
    watched = ("--progress", tmp_path / "progress.json")
    how = ("--recipe", "classic", "--min-size", 60, "--jobs", 1)
    crop = run("crop", raw_folder, "--out", tmp_path / "out", *how, *watched)
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert (progress["step"], progress["done"], progress["total"]) == ("crop", 32, 32)
    assert (crop.returncode, "kept" in crop.stdout) == (0, True)
    kept = next(line for line in crop.stdout.splitlines() if line.startswith("kept"))
    assert kept.split() == ["kept", "16", "16", "32"]

    sizes = run("sizes", tmp_path / "out")
    assert sizes.returncode == 0
    assert {"54", "round", "square", "p50"} <= set(sizes.stdout.split())

    arguments = ("--name", "mine", "--recipe", "classic", "--jobs", 1, "--seed", 3)
    train = run("train", tmp_path / "out", "--grid", tiny_grid, *arguments, models=models)
    assert train.returncode == 0, train.stderr
    assert "best of 4 candidates" in train.stdout
    metadata = json.loads((models / "mine" / "metadata.json").read_text())
    assert metadata["command"].startswith("python -m facecore train out --name mine")
    assert metadata["command"].endswith("--seed 3")
    assert "/" not in metadata["command"]

    listed = run("models", models=models)
    assert listed.returncode == 0
    assert listed.stdout.startswith(f"mine: round / square, recipe classic ({PHRASES['classic']})")

    measured = run(
        "evaluate",
        raw_folder,
        "--model",
        "mine",
        "--limit",
        10,
        "--seed",
        1,
        "--jobs",
        1,
        "--json",
        tmp_path / "figures.json",
        *watched,
        models=models,
    )
    progress = json.loads((tmp_path / "progress.json").read_text())
    assert (progress["step"], progress["done"]) == ("evaluate", 10)
    assert measured.returncode == 0, measured.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["n"] == 10
    assert {
        "n",
        "detected",
        "accuracy_found",
        "accuracy_all",
        "balanced_accuracy_found",
        "balanced_accuracy_all",
        "interval_all",
        "recall",
        "ms_per_photo",
        "groups",
        "crossed",
        "coverage",
        "accuracy_answered",
        "gaps",
        "calibration_error",
        "brier_score",
        "reliability",
    } <= set(figures)
    assert len(figures["interval_all"]) == 2
    assert f"answered {figures['coverage']:.3f}, right when answered" in measured.stdout
    assert f"forced accuracy {figures['accuracy_all']:.3f} [" in measured.stdout
    assert f"risk-coverage curve {figures['risk']['aurc']:.4f}; in a random" in measured.stdout
    assert f"calibration error {figures['calibration_error']:.3f}" in measured.stdout
    assert set(figures["recall"]) == {"round", "square"}

    card = run("card", "mine", models=models)
    assert card.returncode == 0
    assert card.stdout == (models / "mine" / "card.md").read_text(encoding="utf-8")
    assert f"    {metadata['command']}\n" in card.stdout

    made = run("synth", "--out", tmp_path / "made", "--count", 5, "--seed", 2, models=models)
    assert made.returncode == 0
    assert len(list((tmp_path / "made").glob("*/*.png"))) == 5
    assert whom_it_shows(metadata) in made.stdout


@pytest.mark.slow
def test_landmarks_are_asked_for_and_told(run, crops_folder, tiny_grid, tmp_path):
    models = tmp_path / "models"
    how = ("--recipe", "classic", "--grid", tiny_grid, "--solver", "nystroem", "--landmarks", 12)
    train = run("train", crops_folder, "--name", "m", *how, models=models)
    assert train.returncode == 0, train.stderr
    assert "solver: nystroem" in train.stdout
    metadata = json.loads((models / "m" / "metadata.json").read_text())
    assert metadata["kernel_vectors"]["count"] == 24  # with their mirror images
    assert "--solver nystroem --landmarks 12" in metadata["command"]


def test_the_whole_way_of_the_aligned_recipe(run, tmp_path):
    raw = write_raw(tmp_path / "raw", persons=4, shots=1, split=True)
    models = tmp_path / "models"
    crop = run("crop", raw, "--out", "out", "--recipe", "aligned", "--jobs", 1)
    assert crop.returncode == 0, crop.stderr
    assert len(list((tmp_path / "out").glob("*_crop/*.png"))) == 8
    settings = json.loads((tmp_path / "out" / "crop.json").read_text())
    assert settings["detector"]["name"] == "blazeface"
    assert settings["alignment"]["width"] > 3
    arguments = ("--recipe", "aligned", "--grid", "tuned", "--jobs", 1)
    train = run("train", "out", "--name", "m", *arguments, models=models)
    assert train.returncode == 0, train.stderr
    assert "best of 24 candidates" in train.stdout
    for member in ("pixels", "hog tight", "patterns", "convolutions"):
        assert member in train.stdout
    metadata = json.loads((models / "m" / "metadata.json").read_text())
    assert "--recipe aligned --grid tuned" in metadata["command"]
    photo = raw / "round" / "p00_0.jpg"
    told = run("predict", photo, "--json", models=models)
    assert told.returncode == 0
    (face,) = json.loads(told.stdout)["faces"]
    assert face["scores"]["round"] > face["scores"]["square"]


def test_one_bad_photo_does_not_stop_the_others_and_shows_in_the_exit_code(
    photos, run, tiny_artifacts
):
    names = [photos / "good 0.jpg", photos / "bad.jpg", photos / "no.jpg", photos / "good 1.jpg"]
    done = run("predict", *names, "--json", models=tiny_artifacts)
    assert done.returncode == 1
    assert done.stderr == ""
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["photo"] for answer in answers] == list(map(str, names))
    assert [answer["error"] is None for answer in answers] == [True, False, False, True]
    for answer in answers:
        assert set(answer) == {"photo", "error", "notes", "faces"}
        for face in answer["faces"]:
            assert set(face) == {"box", "label", "probability", "scores", "reason"}
            assert len(face["box"]) == 4
            assert set(face["scores"]) == {"round", "square"}
    assert len(answers[0]["faces"]) == len(answers[3]["faces"]) == 1


def test_a_folder_stands_for_all_photos_in_it_whatever_the_number_of_processes(
    run, tiny_artifacts, tmp_path
):
    folder = tmp_path / "folder"
    (folder / "b").mkdir(parents=True)
    for i in range(3):
        data = encode(draw_photo("round", i))
        for j in range(0, 70, 3):
            (folder / "b" / f"{i + j:02d}.jpg").write_bytes(data)
    (folder / "a.PNG").write_bytes(encode(draw_photo("square", 1), "PNG"))
    for passed_over in (folder / "notes.txt", folder / ".hidden.jpg"):
        passed_over.write_text("no photo")
    one, two = (
        run("predict", folder, "--json", "--jobs", jobs, models=tiny_artifacts) for jobs in (1, 2)
    )
    assert (one.returncode, one.stderr, one.stdout) == (two.returncode, two.stderr, two.stdout)
    names = [json.loads(line)["photo"] for line in one.stdout.splitlines()]
    assert names == [
        str(folder / "a.PNG"),
        *(str(folder / "b" / f"{i:02d}.jpg") for i in range(72)),
    ]


@pytest.mark.slow
def test_small_crops_are_trained_as_whole_photos_and_refused_with_that_option_without_it(
    run, small_crops, tiny_grid, tmp_path
):
    models = tmp_path / "models"
    command = ("train", small_crops, "--name", "x", "--recipe", "classic", "--grid", tiny_grid)
    failed = run(*command, models=models)
    assert failed.returncode == 1
    assert re.fullmatch(
        r"error: no face to train on: small: (\d\d) of \1 faces are smaller than 54 pixels; use "
        r"--min-size \d\d, or --whole-photo if each photo is the face already",
        failed.stderr.splitlines()[-1],
    )
    done = run(*command, "--whole-photo", models=models)
    assert done.returncode == 0, done.stderr
    metadata = json.loads((models / "x" / "metadata.json").read_text())
    assert "--whole-photo" in metadata["command"]
    photo = next(small_crops.glob("round/*"))
    told = run("predict", photo, "--model", "x", models=models)
    assert told.stdout.startswith(f"{photo}: round") and "[0, 0, 48, 48]" in told.stdout
    measured = run("evaluate", small_crops, "--model", "x", "--jobs", 1, models=models)
    assert "32 photos, 32 with a face" in measured.stdout


def test_cropping_that_keeps_nothing_fails_with_the_option_that_helps(run, small_crops, tmp_path):
    command = ("crop", small_crops, "--out", tmp_path / "out", "--recipe", "classic", "--jobs", 1)
    failed = run(*command)
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert last.startswith("error: no face was kept: 32 of 32 faces are smaller than 54 pixels; ")
    assert "too_small" in failed.stdout
    least = re.search(r"use --min-size (\d+)", last)[1]
    assert run(*command, "--min-size", least).returncode == 0
    assert run(*command, "--whole-photo").returncode == 0


def test_a_training_that_dropped_many_photos_says_so_at_its_end(run, tiny_grid, tmp_path):
    for label in ("round", "square"):
        for person in range(8):
            photo = tmp_path / "raw" / label / f"{person}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            data = draw_photo(label, person, face=60 if person % 2 else 100, side=240)
            photo.write_bytes(encode(data, "PNG"))
    command = ("train", tmp_path / "raw", "--name", "m", "--recipe", "classic", "--grid", tiny_grid)
    done = run(*command, "--min-size", 80, models=tmp_path / "models")
    assert done.returncode == 0, done.stderr
    *_, line, end = done.stdout.splitlines()
    assert re.fullmatch(r"raw: 8 of 16 faces are smaller than 80 pixels; use --min-size \d\d", line)
    assert end.startswith("model m written")
    assert f"{line}\n" in done.stderr  # at once, too
    assert "--min-size 80" in (tmp_path / "models" / "m" / "metadata.json").read_text()


@pytest.mark.parametrize(
    ("suffix", "kind"), [("pgm", "PPM"), ("PPM", "PPM"), ("jp2", "JPEG2000"), ("j2k", "JPEG2000")]
)
def test_a_folder_of_pgm_or_jpeg_2000_is_predicted(run, tiny_artifacts, tmp_path, suffix, kind):
    photo = tmp_path / "orl" / "s1" / f"1.{suffix}"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(encode(draw_photo("round", 3), kind))
    told = run("predict", tmp_path / "orl", "--model", "tiny", models=tiny_artifacts)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"{photo}: round")


def test_a_folder_without_photos_is_an_error(run, tiny_artifacts, tmp_path):
    (tmp_path / "empty").mkdir()
    fails_in_one_line(run("predict", tmp_path / "empty", models=tiny_artifacts), "no photo in")


@pytest.mark.parametrize("name", ["a.jpg", "wall.jpg"])
def test_notes_on_a_photo_are_lines_of_their_own(run, tiny_artifacts, tmp_path, name):
    pixels = draw_photo("round", 3) if name == "a.jpg" else np.full((90, 90, 3), 128, np.uint8)
    (tmp_path / name).write_bytes(encode(pixels, "JPEG")[:-2])
    done = run("predict", name, "--model", "tiny", models=tiny_artifacts)
    answer, note = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert answer.startswith(f"{name}: {'round' if name == 'a.jpg' else 'no face'}")
    assert note.startswith(f"{name}: note: the end of the file is missing")


def test_predictions_read_as_lines_too(photos, run, tiny_artifacts):
    done = run("predict", *sorted(photos.glob("good*")), "--model", "tiny", models=tiny_artifacts)
    assert done.returncode == 0
    assert [" round " in line for line in done.stdout.splitlines()] == [True, True]


def test_an_unsure_face_is_told_with_the_likeliest_label_and_the_reason(
    photos, run, tiny_artifacts
):
    names = sorted(photos.glob("good*"))
    done = run("predict", *names, "--unsure", 1, models=tiny_artifacts)
    assert done.returncode == 0
    for name, line in zip(names, done.stdout.splitlines(), strict=True):
        assert line.startswith(f"{name}: unsure (round 0.")
        assert line.endswith("]: confidence below 1")
    done = run("predict", names[0], "--unsure", 1, "--json", models=tiny_artifacts)
    assert done.returncode == 0
    (face,) = json.loads(done.stdout)["faces"]
    assert (face["label"], face["reason"]) == (None, "unsure: confidence below 1")


def test_the_command_line_wins_over_the_models_own_rule(photos, artifacts, tiny_artifacts, capsys):
    metadata = json.loads((tiny_artifacts / "tiny" / "metadata.json").read_text())
    model = FaceModel.load(tiny_artifacts / "tiny")
    write_model("strict", replace(model, rule=AnswerRule(1.0)), metadata, {})
    for options, words in (([], "unsure (round"), (["--unsure", "0"], "round 0.")):
        assert main(["predict", str(photos / "good 0.jpg"), *options]) == 0
        assert f"good 0.jpg: {words}" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist on Linux only")
def test_a_name_that_is_no_text_can_be_predicted(photos, run_apart, tiny_artifacts, tmp_path):
    name = f"{tmp_path}/\udcff.jpg"
    shutil.copy(photos / "good 0.jpg", name)
    for options in ((), ("--json",)):
        done = run_apart("predict", name, *options, models=tiny_artifacts)
        assert (done.returncode, done.stderr) == (0, "")
        assert "round" in done.stdout


def test_a_bad_photo_does_not_stop_cropping_or_evaluating(run, tmp_path, tiny_artifacts):
    raw = write_raw(tmp_path / "raw", persons=2, shots=1)
    (raw / "round" / "bad.jpg").write_text("no photo")
    crop = run("crop", raw, "--out", tmp_path / "out", "--jobs", 1)
    assert crop.returncode == 0
    assert "unreadable" in crop.stdout
    measured = run("evaluate", raw, "--jobs", 1, models=tiny_artifacts)
    assert measured.returncode == 0
    assert "5 photos, 4 with a face" in measured.stdout


def test_more_than_two_labels_have_a_line_of_figures_of_their_own(run, tmp_path, many_artifacts):
    for person in (1, 2, 10):
        folder = tmp_path / "raw" / f"s{person}"
        folder.mkdir(parents=True)
        for shot in (8, 9):
            photo = encode(draw_photo("round", person, shot), "PNG")
            (folder / f"{shot}.png").write_bytes(photo)
    done = run("evaluate", tmp_path / "raw", "--json", "f.json", "--jobs", 1, models=many_artifacts)
    assert done.returncode == 0
    figures = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert list(figures["groups"]["label"]) == ["s1", "s2", "s10"]
    line = f"macro AUC {figures['macro_auc']:.3f}, macro F1 {figures['macro_f1']:.3f}, top 2 "
    assert line + f"{figures['top_accuracy']['2']:.3f}" in done.stdout
    for pair in figures["confused_pairs"][:1]:
        assert f"most confused: {pair['label']} answered {pair['answered']}" in done.stdout


def test_the_weakest_and_the_gaps_between_groups_of_enough_photos_are_told(
    run, raw_folder, tmp_path, tiny_artifacts
):
    target = tmp_path / "f.json"
    command = ["evaluate", raw_folder, "--json", target, "--jobs", 1]
    none = run(*command, models=tiny_artifacts)
    assert "weakest" not in none.stdout and "largest gap" not in none.stdout
    done = run(*command, "--least", 2, models=tiny_artifacts)
    assert done.returncode == 0
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert {gap["figure"] for gap in figures["trait_gaps"]} == {
        "forced accuracy",
        "answered",
        "right when answered",
        "recall",
    }
    for gap in figures["trait_gaps"]:
        (found,) = gap["sets"]
        of = f" of {gap['label']}" if gap["label"] else ""
        assert f"gap by {gap['trait']} in {gap['figure']}{of}: {found['gap']:.3f} [" in done.stdout
    weakest = weakest_group(figures["crossed"], 2)
    words = f"{weakest['label']}, {weakest['trait']} {weakest['group']}: {weakest['n']} photos"
    assert f"weakest of label and group: {words}" in done.stdout


def test_only_photos_of_the_asked_split_are_evaluated(run, tmp_path, tiny_artifacts):
    raw = write_raw(tmp_path / "raw", persons=4, shots=1, split=True)
    for source in (raw, raw / "labels.csv"):
        done = run("evaluate", source, "--split", "test", "--jobs", 1, models=tiny_artifacts)
        assert "2 photos" in done.stdout
    wrong = run("evaluate", raw, "--split", "tset", models=tiny_artifacts)
    fails_in_one_line(wrong, "'tset'", "there are: test, train")


def test_a_table_with_genders_is_a_data_set(run, tmp_path, tiny_artifacts):
    raw = write_raw(tmp_path / "raw", persons=2, shots=1)
    table = pd.read_csv(raw / "labels.csv")[["path", "label"]]
    table.rename(columns={"label": "gender"}).to_csv(raw / "table.csv", index=False)
    done = run("evaluate", raw / "table.csv", "--jobs", 1, models=tiny_artifacts)
    assert "4 photos" in done.stdout


@pytest.mark.parametrize(
    ("command", "models", "words"),
    [
        ("crop nowhere --out o", "none", "nowhere"),
        ("crop empty --out o", "none", "<label>/<photo>"),
        ("crop empty --out o --recipe no", "none", "classic, aligned"),
        ("sizes empty", "none", "facecore crop RAW --out"),
        ("train empty --name ../x", "none", "cannot name a model"),
        ("train empty --name x --grid no", "none", "quick, full, fine, tuned"),
        ("train empty --name x --recipe no", "none", "classic"),
        ("train empty --name x", "none", "<label>/<photo>"),
        ("predict x.jpg --model nobody", "tiny", "there are: tiny"),
        ("predict x.jpg", "none", "facecore train DIR --name NAME"),
        ("models", "none", "facecore train DIR --name NAME"),
        ("card", "none", "facecore train DIR --name NAME"),
        ("card nobody", "tiny", "there are: tiny"),
        ("synth --out file", "tiny", "cannot write"),
        ("evaluate empty", "tiny", "no photo"),
    ],
)
def test_errors_are_one_line_that_says_what_to_do(
    command, models, words, tmp_path, tiny_artifacts, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    root = tiny_artifacts if models == "tiny" else tmp_path / "no-models"
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    Path("empty").mkdir()
    Path("file").touch()
    assert main(command.split()) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1
    assert words in error


def test_a_card_is_written_anew_and_stored_on_demand(run, tiny_artifacts, tmp_path):
    root = tmp_path / "models"
    shutil.copytree(tiny_artifacts, root)
    metadata = json.loads((root / "tiny" / "metadata.json").read_text())
    (root / "tiny" / "card.md").unlink()
    del metadata["sha256"]["card.md"]
    (root / "tiny" / "metadata.json").write_text(json.dumps(metadata | {"note": "New terms."}))
    printed = run("card", models=root).stdout
    assert "New terms." in printed
    assert not (root / "tiny" / "card.md").exists()
    assert run("card", "tiny", "--write", models=root).stdout == printed
    assert (root / "tiny" / "card.md").read_text(encoding="utf-8") == printed
    assert run("predict", "x.jpg", models=root).stderr == ""
    after = json.loads((root / "tiny" / "metadata.json").read_text())
    assert {k: v for k, v in after["sha256"].items() if k != "card.md"} == metadata["sha256"]


def test_a_damaged_model_is_told_and_the_others_are_listed(run, tiny_artifacts, tmp_path):
    root = tmp_path / "models"
    shutil.copytree(tiny_artifacts, root)
    for name in ("broken", "bare"):
        shutil.copytree(root / "tiny", root / name)
    (root / "broken" / "model.npz").write_bytes(b"")
    metadata = json.loads((root / "bare" / "metadata.json").read_text())
    del metadata["recipe"]
    (root / "bare" / "metadata.json").write_text(json.dumps(metadata))
    done = run("models", models=root)
    assert (done.returncode, done.stderr) == (1, "")
    bare, broken, tiny = done.stdout.splitlines()
    assert "train it again" in bare
    assert "damaged" in broken
    assert "recipe classic" in tiny
    fails_in_one_line(run("predict", "x.jpg", "--model", "broken", models=root), "damaged")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["cook"],
        ["crop"],
        ["crop", "raw"],
        ["synth", "--out", "o", "--count", "0"],
        ["crop", "raw", "--out", "o", "--jobs", "0"],
        ["crop", "r", "--out", "o", "--jobs", "two"],
        ["evaluate", "p", "--limit", "-1"],
        ["train", "d", "--name", "m", "--seed", "-1"],
        ["crop", "raw", "--out", "o", "--min-size", "large"],
        ["predict", "x.jpg", "--unsure", "1.5"],
        ["predict", "x.jpg", "--unsure", "nan"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_shows_how_to_use_it(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m facecore" in capsys.readouterr().err


def test_help_names_every_command(run):
    done = run("--help")
    assert done.returncode == 0
    for command in ("crop", "sizes", "train", "evaluate", "predict", "models", "card", "synth"):
        assert f"\n    {command}" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_error(photos, tiny_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(tiny_artifacts))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    process = subprocess.Popen(
        [sys.executable, "-m", "facecore", "predict", *[str(photos / "good 0.jpg")] * 4],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 0


def test_importing_facecore_is_cheap(tmp_path):
    code = (
        "import sys, facecore\n"
        "heavy = {'sklearn', 'cv2', 'pandas', 'numpy', 'joblib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert all(hasattr(facecore, name) for name in facecore.__all__)\n"
        "assert not hasattr(facecore, 'nothing')"
    )
    repo = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=repo)


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        ("/usr/bin/facecore", "facecore"),
        ("C:/x/facecore.exe", "facecore"),
        ("/lib/facecore/__main__.py", "python -m facecore"),
    ],
)
def test_usage_and_errors_name_the_command_that_was_typed(
    started, shown, artifacts, monkeypatch, capsys
):
    monkeypatch.setattr("sys.argv", [started])
    assert main(["predict", "x.jpg"]) == 1
    assert f"train one with: {shown} train DIR" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--help"])
    assert capsys.readouterr().out.startswith(f"usage: {shown} [-h]")


@pytest.fixture(scope="module")
def persons(tmp_path_factory) -> Path:
    """Four persons with six photos each, as a data set that names them."""
    folder = tmp_path_factory.mktemp("persons")
    rows = ["path,label,subject"]
    for number in range(4):
        name = f"p{number}"
        (folder / name).mkdir()
        for shot in range(6):
            pixels = draw_photo(LABELS[number % 2], 7 * number, shot)
            (folder / name / f"{shot}.png").write_bytes(encode(pixels, "PNG"))
            rows.append(f"{name}/{shot}.png,{name},{name}")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("how", [[], ["--right", "0.8"], ["--no-rule"]])
def test_persons_are_trained_by_photo_and_training_says_so(how, persons, tiny_grid, artifacts, run):
    given = ["--name", "who", "--recipe", "classic", "--grid", tiny_grid, *how]
    done = run("train", persons, *given, models=artifacts)
    assert done.returncode == 0, done.stderr
    assert "each label is one person" in done.stdout
    metadata = read_metadata("who")
    assert metadata["identity"] is True
    assert metadata["subjects"]["p0"] == {"known": 1, "largest": 1.0}
    if how == ["--no-rule"]:
        assert "every face gets a label" in done.stdout
        assert load_model("who").rule == AnswerRule()
    else:
        assert "of the training faces out of fold, of these right" in done.stdout
        assert "of the labels' own are called unknown" in done.stdout
        assert metadata["rule"]["min_lead"] == load_model("who").rule.min_lead
    assert ("the target is 0.8" in done.stdout) == (how == ["--right", "0.8"])
    for flag in how:
        assert flag in metadata["command"]


def test_persons_cannot_hide_behind_cluster_centres(persons, tiny_grid, artifacts, run):
    how = ["--name", "who", "--recipe", "classic", "--grid", tiny_grid, "--centres", "4"]
    done = run("train", persons, *how, models=artifacts)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: cluster centres cannot hide")


@pytest.mark.parametrize("option", ["--outside", "--no-face"])
def test_a_kind_that_is_named_twice_is_an_error(option, raw_folder, artifacts, run):
    kinds = (option, "a wall=x", option, "a wall=y")
    done = run("train", raw_folder, "--name", "m", *kinds, models=artifacts)
    assert done.returncode == 1
    assert f"{option} names 'a wall' twice" in done.stderr
    assert not artifacts.exists()


@pytest.mark.parametrize("kind", ["a wall", "=x", "a wall="])
def test_a_kind_without_a_folder_is_not_understood(kind, raw_folder, artifacts, run):
    done = run("train", raw_folder, "--name", "m", "--outside", kind, models=artifacts)
    assert done.returncode == 2
    assert "is not of the form KIND=DIR" in done.stderr


def test_an_order_must_name_the_labels(raw_folder, tiny_grid, artifacts, run):
    how = ["--name", "m", "--recipe", "classic", "--grid", tiny_grid]
    done = run("train", raw_folder, *how, "--order", "round,big", models=artifacts)
    assert done.returncode == 1
    assert "error: the order must name each label once; 'big' is in the order only" in done.stderr


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ([], AnswerRule(min_confidence=1.0)),
        (["--no-rule"], AnswerRule()),
        (["--max-distance", "1e-9"], AnswerRule(min_confidence=1.0, max_distance=1e-9)),
        (["--no-rule", "--max-distance", "1e-9"], AnswerRule(max_distance=1e-9)),
    ],
)
def test_the_rule_is_set_and_switched_off_at_prediction(
    how, rule, photo, tiny_artifacts, artifacts, tmp_path, run
):
    shutil.copytree(tiny_artifacts / "tiny", artifacts / "tiny")
    model = replace(load_model("tiny"), rule=AnswerRule(min_confidence=1.0))
    metadata = read_metadata("tiny")
    write_model("tiny", model, metadata, {}, None, "")
    (tmp_path / "photo.jpg").write_bytes(photo)
    given = [tmp_path / "photo.jpg", "--model", "tiny", "--json", *how]
    done = run("predict", *given, models=artifacts)
    (face,) = json.loads(done.stdout)["faces"]
    expected = predict_photo(photo, model, rule=rule).faces[0]
    assert (face["label"], face["reason"]) == (expected.label, expected.reason)


@pytest.fixture
def trained(monkeypatch, capsys) -> Callable[..., str]:
    """What `train` prints of a training that gave these metadata."""

    def call(*how: str, **more) -> str:
        metadata = {
            "solver": "exact",
            "training_faces": {"a": 9},
            "search": {"candidates": 1, "best": {}, "balanced_accuracy": 1.0},
        } | more
        monkeypatch.setattr("facecore.training.pipeline.train", lambda *_, **__: Path("m"))
        monkeypatch.setattr("facecore.model.store.read_metadata", lambda _: metadata)
        monkeypatch.setattr("facecore.model.store.read_evaluation", lambda _: None)
        monkeypatch.setattr("facecore.model.store.read_model_table", lambda *_: None)
        assert main(["train", "photos", "--name", "m", *how]) == 0
        return str(capsys.readouterr().out)

    return call


@pytest.mark.parametrize(
    ("auc", "identity", "hinted"), [(0.85, None, True), (0.7, None, False), (0.85, True, False)]
)
def test_labels_that_may_be_persons_are_asked_about(auc, identity, hinted, trained):
    strangers = {"faces": 9, "auc": auc, "false_accept": 0.5, "false_reject": 0.0}
    said = trained(strangers=strangers, **({"identity": True} if identity else {}))
    assert ("train with --identity" in said) == hinted


@pytest.mark.parametrize(("accuracy", "missed"), [(0.812, True), (0.992, False)])
def test_a_share_of_right_answers_that_cannot_be_reached_is_told(accuracy, missed, trained):
    rule = {"target": 0.99, "min_confidence": 0.95, "coverage": 0.05, "accuracy": accuracy}
    said = trained("--right", "0.99", rule=rule)
    assert f"answers 0.050 of the training faces out of fold, of these right {accuracy}" in said
    assert ("0.99 right cannot be reached: at the best confidence, 0.95, 0.812 are" in said) == (
        missed
    )


def test_the_limit_of_pixels_is_an_option_and_a_variable(
    run, tmp_path, tiny_artifacts, monkeypatch
):
    photo = tmp_path / "large.png"
    photo.write_bytes(encode(draw_photo("round", 0, side=1100), "PNG"))
    command = ("predict", photo, "--model", "tiny")
    monkeypatch.setenv("FACECORE_MAX_MEGAPIXELS", "1")
    done = run(*command, models=tiny_artifacts)
    assert done.returncode == 1
    assert "the limit is 1 million; --max-megapixels and --max-mb raise the limits" in done.stdout
    assert run(*command, "--max-megapixels", "2", models=tiny_artifacts).returncode == 0
    assert os.environ["FACECORE_MAX_MEGAPIXELS"] == "1"
    monkeypatch.setenv("FACECORE_MAX_MEGAPIXELS", "2")
    assert run(*command, models=tiny_artifacts).returncode == 0
    monkeypatch.setenv("FACECORE_MAX_MEGAPIXELS", "two")
    fails_in_one_line(run(*command, models=tiny_artifacts), "FACECORE_MAX_MEGAPIXELS", "'two'")


@pytest.mark.parametrize("how", ["missing", "changed"])
@pytest.mark.parametrize("file", ["evaluation.json", "predictions.csv"])
@pytest.mark.parametrize("command", ["models", "card"])
def test_a_damaged_paper_is_told_once(command, file, how, run, tiny_artifacts, tmp_path):
    shutil.copytree(tiny_artifacts, tmp_path / "models")
    paper = tmp_path / "models" / "tiny" / file
    paper.unlink() if how == "missing" else paper.write_text("{}")
    words = ("tiny", "--write") if command == "card" else ()
    for _ in range(1 if words else 2):  # and again in the next command
        done = run(command, *words, models=tmp_path / "models")
        assert done.returncode == 0
        assert done.stderr.count("warning: ") == done.stderr.count(f"'tiny': {file}") == 1


def test_evaluation_on_labels_that_the_model_does_not_know_needs_a_map(
    run, tmp_path, tiny_artifacts
):
    raw = write_raw(tmp_path / "raw", persons=2, shots=1)
    (raw / "labels.csv").unlink()
    for old, new in (("round", "Round "), ("square", "Boxes")):
        (raw / old).rename(raw / new)
    command = ("evaluate", raw, "--jobs", 1)
    refused = run(*command, models=tiny_artifacts)
    fails_in_one_line(refused, "no label Boxes, Round", "Boxes=...,Round=round")
    done = run(*command, "--map", "Boxes=square,Round=round", models=tiny_artifacts)
    assert done.returncode == 0
    assert "4 photos" in done.stdout
    fewer = run(*command, "--map", "Boxes=,Round=round", models=tiny_artifacts)
    assert "2 photos" in fewer.stdout
    assert "left out by --map: 2 photos: Boxes (2)" in fewer.stderr
    for words in ("Boxes", "Boxes=square,Boxes=round"):
        assert run(*command, "--map", words, models=tiny_artifacts).returncode == 2


@pytest.mark.parametrize("split", ["test", "train"])
def test_a_map_and_a_split_may_come_in_any_order(split, run, tmp_path, tiny_artifacts):
    raw = write_raw(tmp_path / "raw", persons=4, shots=1, table=False)
    for label in ("Pets", "Boxes"):  # in one split only
        shutil.copytree(raw / "square", raw / label)
    where = {"round": "test", "square": "test", "Pets": "train", "Boxes": "test"}
    rows = [f"{p.parent.name}/{p.name},{where[p.parent.name]}" for p in raw.glob("*/*.jpg")]
    (raw / "labels.csv").write_text("\n".join(["path,split", *rows]) + "\n")
    labels = "Pets=square,Boxes=" if split == "test" else "Boxes=,Pets="
    command = ("evaluate", raw, "--jobs", 1, "--json", tmp_path / "f.json", "--split", split)
    done = run(*command, "--map", labels, models=tiny_artifacts)
    if split == "train":
        fails_in_one_line(done, "no photo is left")
        fails_in_one_line(run(*command, models=tiny_artifacts), "no label Pets; ")
        done = run(*command, "--map", "Pets=square", models=tiny_artifacts)
        assert "4 photos" in done.stdout  # Boxes are in the other split
        return
    assert "left out by --map: 4 photos: Boxes (4)" in done.stderr
    assert "8 photos" in done.stdout
    figures = json.loads((tmp_path / "f.json").read_text())
    assert (figures["n"], figures["left_out"]) == (8, {"Boxes": 4})


def test_predict_says_which_files_of_a_folder_it_passed_over(run, tmp_path, tiny_artifacts):
    folder = tmp_path / "mixed"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.jfif", "deep/b", ".hidden.jpg", "notes.txt"):
        data = b"Dear sir" if name == "notes.txt" else encode(draw_photo("round", 0))
        (folder / name).write_bytes(data)
    done = run("predict", folder, "--model", "tiny", models=tiny_artifacts)
    assert sorted(line.split(":")[0] for line in done.stdout.splitlines()) == [
        str(folder / "a.jfif"),
        str(folder / "deep" / "b"),
    ]
    assert "passed over: 1 hidden, 1 not a photo" in done.stderr


def test_a_model_is_replaced_only_when_asked_to_and_a_shipped_one_never(
    run, crops_folder, tiny_grid, artifacts
):
    how = ("--recipe", "classic", "--grid", tiny_grid, "--jobs", 1)
    command = ("train", crops_folder, "--name", "m", *how)
    assert run(*command, models=artifacts).returncode == 0
    before = (artifacts / "m" / "metadata.json").read_bytes()
    fails_in_one_line(run(*command, models=artifacts), "already", "--replace")
    assert (artifacts / "m" / "metadata.json").read_bytes() == before
    assert run(*command, "--seed", 5, "--replace", models=artifacts).returncode == 0
    assert (artifacts / "m" / "metadata.json").read_bytes() != before
    shutil.copytree(artifacts / "m", artifacts / "classic")
    shipped = ("train", crops_folder, "--name", "classic", *how)
    for words in ((), ("--replace",)):
        fails_in_one_line(run(*shipped, *words, models=artifacts), "ships with facecore")
