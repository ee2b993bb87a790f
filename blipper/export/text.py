"""What the text formats share: one line of text, safe times, and the cues that transcript and events make."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from blipper.results import Analysis
from blipper.speakers.talk import speaker_of
from blipper.wording import carried_in_full
from blipper.words.cues import DRAFT_MARK

#: Least length of a cue in seconds: players and Praat know none without one. A millisecond is their grid.
SHORTEST = 0.001

# First strong isolate and its end: they keep text that runs right to left apart from a name before it.
_ISOLATE, _END = "\u2068", "\u2069"

NO_TRANSCRIPT = (
    "this analysis has no transcript, so there are no words to write; make one with 'blipper analyze "
    "--transcript …' or take the same format of the events (.events.srt, .events.vtt, .labels.txt)"
)


@dataclass(frozen=True)
class Cue:
    """A text and when it holds.

    Parameters
    ----------
    start, end : float
        Seconds, in order, within the recording and at least :data:`SHORTEST` apart.
    text : str
        One line.
    channel : int
        Index into :attr:`Analysis.tracks`.
    speaker : str
        Who says it: the channel's name where channels were kept apart, else empty.
    """

    start: float
    end: float
    text: str
    channel: int = 0
    speaker: str = ""

    @property
    def spoken(self) -> str:
        """The text with its speaker before it, where there is one."""
        if not self.speaker:
            return self.text
        return f"{self.speaker}: {isolated(self.text)}"


def encodable(text: str) -> str:
    """Return text that UTF-8 can hold: parts of a file name that are not text get a backslash."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    """Return text on one line: control characters and line ends become spaces, of which one is kept."""
    kept = (" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in encodable(text))
    return " ".join("".join(kept).split())


def isolated(text: str) -> str:
    """Return text in marks that keep its direction to itself, where any of it runs from right to left."""
    if any(unicodedata.bidirectional(char) in ("R", "AL") for char in text):
        return f"{_ISOLATE}{text}{_END}"
    return text


def within(start: float, end: float, duration: float) -> tuple[float, float]:
    """Return times inside a recording on a grid of milliseconds, at least :data:`SHORTEST` apart.

    What lies beyond the end (a subtitle file for a longer cut) is moved to the last millisecond.
    """
    last = max(SHORTEST, int(duration * 1000 + 1e-6) / 1000)
    start = round(min(max(start, 0.0), last - SHORTEST), 3)
    return start, round(min(max(end, start + SHORTEST), last), 3)


def has_transcript(analysis: Analysis) -> bool:
    """Return whether any channel has one, even one without words (nobody was understood)."""
    return any(track.transcript is not None for track in analysis.tracks)


def lacks_transcript(analysis: Analysis) -> str | None:
    """Return why there are no words to write; None where a channel has a transcript."""
    return None if has_transcript(analysis) else NO_TRANSCRIPT


def utterance_cues(analysis: Analysis) -> list[Cue]:
    """Return every utterance that has text, of all channels, ordered by start."""
    return sorted(_utterances(analysis), key=lambda cue: (cue.start, cue.channel, cue.end))


def draft_cues(analysis: Analysis) -> list[Cue]:
    """Return a cue at the beginning that says so where a transcript is only a rough draft; else none."""
    engines = draft_engines(analysis)
    if not engines:
        return []
    start, end = within(0.0, 3.0, analysis.duration)
    return [Cue(start, end, DRAFT_MARK.format(", ".join(engines)))]


def draft_engines(analysis: Analysis) -> list[str]:
    """Return which engines' text is only a rough draft, each once."""
    transcripts = [track.transcript for track in analysis.tracks if track.transcript is not None]
    return sorted({one_line(transcript.engine) for transcript in transcripts if transcript.draft})


def event_cues(analysis: Analysis) -> list[Cue]:
    """Return the events in words, numbered as they are everywhere, ordered by start."""
    return [
        Cue(
            *within(event.start, event.end, analysis.duration),
            f"[event {number}: {carried_in_full(analysis, event) or 'sounds angry'}, peak score "
            f"{event.peak:.2f}, mostly {event.emotion}]",
            event.channel,
            speaker_at(analysis, event.channel, event.start, event.end),
        )
        for number, event in enumerate(analysis.events, start=1)
    ]


def speaker_at(analysis: Analysis, channel: int, start: float, end: float) -> str:
    """Return who speaks longest between two times; empty where speakers are not told apart.

    The label of the turns where there are any, else the channel's name where channels were kept apart.
    """
    track = analysis.tracks[channel]
    speakers = {turn.speaker for turn in track.turns}
    if len(speakers) < 2:
        return one_line(next(iter(speakers), track.name)) if len(analysis.tracks) > 1 else ""
    label = speaker_of(track, start, end)
    if label is not None:
        return one_line(label)
    return one_line(track.name) if len(analysis.tracks) > 1 else ""


def _utterances(analysis: Analysis) -> Iterator[Cue]:
    for channel, track in enumerate(analysis.tracks):
        for utterance in track.transcript.utterances if track.transcript is not None else ():
            text = one_line(utterance.text)
            if text:
                start, end = within(utterance.start, utterance.end, analysis.duration)
                speaker = speaker_at(analysis, channel, utterance.start, utterance.end)
                yield Cue(start, end, text, channel, speaker)
