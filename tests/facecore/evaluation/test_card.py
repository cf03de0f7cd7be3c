"""The card says what the model's folder says, and nothing else."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from cartoons import LABELS

from facecore.errors import ModelError, ModelWarning
from facecore.evaluation.card import card_of, make_card, write_card
from facecore.evaluation.curves import brier_score, calibration_error, reliability
from facecore.evaluation.gaps import trait_gaps
from facecore.evaluation.groups import crossed_groups, weakest_group
from facecore.evaluation.intervals import wilson
from facecore.evaluation.report import evaluate_predictions
from facecore.face.recipes import RECIPES
from facecore.model.classifier import FaceModel
from facecore.model.store import (
    read_card,
    read_evaluation,
    read_metadata,
    read_model_table,
    rename_model,
    store_card,
)
from facecore.training.estimator import FaceSpaceClassifier

SECTIONS = [
    "What it is",
    "Data and terms",
    "What it is for",
    "What it must not be used for",
    "How often it is right",
    "For whom it is right",
    "How well its probabilities are calibrated",
    'When it answers "unsure"',
    "Known failures",
    "How it was made",
]
SHIPPED_SECTIONS = [
    *SECTIONS[:4],
    "What it gives no label",
    SECTIONS[4],
    "How often it is right on photos of another kind",
    *SECTIONS[5:],
]
METADATA = {
    "recipe": "classic",
    "labels": ["a", "b"],
    "created": "2026-01-02",
    "seed": 3,
    "minutes": 2.0,
    "note": "",
    "command": "python -m facecore train x --name y",
    "versions": {"numpy": "2"},
    "training_faces": {"a": 7, "b": 5},
    "data": {"x": {"photos": 20, "train": 12, "test": 8, "states": {"kept": 19, "no_face": 1}}},
    "search": {
        "candidates": 4,
        "folds": 5,
        "best": {"C": 1.0},
        "balanced_accuracy": 0.9,
        "std": 0.1,
    },
    "kernel_vectors": {"kind": "support vectors", "count": 9, "lead_back_to_a_photo": 9},
}


ONE_EACH = {"a": {"known": 1, "largest": 1.0}, "b": {"known": 1, "largest": 1.0}}
NINE_EACH = {"a": {"known": 9, "largest": 0.2}, "b": {"known": 9, "largest": 0.2}}


def sections(card: str) -> list[str]:
    return re.findall(r"^## (.*)$", card, re.MULTILINE)


def section(card: str, name: str) -> str:
    """Return the text below a heading, up to the next of its kind; lines are joined."""
    text = card.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
    return " ".join(text.split())


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, (int, float)):
        yield float(value)


def predictions(labels=("a", "b"), n: int = 60) -> pd.DataFrame:
    """Return predictions of one test set, of which a sixth is wrong and a few have no face."""
    rows = []
    for i in range(n * len(labels)):
        label = labels[i % len(labels)]
        other = labels[(i + 1) % len(labels)]
        said = other if i % 6 == 5 else label
        found = i % 20 != 19
        rest = {f"p_{name}": 0.3 / (len(labels) - 1) if found else None for name in labels}
        scores = rest | {f"p_{said}": 0.7} if found else rest
        age = "20-39" if i % 3 else "60+"
        rows.append(
            {
                "set": "x",
                "label": label,
                "detected": found,
                "predicted": said if found else "",
                **scores,
                "ms": 1.0,
                "age": age,
                "race": "",
            }
        )
    return pd.DataFrame(rows)


def test_every_figure_of_the_shipped_card_is_in_its_artifacts(shipped, shipped_model):
    metadata, evaluation = read_metadata("classic"), read_evaluation("classic")
    table = read_model_table("predictions", "classic")
    member = shipped_model.pixels
    known = [*numbers(metadata), *numbers(evaluation)]
    known.append(member.variance.sum() / member.total_variance)
    for name, figures in evaluation.items():
        rows = table[table["set"].eq(name)]
        known += [calibration_error(rows), brier_score(rows), figures["detected"] / figures["n"]]
        known += numbers(reliability(rows).to_dict("list"))
        right = sum(row[label] for label, row in figures["confusion"].items())
        known += wilson(right, figures["detected"])
        shares = {}
        for label, row in figures["confusion"].items():
            shares[label] = row[label] / sum(row.values())
            known += [shares[label], *wilson(row[label], sum(row.values()))]
        for groups in (
            {k: {"n": 99, "accuracy_all": v} for k, v in shares.items()},
            *figures["groups"].values(),
        ):
            accuracies = [f["accuracy_all"] for f in groups.values() if f["n"] >= 50]
            known.append(max(accuracies) - min(accuracies))
        known += [value for cell in crossed_groups(rows) for value in numbers(cell)]
    known += [abs(value) for value in numbers(trait_gaps(table))]
    allowed = {f"{value:.3f}" for value in known} | {"0.001"}  # "p below 0.001"
    card = make_card("classic")
    shown = re.findall(r"(?<![\d.])\d\.\d{3}(?![\d.])", card)
    assert len(shown) > 100
    assert set(shown) <= allowed
    assert sections(card) == SHIPPED_SECTIONS


def test_a_card_has_the_terms_the_command_and_the_counts(shipped):
    card, metadata = card_of("classic"), read_metadata("classic")
    assert metadata["note"] in card
    assert f"\n    {metadata['command']}\n" in card
    for label, count in metadata["training_faces"].items():
        assert f"{label} {count:,}" in card
    for name, part in metadata["data"].items():
        assert f"| {name} | {part['photos']:,} | {part['train']:,} | {part['test']:,} |" in card


def test_training_stores_a_card_that_its_checksum_holds(in_tiny_artifacts):
    card = read_card("tiny")
    assert card == make_card("tiny") == card_of("tiny")
    assert "card.md" in read_metadata("tiny")["sha256"]
    assert sections(card) == SECTIONS


def test_a_users_own_model_says_that_it_holds_photos_of_persons(in_tiny_artifacts):
    count = read_metadata("tiny")["kernel_vectors"]["count"]
    assert f"**{count} of {count} can be traced to one photo:**" in card_of("tiny")


def test_a_model_that_is_given_away_says_that_it_holds_none(shipped):
    count = read_metadata("classic")["kernel_vectors"]["count"]
    assert f"Of the {count:,}, none can be traced to one photo." in card_of("classic")


def test_a_card_stays_true_when_the_model_gets_another_name(tiny_artifacts, artifacts):
    shutil.copytree(tiny_artifacts / "tiny", artifacts / "tiny")
    before = card_of("tiny")
    rename_model("tiny", "mine")
    assert card_of("mine") == before


def test_a_model_without_test_photos_says_how_to_measure_it(tiny_model):
    card = write_card(tiny_model, METADATA)
    assert "python -m facecore evaluate PHOTOS --model NAME" in card
    assert not {"For whom it is right", "Known failures"} & set(sections(card))
    assert "cross-validated score of the model is 0.900 ± 0.100" in card


def test_data_without_stated_terms_are_said_to_have_none(tiny_model):
    assert "The terms of the photos were not stated." in write_card(tiny_model, METADATA)


def test_groups_and_gap_are_those_of_the_evaluation(tiny_model):
    evaluation = {"x": evaluate_predictions(predictions())}
    card = write_card(tiny_model, METADATA, evaluation)
    for group, figures in evaluation["x"]["groups"]["age"].items():
        low, high = figures["interval_all"]
        cells = f"| {figures['n']} | {figures['accuracy_all']:.3f} ({low:.3f} to {high:.3f}) |"
        assert f"| {group} {cells}" in card
    assert "by race" not in card


def test_labels_within_groups_are_those_of_the_evaluation(tiny_model):
    table = predictions(n=180).assign(answered=lambda table: table["detected"])
    figures = evaluate_predictions(table)
    card = write_card(tiny_model, METADATA, {"x": figures})
    told = card.split("### x, by label and age")[1].split("##")[0]
    for cell in figures["crossed"]:
        low, high = cell["interval_all"]
        assert (
            f"| {cell['label']} | {cell['group']} | {cell['n']} "
            f"| {cell['accuracy_all']:.3f} ({low:.3f} to {high:.3f}) "
            f"| {cell['coverage']:.3f} | {cell['accuracy_answered']:.3f} |"
        ) in told
    weakest = weakest_group(figures["crossed"])
    low, high = weakest["interval_all"]
    words = f"{weakest['label']}, {weakest['group']}"
    share = f"{weakest['accuracy_all']:.3f} ({low:.3f} to {high:.3f})"
    assert f"**{words}**: {share}, {weakest['n']} photos." in told
    assert f"least often right for {words}: in {share}" in section(card, "Known failures")


def test_labels_within_groups_come_from_the_predictions_of_an_older_model(tiny_model):
    table = predictions()
    figures = evaluate_predictions(table)
    older = {name: value for name, value in figures.items() if name != "crossed"}
    new = write_card(tiny_model, METADATA, {"x": figures}, table)
    assert write_card(tiny_model, METADATA, {"x": older}, table) == new
    assert "by label and age" not in write_card(tiny_model, METADATA, {"x": older})


def test_the_weakest_is_not_named_after_a_handful_of_photos(tiny_model):
    card = write_card(tiny_model, METADATA, {"x": evaluate_predictions(predictions(n=20))})
    assert "by label and age" in card
    assert "Weakest" not in card


def test_the_age_from_which_on_it_is_meant_is_told_where_it_is_known(tiny_model):
    words = "It is meant for faces of people of 16 years and more."
    told = write_card(tiny_model, METADATA | {"least_age": 16})
    assert section(told, "What it is for").endswith(words)
    assert "meant for faces" not in write_card(tiny_model, METADATA)


def test_a_gap_is_not_drawn_from_a_handful_of_photos(tiny_model):
    few = write_card(tiny_model, METADATA, {"x": evaluate_predictions(predictions(n=20))})
    assert "Largest gap" not in few
    assert "Largest gap" in write_card(
        tiny_model, METADATA, {"x": evaluate_predictions(predictions(n=60))}
    )


def test_known_failures_are_the_worst_of_the_figures(tiny_model):
    figures = evaluate_predictions(predictions())
    failures = write_card(tiny_model, METADATA, {"x": figures}).split("## Known failures")[1]
    worst = min(figures["recall"], key=figures["recall"].__getitem__)
    assert f"least often right for {worst}: in {figures['recall'][worst]:.3f}" in failures
    assert f"in {figures['n'] - figures['detected']} of {figures['n']} photos" in failures


def test_calibration_comes_from_the_predictions_where_the_evaluation_has_none(tiny_model):
    table = predictions()
    evaluation = {"x": evaluate_predictions(table)}
    card = write_card(tiny_model, METADATA, evaluation, table)
    assert f"| x | {calibration_error(table):.3f} | {brier_score(table):.3f} |" in card
    (row,) = reliability(table).to_dict("records")
    assert f"| {row['faces']} | 0.700 | {row['right']:.3f}" in card
    evaluation["x"] |= {"calibration_error": 0.123, "brier_score": 0.456, "reliability": [row]}
    assert "| x | 0.123 | 0.456 |" in write_card(tiny_model, METADATA, evaluation)


def test_answers_and_unsure_are_told_where_they_were_measured(tiny_model):
    figures = {"coverage": 0.91, "accuracy_answered": 0.987, "interval_answered": [0.95, 0.99]}
    evaluation = {"x": evaluate_predictions(predictions()) | figures}
    card = write_card(tiny_model, METADATA | {"rule": {"min_confidence": 0.85}}, evaluation)
    assert "no label to a face whose confidence is below 0.850." in card
    assert "| x | 120 | 0.910 | 0.987 (0.950 to 0.990) |" in card
    plain = write_card(tiny_model, METADATA, {"x": evaluate_predictions(predictions())})
    assert "unsure" not in plain


def test_three_labels_have_a_card(three_faces):
    X, y, _ = three_faces
    model = FaceSpaceClassifier(n_components=10).fit(X, y).to_model(RECIPES["classic"], X, y)
    table = predictions(LABELS).assign(answered=True)
    metadata = METADATA | {"labels": list(LABELS), "training_faces": dict.fromkeys(LABELS, 20)}
    card = write_card(model, metadata, {"x": evaluate_predictions(table)}, table)
    assert "labels for each: round, square, wide." in card
    for label in LABELS:
        assert re.search(rf"^\| {label} \| 60 \| 0\.\d{{3}} ", card, re.MULTILINE)
    figures = evaluate_predictions(table)
    told = section(card, "How its labels are told apart")
    (pair, *_) = figures["confused_pairs"]
    assert f"{pair['label']} answered {pair['answered']}, {pair['photos']} photos" in told
    wide = figures["by_label"]["wide"]
    assert (
        f"| wide | 60 | {wide['precision']:.3f} | {wide['recall']:.3f} | {wide['f1']:.3f} |" in told
    )
    assert f"| {figures['macro_f1']:.3f} | {figures['macro_auc']:.3f} |" in told


def test_two_labels_need_no_table_of_how_they_are_told_apart(tiny_model):
    table = predictions()
    card = write_card(tiny_model, METADATA, {"x": evaluate_predictions(table)}, table)
    assert "How its labels are told apart" not in card


def test_a_line_of_a_name_or_note_cannot_become_markup(tiny_model):
    note = "# Heading\n\n| a | b |\n<script> $x$ :material/home: `code`"
    card = write_card(tiny_model, METADATA | {"note": note})
    assert "# Heading" not in card.replace("\\# Heading", "")
    assert "\\<script\\> \\$x\\$ \\:material/home: \\`code\\`" in card


@pytest.fixture
def copied(tiny_artifacts, artifacts) -> Any:
    shutil.copytree(tiny_artifacts / "tiny", artifacts / "tiny")
    return artifacts / "tiny"


def test_a_stored_card_is_read_and_not_written_anew(copied):
    store_card("tiny", "# Mine\n")
    assert card_of("tiny") == "# Mine\n"
    assert FaceModel.load(copied).labels == ("round", "square")
    assert [path.name for path in copied.parent.iterdir()] == ["tiny"]


def test_a_model_without_a_card_gets_one_when_it_is_asked_for(copied):
    (copied / "card.md").unlink()
    metadata = json.loads((copied / "metadata.json").read_text())
    del metadata["sha256"]["card.md"]
    (copied / "metadata.json").write_text(json.dumps(metadata))
    assert read_card("tiny") is None
    assert sections(card_of("tiny")) == SECTIONS


def test_a_card_that_was_changed_is_left_out_and_written_again(copied):
    (copied / "card.md").write_text("# It is always right\n")
    with pytest.warns(ModelWarning, match=r"card\.md does not match"):
        assert "always right" not in card_of("tiny")


def test_metadata_that_lack_something_are_told(copied):
    metadata = json.loads((copied / "metadata.json").read_text())
    del metadata["seed"]
    (copied / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ModelError, match="lack 'seed'; train it again"):
        make_card("tiny")


@pytest.mark.parametrize("name", ["aligned", "classic", "embedding"])
def test_a_stored_card_holds_how_the_model_was_made_and_how_well_it_does(shipped, name):
    card, metadata = read_card(name), read_metadata(name)
    search, vectors = metadata["search"], metadata["kernel_vectors"]
    members = search.get("members") or {"": search["best"]}
    counts = [best["n_components"] for best in members.values()]
    assert re.findall(r"^\| [\w ]+ \| [^|\d]+ \| (\d+) \| \d\.\d+ \| rbf", card, re.MULTILINE) == [
        str(count) for count in counts
    ]
    for words in (
        f"trained on {sum(metadata['training_faces'].values()):,} faces",
        f"Of the {vectors['count']:,}, none can be traced to one photo.",
        f"in {metadata['minutes']:.1f} minutes",
        f"compared {search['candidates']:,} candidates",
        f"{search['balanced_accuracy']:.3f} ± {search['std']:.3f}",
        f"over {search['folds']} folds",
        f"\n    {metadata['command']}\n",
    ):
        assert words in card
    for data, f in read_evaluation(name).items():
        low, high = f["interval_all"]
        assert f"| {f['accuracy_all']:.3f} ({low:.3f} to {high:.3f}) |" in card
        assert f"| {data} | {f['calibration_error']:.3f} | {f['brier_score']:.3f} |" in card
        answered = f"{f['coverage']:.3f} | {f['accuracy_answered']:.3f} ("
        assert f"| {data} | {f['n']:,} | {answered}" in card


def test_the_settings_of_every_member_are_told(tiny_model):
    members = {"pixels": {"C": 1.0, "gamma": 0.5}, "patterns": {"C": 2.0, "landmarks": 9}}
    search = METADATA["search"] | {"members": members}
    card = write_card(tiny_model, METADATA | {"search": search})
    assert "| member | C | gamma | landmarks |" in card
    assert "| pixels | 1.0 | 0.5 |  |\n| patterns | 2.0 |  | 9 |" in card


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "it was not said whether a label is one person"),
        ({"subjects": ONE_EACH}, "it was not said"),
        ({"subjects": NINE_EACH}, "it knows labels, not"),
        ({"identity": True}, "recognising people by their faces is biometric"),
    ],
)
def test_what_a_model_must_not_be_used_for_depends_on_what_its_labels_are(more, words, tiny_model):
    card = write_card(tiny_model, METADATA | more)
    told = section(card, "What it must not be used for")
    assert words in told
    assert told.count("- for a decision about a person") == 1
    assert ("it knows labels, not people" in told) == words.startswith("it knows")


def test_a_title_is_told_and_cannot_become_markup(tiny_model):
    card = write_card(tiny_model, METADATA | {"title": "Mood *now*"})
    assert "**Mood \\*now\\*.**" in card


def test_a_card_says_whom_a_drawn_face_shows(tiny_model):
    subjects = {"a": {"known": 1, "largest": 1.0}, "b": {"known": 50, "largest": 0.05}}
    card = write_card(tiny_model, METADATA | {"subjects": subjects})
    assert "A real person may be shown: the faces of label a are of 1 known subject." in card


def test_strangers_are_told_where_the_labels_are_persons(tiny_model):
    strangers = {"faces": 70, "auc": 0.97, "false_accept": 0.05, "false_reject": 0.08}
    rule = {"min_lead": 0.4, "coverage": 0.9, "accuracy": 0.99}
    told = write_card(
        tiny_model, METADATA | {"identity": True, "strangers": strangers, "rule": rule}
    )
    assert "| 0.050 | 0.080 | 0.970 |" in section(told, "Whom it does not know")
    without = write_card(tiny_model, METADATA | {"identity": True, "strangers": strangers})
    assert "no rule to call a stranger unknown" in section(without, "Whom it does not know")
    assert "Whom it does not know" not in write_card(tiny_model, METADATA | {"rule": {}})


def left_out(name: str, accuracy: float, within: float) -> dict[str, Any]:
    return {
        "set": name,
        "faces": 1200,
        "accuracy": accuracy,
        "interval": (accuracy - 0.02, accuracy + 0.02),
        "balanced_accuracy": accuracy - 0.01,
        "within": within,
        "interval_within": (within - 0.01, within + 0.01),
        "balanced_within": within - 0.005,
    }


@pytest.mark.parametrize("evaluated", [True, False])
def test_how_accuracy_falls_on_another_data_set_is_told(evaluated, tiny_model):
    found = [left_out("wild *1*", 0.8124, 0.931), left_out("studio", 0.88, 0.95)]
    table = predictions()
    evaluation = {"x": evaluate_predictions(table)} if evaluated else None
    card = write_card(tiny_model, METADATA | {"other_sets": found}, evaluation, table)
    told = section(card, "How often it is right on photos of another kind")
    assert (
        "On photos of a data set that it had not seen, 81.2% to 88.0% are right, against 93.1% "
        "to 95.0% by cross-validation." in told
    )
    studio = "| studio | 1,200 | 0.880 (0.860 to 0.900) | 0.870 | 0.950 (0.940 to 0.960) | 0.945 |"
    assert studio in told
    assert told.index("studio") < told.index("wild \\*1\\*")
    names = sections(card)
    other = names.index("How often it is right on photos of another kind")
    assert names[other - 1] == "How often it is right"
    assert "another kind" not in write_card(tiny_model, METADATA)
    alike = write_card(tiny_model, METADATA | {"other_sets": [found[1], found[1]]})
    assert "seen, 88.0% are right, against 95.0% by cross-validation." in alike


def test_the_card_of_a_model_of_whole_photos_names_no_detector(whole_artifacts, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(whole_artifacts))
    card = make_card("tiny")
    assert (
        "Each photo is taken for one face, without a detector, and scaled to 160 x 160 pixels"
        in card
    )
    assert "Faces are found" not in card


def test_gaps_between_groups_are_told_by_test_set(tiny_model):
    table = predictions(n=180).assign(answered=lambda table: table["detected"])
    evaluation = {"x": evaluate_predictions(table)}
    told = write_card(tiny_model, METADATA, evaluation, table).split("### How far groups")[1]
    for gap in trait_gaps(table):
        if gap["figure"] != "recall":
            (found,) = gap["sets"]
            low, high = found["interval"]
            cells = f"{found['gap']:.3f} ({low:.3f} to {high:.3f}) | {found['worst']} |"
            assert f"| {gap['trait']} | x | {gap['figure']} | {cells}" in told
    recall = max(
        (gap for gap in trait_gaps(table) if gap["figure"] == "recall"),
        key=lambda gap: gap["sets"][0]["gap"],
    )
    assert f"recall of {recall['label']} | {recall['sets'][0]['gap']:.3f} (" in told
    assert "do not agree" not in told
    assert "How far groups" not in write_card(tiny_model, METADATA, evaluation)


def test_test_sets_that_do_not_agree_on_a_gap_are_told(tiny_model):
    def half(name: str, weak: str) -> pd.DataFrame:
        rows = predictions(n=180).assign(set=name)
        bad = rows["label"].eq(weak) & rows["detected"]
        rows.loc[bad, "predicted"] = {"a": "b", "b": "a"}[weak]
        return rows

    table = pd.concat([half("x", "a"), half("y", "b")], ignore_index=True)
    evaluation = {name: evaluate_predictions(rows) for name, rows in table.groupby("set")}
    card = write_card(tiny_model, METADATA, evaluation, table)
    gap = trait_gaps(table)[0]["agreement"]
    assert gap["opposed"]
    assert (
        "- by label in forced accuracy (p below 0.001, in opposite directions; all photos together "
        f"would show {gap['together']:.3f})"
    ) in card


def test_the_area_under_the_risk_coverage_curve_is_told(tiny_model):
    table = predictions().assign(answered=True)
    evaluation = {"x": evaluate_predictions(table)}
    risk = evaluation["x"]["risk"]
    row = f"| x | {risk['aurc']:.4f} | {risk['random']:.4f} | {risk['ideal']:.4f} |"
    assert row in write_card(tiny_model, METADATA, evaluation)
    del evaluation["x"]["risk"]
    assert row in write_card(tiny_model, METADATA, evaluation, table)
    assert "risk-coverage" not in write_card(tiny_model, METADATA, evaluation)
