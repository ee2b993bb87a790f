"""Verdicts as labels: into training, into evaluation, and out as a dataset that audformat reads."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import audformat
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.library import Database, place
from blipper.library.dataset import lesson, read_labelled, side_of
from blipper.library.evaluating import evaluate, score
from blipper.library.exporting import export
from blipper.voice.models import load_model
from tests.conftest import ROOT
from tests.library.making import SCORES, analysis, sound, track

HOSTILE = "../../=cmd|' /C calc'!A0<b>\0.wav"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def fill(library: Database, number: int = 12, *, keep: bool = True) -> list[str]:
    """Recordings with their sound and two verdicts each."""
    ids = []
    for n in range(number):
        made = analysis(HOSTILE if n == 0 else f"{n}.wav", track(SCORES, n))
        data = lib.encode_sound(sound(made, n)) if keep else ()
        saved = lib.save(library, made, analyst="Ana", sound=data)
        say(library, saved, 2, 5, "right", "Ana")
        if n % 3 == 0:
            say(library, saved, 8, 10, "wrong", "Ana", target="near-miss", note="=1+1")
        else:
            say(library, saved, 8, 10, "other emotion", "Ana", target="near-miss", emotion="happy")
        ids.append(saved.recording_id)
    return ids


def say(library: Database, saved: Any, start: float, end: float, answer: str, who: str, **more: Any) -> None:
    values = {"target": "event", "analysis_id": saved.analysis_id} | more
    lib.judge(library, saved.recording_id, start=start, end=end, verdict=answer, analyst=who, **values)


def test_labels_are_what_most_say(library: Database) -> None:
    saved = lib.save(library, analysis(), analyst="Ana")
    for who, answer, emotion in (
        ("Ana", "other emotion", "sad"), ("Ben", "other emotion", "sad"), ("Cem", "other emotion", "fear"),
        ("Dan", "right", None),
    ):  # fmt: skip
        say(library, saved, 2, 5, answer, who, emotion=emotion)
    say(library, saved, 8, 10, "missed", "Ana", target="marked")
    say(library, saved, 8, 10, "wrong", "Ben", target="near-miss")  # a tie
    say(library, saved, 11, 12, "wrong", "Ben", target="utterance")
    labelled, ties = read_labelled(library)
    assert ties == 1
    assert [(row.start, row.angry, row.emotion) for row in labelled] == [
        (2.0, False, "sad"),
        (11.0, False, None),
    ]
    assert not labelled[0].audible


def test_sides_are_by_content_and_steady() -> None:
    sides = Counter(side_of(f"{n:064x}") for n in range(4000))
    assert 0.2 < sides["test"] / 4000 < 0.3
    assert 0.12 < sides["validation"] / 4000 < 0.2
    assert side_of("ab" * 32) == side_of("ab" * 32)
    # Written down once: another Blipper must not put a recording on another side.
    written = ["train", "validation", "train", "train", "test", "train"]
    assert [side_of(f"{n:064x}") for n in range(6)] == written


def test_lessons_keep_recordings_on_one_side_and_leave_nothing(library: Database, home: Path) -> None:
    fill(library)
    lib.save(library, analysis("silent.wav", track(SCORES, 99)), analyst="Ana")  # never judged
    with lesson(library) as added:
        sides: dict[str, set[str]] = {}
        for clip, side in added.clips:
            sides.setdefault(clip.speaker, set()).add(side)
            samples, rate = sf.read(clip.path)
            assert rate == 16_000
            assert len(samples) / rate == (3.0 if clip.emotion == "angry" else 2.0)
            assert clip.path.is_relative_to(home)
        assert all(len(own) == 1 for own in sides.values())
        assert {side for own in sides.values() for side in own} <= {"train", "validation"}
        counts = added.counts
        assert counts["train"] + counts["validation"] == len(added.clips)
        assert counts["calm"] == len(added.calm)
        held = sum(side_of(item.sha256) == "test" for item in lib.search(library) if item.verdicts)
        assert counts["held_out"] == 2 * held > 0
        assert counts["without_sound"] == 0
    assert not (home / "training").exists()


def test_what_is_cut_is_what_was_judged(library: Database) -> None:
    fill(library)
    items = {item.id: item for item in lib.search(library)}
    with lesson(library) as added:
        clip = next(clip for clip, _ in added.clips if clip.emotion == "angry")
        name = items[clip.speaker].name
        number = 0 if name.startswith("..") else int(name.split(".")[0])
        whole = sound(analysis("x", track(SCORES, number)), number).samples[0]
        samples, _ = sf.read(clip.path, dtype="float32")
        np.testing.assert_allclose(samples, whole[32_000:80_000], atol=2 / 32768)


def test_an_interrupted_run_leaves_copies_until_something_is_deleted(library: Database, home: Path) -> None:
    ids = fill(library)
    with pytest.raises(KeyboardInterrupt), lesson(library):
        raise KeyboardInterrupt
    assert list((home / "training" / "clips").iterdir())
    lib.delete_sound(library, ids[0], actor="Ana")
    assert not (home / "training").exists()


def test_nothing_to_learn_from_says_so(library: Database, home: Path) -> None:
    fill(library, keep=False)
    with (
        pytest.raises(LibraryError, match=r"nothing to learn from: of 24 .* no sound is kept"),
        lesson(library),
    ):
        pass
    assert not (home / "training").exists()


def test_the_dataset_is_read_by_audformat(library: Database, tmp_path: Path) -> None:
    ids = fill(library, 5)
    item = lib.read_item(library, ids[1])
    lib.judge(
        library, ids[1], target="event", start=2, end=5, verdict="wrong", analyst="@Ben",
        analysis_id=item.newest.id, note="a note, with \"quotes\"\nand a line",
    )  # fmt: skip
    done = export(library, tmp_path / "out" / "dataset", actor="Ana")
    assert (done.recordings, done.verdicts, done.labels, done.sounds) == (5, 11, 9, 5)
    base = audformat.Database.load(str(done.folder))
    assert {rater.description for rater in base.raters.values()} == {"Ana", "@Ben"}
    labels = base["labels"].get()
    assert isinstance(labels.index, pd.MultiIndex)
    assert set(base.files) == {str(p.relative_to(done.folder)) for p in (done.folder / "audio").iterdir()}
    assert labels["angry"].sum() == 4
    assert sorted(labels["emotion"].dropna().unique()) == ["angry", "happy"]
    mine = labels.loc[[file for file in base.files if file.startswith(f"audio/{item.sha256[:32]}")]]
    [(_, start, end)] = mine.index
    assert (start, end) == (pd.Timedelta("8s"), pd.Timedelta("10s"))
    events = base["verdicts.event"].get()
    assert len(events) == 5
    assert events["analyst-2.verdict"].dropna().tolist() == ["right"] * 5
    assert events["analyst-1.note"].dropna().tolist() == ['a note, with "quotes"\nand a line']
    assert events["analyst-2.score"].tolist() == [0.9] * 5
    duration = sf.info(done.folder / base.files[0]).duration
    assert duration == 12.0

    with (done.folder / "verdicts.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    assert {row["analyst"] for row in rows} == {"Ana", "'@Ben"}
    assert {row["note"] for row in rows} == {"", "'=1+1", 'a note, with "quotes"\nand a line'}
    with (done.folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        assert sum(row["angry"] == "true" for row in csv.DictReader(file)) == 4
    names = [path.name for path in done.folder.rglob("*")]
    assert not [name for name in names if "cmd" in name or ".." in name]
    assert lib.audit(library)[0].action == "export"
    assert lib.audit(library)[0].counts == {"recordings": 5, "verdicts": 11, "labels": 9, "sounds": 5}


def test_a_dataset_without_sound_and_what_stands_in_its_way(
    library: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LibraryError, match="nothing was judged yet"):
        export(library, tmp_path / "dataset", actor="Ana")
    fill(library, 2)
    assert export(library, tmp_path / "dataset", actor="Ana", sound=False).sounds == 0
    assert not (tmp_path / "dataset" / "audio").exists()
    with pytest.raises(LibraryError, match="is there already; a dataset needs a new folder"):
        export(library, tmp_path / "dataset", actor="Ana")

    def full(*values: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("blipper.library.exporting._write_audformat", full)
    with pytest.raises(LibraryError, match="No space left on device"):
        export(library, tmp_path / "other", actor="Ana")
    assert not [path.name for path in tmp_path.iterdir() if "other" in path.name]


def test_the_shipped_model_is_measured_on_verdicts(library: Database) -> None:
    import blipper
    from blipper import audio

    model = load_model("mel-cnn")
    scene = audio.load(ROOT / "ui" / "sample" / "scene.ogg")
    heard = blipper.analyze(scene, model=model)
    saved = lib.save(library, heard, analyst="Ana", sound=lib.encode_sound(scene))
    for event in heard.events:
        say(library, saved, event.start, event.end, "right", "Ana")
    say(library, saved, 1.0, 4.0, "wrong", "Ana", target="marked")
    kept = lib.save(library, analysis("kept.wav", model=model.info), analyst="Ana")  # a score, and no sound
    say(library, kept, 2, 5, "wrong", "Ana")
    say(library, lib.save(library, analysis("other.wav"), analyst="Ana"), 2, 5, "right", "Ana")
    found = evaluate(library, model, resamples=50)
    assert (found["stretches"], found["recordings"], found["heard_anew"]) == (len(heard.events) + 2, 2, 3)
    assert found["angry"] == len(heard.events) == 2
    assert found["left_out"] == {"ties": 0, "without_score": 1}
    labelled, _ = read_labelled(library)
    anew = {row.labelled.start: row.score for row in score(library, model, labelled) if row.heard}
    for event in heard.events:
        assert anew[round(event.start, 3)] == pytest.approx(event.peak, abs=0.02)  # from FLAC of 16 bit
    assert found["precision"]["value"] == pytest.approx(2 / 3)
    assert found["precision"]["of"] == 3
    assert found["recall"] == {"value": 1.0, "interval": found["recall"]["interval"], "of": 2}
    assert found["roc_auc"]["value"] is not None
    assert "no random sample" in found["note"]
    held = [row for row in score(library, model, labelled) if row.labelled.side == "test"]
    assert {row.labelled.item.name for row in held} == {"kept.wav"}
    assert evaluate(library, model, held_out=True)["stretches"] == 1
    lib.delete_recording(library, kept.recording_id, actor="Ana")
    with pytest.raises(LibraryError, match="that the model did not learn from"):
        evaluate(library, model, held_out=True)


def test_copies_for_training_lie_in_the_user_s_folder(home: Path) -> None:
    assert place.training_folder() == home / "training"
