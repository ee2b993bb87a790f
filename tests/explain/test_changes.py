"""Hearing what mattered, what-if, leaving pieces out, overviews: on sounds and models with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from blipper import audio
from blipper.errors import Cancelled, SettingsError
from blipper.explain import pieces
from blipper.explain.gradients import BATCH, log_odds
from blipper.explain.listen import mask, only_what_mattered
from blipper.explain.overview import overview
from blipper.explain.pieces import leave_one_out
from blipper.explain.targets import probability
from blipper.explain.voice import integrated_gradients
from blipper.explain.what_if import CHANGES, altered, what_if
from blipper.results import Span
from blipper.voice.models import VoiceModel, load_model
from tests.explain.made import FRONT, linear_model, neutral
from tests.explain.test_wording import made

RATE = 16_000


@pytest.fixture(scope="module")
def shipped() -> VoiceModel:
    return load_model("mel-cnn")


def tone(frequency: float, seconds: float = 3.0) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def level(samples: np.ndarray, frequency: float, start: float, end: float) -> float:
    """Return the level of one frequency in a stretch, in dB."""
    part = samples[round(start * RATE) : round(end * RATE)]
    wave = np.exp(-2j * np.pi * frequency * np.arange(len(part)) / RATE)
    return float(20 * np.log10(abs(np.mean(part * wave * np.hanning(len(part)))) + 1e-12))


def test_only_the_cells_that_mattered_are_heard():
    sound = tone(600) + tone(3000)
    values = np.zeros((300, 40))
    values[100:200, 2:4] = 0.01  # 500 to 900 Hz, from 1 to 2 s
    heard = only_what_mattered(sound, RATE, made(values), origin=10.0, floor=-30)
    assert len(heard) == len(sound)
    assert level(heard, 600, 1.1, 1.9) == pytest.approx(level(sound, 600, 1.1, 1.9), abs=1.0)
    for frequency, start, end in ((600, 0.1, 0.8), (600, 2.2, 2.9), (3000, 0.1, 2.9)):
        lowered = level(heard, frequency, start, end) - level(sound, frequency, start, end)
        assert lowered == pytest.approx(-30, abs=2.0)


def test_what_spoke_against_it_can_be_heard_instead():
    sound = tone(600) + tone(3000)
    values = np.zeros((300, 40))
    values[:, 2:4] = 0.01
    values[:, 14:16] = -0.01  # around 3000 Hz
    heard = only_what_mattered(sound, RATE, made(values), origin=10.0, side="against")
    assert level(heard, 3000, 0.2, 2.8) > level(sound, 3000, 0.2, 2.8) - 1
    assert level(heard, 600, 0.2, 2.8) < level(sound, 600, 0.2, 2.8) - 25


def test_the_mask_keeps_the_strongest_cells_first():
    values = np.zeros((300, 40))
    values[50:60, 5] = 3.0
    values[200:210, 30] = 1.0
    kept = mask(made(values), share=0.4)
    assert kept[52:58, 5].min() > 0.9
    assert kept[190:220].max() < 0.1
    assert mask(made(values), share=1.0)[202:208, 30].min() > 0.9
    assert not mask(made(-values)).any()
    assert kept.min() >= 0
    assert kept.max() <= 1


@pytest.mark.parametrize("changes", [{"share": 0}, {"share": 1.5}, {"floor": 3}, {"floor": -100}])
def test_domains_of_the_mask(changes):
    with pytest.raises(SettingsError, match="expected"):
        only_what_mattered(tone(600), RATE, made(np.ones((300, 40))), **changes)


def test_nothing_changed_is_the_original_score(shipped):
    sound = tone(220) + tone(440) + np.random.default_rng(0).normal(0, 0.01, 48_000).astype(np.float32)
    curves = what_if(shipped, sound, RATE, [Span(0.0, 2.0)], changes=CHANGES[:3])
    original = float(shipped.score_windows(sound[:32_000], RATE, [0], [2.0])[1][0])
    for curve in curves:
        assert curve.original == pytest.approx(original, abs=1e-6)
        assert curve.scores[curve.change.steps.index(curve.change.unchanged)] == pytest.approx(original)
        assert ((curve.scores >= 0) & (curve.scores <= 1)).all()
    # The front end levels every window.
    assert np.ptp(curves[2].scores) < 1e-3


@pytest.mark.parametrize(("semitones", "expected"), [(-4, 440 * 2 ** (-4 / 12)), (3, 440 * 2 ** (3 / 12))])
def test_pitch_moves_by_semitones(semitones, expected):
    moved = altered(tone(440), RATE, CHANGES[0], semitones)[8000:-8000]
    spectrum = np.abs(np.fft.rfft(moved * np.hanning(len(moved))))
    assert np.argmax(spectrum) * RATE / len(moved) == pytest.approx(expected, rel=0.01)


def test_speed_changes_the_length_and_noise_has_its_level():
    assert len(altered(tone(440), RATE, CHANGES[1], 1.2)) == pytest.approx(3.0 * RATE / 1.2, rel=0.02)
    sound = tone(440)
    noise = altered(sound, RATE, CHANGES[3], 10) - sound
    assert 10 * np.log10(np.mean(sound**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.3)


def test_what_if_can_be_stopped_and_wants_windows(shipped):
    def stop(step, completed, total):
        if completed >= 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        what_if(shipped, tone(300), RATE, [Span(0.0, 1.0)], progress=stop)
    with pytest.raises(SettingsError, match="no window"):
        what_if(shipped, tone(300), RATE, [])


def test_a_piece_of_a_linear_model_weighs_what_it_holds(rng):
    weights = rng.normal(0, 0.02, (FRONT.frames, FRONT.mels))
    model, background = linear_model(weights), neutral(rng)
    sound = rng.normal(0, 0.1, RATE + 400).astype(np.float32)
    window = Span(0.0, 1.0)
    words = [(0.10, 0.30, "one"), (0.50, 0.60, "two"), (3.0, 3.2, "unheard")]
    found = leave_one_out(model, sound, RATE, [window], words=words, background=background, origin=5.0)
    assert [piece.text for piece in found] == ["one", "two"]
    inputs = model.inputs_of(sound, RATE, [0.0], [1.0])
    moved = weights * (inputs.frames[0] - background.frame) * model.calibration.slope
    assert found[0].effect == pytest.approx(moved[10:30].sum(), abs=1e-4)
    assert found[1].effect == pytest.approx(moved[50:60].sum(), abs=1e-4)
    assert found[0].start == pytest.approx(5.1)
    whole = float(model.score_windows(sound, RATE, [0.0], [1.0])[1][0])
    odds = np.log(whole / (1 - whole)) - found[0].effect
    assert found[0].score == pytest.approx(float(probability(odds)), abs=1e-5)


def test_pieces_that_share_a_batch_weigh_what_they_weigh_alone(rng, monkeypatch):
    model, background = linear_model(rng.normal(0, 0.02, (FRONT.frames, FRONT.mels))), neutral(rng)
    sound = rng.normal(0, 0.1, 3 * RATE).astype(np.float32)
    windows = [Span(0.0, 1.0), Span(0.5, 1.5), Span(1.0, 2.0), Span(1.0, 2.0)]
    words = [(0.04 * i, 0.04 * i + 0.1, f"word {i}") for i in range(45)]
    calls = []

    def counted(model, frames, lengths):
        calls.append(len(frames))
        return log_odds(model, frames, lengths)

    monkeypatch.setattr(pieces, "log_odds", counted)
    told = []
    found = leave_one_out(
        model,
        sound,
        RATE,
        windows,
        words=words,
        background=background,
        progress=lambda *report: told.append(report),
    )
    assert max(calls) <= BATCH
    assert len(calls) < len(words) / 2
    assert [piece.text for piece in found] == [text for *_, text in words]
    assert told[-1] == ("pieces", len(words), len(words))
    for piece, word in list(zip(found, words, strict=True))[::9]:
        (alone,) = leave_one_out(model, sound, RATE, windows, words=[word], background=background)
        assert piece.effect == pytest.approx(alone.effect, abs=1e-5)
        assert piece.score == pytest.approx(alone.score, abs=1e-6)


def test_fixed_pieces_cover_the_windows_once(rng):
    model, background = linear_model(np.full((FRONT.frames, FRONT.mels), 0.001)), neutral(rng)
    sound = rng.normal(0, 0.1, 4 * RATE).astype(np.float32)
    windows = [Span(0.0, 1.0), Span(0.5, 1.5), Span(2.0, 3.0)]
    found = leave_one_out(model, sound, RATE, windows, background=background)
    assert found[0].start == 0.0
    assert found[-1].end == pytest.approx(3.0)
    assert sum(piece.end - piece.start for piece in found) == pytest.approx(2.5)
    assert max(piece.end - piece.start for piece in found) <= 0.3 + 1e-9


def test_an_overview_adds_up_to_its_windows(rng):
    weights = rng.normal(0, 0.01, (FRONT.frames, FRONT.mels))
    model, background = linear_model(weights), neutral(rng)
    recording = audio.from_samples(rng.normal(0, 0.1, 90 * RATE).astype(np.float32), RATE)
    windows = [Span(float(start), start + 1.0) for start in range(0, 80, 2)]
    told = []
    found = overview(
        recording,
        windows,
        model,
        background=background,
        most=20,
        progress=lambda *report: told.append(report),
    )
    assert found.left_out == 20
    assert len(found.starts) == 20
    assert (found.starts[0], found.starts[-1]) == (0.0, 78.0)
    assert found.band_profile.sum() == pytest.approx(found.contributions.mean(), abs=1e-6)
    one = integrated_gradients(
        model, recording.read(78.0, 79.0), RATE, starts=[0.0], ends=[1.0], background=background
    )
    assert found.contributions[-1] == pytest.approx(one.total, abs=1e-4)
    assert told[-1] == ("overview", 20, 20)
    assert [completed for _, completed, _ in told] == sorted(completed for _, completed, _ in told)
