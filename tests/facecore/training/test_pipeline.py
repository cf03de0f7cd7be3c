import json
import random
import shutil
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cartoons import draw_face, draw_photo, encode, write_crops, write_raw

from facecore.data.crops import read_table
from facecore.data.faces import gather, load_faces
from facecore.data.splits import subject_names
from facecore.errors import DataError, ModelError
from facecore.evaluation.report import evaluate_predictions
from facecore.face.recipes import RECIPES
from facecore.model.classifier import FaceModel
from facecore.model.explain import distance_from_face_space
from facecore.model.predict import predict_photo
from facecore.model.rule import AnswerRule
from facecore.model.store import (
    list_models,
    load_model,
    read_card,
    read_evaluation,
    read_metadata,
    read_model_table,
    reserving,
)
from facecore.training import estimator, other_sets, pipeline
from facecore.training.grids import parse_grid
from facecore.training.pipeline import train
from facecore.training.tables import simplest_within_one_error

CLASSIC, ALIGNED = RECIPES["classic"], RECIPES["aligned"]


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


@pytest.mark.parametrize("jobs", [1, 2])
def test_two_trainings_with_one_seed_give_the_same_bytes(
    jobs, crops_folder, tiny_grid, tiny_artifacts, artifacts
):
    folder = train([crops_folder], "tiny", recipe="classic", grid=str(tiny_grid), jobs=jobs)
    for file in ("model.npz", "model.json", "sizes.csv"):
        assert (folder / file).read_bytes() == (tiny_artifacts / "tiny" / file).read_bytes()
    scores = (
        pd.read_csv(folder / "grid_search.csv")
        .filter(regex="score$|param")
        .drop(columns=["mean_score_time", "std_score_time"], errors="ignore")
    )
    stored = pd.read_csv(tiny_artifacts / "tiny" / "grid_search.csv")
    pd.testing.assert_frame_equal(scores, stored[scores.columns])


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
        # The folder `local` is no part of the model, and in no download.
        if file.suffix != ".npz" and file.name != "local":
            text = file.read_text(encoding="utf-8")
            assert not [word for word in names + places if word in text], file.name


def test_a_model_for_giving_away_has_no_vector_that_leads_back(crops_folder, tiny_grid, artifacts):
    train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), centres=30)
    vectors = read_metadata("m")["kernel_vectors"]
    assert vectors["kind"] == "cluster centres"
    assert vectors["lead_back_to_a_photo"] == 0
    assert 1 <= vectors["count"] <= 30


def test_on_centres_the_folds_are_decided_by_machines_on_centres_too(
    crops_folder, tiny_grid, artifacts, monkeypatch
):
    counts = []
    monkeypatch.setattr(
        estimator, "put_on_centres", lambda *args: counts.append(len(args[1][0])) or args[0]
    )
    train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), centres=30)
    faces = sum(read_metadata("m")["training_faces"].values())
    assert counts[-1] == faces  # the model itself
    assert len(counts) > 2
    assert sum(faces - count for count in counts[:-1]) == faces  # each face is held out once


def test_a_recipe_that_may_be_unsure_gives_its_model_a_rule(
    crops_folder, tiny_grid, tiny_artifacts, artifacts, monkeypatch
):
    monkeypatch.setitem(RECIPES, "strict", replace(CLASSIC, name="strict", unsure=0.999))
    train([crops_folder], "m", recipe="strict", grid=str(tiny_grid))
    model, rule = load_model("m"), read_metadata("m")["rule"]
    least = rule.get("min_confidence", 0.0)
    assert model.rule == AnswerRule(least, rule["max_distance"])
    assert rule["target"] == 0.999
    assert 0 < rule["coverage"] <= 1
    assert (artifacts / "m" / "model.npz").read_bytes() == (
        tiny_artifacts / "tiny" / "model.npz"
    ).read_bytes()
    predictions, figures = read_model_table("predictions", "m"), read_evaluation("m")["drawn"]
    scores = predictions[["p_round", "p_square"]].max(axis=1)
    answered = (scores >= least) & (predictions["distance"] <= rule["max_distance"])
    assert (predictions["answered"] == answered).all()
    assert figures["coverage"] == round(answered.mean(), 4)


def test_a_recipe_that_may_not_be_unsure_gives_no_rule(
    crops_folder, tiny_grid, artifacts, monkeypatch
):
    monkeypatch.setitem(RECIPES, "bold", replace(CLASSIC, name="bold", unsure=None))
    folder = train([crops_folder], "m", recipe="bold", grid=str(tiny_grid))
    assert "rule" not in json.loads((folder / "metadata.json").read_text())
    assert "rule" not in json.loads((folder / "model.json").read_text())


@pytest.fixture
def noise(tmp_path):
    """A folder of pictures without a face."""
    rng = np.random.default_rng(0)
    (tmp_path / "noise" / "patch").mkdir(parents=True)
    for i in range(60):
        picture = encode(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8), "PNG")
        (tmp_path / "noise" / "patch" / f"{i}.png").write_bytes(picture)
    return tmp_path / "noise"


def test_what_a_model_is_shown_in_order_to_refuse_it_gets_no_label(
    crops_folder, tiny_grid, artifacts, noise, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    train(
        [crops_folder],
        "m",
        recipe="classic",
        grid=str(tiny_grid),
        no_face={"noise": noise},
        outside={"scribbles": write_raw(tmp_path / "drawn", persons=25, table=False)},
        least_age=13,
    )
    model, metadata = load_model("m"), read_metadata("m")
    assert [kind.name for kind in model.outside] == ["scribbles", "noise"]
    assert model.rule.max_outside == metadata["rule"]["max_outside"] == 0
    _, described = metadata["outside"]
    assert (described["kind"], described["face"], described["pictures"]) == ("noise", False, 60)
    assert described["auc"] > 0.95
    assert metadata["least_age"] == 13
    patch = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    whole = predict_photo(patch, model, detector={"name": "whole"}, rule=AnswerRule(max_outside=0))
    assert whole.faces[0].reason == "not a face: looks like noise"


def test_a_kind_is_either_faces_or_none(crops_folder, tiny_grid, artifacts, noise):
    kinds = {"noise": noise}
    with pytest.raises(DataError, match="'noise' cannot be both"):
        train([crops_folder], "m", grid=str(tiny_grid), outside=kinds, no_face=kinds)


def test_too_few_pictures_to_refuse_are_an_error_before_the_search(
    crops_folder, tiny_grid, artifacts, noise, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for picture in sorted(noise.glob("patch/*"))[:30]:
        picture.unlink()
    with pytest.raises(DataError, match=r"pictures to learn from; 50 or more are needed"):
        train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), no_face={"noise": noise})
    assert list_models() == []


def test_the_stored_tables_fit_the_model(in_tiny_artifacts):
    predictions = read_model_table("predictions", "tiny")
    assert (
        evaluate_predictions(predictions.fillna(""))["n"]
        == read_metadata("tiny")["data"]["drawn"]["test"]
    )
    assert len(read_model_table("grid_search", "tiny")) == 4
    assert len(read_model_table("sizes", "tiny")) == 32


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


def test_a_model_of_whole_photos_answers_about_each_photo_without_a_detector(
    tiny_whole, small_crops, monkeypatch
):
    for detector in ("_Haar", "_Cascaded"):
        monkeypatch.setattr(f"facecore.face.detect.{detector}", lambda _: pytest.fail("searched"))
    assert tiny_whole.recipe.to_dict()["detector"] == {"name": "whole"}
    assert {member.features.frame for member in tiny_whole.members} == {1}
    photos = sorted(small_crops.rglob("*.png"))
    answers = [predict_photo(photo, tiny_whole, rule=AnswerRule()) for photo in photos]
    assert all(len(answer.faces) == 1 for answer in answers)
    assert {answer.faces[0].box for answer in answers} == {(0, 0, 48, 48)}
    right = [a.faces[0].label == p.parent.name for a, p in zip(answers, photos, strict=True)]
    assert np.mean(right) > 0.9
    json.dumps([answer.to_dict() for answer in answers], allow_nan=False)


def test_whole_photos_give_no_rule_about_a_score_that_no_detector_gave(whole_artifacts):
    metadata = json.loads((whole_artifacts / "tiny" / "metadata.json").read_text())
    assert metadata["recipe"] == "aligned"
    assert "min_score" not in metadata["rule"]
    assert metadata["data"]["small"]["min_size"] == 1
    assert metadata["data"]["small"]["states"]["kept"] == 32


def test_a_minimum_is_given_to_the_crops_and_stored(tmp_path, artifacts, tiny_grid, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for label in ("round", "square"):
        for person in range(5):
            photo = tmp_path / "raw" / label / f"{person}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            photo.write_bytes(encode(draw_photo(label, person, face=90 if person else 60), "PNG"))
    train([tmp_path / "raw"], "m", recipe="classic", grid=str(tiny_grid), min_size=80)
    data = read_metadata("m")["data"]["raw"]
    assert (data["min_size"], data["states"]["too_small"]) == (80, 2)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(3))
def test_a_training_that_is_killed_leaves_the_old_model(
    moment, tiny_artifacts, crops_folder, tiny_grid, tmp_path, start, monkeypatch
):
    root = tmp_path / "models"
    shutil.copytree(tiny_artifacts, root)
    chance = random.Random(moment)
    arguments = ("--replace", "--name", "tiny", "--grid", tiny_grid, "--jobs", 1, "--seed", 1)
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
    train([crops_folder], "tiny", recipe="classic", grid=str(tiny_grid), seed=2, replace=True)
    assert {path.name for path in root.iterdir()} == {"tiny", "_runs"}
    assert read_metadata("tiny")["seed"] == 2


def test_the_aligned_model_has_three_members_that_read_as_the_recipe_says(tiny_aligned):
    members = {member.name: member.features for member in tiny_aligned.members}
    assert list(members.items()) == [(n, m.features) for n, m in ALIGNED.members.items()]
    assert tiny_aligned.recipe == ALIGNED
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


@pytest.mark.parametrize(
    ("recipe", "crops"), [("aligned", "crops_folder"), ("classic", "aligned_crops")]
)
def test_crops_of_another_recipe_are_refused_with_the_command_that_mends_it(
    recipe, crops, request, artifacts
):
    folder = request.getfixturevalue(crops)
    command = f"python -m facecore crop RAW --out OTHER --recipe {recipe}"
    with pytest.raises(DataError, match=command) as caught:
        train([folder], "m", recipe=recipe)
    assert str(folder) in str(caught.value)
    assert list_models() == []


def test_a_training_with_landmarks_says_so_and_answers_like_the_exact_one(
    crops_folder, tiny_grid, tiny_artifacts, artifacts
):
    train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver="nystroem")
    metadata = read_metadata("m")
    exact = json.loads((tiny_artifacts / "tiny" / "metadata.json").read_text())
    assert (metadata["solver"], exact["solver"]) == ("nystroem", "exact")
    gap = metadata["search"]["balanced_accuracy"] - exact["search"]["balanced_accuracy"]
    assert gap >= -0.05


@pytest.mark.parametrize("solver", ["exact", "nystroem"])
def test_the_best_candidate_and_a_model_of_one_member_have_the_same_score(
    solver, crops_folder, tiny_grid, artifacts
):
    train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver=solver, seed=3)
    best = pd.read_csv(artifacts / "m" / "grid_search.csv").nsmallest(1, "rank_test_score")
    found = read_metadata("m")["search"]
    assert best["mean_test_score"].item() == pytest.approx(found["balanced_accuracy"], abs=1e-4)
    assert best["std_test_score"].item() == pytest.approx(found["std"], abs=1e-4)


@pytest.mark.parametrize("solver", ["exact", "nystroem"])
def test_a_model_of_the_simplest_candidate_has_its_score_and_components(
    solver, artifacts, tmp_path
):
    crops = write_crops(tmp_path / "crops")
    for number in range(2):  # some wrong labels, so that no candidate is always right
        for path in (crops / "round").glob(f"*{number}_*"):
            path.rename(crops / "square" / f"wrong-{path.name}")
    grid = {"n_components": [1, 2, 3, 4, 6, 8], "C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1]}
    (tmp_path / "grid.json").write_text(json.dumps(grid))
    how = {"grid": str(tmp_path / "grid.json"), "solver": solver, "simplest": True}
    train([crops], "m", recipe="classic", whole_photo=True, **how)
    rows, found = pd.read_csv(artifacts / "m" / "grid_search.csv"), read_metadata("m")["search"]
    row = rows.loc[simplest_within_one_error(rows)]
    assert row["rank_test_score"] != 1  # else this would show nothing
    assert found["chosen"] == "simplest"
    assert found["best"]["n_components"] == row["param_n_components"]
    assert found["best"]["C"] == row["param_C"]
    assert len(load_model("m").pixels.components) == row["param_n_components"]
    assert row["mean_test_score"] == pytest.approx(found["balanced_accuracy"], abs=1e-4)
    assert "the simplest within one standard error" in " ".join(read_card("m").split())


def test_a_training_taken_up_again_counts_the_time_of_its_kept_searches(
    crops_folder, tiny_grid, artifacts, tmp_path
):
    how = {"recipe": "classic", "grid": str(tiny_grid), "searches": tmp_path / "searches"}
    train([crops_folder], "m", **how)
    assert read_metadata("m")["minutes"] < 10
    (kept,) = (tmp_path / "searches").iterdir()
    with np.load(kept) as stored:
        arrays = dict(stored)
    np.savez(kept, **{**arrays, "seconds": 600.0})
    train([crops_folder], "m", replace=True, **how)
    assert 10 <= read_metadata("m")["minutes"] < 20


@pytest.fixture
def two_sets(tmp_path, monkeypatch):
    """Folders of 24 drawn faces each, of other subjects; large enough to be left out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(other_sets, "LEAST_FACES", 12)
    for start, name in ((20, "sunny"), (0, "indoors")):
        for label in ("round", "square"):
            (tmp_path / name / label).mkdir(parents=True)
            for person in range(start, start + 12):
                photo = encode(draw_face(label, person), "PNG")
                (tmp_path / name / label / f"{person}.png").write_bytes(photo)
    return [tmp_path / "sunny", tmp_path / "indoors"]


@pytest.mark.parametrize("recipe", ["classic", "aligned"])
def test_each_of_two_sets_is_left_out_and_told(recipe, two_sets, tiny_grid, tiny_grids, artifacts):
    grid = str(tiny_grids if recipe == "aligned" else tiny_grid)
    train(two_sets, "m", recipe=recipe, grid=grid, whole_photo=True)
    metadata = read_metadata("m")
    first, second = metadata["other_sets"]
    assert (first["set"], second["set"]) == ("indoors", "sunny")
    assert first["faces"] + second["faces"] == sum(metadata["training_faces"].values())
    for found in (first, second):
        assert found["accuracy"] > 0.7
        for share, interval in (("accuracy", "interval"), ("within", "interval_within")):
            low, high = found[interval]
            assert low <= found[share] <= high
    rows = np.array([found["faces"] for found in (first, second)])
    within = np.array([found["balanced_within"] for found in (first, second)])
    overall = metadata["search"]["balanced_accuracy"]
    assert within @ rows / rows.sum() == pytest.approx(overall, abs=0.05)
    assert "photos of another kind" in (artifacts / "m" / "card.md").read_text(encoding="utf-8")


def test_sets_are_not_left_out_of_a_training_with_landmarks_or_of_one_set(
    two_sets, tiny_grid, artifacts
):
    how = {"recipe": "classic", "grid": str(tiny_grid), "whole_photo": True}
    train(two_sets, "landmarks", solver="nystroem", **how)
    train(two_sets[:1], "one", **how)
    assert "other_sets" not in read_metadata("landmarks") | read_metadata("one")


@pytest.mark.slow
def test_the_number_of_landmarks_can_be_chosen(crops_folder, tiny_grid, artifacts):
    counts = []
    for landmarks in (10, 20):
        train(
            [crops_folder],
            "m",
            recipe="classic",
            grid=str(tiny_grid),
            solver="nystroem",
            landmarks=landmarks,
            replace=True,
        )
        counts.append(read_metadata("m")["kernel_vectors"]["count"])
    assert counts == [20, 40]  # with their mirror images


@pytest.mark.parametrize("fails", [False, True])
def test_the_faces_on_disk_are_removed_after_success_and_after_an_error(
    fails, crops_folder, tiny_grid, artifacts, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if fails:
        monkeypatch.setattr(
            "facecore.training.pipeline.nystroem_scores",
            lambda *a, **k: (_ for _ in ()).throw(DataError("no")),
        )
        with pytest.raises(DataError, match="no"):
            train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver="nystroem")
    else:
        train([crops_folder], "m", recipe="classic", grid=str(tiny_grid), solver="nystroem")
    assert not list(tmp_path.glob("facecore-train-*"))


def test_subjects_are_apart_between_data_sets_and_unknown_ones_are_each_their_own():
    table = pd.DataFrame(
        {
            "set": ["x", "y", "x", "x", "x"],
            "subject": ["eve", "eve", "", "", "eve"],
            "path": ["1", "2", "3", "4", "5"],
        }
    )
    subjects = subject_names(table)
    assert len(set(subjects)) == 4
    assert subjects[0] == subjects[4]


def test_the_typical_distance_is_that_of_faces_which_the_eigenfaces_have_not_seen(
    tiny_artifacts, tiny_model, crops_folder
):
    typical = json.loads((tiny_artifacts / "tiny" / "metadata.json").read_text())[
        "typical_distance"
    ]
    table = read_table(crops_folder).assign(folder=str(crops_folder))
    fitted = load_faces(table[table["state"].eq("kept")], tiny_model.recipe)
    seen = np.median(distance_from_face_space(tiny_model, fitted))
    assert seen < typical < 3 * seen


def test_crops_that_another_process_changed_while_they_were_read_are_refused(
    crops_folder, tiny_grid, artifacts, tmp_path, monkeypatch
):
    crops = tmp_path / "crops"
    shutil.copytree(crops_folder, crops)

    def load(*given):
        (crops / ".faces.jsonl").write_text("\n")  # a crop begins
        return load_faces(*given)

    monkeypatch.setattr(pipeline, "load_faces", load)
    with pytest.raises(DataError, match="not complete"):
        train([crops], "m", recipe="classic", grid=str(tiny_grid))
    assert list_models() == []


def test_a_model_of_that_name_is_replaced_only_when_asked_to(crops_folder, tiny_grid, artifacts):
    how = {"recipe": "classic", "grid": str(tiny_grid)}
    train([crops_folder], "m", **how, seed=1)
    with pytest.raises(ModelError, match=r"'m' already.*--replace.*replace=True"):
        train([crops_folder], "m", **how, seed=2)
    with pytest.raises(ModelError, match="'M' differs from 'm' only in capitals"):
        train([crops_folder], "M", **how, replace=True)
    assert read_metadata("m")["seed"] == 1
    train([crops_folder], "m", **how, seed=3, replace=True)
    assert read_metadata("m")["seed"] == 3


def test_of_two_trainings_of_one_name_the_second_is_refused(crops_folder, artifacts):
    with reserving("m"), pytest.raises(DataError, match="another training of 'm' runs"):
        train([crops_folder], "m", recipe="classic")
