"""Transcripts as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from blipper.export.text import one_line
from blipper.terminal import columns
from blipper.wording import clock
from blipper.words.transcript import Transcript, Utterance


def transcripts_text(transcripts: Mapping[str, Transcript]) -> str:
    """Return the whole text of each channel, an utterance a line, with what wrote it and what was dropped."""
    lines: list[str] = []
    for name, transcript in transcripts.items():
        if len(transcripts) > 1:
            lines += ["", f"Channel {name}"]
        lines += transcript_summary(transcript)
        lines += columns(
            [
                ("  " + clock(one.start), clock(one.end), _sure(one), one_line(one.text))
                for one in transcript.utterances
            ],
            right=frozenset({0, 1, 2}),
        )
        if transcript.dropped:
            lines += ["", "Left out, since it was probably never said:"]
            lines += columns(
                [
                    ("  " + clock(one.start), one_line(one.text)[:80], one_line(one.reason))
                    for one in transcript.dropped
                ]
            )
    return "\n".join(lines).lstrip("\n") + "\n"


def transcript_summary(transcript: Transcript) -> list[str]:
    """Return what wrote a text, how sure it is, and the notices that go with it."""
    draft = " (rough draft)" if transcript.draft else ""
    edited = ", corrected by hand" if transcript.edited else ""
    confidence = transcript.confidence
    sure = "" if confidence is None else f", mean confidence {confidence:.2f}"
    dropped = f", {len(transcript.dropped)} left out" if transcript.dropped else ""
    count = len(transcript.utterances)
    return [
        f"Transcript by {one_line(transcript.engine)}{draft}: {count} utterance{'s' if count != 1 else ''}"
        f"{sure}{dropped}{edited}.",
        *(f"Note: {one_line(notice.message)}" for notice in transcript.notices),
    ]


def _sure(utterance: Utterance) -> str:
    return "" if utterance.confidence is None else f"{utterance.confidence:.2f}"
