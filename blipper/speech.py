"""Where somebody speaks: Silero VAD, a whole block of frames at a time.

The ``silero-vad`` package (MIT) carries its weights, found without importing the package, whose import would
pull in PyTorch; :mod:`blipper.silero` computes the same probabilities as the package's frame-by-frame loop.
State is carried from block to block, so a recording of any length costs the memory of one block.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper import silero
from blipper.errors import AudioError, SettingsError
from blipper.hysteresis import find_runs, tidy_runs
from blipper.progress import Progress, silent
from blipper.recording import Float32, Recording
from blipper.results import Span
from blipper.second_look import SecondLook

#: The only rate that these weights know, in Hz.
SAMPLING_RATE: Final = 16_000
#: Samples in a frame: 512 / 16,000 = 32 ms.
FRAME: Final = silero.FRAME
#: Samples of the frame before that the model also sees.
CONTEXT: Final = silero.CONTEXT
#: Spans start and end on this grid, in seconds: one hop of the voice models' log-mel frames, so that a
#: window's frames do not depend on how a recording was cut into blocks.
GRID: Final = 0.01


@dataclass(frozen=True)
class SpeechSettings:
    """When a stretch counts as speech.

    Parameters
    ----------
    onset, release : float
        Speech probability in (0, 1) at which a span opens, and below which it closes.
    min_speech : float
        Seconds; shorter spans are dropped.
    min_silence : float
        Seconds; shorter pauses belong to the span around them.
    pad : float
        Seconds kept on each side of a span, since the model reacts a little late.
    """

    onset: float = 0.5
    release: float = 0.35
    min_speech: float = 0.25
    min_silence: float = 0.3
    pad: float = 0.1

    def __post_init__(self) -> None:
        """Check the domains."""
        if not 0 < self.release <= self.onset < 1:
            raise SettingsError(
                f"speech release {self.release} and onset {self.onset}: expected 0 < release <= onset < 1"
            )
        for name in ("min_speech", "min_silence", "pad"):
            value = getattr(self, name)
            if not 0 <= value <= 10:
                raise SettingsError(f"speech {name} is {value} s, expected 0 to 10 s")


def speech_probabilities(blocks: Iterable[Float32], *, shouts: bool = True) -> Float32:
    """Compute the probability of speech, frame by frame.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray of float32, shape (n,)
        Consecutive samples at 16 kHz; each block but the last a multiple of :data:`FRAME` samples.
    shouts : bool
        As :class:`SpeechDetector` takes it.

    Returns
    -------
    numpy.ndarray of float32, shape (n_frames,)
        In [0, 1], one for each 32 ms; the last frame is padded with zeros.
    """
    detector = SpeechDetector(shouts=shouts)
    found = [detector.add(block) for block in blocks]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.float32)


class SpeechDetector:
    """Silero VAD with its state, for sound that comes in blocks.

    Parameters
    ----------
    shouts : bool
        Whether loud frames without speech are looked at again, an octave lower (:mod:`blipper.second_look`).
        Such a frame's probability is the larger one of both looks.
    """

    def __init__(self, *, shouts: bool = True) -> None:
        self._memory = silero.Memory()
        self._second_look = SecondLook() if shouts else None
        self._before = np.zeros(FRAME, dtype=np.float32)

    def add(self, block: Float32) -> Float32:
        """Return the probabilities of speech in the next samples.

        Parameters
        ----------
        block : numpy.ndarray of float32, shape (n,)
            A multiple of :data:`FRAME` samples, unless it is the last.

        Returns
        -------
        numpy.ndarray of float32, shape (n_frames,)
        """
        n_frames = math.ceil(len(block) / FRAME)
        if not n_frames:
            return np.zeros(0, dtype=np.float32)
        samples = np.zeros((n_frames + 1) * FRAME, dtype=np.float32)
        samples[:FRAME] = self._before
        samples[FRAME : FRAME + len(block)] = block
        frames = np.lib.stride_tricks.sliding_window_view(samples, CONTEXT + FRAME)[FRAME - CONTEXT :: FRAME]
        found = self._memory.hear(frames)
        if self._second_look is not None:
            self._second_look.improve(found, samples)
        self._before = samples[-FRAME:].copy()
        return found


def spans_from_probabilities(
    probabilities: Float32, duration: float, settings: SpeechSettings | None = None
) -> tuple[Span, ...]:
    """Turn frame probabilities into spans of speech.

    Parameters
    ----------
    probabilities : numpy.ndarray, shape (n_frames,)
        One for each 32 ms.
    duration : float
        Length of the recording in seconds; spans end there at the latest.
    settings : SpeechSettings, optional

    Returns
    -------
    tuple of Span
        In order, without overlap, on the grid of :data:`GRID`.
    """
    settings = settings or SpeechSettings()
    frame = FRAME / SAMPLING_RATE
    runs = tidy_runs(
        find_runs(probabilities, settings.onset, settings.release),
        bridge=settings.min_silence / frame,
        min_length=settings.min_speech / frame,
    )
    spans: list[Span] = []
    for first, last in runs:
        start = max(0.0, math.floor((first * frame - settings.pad) / GRID + 1e-6) * GRID)
        end = min(duration, math.ceil((last * frame + settings.pad) / GRID - 1e-6) * GRID)
        if spans and start <= spans[-1].end:  # padding met padding
            spans[-1] = Span(spans[-1].start, round(end, 6))
        else:
            spans.append(Span(round(start, 6), round(end, 6)))
    return tuple(spans)


def detect_speech(
    recording: Recording,
    channel: int = 0,
    *,
    settings: SpeechSettings | None = None,
    progress: Progress = silent,
) -> tuple[Span, ...]:
    """Find where somebody speaks.

    Parameters
    ----------
    recording : Recording
        At 16 kHz.
    channel : int
    settings : SpeechSettings, optional
    progress : Progress
        Told seconds of audio, as step ``"speech"``.

    Returns
    -------
    tuple of Span
        In order, without overlap; empty where nobody speaks.

    Raises
    ------
    AudioError
        If the recording is not at 16 kHz.
    ModelError
        If the detector's weights are not installed.
    """
    if recording.sampling_rate != SAMPLING_RATE:
        raise AudioError(
            f"{recording.provenance.name}: speech is looked for at {SAMPLING_RATE} Hz, "
            f"not at {recording.sampling_rate} Hz"
        )
    seconds = 20 * silero.FRAMES_A_CALL * FRAME / SAMPLING_RATE  # 82 s, whole calls

    def reported() -> Iterable[Float32]:
        for start, block in recording.blocks(seconds, channel):
            progress("speech", start, recording.duration)
            yield block

    probabilities = speech_probabilities(reported())
    progress("speech", recording.duration, recording.duration)
    return spans_from_probabilities(probabilities, recording.duration, settings)
