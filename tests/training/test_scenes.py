"""Scenes are what they say, and their scores are known answers."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper.datasets import Clip
from blipper.errors import DatasetError
from blipper.results import ModelInfo, Span
from blipper.training import mixing
from blipper.training.alarms import (
    alarms_per_hour,
    choose_threshold,
    join,
    measure_alarms,
    rate,
    share_found,
    talks,
)
from blipper.training.event_scores import match, summarize
from blipper.training.mixing import LEVEL, Voices, add_noise, level, telephone, trim, within_scale
from blipper.training.scenes import build_scenes, events_at, measure_scenes
from blipper.voice.windows import Margins

RATE = 16_000


def tone(seconds: float, amplitude: float = 0.1, frequency: float = 300.0) -> np.ndarray:
    times = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Three speakers of two corpora, one corpus ten times as loud; silence around every clip."""
    folder = tmp_path_factory.mktemp("clips")
    quiet = np.zeros(RATE // 2, dtype=np.float32)
    found = []
    for number, (corpus, speaker, loud) in enumerate(
        [("crema-d", "1001", 0.03), ("crema-d", "1002", 0.03), ("ravdess", "01", 0.3)]
    ):
        for emotion in ("neutral", "happy", "sad", "angry"):
            for take in range(3):
                path = folder / f"{speaker}-{emotion}-{take}.wav"
                voice = tone(1.2 + 0.3 * take, loud * (2 if emotion == "angry" else 1), 200 + 60 * number)
                soundfile.write(path, np.concatenate([quiet, voice, quiet]), RATE)
                sex = "male" if number % 2 else "female"
                found.append(Clip(path, corpus, speaker, sex, emotion, "normal", "", f"{corpus}/{path.stem}"))
    return found


# Clips put together


def test_silence_at_the_ends_is_cut_and_corpora_are_as_loud(clips: list[Clip]) -> None:
    voices = Voices(clips)
    levels = {}
    for clip in clips:
        sound = voices.read(clip)
        assert len(sound) / RATE == pytest.approx(1.2 + 0.3 * int(clip.key[-1]), abs=0.05)
        levels[clip.key] = level(sound)
    for corpus in ("crema-d/1001", "ravdess/01"):
        assert levels[f"{corpus}-neutral-0"] == pytest.approx(LEVEL, abs=0.3)
        # Angry clips stay louder than the same speaker's others.
        assert levels[f"{corpus}-angry-0"] == pytest.approx(LEVEL + 6, abs=0.3)


def test_noise_lies_where_it_should(rng: np.random.Generator) -> None:
    speech = np.concatenate([tone(2), np.zeros(2 * RATE, dtype=np.float32)])
    noise = rng.standard_normal(RATE).astype(np.float32)
    noisy = add_noise(speech, noise, 10.0, rng)
    assert level(noisy - speech) == pytest.approx(level(speech) - 10, abs=0.2)


def test_a_telephone_takes_the_bass_and_the_treble() -> None:
    assert level(telephone(tone(1, frequency=1000))) == pytest.approx(level(tone(1, frequency=1000)), abs=0.5)
    for frequency in (60.0, 6000.0):
        assert level(telephone(tone(1, frequency=frequency))) < level(tone(1)) - 20


def test_small_things() -> None:
    assert len(trim(np.zeros(3200, dtype=np.float32))) == 3200  # pure silence stays
    assert np.abs(within_scale(tone(1, 3.0))).max() == pytest.approx(0.99)
    assert within_scale(tone(1)) is not None
    impulse = np.zeros(400, dtype=np.float32)
    impulse[100] = 0.5
    assert np.allclose(mixing.in_room(tone(1), impulse, 0.4), tone(1), atol=1e-5)  # a room without echo


# Scenes


def test_a_scene_is_what_it_says(clips: list[Clip]) -> None:
    scenes = list(build_scenes(clips, count=12, seed=1))
    assert [scene.number for scene in scenes] == list(range(12))
    for scene in scenes:
        assert len(scene.samples) == 120 * RATE
        assert np.abs(scene.samples).max() <= 0.99
        assert len({turn.clip.corpus for turn in scene.turns}) == 2
        angry = [turn for turn in scene.turns if turn.clip.emotion == "angry"]
        for turn in angry:
            assert any(span.start <= turn.start and turn.end <= span.end for span in scene.angry)
        for span in scene.angry:
            inside = [turn for turn in scene.turns if turn.start >= span.start and turn.end <= span.end]
            assert inside
            assert all(turn.clip.emotion == "angry" for turn in inside)
            assert 2 <= span.duration < 18
        middles = [scene.samples[round((t.start + t.end) / 2 * RATE) :][:800] for t in scene.turns]
        assert min(level(middle) for middle in middles) > LEVEL - 20  # where a turn is said to be, it sounds
    assert any(len(scene.angry) > 1 for scene in scenes)
    assert any(not scene.angry for scene in scenes)


def test_scenes_can_be_built_again(clips: list[Clip]) -> None:
    first, again = (list(build_scenes(clips, count=3, seed=5)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.samples, other.samples)
        assert one.angry == other.angry
        assert one.turns == other.turns
    other = next(build_scenes(clips, count=1, seed=6))
    assert other.turns != first[0].turns


def test_a_stretch_can_be_a_single_clip(clips: list[Clip]) -> None:
    scenes = list(build_scenes(clips, count=12, seed=1, length=(0.01, 0.02)))
    acted = [
        (span, [turn for turn in scene.turns if turn.clip.emotion == "angry"])
        for scene in scenes
        for span in scene.angry
    ]
    assert acted
    for span, turns in acted:
        inside = [turn for turn in turns if turn.start < span.end and turn.end > span.start]
        assert [(turn.start, turn.end) for turn in inside] == [(span.start, span.end)]


def test_noise_and_room_are_named(clips: list[Clip], tmp_path: Path, rng: np.random.Generator) -> None:
    noise, room = tmp_path / "hiss.wav", tmp_path / "hall.wav"
    soundfile.write(noise, rng.standard_normal(RATE) * 0.1, RATE)
    soundfile.write(room, np.exp(-np.arange(RATE) / 2000) * rng.standard_normal(RATE) * 0.1, RATE)
    scenes = list(build_scenes(clips, [noise], [room], count=8))
    assert {scene.noise for scene in scenes} == {"", "hiss.wav"}
    assert {scene.room for scene in scenes} == {"", "hall.wav"}
    assert all((scene.snr is None) == (not scene.noise) for scene in scenes)


def test_scenes_need_corpora_and_anger(clips: list[Clip]) -> None:
    with pytest.raises(DatasetError, match="speakers of two corpora"):
        next(build_scenes([clip for clip in clips if clip.corpus == "crema-d"]))
    with pytest.raises(DatasetError, match="angry, neutral and other clips; there are such speakers of none"):
        next(build_scenes([clip for clip in clips if clip.emotion != "angry"]))


# Scores of events


@pytest.mark.parametrize(
    ("events", "right", "found", "delays"),
    [
        ([], 0, 0, ()),
        ([Span(10, 20)], 1, 1, (0,)),
        ([Span(16, 20)], 1, 0, (6,)),  # half of the stretch is not covered
        ([Span(15, 20)], 1, 1, (5,)),
        ([Span(5, 15)], 1, 1, (0,)),  # half of the event lies inside
        ([Span(4, 15)], 0, 0, (0,)),  # less than half
        ([Span(10, 12), Span(13, 16)], 2, 1, (0,)),  # a stretch may be found in pieces
        ([Span(30, 40)], 0, 0, ()),
        ([Span(12, 20), Span(30, 31)], 1, 1, (2,)),
    ],
)
def test_half_overlap(events: list[Span], right: int, found: int, delays: tuple[float, ...]) -> None:
    matched = match(events, [Span(10, 20)], 60)
    assert (matched.events, matched.stretches, matched.calm) == (len(events), 1, 50)
    assert (matched.right, matched.found, matched.delays) == (right, found, delays)


def test_sums_over_recordings() -> None:
    matched = [match([Span(10, 20), Span(30, 40)], [Span(10, 20)], 70), match([], [Span(0, 10)], 70)]
    found = summarize(matched, resamples=200)
    assert (found["recordings"], found["stretches"], found["events"]) == (2, 2, 2)
    assert found["precision"]["value"] == found["recall"]["value"] == found["f1"]["value"] == 0.5
    assert found["false_alarms_per_hour"]["value"] == pytest.approx(1 / (120 / 3600))
    assert found["delay"]["value"] == 0
    assert found["recall"]["interval"] == [0.0, 1.0]
    nothing = summarize([match([], [], 60)] * 3, resamples=20)
    assert nothing["precision"]["value"] is nothing["recall"]["value"] is nothing["delay"]["value"] is None
    assert nothing["false_alarms_per_hour"]["value"] == 0


# Whole measurements, with a model that hears loudness


class Loudness:
    """A stand-in for a voice model: aggression is how loud a window is beside the speakers' level."""

    info = ModelInfo("loudness", "0" * 64, 0.5)
    why = ""

    margins = Margins()

    def threshold_on(self, *, telephone: bool) -> float:
        return self.info.threshold

    def score_windows(self, samples, rate, starts, ends):  # type: ignore[no-untyped-def]
        def score(a: float, b: float) -> float:
            return 1 / (1 + math.exp(-(level(samples[round(a * rate) : round(b * rate)]) - LEVEL - 3)))

        aggression = [score(a, b) for a, b in zip(starts, ends, strict=True)]
        return np.full((len(starts), 8), 0.125, np.float32), np.array(aggression, np.float32)


@pytest.fixture
def everything_is_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the detector of speech, which knows that a tone is none, hear what sounds."""

    def heard(recording, channel=0, *, settings=None, progress=None):  # type: ignore[no-untyped-def]
        sounding = mixing.active(recording.channel(channel)).astype(int)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], sounding, [0]])))
        spans = [Span(a * 0.02, b * 0.02) for a, b in edges.reshape(-1, 2) if b - a > 15]
        return tuple(Span(round(s.start, 2), round(s.end, 2)) for s in spans)

    monkeypatch.setattr("blipper.speech.detect_speech", heard)


def test_a_model_that_hears_anger_finds_the_stretches(
    clips: list[Clip], tmp_path: Path, everything_is_speech: None
) -> None:
    steps: list[tuple[str, float, float]] = []
    found = measure_scenes(
        Loudness(), clips, tmp_path, count=6, resamples=50, progress=lambda *step: steps.append(step)
    )  # type: ignore[arg-type]
    assert found["recall"]["value"] > 0.8
    assert found["precision"]["value"] > 0.8
    assert found["delay"]["value"] < 1
    assert found["threshold"] == 0.5
    assert len(found["thresholds"]) == 19
    assert found["thresholds"]["0.50"]["recall"] == found["recall"]
    assert list(found["shortest"]) == ["1", "2", "3", "4", "5"]
    assert found["shortest"]["1"]["recall"] == found["recall"]
    counts = [part["events"] for part in found["shortest"].values()]
    assert counts == sorted(counts, reverse=True)
    assert found["seconds"] == 720
    assert found["speakers"] == ["crema-d/1001", "crema-d/1002", "ravdess/01"]
    assert steps[-1] == ("scenes", 6, 6)


def test_alarms_are_events_by_the_hour(clips: list[Clip], everything_is_speech: None) -> None:
    quiet = talks(Loudness(), clips, ["neutral"])  # type: ignore[arg-type]
    angry = talks(Loudness(), clips, ["angry"])  # type: ignore[arg-type]
    assert [talk.speaker for talk in quiet] == ["crema-d/1001", "crema-d/1002", "ravdess/01"]
    assert alarms_per_hour(quiet, 0.5) == 0
    assert sum(talk.alarms(0.5) for talk in angry) == 9  # one each: no pause is bridged
    assert share_found(angry, 0.5, resamples=20)["share"] == {"value": 1.0, "interval": [1.0, 1.0]}
    counted = rate(angry, 0.5, resamples=20)
    assert counted["alarms"] == 9
    assert counted["seconds"] == pytest.approx(3 * (1.2 + 1.5 + 1.8), abs=0.6)
    assert counted["per_hour"]["value"] == pytest.approx(9 / counted["seconds"] * 3600, rel=0.01)
    assert all(events_at(talk.analysis, 0.99999) == () for talk in quiet)
    assert all(len(events_at(talk.analysis, 0.5, 1.0)) == 3 for talk in angry)
    assert all(events_at(talk.analysis, 0.5, 30.0) == () for talk in angry)


def test_clips_are_joined_with_pauses_that_no_event_bridges(
    clips: list[Clip], rng: np.random.Generator
) -> None:
    voices = Voices(clips)
    own = voices.of(("ravdess", "01"))[:3]
    samples, places = join(voices, own, rng)
    assert [b.start - a.end for a, b in pairwise(places)] == pytest.approx([3, 3])
    assert level(samples[:RATE]) < -70  # hiss, not silence
    assert len(samples) / RATE == pytest.approx(places[-1].end + 3)


@pytest.mark.data
def test_false_alarms_by_condition_and_class(
    clips: list[Clip], data_dir: Path, everything_is_speech: None
) -> None:
    found = measure_alarms(Loudness(), clips, data_dir, resamples=20, limit=1)  # type: ignore[arg-type]
    assert list(found["speech"]) == [
        "as recorded", "noise at 20 dB", "noise at 10 dB", "noise at 0 dB", "telephone band"
    ]  # fmt: skip
    clean = found["speech"]["as recorded"]
    assert clean["neutral"]["alarms"] == 0
    assert set(clean["neutral"]["corpora"]) == {"crema-d", "ravdess"}
    assert clean["angry"]["share"]["value"] == 1.0
    assert clean["angry"]["thresholds"]["0.50"] == 1.0
    assert {"coughing", "laughing", "screaming", "noise: household"} <= set(found["sounds"])
    assert all(part["files"] == 1 for part in found["sounds"].values())


def test_a_talk_without_speech_counts_no_hour() -> None:
    assert alarms_per_hour([], 0.5) == 0
    assert rate([], 0.5)["per_hour"] == {"value": None, "interval": None}


def test_the_threshold_is_the_lowest_quiet_one(clips: list[Clip], everything_is_speech: None) -> None:
    threshold, evidence = choose_threshold(Loudness(), clips)  # type: ignore[arg-type]
    assert threshold == 0.5  # neutral clips score far below; no lower one is taken
    assert (evidence["alarms"], evidence["per_hour"], evidence["found"]) == (0, 0.0, 1.0)
    # Nothing seen in so many hours: at 95 % the rate is below three by that time (Poisson).
    assert evidence["upper"] == pytest.approx(3.0 / evidence["seconds"] * 3600, rel=0.01)
    assert evidence["thresholds"]["0.50"] == {"per_hour": 0.0, "found": 1.0}


def test_the_threshold_rises_over_loud_neutral_speech(
    clips: list[Clip], everything_is_speech: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blipper.training.alarms.QUIET", ("angry",))  # as if these were neutral
    _, before = choose_threshold(Loudness(), clips)  # type: ignore[arg-type]
    quiet = talks(Loudness(), clips, ["angry"])  # type: ignore[arg-type]
    threshold, evidence = choose_threshold(Loudness(), clips)  # type: ignore[arg-type]
    assert threshold > 0.5
    assert evidence["alarms"] == 0 or threshold == 0.95
    assert alarms_per_hour(quiet, round(threshold - 0.01, 2)) > 1
    assert before == evidence  # repeatable
    with pytest.raises(DatasetError, match="needs neutral or calm speech"):
        choose_threshold(Loudness(), [c for c in clips if c.emotion == "sad"])  # type: ignore[arg-type]
