import json

import numpy as np
import pandas as pd
import pytest

from facecore.data.splits import split_folds
from facecore.training.grids import Candidate
from facecore.training.metadata import describe_search, join_tables
from facecore.training.search import SearchResult


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


def searched(scores: list[float], n: int = 10) -> SearchResult:
    table = pd.DataFrame(
        {
            "param_C": np.arange(len(scores)),
            "split0_test_score": scores,
            "split1_test_score": scores,
            "mean_test_score": scores,
        }
    )
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
    splits = split_folds(y, groups, 5, seed=0)
    told = describe_search(searches, {"pixels": {}, "hog": {}}, decisions, y, splits)
    assert told["border"] == "calibrated"
    assert (told["candidates"], told["folds"]) == (4, 2)
    best = {"n_components": 10, "whiten": True, "gamma": 0.1, "C": 2.0}
    assert told["best"] == best | {"class_weight": "balanced"}
    assert told["members"]["pixels"] == told["best"]
    assert told["members"]["hog"] == told["best"] | {"n_components": 7, "C": 1.0}
    assert told["balanced_accuracy"] == pytest.approx(0.9)
    alone = describe_search({"pixels": searched([1])}, {"pixels": {"C": [1]}}, decisions, y, splits)
    assert "members" not in alone
    assert alone["grid"] == {"C": [1]}
