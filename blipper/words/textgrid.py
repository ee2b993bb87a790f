"""Praat's TextGrid, in its long and its short text format.

Praat reads a text file by its values alone: numbers that stand free, texts in double quotes (a quote inside
is doubled), and flags in angle brackets; all other words are comments for people
(https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html). The long and the short format are thus
the same sequence of values, which is what is read here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from blipper.errors import TranscriptError
from blipper.words.cues import Cue, tidy
from blipper.words.transcript import Word

_VALUE = re.compile(
    r'"((?:[^"]|"")*)"'  # a text, over lines too
    r"|<(\w+)>"  # a flag
    r"|(?<![^\s])(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(?![^\s])"  # a number between white space
    r"|(\[[^\]\n]*\]|![^\n]*)"  # a counter or a comment, passed over
)
_WORDS = re.compile(r"(?:.*: )?(?:words?\b|ort\b|ort-mau|tokens?\b)", re.IGNORECASE)
_UTTERANCES = re.compile(r"utterances?\b|transcripts?\b|transcription\b", re.IGNORECASE)
_SOUNDS = re.compile(r"phon|phone|mau$|sampa|ipa\b|syll|pitch|tobi|kan-mau", re.IGNORECASE)
_SILENCES = {"", "sil", "sp", "spn", "<p:>", "<sil>", "<sp>", "<silence>", "#", "_", "<eps>"}

#: A pause between words from which a new utterance begins, where a file has only words; seconds.
PAUSE = 0.6


@dataclass(frozen=True)
class _Tier:
    name: str
    intervals: tuple[tuple[float, float, str], ...]


def looks_like_textgrid(text: str) -> bool:
    """Return whether a text begins as Praat's text files do."""
    return re.match(r'\s*(File type\s*=\s*)?"ooTextFile( short)?"', text) is not None


def parse_textgrid(text: str, name: str) -> list[Cue]:
    """Read a TextGrid.

    Its tier of words, if one is named so, gives the words; tiers named for utterances give these, else all
    other interval tiers do, unless they hold sounds (phones, syllables). (Blipper's own export has tiers of
    speech and events beside the utterances.) Without other tiers the words are joined over short pauses.

    Raises
    ------
    TranscriptError
        If the file breaks off, is another of Praat's types, or has no interval with text.
    """
    tiers = _tiers(text, name)
    spoken = [tier for tier in tiers if not _SOUNDS.search(tier.name)]
    of_words = [tier for tier in spoken if _WORDS.match(tier.name.strip())]
    others = [tier for tier in spoken if tier not in of_words and tier.intervals]
    others = [tier for tier in others if _UTTERANCES.search(tier.name)] or others
    words = sorted(
        (
            Word(tidy(label), start, end)
            for tier in of_words
            for start, end, label in tier.intervals
            if tidy(label)
        ),
        key=lambda word: word.start,
    )
    if others:
        cues = [
            Cue(start, end, tidy(label), _within(words, start, end, tidy(label)))
            for tier in others
            for start, end, label in tier.intervals
        ]
    else:
        cues = _joined(words)
    if not cues:
        names = ", ".join(repr(tier.name) for tier in tiers) or "none"
        raise TranscriptError(
            f"{name}: no interval tier of words or utterances has text; its tiers are {names}"
        )
    return sorted(cues, key=lambda cue: cue.start)


def _within(words: list[Word], start: float, end: float, text: str) -> tuple[Word, ...]:
    """Return the timed words of an utterance, if they are those of its text."""
    inside = tuple(word for word in words if start - 0.01 <= (word.start + word.end) / 2 <= end + 0.01)
    return inside if [word.text for word in inside] == text.split() else ()


def _joined(words: list[Word]) -> list[Cue]:
    cues: list[Cue] = []
    run: list[Word] = []
    for word in [*words, None]:
        if run and (word is None or word.start - run[-1].end >= PAUSE):
            cues.append(Cue(run[0].start, run[-1].end, " ".join(one.text for one in run), tuple(run)))
            run = []
        if word is not None:
            run.append(word)
    return cues


class _Values:
    """The values of a file one after the other, each with its line for complaints."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._text = text
        self._found = (match for match in _VALUE.finditer(text) if match[4] is None)
        self._at = 0

    def text(self, what: str) -> str:
        match = self._next(what)
        if match[1] is None:
            raise self._wrong(match[0], f"{what}, a text in double quotes")
        return match[1].replace('""', '"')

    def number(self, what: str) -> float:
        match = self._next(what)
        value = float(match[3]) if match[3] is not None else math.nan
        if not math.isfinite(value):
            raise self._wrong(match[0], f"{what}, a number")
        return value

    def flag(self, what: str) -> str:
        match = self._next(what)
        if match[2] is None:
            raise self._wrong(match[0], f"{what}, a flag such as <exists>")
        return match[2]

    def _next(self, what: str) -> re.Match[str]:
        match = next(self._found, None)
        if match is None:
            raise TranscriptError(f"{self.name}: the TextGrid breaks off where {what} should come")
        self._at = match.start()
        return match

    def _wrong(self, found: str, expected: str) -> TranscriptError:
        line = self._text.count("\n", 0, self._at) + 1
        return TranscriptError(f"{self.name}: line {line} has {found[:60]!r}; expected {expected}")


def _tiers(text: str, name: str) -> list[_Tier]:
    values = _Values(text, name)
    values.text("the file type")
    kind = values.text("the object class")
    if kind != "TextGrid":
        raise TranscriptError(f"{name}: is Praat's {kind!r:.40}; accepted is a TextGrid")
    for what in ("the start time", "the end time"):
        values.number(what)
    if values.flag("whether there are tiers") != "exists":
        return []
    tiers = []
    for number in range(1, _count(values, "the number of tiers") + 1):
        kind = values.text(f"the class of tier {number}")
        tier_name = values.text(f"the name of tier {number}")
        for what in ("the start time", "the end time"):
            values.number(f"{what} of tier {tier_name!r:.40}")
        intervals = []
        for entry in range(1, _count(values, f"the number of entries of tier {tier_name!r:.40}") + 1):
            where = f"of entry {entry} of tier {tier_name!r:.40}"
            start = values.number(f"the time {where}")
            if kind == "IntervalTier":
                end = values.number(f"the end {where}")
                label = values.text(f"the text {where}")
                if tidy(label).lower() not in _SILENCES:
                    intervals.append((start, end, label))
            else:
                values.text(f"the mark {where}")  # points have no duration, so they say nothing of speech
        tiers.append(_Tier(tier_name, tuple(intervals)))
    return tiers


def _count(values: _Values, what: str) -> int:
    count = values.number(what)
    if count < 0 or count != int(count):
        raise TranscriptError(f"{values.name}: {what} is {count:g}; expected a whole number")
    return int(count)
