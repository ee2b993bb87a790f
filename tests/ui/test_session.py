"""The shelf of one browser session."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from blipper.errors import AudioError
from blipper.progress import Progress
from ui.jobs import Job
from ui.session import Entry, OpenRecording, Shelf, new_id


def opened(entry: Entry) -> OpenRecording:
    nothing = cast(Any, SimpleNamespace())
    return OpenRecording(entry.id, entry.name, nothing, nothing, (), 0.1)


def add(shelf: Shelf, name: str, error: Exception | None = None) -> Entry:
    entry = shelf.add(name)

    def work(progress: Progress) -> OpenRecording:
        if error is not None:
            raise error
        return opened(entry)

    entry.job = Job(work)
    return entry


def run(entry: Entry) -> None:
    assert entry.job is not None
    entry.job.run()


def test_the_first_result_opens_and_stays_open() -> None:
    shelf = Shelf()
    first, second = add(shelf, "a.wav"), add(shelf, "b.wav")
    assert not shelf.collect()
    assert shelf.working == [first, second]
    run(second)
    assert shelf.collect()
    assert shelf.open_id == second.id
    run(first)
    assert shelf.collect()
    assert shelf.open_id == second.id
    assert [held.name for held in shelf.finished] == ["a.wav", "b.wav"]
    assert shelf.working == []
    assert not shelf.collect()


def test_a_failure_is_kept_with_its_message() -> None:
    shelf = Shelf()
    entry = add(shelf, "a.wav", AudioError("a.wav: empty"))
    run(entry)
    assert shelf.collect()
    assert shelf.failed == [entry]
    assert entry.error == "a.wav: empty"
    assert shelf.open_id is None
    shelf.remove(entry.id)
    assert shelf.entries == {}


def test_a_cancelled_entry_disappears() -> None:
    shelf = Shelf()
    entry = add(shelf, "a.wav")
    assert entry.job is not None
    entry.job.cancel()
    assert shelf.collect()
    assert shelf.entries == {}


def test_removing_the_open_one_opens_another() -> None:
    shelf = Shelf()
    entries = [add(shelf, name) for name in "ab"]
    for entry in entries:
        run(entry)
    shelf.collect()
    shelf.remove(entries[0].id)
    assert shelf.open_id == entries[1].id
    shelf.remove(entries[1].id)
    assert shelf.open_id is None


def test_clear_stops_what_runs_and_empties_the_upload_widgets() -> None:
    shelf = Shelf()
    entry = add(shelf, "a.wav")
    job = entry.job
    assert job is not None
    uploads = shelf.uploads
    shelf.clear()
    assert job.status == "cancelled"
    assert shelf.entries == {}
    assert shelf.uploads > uploads


def test_ids_are_not_guessable() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert len(new_id()) == 32
    assert all(new_id().isalnum() for _ in range(1000))  # Streamlit refuses some keys with underscores


def test_an_upload_is_taken_once() -> None:
    shelf = Shelf()
    assert [shelf.take(name) for name in "abab"] == [True, True, False, False]


def test_a_moved_threshold_marks_anew_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []

    def with_threshold(analysis: object, threshold: float) -> str:
        calls.append(threshold)
        return f"marked at {threshold}"

    monkeypatch.setattr("ui.session.with_threshold", with_threshold)
    analysis = SimpleNamespace(model=SimpleNamespace(threshold=0.47))
    held = OpenRecording("id", "a.wav", cast(Any, None), cast(Any, analysis), (), 0.1)
    assert held.marked is analysis
    assert held.shown_threshold == 0.47
    held.mark(0.6)
    assert held.marked == "marked at 0.6"
    assert held.shown_threshold == 0.6
    held.mark(0.6)
    held.mark(None)
    assert held.marked is analysis
    assert calls == [0.6]
