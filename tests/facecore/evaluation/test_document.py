"""The report to hand in: one file with all figures, which runs nothing and needs nothing."""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from html.parser import HTMLParser

import html5lib
import numpy as np
import pytest
from cartoons import draw_face
from searches import wide_table

from facecore.errors import ModelError
from facecore.evaluation.document import write_report
from facecore.evaluation.svg import STRONGEST
from facecore.face.images import decode
from facecore.model.explain import eigenface_images, mean_face
from facecore.model.store import (
    load_model,
    read_evaluation,
    read_metadata,
    read_model_table,
    write_model,
)
from facecore.training.arrays import train_arrays
from facecore.training.tables import (
    best_of_each,
    on_all_faces,
    rounds_of,
    score_range,
    standard_error,
)

NASTY = ["<script>alert(1)</script>", "*b* | <img src=x onerror=alert(1)>", "c\"'&d"]
FORBIDDEN = {"script", "link", "iframe", "object", "embed", "base", "form", "video", "audio"}


class Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(html: str) -> Reader:
    """Check that a report is valid and harmless, and return what it shows."""
    html5lib.HTMLParser(strict=True).parse(html)
    reader = Reader(html)
    for tag, attributes in reader.tags:
        assert tag not in FORBIDDEN
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        if "src" in attributes:
            assert attributes["src"].startswith("data:image/png;base64,")
        if "href" in attributes:
            assert attributes["href"].startswith("#")
    assert not re.search(r"@import|url\(", html)
    assert len(html.encode()) < 1_000_000
    return reader


@pytest.fixture(scope="module")
def textbook(shipped):
    return write_report("classic")


def sections(html: str) -> list[str]:
    return re.findall(r"<h2 id=\"[^\"]+\">([^<]+)</h2>", html)


def pictures(reader: Reader) -> list[tuple[str, np.ndarray]]:
    return [
        (a["alt"], decode(b64decode(a["src"].partition(",")[2])).pixels)
        for tag, a in reader.tags
        if tag == "img"
    ]


def test_it_has_all_sections_of_a_model_that_ships(textbook):
    assert sections(textbook) == [
        "How often it is right",
        "Confusion",
        "Calibration",
        "Doubt",
        "Groups",
        "Search",
        "Pictures",
        "How it was made",
        "Model card",
    ]
    read(textbook)


def test_its_policy_allows_its_own_style_and_nothing_else(textbook):
    reader = read(textbook)
    (policy,) = [a["content"] for _, a in reader.tags if "http-equiv" in a]
    style = re.search(r"<style>(.*?)</style>", textbook, re.DOTALL)[1]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ")[:3] == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
    ]


def test_the_same_model_gives_the_same_bytes(textbook):
    assert write_report("classic") == textbook


def test_its_figures_are_the_stored_ones(textbook):
    text = read(textbook).text
    for data, found in read_evaluation("classic").items():
        low, high = found["interval_all"]
        assert data in text
        assert f"{found['accuracy_all']:.3f} ({low:.3f} to {high:.3f})" in text
        low, high = found["interval_answered"]
        assert f"{found['accuracy_answered']:.3f} ({low:.3f} to {high:.3f})" in text
        assert f"{found['coverage']:.3f}" in text
        assert f"expected calibration error {found['calibration_error']:.3f}" in text
        assert f"area under the risk-coverage curve {found['risk']['aurc']:.4f}" in text
    metadata = read_metadata("classic")
    for value in (*metadata["sha256"].values(), metadata["command"], metadata["versions"]["numpy"]):
        assert value in text
    best = read_model_table("grid_search", "classic").sort_values("rank_test_score").iloc[0]
    assert f"{best['mean_test_score']:.4f} ± {best['std_test_score']:.4f}" in text


def test_the_confusion_has_a_column_of_the_unsure(textbook):
    rows = read_model_table("predictions", "classic")
    rows = rows[rows["set"].eq("congress")]
    for label in ("female", "male"):
        mine = rows[rows["label"].eq(label)]
        counts = {
            answer: (mine["detected"] & mine["answered"] & mine["predicted"].eq(answer)).sum()
            for answer in ("female", "male")
        }
        counts["unsure"] = (mine["detected"] & ~mine["answered"]).sum()
        for answer, count in counts.items():
            assert f"<title>{label}, {answer}: {count:,}</title>" in textbook


def test_its_pictures_are_drawn_from_the_model(textbook, shipped_model):
    shown = pictures(read(textbook))
    assert [alt for alt, _ in shown[:3]] == [
        "Mean of all training faces",
        "Mean: female",
        "Mean: male",
    ]
    np.testing.assert_array_equal(shown[0][1][:, :, 0], mean_face(shipped_model))
    eigenfaces = [pixels[:, :, 0] for alt, pixels in shown if alt.startswith("Eigenface")]
    np.testing.assert_array_equal(eigenfaces, eigenface_images(shipped_model, 16))
    assert sum(alt.startswith("Synthetic") for alt, _ in shown) == 6


def test_faces_that_may_be_of_a_person_are_left_out_unless_asked_for(in_tiny_artifacts):
    html = write_report("tiny")
    assert pictures(read(html)) == []
    assert "are left out" in html
    assert "A real person may be shown" in html
    assert len(pictures(read(write_report("tiny", faces=True)))) > 10


def test_persons_are_not_drawn_and_that_is_told(artifacts):
    labels = [f"p{i}" for i in range(3) for _ in range(12)]
    faces = np.array([draw_face("round", int(s[1:]), i) for i, s in enumerate(labels)])
    grid = {"n_components": [10], "C": [5.0], "gamma": [0.005]}
    path = artifacts.parent / "grid.json"
    path.write_text(json.dumps(grid))
    train_arrays(faces, labels, "persons", subjects=labels, identity=True, grid=str(path))
    html = write_report("persons")
    assert pictures(read(html)) == []
    assert "A real person is shown: each label is one person." in html
    assert "photos of a person in several" in html


def test_labels_and_notes_are_inert(artifacts, tiny_grid):
    labels = [label for label in NASTY for _ in range(10)]
    faces = np.array([draw_face("round", i % 10, i) for i in range(len(labels))])
    split = ["train"] * 8 + ["test"] * 2
    train_arrays(
        faces, labels, "nasty", split=split * 3, grid=str(tiny_grid), title=NASTY[0], note=NASTY[1]
    )
    reader = read(write_report("nasty", faces=True))
    for text in NASTY:
        assert text in reader.text
    assert f"Mean: {NASTY[0]}" in [a.get("alt") for _, a in reader.tags]


def test_a_model_without_test_photos_has_its_search_alone(two_models):
    metadata, model = read_metadata("plain"), load_model("plain")
    tables = {"grid_search": read_model_table("grid_search", "plain")}
    write_model("untested", model, metadata, tables)
    html = write_report("untested")
    reader = read(html)
    assert sections(html) == [
        "How often it is right",
        "Search",
        "Pictures",
        "How it was made",
        "Model card",
    ]
    assert "trained without test photos" in reader.text
    assert f"{metadata['search']['balanced_accuracy']:.3f}" in reader.text


def figure_of(html: str, alt: str) -> str:
    (figure,) = re.findall(rf'<figure><svg role="img" aria-label="{alt}.*?</figure>', html)
    return figure


def heights(figure: str) -> list[float]:
    return [float(y) for y in re.findall(r'<circle class="one" cx="[\d.]+" cy="([\d.]+)"', figure)]


def test_scores_on_different_numbers_of_faces_are_not_drawn_together(two_models):
    table = wide_table()
    metadata, model = read_metadata("plain"), load_model("plain")
    write_model("wide", model, metadata, {"grid_search": table})
    html = write_report("wide")
    assert "on more faces: 1,000, 3,000 and 6,000" in read(html).text

    curve = figure_of(html, "Best score of each number of components, on 6,000 faces")
    tops = best_of_each("n_components", on_all_faces(table))
    assert len(heights(curve)) == len(tops) > 1
    errors = np.array([standard_error(row) for _, row in tops.iterrows()])
    bars = re.findall(
        r'x2="[\d.]+" y2="([\d.]+)"', "".join(re.findall(r'<line class="line one".*?/>', curve))
    )
    drawn = np.array([*heights(curve), *map(float, bars)])
    scores = np.array([*tops["mean_test_score"], *(tops["mean_test_score"] + errors)])
    slope, start = np.polyfit(scores, drawn, 1)
    assert drawn == pytest.approx(slope * scores + start, abs=0.1)  # on one scale
    assert slope < 0

    first = rounds_of(table)[0].rows
    best = first.loc[first["rank_test_score"].idxmin()]
    heat = figure_of(
        html,
        f"Score over C and gamma factor with {best['param_n_components']} components, "
        "on 1,000 faces",
    )
    cells = first[
        first["param_n_components"].eq(best["param_n_components"])
        & first["param_class_weight"].eq(best["param_class_weight"])
        & first["param_whiten"].eq(best["param_whiten"])
    ]
    assert heat.count("<rect") == len(cells) == 36
    low, high = score_range(first)
    for _, row in cells.iterrows():
        score = row["mean_test_score"]
        title = f"{row['gamma_factor']:g}, {row['param_C']:g}: " + f"{score:.3f}".lstrip("0")
        (strength,) = re.findall(rf'<title>{title}</title><rect .*?fill-opacity="([\d.]+)"', heat)
        share = np.clip((score - low) / (high - low), 0, 1)
        assert float(strength) == pytest.approx(STRONGEST * share, abs=1e-3)


def test_a_model_of_an_older_version_lacks_what_it_did_not_store(two_models):
    metadata, model, evaluation = (f("plain") for f in (read_metadata, load_model, read_evaluation))
    metadata = {k: v for k, v in metadata.items() if k not in ("rule", "subjects", "solver")}
    kept = ("n", "detected", "accuracy_found", "accuracy_all", "balanced_accuracy_found")
    kept += ("balanced_accuracy_all", "interval_all", "recall", "confusion", "ms_per_photo")
    old = {data: {k: f[k] for k in kept} | {"groups": {}} for data, f in evaluation.items()}
    write_model("old", model, metadata, {}, old)
    html = write_report("old")
    assert "The table of the candidates is not stored with the model." in read(html).text
    assert sections(html)[:2] == ["How often it is right", "Confusion"]


def test_twelve_labels_fit(in_many):
    html = write_report("many", faces=True)
    reader = read(html)
    assert "which tells 12 labels apart" in reader.text
    assert reader.text.count("s12") > 2


@pytest.mark.parametrize("folder", ["fisher_artifacts", "aligned_artifacts", "whole_artifacts"])
def test_every_recipe_has_a_report(folder, request, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(request.getfixturevalue(folder)))
    html = write_report("tiny", faces=True)
    members = {m.name for m in load_model("tiny").members}
    text = read(html).text
    if len(members) > 1:
        assert all(f"Member {name}" in text for name in members)


def test_a_model_whose_weights_are_missing_has_a_report_without_pictures(
    described_artifacts, no_weights, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(described_artifacts))
    html = write_report("tiny")
    assert "No picture is drawn: it needs the weights of the embedding" in html
    assert "What it must not be used for" in read(html).text


def test_metadata_that_lack_an_entry_are_one_line(two_models):
    path = two_models / "plain" / "metadata.json"
    metadata = json.loads(path.read_text(encoding="utf-8"))
    del metadata["search"]
    path.write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(ModelError, match=r"no report: the files of model 'plain' lack 'search'"):
        write_report("plain")
