"""What the report says, as plain values for its template: no markup is made here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from blipper.export.text import one_line
from blipper.results import Analysis, Check, Track
from blipper.speakers.talk import Talk, speaker_of, speaker_of_event
from blipper.wording import carried_by, case_words, length, moment
from blipper.words.transcript import Transcript, Utterance

#: What holds for every score.
LIMITS = (
    "A score says how much a stretch of speech sounds angry to a model, from 0 to 1. It ranks what is worth "
    "a listen. It does not say what anybody feels or means, and it decides nothing: listen before you "
    "conclude.",
    "The model learned from actors speaking English, in short sentences in quiet rooms. Real quarrels, "
    "other languages, children, illness, accents, noise and telephone lines are further from that, and "
    "scores there are less reliable.",
    "Loud, fast or high speech can sound angry without being so: cheering, pain, a bad line, a passionate "
    "story. Cold, quiet hostility can score low.",
    "A score is computed only where somebody speaks; wordless screams are mostly missed. Windows of a few "
    "seconds are scored and averaged with the seconds around them: one outburst in calm talk scores lower "
    "than the same outburst in a quarrel, and an event's edges are good to about half a second.",
    "A transcript by a recogniser has errors, more so in noise, in dialect and where people shout. Scores of "
    "words are as unsure as the words.",
    "Do not use scores to judge, rank, hire, discipline or police people. In the European Union, inferring "
    "emotions at work or in education is prohibited but for medical or safety reasons (AI Act, Article "
    "5(1)(f)).",
)

#: Interruptions that the report lists; the figure and the table of their own have all.
MOST_INTERRUPTIONS = 100

_TIMING = {
    "words": "",
    "utterances": "Only the utterances' times are known, not those of words.",
    "spread": "The text came without times and was spread evenly over the speech.",
}
_VERDICTS = {"good": "good", "fair": "fair", "poor": "poor", "unknown": "not measured"}


def channel_content(analysis: Analysis, channel: int) -> dict[str, Any]:
    """Return a channel's name and checks."""
    track = analysis.tracks[channel]
    return {"name": one_line(track.name), "checks": [_check(check) for check in track.quality.checks]}


def event_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """Return the events, in order of time and numbered as everywhere."""
    return [
        {
            "number": number,
            "start": moment(event.start),
            "end": moment(event.end),
            "length": length(event.duration),
            "peak": event.peak,
            "peak_time": moment(event.peak_time),
            "mean": event.mean,
            "emotion": event.emotion,
            "carrier": carried_by(event),
            "case": case_words(analysis, event) or "no scored words here",
            "speaker": one_line(speaker_of_event(analysis, event) or "unknown"),
            "channel": one_line(analysis.tracks[event.channel].name),
        }
        for number, event in enumerate(analysis.events, start=1)
    ]


def strongest(analysis: Analysis) -> list[int]:
    """Return the numbers of the events from the highest score down."""
    order = sorted(range(len(analysis.events)), key=lambda index: -analysis.events[index].peak)
    return [index + 1 for index in order]


def talk_content(summed: Talk) -> dict[str, Any]:
    """Return who talked how much, how loud, and over whom."""
    return {
        "overlap": length(summed.overlap),
        "same_sound": summed.same_sound,
        "interruptions": [
            {
                "time": moment(one.time),
                "speaker": one_line(one.speaker),
                "interrupted": one_line(one.interrupted),
                "overlap": f"{one.overlap:.1f} s",
            }
            for one in summed.interruptions[:MOST_INTERRUPTIONS]
        ],
        "more": max(0, len(summed.interruptions) - MOST_INTERRUPTIONS),
        "speakers": [
            {
                "speaker": one_line(one.speaker),
                "talk": length(one.seconds),
                "share": f"{100 * one.share:.0f} %",
                "turns": one.turns,
                "longest": length(one.longest),
                "interruptions": one.interruptions,
                "interrupted": one.interrupted,
                "level": "–" if one.level is None else f"{one.level:.1f} LUFS",
                "loudest": "–" if one.loudest is None else f"{one.loudest:.1f} LUFS",
                "loudest_at": "" if one.loudest_time is None else f"at {moment(one.loudest_time)}",
            }
            for one in summed.speakers
        ],
    }


def transcript_contents(analysis: Analysis) -> list[dict[str, Any]]:
    """Return the transcripts that there are, one a channel."""
    return [_transcript(track, track.transcript) for track in analysis.tracks if track.transcript is not None]


def facts(analysis: Analysis) -> list[tuple[str, str]]:
    """Return what it takes to repeat the result."""
    source, model = analysis.provenance, analysis.model
    rows = [
        ("Model", model.name),
        ("Model's SHA-256", model.sha256),
        ("Model's own threshold", f"{model.threshold:.4f}"),
        ("Threshold in force", f"{analysis.threshold:.4f}"),
        ("File", one_line(source.name)),
        ("File's SHA-256", source.sha256),
        ("Size", f"{source.size_bytes:,} bytes"),
        ("Length", f"{analysis.duration:.2f} s"),
        ("Container and codec", one_line(f"{source.container}, {source.codec}")),
        ("Original sampling rate and channels", f"{source.sampling_rate:,} Hz, {source.n_channels}"),
    ]
    rows += [(f"Setting: {name}", one_line(str(value))) for name, value in _flat(analysis.settings)]
    rows += [(f"Version: {name}", version) for name, version in analysis.versions.items()]
    return rows


def _check(check: Check) -> dict[str, str]:
    return {
        "label": check.label,
        "verdict": check.verdict,
        "word": _VERDICTS[check.verdict],
        "value": _measured(check),
        "message": check.message,
    }


def _measured(check: Check) -> str:
    if check.value is None:
        return "–"
    decimals = 0 if check.unit == "Hz" else 1
    return f"{round(check.value, decimals) + 0.0:,.{decimals}f} {check.unit}"  # + 0.0 turns -0.0 into 0.0


def _transcript(track: Track, transcript: Transcript) -> dict[str, Any]:
    return {
        "channel": one_line(track.name),
        "engine": one_line(transcript.engine),
        "language": transcript.language,
        "confidence": transcript.confidence,
        "edited": transcript.edited,
        "draft": transcript.draft,
        "timing": _TIMING[transcript.timing],
        "notices": transcript.notices,
        "scored": any(one.aggression is not None or one.sentiment for one in transcript.utterances),
        "utterances": [_utterance(track, one) for one in transcript.utterances if one_line(one.text)],
        "dropped": [
            {
                "start": moment(one.start),
                "end": moment(one.end),
                "text": one_line(one.text),
                "reason": one_line(one.reason),
            }
            for one in transcript.dropped
        ],
    }


def _utterance(track: Track, one: Utterance) -> dict[str, Any]:
    sentiment = "–"
    if one.sentiment:
        leading = max(one.sentiment, key=lambda name: one.sentiment[name])  # type: ignore[index]
        sentiment = f"{leading} {one.sentiment[leading]:.2f}"
    return {
        "start": moment(one.start),
        "end": moment(one.end),
        "speaker": one_line(speaker_of(track, one.start, one.end) or "unknown"),
        "text": one_line(one.text),
        "voice": _highest(track, one.start, one.end),
        "aggression": one.aggression,
        "sentiment": sentiment,
    }


def _highest(track: Track, start: float, end: float) -> float | None:
    """Return the highest score of the voice in cells of the curve that a stretch reaches into."""
    curve = track.curve
    touched = (curve.times + curve.step / 2 > start) & (curve.times - curve.step / 2 < end)
    scores = curve.aggression[touched & ~np.isnan(curve.aggression)]
    return float(scores.max()) if len(scores) else None


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        readable = prefix + str(name).replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, readable + " ")
        else:
            yield readable, "the model's own" if value is None else value
