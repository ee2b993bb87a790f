"""Where somebody speaks: on real speech, on sounds that are no speech, and against Silero's own loop."""

from itertools import pairwise

import numpy as np
import pytest

from blipper.errors import AudioError, SettingsError
from blipper.results import Span
from blipper.speech import (
    FRAME,
    SpeechSettings,
    detect_speech,
    spans_from_probabilities,
    speech_probabilities,
)
from tests.helpers import RATE, read_16k, recording, silence


@pytest.fixture(scope="module")
def austen(data_dir):
    return read_16k(data_dir / "speech" / "austen-0880.flac")


def test_silence_noise_and_tones_are_no_speech(rng):
    t = np.arange(5 * RATE) / RATE
    for sound in (
        silence(5),
        0.1 * rng.standard_normal(5 * RATE),
        0.3 * np.sin(2 * np.pi * 440 * t),
        silence(0),
    ):
        assert detect_speech(recording(sound)) == ()


def test_speech_between_silences_is_found_where_it_is(austen):
    spans = detect_speech(recording(np.concatenate([silence(4), austen, silence(3)])))
    assert spans
    assert 3.8 <= spans[0].start <= 5.0
    assert spans[-1].end <= 4 + len(austen) / RATE + 0.2
    assert sum(span.duration for span in spans) > 0.6 * len(austen) / RATE
    assert all(a.end < b.start for a, b in pairwise(spans))


def test_blocks_give_the_same_as_one_piece(austen):
    whole = speech_probabilities([austen])
    blocks = [austen[i : i + 7 * FRAME] for i in range(0, len(austen), 7 * FRAME)]
    np.testing.assert_allclose(speech_probabilities(blocks), whole, atol=1e-5)


def test_equals_silero_frame_by_frame(austen):
    torch = pytest.importorskip("torch")
    from silero_vad import load_silero_vad

    model = load_silero_vad(onnx=True)
    padded = np.pad(austen, (0, -len(austen) % FRAME)).reshape(-1, FRAME)
    theirs = [model(torch.from_numpy(frame), RATE).item() for frame in padded]
    np.testing.assert_allclose(speech_probabilities([austen], shouts=False), theirs, atol=1e-4)


def test_spans_end_with_the_recording_and_lie_on_the_grid():
    probabilities = np.full(100, 0.9, dtype=np.float32)
    (span,) = spans_from_probabilities(probabilities, 3.19)
    assert (span.start, span.end) == (0.0, 3.19)
    probabilities[:30] = 0.0
    (span,) = spans_from_probabilities(probabilities, 3.2, SpeechSettings(pad=0.1))
    assert span == Span(0.86, 3.2)  # frame 30 begins at 0.96 s, less 0.1 s


def test_settings_decide():
    probabilities = np.zeros(100, dtype=np.float32)
    probabilities[[*range(10, 20), *range(26, 36)]] = 0.9  # two spurts of 0.32 s, 0.19 s apart
    assert len(spans_from_probabilities(probabilities, 3.2)) == 1
    apart = SpeechSettings(min_silence=0.1, pad=0.02)
    assert len(spans_from_probabilities(probabilities, 3.2, apart)) == 2
    assert spans_from_probabilities(probabilities, 3.2, SpeechSettings(min_silence=0.1, min_speech=0.5)) == ()


@pytest.mark.parametrize(
    "bad",
    [{"onset": 0.3, "release": 0.5}, {"onset": 1.0}, {"release": 0.0}, {"pad": -1.0}, {"min_speech": 99}],
)
def test_settings_outside_their_domain_are_named(bad):
    with pytest.raises(SettingsError, match="expected"):
        SpeechSettings(**bad)


def test_another_rate_is_refused():
    with pytest.raises(AudioError, match="8000 Hz"):
        detect_speech(recording(silence(1), rate=8000))


def test_progress_reaches_the_end(austen):
    told = []
    detect_speech(recording(austen), progress=lambda *report: told.append(report))
    assert told[0] == ("speech", 0.0, len(austen) / RATE)
    assert told[-1][1] == told[-1][2]
