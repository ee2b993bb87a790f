"""Where live sound comes from: standard input, or a microphone.

A source puts blocks into a queue from a thread of its own, so that whoever analyses them can stop at any
moment, also while nothing comes.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import numpy as np

from blipper.audio.limits import Limits
from blipper.errors import AudioError, BlipperError
from blipper.live.pcm import PcmFormat, PcmStream
from blipper.recording import Float32

#: Most bytes taken from standard input at once: half a second of 16 bit at 16 kHz.
_READ: Final = 16_384
#: Blocks that wait at most. A pipe waits when they are full; a microphone cannot, and loses sound.
_WAITING: Final = 256
#: Seconds without a single block after which a microphone counts as gone.
_GONE: Final = 5.0
#: Seconds between two questions whether to stop.
_PATIENCE: Final = 0.1

Stopped = Callable[[], bool]


class Source(Protocol):
    """A stream of blocks of known format."""

    name: str
    form: PcmFormat
    #: How often sound was lost because nobody took it in time.
    lost: int

    def blocks(self, stopped: Stopped) -> Iterator[Float32]:
        """Yield blocks of shape (n_channels, n) until the stream ends or is stopped."""

    def close(self) -> None:
        """Let go of the device."""


class StandardInput:
    """Raw samples or a WAV file on a descriptor, standard input unless told otherwise.

    The format of a WAV file is in its first bytes, so the constructor waits for them.

    Parameters
    ----------
    form : PcmFormat, optional
        Of raw samples; without it there has to be a WAV header.
    stopped : callable
        Asked now and then whether to give up waiting.
    descriptor : int

    Raises
    ------
    AudioError
        If the stream ends before its format is known, or it is none that can be read.
    KeyboardInterrupt
        If it was stopped before the format was known.
    """

    name = "standard input"

    def __init__(self, form: PcmFormat | None, stopped: Stopped, descriptor: int = 0) -> None:
        self.lost = 0
        self._stream = PcmStream(form)
        self._queue: queue.Queue[bytes | OSError | None] = queue.Queue(_WAITING)
        # A daemon: nothing can end a read that waits for ever. It reads the descriptor itself, since Python
        # cannot end while another thread holds the lock of sys.stdin.
        threading.Thread(target=self._read, args=(descriptor,), name="blipper-stdin", daemon=True).start()
        self._first: list[Float32] = []
        while self._stream.form is None:
            data = _next(self._queue, stopped)
            if data is None:
                if stopped():
                    raise KeyboardInterrupt
                self._stream.finish()
            else:
                self._first.append(self._stream.add(data))
        self.form = self._stream.form

    def blocks(self, stopped: Stopped) -> Iterator[Float32]:
        """Yield blocks of shape (n_channels, n) until the stream ends or is stopped."""
        yield from self._first
        self._first = []
        while (data := _next(self._queue, stopped)) is not None:
            yield self._stream.add(data)

    def close(self) -> None:
        """Leave the descriptor to the process."""

    def _read(self, descriptor: int) -> None:
        while True:
            try:
                data = os.read(descriptor, _READ)
            except OSError as error:  # closed, or a folder
                self._queue.put(error)
                return
            self._queue.put(data or None)
            if not data:
                return


class Microphone:
    """A microphone, by the package ``sounddevice`` and its PortAudio library.

    Parameters
    ----------
    device : str, optional
        Its number, or a part of its name; the system's default unless given.
    sampling_rate : int, optional
        Hz; the device's own unless given.
    n_channels : int
        To ask it for: 2 of a line that carries a call, one speaker on each side.

    Raises
    ------
    BlipperError
        If the package or the library is not installed.
    AudioError
        If there is no such microphone, or it cannot be opened.
    """

    name = "microphone"

    def __init__(
        self, device: str | None = None, sampling_rate: int | None = None, n_channels: int = 1
    ) -> None:
        sounddevice = _sounddevice()
        self.lost = 0
        self._queue: queue.Queue[Float32] = queue.Queue(_WAITING)
        limits = Limits()
        chosen = int(device) if device is not None and device.isdigit() else device
        try:
            about = sounddevice.query_devices(chosen, "input")
            rate = int(sampling_rate or about["default_samplerate"])
            rate = min(max(rate, limits.min_sampling_rate), limits.max_sampling_rate)
            self._stream = sounddevice.InputStream(
                samplerate=rate, device=chosen, channels=n_channels, dtype="float32", callback=self._take
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise AudioError(
                f"{'no microphone' if device is None else f'microphone {device!r}'}: {error}. Plug one in, "
                "allow its use, or choose another with --device; 'python -m sounddevice' lists them"
            ) from error
        self.name = f"microphone {about['name']}"
        self.form = PcmFormat(rate, "f32le", n_channels)

    def blocks(self, stopped: Stopped) -> Iterator[Float32]:
        """Yield blocks of shape (n_channels, n) until it is stopped.

        Raises
        ------
        AudioError
            If the microphone gives nothing any more.
        """
        latest = time.monotonic()
        while not stopped():
            try:
                block = self._queue.get(timeout=_PATIENCE)
            except queue.Empty:
                if time.monotonic() - latest > _GONE:
                    raise AudioError(
                        f"{self.name}: no sound has come for {_GONE:.0f} s; is it still plugged in?"
                    ) from None
            else:
                latest = time.monotonic()
                yield block

    def close(self) -> None:
        """Let go of the device."""
        self._stream.close()

    def _take(self, samples: Float32, n_frames: int, clock: object, status: Any) -> None:
        """Take a block from PortAudio's own thread, where nothing may wait."""
        if status.input_overflow:
            self.lost += 1
        try:
            self._queue.put_nowait(np.array(samples.T))
        except queue.Full:
            self.lost += 1


def _next(waiting: queue.Queue[bytes | OSError | None], stopped: Stopped) -> bytes | None:
    """Return the next bytes; None at the end or once it was stopped."""
    while not stopped():
        try:
            data = waiting.get(timeout=_PATIENCE)
        except queue.Empty:
            continue
        if isinstance(data, OSError):
            raise AudioError(f"standard input: cannot be read: {data.strerror}")
        return data
    return None


def _sounddevice() -> Any:
    """Import sounddevice, or say how to get it."""
    try:
        import sounddevice
    except ImportError as error:
        raise BlipperError(
            "the microphone needs the package sounddevice: pip install -r requirements-live.txt. Without it, "
            "sound can come through standard input: see 'blipper live --help'"
        ) from error
    except OSError as error:  # its own wheels carry PortAudio on Windows and macOS only
        raise BlipperError(
            f"the microphone needs the library PortAudio ({error}): on Debian and Ubuntu, apt-get install "
            "libportaudio2. Without it, sound can come through standard input: see 'blipper live --help'"
        ) from error
    return sounddevice
