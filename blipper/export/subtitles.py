"""Subtitles as SRT and WebVTT: the transcript, and, as files of their own, the events.

Transcript and events are kept apart, so that a subtitle file can be read back as a transcript
(``blipper analyze --transcript``) without taking "[event 1: …]" for something that was said. Without a
transcript there is no transcript file (the writer says why); a file of events may be empty: there were none.

Text is one line a cue. SubRip has no way to write ``<`` that a player cannot take for markup, so a word
joiner (U+2060, invisible) follows where a tag would begin, and braces, whose content many players drop, are
written in their full-width forms. WebVTT has character references.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from blipper.export.text import (
    Cue,
    draft_cues,
    draft_engines,
    event_cues,
    lacks_transcript,
    one_line,
    utterance_cues,
)
from blipper.export.writer import Writer
from blipper.results import Analysis

_JOINER = "\u2060"
# Where SubRip's players look for a tag or for times; digits alone would be read as the next cue's number.
_LIVE = re.compile(r"<(?=[A-Za-z/])|--(?=>)|^(?=\d+$)")
_BRACES = str.maketrans("{}", "｛｝")


def srt(cues: Sequence[Cue]) -> str:
    """Return cues as a SubRip document, numbered from 1; empty without cues."""
    return "".join(
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_srt_text(cue.spoken)}\n\n"
        for number, cue in enumerate(cues, start=1)
    )


def vtt(cues: Sequence[Cue], notes: Sequence[str]) -> str:
    """Return cues as a WebVTT document: speakers as voice spans, notes as comments before the first cue."""
    parts = ["WEBVTT\n\n"]
    parts += [f"NOTE {one_line(note).replace('-->', '->')}\n\n" for note in notes]
    for cue in cues:
        voice = f"<v {_vtt_text(cue.speaker).replace('.', ' ')}>" if cue.speaker else ""
        parts.append(f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{voice}{_vtt_text(cue.text)}\n\n")
    return "".join(parts)


def transcript_srt(analysis: Analysis) -> str:
    """Return the transcript as SubRip; a rough draft says so in a cue at the beginning."""
    return srt([*draft_cues(analysis), *utterance_cues(analysis)])


def transcript_vtt(analysis: Analysis) -> str:
    """Return the transcript as WebVTT, with what wrote it in a comment."""
    transcripts = [track.transcript for track in analysis.tracks if track.transcript is not None]
    notes = [
        f"Transcript of {analysis.provenance.name} by {', '.join(sorted({t.engine for t in transcripts}))}"
    ]
    notes += [f"A rough draft by {engine}: many words are wrong." for engine in draft_engines(analysis)]
    if any(transcript.edited for transcript in transcripts):
        notes.append("Corrected by a person.")
    return vtt([*draft_cues(analysis), *utterance_cues(analysis)], notes)


def events_srt(analysis: Analysis) -> str:
    """Return the events as SubRip."""
    return srt(event_cues(analysis))


def events_vtt(analysis: Analysis) -> str:
    """Return the events as WebVTT, with model and threshold in a comment."""
    model = analysis.model
    notes = [
        f"Stretches of {analysis.provenance.name} worth a listen: {len(analysis.events)}, by {model.name} "
        f"({model.sha256[:12]}) from a score of {analysis.threshold:.2f}.",
        "A score says how much a voice sounds angry to the model, not what somebody feels or means.",
    ]
    return vtt(event_cues(analysis), notes)


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _srt_text(text: str) -> str:
    return _LIVE.sub(lambda match: match.group() + _JOINER, text.translate(_BRACES))


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


TRANSCRIPT_SRT = Writer(
    name="srt",
    extension=".srt",
    media_type="application/x-subrip; charset=utf-8",
    description="the transcript as subtitles",
    write=transcript_srt,
    lacks=lacks_transcript,
)

TRANSCRIPT_VTT = Writer(
    name="vtt",
    extension=".vtt",
    media_type="text/vtt; charset=utf-8",
    description="the transcript as web subtitles",
    write=transcript_vtt,
    lacks=lacks_transcript,
)

EVENTS_SRT = Writer(
    name="events-srt",
    extension=".events.srt",
    media_type="application/x-subrip; charset=utf-8",
    description="events as subtitles",
    write=events_srt,
)

EVENTS_VTT = Writer(
    name="events-vtt",
    extension=".events.vtt",
    media_type="text/vtt; charset=utf-8",
    description="events as web subtitles",
    write=events_vtt,
)
