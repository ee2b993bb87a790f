"""From paths, folders, patterns and addresses to recordings, each named once."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from blipper import audio
from blipper.batch import places
from blipper.errors import AudioError
from blipper.prediction import SOUND_ENDINGS, find_recordings

#: Told what is wrong with a path that stands for nothing.
OnNothing = Callable[[str, str], None]


def find(paths: Iterable[str | os.PathLike[str]], output: Path, on_nothing: OnNothing) -> Iterator[str]:
    """Find recordings by content.

    Parameters
    ----------
    paths : iterable of path or str
        Recordings, folders, patterns, and addresses such as ``s3://bucket/calls``.
    output : pathlib.Path
        The batch's own output, which is passed over.
    on_nothing : callable
        Told each path without a recording, and why.

    Yields
    ------
    str
        Absolute paths and addresses, each once. A path given by itself is yielded as it is, so that whoever
        opens it learns what is wrong with it.
    """
    seen: set[str] = set()
    own = os.path.abspath(output) + os.sep  # noqa: PTH100
    for given in paths:
        for path in _expand(os.fspath(given), on_nothing):
            name = places.normal(path)
            if name not in seen and not name.startswith(own):
                seen.add(name)
                yield name


def _expand(given: str, on_nothing: OnNothing) -> Iterator[str]:
    if places.is_remote(given) and not given.lower().startswith("file://"):
        yield from _remote(given, on_nothing)
        return
    path = places.normal(given) if places.is_remote(given) else given
    pattern = glob.has_magic(path) and not Path(path).exists()
    matches = sorted(glob.glob(path, recursive=True)) if pattern else [path]  # noqa: PTH207
    if not matches:
        on_nothing(given, f"{given}: no file matches this pattern")
    for match in matches:
        if not Path(match).is_dir():
            yield match
            continue
        try:
            yield from map(str, find_recordings(match))
        except AudioError as error:
            on_nothing(match, str(error))


def _remote(given: str, on_nothing: OnNothing) -> Iterator[str]:
    system, inner = places.file_system(given)
    try:
        with places.asking():
            system.invalidate_cache()  # an app that runs for days must not list what there was at its start
            # Whether an http address is a folder cannot be asked without fetching it.
            listed = given.endswith("/") if given.lower().startswith("http") else system.isdir(inner)
            names = sorted(system.find(inner)) if listed else None
    except OSError as error:
        on_nothing(given, f"{given}: cannot be listed ({error})")
        return
    if names is None:
        yield given
        return
    found = False
    for name in names:
        base = name.rsplit("/", 1)[-1]
        if base.startswith("."):
            continue
        if base.lower().endswith(SOUND_ENDINGS) or _sounds(system, name):
            found = True
            yield str(system.unstrip_protocol(name))
    if not found:
        on_nothing(given, f"{given}: no recording below this address; accepted are {audio.ACCEPTED}")


def _sounds(system: object, name: str) -> bool:
    """Return whether the first bytes behind an address are those of a recording."""
    with places.asking(), system.open(name, "rb") as file:  # type: ignore[attr-defined]  # fsspec has no types
        return audio.is_recording(file)
