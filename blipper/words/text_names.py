"""How text models are asked for: ``none``, ``built-in``, a name on the Hugging Face hub, or a folder.

One setting says which models read the words. Several are joined by ``+``; for sentiment and for verbal
aggression the first that reads it is taken. A mapping of labels may follow a name after ``#``::

    built-in
    unitary/toxic-bert+built-in
    org/name@3f2c0e1...#aggression=insult/threat
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from blipper.errors import SettingsError
from blipper.words.text_builtin import BUILT_IN, available_text_models

NONE: Final = "none"

#: What a complaint names.
ACCEPTED: Final = (
    "none, built-in, a Hugging Face name (ORG/NAME or ORG/NAME@REVISION), or the folder of a sequence "
    "classifier; several joined by '+', each with a mapping of its labels after '#' if need be"
)

_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_REVISION: Final = re.compile(r"[A-Za-z0-9][\w./-]{0,200}", re.ASCII)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Wanted:
    """One text model that is asked for.

    Parameters
    ----------
    where : str
        ``"built-in"``, the name of one of ours, a hub's name, or a folder.
    revision : str or None
        Branch, tag or commit of a model from a hub.
    mapping : str or None
        What its labels mean; see :func:`blipper.words.text_labels.parse_mapping`.
    """

    where: str
    revision: str | None = None
    mapping: str | None = None

    @property
    def ours(self) -> bool:
        """Whether it is one of ours, described by ``blipper.json``."""
        return self.where == BUILT_IN or self.where in available_text_models()

    @property
    def folder(self) -> Path | None:
        """Its folder, where a folder was named."""
        return Path(self.where) if is_folder(self.where) else None


def parse(setting: str) -> tuple[Wanted, ...]:
    """Read the setting that says which models read the words.

    Returns
    -------
    tuple of Wanted
        Empty for ``"none"``.

    Raises
    ------
    SettingsError
        If it names no model; whether there is one is not looked up.
    """
    if setting == NONE:
        return ()
    if is_folder(setting):  # a folder may have a + or a # in its name
        return (Wanted(setting),)
    found = tuple(_parse_one(part.strip(), setting) for part in setting.split("+"))
    if len(set(found)) < len(found):
        raise SettingsError(f"text model {setting!r}: names a model twice")
    return found


def is_commit(revision: str | None) -> bool:
    """Say whether a revision is a whole commit hash, which always means the same files."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def is_folder(path: str) -> bool:
    """Say whether a model's folder has this path."""
    try:
        return (Path(path) / "config.json").is_file() or (Path(path).is_absolute() and Path(path).is_dir())
    except (OSError, ValueError):  # too long, or with a null character
        return False


def without_folders(setting: str) -> str:
    """Return a setting that keeps only the last part of folders: a result travels further than they do."""
    if is_folder(setting):
        return Path(setting).name
    parts = []
    for part in setting.split("+"):
        where, hash_, mapping = part.strip().partition("#")
        parts.append((Path(where).name if is_folder(where) else where) + hash_ + mapping)
    return "+".join(parts)


def kept_transcript(asked: str) -> str:
    """Return what a result keeps of the engine that was asked for: of a file of weights its name alone."""
    return PurePath(asked).name if asked.endswith(".pt") else asked


def _parse_one(part: str, setting: str) -> Wanted:
    where, _, mapping = part.partition("#")
    if is_folder(part):
        return Wanted(part)
    if where == BUILT_IN or where in available_text_models():
        if mapping:
            raise SettingsError(
                f"text model {setting!r}: the labels of {where} are known; no mapping is taken"
            )
        return Wanted(where)
    if is_folder(where):
        return Wanted(where, None, mapping or None)
    name, at, revision = where.partition("@")
    named = _NAME.fullmatch(name) is not None and ".." not in name and "--" not in name
    if not named or (at and (_REVISION.fullmatch(revision) is None or ".." in revision)):
        raise SettingsError(f"text model {setting!r}: {part!r} is none; accepted: {ACCEPTED}")
    return Wanted(name, revision or None, mapping or None)
