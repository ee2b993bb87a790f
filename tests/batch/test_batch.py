"""Batches: what is found, done, left as it is, done again, and written."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import blipper
from blipper import batch
from blipper.batch import places, process
from blipper.batch.manifest import Manifest
from blipper.batch.state import BatchState
from blipper.errors import BatchError, Cancelled, ModelError, SettingsError
from blipper.results import Analysis
from blipper.settings import Settings
from tests.batch.conftest import write_call

pytestmark = pytest.mark.usefixtures("settled")


def test_the_same_numbers_as_analyze(tmp_path: Path, speech: np.ndarray) -> None:
    paths = [write_call(tmp_path / f"call{i}.wav", speech, i) for i in range(2)]
    summary = batch.run(paths, tmp_path / "out", workers=1)
    assert (summary.state.analyzed, summary.failures, summary.stopped) == (2, (), False)
    for row, path in zip(batch.read_rows(tmp_path / "out"), paths, strict=True):
        document = json.loads((tmp_path / "out" / row.result).read_text(encoding="utf-8"))
        found, expected = Analysis.from_dict(document), blipper.analyze(path)
        assert row.sha256 == expected.provenance.sha256
        assert [event.start for event in found.events] == [event.start for event in expected.events]
        for one, other in zip(found.tracks, expected.tracks, strict=True):
            assert one.speech == other.speech
            for name in ("aggression", "emotions"):
                np.testing.assert_allclose(
                    getattr(one.windows, name), getattr(other.windows, name), atol=1e-5
                )
        prediction = blipper.predict(path)
        assert row.highest_score == pytest.approx(prediction.aggression, abs=1e-5)
        assert row.emotion == prediction.emotion


def test_a_folder_then_again(light: None, calls: Path, tmp_path: Path) -> None:
    out, states = tmp_path / "out", []
    summary = batch.run(calls, out, workers=2, report=states.append)
    assert summary.state.total == summary.state.analyzed == 6
    assert summary.state.audio_seconds == pytest.approx(48)
    assert states[-1].rate > 0
    assert states[-1].seconds_left == 0
    rows = batch.read_rows(out)
    assert [Path(row.path).name for row in rows] == [
        *("call0.wav", "call1.wav", "call2", "call3.wav", "call4.wav", "call5.wav")
    ]
    assert all(row.status == "done" and (out / row.result).is_file() for row in rows)
    before = {row.result: (out / row.result).stat().st_mtime_ns for row in rows}

    again = batch.run(calls, out, workers=2)
    assert (again.state.unchanged, again.state.analyzed) == (6, 0)
    assert again.state.elapsed == 0  # no worker was even started
    assert {row.result: (out / row.result).stat().st_mtime_ns for row in rows} == before


def test_only_what_is_missing_or_changed(
    light: None, calls: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    out = tmp_path / "out"
    batch.run(calls, out, workers=1)
    rows = {Path(row.path).name: row for row in batch.read_rows(out)}
    (out / rows["call0.wav"].result).unlink()
    write_call(calls / "call1.wav", speech, 9)  # other content, same length
    os.utime(calls / "call3.wav", ns=(0, 0))  # other time, same content
    write_call(calls / "new.wav", speech, 7)
    summary = batch.run(calls, out, workers=1)
    assert (summary.state.analyzed, summary.state.unchanged) == (3, 4)
    after = {Path(row.path).name: row for row in batch.read_rows(out)}
    assert len(after) == 7
    assert after["call0.wav"].highest_score == rows["call0.wav"].highest_score
    assert after["call1.wav"].sha256 != rows["call1.wav"].sha256
    assert after["call3.wav"].analyzed_at == rows["call3.wav"].analyzed_at
    assert batch.run(calls, out, workers=1).state.unchanged == 7


def test_another_threshold_marks_events_anew_without_a_worker(
    light: None, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    batch.run(calls, out, workers=1)
    batch.run(calls, fresh, workers=1, settings=Settings(threshold=0.3))
    monkeypatch.setattr(process, "WORKER", "tests.batch.no_such_worker")
    summary = batch.run(calls, out, settings=Settings(threshold=0.3))
    assert (summary.state.remarked, summary.state.analyzed, summary.state.completed) == (6, 0, 6)
    found, expected = batch.read_rows(out), batch.read_rows(fresh)
    assert {row.threshold for row in found} == {0.3}
    for one, other in zip(found, expected, strict=True):
        assert (one.events, one.event_seconds, one.highest_score) == (
            *(other.events, other.event_seconds, other.highest_score),
        )
        documents = [json.loads((o / r.result).read_text("utf-8")) for o, r in ((out, one), (fresh, other))]
        assert documents[0]["events"] == documents[1]["events"]
        assert documents[0]["settings"] == documents[1]["settings"]
    assert batch.run(calls, out, settings=Settings(threshold=0.3)).state.unchanged == 6
    assert batch.run(calls, out).state.remarked == 6  # and back to the model's own


def test_more_than_the_threshold_is_analysed_again(
    light: None, calls: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    out = tmp_path / "out"
    batch.run(calls, out, workers=1)
    rows = {Path(row.path).name: row for row in batch.read_rows(out)}
    write_call(calls / "call0.wav", speech, 9)  # other content
    os.utime(calls / "call1.wav", ns=(0, 0))  # the same content at another time
    (out / rows["call2"].result).write_text("{}", encoding="utf-8")
    (out / rows["call3.wav"].result).unlink()
    summary = batch.run(calls, out, workers=1, settings=Settings(threshold=0.3))
    assert (summary.state.analyzed, summary.state.remarked) == (3, 3)
    again = batch.run(calls, out, workers=1, settings=Settings(threshold=0.3, hop=1.0))
    assert (again.state.analyzed, again.state.remarked) == (6, 0)
    verified = batch.run(calls, out, workers=1, settings=Settings(threshold=0.5, hop=1.0), verify=True)
    assert verified.state.remarked == 6  # each hashed first


def test_killed_between_the_result_and_its_row_of_another_threshold(
    light: None, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    batch.run(calls, out, workers=1)
    before = [(row.events, row.threshold) for row in batch.read_rows(out)]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Manifest, "record", killed)
        batch.run(calls, out, settings=Settings(threshold=0.3))
    summary = batch.run(calls, out)  # the results on the disk are at 0.3 by now, the rows are not
    assert summary.state.remarked + summary.state.unchanged == 6
    assert [(row.events, row.threshold) for row in batch.read_rows(out)] == before
    for row in batch.read_rows(out):
        document = json.loads((out / row.result).read_text("utf-8"))
        assert (document["settings"]["threshold"], len(document["events"])) == (row.threshold, row.events)


def test_content_that_hides_behind_the_old_size_and_time(
    light: None, calls: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    out, path = tmp_path / "out", calls / "call0.wav"
    batch.run(calls, out, workers=1)
    before = path.stat()
    write_call(path, speech, 11)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert batch.run(calls, out, workers=1).state.analyzed == 1


def test_a_fresh_file_is_hashed_rather_than_believed(
    light: None, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch.run(calls, tmp_path / "out", workers=1)
    monkeypatch.setattr(places, "_SETTLED", 3600.0)
    assert places.stamp(str(calls / "call0.wav")) is None
    summary = batch.run(calls, tmp_path / "out", workers=1)
    assert (summary.state.analyzed, summary.state.unchanged) == (0, 6)
    assert summary.state.elapsed > 0  # the workers hashed


def test_tables(light: None, calls: Path, tmp_path: Path, speech: np.ndarray) -> None:
    write_call(calls / "=cmd.wav", speech, 1)
    (calls / "broken.wav").write_bytes(b"RIFF....WAVE")
    out = tmp_path / "out"
    batch.run(calls, out, workers=1)
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    table = pq.read_table(out / "results.parquet").to_pylist()
    rows = batch.read_rows(out)
    assert len(lines) == len(table) == len(rows) == 8
    for line, record, row in zip(lines, table, rows, strict=True):
        assert line["file"] == record["file"] == row.file
        assert line["status"] == record["status"] == row.status
        assert record["highest_score"] == row.highest_score
        assert line["highest_score"] == ("" if row.highest_score is None else f"{row.highest_score:.4f}")
    broken = next(row for row in rows if row.status == "failed")
    assert broken.reason == "refused"
    assert "broken.wav" in (broken.error or "")


def test_tables_of_several_batches_are_one_to_duckdb(light: None, calls: Path, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="needs duckdb (pip install duckdb)")
    outs = [tmp_path / "one", tmp_path / "two"]
    batch.run(sorted(calls.glob("call[01].wav")), outs[0], workers=1)
    batch.run(calls / "deeper", outs[1], workers=1)
    tables = [str(out / "results.parquet") for out in outs]
    with duckdb.connect() as db:
        found = db.execute(
            "SELECT file, highest_score FROM read_parquet(?) ORDER BY highest_score DESC", [tables]
        ).fetchall()
    rows = sorted((row for out in outs for row in batch.read_rows(out)), key=lambda row: -row.highest_score)
    assert found == [(row.file, row.highest_score) for row in rows]
    assert len(found) == 4


def test_namesakes_and_names_that_are_no_text(light: None, tmp_path: Path, speech: np.ndarray) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_call(tmp_path / folder / "call.wav", speech, 1)
    strange = os.fsdecode(os.fsencode(tmp_path / "a") + b"/\xff\xfe.wav")
    write_call(tmp_path / "a" / "x.wav", speech, 2).rename(strange)
    out = tmp_path / "out"
    summary = batch.run([tmp_path / "a", tmp_path / "b", tmp_path / "a" / "call.wav"], out, workers=1)
    assert summary.state.analyzed == 3
    rows = batch.read_rows(out)
    assert len({row.result for row in rows}) == 3
    assert strange in {row.path for row in rows}
    assert any("\\xff\\xfe.wav" in row.file for row in rows)


def test_poison_in_the_middle_costs_only_itself(
    light: None, calls: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    for name in ("crash", "hang", "bomb", "fault"):
        write_call(calls / f"{name}.wav", speech, 1)
    (calls / "empty.wav").touch()
    limits = batch.BatchLimits(memory=900 << 20, seconds=15)
    out = tmp_path / "out"
    summary = batch.run([*sorted(calls.iterdir()), tmp_path / "none.wav"], out, workers=2, limits=limits)
    reasons = {Path(failure.file).stem: failure for failure in summary.failures}
    assert summary.state.analyzed == 6
    assert {name: failure.reason for name, failure in reasons.items()} == {
        **{"crash": "crash", "hang": "time", "bomb": "memory", "fault": "crash", "empty": "refused"},
        **{"none": "refused", "notes": "refused"},
    }
    assert "signal 11" in reasons["crash"].message
    assert "limit is 15 s" in reasons["hang"].message
    assert "limit is 900 MiB" in reasons["bomb"].message
    assert "a library's own fault" in reasons["fault"].message
    assert {row.status for row in batch.read_rows(out)} == {"done", "failed"}

    again = batch.run(sorted(calls.iterdir()), out, workers=2, limits=limits)
    assert again.state.unchanged == 6
    assert again.state.failed == 6
    assert again.state.elapsed < 15  # what hung is not tried again, unless asked to


def test_stop_and_go_on(light: None, calls: Path, tmp_path: Path) -> None:
    out, states = tmp_path / "out", []
    for i in range(4):
        (calls / f"call{i}.wav").exists() and (calls / f"call{i}.wav").rename(calls / f"slow{i}.wav")
    summary = batch.run(
        calls,
        out,
        workers=1,
        report=states.append,
        cancelled=lambda: bool(states and states[-1].analyzed >= 2),
    )
    assert summary.stopped
    done = [row.file for row in batch.read_rows(out)]
    assert 2 <= len(done) < 6
    assert pq.read_table(out / "results.parquet").num_rows == len(done)
    rest = batch.run(calls, out, workers=2)
    assert rest.state.unchanged == len(done)
    assert rest.state.analyzed == 6 - len(done)
    assert not rest.stopped


def test_cancelled_out_of_the_progress(light: None, calls: Path, tmp_path: Path) -> None:
    def progress(step: str, completed: float, total: float) -> None:
        if step == "files" and completed >= 1:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        batch.run(calls, tmp_path / "out", workers=1, progress=progress)
    assert len(batch.read_rows(tmp_path / "out")) >= 1


def test_nothing_found_is_told(light: None, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    summary = batch.run([tmp_path / "empty", str(tmp_path / "*.wav")], tmp_path / "out")
    assert summary.state == BatchState(total=2, failed=2)
    assert "no recording below" in summary.failures[0].message
    assert "no file matches" in summary.failures[1].message


def test_the_output_below_the_input_is_passed_over(light: None, calls: Path) -> None:
    assert batch.run(calls, calls / "out", workers=1).state.total == 6
    write_call(calls / "out" / "x.wav", np.ones(16_000, dtype=np.float32), 1)
    assert batch.run(calls, calls / "out", workers=1).state.total == 6


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"engine": "spark"}, "'local'"),
        ({"workers": 0}, "1 to 4096"),
    ],
)
def test_arguments_outside_their_domain(arguments: dict[str, object], fault: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=fault):
        batch.run(tmp_path, tmp_path / "out", **arguments)


def test_outputs_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="is a file"):
        batch.run(tmp_path, tmp_path / "file")
    with pytest.raises(SettingsError, match="a folder of this machine"):
        batch.run(tmp_path, "s3://bucket/out")
    with pytest.raises(ModelError, match="no voice model named 'none'"):
        batch.run(tmp_path, tmp_path / "out", model="none")
    with pytest.raises(SettingsError, match="64 MiB"):
        batch.BatchLimits(memory=1)


def test_a_limit_below_the_workers_own_need(
    light: None, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_BALLAST", "128")
    with pytest.raises(BatchError, match="before any recording"):
        batch.run(calls, tmp_path / "out", workers=1, limits=batch.BatchLimits(memory=64 << 20))


def test_a_manifest_that_is_none(light: None, calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(BatchError, match=r"manifest\.sqlite"):
        batch.run(calls, out)
    (out / "manifest.sqlite").unlink()
    with sqlite3.connect(out / "manifest.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(BatchError, match="newer Blipper"):
        batch.read_rows(out)


def test_workers_that_never_start(calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "WORKER", "tests.batch.no_such_worker")
    begin = time.monotonic()
    with pytest.raises(BatchError, match=r"do not start.*no_such_worker"):
        batch.run(calls, tmp_path / "out", workers=1)
    assert time.monotonic() - begin < 120
