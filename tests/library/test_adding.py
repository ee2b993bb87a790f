"""A batch's results in the library: all of them, once, with their sound where it can be had."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from blipper import batch
from blipper import library as lib
from blipper.batch import process
from blipper.cli import app
from blipper.errors import Cancelled, LibraryError
from blipper.library import Database, place
from blipper.results import Analysis
from tests.batch.conftest import DOUBLE
from tests.conftest import ROOT
from tests.helpers import RATE, read_16k


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three calls and a file that is none, and the batch over them."""
    folder = tmp_path_factory.mktemp("batch")
    calls = folder / "calls"
    calls.mkdir()
    speech = read_16k(ROOT / "ui" / "sample" / "scene.ogg")[: 4 * RATE]
    for number in range(3):
        soundfile.write(calls / f"call{number}.wav", speech * (0.2 + 0.3 * number), RATE)
    (calls / "broken.wav").write_bytes(b"RIFF nothing follows")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "WORKER", DOUBLE)
        summary = batch.run(calls, folder / "out", workers=1)
    assert (summary.state.analyzed, summary.state.failed) == (3, 1)
    return folder


@pytest.fixture
def batched(once: Path, tmp_path: Path) -> Path:
    """The batch's output, with recordings of this test's own."""
    shutil.copytree(once, tmp_path / "batch")
    with contextlib.closing(sqlite3.connect(tmp_path / "batch" / "out" / "manifest.sqlite")) as db, db:
        for (path,) in db.execute("SELECT path FROM recordings").fetchall():
            moved = os.fsencode(tmp_path / "batch" / "calls" / Path(os.fsdecode(path)).name)
            db.execute(
                "UPDATE recordings SET path = ?, file = ? WHERE path = ?", (moved, moved.decode(), path)
            )
    return tmp_path / "batch" / "out"


def test_all_results_once(library: Database, batched: Path) -> None:
    steps: list[tuple[str, float, float]] = []
    done = lib.add_batch(
        library, batched, analyst="Ana", tags=["june"], progress=lambda *step: steps.append(step)
    )
    assert done == lib.Taken(new=3)
    assert steps[0] == ("library", 0, 3)
    assert steps[-1] == ("library", 3, 3)
    items = {item.sha256: item for item in lib.search(library)}
    assert {item.name for item in items.values()} == {f"call{number}.wav" for number in range(3)}
    for row in batch.read_rows(batched):
        if row.result is None:
            continue
        item = items[row.sha256 or ""]
        expected = Analysis.from_dict(json.loads((batched / row.result).read_text("utf-8")))
        assert lib.read_analysis(library, item.newest.id).to_dict() == expected.to_dict()
        assert (item.tags, item.audio, item.newest.peak) == (("june",), frozenset(), row.highest_score)
    item = next(iter(items.values()))
    lib.judge(library, item.id, target="marked", start=1, end=2, verdict="missed", analyst="Ana")

    assert lib.add_batch(library, batched, analyst="Ben", keep_days=3) == lib.Taken(known=3)
    assert lib.count(library) == 3
    assert lib.read_item(library, item.id).verdicts == {"missed": 1}
    assert lib.read_item(library, item.id).expires_at is not None


def test_sound_is_read_again_and_has_to_be_the_same(library: Database, batched: Path) -> None:
    rows = {Path(row.path).name: row for row in batch.read_rows(batched) if row.result is not None}
    samples, _ = soundfile.read(rows["call0.wav"].path, dtype="float32")
    soundfile.write(rows["call1.wav"].path, np.zeros(RATE), RATE)
    Path(rows["call2.wav"].path).unlink()
    done = lib.add_batch(library, batched, analyst="Ana", sound=True)
    assert (done.new, done.sounds) == (3, 1)
    assert [Path(file).name for file, _ in done.failures] == ["call1.wav", "call2.wav"]
    assert "kept without its sound: call1.wav: the file has changed" in done.failures[0][1]
    kept = {item.name: item for item in lib.search(library)}
    assert {name: item.audio for name, item in kept.items()} == {
        "call0.wav": {"mix"}, "call1.wav": frozenset(), "call2.wav": frozenset(),
    }  # fmt: skip
    clip = lib.read_clip(library, kept["call0.wav"].id, "mix", 0, 1.0, 2.0)
    assert clip is not None
    np.testing.assert_allclose(clip[0], samples[RATE : 2 * RATE], atol=1 / 32768)
    again = lib.add_batch(library, batched, analyst="Ana", rows=[rows["call0.wav"]], sound=True)
    assert again == lib.Taken(known=1)  # it is there, and not read a third time


def test_ended_in_the_middle_what_was_added_stays(library: Database, batched: Path) -> None:
    def stop(step: str, completed: float, total: float) -> None:
        if completed == 2:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        lib.add_batch(library, batched, analyst="Ana", progress=stop)
    assert lib.count(library) == 2
    assert lib.add_batch(library, batched, analyst="Ana") == lib.Taken(new=1, known=2)


def test_a_result_that_is_damaged_costs_itself(library: Database, batched: Path) -> None:
    [first, *_] = [row for row in batch.read_rows(batched) if row.result is not None]
    (batched / str(first.result)).write_text("{}", encoding="utf-8")
    done = lib.add_batch(library, batched, analyst="Ana")
    assert done.new == 2
    assert [file for file, _ in done.failures] == [first.file]


def test_what_is_no_batch_says_so(library: Database, tmp_path: Path, batched: Path) -> None:
    with pytest.raises(LibraryError, match="holds no results of a batch"):
        lib.add_batch(library, tmp_path / "nowhere", analyst="Ana")
    with pytest.raises(LibraryError, match="an analyst's name"):
        lib.add_batch(library, batched, analyst=" ")
    assert lib.count(library) == 0


def test_from_the_command_line(batched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BLIPPER_LIBRARY_URL", raising=False)
    off = CliRunner().invoke(app, ["library", "add", str(batched), "--as", "Ana"])
    assert off.exit_code == 1
    assert "the library is off" in " ".join(off.stderr.split())
    place.choose(place.Choices(on=True))
    middle = sorted(row.highest_score or 0.0 for row in batch.read_rows(batched) if row.result)[1]
    arguments = ["library", "add", str(batched), "--as", "Ana", "--sound", "--tag", "june", "--days", "9"]
    result = CliRunner().invoke(app, [*arguments, "--from", str(middle)])
    assert result.exit_code == 0, result.stderr
    assert "Added 2 recordings" in " ".join(result.stderr.split())
    database = lib.open_library()
    assert {(item.tags, item.audio) for item in lib.search(database)} == {(("june",), frozenset({"mix"}))}
    assert all(item.expires_at is not None for item in lib.search(database))
    database.close()
    assert CliRunner().invoke(app, [*arguments, "--from", "2"]).exit_code == 2
    for row in batch.read_rows(batched):
        Path(row.path).unlink()
    assert CliRunner().invoke(app, arguments).exit_code == 1  # the third one's sound is gone
