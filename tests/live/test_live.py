"""The streaming analyser on synthetic speech whose windows are known, at its limits, and over hours."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from blipper import fusion
from blipper.analysis import windows_over
from blipper.errors import AudioError, SettingsError
from blipper.live import LiveAnalyser, windowing
from blipper.marking import voice_curve
from blipper.results import Analysis, ModelInfo, Quality, Track, Trend, Windows
from blipper.settings import Settings
from blipper.speech import FRAME, SpeechSettings, spans_from_probabilities
from blipper.voice.labels import EMOTIONS
from blipper.voice.windows import Margins
from tests.helpers import RATE, recording
from tests.live.helpers import assert_same, events, feed, opened, points, windows


class LevelModel:
    """Scores how loud a window is; 1 from -20 dBFS."""

    info = ModelInfo(name="level", sha256="0" * 64, threshold=0.5)
    why = ""

    margins = Margins()

    def threshold_on(self, *, telephone):
        return self.info.threshold

    def score_windows(self, samples, sampling_rate, starts, ends):
        pieces = [
            samples[round(start * sampling_rate) : round(end * sampling_rate)]
            for start, end in zip(starts, ends, strict=True)
        ]
        assert all(
            len(piece) == round(end * RATE) - round(start * RATE)
            for piece, start, end in zip(pieces, starts, ends, strict=True)
        ), "a window was cut short"
        aggression = np.clip([10 * np.sqrt(np.mean(piece**2)) for piece in pieces], 0, 1).astype(np.float32)
        emotions = np.zeros((len(pieces), len(EMOTIONS)), dtype=np.float32)
        emotions[:, EMOTIONS.index("angry")] = aggression
        emotions[:, EMOTIONS.index("neutral")] = 1 - aggression
        return emotions, aggression


class GivenSpeech:
    """A detector whose answer for every frame is given."""

    def __init__(self, probabilities: Iterator[float]) -> None:
        self.probabilities = probabilities

    def add(self, block: np.ndarray) -> np.ndarray:
        n = -(-len(block) // FRAME)
        return np.array(list(itertools.islice(self.probabilities, n)), dtype=np.float32)


def given(monkeypatch: pytest.MonkeyPatch, probabilities: Iterator[float]) -> None:
    monkeypatch.setattr(windowing, "SpeechDetector", lambda: GivenSpeech(probabilities))


def hearing(margins: Margins | None) -> LevelModel:
    """Return a stand-in that hears so much around an utterance."""
    model = LevelModel()
    model.margins = margins or Margins()
    return model


def offline(
    samples: np.ndarray, probabilities: np.ndarray, settings: Settings, model: LevelModel
) -> Analysis:
    """Take the offline road from given probabilities of speech."""
    duration = len(samples) / RATE
    spans = spans_from_probabilities(probabilities, duration, settings.speech)
    placed = windows_over(spans, duration, model, settings)
    starts, ends = [window.start for window in placed], [window.end for window in placed]
    emotions, aggression = model.score_windows(samples, RATE, starts, ends)
    scored = Windows(np.array(starts), np.array(ends), emotions.reshape(-1, 8), aggression)
    curve = voice_curve(scored, spans, duration, settings)
    events = fusion.find_events(curve, spans, settings=settings.events(0.5))
    track = Track("mix", Quality(()), spans, scored, curve, Trend("unknown", None))
    return Analysis(recording(samples).provenance, duration, (track,), events, model.info, settings.to_dict())


CHOICES = (
    Settings(),
    Settings(window=1.0, hop=1.0, step=0.1, smoothing=0.3, min_duration=0.0, bridge=0.0),
    Settings(window=2.5, hop=0.1, step=0.7, rise=20.0, bridge=10.0, min_duration=3.0, surroundings=4.0),
    Settings(speech=SpeechSettings(min_speech=0.0, min_silence=0.1, pad=0.0), surroundings=0.0, rise=0.0),
    Settings(speech=SpeechSettings(min_speech=2.0, min_silence=1.5, pad=0.7), window=4.0),
)


@pytest.mark.parametrize("margins", [None, Margins(0.3, 0.19), Margins(1.0, 1.0)])
@pytest.mark.parametrize("settings", CHOICES)
@pytest.mark.parametrize("seed", range(8))
def test_any_speech_gives_the_offline_windows_curve_and_events(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, seed: int, margins: Margins | None
) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60 * RATE))
    lengths = rng.choice([1, 3, 8, 9, 10, 11, 20, 31, 62, 90, 93, 94, 95, 110, 200, 400], 400)
    probabilities = np.repeat(np.arange(400) % 2 * 0.9, lengths)[: -(-n // FRAME)].astype(np.float32)
    probabilities[rng.random(len(probabilities)) < 0.02] = 0.4  # neither opens nor closes
    loudness = np.repeat(rng.random(1 + n // 8000), 8000)[:n]
    samples = (0.2 * loudness * rng.normal(0, 1, n)).clip(-1, 1).astype(np.float32)
    given(monkeypatch, iter(probabilities.tolist()))
    model = hearing(margins)
    analyser = LiveAnalyser(RATE, model=model, settings=settings)
    sizes = rng.integers(1, 12_000, 100_000) if seed % 2 else itertools.repeat(320)
    expected = offline(samples, probabilities, settings, model)
    assert_same(feed(analyser, samples, map(int, sizes)), expected, 1e-6)


@pytest.mark.parametrize("margins", [None, Margins(0.3, 0.19)])
def test_a_window_is_reported_as_soon_as_its_sound_is_there(
    monkeypatch: pytest.MonkeyPatch, margins: Margins | None
) -> None:
    """Speech begins at 1 s and goes on: windows end at 3.9 s (padding), 4.4 s, …, each reported then."""
    given(monkeypatch, itertools.chain(itertools.repeat(0.0, 32), itertools.repeat(0.9)))
    analyser = LiveAnalyser(RATE, model=hearing(margins))
    lateness = []
    for number in range(1000):
        for window in windows(analyser.add(np.full(160, 0.01, np.float32))):
            lateness.append((number + 1) * 0.01 - window.end)
    assert len(lateness) == 13
    # A window that may turn out to be the last, and so to hear more, waits for the next frame of speech.
    assert max(lateness) <= (0.021 if margins is None else 0.041)


@pytest.mark.parametrize("margins", [None, Margins(0.3, 0.19)])
def test_a_window_that_ends_in_a_pause_waits_for_its_end(
    monkeypatch: pytest.MonkeyPatch, margins: Margins | None
) -> None:
    """All windows, the last of a span too, are there 0.24 s after their end at the latest, margins or not."""
    rng = np.random.default_rng(0)
    lengths = rng.choice([4, 9, 12, 40, 97, 130, 150], 300)
    given(monkeypatch, iter(np.repeat(np.arange(300) % 2 * 0.9, lengths).tolist() + [0.0] * 1000))
    analyser = LiveAnalyser(RATE, model=hearing(margins))
    late = [
        (number + 1) * 0.01 - window.end
        for number in range(int(lengths.sum() * 3.2))
        for window in windows(analyser.add(np.full(160, 0.01, np.float32)))
    ]
    assert len(late) > 200
    assert 0.2 < max(late) <= 0.24


def test_an_event_opens_once_it_has_lasted_and_keeps_to_the_release(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, itertools.repeat(0.9))
    settings = Settings(min_duration=4.0, window=1.0, hop=0.5)
    analyser = LiveAnalyser(RATE, model=LevelModel(), settings=settings)
    loud = np.concatenate(
        [np.full(10 * RATE, level, np.float32) for level in (0.01, 0.08, 0.045, 0.01, 0.08)]
    )
    updates = feed(analyser, loud[: 42 * RATE], itertools.repeat(1600))
    (told,) = opened(updates)
    assert told.start == pytest.approx(9, abs=0.6)  # where the score, which takes 0.8 s in, leaves 0.2
    assert told.until - told.start == pytest.approx(4, abs=0.6)
    (found,) = [update.event for update in updates if hasattr(update, "event")]
    assert found.end == pytest.approx(30, abs=1.1)  # 0.45 keeps it open, 0.1 closes it
    assert not analyser.event_is_open


def test_the_newest_scores_are_shown_before_they_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """They join the settled ones without a gap, and stay when nothing surprising follows."""
    given(monkeypatch, itertools.repeat(0.9))
    analyser = LiveAnalyser(RATE, model=LevelModel())
    settled = []
    for _ in range(20):
        settled += points(analyser.add(np.full(RATE, 0.05, np.float32)))
        shown = analyser.provisional
        ends = settled[-1].end if settled else 0.0
        np.testing.assert_allclose([time for time, _ in shown], ends + 0.25 + 0.5 * np.arange(len(shown)))
        np.testing.assert_allclose([score for _, score in shown], 0.5, atol=0.01)
    assert shown[-1][0] > 19
    waits = shown[-1][0] - settled[-1].end
    plain = LiveAnalyser(RATE, model=LevelModel(), settings=Settings(surroundings=0.0))
    sooner = points(plain.add(np.full(20 * RATE, 0.05, np.float32)))
    assert sooner[-1].end - settled[-1].end == pytest.approx(2.5)
    assert waits > 2.5


def test_a_silent_cell_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, itertools.repeat(0.0))
    found = points(LiveAnalyser(RATE, model=LevelModel()).add(np.zeros(10 * RATE, np.float32)))
    assert found[-1].end >= 9.0


@pytest.mark.parametrize("margins", [None, Margins(0.3, 0.19)])
@pytest.mark.parametrize("pattern", [[1000], [1, 9], [40, 8], [60, 4], [500, 20]])
def test_hours_take_no_more_memory_than_seconds(
    monkeypatch: pytest.MonkeyPatch, pattern: list[int], margins: Margins | None
) -> None:
    cycle = np.repeat(np.resize([0.9, 0.0], len(pattern)), pattern).tolist()
    given(monkeypatch, itertools.cycle(cycle))
    analyser = LiveAnalyser(RATE, model=hearing(margins))
    block = np.full(4 * RATE, 0.09, np.float32)
    most, spans, cells = 0, 0, 0
    for _ in range(2 * 900):  # two hours of it
        assert len(analyser.add(block)) < 60
        most = max(most, analyser.buffered_bytes)
        spans = max(spans, len(analyser._windows.spans))
        cells = max(cells, len(analyser._curve._weights), len(analyser._events._pending))
    assert analyser.duration == 7200
    assert most < 5 * RATE * 4, "samples are kept for longer than a window, a hop and a pause"
    assert spans < 20
    assert cells < 20


def skip(analyser: LiveAnalyser, seconds: int) -> None:
    """Set a fresh analyser's clocks as if so much silence had gone by."""
    cells = round(seconds / analyser.settings.step)
    analyser._windows._runs.count = seconds * RATE // FRAME
    analyser._windows._n_samples = analyser._first_kept = analyser._n_heard = seconds * RATE
    analyser._windows.horizon = float(seconds)
    analyser._curve.n_settled = analyser._events._runs.count = analyser._events._runs._began = cells


@pytest.mark.parametrize("settings", CHOICES)
@pytest.mark.parametrize("days", [0.5, 3, 30, 365])
def test_after_days_it_is_as_exact_as_at_first(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, days: float
) -> None:
    rng = np.random.default_rng(5)
    n, seconds = 60 * RATE, round(days * 86_400) // 56 * 56  # whole frames, and whole cells of every choice
    probabilities = np.repeat(np.arange(200) % 2 * 0.9, rng.choice([3, 9, 20, 62, 93, 200], 200)).tolist()
    loudness = np.repeat(rng.random(1 + n // 8000), 8000)[:n]
    samples = (0.2 * loudness * rng.normal(0, 1, n)).clip(-1, 1).astype(np.float32)
    found = []
    for gone in (0, seconds):
        given(monkeypatch, iter(probabilities))
        analyser = LiveAnalyser(RATE, model=LevelModel(), settings=settings)
        skip(analyser, gone)
        updates = feed(analyser, samples, itertools.repeat(4000))
        found.append(
            (
                [(w.start - gone, w.end - gone, w.aggression) for w in windows(updates)],
                [(p.start - gone, p.end - gone, p.aggression) for p in points(updates)],
                [(e.start - gone, e.end - gone, e.peak, e.mean) for e in events(updates)],
            )
        )
    for first, late in zip(*found, strict=True):
        assert len(first) == len(late)
        np.testing.assert_allclose(late, first, atol=1e-5)
    assert len(found[0][0]) > 20
    assert found[0][2]


def test_silence_settles_at_once() -> None:
    analyser = LiveAnalyser(RATE, model=LevelModel())
    found = points(analyser.add(np.zeros(10 * RATE, np.float32)))
    assert len(found) == 19
    assert np.isnan([point.aggression for point in found]).all()
    assert analyser.speaking is None
    assert points(analyser.finish())[-1].end == 10.0
    assert analyser.buffered_bytes == 0


def test_nothing_at_all() -> None:
    analyser = LiveAnalyser(44_100, model=LevelModel())
    assert analyser.add(np.zeros(0, np.float32)) == []
    assert analyser.finish() == []
    assert analyser.finish() == []
    with pytest.raises(ValueError, match="was finished"):
        analyser.add(np.zeros(10, np.float32))


@pytest.mark.parametrize("rate", [7_999, 192_001, 0, -1])
def test_rates_outside_the_limits(rate: int) -> None:
    with pytest.raises(SettingsError, match=rf"is {rate} Hz, expected 8000 to 192000 Hz"):
        LiveAnalyser(rate, model=LevelModel())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_sound(bad: float) -> None:
    analyser = LiveAnalyser(RATE, model=LevelModel())
    analyser.add(np.zeros(RATE, np.float32))
    with pytest.raises(AudioError, match=r"NaN or infinite samples after 1\.000 s"):
        analyser.add(np.array([0.0, bad], np.float32))


def test_shapes_that_are_none() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 2, 3\)"):
        LiveAnalyser(RATE, model=LevelModel()).add(np.zeros((1, 2, 3), np.float32))


def test_padding_that_could_join_spans_is_refused() -> None:
    settings = Settings(speech=SpeechSettings(pad=0.2))
    with pytest.raises(SettingsError, match=r"pad is 0\.2 s with a min_silence of 0\.3 s"):
        LiveAnalyser(RATE, model=LevelModel(), settings=settings)
