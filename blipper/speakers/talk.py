"""Talk time, interruptions and loudness, from who speaks when.

An *interruption* is a turn that begins while another speaker's turn goes on and outlasts it: the
between-speaker overlap of M. Heldner and J. Edlund, "Pauses, gaps and overlaps in conversations", Journal of
Phonetics 38(4), 2010. One that begins and ends within another's turn (a "mhm") is overlap, but no
interruption. Whether anybody minded, no sound tells.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from blipper.errors import SettingsError
from blipper.results import Analysis, Event, Span, Track
from blipper.speakers.turns import Turn

#: Both have to speak for so long before it counts as an interruption, in seconds. Spans of speech are padded
#: by 0.1 s at both ends, so speakers who follow each other without a gap seem to overlap by 0.2 s.
MIN_OVERLAP = 0.3
#: Longest label of a speaker, in characters.
LONGEST_LABEL = 60


@dataclass(frozen=True)
class Interruption:
    """A turn that took over from another one before that had ended.

    Parameters
    ----------
    time : float
        Seconds, where the interrupting turn begins.
    speaker, interrupted : str
        Labels.
    overlap : float
        Seconds in which both speak.
    """

    time: float
    speaker: str
    interrupted: str
    overlap: float


@dataclass(frozen=True)
class SpeakerTalk:
    """One speaker's part.

    Parameters
    ----------
    speaker : str
    seconds : float
        Seconds of speech.
    share : float
        Of all speakers' speech, in [0, 1].
    turns : int
    longest : float
        Longest turn, in seconds.
    interruptions, interrupted : int
        How often this speaker took over from another, and was taken over from.
    level : float or None
        Loudness in LUFS: the mean power of the turns, weighted by their lengths.
    loudest, loudest_time : float or None
        Loudness of the loudest turn of at least a second (of any where none is as long), and its start.
    """

    speaker: str
    seconds: float
    share: float
    turns: int
    longest: float
    interruptions: int
    interrupted: int
    level: float | None
    loudest: float | None
    loudest_time: float | None


@dataclass(frozen=True)
class Talk:
    """Who talked how much, and over whom.

    Parameters
    ----------
    speakers : tuple of SpeakerTalk
        In order of their channels, then of their first turns.
    overlap : float
        Seconds in which two speakers or more speak at once.
    interruptions : tuple of Interruption
        Ordered by time.
    """

    speakers: tuple[SpeakerTalk, ...]
    overlap: float
    interruptions: tuple[Interruption, ...]

    @property
    def same_sound(self) -> bool:
        """Whether the speakers overlap so much that the channels probably carry the same sound."""
        spoken = [speaker.seconds for speaker in self.speakers]
        return len(spoken) > 1 and self.overlap > 0.8 * max(spoken) > 0


def talk(analysis: Analysis) -> Talk | None:
    """Sum up who talked how much.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    Talk or None
        None where nobody's turns are known (a mix without a guess at its speakers, or silence).
    """
    turns: dict[str, list[Turn]] = {label: [] for label in speakers(analysis)}
    spoken: dict[str, list[Span]] = {label: [] for label in turns}
    every = [(turn, track) for track in analysis.tracks for turn in track.turns]
    for turn, track in sorted(every, key=lambda pair: pair[0].start):
        turns[turn.speaker].append(turn)
        spoken[turn.speaker].extend(_spoken(turn, track))
    if not turns:
        return None
    interruptions = _interruptions(turns, spoken)
    seconds = {speaker: sum(span.duration for span in _united(spans)) for speaker, spans in spoken.items()}
    total = sum(seconds.values())
    return Talk(
        speakers=tuple(
            _speaker(speaker, mine, seconds[speaker], total, interruptions) for speaker, mine in turns.items()
        ),
        overlap=round(total - sum(span.duration for span in _united(_all(spoken))), 3),
        interruptions=interruptions,
    )


def speaker_of(track: Track, start: float, end: float) -> str | None:
    """Return who speaks most between two times of a track; None where that is not known."""
    shares: dict[str, float] = {}
    for turn in track.turns:
        inside = min(turn.end, end) - max(turn.start, start)
        if inside > 0:
            shares[turn.speaker] = shares.get(turn.speaker, 0.0) + inside
    return max(shares, key=shares.__getitem__) if shares else None


def speaker_of_event(analysis: Analysis, event: Event) -> str | None:
    """Return who speaks most during an event; None where that is not known."""
    return speaker_of(analysis.tracks[event.channel], event.start, event.end)


def speakers(analysis: Analysis) -> tuple[str, ...]:
    """Return the labels of all speakers, in order of their channels, then of their first turns."""
    return tuple(dict.fromkeys(turn.speaker for track in analysis.tracks for turn in track.turns))


def rename(analysis: Analysis, labels: Mapping[str, str]) -> Analysis:
    """Give speakers other labels.

    Parameters
    ----------
    analysis : Analysis
    labels : mapping of str to str
        From the label as it is to the one wanted. Two speakers who get one label count as one from then on.

    Returns
    -------
    Analysis
        The same result, whose turns name the speakers anew.

    Raises
    ------
    SettingsError
        If a label is empty, too long or not printable, or nobody in the result has the old one.
    """
    known = speakers(analysis)
    clean = {}
    for old, new in labels.items():
        if old not in known:
            raise SettingsError(f"no speaker is called {old!r}; there are {', '.join(map(repr, known))}")
        clean[old] = checked_label(new)
    tracks = tuple(
        replace(
            track,
            turns=tuple(replace(turn, speaker=clean.get(turn.speaker, turn.speaker)) for turn in track.turns),
        )
        for track in analysis.tracks
    )
    return replace(analysis, tracks=tracks)


def checked_label(label: str) -> str:
    """Return a speaker's label without spaces around it.

    Raises
    ------
    SettingsError
        If nothing is left of it, or it is too long or not printable.
    """
    stripped = label.strip()
    if not stripped or len(stripped) > LONGEST_LABEL or not stripped.isprintable():
        raise SettingsError(
            f"the speaker's label is {label!r}, expected 1 to {LONGEST_LABEL} printable characters"
        )
    return stripped


def _spoken(turn: Turn, track: Track) -> list[Span]:
    """Return the speech inside a turn."""
    return [
        Span(max(span.start, turn.start), min(span.end, turn.end))
        for span in _between(track.speech, turn.start, turn.end)
    ]


def _all(spoken: Mapping[str, Sequence[Span]]) -> Iterable[Span]:
    return (span for spans in spoken.values() for span in spans)


def _united(spans: Iterable[Span]) -> list[Span]:
    """Return the union of spans, in order, without overlap."""
    united: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if united and span.start <= united[-1].end:
            united[-1] = Span(united[-1].start, max(united[-1].end, span.end))
        else:
            united.append(span)
    return united


def _interruptions(
    turns: Mapping[str, Sequence[Turn]], spoken: Mapping[str, Sequence[Span]]
) -> tuple[Interruption, ...]:
    """Go through all turns by start, keeping those of others that still go on: linear but for overlaps."""
    every = sorted((turn for mine in turns.values() for turn in mine), key=lambda turn: turn.start)
    united = {speaker: _united(spans) for speaker, spans in spoken.items()}
    found: list[Interruption] = []
    going: list[Turn] = []
    for turn in every:
        going = [other for other in going if other.end > turn.start]
        for other in going:
            if other.speaker != turn.speaker and other.start < turn.start and turn.end > other.end:
                both = _common(united[turn.speaker], united[other.speaker], turn.start, other.end)
                if both >= MIN_OVERLAP - 1e-9:
                    found.append(Interruption(turn.start, turn.speaker, other.speaker, round(both, 3)))
        going.append(turn)
    return tuple(found)


def _common(first: Sequence[Span], second: Sequence[Span], start: float, end: float) -> float:
    """Return for how many seconds between two times both lists of spans cover the time."""
    return sum(
        max(0.0, min(a.end, b.end, end) - max(a.start, b.start, start))
        for a in _between(first, start, end)
        for b in _between(second, start, end)
    )


def _between(spans: Sequence[Span], start: float, end: float) -> Sequence[Span]:
    """Return the spans, of those in order and without overlap, that reach into a stretch of time."""
    low = bisect_right(spans, start, key=lambda span: span.end)
    return spans[low : bisect_left(spans, end, lo=low, key=lambda span: span.start)]


def _speaker(
    speaker: str,
    turns: Sequence[Turn],
    seconds: float,
    total: float,
    interruptions: Sequence[Interruption],
) -> SpeakerTalk:
    measured = [(turn, turn.level) for turn in turns if turn.level is not None]
    long = [pair for pair in measured if pair[0].duration >= 1.0] or measured
    loudest = max(long, key=lambda pair: pair[1], default=None)
    lengths = sum(turn.duration for turn, _ in measured)
    power = sum(turn.duration * 10 ** (level / 10) for turn, level in measured)
    return SpeakerTalk(
        speaker=speaker,
        seconds=round(seconds, 3),
        share=seconds / total if total else 0.0,
        turns=len(turns),
        longest=round(max(turn.duration for turn in turns), 3),
        interruptions=sum(item.speaker == speaker for item in interruptions),
        interrupted=sum(item.interrupted == speaker for item in interruptions),
        level=round(10 * math.log10(power / lengths), 1) if measured else None,
        loudest=loudest[1] if loudest else None,
        loudest_time=loudest[0].start if loudest else None,
    )
