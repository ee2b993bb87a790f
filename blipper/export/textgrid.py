"""Praat TextGrid: interval tiers for speech, speakers, events, utterances and words.

Every tier tiles the whole recording: intervals without gap or overlap from 0 to the end, those without text
being empty. What overlaps on one tier (two people's utterances on one channel) goes to a second one of that
name with a number. A word without length gets a millisecond. Tiers of what an analysis does not have (a
transcript, words' times, turns) are left out; those of speech and events are there even when empty: nobody
spoke, or nothing reached the threshold. Of several channels each has its own tiers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from blipper.export.text import SHORTEST, Cue, event_cues, one_line, within
from blipper.export.writer import Writer
from blipper.results import Analysis, Track
from blipper.words.cues import DRAFT_TIER


def textgrid(analysis: Analysis) -> str:
    """Return the analysis as a TextGrid in Praat's long text format."""
    end = max(0.001, int(analysis.duration * 1000 + 1e-6) / 1000)
    tiers = [
        (name if number == 1 else f"{name} ({number})", layer)
        for name, cues in _tiers(analysis)
        for number, layer in enumerate(_layers(cues), start=1)
    ]
    lines = [
        'File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", f"xmax = {end:.3f} ",
        "tiers? <exists> ", f"size = {len(tiers)} ", "item []: ",
    ]  # fmt: skip
    for number, (name, layer) in enumerate(tiers, start=1):
        intervals = list(_tiled(layer, end))
        lines += [
            f"    item [{number}]:", '        class = "IntervalTier" ', f"        name = {_quoted(name)} ",
            "        xmin = 0 ", f"        xmax = {end:.3f} ", f"        intervals: size = {len(intervals)} ",
        ]  # fmt: skip
        for index, (start, stop, text) in enumerate(intervals, start=1):
            lines += [
                f"        intervals [{index}]:", f"            xmin = {start:.3f} ",
                f"            xmax = {stop:.3f} ", f"            text = {_quoted(text)} ",
            ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _tiers(analysis: Analysis) -> Iterator[tuple[str, list[Cue]]]:
    events = event_cues(analysis)
    for channel, track in enumerate(analysis.tracks):
        prefix = f"{one_line(track.name)}: " if len(analysis.tracks) > 1 else ""

        def cue(start: float, end: float, text: str) -> Cue:
            return Cue(*within(start, end, analysis.duration), one_line(text))

        yield prefix + "speech", [cue(span.start, span.end, "speech") for span in track.speech]
        if track.turns:
            yield prefix + "speakers", [cue(turn.start, turn.end, turn.speaker) for turn in track.turns]
        yield prefix + "events", [event for event in events if event.channel == channel]
        if track.transcript is not None:
            mark = DRAFT_TIER if track.transcript.draft else ""
            said = [cue(one.start, one.end, one.text) for one in track.transcript.utterances]
            yield prefix + "utterances" + mark, said
            words = [cue(word.start, word.end, word.text) for word in _words(track)]
            if words:
                yield prefix + "words" + mark, words


def _words(track: Track) -> Iterator[Cue]:
    if track.transcript is not None:
        for utterance in track.transcript.utterances:
            yield from (Cue(word.start, word.end, word.text) for word in utterance.words)


def _layers(cues: Sequence[Cue]) -> list[list[Cue]]:
    """Share cues among as few tiers as it takes for none to overlap on one; at least one tier.

    In order of their start each goes to the first tier where it is free. Cues of a millisecond (words without
    a length of their own) come last, so that they don't push aside the word that begins at the same moment.
    """
    layers: list[list[Cue]] = [[]]
    for cue in sorted(cues, key=lambda cue: (cue.end - cue.start < 1.5 * SHORTEST, cue.start, cue.end)):
        for layer in layers:
            at = bisect_left(layer, (cue.start, cue.end), key=lambda held: (held.start, held.end))
            if (at == 0 or layer[at - 1].end <= cue.start) and (
                at == len(layer) or cue.end <= layer[at].start
            ):
                layer.insert(at, cue)
                break
        else:
            layers.append([cue])
    return layers


def _tiled(cues: Sequence[Cue], end: float) -> Iterator[tuple[float, float, str]]:
    """Return intervals without gap from 0 to the end."""
    last = 0.0
    for cue in cues:
        if cue.start > last:
            yield last, cue.start, ""
        yield cue.start, cue.end, cue.text
        last = cue.end
    if last < end:
        yield last, end, ""


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


WRITER = Writer(
    name="textgrid",
    extension=".textgrid",
    media_type="text/plain; charset=utf-8",
    description="tiers of speech, events and words for Praat",
    write=textgrid,
)
