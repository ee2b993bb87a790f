"""The four cases on real clips of the corpora, with subtitle files that say something else in them.

Once with scores set by hand, so that the fusion alone is tested, and once with the built-in text model, the
whole way that a user goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blipper import Analysis, Settings, analyze
from blipper.analysis import with_balance
from blipper.fusion import case_between, case_of
from blipper.marking import fuse_again
from blipper.voice.models import VoiceModel, load_model
from blipper.wording import carried_by
from blipper.words.transcript import Transcript
from tests.helpers import RATE, read_16k, recording, silence

pytestmark = pytest.mark.data

HOSTILE = "You worthless idiot, I will make you pay for this"
HARMLESS = "I think the parcel will be here on Monday"

#: Clips of speakers that the shipped weights never heard: strong anger twice, then neutral speech twice.
CLIPS = {
    "ravdess": tuple(
        f"ravdess/Actor_{name[-2:]}/{name}"
        for name in (
            *("03-01-05-02-02-01-11", "03-01-05-02-01-01-11"),
            *("03-01-01-01-02-02-11", "03-01-01-01-01-02-21"),
        )
    ),
    "crema-d": tuple(
        f"crema-d/AudioWAV/{name}"
        for name in ("1013_TIE_ANG_XX", "1014_WSI_ANG_XX", "1009_ITH_NEU_XX", "1006_TAI_NEU_XX")
    ),
}
#: What is said in them: each voice with each kind of words.
LINES = (HOSTILE, HARMLESS, HOSTILE, HARMLESS)
CASES = ("both", "voice", "words", "neither")
PAUSE = 3.0

Reader = Callable[[Transcript], Transcript]


def by_hand(transcript: Transcript) -> Transcript:
    """Score the two lines as a good text model would."""
    assert all(one.aggression is None for one in transcript.utterances)
    scores = {HOSTILE: 0.95, HARMLESS: 0.03}
    return replace(
        transcript,
        utterances=tuple(replace(one, aggression=scores[one.text]) for one in transcript.utterances),
    )


def as_read(transcript: Transcript) -> Transcript:
    """Leave the scores as the analysis made them."""
    assert all(one.aggression is not None and one.sentiment for one in transcript.utterances)
    return transcript


#: Which text model the analysis asks, and what the test makes of its scores.
READERS: dict[str, tuple[str, Reader]] = {"by hand": ("none", by_hand), "text-small": ("built-in", as_read)}


@pytest.fixture(scope="module")
def voice() -> VoiceModel:
    return load_model("mel-cnn")


def clip(data_dir: Path, name: str) -> np.ndarray:
    (path,) = (data_dir / name).parent.glob(Path(name).name + ".*")
    return read_16k(path)


def stamp(seconds: float) -> str:
    return f"00:00:{int(seconds):02d},{round(seconds % 1 * 1000):03d}"


def four_cases(
    data_dir: Path, corpus: str, folder: Path, voice: VoiceModel, text_model: str, read: Reader
) -> tuple[Analysis, list[tuple[float, float]]]:
    """Play the clips one after the other under one subtitle file; returns where each of them is."""
    samples, cues, spans, at = [silence(PAUSE)], [], [], PAUSE
    for number, (name, line) in enumerate(zip(CLIPS[corpus], LINES, strict=True), 1):
        played = clip(data_dir, name)
        end = at + len(played) / RATE
        cues.append(f"{number}\n{stamp(at)} --> {stamp(end)}\n{line}\n")
        spans.append((at, end))
        samples += [played, silence(PAUSE)]
        at = end + PAUSE
    subtitles = folder / "said.srt"
    subtitles.write_text("\n".join(cues), encoding="utf-8")
    heard = recording(np.concatenate(samples), name="four.wav")
    found = analyze(heard, model=voice, settings=Settings(transcript=str(subtitles), text_model=text_model))
    tracks = tuple(
        replace(track, transcript=None if track.transcript is None else read(track.transcript))
        for track in found.tracks
    )
    return fuse_again(replace(found, tracks=tracks)), spans


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("corpus", CLIPS)
def test_the_four_cases_stay_visible(
    data_dir: Path, tmp_path: Path, voice: VoiceModel, corpus: str, reader: str
) -> None:
    text_model, read = READERS[reader]
    found, spans = four_cases(data_dir, corpus, tmp_path, voice, text_model, read)
    assert [case_between(found, 0, *span) for span in spans] == list(CASES)
    # Three of the four are worth a listen, the one with neither is not.
    assert len(found.events) == 3
    for event, span, case in zip(found.events, spans, CASES, strict=False):
        assert span[0] - 0.5 <= event.start < event.end <= span[1] + 0.5
        assert case_of(found, event) == case
    assert carried_by(found.events[1]) == "mostly the voice"
    assert carried_by(found.events[2]) == "mostly the words"
    peaks = [event.peak for event in found.events]
    assert peaks[0] > max(peaks[1:])
    # The voice alone hears two of them, the words alone read two.
    voice_only, words_only = with_balance(found, 0.0), with_balance(found, 1.0)
    assert [case_of(voice_only, event) for event in voice_only.events] == ["both", "voice"]
    assert [case_of(words_only, event) for event in words_only.events] == ["both", "words"]


def test_without_scores_nothing_changes(data_dir: Path, tmp_path: Path, voice: VoiceModel) -> None:
    found, _ = four_cases(data_dir, "ravdess", tmp_path, voice, "none", lambda transcript: transcript)
    assert found.tracks[0].fused is None
    bare = with_balance(found, 0.0)
    np.testing.assert_array_equal(bare.tracks[0].scored.aggression, found.tracks[0].curve.aggression)
