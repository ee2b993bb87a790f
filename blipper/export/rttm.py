"""Who speaks when, as RTTM (NIST's Rich Transcription Time Marked): one SPEAKER line a turn.

The speakers are those of :attr:`Track.turns` where there are any, else each channel's speech stands under
the channel's name (``mix`` when nobody told speakers apart). A name or file with white space gets
underscores, since fields are separated by it; names that would then be one get a number. Where nobody speaks
the file is empty. Fields without a value are ``<NA>``; the tenth (lookahead) is written as md-eval expects.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from blipper.export.text import SHORTEST, one_line
from blipper.export.writer import Writer
from blipper.results import Analysis


def turns_rttm(analysis: Analysis) -> str:
    """Return the turns as RTTM, ordered by start; times with millisecond resolution."""
    names: dict[str, str] = {}
    file = _field(PurePath(analysis.provenance.name).stem)
    lines = []
    for start, end, channel, speaker in sorted(_stretches(analysis)):
        if speaker not in names:
            names[speaker] = _unlike(_field(speaker), set(names.values()))
        duration = max(SHORTEST, round(end, 3) - round(start, 3))
        lines.append(
            f"SPEAKER {file} {channel + 1} {start:.3f} {duration:.3f} <NA> <NA> {names[speaker]} <NA> <NA>\n"
        )
    return "".join(lines)


def _stretches(analysis: Analysis) -> Iterator[tuple[float, float, int, str]]:
    for channel, track in enumerate(analysis.tracks):
        if track.turns:
            yield from ((turn.start, turn.end, channel, turn.speaker) for turn in track.turns)
        else:
            yield from ((span.start, span.end, channel, track.name) for span in track.speech)


def _field(text: str) -> str:
    return one_line(text).replace(" ", "_") or "unnamed"


def _unlike(name: str, taken: set[str]) -> str:
    number, chosen = 1, name
    while chosen in taken:
        number += 1
        chosen = f"{name}_{number}"
    return chosen


WRITER = Writer(
    name="rttm",
    extension=".rttm",
    media_type="text/plain; charset=utf-8",
    description="who speaks when, for tools that tell speakers apart",
    write=turns_rttm,
)
