"""A whole recording, or many, in one line each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from blipper import audio
from blipper.analysis import Source, analyze
from blipper.errors import AudioError, BlipperError
from blipper.progress import Progress, silent
from blipper.recording import Recording
from blipper.results import Analysis, Prediction
from blipper.settings import Settings
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import VoiceModel, load_model

#: Endings by which people take a file for a sound.
SOUND_ENDINGS: Final = (
    *(".aac", ".aif", ".aiff", ".amr", ".flac", ".m4a", ".mka", ".mp3"),
    *(".oga", ".ogg", ".opus", ".wav", ".wave", ".webm", ".wma"),
)

OnError = Callable[[str, BlipperError], None]


def predict(
    source: Source | Iterable[Source],
    *,
    model: str | VoiceModel = "auto",
    settings: Settings | None = None,
    progress: Progress = silent,
    on_error: OnError | None = None,
) -> Prediction | list[Prediction]:
    """Say in one line how a recording sounds.

    Parameters
    ----------
    source : path, bytes, binary file object, Recording, folder, or iterable of these
        A folder stands for the recordings below it, found by content, in order of their paths.
    model : str or VoiceModel, optional
    settings : Settings, optional
    progress : Progress, optional
        For one recording, the steps of :func:`blipper.analyze`; for many, files as step ``"files"``.
    on_error : callable, optional
        For many: told the name and the error of a recording that fails, which is then left out. Without it
        the first error ends the run.

    Returns
    -------
    Prediction or list of Prediction
        A list for a folder or an iterable.

    Raises
    ------
    AudioError
        If a recording cannot be read, or a folder holds none.
    ModelError
        If the model is missing or damaged.
    TypeError
        If `source` is none of these, such as bare samples, whose sampling rate nobody knows.
    """
    if source is None or isinstance(source, np.ndarray | int | float):
        raise TypeError(
            f"a recording is a path, bytes, a binary file or a Recording, not {type(source).__name__}; "
            "samples become a Recording by blipper.audio.from_samples(samples, sampling_rate)"
        )
    voice = load_model(model) if isinstance(model, str) else model
    if isinstance(source, str | Path) and Path(source).is_dir():
        source = list(find_recordings(source))
    elif isinstance(source, str | Path | bytes | Recording) or hasattr(source, "read"):
        return predict_one(cast(Source, source), model=voice, settings=settings, progress=progress)
    many: list[Source] = list(cast(Iterable[Any], source))
    found: list[Prediction] = []
    for done, one in enumerate(many):
        progress("files", done, len(many))
        try:
            found.append(predict_one(one, model=voice, settings=settings))
        except AudioError as error:
            if on_error is None:
                raise
            on_error(_name(one), error)
    progress("files", len(many), len(many))
    return found


def predict_one(
    source: Source,
    *,
    model: str | VoiceModel = "auto",
    settings: Settings | None = None,
    progress: Progress = silent,
) -> Prediction:
    """Say in one line how one recording sounds; see :func:`predict`."""
    analysis = analyze(source, model=model, settings=settings, progress=progress)
    return summarize(analysis, file=_name(source))


def summarize(analysis: Analysis, *, file: str | None = None) -> Prediction:
    """Reduce an analysis to one line.

    Parameters
    ----------
    analysis : Analysis
    file : str, optional
        What to call the recording; its name unless given.

    Returns
    -------
    Prediction
        Emotions are means over the speech of all channels; aggression is the highest point of any curve.
    """
    file = analysis.provenance.name if file is None else file
    emotions = np.concatenate([track.curve.emotions for track in analysis.tracks])
    aggression = np.concatenate([track.scored.aggression for track in analysis.tracks])
    spoken = ~np.isnan(aggression)
    if not spoken.any():
        return Prediction(file, None, {}, None, False, analysis.model.name, analysis.notices)
    means = emotions[spoken].mean(axis=0)
    peak = float(aggression[spoken].max())
    return Prediction(
        file=file,
        emotion=EMOTIONS[int(means.argmax())],
        emotions={emotion: float(mean) for emotion, mean in zip(EMOTIONS, means, strict=True)},
        aggression=peak,
        aggressive=peak >= analysis.threshold,
        model=analysis.model.name,
        notices=analysis.notices,
    )


def find_recordings(folder: str | Path) -> Iterator[Path]:
    """Find the recordings below a folder, by their content and not by their names.

    A file that is named like a sound and is none is yielded as well, so that whoever opens it learns what is
    wrong with it; nothing that a person would take for a recording is passed over in silence.

    Parameters
    ----------
    folder : str or pathlib.Path

    Yields
    ------
    pathlib.Path
        In order of their paths; hidden files and links to folders are passed over.

    Raises
    ------
    AudioError
        If there is none.
    """
    found = False
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root) / name
            if name.startswith("."):
                continue
            if path.suffix.lower() in SOUND_ENDINGS or audio.is_recording(path):
                found = True
                yield path
    if not found:
        raise AudioError(f"{folder}: no recording below this folder; accepted are {audio.ACCEPTED}")


def _name(source: Source) -> str:
    if isinstance(source, Recording):
        return source.provenance.name
    if isinstance(source, str | Path):
        return str(source)
    return str(getattr(source, "name", "recording"))
