"""A transcript that the user has: SRT, WebVTT, TextGrid, Whisper's JSON, plain text.

The content decides what a file is, never its name. Markup is dropped, and nothing is interpreted.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from blipper.errors import TranscriptError
from blipper.progress import Progress, silent
from blipper.recording import Notice, Recording
from blipper.results import Span
from blipper.words.cues import DRAFT_TIER, Cue, evenly, is_draft_mark, split_words, tidy
from blipper.words.subtitles import looks_like_srt, parse_subtitles
from blipper.words.textgrid import looks_like_textgrid, parse_textgrid
from blipper.words.transcript import Dropped, Transcript, Utterance, Word
from blipper.words.whisper_json import parse_whisper_json

#: Largest file that is read: a day of talk is about 2 MB of subtitles.
MAX_BYTES: Final = 20_000_000
#: Most utterances, and most characters in one.
MAX_CUES: Final = 100_000
MAX_CHARACTERS: Final = 10_000

#: Said in complaints.
ACCEPTED: Final = "SRT, WebVTT, Praat's TextGrid (as text), Whisper's JSON, and plain text"

Format = Literal["srt", "vtt", "textgrid", "whisper-json", "text"]

_NAMES: Final[dict[Format, str]] = {
    "srt": "a SubRip file",
    "vtt": "a WebVTT file",
    "textgrid": "a Praat TextGrid",
    "whisper-json": "Whisper's JSON",
    "text": "a plain text",
}

_OTHERS: Final = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive (a Word or LibreOffice file is one)",
    b"{\\rtf": "Rich Text",
    b"ooBinaryFile": "a binary file of Praat (choose 'Save as text file' there)",
    b"[Script Info]": "a SubStation file (.ass, .ssa)",
}


@dataclass(frozen=True)
class Reading:
    """What a file holds.

    Parameters
    ----------
    format : str
        ``"srt"``, ``"vtt"``, ``"textgrid"``, ``"whisper-json"`` or ``"text"``.
    cues : tuple of Cue
        For plain text one a line, all without times.
    language : str or None
        Where the file names it.
    encoding : str
        What its bytes were taken for.
    draft : bool
        Whether it says of itself that it is a rough draft, as Blipper's own files do.
    """

    format: Format
    cues: tuple[Cue, ...]
    language: str | None
    encoding: str
    draft: bool = False


class FileEngine:
    """A transcript file that waits for its recording.

    Parameters
    ----------
    source : path or bytes
    name : str, optional
        File name for messages, where `source` has none.
    language : str, optional
        ISO 639-1 code of what is said; what the file says, if it does, unless given.

    Raises
    ------
    TranscriptError
        If the file cannot be read, is none of the accepted formats or is broken; the message names the line.
    """

    def __init__(
        self, source: str | Path | bytes, *, name: str | None = None, language: str | None = None
    ) -> None:
        self.file = name or ("transcript" if isinstance(source, bytes) else Path(source).name)
        reading = read_transcript(source, name=name)
        self.reading = replace(reading, language=language or reading.language)
        self.name = f"file:{self.reading.format}"

    def transcribe(
        self, recording: Recording, channel: int, speech: Sequence[Span], progress: Progress = silent
    ) -> Transcript:
        """Lay the text beside the recording; see :func:`blipper.words.transcribe.transcribe`."""
        progress("words", recording.duration, recording.duration)
        return lay(self.reading, recording.duration, speech)


def read_transcript(source: str | Path | bytes, *, name: str | None = None) -> Reading:
    """Read a transcript file.

    Parameters
    ----------
    source : path or bytes
    name : str, optional
        File name for messages.

    Raises
    ------
    TranscriptError
        See :class:`FileEngine`.
    """
    name = name or (str(source) if isinstance(source, str | Path) else "transcript")
    text, encoding = _decode(_bytes(source, name), name)
    language = None
    form: Format
    if text.lstrip().startswith("WEBVTT"):
        form, cues = "vtt", parse_subtitles(text, name, vtt=True)
    elif looks_like_textgrid(text):
        form, cues = "textgrid", parse_textgrid(text, name)
    elif text.lstrip().startswith(("{", "[{")):
        form = "whisper-json"
        cues, language = parse_whisper_json(text, name)
    elif looks_like_srt(text):
        form, cues = "srt", parse_subtitles(text, name, vtt=False)
    else:
        form = "text"
        cues = [Cue(0.0, 0.0, line) for line in map(tidy, text.splitlines()) if line]
    draft = any(is_draft_mark(cue.text) for cue in cues)
    draft = draft or (form == "textgrid" and f'{DRAFT_TIER}"' in text)
    cues = [cue for cue in cues if not is_draft_mark(cue.text)]
    if not any(cue.text for cue in cues):
        raise TranscriptError(f"{name}: holds no text; accepted are {ACCEPTED}")
    if len(cues) > MAX_CUES:
        raise TranscriptError(f"{name}: has {len(cues):,} utterances; accepted are up to {MAX_CUES:,}")
    longest = max(len(cue.text) for cue in cues)
    if longest > MAX_CHARACTERS:
        raise TranscriptError(
            f"{name}: has an utterance of {longest:,} characters; accepted are up to {MAX_CHARACTERS:,}, "
            "so a plain text needs a line break now and then"
        )
    return Reading(form, tuple(cues), language, encoding, draft)


def lay(reading: Reading, duration: float, speech: Sequence[Span]) -> Transcript:
    """Lay a file's text beside a recording.

    Parameters
    ----------
    reading : Reading
    duration : float
        Of the recording, in seconds: what lies behind it is dropped, and said so.
    speech : sequence of Span
        Over which a plain text is spread; over the whole recording where there is none.
    """
    utterances: list[Utterance] = []
    dropped: list[Dropped] = []
    cues = reading.cues
    if reading.format == "text":
        cues = tuple(_spread(cues, [*speech] or [Span(0.0, duration)]))
    for cue in sorted(cues, key=lambda one: one.start):
        start, end = min(cue.start, duration), min(cue.end, duration)
        if not cue.text:
            continue
        if cue.end <= cue.start:
            dropped.append(Dropped(start, start, cue.text, "ends before it begins"))
        elif start >= duration:
            reason = f"lies behind the end of the recording ({duration:.1f} s)"
            dropped.append(Dropped(cue.start, cue.end, cue.text, reason))
        else:
            words = _within(cue.words, start, end) if cue.words else evenly(cue.text, start, end)
            known = [word.confidence for word in words if word.confidence is not None]
            confidence = sum(known) / len(known) if known else None
            utterances.append(Utterance(start, end, cue.text, words, confidence))
    timed = any(cue.words for cue in cues) and reading.format != "text"
    return Transcript(
        engine=f"file:{reading.format}",
        language=reading.language,
        utterances=tuple(utterances),
        dropped=tuple(dropped),
        draft=reading.draft,
        timing="words" if timed else "spread" if reading.format == "text" else "utterances",
        notices=tuple(_notices(reading, timed, len(dropped))),
    )


def _notices(reading: Reading, timed: bool, n_dropped: int) -> Iterator[Notice]:
    came = f"This text came from {_NAMES[reading.format]}"
    if reading.format == "text":
        yield Notice(
            "spread",
            f"{came}, which has no times: it is spread evenly over the speech, so its times are a guess.",
        )
    elif timed:
        yield Notice("engine", f"{came}, with times for words.", "info")
    else:
        yield Notice(
            "engine",
            f"{came}, with times for whole utterances; within them the words' times are estimated.",
            "info",
        )
    if reading.encoding == "cp1252":
        yield Notice(
            "encoding",
            "The file is not UTF-8 and was read as Windows-1252 (Latin-1); if letters look wrong, save it as "
            "UTF-8 and add it again.",
        )
    if n_dropped:
        yield Notice(
            "dropped", f"{n_dropped} of the file's utterances do not fit the recording; see the list below."
        )


def _spread(cues: Sequence[Cue], speech: Sequence[Span]) -> Iterator[Cue]:
    """Give lines without times the speech's time, in proportion to their characters."""
    total = sum(len(cue.text) for cue in cues)
    available = sum(span.duration for span in speech)

    def time_of(characters: int, *, ends: bool) -> float:
        left = available * characters / total
        for span in speech:
            # A line that ends exactly where a span does ends there; the next begins with the next span.
            if left < span.duration or (ends and left <= span.duration + 1e-9):
                return span.start + min(left, span.duration)
            left -= span.duration
        return speech[-1].end

    done = 0
    for cue in cues:
        line_start = done
        words = []
        texts = split_words(cue.text)
        per_word = len(cue.text) / max(1, sum(map(len, texts)))
        at = float(line_start)
        for text in texts:
            first, at = at, at + len(text) * per_word
            words.append(Word(text, time_of(round(first), ends=False), time_of(round(at), ends=True)))
        done += len(cue.text)
        start, end = time_of(line_start, ends=False), time_of(done, ends=True)
        yield Cue(start, max(end, start), cue.text, tuple(_ordered(words)))


def _ordered(words: Sequence[Word]) -> Iterator[Word]:
    for word in words:
        yield replace(word, end=max(word.start, word.end))


def _within(words: Sequence[Word], start: float, end: float) -> tuple[Word, ...]:
    """Keep words within their utterance, each ending no earlier than it begins."""
    kept = []
    for word in words:
        first = min(max(word.start, start), end)
        kept.append(replace(word, start=first, end=min(max(word.end, first), end)))
    return tuple(kept)


def _bytes(source: str | Path | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            with Path(source).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise TranscriptError(f"{name}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise TranscriptError(f"{name}: is larger than {MAX_BYTES / 1e6:.0f} MB, the most that is read")
    return data


def _decode(data: bytes, name: str) -> tuple[str, str]:
    """Return the text and what encoding it was in."""
    for start, what in _OTHERS.items():
        if data.lstrip(codecs.BOM_UTF8 + b" \r\n").startswith(start):
            raise TranscriptError(f"{name}: is {what}; accepted are {ACCEPTED}")
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise TranscriptError(
            f"{name}: byte {error.start} is not {error.encoding}: {error.reason}; accepted are UTF-8, "
            "UTF-16 with its mark, and Windows-1252"
        ) from error
    controls = sum(char < " " and char not in "\t\n\r\f\v" for char in text[:100_000])
    if controls > len(text[:100_000]) / 1000:
        raise TranscriptError(f"{name}: holds binary data, not text; accepted are {ACCEPTED}")
    return text.replace("\0", ""), encoding


def _encoding(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # Five bytes have no letter in Windows-1252; in Latin-1 they are control characters.
        return "cp1252" if not set(data) & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
    return "utf-8"
