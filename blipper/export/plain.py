"""Plain text: the transcript one utterance a line, and Audacity's label tracks of transcript and events.

A label is ``start TAB end TAB text`` with seconds in six decimals, as Audacity writes them itself. Labels may
overlap. Without a transcript there is no transcript file (the writer says why); a label file of events may be
empty: there were none.
"""

from __future__ import annotations

from collections.abc import Sequence

from blipper.export.text import Cue, draft_cues, event_cues, lacks_transcript, utterance_cues
from blipper.export.writer import Writer
from blipper.results import Analysis


def transcript_text(analysis: Analysis) -> str:
    """Return what is said, one utterance a line, with its speaker where speakers are told apart."""
    return "".join(f"{cue.spoken}\n" for cue in [*draft_cues(analysis), *utterance_cues(analysis)])


def labels(cues: Sequence[Cue]) -> str:
    """Return cues as an Audacity label track."""
    return "".join(f"{cue.start:.6f}\t{cue.end:.6f}\t{cue.spoken}\n" for cue in cues)


def event_labels(analysis: Analysis) -> str:
    """Return the events as an Audacity label track."""
    return labels(event_cues(analysis))


def transcript_labels(analysis: Analysis) -> str:
    """Return the utterances as an Audacity label track; a rough draft says so in the first label."""
    return labels([*draft_cues(analysis), *utterance_cues(analysis)])


TRANSCRIPT = Writer(
    name="txt",
    extension=".txt",
    media_type="text/plain; charset=utf-8",
    description="the transcript as plain text, one utterance a line",
    write=transcript_text,
    lacks=lacks_transcript,
)

EVENT_LABELS = Writer(
    name="audacity",
    extension=".labels.txt",
    media_type="text/plain; charset=utf-8",
    description="events as a label track for Audacity",
    write=event_labels,
)

TRANSCRIPT_LABELS = Writer(
    name="audacity-transcript",
    extension=".transcript.labels.txt",
    media_type="text/plain; charset=utf-8",
    description="the transcript as a label track for Audacity",
    write=transcript_labels,
    lacks=lacks_transcript,
)
