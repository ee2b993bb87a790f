"""Transcripts as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from blipper.export.text import one_line
from blipper.terminal import columns
from blipper.wording import clock
from blipper.words.text_info import TextModelInfo
from blipper.words.text_labels import NOT_READ
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
                ("  " + clock(one.start), clock(one.end), _sure(one), *_read(one), one_line(one.text))
                for one in transcript.utterances
            ],
            right=frozenset({0, 1, 2, 3}),
        )
        if any(one.aggression is not None or one.sentiment is not None for one in transcript.utterances):
            lines += [
                "",
                "Columns: start, end, confidence, verbal aggression (0 to 1), leading sentiment, text.",
            ]
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
        *(_reader(info) for info in transcript.text_models),
        *(f"Note: {one_line(notice.message)}" for notice in transcript.notices),
    ]


def _reader(info: TextModelInfo) -> str:
    what = " and ".join("verbal aggression" if role == "aggression" else role for role in info.reads)
    commit = f", commit {info.revision[:12]}" if info.revision else ""
    read = [f"{one_line(label)}: {said}" for label, said in info.labels.items() if said != NOT_READ]
    # What is ours is called what it is taken for.
    labels = "" if info.calibrated else f"; {'; '.join(read)}"
    return f"Words scored for {what} by {one_line(info.name)} ({info.sha256[:12]}{commit}{labels})."


def _read(utterance: Utterance) -> tuple[str, str]:
    """Return the verbal aggression and the leading sentiment."""
    sentiment = utterance.sentiment
    return (
        "" if utterance.aggression is None else f"{utterance.aggression:.2f}",
        "" if sentiment is None else max(sentiment, key=sentiment.__getitem__),
    )


def _sure(utterance: Utterance) -> str:
    return "" if utterance.confidence is None else f"{utterance.confidence:.2f}"


def text_models_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return :func:`blipper.words.text_inventory.list_text_models`'s sound models as a table."""
    header = ("text model", "SHA-256", "MB", "reads", "languages", "licence")
    lines = [
        (
            one_line(row["name"]),
            row["sha256"][:12] if "sha256" in row else "-",
            f"{row['size_bytes'] / 1e6:.1f}" if "size_bytes" in row else "-",
            ", ".join(row["reads"] or ()) or "-",
            " ".join(row["languages"] or ()) or "-",
            row["licence"] or "-",
        )
        for row in rows
        if "error" not in row
    ]
    lacking = [f"{row['name']}: not on this machine; {row['lacks']}." for row in rows if "lacks" in row]
    note = "Text models read a transcript's words; see 'blipper analyze --help', --text-model."
    return "\n".join([*columns([header, *lines], right=frozenset({2})), "", note, *lacking]) + "\n"
