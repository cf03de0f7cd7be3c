"""The commands compare and report."""

import json

from facecore.evaluation.comparison import read_comparison


def test_two_models_are_compared_and_the_figures_stored(run, two_models, raw_folder):
    done = run("compare", "plain", "wide", raw_folder, "--jobs", 1, models=two_models)
    assert done.returncode == 0, done.stderr
    figures = read_comparison("plain", "wide")["sets"]["drawn"]
    first, second, third, last = done.stdout.splitlines()
    counts = figures["right"]
    assert first.startswith(f"drawn, right: {counts['n']} photos; plain ")
    assert f"only plain {counts['only_first']}, only wide {counts['only_second']}" in first
    assert second.startswith("drawn, answered and right: ")
    assert f"ratio on the same photos {figures['ratio']:.2f}" in third
    assert last.endswith("plain+wide.json")


def test_the_figures_go_to_a_file_and_nowhere_else(run, two_models, raw_folder, tmp_path):
    out = tmp_path / "found.json"
    done = run(
        "compare",
        "wide",
        "plain",
        raw_folder,
        "--out",
        out,
        "--limit",
        3,
        "--jobs",
        1,
        models=two_models,
    )
    assert done.returncode == 0, done.stderr
    assert "a random sample of 3" in done.stderr
    assert json.loads(out.read_text())["sets"]["drawn"]["right"]["n"] == 3
    assert read_comparison("wide", "plain") is None


def test_an_unknown_model_or_a_bad_place_is_one_line(run, two_models, raw_folder, tmp_path):
    done = run("compare", "plain", "nobody", raw_folder, models=two_models)
    assert done.returncode == 1
    assert done.stderr == "error: no model 'nobody' in artifacts/; there are: plain, wide\n"
    for command in (["compare", "plain", "wide", raw_folder], ["report", "plain"]):
        done = run(*command, "--out", tmp_path / "no" / "x", models=two_models)
        assert done.returncode == 1
        assert done.stderr.startswith("error: cannot write")
        assert done.stderr.count("\n") == 1


def test_a_report_is_written(run, two_models, tmp_path):
    out = tmp_path / "report.html"
    done = run("report", "plain", "--out", out, models=two_models)
    assert done.returncode == 0, done.stderr
    html = out.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "<img" not in html
    assert run("report", "plain", "--out", out, "--faces", models=two_models).returncode == 0
    assert "<img" in out.read_text(encoding="utf-8")
