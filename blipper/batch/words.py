"""What a batch's words are written and read by: decided once, and the same for every worker."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from blipper.errors import ModelError, SettingsError
from blipper.paths import TEXT_DESCRIPTION, models_dir
from blipper.progress import Progress, silent
from blipper.settings import Settings
from blipper.words import weights
from blipper.words.text_builtin import BUILT_IN, built_in_folder
from blipper.words.text_files import digest_of, weights_of
from blipper.words.text_hub import download, find
from blipper.words.text_names import Wanted, parse
from blipper.words.transcribe import auto_choice, check_engine

#: What a batch may be told to write words with.
ACCEPTED: Final = "none, auto, whisper:SIZE (tiny.en, base, small, turbo, ...), whisper:FILE.pt, pocketsphinx"


def decided(settings: Settings) -> Settings:
    """Return settings that name the engine which ``"auto"`` means on this machine.

    Raises
    ------
    SettingsError
        If the transcript is a file, which belongs to one recording; or no engine, or no text model, is called
        what the settings say.
    """
    asked = settings.transcript
    if asked == "none":
        return settings
    check_engine(asked)
    parse(settings.text_model)
    if asked == "auto":
        return replace(settings, transcript=auto_choice(settings.language)[0])
    if asked == "whisper":
        return replace(settings, transcript="whisper:tiny.en")
    if asked != "pocketsphinx" and not asked.startswith("whisper:"):
        raise SettingsError(
            f"transcript {asked!r}: is a file, which belongs to one recording; a batch takes {ACCEPTED}"
        )
    return settings


def digest(settings: Settings, progress: Progress = silent) -> str | None:
    """Return a hash of all that writes and reads the words, beside the settings.

    Parameters
    ----------
    settings : Settings
        As :func:`decided` returns them.
    progress : Progress, optional
        Told about ``"download"`` in bytes: weights that are not on this machine are fetched.

    Returns
    -------
    str or None
        SHA-256; None where there are to be no words.

    Raises
    ------
    ModelError
        If weights are neither there nor to be had.
    """
    if settings.transcript == "none":
        return None
    readers = [_reader(wanted, progress) for wanted in parse(settings.text_model)]
    return sha256(json.dumps([_writer(settings.transcript, progress), *readers]).encode()).hexdigest()


def _writer(engine: str, progress: Progress) -> str:
    kind, _, name = engine.partition(":")
    if kind != "whisper":
        return kind
    if name not in weights.CHECKPOINTS:
        return digest_of([Path(name)])
    if weights.find_weights(name) is None:
        weights.download(name, progress=progress)
    return weights.checkpoint(name).sha256


def _reader(wanted: Wanted, progress: Progress) -> str:
    if wanted.where == BUILT_IN and not built_in_folder().is_dir():
        return "missing"  # which each result says
    folder = wanted.folder
    if wanted.ours:
        folder = built_in_folder() if wanted.where == BUILT_IN else models_dir() / wanted.where
    if folder is None:
        return (find(wanted) or download(wanted, progress=progress)).revision
    # A description names the hash of every file beside it.
    described = [folder / TEXT_DESCRIPTION] if (folder / TEXT_DESCRIPTION).is_file() else []
    try:
        return digest_of([*described, folder / "config.json", *weights_of(folder)])
    except OSError as error:
        raise ModelError(f"{folder}: cannot be read ({error.strerror})") from error
