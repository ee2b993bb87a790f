"""The JSON that Whisper's own command line writes (``whisper --output_format json``).

``{"text", "language", "segments": [{"start", "end", "text", "words": [{"word", "start", "end",
"probability"}]}]}``; WhisperX and faster-whisper write the same keys, WhisperX with ``score``.
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard

from blipper.errors import TranscriptError
from blipper.words.cues import Cue, tidy
from blipper.words.transcript import Word

_ACCEPTED = 'Whisper\'s JSON: {"segments": [{"start": 0.0, "end": 1.5, "text": "..."}]}'


def parse_whisper_json(text: str, name: str) -> tuple[list[Cue], str | None]:
    """Read Whisper's JSON.

    Returns
    -------
    cues : list of Cue
    language : str or None

    Raises
    ------
    TranscriptError
        If it is no JSON (naming line and column) or has no such keys.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise TranscriptError(
            f"{name}: line {error.lineno}, column {error.colno}: {error.msg}; accepted is {_ACCEPTED}"
        ) from error
    except RecursionError as error:
        raise TranscriptError(f"{name}: is nested too deeply; accepted is {_ACCEPTED}") from error
    segments = data.get("segments") if isinstance(data, dict) else data
    if not isinstance(segments, list):
        raise TranscriptError(f"{name}: has no list of segments; accepted is {_ACCEPTED}")
    cues = [_cue(segment, f"{name}: segments[{index}]") for index, segment in enumerate(segments)]
    language = data.get("language") if isinstance(data, dict) else None
    return cues, language if isinstance(language, str) and 2 <= len(language) <= 3 else None


def _cue(segment: Any, where: str) -> Cue:
    if not isinstance(segment, dict) or not isinstance(segment.get("text"), str):
        raise TranscriptError(f"{where} is {segment!r:.60}; accepted is {_ACCEPTED}")
    start, end = _time(segment, "start", where), _time(segment, "end", where)
    timed = segment.get("words")
    words = []
    for index, word in enumerate(timed if isinstance(timed, list) else []):
        place = f"{where}.words[{index}]"
        if not isinstance(word, dict):
            raise TranscriptError(f"{place} is {word!r:.60}; expected an object with word, start and end")
        written = word.get("word", word.get("text"))
        if not isinstance(written, str):
            raise TranscriptError(f"{place}.word is {written!r:.60}; expected a text")
        if "start" not in word or "end" not in word:
            return Cue(start, end, tidy(segment["text"]))  # WhisperX leaves out what it could not align
        confidence = word.get("probability", word.get("score"))
        if not tidy(written):
            continue
        words.append(
            Word(
                tidy(written),
                _time(word, "start", place),
                _time(word, "end", place),
                min(max(float(confidence), 0.0), 1.0) if _is_number(confidence) else None,
            )
        )
    return Cue(start, end, tidy(segment["text"]), tuple(words))


def _time(entry: dict[str, Any], key: str, where: str) -> float:
    value = entry.get(key)
    if not _is_number(value) or value < 0:
        raise TranscriptError(f"{where}.{key} is {value!r:.60}; expected seconds, 0 or more")
    return float(value)


def _is_number(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float) and math.isfinite(value)
