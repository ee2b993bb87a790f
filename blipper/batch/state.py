"""What a batch is told, how far it is, and what came of it: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from blipper.errors import SettingsError
from blipper.words import weights

#: Why a recording has no result. ``"refused"``: it cannot be read or is beyond Blipper's limits;
#: ``"memory"``, ``"time"``: it went beyond the batch's limits and was killed; ``"crash"``: the worker died
#: over it; ``"error"``: a fault that may not be the recording's, such as a missing file or a network's.
Reason = Literal["refused", "memory", "time", "crash", "error"]

#: Reasons that hold until the recording changes; the others are tried again by the next run.
LASTING: Final = frozenset({"refused", "memory", "time"})


@dataclass(frozen=True)
class BatchLimits:
    """What one recording may cost.

    Parameters
    ----------
    memory : int
        Resident bytes of a worker, its model included, at which it is killed.
    seconds : float
        Seconds of work on one recording at which its worker is killed. The longest recording that Blipper
        takes, 4 hours, needs about 40 s of a core's time; 600 s leave room for a busy machine.
    """

    memory: int = 2 << 30
    seconds: float = 600.0

    @classmethod
    def usual(cls, transcript: str) -> BatchLimits:
        """Return the limits that suit what writes the words.

        Parameters
        ----------
        transcript : str
            As :attr:`blipper.settings.Settings.transcript`. Words take a thousand times as long as the voice,
            up to several times as long as the recording lasts; Whisper's weights are twice as large in
            memory as on the disk, and once more while they are read.
        """
        if transcript == "none":
            return cls()
        known = weights.CHECKPOINTS.get(transcript.partition(":")[2])
        megabytes = 0 if known is None else known.megabytes
        return cls(memory=(3 << 30) + 4 * megabytes * 1_000_000, seconds=86_400.0)

    def __post_init__(self) -> None:
        """Check the domains."""
        if not self.memory >= 64 << 20:
            raise SettingsError(f"the memory limit is {self.memory} bytes, expected at least 64 MiB")
        if not 0 < self.seconds <= 7 * 86_400:
            raise SettingsError(f"the time limit is {self.seconds} s, expected above 0 s and up to a week")


@dataclass(frozen=True)
class Failure:
    """A recording without a result."""

    file: str
    reason: Reason
    message: str


@dataclass(frozen=True)
class BatchState:
    """How far a batch is.

    Parameters
    ----------
    total : int
        Recordings found.
    analyzed, unchanged, failed : int
        Analysed by this run; found done by an earlier run or by another one beside it; without a result.
    audio_seconds : float
        Length of what this run analysed.
    elapsed : float
        Seconds since the first worker was ready.
    bytes_done, bytes_total : int
        Encoded bytes that this run has worked through and will have.
    remarked : int
        Marked anew at another threshold from the kept result, without being analysed again.
    """

    total: int
    analyzed: int = 0
    unchanged: int = 0
    failed: int = 0
    audio_seconds: float = 0.0
    elapsed: float = 0.0
    bytes_done: int = 0
    bytes_total: int = 0
    remarked: int = 0

    @property
    def completed(self) -> int:
        """Recordings that are dealt with."""
        return self.analyzed + self.unchanged + self.remarked + self.failed

    @property
    def rate(self) -> float | None:
        """Times real time; None before the first recording is done."""
        return self.audio_seconds / self.elapsed if self.elapsed > 0 and self.audio_seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the bytes that are left, as lengths are unknown before decoding; None at first."""
        if self.bytes_done <= 0 or self.elapsed <= 0:
            return None
        return max(0.0, self.elapsed * (self.bytes_total - self.bytes_done) / self.bytes_done)


@dataclass(frozen=True)
class BatchSummary:
    """What came of a batch.

    Parameters
    ----------
    output : pathlib.Path
    state : BatchState
        The last one.
    failures : tuple of Failure
        Every recording of this run without a result, those that an earlier run gave up included.
    stopped : bool
        Whether it was cancelled before the end; the same call goes on from there.
    manifest_seconds : float
        Seconds that this run spent in the manifest and on the tables.
    """

    output: Path
    state: BatchState
    failures: tuple[Failure, ...]
    stopped: bool
    manifest_seconds: float
