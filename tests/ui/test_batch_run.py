"""A session's batch: how it works, stops, goes on, waits for its turn, and leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blipper.batch import BatchState, BatchSummary, Row, read_rows
from blipper.batch.rooted import Root
from blipper.errors import BatchError
from tests.conftest import ROOT
from ui import batch_run
from ui.batch_open import open_row
from ui.batch_run import Batch, Plan, file_name
from ui.batch_table import filtered, most_aggressive_first

SCENE = ROOT / "ui" / "sample" / "scene.ogg"


def wait(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where batches have their folders."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(batch_run.tempfile, "tempdir", str(folder))
    return folder


class Conductor:
    """Stands in for blipper.batch.run: reports, and works until it is let go or cancelled."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.calls: list[tuple[list[Path], Path]] = []
        self.at_once = self.most = 0

    def __call__(self, paths: Any, output: Path, **options: Any) -> BatchSummary:
        self.calls.append((list(paths), output))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        state = BatchState(total=3, analyzed=1)
        options["report"](state)
        output.mkdir(parents=True, exist_ok=True)
        (output / "result.json").write_text("{}")
        while not self.go.is_set() and not options["cancelled"]():
            time.sleep(0.01)
        self.at_once -= 1
        return BatchSummary(output, state, (), stopped=not self.go.is_set(), manifest_seconds=0.0)


@pytest.fixture
def conductor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Conductor]:
    double = Conductor()
    monkeypatch.setattr(batch_run.batch, "run", double)
    yield double
    double.go.set()


def test_uploads_are_analysed_and_go_with_the_batch(home: Path) -> None:
    held = Batch()
    held.add("../scene.ogg", SCENE.read_bytes())
    held.add("scene.ogg", b"no sound at all")
    held.start(Plan())
    wait(lambda: not held.is_working)
    assert (held.status, held.error) == ("done", "")
    assert (held.state.analyzed, held.state.failed) == (1, 1)
    good, bad = most_aggressive_first(read_rows(held.output))
    assert (held.shown(good.path), good.status, good.highest_score is not None) == ("scene.ogg", "done", True)
    assert (held.shown(bad.path), bad.status) == ("scene.ogg", "failed")
    assert home in Path(good.path).parents
    assert oct(next(home.iterdir()).stat().st_mode & 0o777) == "0o700"
    held.delete()
    assert list(home.iterdir()) == []


def test_stop_and_resume(home: Path, conductor: Conductor) -> None:
    held = Batch()
    held.add("a.wav", b"x")
    held.start(Plan())
    wait(lambda: held.state.analyzed == 1)
    assert held.status == "running"
    held.start(Plan())  # a second press does nothing
    held.stop()
    assert held.status in ("stopping", "stopped")
    wait(lambda: held.status == "stopped")
    conductor.go.set()
    held.start(Plan())
    wait(lambda: held.status == "done")
    assert len(conductor.calls) == 2
    assert conductor.calls[0] == conductor.calls[1]


def test_the_end_of_the_session_stops_it_and_deletes_its_files(home: Path, conductor: Conductor) -> None:
    held = Batch()
    held.add("a.wav", b"x")
    held.start(Plan())
    wait(lambda: conductor.at_once == 1)
    assert len(list(home.iterdir())) == 1
    del held
    gc.collect()
    wait(lambda: not list(home.iterdir()))
    assert conductor.at_once == 0


def test_a_browser_that_is_gone_stops_it(home: Path, conductor: Conductor) -> None:
    gone = threading.Event()
    held = Batch(gone.is_set)
    held.add("a.wav", b"x")
    held.start(Plan())
    wait(lambda: held.state.analyzed == 1)
    gone.set()
    wait(lambda: held.status == "stopped")


def test_the_end_of_the_server_deletes_everything(home: Path, conductor: Conductor) -> None:
    working, resting = Batch(), Batch()
    for held in (working, resting):
        held.add("a.wav", b"x")
    working.start(Plan())
    wait(lambda: working.state.analyzed == 1)
    batch_run._end_all()
    assert list(home.iterdir()) == []


def test_one_works_at_a_time_and_who_waits_can_give_up(home: Path, conductor: Conductor) -> None:
    first, second, third = Batch(), Batch(), Batch()
    for held in (first, second, third):
        held.add("a.wav", b"x")
        held.start(Plan())
    wait(lambda: first.state.analyzed == 1)
    assert (second.status, third.status) == ("waiting", "waiting")
    third.stop()
    wait(lambda: third.status == "stopped")
    conductor.go.set()
    wait(lambda: first.status == second.status == "done")
    assert conductor.most == 1
    assert len(conductor.calls) == 2


def test_results_kept_on_the_server_stay(home: Path, tmp_path: Path, conductor: Conductor) -> None:
    (tmp_path / "root" / "calls").mkdir(parents=True)
    (tmp_path / "root" / "calls" / "a.wav").write_bytes(SCENE.read_bytes())
    root = Root.at(tmp_path / "root")
    held = Batch()
    conductor.go.set()
    held.start(Plan(folder=root.folder("calls"), root=root, kept=root.new_folder("results")))
    wait(lambda: held.status == "done")
    assert conductor.calls == [([root.path / "calls" / "a.wav"], root.path / "results")]
    assert held.shown(str(root.path / "calls" / "a.wav")) == str(Path("calls", "a.wav"))
    held.delete()
    assert (root.path / "results" / "result.json").is_file()
    assert list(home.iterdir()) == []


def test_only_its_own_files_and_those_below_the_root_may_be_opened(
    home: Path, tmp_path: Path, conductor: Conductor
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.wav").write_bytes(b"x")
    (tmp_path / "root" / "a.wav").write_bytes(b"x")
    (tmp_path / "root" / "out.wav").symlink_to(tmp_path / "secret.wav")
    held = Batch()
    held.add("b.wav", b"x")
    assert held.may_open(next(home.rglob("b.wav")))
    assert not held.may_open(tmp_path / "root" / "a.wav")
    conductor.go.set()
    root = Root.at(tmp_path / "root")
    held.start(Plan(folder=root.path, root=root))
    wait(lambda: held.status == "done")
    assert held.may_open(tmp_path / "root" / "a.wav")
    for name in ("secret.wav", "root/out.wav", "root/../secret.wav"):
        assert not held.may_open(tmp_path / name)
    row = Row(*[str(tmp_path / "secret.wav")] * 2, "done", *[None] * 10, "t", None, "results/x.json")
    with pytest.raises(BatchError, match="stays closed"):
        open_row(held, row)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BatchError("results: the disk is full"), "results: the disk is full"),
        (KeyError("x"), "an unexpected fault"),
    ],
)
def test_a_failure_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: Any, **__: Any) -> BatchSummary:
        raise error

    monkeypatch.setattr(batch_run.batch, "run", fail)
    held = Batch()
    held.add("a.wav", b"x")
    held.start(Plan())
    wait(lambda: not held.is_working)
    assert held.status == "failed"
    assert message in held.error
    other = Batch()  # the turn was given back
    other.add("a.wav", b"x")
    other.start(Plan())
    wait(lambda: not other.is_working)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("call.wav", "call.wav"),
        ("../../etc/passwd", "passwd"),
        ("C:\\calls\\a.wav", "a.wav"),
        ("a:b*c?.wav", "a_b_c_.wav"),
        ("\x00\n.wav", "wav"),
        ("...", "recording"),
        ("", "recording"),
        ("שלום.wav", "שלום.wav"),
        ("x" * 400 + ".wav", "x" * 150 + ".wav"),
    ],
)
def test_file_names(name: str, expected: str) -> None:
    assert file_name(name) == expected
    assert len(file_name(name).encode()) <= 200


def test_rows_are_sorted_and_filtered(home: Path) -> None:
    def row(name: str, score: float | None, events: int | None = 0, status: Any = "done") -> Row:
        return Row(
            f"/x/{name}",
            f"/x/{name}",
            status,
            None,
            None,
            1.0,
            1.0,
            events,
            0.0,
            score,
            None,
            0.5,
            "m",
            "t",
            None,
            None,
        )

    rows = [row("a", 0.2), row("silent", None), row("bad", None, None, "failed"), row("B loud", 0.9, 2)]
    ordered = most_aggressive_first(rows)
    names: Callable[[Row], str] = lambda row: row.file.removeprefix("/x/")  # noqa: E731
    assert [names(one) for one in ordered] == ["B loud", "a", "silent", "bad"]
    for asked, expected in (
        (("", "all", 0.0), ["B loud", "a", "silent", "bad"]),
        (("b ", "all", 0.0), ["B loud", "bad"]),
        (("", "events", 0.0), ["B loud"]),
        (("", "calm", 0.0), ["a", "silent"]),
        (("", "failed", 0.0), ["bad"]),
        (("", "all", 0.2), ["B loud", "a"]),
    ):
        assert [names(one) for one in filtered(ordered, names, *asked)] == expected
