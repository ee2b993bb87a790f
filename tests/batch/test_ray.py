"""The Ray engine on a cluster of several nodes in one machine; skipped where Ray is not installed."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blipper import batch
from blipper.batch.cluster import RayCluster
from blipper.batch.state import BatchState
from blipper.errors import BatchError
from tests.batch.conftest import write_call
from tests.batch.test_interruption import check
from tests.conftest import ROOT

ray = pytest.importorskip("ray", reason="needs ray (pip install -r requirements-ray.txt)")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without CPUs, and two nodes with one each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_DISABLE_MEMORY_MONITOR"] = "1"
    os.environ["PYTHONPATH"] = str(ROOT)
    from ray.cluster_utils import Cluster

    started = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": 80 << 20, "include_dashboard": False},
    )
    for _ in range(2):
        started.add_node(num_cpus=1, object_store_memory=80 << 20)
    ray.init(address=started.address, log_to_driver=False, logging_level=logging.ERROR)
    yield started
    ray.shutdown()
    started.shutdown()


@pytest.mark.filterwarnings("ignore")
def test_a_lost_node_loses_nothing(
    light: None, cluster: Any, tmp_path: Path, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = tmp_path / "calls", tmp_path / "out"
    folder.mkdir()
    for i in range(14):
        write_call(folder / f"slow{i:02}.wav", speech[: 2 * 16_000], i)
    write_call(folder / "crash.wav", speech, 1)
    (folder / "broken.wav").write_bytes(b"RIFF....WAVE")
    node = cluster.list_all_nodes()[-1]
    killed_at: list[int] = []
    hired: list[object] = []
    hire = RayCluster._hire
    monkeypatch.setattr(RayCluster, "_hire", lambda self: (hired.append(self), hire(self)))

    def report(state: BatchState) -> None:
        if state.analyzed >= 3 and not killed_at:
            killed_at.append(state.analyzed)
            cluster.remove_node(node, allow_graceful=False)

    summary = batch.run(folder, out, engine="ray", report=report)
    assert killed_at
    assert summary.state.analyzed == 14
    assert {Path(failure.file).name: failure.reason for failure in summary.failures} == {
        "crash.wav": "crash",
        "broken.wav": "refused",
    }
    assert len(hired) == 3  # two actors, and one in the place of the one that was lost
    rows = batch.read_rows(out)
    assert len(rows) == 16
    done = check(out)
    assert len(done) == len(list((out / "results").rglob("*.json"))) == 14

    again = batch.run(folder, out)  # the local engine goes on from there: one layout
    assert again.state.analyzed == 0
    assert again.state.unchanged == 14


def test_the_same_rows_from_both_engines(light: None, cluster: Any, calls: Path, tmp_path: Path) -> None:
    begin = time.monotonic()
    clustered = batch.run(f"file://{calls}", tmp_path / "ray", engine="ray", workers=1)
    local = batch.run(calls, tmp_path / "local", workers=1)
    assert clustered.state.analyzed == local.state.analyzed == 6, clustered
    one, other = batch.read_rows(tmp_path / "ray"), batch.read_rows(tmp_path / "local")
    for a, b in zip(one, other, strict=True):
        assert (a.file, a.sha256, a.result, a.events) == (b.file, b.sha256, b.result, b.events)
        assert a.highest_score == pytest.approx(b.highest_score, abs=1e-6)
    assert time.monotonic() - begin < 600


def test_a_cluster_that_does_not_answer(calls: Path, tmp_path: Path) -> None:
    ray.shutdown()
    with pytest.raises(BatchError, match="does not answer"):
        batch.run(calls, tmp_path / "out", engine="ray", address="127.0.0.1:1")
    with pytest.raises(BatchError, match="HOST:PORT"):
        batch.run(calls, tmp_path / "out", engine="ray", address="nowhere")
