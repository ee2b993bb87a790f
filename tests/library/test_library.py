"""What goes in comes out, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, Query
from tests.library.making import OTHER_MODEL, RATE, SCORES, analysis, sound, track

HOSTILE = (
    "'; DROP TABLE recordings; --.wav",
    "<script>alert(1)</script>.wav",
    "a\0b.wav",
    "half \udcff a pair.wav",
    "../../etc/passwd",
    "100%_off\\.wav",
    "‮evil‬.wav",
    "名前 😀 Ünïcödé.WAV",
    "x" * 5000,
    "",
)


def test_an_analysis_comes_back_whole(library: Database) -> None:
    kept = analysis("Gespräch.wav", track(SCORES, 1, "left"), track(SCORES[::-1], 2, "right"))
    saved = lib.save(library, kept, analyst="Ana", tags=["calls", "calls", " two  words "])
    assert saved.new
    assert lib.read_analysis(library, saved.analysis_id).to_dict() == kept.to_dict()
    item = lib.read_item(library, saved.recording_id)
    assert (item.name, item.sha256, item.duration) == ("Gespräch.wav", kept.provenance.sha256, 12.0)
    assert item.tags == ("calls", "two words")
    assert item.added_by == "Ana"
    assert abs(item.added_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert item.audio == frozenset()
    assert item.expires_at is None
    [info] = item.analyses
    assert info.id == saved.analysis_id
    assert info.peak == 0.9
    assert info.n_events == len(kept.events) == 2
    assert info.model_sha256 == kept.model.sha256


def test_bytes_decide_what_a_recording_is(library: Database) -> None:
    first = lib.save(library, analysis("a.wav", content="same"), analyst="Ana")
    again = lib.save(library, analysis("b.wav", content="same"), analyst="Ben")
    assert again.recording_id == first.recording_id
    assert again.analysis_id == first.analysis_id
    assert not again.new
    other = lib.save(library, analysis("a.wav", content="same", model=OTHER_MODEL), analyst="Ben")
    lower = lib.save(library, analysis("a.wav", content="same", threshold=0.3), analyst="Ben")
    assert other.recording_id == lower.recording_id == first.recording_id
    item = lib.find(library, analysis("a.wav", content="same").provenance.sha256)
    assert item is not None
    assert {info.id for info in item.analyses} == {first.analysis_id, other.analysis_id, lower.analysis_id}
    assert item.newest.id == lower.analysis_id
    assert item.name == "a.wav"
    assert lib.count(library) == 1
    assert lib.read_models(library) == {"cd" * 32: "mel-cnn", "ef" * 32: "whisper-cnn"}


def test_sound_is_kept_only_when_it_is_handed_over(library: Database) -> None:
    kept = analysis("call.wav", track(SCORES, 1, "left"), track(SCORES, 2, "right"))
    saved = lib.save(library, kept, analyst="Ana")
    assert lib.read_sound(library, saved.recording_id, "separate") == ()
    assert lib.read_recording(library, saved.recording_id, kept) is None
    heard = sound(kept)
    lib.save(library, kept, analyst="Ana", sound=lib.encode_sound(heard))
    item = lib.read_item(library, saved.recording_id)
    assert item.audio == {"separate"}
    back = lib.read_recording(library, saved.recording_id, kept)
    assert back is not None
    assert back.channel_names == ("left", "right")
    assert back.sampling_rate == RATE
    np.testing.assert_allclose(back.samples, heard.samples, atol=1 / 32768)
    lib.save(library, kept, analyst="Ana")  # without sound: what was kept stays
    assert lib.read_item(library, saved.recording_id).audio == {"separate"}


def test_sound_longer_than_a_chunk(library: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blipper.library.keeping._CHUNK", 1000)
    kept = analysis()
    data = lib.encode_sound(sound(kept))
    saved = lib.save(library, kept, analyst="Ana", sound=data)
    assert lib.read_sound(library, saved.recording_id, "mix") == data
    with pytest.raises(LibraryError, match="2 channels of sound for an analysis of 1"):
        lib.save(library, kept, analyst="Ana", sound=(b"", b""))


def test_what_can_be_judged_is_events_and_near_misses(library: Database) -> None:
    saved = lib.save(library, analysis(), analyst="Ana")
    event, near = lib.read_stretches(library, saved.analysis_id)
    assert (event.kind, event.start, event.end, event.peak) == ("event", 2.0, 5.0, 0.9)
    assert (near.kind, near.start, near.end, near.peak) == ("near-miss", 8.0, 10.0, 0.42)
    expected = analysis().tracks[0].curve.emotions[4:10].mean(axis=0)
    np.testing.assert_allclose(event.emotions, expected, atol=1e-6)
    newer = lib.save(library, analysis(threshold=0.41), analyst="Ana")
    assert {row.analysis_id for row in lib.read_stretches(library)} == {newer.analysis_id}


def test_verdicts(library: Database) -> None:
    saved = lib.save(library, analysis(), analyst="Ana")
    given = {"target": "event", "start": 2.0, "end": 5.0, "analysis_id": saved.analysis_id}
    first = lib.judge(library, saved.recording_id, **given, verdict="right", analyst=" Ana ", note="loud\0")
    assert (first.score, first.model_sha256, first.note) == (0.9, "cd" * 32, "loud\ufffd")
    changed = lib.judge(
        library, saved.recording_id, **given, verdict="other emotion", emotion="happy", analyst="Ana"
    )
    assert changed.id == first.id
    other = lib.judge(library, saved.recording_id, **given, verdict="wrong", analyst="Ben")
    missed = lib.judge(
        library, saved.recording_id, target="marked", start=8.0, end=9.0, verdict="missed", analyst="Ben"
    )
    assert missed.score is None
    assert lib.read_verdicts(library, saved.recording_id) == (changed, other, missed)
    assert lib.read_item(library, saved.recording_id).verdicts == {
        "other emotion": 1,
        "wrong": 1,
        "missed": 1,
    }
    lib.withdraw(library, other.id, actor="Ben")
    assert lib.read_verdicts(library) == (changed, missed)
    with pytest.raises(LibraryError, match="may have been withdrawn"):
        lib.withdraw(library, other.id, actor="Ben")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "perhaps"}, "'perhaps': expected right, wrong, missed, other emotion"),
        ({"target": "mood"}, "'mood': expected one on event, near-miss, marked, utterance"),
        ({"verdict": "other emotion"}, "None: expected one of neutral, calm"),
        ({"verdict": "other emotion", "emotion": "angry"}, "'angry': expected one of"),
        ({"emotion": "happy"}, "only for 'other emotion'"),
        ({"start": 5.0, "end": 5.0}, "from 5.000 to 5.000 s: expected one within"),
        ({"start": -1.0}, "from -1.000"),
        ({"end": 99.0}, "recording's 12.000 s"),
        ({"analyst": " \n "}, "an analyst's name has 0 characters; expected 1 to 100"),
        ({"analyst": "A" * 101}, "101 characters"),
        ({"note": "n" * 10_001}, "the note has 10001 characters"),
        ({"analysis_id": "nothing"}, "analysis nothing of recording .* is not in the library"),
        ({"channel": 1}, "channel 1: expected 0 to 0"),
    ],
)
def test_a_wrong_verdict_is_refused(library: Database, changes: dict, message: str) -> None:
    saved = lib.save(library, analysis(), analyst="Ana")
    values = {
        "target": "event", "start": 2.0, "end": 5.0, "verdict": "right", "analyst": "Ana",
        "analysis_id": saved.analysis_id,
    }  # fmt: skip
    with pytest.raises(LibraryError, match=message):
        lib.judge(library, saved.recording_id, **{**values, **changes})
    assert lib.read_verdicts(library) == ()


def test_what_is_not_there_says_so(library: Database) -> None:
    for act in (
        lambda: lib.read_item(library, "gone"),
        lambda: lib.read_analysis(library, "gone"),
        lambda: lib.tag(library, "gone", ["x"]),
        lambda: lib.keep(library, "gone", 3, actor="Ana"),
        lambda: lib.delete_recording(library, "gone", actor="Ana"),
        lambda: lib.delete_analysis(library, "gone", actor="Ana"),
        lambda: lib.delete_sound(library, "gone", actor="Ana"),
        lambda: lib.judge(library, "gone", target="event", start=0, end=1, verdict="right", analyst="Ana"),
    ):
        with pytest.raises(LibraryError, match="gone is not in the library"):
            act()
    assert lib.find(library, "0" * 64) is None


def test_search(library: Database) -> None:
    quiet = lib.save(library, analysis("Straße 1.wav", track([0.2] * 20)), analyst="Ana", tags=["a", "b"])
    silent = lib.save(library, analysis("silent.wav", track([np.nan] * 20)), analyst="Ana")
    loud = lib.save(library, analysis("loud_100%.wav", model=OTHER_MODEL), analyst="Ben", tags=["b"])
    lib.judge(library, loud.recording_id, target="event", start=2, end=5, verdict="wrong", analyst="Ben")

    def found(**values: object) -> list[str]:
        query = Query(**values)
        items = lib.search(library, query)
        assert lib.count(library, query) == len(items)
        return [item.id for item in items]

    q, s, w = quiet.recording_id, silent.recording_id, loud.recording_id
    assert found() == [w, s, q]
    assert found(name="STRASSE") == [q]
    assert found(name="%") == [w]
    assert found(name="_1") == [w]
    assert found(name="'; --") == []
    assert found(tags=["b"]) == [w, q]
    assert found(tags=["a", "b"]) == [q]
    assert found(low=0.5) == [w]
    assert found(high=0.5) == [q]
    assert found(model=OTHER_MODEL.sha256) == [w]
    assert found(model=OTHER_MODEL.sha256, high=0.5) == []
    assert found(verdicts="none") == [s, q]
    assert found(verdicts="some") == [w]
    assert found(verdicts="wrong") == [w]
    assert found(verdicts="right") == []
    today = datetime.now(UTC).date()
    assert found(since=today, until=today) == [w, s, q]
    assert found(since=today + timedelta(days=1)) == []
    assert found(until=today - timedelta(days=1)) == []
    assert [item.id for item in lib.search(library, limit=1, offset=1)] == [s]
    assert lib.read_tags(library) == {"a": 1, "b": 2}
    assert lib.tag(library, q, ["c"]) == ("c",)
    assert found(tags=["a"]) == []
    for wrong in ({"low": 0.6, "high": 0.5}, {"low": -1.0}, {"verdicts": "perhaps"}):
        with pytest.raises(LibraryError, match="expected"):
            Query(**wrong)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(library: Database, name: str) -> None:
    saved = lib.save(library, analysis(name, content="x"), analyst=name[:50] or "Ana", tags=["t" + name[:50]])
    item = lib.read_item(library, saved.recording_id)
    expected = name.replace("\0", "\ufffd").replace("\udcff", "?")
    assert item.name == expected
    assert lib.read_analysis(library, saved.analysis_id).provenance.name == name
    assert [found.id for found in lib.search(library, Query(name=expected[-20:]))] == [item.id]
    assert [found.id for found in lib.search(library, Query(tags=item.tags))] == [item.id]


def test_many_recordings_are_listed(library: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blipper.library.finding._BATCH", 5)
    for number in range(12):
        lib.save(library, analysis(f"{number}.wav"), analyst="Ana")
    assert [item.name for item in lib.search(library)] == [f"{n}.wav" for n in reversed(range(12))]


def test_threads_that_write_at_once_lose_nothing(library: Database) -> None:
    saved = lib.save(library, analysis(), analyst="Ana")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(8):
                lib.save(library, analysis(content="same"), analyst=f"Ana {number}")
                lib.judge(
                    library, saved.recording_id, target="marked", start=turn, end=turn + 0.5,
                    verdict="missed", analyst=f"Ana {number}",
                )  # fmt: skip
        except Exception as error:  # noqa: BLE001  (told below, whatever it is)
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert failures == []
    assert len(lib.read_verdicts(library)) == 32
    assert lib.count(library) == 2


def test_a_failed_save_keeps_nothing(library: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*values: object) -> None:
        raise OSError("out of paper")

    monkeypatch.setattr("blipper.library.keeping._keep_sound", fail)
    with pytest.raises(OSError, match="out of paper"):
        lib.save(library, analysis(), analyst="Ana")
    assert lib.count(library) == 0
