"""Folders of a server that visitors may name: only those below one root, whatever names or links say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blipper.errors import SettingsError


@dataclass(frozen=True)
class Root:
    """The folder below which recordings may be read and results written.

    Parameters
    ----------
    path : pathlib.Path
        Absolute, without links: use :meth:`at`.
    """

    path: Path

    @classmethod
    def at(cls, folder: str | Path) -> Root:
        """Take a folder as root.

        Raises
        ------
        SettingsError
            If it is no folder, or the whole file system.
        """
        try:
            path = Path(folder).expanduser().resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise SettingsError(f"the root {folder} cannot be read: {_reason(error)}") from error
        if not path.is_dir():
            raise SettingsError(f"the root {folder} is a file; a folder is needed")
        if path == Path(path.anchor):
            raise SettingsError(f"the root {folder} is the whole file system; name a folder in it")
        return cls(path)

    def folder(self, name: str) -> Path:
        """Return a folder below the root by its name relative to it; the root itself for ``"."``.

        Raises
        ------
        SettingsError
            If it is not there, no folder, or lies elsewhere (by ``..``, an absolute path or a link).
        """
        path = self._inside(name)
        if not path.is_dir():
            raise SettingsError(f"there is no folder {name!r} below the root")
        return path

    def new_folder(self, name: str) -> Path:
        """Return a folder below the root for results: not there yet, empty, or an earlier batch's.

        It is not made here.

        Raises
        ------
        SettingsError
            If it lies elsewhere, is the root itself, a file, or a folder with something else in it.
        """
        from blipper.batch.manifest import NAME

        path = self._inside(name)
        if path == self.path:
            raise SettingsError("results need a folder of their own below the root")
        if path.exists() and not path.is_dir():
            raise SettingsError(f"{name!r} is a file; a folder is needed")
        if path.is_dir() and any(path.iterdir()) and not (path / NAME).is_file():
            raise SettingsError(f"{name!r} is not empty and holds no earlier batch; name another folder")
        return path

    def recordings(self, folder: Path, output: Path | None = None) -> Iterator[Path]:
        """Find the recordings below a folder by content, as :func:`blipper.prediction.find_recordings` does.

        Links that lead out of the root are passed over, and so are links to folders, hidden files, whatever
        is no plain file, and the results.

        Yields
        ------
        pathlib.Path
            Without links, in order.
        """
        from blipper import audio
        from blipper.prediction import SOUND_ENDINGS

        for place, folders, files in os.walk(folder):
            folders[:] = sorted(
                name for name in folders if not name.startswith(".") and Path(place, name) != output
            )
            for name in sorted(files):
                if name.startswith("."):
                    continue
                path = self._resolved(Path(place) / name)
                if path is None or not path.is_file():
                    continue
                if path.suffix.lower() in SOUND_ENDINGS or audio.is_recording(path):
                    yield path

    def _inside(self, name: str) -> Path:
        if "\0" in name:
            raise SettingsError("a folder's name cannot hold a NUL character")
        path = self._resolved(self.path / name.strip())
        if path is None:
            raise SettingsError(
                f"{name!r} is not below the root; name a folder inside it, such as 'calls/june'"
            )
        return path

    def _resolved(self, path: Path) -> Path | None:
        """Return where a path leads; None if that is outside, or nowhere to be told."""
        try:
            resolved = path.resolve()
            resolved.exists()  # raises if the name is too long for the file system
        except (OSError, RuntimeError):  # a loop of links, or a name too long
            return None
        return resolved if resolved == self.path or self.path in resolved.parents else None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
