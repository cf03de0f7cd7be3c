"""A cluster gives what one process gives: a local one of two worker processes stands in for it."""

import os
import signal
import sys
import threading
import time

import joblib
import numpy as np
import pandas as pd
import pytest
from cartoons import LABELS, draw_photo

from facecore.__main__ import main
from facecore.data.crops import TABLE, crop_folder
from facecore.face.images import to_png
from facecore.model.predict import predict_many
from facecore.system import cluster
from facecore.training import streaming
from facecore.training.options import TrainingOptions
from facecore.training.search import grid_search

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("default")  # Dask closes its sockets when it likes

GRID = {"n_components": [20, 40], "C": [1.0, 4.0], "gamma": [0.01, 0.1]}


@pytest.fixture(scope="module")
def two_workers():
    """A cluster of two worker processes that replaces a worker that dies."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as running:
        yield running


@pytest.fixture
def scheduler(two_workers):
    """The address of a cluster with both of its workers."""
    two_workers.wait_for_workers(2, timeout=60)
    return two_workers.scheduler_address


@pytest.fixture
def photos(tmp_path):
    for label in LABELS[:2]:
        (tmp_path / "raw" / label).mkdir(parents=True)
        for person in range(12):
            path = tmp_path / "raw" / label / f"{person}.png"
            path.write_bytes(to_png(draw_photo(label, person)))
    (tmp_path / "raw" / LABELS[0] / "bad.jpg").write_text("no photo")
    return tmp_path / "raw"


@pytest.fixture(scope="module")
def faces():
    """Rows of noise in which a label's first pixels are darker."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (1500, 2000)).astype(np.uint8)
    X[750:, :50] //= 2
    return X, np.repeat(["a", "b"], 750), np.arange(1500).astype(str)


def test_crops_are_those_of_one_process(scheduler, photos, tmp_path):
    alone, together = tmp_path / "alone", tmp_path / "together"
    crop_folder(photos, alone)
    command = ["crop", str(photos), "--out", str(together), "--dask", scheduler]
    assert main(command) == 0
    assert (together / TABLE).read_bytes() == (alone / TABLE).read_bytes()
    files = sorted(path.relative_to(alone) for path in alone.rglob("*.png"))
    assert len(files) > 20
    for file in files:
        assert (together / file).read_bytes() == (alone / file).read_bytes()


def test_answers_are_those_of_one_process(scheduler, photos, tiny_model):
    sources = [(path.name, path) for path in sorted(photos.rglob("*.*"))]
    alone = list(predict_many(sources, tiny_model))
    with cluster.on_cluster(scheduler):
        together = list(predict_many(sources, tiny_model, jobs=-1))
    assert [answer.to_dict() for answer in together] == [answer.to_dict() for answer in alone]
    assert sum(answer.error is not None for answer in alone) == 1


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["exact", "nystroem"])
def test_a_model_is_that_of_one_process(
    scheduler, crops_folder, tiny_grid, artifacts, solver, monkeypatch
):
    monkeypatch.setattr(streaming, "SHARD", 32)
    command = ["train", str(crops_folder), "--recipe", "classic", "--grid", str(tiny_grid)]
    command += ["--solver", solver, "--name"]
    assert main([*command, "alone", "--jobs", "1"]) == 0
    assert main([*command, "together", "--dask", scheduler]) == 0
    alone, together = artifacts / "alone", artifacts / "together"
    assert (together / "model.npz").read_bytes() == (alone / "model.npz").read_bytes()
    tables = [
        pd.read_csv(f / "grid_search.csv").filter(like="_test_score") for f in (alone, together)
    ]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_killed_midway_changes_nothing(scheduler, faces, victim):
    alone = grid_search(*faces, GRID)

    def kill() -> None:
        with distributed.Client(scheduler) as client:
            workers = sorted(client.run(os.getpid).values())
            time.sleep(1)
            os.kill(workers[victim], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    with cluster.on_cluster(scheduler):
        killer.start()
        together = grid_search(*faces, GRID, options=TrainingOptions(jobs=-1))
        killer.join()
        again = grid_search(*faces, GRID, options=TrainingOptions(jobs=-1))
    for found in (together, again):
        assert (found.decisions == alone.decisions).all()
        assert found.best == alone.best
        scores = [name for name in alone.table if "test_score" in name]
        pd.testing.assert_frame_equal(found.table[scores], alone.table[scores])


def sums(shared: np.ndarray) -> list[int]:
    return joblib.Parallel(n_jobs=-1, timeout=60)([joblib.delayed(np.sum)(shared)] * 3)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_that_dies_as_it_gets_data_does_not_hold_up_the_others(scheduler, victim):
    with distributed.Client(scheduler) as client:
        worker = list(client.run(os.getpid).values())[victim]
    with cluster.on_cluster(scheduler):
        os.kill(worker, signal.SIGSTOP)  # so that it has not got them when it dies
        killer = threading.Timer(1, os.kill, [worker, signal.SIGKILL])
        killer.start()
        assert sums(np.arange(1000)) == [499_500] * 3
        killer.join()


@pytest.mark.parametrize("failures", [1, 100])
def test_data_that_cannot_be_placed_are_tried_again_and_then_go_with_their_tasks(
    scheduler, monkeypatch, failures
):
    tried, scatter = [], distributed.Client.scatter

    def fail(self, data, **options):
        tried.append(options)
        if len(tried) <= failures:
            raise OSError("the worker is gone")
        return scatter(self, data, **options)

    monkeypatch.setattr(distributed.Client, "scatter", fail)
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    with cluster.on_cluster(scheduler):
        assert sums(np.arange(1000)) == [499_500] * 3
    assert len(tried) > 1
    assert all(len(options["workers"]) == 1 for options in tried)


def test_outside_of_the_block_this_computer_works_again(scheduler):
    def who() -> int:
        return joblib.Parallel(n_jobs=-1)([joblib.delayed(os.getpid)()])[0]

    with distributed.Client(scheduler) as client:
        workers = set(client.run(os.getpid).values())
    with cluster.on_cluster(scheduler):
        assert joblib.effective_n_jobs(-1) == 2
        assert who() in workers
    assert who() not in workers


def test_without_dask_the_error_names_the_line_that_installs_it(
    photos, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "distributed", None)
    command = ["crop", str(photos), "--out", str(tmp_path / "out"), "--dask", "tcp://localhost:1"]
    assert main(command) == 1
    assert "pip install 'facecore[dask]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_address_where_nobody_answers_is_one_line(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    command = ["crop", str(photos), "--out", str(tmp_path / "out"), "--dask", "tcp://127.0.0.1:1"]
    assert main(command) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: no Dask scheduler at 'tcp://127.0.0.1:1'")
    assert error.endswith("start one with: dask scheduler")
