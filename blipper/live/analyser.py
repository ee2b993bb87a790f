"""The streaming analyser: blocks of samples go in, scores and events come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike

from blipper.audio.limits import Limits
from blipper.errors import AudioError, SettingsError
from blipper.line_notice import LINE_RATE
from blipper.live.curve import LiveCurve, LiveEvents
from blipper.live.resample import make_resampler
from blipper.live.updates import Update, WindowScored
from blipper.live.windowing import LiveWindows
from blipper.recording import Float32
from blipper.results import Span
from blipper.settings import Settings
from blipper.speech import SAMPLING_RATE
from blipper.voice.choice import choose_light
from blipper.voice.models import load_model

if TYPE_CHECKING:
    from blipper.voice.models import VoiceModel


#: A longer block is taken in parts, in seconds: enough for a batch of windows, and memory stays bounded.
PART: Final = 4.0


def light_model(model: str | VoiceModel | None) -> VoiceModel:
    """Load the model that is asked for, if it is not loaded yet; the one that keeps up where none is."""
    return load_model(model or choose_light()) if model is None or isinstance(model, str) else model


class LiveAnalyser:
    """Listens to a stream and reports what is settled.

    Parameters
    ----------
    sampling_rate : int
        Of the blocks in Hz; 8,000 to 192,000.
    model : str or VoiceModel, optional
        Name of a model in :func:`blipper.models_dir`, or one that is already loaded; unless given the one
        that keeps up with speech on two cores (:func:`blipper.voice.choice.choose_light`).
    settings : Settings, optional
        Those of the offline road; several channels are mixed to one here, as the plain mean, whatever
        ``channels`` says: :class:`blipper.live.LiveChannels` keeps them apart.

    Notes
    -----
    Memory does not grow: samples are kept for as long as a window yet to come may need them (a window, a hop
    and a pause), cells of the curve until they are settled. One stream belongs to one thread at a time.

    Raises
    ------
    SettingsError
        If the sampling rate or a setting is outside its domain.
    ModelError
        If the model is missing or damaged.
    """

    def __init__(
        self,
        sampling_rate: int,
        *,
        model: str | VoiceModel | None = None,
        settings: Settings | None = None,
    ) -> None:
        limits = Limits()
        if not limits.min_sampling_rate <= sampling_rate <= limits.max_sampling_rate:
            raise SettingsError(
                f"the sampling rate is {sampling_rate} Hz, expected {limits.min_sampling_rate} to "
                f"{limits.max_sampling_rate} Hz"
            )
        self.settings = settings or Settings()
        self.model = light_model(model)
        self._windows = LiveWindows(
            self.settings.speech, self.settings.window, self.settings.hop, self.model.margins
        )
        self.sampling_rate = int(sampling_rate)
        own = self.model.threshold_on(telephone=self.sampling_rate <= LINE_RATE)
        events = self.settings.events(own)
        self.threshold = events.onset
        self._curve = LiveCurve(self.settings.step, self.settings.smoothing, self.settings.surroundings)
        self._events = LiveEvents(events, self.settings.step)
        self._resampler = make_resampler(sampling_rate, SAMPLING_RATE)
        self._kept: Float32 = np.zeros(0, dtype=np.float32)
        self._first_kept = 0
        self._n_heard = 0
        self._ahead: dict[Span, WindowScored] = {}
        self._finished = False

    @property
    def duration(self) -> float:
        """Seconds that were taken in."""
        return self._n_heard / self.sampling_rate

    @property
    def speaking(self) -> Span | None:
        """The stretch of speech that goes on, as far as it is known; None where nobody speaks."""
        return self._windows.speaking

    @property
    def _speech(self) -> list[Span]:
        """The spans of speech that are still needed, also the one that goes on."""
        speaking = self._windows.speaking
        return [*self._windows.spans, *([] if speaking is None else [speaking])]

    @property
    def event_is_open(self) -> bool:
        """Whether an event was opened and not yet closed."""
        return self._events.is_open

    @property
    def provisional(self) -> list[tuple[float, float]]:
        """The middles and scores of the newest cells, which what follows may still change."""
        step, first = self.settings.step, self._curve.n_settled
        return [
            ((first + i + 0.5) * step, score)
            for i, score in enumerate(self._curve.provisional(self._speech).tolist())
            if score == score
        ]

    @property
    def buffered_bytes(self) -> int:
        """Bytes of samples that are kept at the moment."""
        return self._kept.nbytes

    def add(self, block: ArrayLike) -> list[Update]:
        """Take the next samples.

        Parameters
        ----------
        block : array of float, shape (n,) or (n_channels, n)
            In [-1, 1], at :attr:`sampling_rate`; of any length. What lies beyond is clipped.

        Returns
        -------
        list of Update
            What these samples settled: windows, cells of the curve, events opened and closed.

        Raises
        ------
        AudioError
            If a sample is not finite.
        ValueError
            If the shape is neither of the two, or the stream was finished.
        """
        samples = self._mono(block)
        updates: list[Update] = []
        n_part = round(PART * self.sampling_rate)
        for first in range(0, len(samples), n_part):
            part = samples[first : first + n_part]
            self._n_heard += len(part)
            if self._resampler is not None:
                part = self._resampler.resample_chunk(part)
            updates += self._advance(part, last=False)
        return updates

    def finish(self) -> list[Update]:
        """Say that the stream has ended; returns the last windows and cells, and closes an open event."""
        if self._finished:
            return []
        rest = np.zeros(0, dtype=np.float32)
        if self._resampler is not None and self._n_heard:
            rest = self._resampler.resample_chunk(rest, last=True)
        updates = self._advance(rest, last=True)
        self._finished = True
        self._kept = self._kept[:0].copy()  # no sound outlives its stream
        return updates

    def _mono(self, block: ArrayLike) -> Float32:
        if self._finished:
            raise ValueError("the stream was finished; a new one needs a new analyser")
        samples = np.asarray(block, dtype=np.float32)
        if samples.ndim not in (1, 2):
            raise ValueError(f"a block of shape {samples.shape}, expected (n,) or (n_channels, n)")
        if not np.isfinite(samples).all():
            raise AudioError(f"the stream holds NaN or infinite samples after {self.duration:.3f} s")
        samples = np.clip(samples, -1.0, 1.0)
        return samples if samples.ndim == 1 else samples.mean(axis=0, dtype=np.float32)

    def _advance(self, samples: Float32, *, last: bool) -> list[Update]:
        self._kept = np.concatenate((self._kept, samples))
        windows = self._windows.add(samples)
        if last:
            windows += self._windows.finish()
        updates: list[Update] = []
        for scored in self._scored(windows):
            self._curve.add(scored)
            updates.append(scored)
        self._score_ahead()
        speech = self._speech
        heard = (self._first_kept + len(self._kept)) / SAMPLING_RATE
        for point in self._curve.settle(self._windows.horizon, heard, speech):
            updates.append(point)
            updates += self._events.add(point, speech)
        if last:
            updates += self._events.finish(speech)
        self._windows.forget_spans(self._events.needed_from)
        drop = int(self._windows.needed_from * SAMPLING_RATE) - self._first_kept
        if drop > 0:
            self._kept = self._kept[drop:].copy()
            self._first_kept += drop
        return updates

    def _scored(self, windows: list[Span]) -> list[WindowScored]:
        """Score windows, but for those that were scored while a pause was undecided."""
        missing = [window for window in windows if window not in self._ahead]
        fresh = dict(zip(missing, self._score(missing), strict=True))
        return [self._ahead.get(window) or fresh[window] for window in windows]

    def _score_ahead(self) -> None:
        candidates = self._windows.candidates()
        missing = sorted((w for w in candidates if w not in self._ahead), key=lambda window: window.start)
        self._ahead = {window: scored for window, scored in self._ahead.items() if window in candidates}
        self._ahead |= dict(zip(missing, self._score(missing), strict=True))

    def _score(self, windows: list[Span]) -> list[WindowScored]:
        if not windows:
            return []
        first = windows[0].start
        begin = round(first * SAMPLING_RATE) - self._first_kept
        until = round(max(window.end for window in windows) * SAMPLING_RATE) - self._first_kept
        emotions, aggression = self.model.score_windows(
            self._kept[begin:until],
            SAMPLING_RATE,
            [window.start - first for window in windows],
            [window.end - first for window in windows],
        )
        return [
            WindowScored(window.start, window.end, row.astype(np.float64), float(score))
            for window, row, score in zip(windows, emotions, aggression, strict=True)
        ]
