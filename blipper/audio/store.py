"""Where decoded samples are kept: in memory while they are few, else in an unlinked temporary file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

import numpy as np

from blipper.errors import AudioError
from blipper.recording import Float32

_ITEM_BYTES: Final = 4


def scratch_folder(environment: Mapping[str, str]) -> str | None:
    """Return the folder for large temporary files, or None for :mod:`tempfile`'s own choice.

    ``/tmp`` is kept in memory on many Linux systems, where a file there saves none; ``/var/tmp`` is on
    disk. A folder that the user chose (``TMPDIR``, ``TEMP``, ``TMP``) comes first.
    """
    if any(environment.get(name) for name in ("TMPDIR", "TEMP", "TMP")):
        return None
    on_disk = Path("/var/tmp")
    return str(on_disk) if on_disk.is_dir() and os.access(on_disk, os.W_OK | os.X_OK) else None


class SampleStore:
    """Collects blocks of samples.

    Parameters
    ----------
    n_channels : int
    capacity : int
        Most samples a channel; the caller sees to it that there come no more.
    memory_bytes : int
        Samples beyond this size move to a temporary file. Its rows are `capacity` apart, so that each
        channel is contiguous; the file is sparse and takes only the room that was written.
    """

    def __init__(self, n_channels: int, capacity: int, memory_bytes: int) -> None:
        self.n_samples = 0
        self._capacity = capacity
        in_memory = min(capacity, max(1, memory_bytes // (_ITEM_BYTES * n_channels)))
        # Empty memory takes no room until it is written to.
        self._memory: Float32 = np.empty((n_channels, in_memory), dtype=np.float32)
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        """Let go of the temporary file; a memory map of it stays valid."""
        if self._file is not None:
            self._file.close()

    def append(self, block: Float32) -> None:
        """Add a block of shape (n_frames, n_channels).

        Raises
        ------
        AudioError
            If there is no room for the temporary file.
        """
        end = self.n_samples + len(block)
        if self._file is None and end <= self._memory.shape[1]:
            self._memory[:, self.n_samples : end] = block.T
        else:
            try:
                self._write(block)
            except OSError as error:
                folder = scratch_folder(os.environ) or tempfile.gettempdir()
                raise AudioError(
                    f"no room for the decoded samples in {folder} ({error.strerror or error}); free about "
                    f"{self._memory.shape[0] * self._capacity * _ITEM_BYTES >> 20:,} MiB there, or name "
                    "another folder in the environment variable TMPDIR"
                ) from error
        self.n_samples = end

    def finish(self) -> Float32:
        """Return all samples, shape (n_channels, n_samples); a read-only memory map if they were many."""
        if self._file is None:
            used = self._memory[:, : self.n_samples]
            # A view of a mostly empty array would pin its address space for nothing.
            return used.copy() if 2 * self.n_samples < self._memory.shape[1] else used
        n_channels = self._memory.shape[0]
        self._file.truncate(n_channels * self._capacity * _ITEM_BYTES)
        self._file.flush()
        shape = (n_channels, self._capacity)
        return np.memmap(self._file, dtype=np.float32, mode="r", shape=shape)[:, : self.n_samples]

    def _write(self, block: Float32) -> None:
        if self._file is None:
            # Closed by close(); SIM115 cannot see that.
            self._file = tempfile.TemporaryFile(dir=scratch_folder(os.environ), prefix="blipper-")  # noqa: SIM115
            self._put(self._memory[:, : self.n_samples], 0)
            self._memory = np.empty((self._memory.shape[0], 0), dtype=np.float32)
        self._put(block.T, self.n_samples)

    def _put(self, rows: Float32, first: int) -> None:
        assert self._file is not None
        for index, row in enumerate(rows):
            self._file.seek((index * self._capacity + first) * _ITEM_BYTES)
            self._file.write(np.ascontiguousarray(row).data)
