"""How large an MP4's sample index would become, asked before FFmpeg builds it.

The index is run-length coded: a few bytes may claim a thousand million samples, and FFmpeg then writes an
entry of about 35 bytes for each (measured: a file of 647 bytes that claims 10 million samples costs
350 MB). So the claims are added up first, from the headers alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from blipper.audio.limits import Limits
from blipper.audio.signatures import Kind
from blipper.audio.source import Source
from blipper.audio.structure import boxes

#: 4 h of video at 60 frames/s are 0.9 million entries, 4 h of AAC at 192 kHz 2.7 million.
MAX_ENTRIES: Final = 4_000_000

_CONTAINERS: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf")

#: FFmpeg gathers samples of constant size and duration 1 (plain PCM) to entries of so many.
_PCM_RUN: Final = 1024

_MAX_DEPTH: Final = 8


@dataclass
class _Table:
    """What one track's sample table claims."""

    n_samples: int = 0
    is_pcm: bool = False
    longest_chunk: int = 0
    n_chunks: int = 0

    @property
    def n_entries(self) -> int:
        if not self.is_pcm:
            return self.n_samples
        return min(self.n_samples, self.n_chunks * -(-self.longest_chunk // _PCM_RUN))


def check_index(source: Source, kind: Kind, limits: Limits) -> None:
    """Refuse an MP4 whose index could not be that of an accepted recording.

    Raises
    ------
    AudioError
    """
    if kind.layout != "mp4":
        return
    tables: list[_Table] = []
    n_fragment_samples = _walk(source, 0, source.size, tables, 0)
    n_entries = n_fragment_samples + sum(table.n_entries for table in tables)
    if n_entries > MAX_ENTRIES:
        raise limits.refusal(
            source.display_name,
            f"this MP4's index claims {n_entries:,} samples, more than any accepted recording has "
            f"(at most {MAX_ENTRIES:,})",
        )


def has_index(source: Source) -> bool:
    """Return whether the file has the box that says where its samples are."""
    return any(name == b"moov" for name, _, _ in boxes(source, 0, source.size))


def _walk(source: Source, start: int, end: int, tables: list[_Table], depth: int) -> int:
    """Collect the sample tables, and return the number of samples that fragments claim."""
    n_fragment_samples = 0
    for name, body, box_end in boxes(source, start, end):
        if name == b"trak":
            tables.append(_Table())
        if name in _CONTAINERS and depth < _MAX_DEPTH:
            n_fragment_samples += _walk(source, body, min(box_end, end), tables, depth + 1)
        elif name == b"trun":
            n_fragment_samples += _numbers(source, body + 4, 1)[0]
        elif tables:
            _read_table(source, name, body, box_end, tables[-1])
    return n_fragment_samples


def _read_table(source: Source, name: bytes, body: int, end: int, table: _Table) -> None:
    if name in (b"stsz", b"stz2"):
        size, claimed = _numbers(source, body + 4, 2)
        # Sizes that differ are listed one by one, so the file itself bounds their number.
        table.n_samples = claimed if size and name == b"stsz" else min(claimed, 2 * max(0, end - body))
    elif name == b"stts":
        n_runs, _, duration = _numbers(source, body + 4, 3)
        table.is_pcm = n_runs == 1 and duration == 1
    elif name in (b"stco", b"co64"):
        table.n_chunks = min(_numbers(source, body + 4, 1)[0], max(0, end - body) // 4)
    elif name == b"stsc":
        table.longest_chunk = max(_chunk_lengths(source, body, end), default=0)


def _chunk_lengths(source: Source, body: int, end: int) -> Iterator[int]:
    n_runs = min(_numbers(source, body + 4, 1)[0], max(0, end - body - 8) // 12)
    for run in range(0, n_runs, 4096):
        data = source.read_at(body + 8 + 12 * run, 12 * min(4096, n_runs - run))
        yield from (length for _, length, _ in struct.iter_unpack(">III", data[: len(data) // 12 * 12]))


def _numbers(source: Source, offset: int, count: int) -> tuple[int, ...]:
    """Return `count` 32-bit numbers from `offset` on; zeros where the file ends before."""
    data = source.read_at(offset, 4 * count).ljust(4 * count, b"\0")
    return struct.unpack(f">{count}I", data)
