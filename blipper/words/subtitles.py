"""SubRip (SRT) and WebVTT.

Read as strictly as a broken file can be named and as leniently as real ones need: cue numbers and hours may
be missing, a comma or a point may stand before the milliseconds. Markup is dropped, never interpreted, but
for WebVTT's timestamps within a cue (https://www.w3.org/TR/webvtt1/#webvtt-timestamp).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from blipper.errors import TranscriptError
from blipper.words.cues import Cue, split_words, tidy
from blipper.words.transcript import Word, spread_words

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s+\S.*)?\s*$")
_INLINE_TIME = re.compile(rf"<{_TIME}>")
# Tags of WebVTT and of what players accept in SRT; a "<" that opens no tag is text ("3 < 4", "<3").
_TAG = re.compile(r"</?(?:[a-zA-Z][^<>]{0,200})?>")
_OVERRIDE = re.compile(r"\{\\[^{}]{0,200}\}")  # SubStation's, found in many SRT files

#: What a complaint says is accepted.
TIMING_ACCEPTED = "'00:01:02,345 --> 00:01:04,000' (hours may be missing, a point may stand for the comma)"


def looks_like_srt(text: str) -> bool:
    """Return whether a text has a line with an arrow between two things that begin with a digit."""
    return re.search(r"^\s*\d[\d:.,]*\s*-->", text, re.MULTILINE) is not None


def parse_subtitles(text: str, name: str, *, vtt: bool) -> list[Cue]:
    """Read SRT or WebVTT.

    Parameters
    ----------
    text : str
    name : str
        The file's, for messages.
    vtt : bool
        WebVTT: has blocks that are no cues (NOTE, STYLE, REGION), entities, and timestamps within cues.

    Returns
    -------
    list of Cue
        In the file's order.

    Raises
    ------
    TranscriptError
        If a line with an arrow is no timing; it names the line.
    """
    cues: list[Cue] = []
    for number, block in _blocks(text):
        arrow = next((index for index, line in enumerate(block) if "-->" in line), None)
        if arrow is None or (vtt and block[0].split(" ")[0] in ("NOTE", "STYLE", "REGION", "WEBVTT")):
            if cues and arrow is None and not vtt:
                # A blank line within a cue: SRT files do that. A lone number is the next cue's.
                _lengthen(cues, block)
            continue
        # Several cues in one block: the blank line between them is missing.
        stamps = [index for index in range(arrow, len(block)) if "-->" in block[index]]
        for place, index in enumerate(stamps):
            timing = _TIMING.match(block[index])
            if timing is None:
                raise TranscriptError(
                    f"{name}: line {number + index} is {block[index].strip()!r:.80}, which is no timing; "
                    f"accepted is {TIMING_ACCEPTED}"
                )
            start, end = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
            until = stamps[place + 1] if place + 1 < len(stamps) else len(block)
            lines = block[index + 1 : until]
            if place + 1 < len(stamps) and lines and lines[-1].strip().isdigit():
                lines = lines[:-1]  # the number of the next cue
            cues.append(_cue(start, end, "\n".join(lines), vtt))
    return cues


def _blocks(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield runs of lines that are not blank, each with the number of its first line."""
    block: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _lengthen(cues: list[Cue], block: list[str]) -> None:
    if len(block) == 1 and block[0].strip().isdigit():
        return
    last = cues[-1]
    cues[-1] = Cue(last.start, last.end, tidy(f"{last.text} {_without_markup(' '.join(block), False)}"))


def _cue(start: float, end: float, payload: str, vtt: bool) -> Cue:
    text = tidy(_without_markup(payload, vtt))
    words: tuple[Word, ...] = ()
    if vtt and _INLINE_TIME.search(payload):
        words = _timed_words(start, end, payload)
    return Cue(start, end, text, words)


def _timed_words(start: float, end: float, payload: str) -> tuple[Word, ...]:
    """Read a cue whose text has timestamps: each holds until the next one."""
    pieces = _INLINE_TIME.split(payload)  # text, h, m, s, ms, text, ...
    times = [start, *(_seconds(pieces[at : at + 4]) for at in range(1, len(pieces), 5)), end]
    words: list[Word] = []
    for index, part in enumerate(pieces[::5]):
        first = min(max(times[index], start), end)
        last = min(max(times[index + 1], first), end)
        words += spread_words(split_words(tidy(_without_markup(part, True))), first, last, None)
    return tuple(words)


def _without_markup(text: str, vtt: bool) -> str:
    text = _TAG.sub("", _INLINE_TIME.sub(" ", text))
    if vtt:
        return html.unescape(text)  # after the tags are gone: "&lt;b&gt;" is text
    return _OVERRIDE.sub("", text).replace("\\N", " ").replace("\\h", " ")


def _seconds(groups: tuple[str | None, ...] | list[str]) -> float:
    hours, minutes, seconds, fraction = groups
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000
