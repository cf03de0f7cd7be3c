"""The page of limits and the script that fills it."""

import json
import subprocess
import sys

import pytest
from trials import run


@pytest.mark.parametrize("name", run.FULL)
def test_the_page_of_limits_has_a_place_for_each_trial_and_figures_in_it(name):
    mark = f"<!-- trial: {name} -->"
    before, figures, after = run.LIMITS.read_text(encoding="utf-8").split(mark)
    assert before
    assert after
    assert f"tests/trials/{name}.py" in figures


def test_figures_become_a_table_between_the_marks_and_nothing_else_changes():
    page = "a\n<!-- trial: kills -->\nold\n<!-- trial: kills -->\nb\n"
    table = run.as_table({"all_kills": 1200, "share": 0.5}, "kills", ["--kills", "9"])
    filled = run.replace_between(page, "trial: kills", table)
    assert filled.startswith("a\n<!-- trial: kills -->\n`python tests/trials/kills.py --kills 9`")
    assert filled.endswith("<!-- trial: kills -->\nb\n")
    assert "| all kills | 1,200 |\n| share | 0.5 |\n" in filled
    assert "old" not in filled
    assert run.replace_between(filled, "trial: kills", table) == filled


def test_a_page_without_marks_is_an_error():
    with pytest.raises(ValueError, match="needs the mark"):
        run.replace_between("a", "trial: kills", "b")


def test_a_trial_that_fails_is_told_and_the_page_stays(monkeypatch, tmp_path, capsys):
    page = tmp_path / "limits.md"
    page.write_text(
        "<!-- trial: kills --><!-- trial: kills --><!-- trial: load --><!-- trial: load -->"
    )

    def call(command, **options):
        name = command[1].stem
        command[-1].write_text(json.dumps({"kills": 3}))
        return subprocess.CompletedProcess(command, int(name == "load"))

    monkeypatch.setattr(run.subprocess, "run", call)
    monkeypatch.setattr(run, "LIMITS", page)
    assert run.main(["kills", "load"]) == 1
    assert "failed: load" in capsys.readouterr().err
    assert "| kills | 3 |" in page.read_text()
    assert page.read_text().endswith("<!-- trial: load --><!-- trial: load -->")


def test_an_unknown_trial_lists_those_that_there_are():
    script = run.__file__
    done = subprocess.run(
        [sys.executable, script, "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no trial nothing; there are: fuzz, kills, load, sessions" in done.stderr
