"""A transcript as JSON values, both ways.

``{"engine", "language", "draft", "timing", "edited", "notices", "utterances", "dropped", "text_models"}``; a
word is ``[text, start, end, confidence]``, since there are thousands of them. ``text_models`` is missing in
files from before words were scored.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from blipper.export.reader import Reader
from blipper.recording import Notice
from blipper.words.text_info import TextModelInfo
from blipper.words.transcript import Dropped, Transcript, Utterance, Word


def transcript_to_dict(transcript: Transcript) -> dict[str, Any]:
    """Return a transcript as plain JSON values."""
    return {
        "engine": transcript.engine,
        "language": transcript.language,
        "draft": transcript.draft,
        "timing": transcript.timing,
        "edited": transcript.edited,
        "notices": [asdict(notice) for notice in transcript.notices],
        "utterances": [_utterance_to_dict(utterance) for utterance in transcript.utterances],
        "dropped": [asdict(dropped) for dropped in transcript.dropped],
        "text_models": [info.to_dict() for info in transcript.text_models],
    }


def transcript_from(reader: Reader) -> Transcript:
    """Rebuild a transcript from :func:`transcript_to_dict`'s output.

    Raises
    ------
    ValueError
        If a key is missing or of the wrong kind.
    """
    return Transcript(
        engine=reader.string("engine"),
        language=_optional_string(reader, "language"),
        utterances=tuple(_utterance_from(item) for item in reader.children("utterances")),
        dropped=tuple(
            Dropped(item.number("start"), item.number("end"), item.string("text"), item.string("reason"))
            for item in reader.children("dropped")
        ),
        draft=reader.boolean("draft"),
        timing=reader.choice("timing", "words", "utterances", "spread"),
        notices=tuple(
            Notice(item.string("code"), item.string("message"), item.choice("severity", "info", "warning"))
            for item in reader.children("notices")
        ),
        edited=reader.boolean("edited"),
        text_models=tuple(_text_model_from(item) for item in reader.children("text_models"))
        if "text_models" in reader.data
        else (),
    )


def _text_model_from(reader: Reader) -> TextModelInfo:
    labels = reader.child("labels")
    return TextModelInfo(
        name=reader.string("name"),
        sha256=reader.string("sha256"),
        revision=_optional_string(reader, "revision"),
        labels={label: labels.string(label) for label in labels.data},
        threshold=reader.number("threshold"),
        calibrated=reader.boolean("calibrated"),
        languages=reader.strings("languages"),
        reads=reader.strings("reads"),
    )


def _utterance_to_dict(utterance: Utterance) -> dict[str, Any]:
    return {
        "start": float(utterance.start),
        "end": float(utterance.end),
        "text": utterance.text,
        "confidence": _optional_float(utterance.confidence),
        "sentiment": None
        if utterance.sentiment is None
        else {name: float(value) for name, value in utterance.sentiment.items()},
        "aggression": _optional_float(utterance.aggression),
        "words": [
            [word.text, float(word.start), float(word.end), _optional_float(word.confidence)]
            for word in utterance.words
        ],
    }


def _utterance_from(reader: Reader) -> Utterance:
    sentiment = None
    if reader.get("sentiment") is not None:
        values = reader.child("sentiment")
        sentiment = {name: values.number(name) for name in values.data}
    words = reader.get("words")
    if not isinstance(words, list):
        raise ValueError(f"{reader.path}.words is {type(words).__name__}; expected a list")
    return Utterance(
        start=reader.number("start"),
        end=reader.number("end"),
        text=reader.string("text"),
        words=tuple(_word_from(item, f"{reader.path}.words[{index}]") for index, item in enumerate(words)),
        confidence=reader.optional_number("confidence"),
        sentiment=sentiment,
        aggression=reader.optional_number("aggression"),
    )


def _word_from(item: object, path: str) -> Word:
    if not isinstance(item, list) or len(item) != 4:
        raise ValueError(f"{path} is {item!r:.60}; expected [text, start, end, confidence]")
    named = Reader(dict(zip(("text", "start", "end", "confidence"), item, strict=True)), path)
    return Word(
        named.string("text"),
        named.number("start"),
        named.number("end"),
        named.optional_number("confidence"),
    )


def _optional_float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _optional_string(reader: Reader, key: str) -> str | None:
    return None if reader.get(key) is None else reader.string(key)
