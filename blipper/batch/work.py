"""What a worker does with one recording: the same function on a laptop and on a cluster."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from blipper import audio
from blipper.batch import places
from blipper.batch.manifest import recording_id
from blipper.errors import AudioError, BatchError
from blipper.settings import Settings

if TYPE_CHECKING:
    from blipper.results import Analysis
    from blipper.voice.models import VoiceModel
    from blipper.words.text_loading import Readers
    from blipper.words.transcribe import Engine


@dataclass(frozen=True)
class Task:
    """One recording to be analysed. It carries a path or an address, never sound.

    Parameters
    ----------
    path : str
        Absolute path, or an address such as ``s3://bucket/call.wav``.
    known_sha256 : str or None
        Content hash of the result that there is; the same content is not analysed again.
    """

    path: str
    known_sha256: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Parameters
    ----------
    path : str
    values : dict
        For :meth:`blipper.batch.manifest.Manifest.record`; ``stamp`` alone where the content is known.
    document : str or None
        The result as JSON, where the worker did not write it itself.
    fatal : str or None
        What went wrong with the output and not with the recording, so that the batch cannot go on.
    """

    path: str
    values: dict[str, Any]
    document: str | None = None
    fatal: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no result."""
        return self.values.get("status") == "failed"


def result_name(path: str) -> str:
    """Return where a recording's result goes below the output folder.

    The folder's two digits keep folders small; the hash of the path keeps namesakes apart.
    """
    name = recording_id(path)
    stem = audio_stem(path)
    return f"results/{name[:2]}/{stem}-{name[:16]}.json"


def audio_stem(path: str) -> str:
    """Return a path's stem in characters that every file system takes, at most 80 of them."""
    stem = Path(path.rsplit("/", 1)[-1]).stem
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in stem)
    return os.fsencode(kept)[:80].decode("utf-8", "ignore") or "recording"


def work(
    task: Task,
    voice: VoiceModel,
    settings: Settings,
    output: Path | None,
    *,
    engine: Engine | None = None,
    readers: Readers | None = None,
) -> Outcome:
    """Analyse one recording and write its result.

    Parameters
    ----------
    task : Task
    voice : VoiceModel
    settings : Settings
    output : pathlib.Path or None
        The batch's output; None to hand the result back instead of writing it.
    engine : Engine, optional
    readers : Readers, optional
        What the settings name to write and read words with; loaded for this recording alone unless given.

    Returns
    -------
    Outcome
        A recording that cannot be analysed is an outcome too.
    """
    from blipper.analysis import analyze

    begin = perf_counter()
    try:
        with places.local_copy(task.path) as (path, stamp):
            if task.known_sha256 is not None and places.sha256(path) == task.known_sha256:
                return Outcome(task.path, {"stamp": stamp})
            recording = audio.load(path, name=task.path.rsplit("/", 1)[-1], channels=settings.channels)
            analysis = analyze(recording, model=voice, settings=settings, engine=engine, readers=readers)
            values = row_values(analysis) | {"stamp": stamp, "work_seconds": perf_counter() - begin}
            return _written(task.path, analysis, values, output)
    except AudioError as error:
        return failed(task.path, "refused", str(error), stamp=places.stamp(task.path))
    except OSError as error:
        return failed(task.path, "error", f"{task.path}: cannot be read ({error.strerror or error})")
    except BatchError as error:
        return failed(task.path, "error", str(error))
    except Exception as error:  # noqa: BLE001  (a fault of ours or of a library costs one recording, and is told)
        return failed(task.path, "crash", f"{type(error).__name__}: {error}")


def failed(path: str, reason: str, message: str, *, stamp: str | None = None) -> Outcome:
    """Return the outcome of a recording without a result."""
    values = {"status": "failed", "reason": reason, "error": message, "stamp": stamp, "analyzed_at": _now()}
    return Outcome(path, values)


def _written(name: str, analysis: Analysis, values: dict[str, Any], output: Path | None) -> Outcome:
    """Write a result, or hand it back where there is no output to write it to."""
    from blipper.export.files import write_atomically

    result = result_name(name)
    values = values | {"result": result}
    document = json.dumps(analysis.to_dict(), allow_nan=False, separators=(",", ":")) + "\n"
    if output is None:
        return Outcome(name, values, document)
    try:
        (output / result).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output / result, document)
    except OSError as error:
        return Outcome(name, {}, fatal=f"{output / result}: cannot be written ({error.strerror or error})")
    return Outcome(name, values)


def row_values(analysis: Analysis) -> dict[str, Any]:
    """Return what the table says of an analysis."""
    from blipper.prediction import summarize

    line = summarize(analysis)
    return {
        "status": "done",
        "sha256": analysis.provenance.sha256,
        "model": analysis.model.name,
        "duration": analysis.duration,
        "speech_seconds": sum(track.speech_seconds for track in analysis.tracks),
        "events": len(analysis.events),
        "event_seconds": sum(event.duration for event in analysis.events),
        "highest_score": line.aggression,
        "emotion": line.emotion,
        "threshold": analysis.threshold,
        "analyzed_at": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
