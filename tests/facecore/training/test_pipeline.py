import json
import random
import shutil
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cartoons import draw_photo, encode, write_raw

from facecore.data.crops import crop_folder, read_table, recipe_settings
from facecore.data.faces import gather, load_faces
from facecore.data.splits import hold_out, subject_names
from facecore.errors import DataError, ModelError
from facecore.evaluation.curves import calibration_error
from facecore.evaluation.report import evaluate_predictions
from facecore.face.features import Features
from facecore.face.recipes import MEMBERS, RECIPES
from facecore.model.classifier import FaceModel, Member
from facecore.model.explain import distance_from_face_space
from facecore.model.rule import AnswerRule
from facecore.model.store import load_model, read_evaluation, read_metadata, read_model_table
from facecore.training.calibrate import calibrate_members, with_rule
from facecore.training.estimator import FaceSpaceClassifier
from facecore.training.grids import TUNED, Candidate, parse_grid, read_grid
from facecore.training.metadata import describe_search, join_tables
from facecore.training.pipeline import train
from facecore.training.search import SearchResult

CLASSIC, ALIGNED = RECIPES["classic"], RECIPES["aligned"]


@pytest.fixture(scope="module")
def split_crops(tmp_path_factory):
    """Crops of a data set with a train and a test split."""
    root = tmp_path_factory.mktemp("split")
    write_raw(root / "raw", persons=6, shots=2, split=True)
    crop_folder(root / "raw", root / "crops", recipe_settings("classic"))
    return root / "crops"


def test_only_the_train_split_is_fitted_and_the_test_split_is_evaluated(
    split_crops, tiny_grid, artifacts
):
    train([split_crops], "m", recipe="classic", grid=str(tiny_grid))
    table = read_table(split_crops)
    kept = table[table["state"].eq("kept")]
    metadata, evaluation = read_metadata("m"), read_evaluation("m")
    fitted = kept.loc[kept["split"].eq("train"), "label"].value_counts().to_dict()
    assert metadata["training_faces"] == fitted
    assert evaluation["crops"]["n"] == table["split"].eq("test").sum()
    assert metadata["data"]["crops"]["photos"] == len(table)
    assert metadata["labels"] == ["round", "square"]


def test_without_a_split_whole_persons_are_held_out():
    table = pd.DataFrame(
        {
            "label": np.repeat(["a", "b"], 30),
            "subject": [f"{i // 3}" for i in range(60)],
            "path": [f"{i}.jpg" for i in range(60)],
        }
    )
    split = hold_out(table, 0)
    assert 8 <= (split == "test").sum() <= 16
    assert set(split) == {"train", "test"}
    assert pd.Series(split).groupby(table["subject"]).nunique().eq(1).all()
    assert set(table["label"][split == "test"]) == {"a", "b"}
    assert (split == hold_out(table, 0)).all()


def test_persons_are_apart_between_data_sets_and_unknown_ones_are_each_their_own():
    table = pd.DataFrame(
        {
            "set": ["x", "y", "x", "x", "x"],
            "subject": ["eve", "eve", "", "", "eve"],
            "path": ["1", "2", "3", "4", "5"],
        }
    )
    who = subject_names(table)
    assert len(set(who)) == 4
    assert who[0] == who[4]


@pytest.mark.parametrize("jobs", [1, 2])
def test_two_trainings_with_one_seed_give_the_same_bytes(
    jobs, crops_folder, tiny_grid, tiny_artifacts, artifacts
):
    folder = train([crops_folder], "tiny", recipe="classic", grid=str(tiny_grid), jobs=jobs)
    for file in ("model.npz", "model.json", "sizes.csv"):
        assert (folder / file).read_bytes() == (tiny_artifacts / "tiny" / file).read_bytes()
    scores = pd.read_csv(folder / "grid_search.csv").filter(regex="score$|param").drop(
        columns=["mean_score_time", "std_score_time"], errors="ignore"
    )  # fmt: skip
    stored = pd.read_csv(tiny_artifacts / "tiny" / "grid_search.csv")
    pd.testing.assert_frame_equal(scores, stored[scores.columns])


def test_another_seed_holds_out_other_persons(crops_folder):
    splits = [tuple(gather([crops_folder], CLASSIC, seed=seed)["split"]) for seed in range(4)]
    assert len(set(splits)) > 1


def test_a_raw_folder_is_cropped_first(raw_folder, tiny_grid, artifacts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train([raw_folder], "m", recipe="classic", grid=str(tiny_grid))
    (crops,) = (tmp_path / "crops").iterdir()
    assert len(read_table(crops)) == 32
    assert load_model("m").labels == ("round", "square")
    assert set(read_evaluation("m")) == {"drawn"}


def test_a_model_tells_no_path_no_file_and_no_person(tiny_artifacts, raw_folder, crops_folder):
    names = [p.stem for p in raw_folder.glob("*/*.jpg")] + ["s-round", "s-square", "p00_"]
    places = [str(raw_folder), str(crops_folder), "/tmp", "/home", "C:\\"]
    for file in (tiny_artifacts / "tiny").iterdir():
        if file.suffix != ".npz":
            text = file.read_text(encoding="utf-8")
            assert not [word for word in names + places if word in text], file.name


def test_a_model_tells_how_it_was_made(tiny_artifacts, tiny_grid):
    metadata = json.loads((tiny_artifacts / "tiny" / "metadata.json").read_text())
    assert metadata["name"] == "tiny"
    assert metadata["recipe"] == "classic"
    assert metadata["search"]["candidates"] == 4
    assert metadata["search"]["folds"] == 5
    assert set(metadata["search"]["best"]) >= {"n_components", "C", "gamma"}
    assert 0.5 < metadata["search"]["balanced_accuracy"] <= 1
    assert {"python", "numpy", "scikit-learn", "opencv-python-headless"} <= set(
        metadata["versions"]
    )
    counts = metadata["data"]["drawn"]
    assert counts["photos"] == counts["train"] + counts["test"] == sum(counts["states"].values())
    vectors = metadata["kernel_vectors"]
    assert vectors["kind"] == "support vectors"
    assert vectors["count"] == vectors["lead_back_to_a_photo"] > 0


def test_a_model_for_giving_away_has_no_vector_that_leads_back(crops_folder, tiny_grid, artifacts):
    train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), centres=30)
    vectors = read_metadata("m")["kernel_vectors"]
    assert vectors["kind"] == "cluster centres"
    assert vectors["lead_back_to_a_photo"] == 0
    assert 1 <= vectors["count"] <= 30


def test_a_recipe_that_may_be_unsure_gives_its_model_a_rule(
    crops_folder, tiny_grid, tiny_artifacts, artifacts, monkeypatch
):
    monkeypatch.setitem(RECIPES, "strict", CLASSIC | {"name": "strict", "unsure": 0.999})
    monkeypatch.setitem(MEMBERS, "strict", MEMBERS["classic"])
    train([crops_folder], "m", recipe="strict", grid=str(tiny_grid))
    model, rule = load_model("m"), read_metadata("m")["rule"]
    assert model.rule == AnswerRule(rule["min_confidence"], rule["max_distance"])
    assert rule["target"] == 0.999
    assert 0 < rule["coverage"] <= 1
    assert (artifacts / "m" / "model.npz").read_bytes() == (
        tiny_artifacts / "tiny" / "model.npz"
    ).read_bytes()
    predictions, figures = read_model_table("predictions", "m"), read_evaluation("m")["drawn"]
    scores = predictions[["p_round", "p_square"]].max(axis=1)
    answered = (scores >= rule["min_confidence"]) & (
        predictions["distance"] <= rule["max_distance"]
    )
    assert (predictions["answered"] == answered).all()
    assert figures["coverage"] == round(answered.mean(), 4)


def test_a_recipe_that_may_not_be_unsure_gives_no_rule(tiny_artifacts):
    assert "rule" not in json.loads((tiny_artifacts / "tiny" / "metadata.json").read_text())
    assert "rule" not in json.loads((tiny_artifacts / "tiny" / "model.json").read_text())


@pytest.mark.parametrize("data", ["faces", "three_faces"])
def test_the_rule_is_chosen_on_the_training_faces(data, request):
    X, y, _ = request.getfixturevalue(data)
    classifier = FaceSpaceClassifier(20, calibrate=False).fit(X, y)
    model = classifier.to_model(CLASSIC | {"unsure": 0.95})
    rng = np.random.default_rng(0)
    decisions = model.decision_function(X).reshape(len(y), -1)
    decisions = decisions + rng.normal(0, 1.2, decisions.shape)
    scores = np.linspace(1, 0.9, len(y))
    ruled, told = with_rule(model, decisions, X, y, scores)
    P = model.probability_of(decisions)
    right = np.array(model.labels)[P.argmax(axis=1)] == y
    answered = P.max(axis=1) >= ruled.rule.min_confidence
    assert right.mean() < 0.95 <= right[answered].mean()
    assert told["coverage"] == round(answered.mean(), 4) < 1
    assert told["accuracy"] == round(right[answered].mean(), 4)
    assert (distance_from_face_space(model, X) < ruled.rule.max_distance).all()


def test_the_stored_tables_fit_the_model(in_tiny_artifacts):
    predictions = read_model_table("predictions", "tiny")
    assert (
        evaluate_predictions(predictions.fillna(""))["n"]
        == read_metadata("tiny")["data"]["drawn"]["test"]
    )
    assert len(read_model_table("grid_search", "tiny")) == 4
    assert len(read_model_table("sizes", "tiny")) == 32


def test_of_copies_in_two_data_sets_the_test_copy_stays(tmp_path):
    shared = encode(draw_photo("round", 20), quality=95)
    for name, split in (("one", "train"), ("two", "test")):
        raw = write_raw(tmp_path / name, persons=2, shots=1)
        table = pd.read_csv(raw / "labels.csv", keep_default_na=False)
        # The photos of the second data set differ from those of the first but for one.
        for person, path in enumerate(table["path"]):
            label = path.split("/")[0]
            pixels = draw_photo(label, person + (40 if name == "two" else 30))
            (raw / path).write_bytes(encode(pixels, quality=95))
        (raw / "round" / "same.jpg").write_bytes(shared)
        table.loc[len(table)] = {"path": "round/same.jpg", "label": "round", "subject": "s"}
        table.assign(split=split).to_csv(raw / "labels.csv", index=False)
        crop_folder(raw, tmp_path / f"{name}-crops", recipe_settings("classic"))
    faces = gather([tmp_path / "one-crops", tmp_path / "two-crops"], CLASSIC)
    copies = faces[faces["path"].eq("round/same.jpg")].set_index("set")["state"]
    assert copies.to_dict() == {"one-crops": "duplicate", "two-crops": "kept"}


def test_data_sets_of_one_name_are_told_apart(split_crops, tmp_path):
    other = tmp_path / "crops"
    shutil.copytree(split_crops, other)
    faces = gather([split_crops, other], CLASSIC)
    assert set(faces["set"]) == {"crops-1", "crops-2"}
    assert faces.query("state == 'kept'")["sha256"].is_unique


def test_a_crop_that_is_missing_names_the_command_that_makes_it(split_crops, tmp_path):
    shutil.copytree(split_crops, tmp_path / "copy")
    table = read_table(tmp_path / "copy").query("state == 'kept'")
    table = table.assign(folder=str(tmp_path / "copy"))
    (tmp_path / "copy" / table["crop"].iloc[0]).unlink()
    with pytest.raises(DataError, match="facecore crop RAW"):
        load_faces(table, CLASSIC)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"C": [1]}', '{"C": [1], "gamma": [1], "n_components": "many"}', "{"]
)
def test_a_grid_file_that_makes_no_sense_is_an_error(text, tmp_path):
    (tmp_path / "grid.json").write_text(text)
    with pytest.raises(DataError, match="grid"):
        read_grid(str(tmp_path / "grid.json"), "classic", "pixels")


def test_an_unknown_grid_names_those_there_are():
    with pytest.raises(DataError, match="there are: quick, full"):
        read_grid("huge", "classic", "pixels")


def test_an_unknown_recipe_names_those_there_are(split_crops, artifacts):
    with pytest.raises(DataError, match="there are: classic"):
        train([split_crops], "m", recipe="cake")


def test_a_bad_name_is_refused_before_any_work(artifacts, tmp_path):
    with pytest.raises(ModelError, match="cannot name a model"):
        train([tmp_path / "nowhere"], "../m")


def test_one_label_is_an_error(tmp_path, artifacts, tiny_grid, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_raw(tmp_path / "raw", labels=("round",), persons=3, shots=1)
    with pytest.raises(DataError, match="two labels"):
        train([tmp_path / "raw"], "m", recipe="classic", grid=str(tiny_grid))


def test_photos_without_a_face_are_an_error(tmp_path, artifacts, tiny_grid, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(8):
        path = tmp_path / "raw" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(np.full((60, 60 + i, 3), 9 * i, dtype=np.uint8), "PNG"))
    with pytest.raises(DataError, match="no face to train on"):
        train([tmp_path / "raw"], "m", recipe="classic", grid=str(tiny_grid))


@pytest.mark.parametrize("moment", range(3))
def test_a_training_that_is_killed_leaves_the_old_model(
    moment, tiny_artifacts, crops_folder, tiny_grid, tmp_path, start, monkeypatch
):
    root = tmp_path / "models"
    shutil.copytree(tiny_artifacts, root)
    chance = random.Random(moment)
    arguments = ("--name", "tiny", "--grid", tiny_grid, "--jobs", 1, "--seed", 1)
    process = start("train", crops_folder, *arguments, models=root)
    if moment:
        while not list(root.glob(".new-*")) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
    else:
        time.sleep(chance.uniform(0.5, 2.5))
    process.kill()
    process.wait()
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(root))
    assert read_metadata("tiny")["seed"] in (0, 1)
    assert load_model("tiny").labels == ("round", "square")
    train([crops_folder], "tiny", recipe="classic", grid=str(tiny_grid), seed=2)
    assert {path.name for path in root.iterdir()} == {"tiny"}
    assert read_metadata("tiny")["seed"] == 2


def test_the_aligned_model_has_three_members_that_read_as_the_recipe_says(tiny_aligned):
    members = {member.name: member.features for member in tiny_aligned.members}
    assert list(members.items()) == list(MEMBERS["aligned"].items())
    assert dict(tiny_aligned.recipe) == ALIGNED
    assert tiny_aligned.pixels.name == "pixels"


def test_the_aligned_model_tells_the_held_out_faces_apart(
    aligned_artifacts, aligned_crops, tiny_aligned, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(aligned_artifacts))
    (figures,) = read_evaluation("tiny").values()
    assert figures["detected"] == figures["n"] >= 6
    assert figures["accuracy_all"] == 1
    faces = gather([aligned_crops], ALIGNED)
    held_out = faces[faces["split"].eq("test") & faces["state"].eq("kept")]
    assert len(held_out) == figures["n"]
    assert (tiny_aligned.predict(load_faces(held_out, ALIGNED)) == held_out["label"]).all()


def test_every_member_is_searched_in_its_own_grid(aligned_artifacts, tiny_grids, monkeypatch):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(aligned_artifacts))
    table, search = read_model_table("grid_search", "tiny"), read_metadata("tiny")["search"]
    grids = json.loads(tiny_grids.read_text())
    assert table.columns[0] == "param_member"
    assert search["candidates"] == len(table) == 6
    assert list(table["param_member"].unique()) == list(search["members"]) == list(grids)
    for member, rows in table.groupby("param_member"):
        assert sorted(rows["rank_test_score"]) == list(range(1, len(rows) + 1))
        best = rows.loc[rows["rank_test_score"].idxmin()]
        for name, values in grids[member].items():
            assert set(rows[f"param_{name}"]) == set(values)
            assert search["members"][member][name] == best[f"param_{name}"]
        assert search["grid"][member] == parse_grid(grids[member])
    assert search["best"] == search["members"]["pixels"]


def test_the_members_have_as_many_eigenfaces_as_their_search_chose(
    aligned_artifacts, tiny_aligned, monkeypatch
):
    monkeypatch.setenv("FACECORE_ARTIFACTS", str(aligned_artifacts))
    members = read_metadata("tiny")["search"]["members"]
    for member in tiny_aligned.members:
        assert len(member.components) == members[member.name]["n_components"]
        assert member.gamma == members[member.name]["gamma"]


def test_an_aligned_model_that_is_saved_again_is_the_same(
    aligned_artifacts, tiny_aligned, aligned_crops, tmp_path
):
    tiny_aligned.save(tmp_path)
    for file in ("model.npz", "model.json"):
        stored = (aligned_artifacts / "tiny" / file).read_bytes()
        assert (tmp_path / file).read_bytes() == stored
    faces = read_table(aligned_crops).query("state == 'kept'").assign(folder=str(aligned_crops))
    X = load_faces(faces.iloc[::4], ALIGNED)
    again = FaceModel.load(tmp_path)
    assert (again.decision_function(X) == tiny_aligned.decision_function(X)).all()
    assert again.rule == tiny_aligned.rule != AnswerRule()


def test_two_trainings_of_several_members_give_the_same_bytes(
    aligned_crops, tiny_grids, aligned_artifacts, artifacts
):
    folder = train([aligned_crops], "tiny", recipe="aligned", grid=str(tiny_grids), jobs=2)
    for file in ("model.npz", "model.json", "sizes.csv", "coordinates.csv"):
        assert (folder / file).read_bytes() == (aligned_artifacts / "tiny" / file).read_bytes()


def test_on_centres_no_vector_of_any_member_leads_back_to_a_photo(
    aligned_crops, tiny_grids, aligned_artifacts, tiny_aligned, artifacts
):
    train([aligned_crops], "m", recipe="aligned", grid=str(tiny_grids), centres=20)
    vectors, model = read_metadata("m")["kernel_vectors"], load_model("m")
    assert vectors["kind"] == "cluster centres"
    assert vectors["lead_back_to_a_photo"] == 0
    assert vectors["count"] == sum(len(member.kernel_vectors) for member in model.members)
    exact = json.loads((aligned_artifacts / "tiny" / "metadata.json").read_text())
    assert exact["kernel_vectors"]["lead_back_to_a_photo"] > 0
    faces = gather([aligned_crops], ALIGNED).query("state == 'kept'")
    X = load_faces(faces, ALIGNED)
    assert (model.predict(X) == tiny_aligned.predict(X)).mean() > 0.9
    assert not (artifacts / "m" / "coordinates.csv").exists()


@pytest.mark.parametrize(("recipe", "crops"), [("aligned", "crops_folder"),
                                               ("classic", "aligned_crops")])  # fmt: skip
def test_crops_of_another_recipe_are_refused_with_the_command_that_mends_it(
    recipe, crops, request, artifacts
):
    folder = request.getfixturevalue(crops)
    command = f"python -m facecore crop RAW --out OTHER --recipe {recipe}"
    with pytest.raises(DataError, match=command) as caught:
        train([folder], "m", recipe=recipe)
    assert str(folder) in str(caught.value)
    assert not artifacts.exists()


def test_each_recipe_has_crops_of_its_own(raw_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classic, aligned = (set(gather([raw_folder], r)["folder"]) for r in (CLASSIC, ALIGNED))
    assert len(classic | aligned) == 2
    assert (gather([raw_folder], ALIGNED)["state"] == "kept").all()


def test_the_tuned_grid_is_that_of_the_recipe_and_member():
    assert read_grid("tuned", "aligned", "hog wide") == parse_grid(TUNED["aligned"]["hog wide"])
    assert read_grid("tuned", "classic", "pixels") == parse_grid(TUNED["classic"]["pixels"])


def test_landmarks_have_narrower_kernels_in_the_tuned_grid_and_in_no_other(tiny_grid):
    exact, other = (read_grid("tuned", "aligned", "hog wide", s) for s in ("exact", "nystroem"))
    assert min(other["gamma"]) > max(exact["gamma"])
    assert other["gamma"] == pytest.approx([1 / 300, 1.5 / 300], abs=1e-6)
    assert other | {"gamma": exact["gamma"]} == exact
    for grid in ("quick", "full", str(tiny_grid)):
        exact, other = (read_grid(grid, "classic", "pixels", s) for s in ("exact", "nystroem"))
        assert other == exact


def test_a_grid_file_has_one_grid_for_all_members_or_one_for_each(tiny_grid, tiny_grids):
    assert read_grid(str(tiny_grid), "aligned", "hog tight") == read_grid(
        str(tiny_grid), "aligned", "pixels"
    )
    grids = json.loads(tiny_grids.read_text())
    for member, grid in grids.items():
        assert read_grid(str(tiny_grids), "aligned", member) == parse_grid(grid)


def test_a_grid_file_that_leaves_a_member_out_is_an_error(tiny_grids, tmp_path):
    grids = json.loads(tiny_grids.read_text())
    del grids["hog wide"]
    (tmp_path / "grid.json").write_text(json.dumps(grids))
    with pytest.raises(DataError, match=r"unknown: .*'hog tight'"):
        read_grid(str(tmp_path / "grid.json"), "aligned", "hog wide")


def searched(scores: list[float], n: int = 10) -> SearchResult:
    table = pd.DataFrame(
        {"param_C": np.arange(len(scores)), "split0_test_score": scores,
         "split1_test_score": scores, "mean_test_score": scores}
    )  # fmt: skip
    best = Candidate(n_components=n, gamma=0.1, C=float(np.argmax(scores) + 1))
    return SearchResult(table, best, np.zeros((4, 1)))


def test_the_candidates_of_several_members_are_one_table():
    one, two = searched([0.5, 0.6]), searched([0.7, 0.9, 0.8])
    table = join_tables({"pixels": one, "hog": two})
    assert table["param_member"].tolist() == ["pixels"] * 2 + ["hog"] * 3
    assert table["mean_test_score"].tolist() == [0.5, 0.6, 0.7, 0.9, 0.8]
    assert "param_member" not in join_tables({"pixels": one})


def test_the_described_search_scores_the_whole_model_and_names_what_each_member_chose():
    y, groups = np.repeat(["a", "b"], 20), np.arange(40).astype(str)
    decisions = np.where(y == "b", 1.0, -1.0)[:, None]
    decisions[:4] *= -1
    searches = {"pixels": searched([0.5, 0.6]), "hog": searched([0.9, 0.7], 7)}
    told = describe_search(searches, {"pixels": {}, "hog": {}}, decisions, y, groups, 0)
    assert (told["candidates"], told["folds"]) == (4, 2)
    best = {"n_components": 10, "whiten": True, "gamma": 0.1, "C": 2.0}
    assert told["best"] == best | {"class_weight": "balanced"}
    assert told["members"]["pixels"] == told["best"]
    assert told["members"]["hog"] == told["best"] | {"n_components": 7, "C": 1.0}
    assert told["balanced_accuracy"] == pytest.approx(0.9)
    alone = describe_search(
        {"pixels": searched([1])}, {"pixels": {"C": [1]}}, decisions, y, groups, 0
    )
    assert "members" not in alone
    assert alone["grid"] == {"C": [1]}


def straight_member(name: str, weights: np.ndarray, bias: np.ndarray) -> Member:
    """A member whose decisions are sums of four grey levels, each between 0 and 1."""
    outputs = weights.shape[1]
    return Member(
        minimum=np.zeros(4, np.float32), span=np.full(4, 255, np.float32),
        mean=np.zeros(4, np.float32), components=np.eye(4, dtype=np.float16),
        deviation=np.ones(4, np.float32), variance=np.ones(4, np.float32), total_variance=4.0,
        kernel_vectors=np.eye(4, dtype=np.float32), coefficients=weights,
        intercept=np.broadcast_to(bias, outputs).astype(float), gamma=0.0, kernel="linear",
        features=Features("pixels", 2) if name == "second" else Features(), name=name,
    )  # fmt: skip


def made_decisions(labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of four grey levels, and labels that depend on them by chance."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 256, (6000, 4), dtype=np.uint8)
    if labels == 2:
        odds = 6 * (X / 255 - 0.5) @ [1, 1, -1, 0]
        return X, np.where(rng.random(len(X)) < 1 / (1 + np.exp(-odds)), "b", "a")
    odds = 8 * (X[:, :3] / 255 - 0.5)
    return X, np.array(list("abc"))[(odds + rng.gumbel(size=odds.shape)).argmax(axis=1)]


def made_model(labels: int) -> FaceModel:
    """Two members, each of which sees a part of what the labels depend on, in its own unit."""
    if labels == 2:
        first, second = np.array([[1.0, 0, -1, 0]]).T, 400 * np.array([[0.5, 1, -0.5, 0]]).T
        biases = np.array([0.3]), np.array([-100.0])
    else:
        first, second = 0.1 * np.eye(4, 3), 30 * np.eye(4, 3)
        biases = np.array([0.0, 0.2, -0.1]), np.array([-15.0, -10, -20])
    members = (straight_member("first", first, biases[0]),
               straight_member("second", second, biases[1]))  # fmt: skip
    return FaceModel(tuple("abc"[:labels]), members, np.ones(len(biases[0])), {"side": 2})


def calibrated(model: FaceModel, X: np.ndarray, y: np.ndarray) -> tuple[FaceModel, np.ndarray]:
    return calibrate_members(model, [m.decide(m.coordinates(X)) for m in model.members], y)


def test_the_probabilities_of_two_members_together_are_as_often_right_as_they_say():
    X, y = made_decisions(2, 1)
    errors = []
    for model in (made_model(2), calibrated(made_model(2), *made_decisions(2, 0))[0]):
        table = pd.DataFrame(model.predict_proba(X), columns=["p_a", "p_b"])
        table = table.assign(label=y, predicted=model.predict(X), detected=True)
        errors.append(calibration_error(table))
    assert errors[0] > 0.1
    assert errors[1] < 0.02
    assert 0.8 < (table["predicted"] == y).mean() < 0.9


@pytest.mark.parametrize("labels", [2, 3])
def test_the_decisions_that_calibration_returns_are_those_of_the_model(labels):
    X, y = made_decisions(labels, 0)
    model, decisions = calibrated(made_model(labels), X, y)
    assert decisions.reshape(-1) == pytest.approx(model.decision_function(X).reshape(-1), abs=1e-4)


def test_the_unit_of_a_members_decisions_does_not_matter():
    X, y = made_decisions(2, 0)
    model = made_model(2)
    first, second = model.members
    scaled = replace(
        second, coefficients=second.coefficients * 1000, intercept=second.intercept * 1000
    )
    one, other = (
        calibrated(replace(model, members=(first, member)), X, y)[0] for member in (second, scaled)
    )
    assert other.predict_proba(X) == pytest.approx(one.predict_proba(X), abs=1e-3)


def test_calibration_keeps_the_order_of_the_decisions_of_a_member_alone():
    X, y = made_decisions(2, 0)
    model = replace(made_model(2), members=made_model(2).members[:1])
    before = model.decision_function(X)
    after = calibrated(model, X, y)[0].predict_proba(X)[:, 1]
    order = np.argsort(before, kind="stable")
    assert (np.diff(after[order]) >= -1e-9).all()
    assert (np.diff(after[order]) > 0).any()


def test_a_training_with_landmarks_says_so_and_answers_like_the_exact_one(
    crops_folder, tiny_grid, tiny_artifacts, artifacts
):
    train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver="nystroem")
    metadata = read_metadata("m")
    exact = json.loads((tiny_artifacts / "tiny" / "metadata.json").read_text())
    assert (metadata["solver"], exact["solver"]) == ("nystroem", "exact")
    gap = metadata["search"]["balanced_accuracy"] - exact["search"]["balanced_accuracy"]
    assert gap >= -0.05


def test_the_number_of_landmarks_can_be_chosen(crops_folder, tiny_grid, artifacts):
    counts = []
    for landmarks in (10, 20):
        train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver="nystroem",
              landmarks=landmarks)  # fmt: skip
        counts.append(read_metadata("m")["kernel_vectors"]["count"])
    assert counts == [20, 40]  # with their mirror images


@pytest.mark.parametrize("fails", [False, True])
def test_the_faces_on_disk_are_removed_after_success_and_after_an_error(
    fails, crops_folder, tiny_grid, artifacts, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if fails:
        monkeypatch.setattr(
            "facecore.training.pipeline.nystroem_search",
            lambda *a, **k: (_ for _ in ()).throw(DataError("no")),
        )
        with pytest.raises(DataError, match="no"):
            train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver="nystroem")
    else:
        train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver="nystroem")
    assert not list(tmp_path.glob("facecore-train-*"))
