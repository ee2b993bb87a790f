"""Putting recordings and analyses into the library, and getting them out again."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import delete, select

from blipper.analysis import with_threshold
from blipper.errors import LibraryError
from blipper.library import retention
from blipper.library.database import Database
from blipper.library.place import check_days
from blipper.library.tables import AnalysisRow, AudioRow, RecordingRow, StretchRow, TagRow
from blipper.library.values import Kind, Saved, check_name, milliseconds, storable
from blipper.recording import Float32, Recording
from blipper.results import Analysis, Event, Float
from blipper.voice.labels import EMOTIONS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: How far below the threshold a stretch may peak and still be offered to be judged.
NEAR: Final = 0.2
#: Lowest threshold for that: below it everything is one stretch.
_LOWEST: Final = 0.05
#: Bytes of sound a row: PostgreSQL copies a value several times on its way.
_CHUNK: Final = 4 * 2**20


def save(
    database: Database,
    analysis: Analysis,
    *,
    analyst: str,
    sound: Sequence[bytes] = (),
    keep_days: int | None = None,
    tags: Sequence[str] = (),
) -> Saved:
    """Keep an analysis, and the recording that it is of.

    The same recording is kept once, whatever its files are called: its bytes decide. The same recording,
    model and settings are one analysis, which the newer one replaces.

    Parameters
    ----------
    database : Database
    analysis : Analysis
    analyst : str
        Who keeps it.
    sound : sequence of bytes, optional
        FLAC of the decoded samples (:func:`encode_sound`), one a channel of the analysis. Without, no sound
        is kept, and what was kept before stays.
    keep_days : int, optional
        Days from now after which all about the recording is deleted; without, nobody but a person does.
    tags : sequence of str

    Returns
    -------
    Saved

    Raises
    ------
    LibraryError
        If a name or a number is outside its domain, or the database fails; nothing is kept then.
    """
    analyst = check_name(analyst, "an analyst's name")
    names = sorted({check_name(tag, "a tag") for tag in tags})
    check_days(keep_days)
    if sound and len(sound) != len(analysis.tracks):
        raise LibraryError(
            f"{len(sound)} channels of sound for an analysis of {len(analysis.tracks)}; expected one for each"
        )
    row = _analysis_row(analysis, analyst)
    stretches = _stretches(analysis)
    with database.writing() as session:
        recording = _keep_recording(session, analysis, analyst, keep_days)
        known = session.scalar(
            select(AnalysisRow.id).where(
                AnalysisRow.recording_id == recording.id,
                AnalysisRow.model_sha256 == row.model_sha256,
                AnalysisRow.settings_sha256 == row.settings_sha256,
            )
        )
        row.id, row.recording_id = known or uuid.uuid4().hex, recording.id
        session.merge(row)
        session.flush()
        session.execute(delete(StretchRow).where(StretchRow.analysis_id == row.id))
        for stretch in stretches:
            stretch.analysis_id = row.id
        session.add_all(stretches)
        _keep_sound(session, recording.id, row.channels, sound)
        for tag in names:
            session.merge(TagRow(recording_id=recording.id, tag=tag))
        return Saved(recording.id, row.id, known is None)


def _keep_recording(
    session: Session, analysis: Analysis, analyst: str, keep_days: int | None
) -> RecordingRow:
    source = analysis.provenance
    now = datetime.now(UTC)
    row = session.scalar(select(RecordingRow).where(RecordingRow.sha256 == source.sha256))
    if row is None:
        name = storable(source.name)
        row = RecordingRow(
            id=uuid.uuid4().hex,
            sha256=source.sha256,
            name=name,
            folded=name.casefold(),
            size_bytes=source.size_bytes,
            duration=analysis.duration,
            added_at=now,
            added_by=analyst,
        )
        session.add(row)
    if keep_days is not None:
        row.expires_at = now + timedelta(days=keep_days)
        retention.record(session, analyst, "keep for days", row.id, days=keep_days)
    session.flush()
    return row


def _keep_sound(session: Session, recording_id: str, channels: str, sound: Sequence[bytes]) -> None:
    for channel, data in enumerate(sound):
        kept = session.get(AudioRow, (recording_id, channels, channel, 0))
        if kept is not None:  # decoded from the same bytes in the same way
            continue
        for number, first in enumerate(range(0, len(data), _CHUNK)):
            piece = data[first : first + _CHUNK]
            session.add(
                AudioRow(
                    recording_id=recording_id, channels=channels, channel=channel, chunk=number, data=piece
                )
            )


def settings_sha256(analysis: Analysis) -> str:
    """Return what tells an analysis's settings from others; see :class:`AnalysisInfo`."""
    return hashlib.sha256(_settings(analysis).encode()).hexdigest()


def _settings(analysis: Analysis) -> str:
    return json.dumps(analysis.to_dict()["settings"], sort_keys=True, separators=(",", ":"))


def _analysis_row(analysis: Analysis, analyst: str) -> AnalysisRow:
    body = json.dumps(analysis.to_dict(), separators=(",", ":"), allow_nan=False)
    scores = [track.scored.aggression for track in analysis.tracks]
    peaks = [float(np.nanmax(curve)) for curve in scores if not np.isnan(curve).all()]
    return AnalysisRow(
        made_at=datetime.now(UTC),
        made_by=analyst,
        model=storable(analysis.model.name),
        model_sha256=analysis.model.sha256,
        settings=_settings(analysis),
        settings_sha256=settings_sha256(analysis),
        channels=str(analysis.settings.get("channels", "mix")),
        threshold=analysis.threshold,
        peak=max(peaks, default=None),
        n_events=len(analysis.events),
        event_seconds=sum(event.duration for event in analysis.events),
        speech_seconds=sum(track.speech_seconds for track in analysis.tracks),
        emotion=_leading(np.concatenate([track.curve.emotions for track in analysis.tracks])),
        body=zlib.compress(body.encode()),
    )


def _leading(emotions: Float) -> str | None:
    spoken = emotions[~np.isnan(emotions).any(axis=1)]
    return EMOTIONS[int(np.argmax(spoken.mean(axis=0)))] if len(spoken) else None


def _stretches(analysis: Analysis) -> list[StretchRow]:
    """Return the events, and the stretches that a somewhat lower threshold would mark beside them."""
    lower = max(_LOWEST, min(analysis.threshold, 1.0) - NEAR)
    below = with_threshold(analysis, lower).events if lower < analysis.threshold else ()
    near = [event for event in below if not any(_overlap(event, other) for other in analysis.events)]
    return [
        *(_stretch(analysis, event, "event") for event in analysis.events),
        *(_stretch(analysis, event, "near-miss") for event in near),
    ]


def _overlap(one: Event, other: Event) -> bool:
    return one.channel == other.channel and one.start < other.end and other.start < one.end


def _stretch(analysis: Analysis, event: Event, kind: Kind) -> StretchRow:
    curve = analysis.tracks[event.channel].curve
    inside = (curve.times >= event.start) & (curve.times < event.end) & ~np.isnan(curve.aggression)
    nearest = inside if inside.any() else np.abs(curve.times - event.peak_time) <= curve.step
    means = np.nanmean(curve.emotions[nearest], axis=0)
    return StretchRow(
        kind=kind,
        channel=event.channel,
        start_ms=milliseconds(event.start),
        end_ms=milliseconds(event.end),
        peak=event.peak,
        emotion=event.emotion,
        emotions=json.dumps([round(float(mean), 6) for mean in means]),
    )


def read_analysis(database: Database, analysis_id: str) -> Analysis:
    """Return a kept analysis, whole.

    Raises
    ------
    LibraryError
        If there is none of that id, or it cannot be read.
    """
    with database.reading() as session:
        body = session.scalar(select(AnalysisRow.body).where(AnalysisRow.id == analysis_id))
    if body is None:
        raise LibraryError(f"analysis {analysis_id} is not in the library; it may have been deleted")
    return unpack(body, analysis_id)


def unpack(body: bytes, analysis_id: str) -> Analysis:
    """Rebuild an analysis from what is kept of it."""
    try:
        data: Any = json.loads(zlib.decompress(body))
        return Analysis.from_dict(data)
    except (zlib.error, ValueError) as error:
        raise LibraryError(f"analysis {analysis_id} in the library is damaged ({error})") from error


def encode_sound(recording: Recording) -> tuple[bytes, ...]:
    """Return a recording's channels as FLAC of 16 bit, one after the other in blocks.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    tuple of bytes
    """
    import soundfile

    sound = []
    for channel in range(recording.n_channels):
        file = io.BytesIO()
        with soundfile.SoundFile(
            file, "w", recording.sampling_rate, 1, subtype="PCM_16", format="FLAC"
        ) as flac:
            for _, block in recording.blocks(60.0, channel):
                flac.write(np.clip(block, -1.0, 1.0))
        sound.append(file.getvalue())
    return tuple(sound)


def read_sound(database: Database, recording_id: str, channels: str) -> tuple[bytes, ...]:
    """Return a recording's kept sound, FLAC a channel; empty where none is kept.

    Parameters
    ----------
    database : Database
    recording_id : str
    channels : {"mix", "separate"}
    """
    with database.reading() as session:
        rows = session.execute(
            select(AudioRow.channel, AudioRow.data)
            .where(AudioRow.recording_id == recording_id, AudioRow.channels == channels)
            .order_by(AudioRow.channel, AudioRow.chunk)
        )
        sound: dict[int, list[bytes]] = {}
        for channel, data in rows:
            sound.setdefault(channel, []).append(data)
    return tuple(b"".join(sound[channel]) for channel in sorted(sound))


def read_clip(
    database: Database, recording_id: str, channels: str, channel: int, start: float, end: float
) -> tuple[Float32, int] | None:
    """Return a stretch of a recording's kept sound; None where none is kept.

    Parameters
    ----------
    database : Database
    recording_id : str
    channels : {"mix", "separate"}
    channel : int
    start, end : float
        Seconds; clipped to the recording.

    Returns
    -------
    samples : numpy.ndarray of float32, shape (n,)
    sampling_rate : int
        In Hz.

    Raises
    ------
    LibraryError
        If the sound is damaged.
    """
    import soundfile

    with database.reading() as session:
        wanted = select(AudioRow.data).where(
            AudioRow.recording_id == recording_id, AudioRow.channels == channels, AudioRow.channel == channel
        )
        data = b"".join(session.scalars(wanted.order_by(AudioRow.chunk)))
    if not data:
        return None
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            first = min(max(0, round(start * file.samplerate)), file.frames)
            last = min(max(first, round(end * file.samplerate)), file.frames)
            file.seek(first)
            samples: Float32 = file.read(last - first, dtype="float32")
            return samples, int(file.samplerate)
    except soundfile.SoundFileError as error:
        raise LibraryError(f"the sound of recording {recording_id} is damaged ({error})") from error


def read_recording(database: Database, recording_id: str, analysis: Analysis) -> Recording | None:
    """Return a recording as it was heard, decoded from its kept sound; None where none is kept.

    Parameters
    ----------
    database : Database
    recording_id : str
    analysis : Analysis
        Of that recording: says what its channels are called and where it came from.

    Raises
    ------
    LibraryError
        If the sound is damaged.
    """
    import soundfile

    sound = read_sound(database, recording_id, str(analysis.settings.get("channels", "mix")))
    if not sound:
        return None
    channels = []
    for data in sound:
        try:
            samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
        except soundfile.SoundFileError as error:
            raise LibraryError(f"the sound of recording {recording_id} is damaged ({error})") from error
        channels.append(samples)
    return Recording(
        np.stack(channels), rate, tuple(track.name for track in analysis.tracks), analysis.provenance
    )
