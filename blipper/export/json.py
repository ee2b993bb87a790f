"""The whole analysis as JSON, and back without loss.

The file holds plain JSON values only: times in seconds, ``null`` where no score exists (nobody speaks),
arrays as lists, emotion columns in the order of the key ``emotions``. A reader checks ``schema_version``
first: it rises whenever an old reader would misread a new file. Added keys don't raise it and are ignored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

import numpy as np

from blipper.export.fused_json import fused_from, fused_to_dict
from blipper.export.reader import Reader
from blipper.export.transcript_json import transcript_from, transcript_to_dict
from blipper.export.writer import Writer
from blipper.recording import Notice, Provenance
from blipper.results import (
    SCHEMA_VERSION,
    Analysis,
    Check,
    Curve,
    Event,
    Float,
    ModelInfo,
    Quality,
    Span,
    Track,
    Trend,
    Windows,
)
from blipper.speakers.talk import speaker_of_event, talk
from blipper.speakers.turns import Turn
from blipper.voice.labels import EMOTIONS
from blipper.words.transcript import Transcript


def analysis_to_dict(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis as plain JSON values.

    Returns
    -------
    dict
        Of str, int, float, bool, None, lists and dicts only, with ``schema_version`` first.

    Raises
    ------
    ValueError
        If a number is infinite or a setting is of a type that JSON has no counterpart for.
    """
    summed = talk(analysis)
    return {
        "schema_version": SCHEMA_VERSION,
        "provenance": asdict(analysis.provenance),
        "duration": _plain(analysis.duration, "duration"),
        "model": asdict(analysis.model),
        "settings": _plain(analysis.settings, "settings"),
        "versions": dict(analysis.versions),
        "notices": [asdict(notice) for notice in analysis.notices],
        "emotions": list(EMOTIONS),
        "events": [
            _plain(asdict(event), "events") | {"speaker": speaker_of_event(analysis, event)}
            for event in analysis.events
        ],
        "tracks": [_track_to_dict(track) for track in analysis.tracks],
        "talk": _plain(asdict(summed), "talk") if summed else None,
    }


def analysis_from_dict(data: Mapping[str, Any]) -> Analysis:
    """Rebuild an analysis from :func:`analysis_to_dict`'s output.

    Arrays come back as float64, which holds every float32 exactly; sequences in settings come back as
    lists.

    Raises
    ------
    ValueError
        If the schema version is missing or not the one accepted, or a key is missing or of the wrong kind.
    """
    root = Reader(data)
    version = root.data.get("schema_version")
    if type(version) is not int or version != SCHEMA_VERSION:
        found = "no schema_version" if "schema_version" not in root.data else f"schema_version {version!r}"
        raise ValueError(f"not an analysis that can be read: it has {found}; accepted is {SCHEMA_VERSION}")
    emotions = root.strings("emotions")
    if emotions != EMOTIONS:
        raise ValueError(f"emotions are {', '.join(emotions)}; accepted are {', '.join(EMOTIONS)}")
    tracks = tuple(_track_from(track) for track in root.children("tracks"))
    events = tuple(_event_from(event, len(tracks)) for event in root.children("events"))
    model = root.child("model")
    return Analysis(
        provenance=_provenance_from(root.child("provenance")),
        duration=root.number("duration"),
        tracks=tracks,
        events=events,
        model=ModelInfo(model.string("name"), model.string("sha256"), model.number("threshold")),
        settings=_settings_from(root.child("settings")),
        notices=tuple(
            Notice(item.string("code"), item.string("message"), item.choice("severity", "info", "warning"))
            for item in root.children("notices")
        ),
        versions={name: root.child("versions").string(name) for name in root.child("versions").data},
    )


def _settings_from(found: Reader) -> dict[str, Any]:
    """Return a result's settings; one from before surroundings or the rise counted was made without them."""
    settings = dict(found.data)
    if "smoothing" in settings:
        settings.setdefault("surroundings", 0.0)
        settings.setdefault("rise", 0.0)
    return settings


def analysis_json(analysis: Analysis) -> str:
    """Return the analysis as a JSON document: indented, with every list of numbers on one line."""
    return layout(analysis_to_dict(analysis)) + "\n"


def layout(value: object, indent: str = "") -> str:
    """Return JSON text that a person can read without a line for every number.

    Raises
    ------
    ValueError
        If a float is not finite: such a document would not be JSON.
    """
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        items = [
            f"{deeper}{json.dumps(key, ensure_ascii=False)}: {layout(item, deeper)}"
            for key, item in value.items()
        ]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(deeper + layout(item, deeper) for item in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _plain(value: object, where: str) -> Any:
    """Return JSON values only: NaN as None, sequences as lists, NumPy scalars as Python's."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise ValueError(f"{where} is {value}; only finite numbers can be written")
        return None if math.isnan(value) else value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise ValueError(
        f"{where} is a {type(value).__name__}; only None, text, numbers, lists and mappings can be written"
    )


def _array(array: Float, where: str) -> list[Any]:
    if np.isinf(array).any():
        raise ValueError(f"{where} holds an infinite value; only finite numbers and NaN can be written")
    plain: list[Any] = array.tolist()
    if np.isnan(array).any():
        gaps = array.astype(object)
        gaps[np.isnan(array)] = None
        plain = gaps.tolist()
    return plain


def _track_to_dict(track: Track) -> dict[str, Any]:
    return {
        "name": track.name,
        "quality": [_plain(asdict(check), f"quality of {track.name}") for check in track.quality.checks],
        "trend": _plain(asdict(track.trend), f"trend of {track.name}"),
        "speech": [[_plain(span.start, "speech"), _plain(span.end, "speech")] for span in track.speech],
        "turns": [_plain(asdict(turn), "turns") for turn in track.turns],
        "windows": {
            name: _array(getattr(track.windows, name), f"windows.{name}")
            for name in ("start", "end", "aggression", "emotions")
        },
        "curve": {
            "step": _plain(track.curve.step, "curve.step"),
            **{name: _array(getattr(track.curve, name), f"curve.{name}") for name in _CURVE_ARRAYS},
        },
        "fused": None if track.fused is None else fused_to_dict(track.fused, _array),
        "transcript": None if track.transcript is None else transcript_to_dict(track.transcript),
    }


_CURVE_ARRAYS = ("times", "aggression", "emotions")


def _track_from(track: Reader) -> Track:
    windows, trend = track.child("windows"), track.child("trend")
    start, curve = windows.array("start"), _curve_from(track.child("curve"))
    return Track(
        name=track.string("name"),
        quality=Quality(tuple(_check_from(check) for check in track.children("quality"))),
        speech=tuple(Span(*pair) for pair in track.array("speech", columns=2).tolist()),
        windows=Windows(
            start=start,
            end=windows.array("end", rows=len(start)),
            emotions=windows.array("emotions", rows=len(start), columns=len(EMOTIONS)),
            aggression=windows.array("aggression", rows=len(start)),
        ),
        curve=curve,
        trend=Trend(
            trend.choice("label", "rising", "steady", "falling", "unknown"), trend.optional_number("change")
        ),
        turns=_turns_from(track),
        transcript=_transcript_from(track),
        fused=fused_from(track, curve),
    )


def _curve_from(curve: Reader) -> Curve:
    times = curve.array("times")
    return Curve(
        step=curve.number("step"),
        times=times,
        aggression=curve.array("aggression", rows=len(times)),
        emotions=curve.array("emotions", rows=len(times), columns=len(EMOTIONS)),
    )


def _turns_from(track: Reader) -> tuple[Turn, ...]:
    if "turns" not in track.data:  # a file from before there were any
        return ()
    return tuple(
        Turn(turn.number("start"), turn.number("end"), turn.string("speaker"), _level(turn))
        for turn in track.children("turns")
    )


def _transcript_from(track: Reader) -> Transcript | None:
    # Files from before there were transcripts have no such key.
    if track.data.get("transcript") is None:
        return None
    return transcript_from(track.child("transcript"))


def _level(turn: Reader) -> float | None:
    return _added(turn, "level")


def _added(reader: Reader, key: str) -> float | None:
    """Return a number that files from before there was one do not have."""
    return reader.optional_number(key) if key in reader.data else None


def _check_from(check: Reader) -> Check:
    return Check(
        name=check.string("name"),
        label=check.string("label"),
        value=check.optional_number("value"),
        unit=check.string("unit"),
        verdict=check.choice("verdict", "good", "fair", "poor", "unknown"),
        message=check.string("message"),
    )


def _event_from(event: Reader, n_tracks: int) -> Event:
    channel = event.integer("channel")
    if not 0 <= channel < n_tracks:
        raise ValueError(f"{event.path}.channel is {channel}; accepted are 0 to {n_tracks - 1}")
    return Event(
        start=event.number("start"),
        end=event.number("end"),
        peak=event.number("peak"),
        peak_time=event.number("peak_time"),
        mean=event.number("mean"),
        emotion=event.choice("emotion", *EMOTIONS),
        channel=channel,
        voice_share=_added(event, "voice_share"),
        words_share=_added(event, "words_share"),
    )


def _provenance_from(provenance: Reader) -> Provenance:
    return Provenance(
        name=provenance.string("name"),
        sha256=provenance.string("sha256"),
        size_bytes=provenance.integer("size_bytes"),
        container=provenance.string("container"),
        codec=provenance.string("codec"),
        sampling_rate=provenance.integer("sampling_rate"),
        n_channels=provenance.integer("n_channels"),
        decoder=provenance.choice("decoder", "soundfile", "pyav", "array"),
    )


WRITER = Writer(
    name="json",
    extension=".json",
    media_type="application/json",
    description="the whole analysis, which Blipper can read back",
    write=analysis_json,
)
