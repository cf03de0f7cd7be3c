import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from screens import ROOT
from weights import use_weights

from facecore.errors import DataError
from facecore.face.recipes import RECIPES
from facecore.model.store import list_models, load_model
from facecore.training.ladder import RUNGS, climb, read_ladder, rungs_of, write_ladder


@pytest.fixture(scope="module")
def made(tmp_path_factory, shipped_model):
    """A folder of made photos."""
    from facecore.model.synth import write_photos

    folder = tmp_path_factory.mktemp("made") / "made"
    write_photos(shipped_model, folder, 40)
    return folder


@pytest.fixture(scope="module")
def ladder(made, made_weights, tmp_path_factory):
    """All rungs on made photos."""
    with use_weights(made_weights), pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        return climb([made], quick=True, command="as a test")


def test_every_rung_is_measured_on_the_same_faces(ladder):
    assert ladder.rungs["rung"].tolist() == list(RUNGS)
    for name in ("training_faces", "test_faces"):
        assert len(set(ladder.rungs[name])) == 1
    sizes = ladder.curves.groupby("rung")["training_faces"].agg(tuple)
    assert len(set(sizes)) == 1
    assert ladder.about["left_out"] == {}
    assert ladder.about["sets"] == {"made": sum(ladder.about["labels"].values())}


def test_figures_are_shares_with_an_interval_around_them(ladder):
    for table in (ladder.rungs, ladder.curves, ladder.components):
        assert table[["accuracy", "balanced", "low", "high"]].min(axis=None) >= 0
        assert table[["balanced", "high"]].max(axis=None) <= 1
        assert (table["low"] <= table["accuracy"]).all()
        assert (table["accuracy"] <= table["high"]).all()


def test_made_faces_are_told_apart_better_than_by_chance(ladder):
    assert ladder.rungs.set_index("rung").loc["pixels", "balanced"] >= 0.5


def test_the_price_of_a_rung_is_measured(ladder):
    rungs = ladder.rungs.set_index("rung")
    assert (rungs[["ms_face", "ms_photo", "megabytes"]] > 0).all(axis=None)
    assert rungs.loc["fused", "megabytes"] > rungs.loc["gradients", "megabytes"]
    assert rungs.loc["fused", "components"] > rungs.loc["both", "components"]
    assert rungs.loc["embedding", "ms_face"] > rungs.loc["aligned pixels", "ms_face"]


def test_only_rungs_with_one_member_have_a_curve_of_components(ladder):
    single = {rung for rung, (_, members) in RUNGS.items() if len(members) == 1}
    assert set(ladder.components["rung"]) == single


def test_a_ladder_is_read_as_it_was_written_and_is_no_model(ladder, artifacts):
    assert read_ladder() is None
    folder = write_ladder(ladder)
    found = read_ladder()
    for name in ("rungs", "curves", "components"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(ladder, name))
    assert found.about == ladder.about
    assert folder.parent == artifacts
    assert list_models() == []
    (folder / "ladder.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="damaged"):
        read_ladder()


def test_without_weights_the_ladder_ends_below_the_network(made, no_weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = climb([made], quick=True)
    assert found.rungs["rung"].tolist() == list(RUNGS)[:-1]
    assert "pip install" in found.about["left_out"]["embedding"]


def test_settings_are_there_for_every_member_of_every_rung():
    for recipe, members in RUNGS.values():
        for member in members:
            assert {"n_components", "gamma", "C"} <= set(RECIPES[recipe].members[member].best)


def test_the_rungs_of_a_trained_model_are_its_members(tiny_aligned, tiny_model):
    found = rungs_of({"aligned": tiny_aligned, "classic": tiny_model})
    assert list(found) == ["pixels", "aligned pixels", "gradients", "both", "convolutions", "fused"]
    X = np.random.default_rng(0).integers(0, 256, (3, 160 * 160)).astype(np.uint8)
    votes = tiny_aligned.member_decisions(X)
    assert found["gradients"].decision_function(X) == pytest.approx(votes[1][:, 0])
    assert found["fused"].decision_function(X) == pytest.approx(tiny_aligned.decision_function(X))
    shares = tiny_aligned.shares[:2] / tiny_aligned.shares[:2].sum(axis=0)
    both = (shares[:, None] * votes[:2]).sum(axis=0)[:, 0]
    assert found["both"].decision_function(X) == pytest.approx(both)


def test_a_rung_whose_member_has_no_weight_in_the_model_still_decides(tiny_aligned):
    weights = np.array([[0.0], [0.2], [0.3], [0.5]])
    found = rungs_of({"aligned": replace(tiny_aligned, weights=weights)})
    X = np.random.default_rng(0).integers(0, 256, (3, 160 * 160)).astype(np.uint8)
    votes = tiny_aligned.member_decisions(X)[:, :, 0]
    assert found["aligned pixels"].decision_function(X) == pytest.approx(votes[0])
    assert found["both"].decision_function(X) == pytest.approx(votes[1])


def test_the_tables_that_ship_lead_to_no_photo():
    folder = ROOT / "artifacts" / "_ladder"
    found = read_ladder(folder)
    assert found is not None
    assert found.rungs["rung"].tolist() == list(RUNGS)
    assert {path.name for path in folder.iterdir()} == {
        "ladder.json",
        "rungs.csv",
        "curves.csv",
        "components.csv",
    }
    for table in (found.rungs, found.curves, found.components):
        assert not {"path", "subject", "sha256", "hash"} & set(table.columns)
        assert len(table) < 200
    assert "/" not in json.dumps(found.about)


@pytest.mark.network
def test_the_command_prints_the_rungs_and_writes_their_tables(run, made, tmp_path):
    result = run("ladder", made, "--quick", "--jobs", 1, "--out", tmp_path / "tables")
    assert result.returncode == 0, result.stderr
    for rung in RUNGS:
        assert rung in result.stdout
    assert read_ladder(tmp_path / "tables").about["command"].endswith("--quick --folds 1 --seed 0")


@pytest.mark.network
def test_the_shipped_model_of_the_network_knows_made_faces():
    from facecore.face.images import to_png
    from facecore.model.predict import predict_photo
    from facecore.model.synth import make_photo

    source, model = load_model("aligned"), load_model("embedding")
    hits = [
        face.likely == label
        for label in source.labels
        for seed in range(16)
        for face in predict_photo(to_png(make_photo(source, label, seed)), model).faces[:1]
    ]
    assert len(hits) >= 30
    assert np.mean(hits) > 0.65
