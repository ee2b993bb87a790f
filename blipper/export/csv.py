"""Tables as CSV: events, windows, turns, talk time, interruptions, utterances.

UTF-8 without a byte-order mark, RFC 4180 (commas, CRLF, quotes doubled), one header row in plain names
with the unit as suffix (``start_s``). Times have 3 decimals, scores 4, with a point whatever the locale;
a cell is empty where no value exists.
"""

from __future__ import annotations

from blipper.csv_cells import fixed, score, seconds, table, text
from blipper.export.text import encodable, lacks_transcript, one_line, speaker_at
from blipper.export.writer import Writer
from blipper.fusion import carrier, case_of
from blipper.results import Analysis
from blipper.speakers.talk import speaker_of_event, talk
from blipper.voice.labels import EMOTIONS
from blipper.words.text_info import SENTIMENTS
from blipper.words.transcript import Transcript

EVENT_COLUMNS = (
    *("file", "channel", "speaker", "start_s", "end_s", "duration_s"),
    *("peak_time_s", "peak_score", "mean_score", "leading_emotion", "model", "threshold"),
    *("voice_share", "words_share", "carried_by", "case"),
)
TURN_COLUMNS = ("file", "channel", "speaker", "start_s", "end_s", "duration_s", "level_lufs")
TALK_COLUMNS = (
    *("speaker", "talk_s", "share", "turns", "longest_turn_s", "interruptions", "interrupted"),
    *("level_lufs", "loudest_turn_lufs", "loudest_turn_start_s"),
)
INTERRUPTION_COLUMNS = ("file", "start_s", "speaker", "interrupted", "overlap_s")
UTTERANCE_COLUMNS = (
    *("file", "channel", "speaker", "start_s", "end_s", "duration_s", "text", "confidence"),
    *("verbal_aggression", *SENTIMENTS, "aggression_model", "sentiment_model", "engine", "draft"),
)
WINDOW_COLUMNS = ("file", "channel", "start_s", "end_s", "aggression", *EMOTIONS)


def events_csv(analysis: Analysis) -> str:
    """Return the table of events, one row each, ordered by start.

    ``duration_s`` is the difference of the two times as printed, so the columns add up. What each side gave
    is in natural log-odds, with which of them carries the event and which case it is
    (:mod:`blipper.fusion.cases`); empty where no words have a score.
    """
    rows = (
        (
            text(analysis.provenance.name),
            text(analysis.tracks[event.channel].name),
            text(speaker_of_event(analysis, event) or ""),
            seconds(event.start),
            seconds(event.end),
            seconds(round(event.end, 3) - round(event.start, 3)),
            seconds(event.peak_time),
            score(event.peak),
            score(event.mean),
            text(event.emotion),
            text(analysis.model.name),
            score(analysis.threshold),
            "" if event.voice_share is None else score(event.voice_share),
            "" if event.words_share is None else score(event.words_share),
            carrier(event) or "",
            case_of(analysis, event) or "",
        )
        for event in analysis.events
    )
    return table(EVENT_COLUMNS, rows)


def windows_csv(analysis: Analysis) -> str:
    """Return the table of windows: the model's own scores before smoothing, channel after channel."""
    name = text(analysis.provenance.name)
    rows = (
        (name, text(track.name), seconds(start), seconds(end), score(aggression), *map(score, emotions))
        for track in analysis.tracks
        for start, end, aggression, emotions in zip(
            track.windows.start.tolist(),
            track.windows.end.tolist(),
            track.windows.aggression.tolist(),
            track.windows.emotions.tolist(),
            strict=True,
        )
    )
    return table(WINDOW_COLUMNS, rows)


def turns_csv(analysis: Analysis) -> str:
    """Return the table of turns, channel after channel: who spoke when, and how loud."""
    name = text(analysis.provenance.name)
    rows = (
        (
            *(name, text(track.name), text(turn.speaker), seconds(turn.start), seconds(turn.end)),
            *(seconds(round(turn.end, 3) - round(turn.start, 3)), _decibels(turn.level)),
        )
        for track in analysis.tracks
        for turn in track.turns
    )
    return table(TURN_COLUMNS, rows)


def talk_csv(analysis: Analysis) -> str:
    """Return the table of talk time, one row a speaker; without rows where nobody's turns are known."""
    summed = talk(analysis)
    rows = (
        (
            *(text(one.speaker), seconds(one.seconds), score(one.share), str(one.turns)),
            *(seconds(one.longest), str(one.interruptions), str(one.interrupted)),
            *(_decibels(one.level), _decibels(one.loudest)),
            "" if one.loudest_time is None else seconds(one.loudest_time),
        )
        for one in (summed.speakers if summed else ())
    )
    return table(TALK_COLUMNS, rows)


def interruptions_csv(analysis: Analysis) -> str:
    """Return the table of interruptions, ordered by time: who took over from whom, and how long both spoke.

    Without rows where nobody's turns are known, or nobody interrupted.
    """
    summed = talk(analysis)
    name = text(analysis.provenance.name)
    rows = (
        (name, seconds(one.time), text(one.speaker), text(one.interrupted), seconds(one.overlap))
        for one in (summed.interruptions if summed else ())
    )
    return table(INTERRUPTION_COLUMNS, rows)


def utterances_csv(analysis: Analysis) -> str:
    """Return the table of utterances, channel after channel: what was said, and the scores of its words.

    The columns ``negative``, ``neutral`` and ``positive`` are the sentiment's probabilities; cells of an
    utterance that no model read are empty.
    """
    rows = (
        (
            text(encodable(analysis.provenance.name)),
            text(track.name),
            text(speaker_at(analysis, channel, said.start, said.end)),
            seconds(said.start),
            seconds(said.end),
            seconds(round(said.end, 3) - round(said.start, 3)),
            text(one_line(said.text)),
            _share(said.confidence),
            _share(said.aggression),
            *(_share(None if said.sentiment is None else said.sentiment.get(name)) for name in SENTIMENTS),
            *(text(_reader(track.transcript, role)) for role in ("aggression", "sentiment")),
            text(one_line(track.transcript.engine)),
            "yes" if track.transcript.draft else "no",
        )
        for channel, track in enumerate(analysis.tracks)
        if track.transcript is not None
        for said in track.transcript.utterances
    )
    return table(UTTERANCE_COLUMNS, rows)


def _reader(transcript: Transcript, role: str) -> str:
    """Return which model gave a score, with the commit where it has one."""
    return next(
        (
            f"{one_line(info.name)}@{info.revision}" if info.revision else one_line(info.name)
            for info in transcript.text_models
            if role in info.reads
        ),
        "",
    )


def _share(value: float | None) -> str:
    return "" if value is None else score(value)


def _decibels(value: float | None) -> str:
    return "" if value is None else fixed(value, 1)


EVENTS = Writer(
    name="csv",
    extension=".csv",
    media_type="text/csv; charset=utf-8",
    description="events as a table",
    write=events_csv,
)

UTTERANCES = Writer(
    name="utterances-csv",
    extension=".utterances.csv",
    media_type="text/csv; charset=utf-8",
    description="what was said, with sentiment and verbal aggression, as a table",
    write=utterances_csv,
    lacks=lacks_transcript,
)

WINDOWS = Writer(
    name="windows-csv",
    extension=".windows.csv",
    media_type="text/csv; charset=utf-8",
    description="every window's scores as a table",
    write=windows_csv,
)

TURNS = Writer(
    name="turns-csv",
    extension=".turns.csv",
    media_type="text/csv; charset=utf-8",
    description="who spoke when and how loud, as a table",
    write=turns_csv,
)

TALK = Writer(
    name="talk-csv",
    extension=".talk.csv",
    media_type="text/csv; charset=utf-8",
    description="talk time, interruptions and loudness of each speaker as a table",
    write=talk_csv,
)

INTERRUPTIONS = Writer(
    name="interruptions-csv",
    extension=".interruptions.csv",
    media_type="text/csv; charset=utf-8",
    description="every interruption: when, who, whom, and how long both spoke, as a table",
    write=interruptions_csv,
)
