"""What every corpus reader yields: clips, and what was left out with the reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blipper.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Clip:
    """One acted utterance.

    Parameters
    ----------
    path : pathlib.Path
        The sound file, in whatever format it is.
    corpus : str
        ``"ravdess"``, ``"crema-d"``, ``"tess"`` or ``"savee"``.
    speaker : str
        The corpus's own name for the speaker: ``"01"``, ``"1001"``, ``"OAF"``, ``"DC"``. Unique
        together with `corpus` only.
    sex : {"female", "male"}
    emotion : str
        One of :data:`blipper.voice.labels.EMOTIONS`.
    intensity : {"normal", "strong", "low", "medium", "high", "unspecified"}
        As the corpus names it.
    sentence : str
        The words spoken where the corpus publishes them, else its code of the sentence.
    key : str
        Stable identity, the same for every layout and file format: ``"savee/DC_a01"``.
    """

    path: Path
    corpus: str
    speaker: str
    sex: str
    emotion: str
    intensity: str
    sentence: str
    key: str


@dataclass(frozen=True)
class Excluded:
    """A file that was recognised and left out.

    Parameters
    ----------
    path : pathlib.Path
    corpus : str
    reason : str
        Why, in a few words: ``"song, not speech"``.
    """

    path: Path
    corpus: str
    reason: str


@dataclass(frozen=True)
class Corpora:
    """Clips of one or more corpora, sorted by their key.

    Parameters
    ----------
    clips : tuple of Clip
    excluded : tuple of Excluded
    missing : tuple of str
        Corpora that were looked for and not found.
    """

    clips: tuple[Clip, ...]
    excluded: tuple[Excluded, ...] = ()
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clips)

    def __iter__(self) -> Iterator[Clip]:
        """Go through the clips."""
        return iter(self.clips)

    @property
    def names(self) -> tuple[str, ...]:
        """The corpora that have clips, sorted."""
        return tuple(sorted({clip.corpus for clip in self.clips}))

    def of(self, corpus: str) -> tuple[Clip, ...]:
        """Return the clips of one corpus."""
        return tuple(clip for clip in self.clips if clip.corpus == corpus)

    def to_frame(self) -> pd.DataFrame:
        """Return the clips as a table with one column a field of :class:`Clip`."""
        import pandas as pd

        columns = list(Clip.__dataclass_fields__)
        rows: list[list[Any]] = [[getattr(clip, name) for name in columns] for clip in self.clips]
        return pd.DataFrame(rows, columns=columns)


#: What a reader says of one file: a clip, a reason to leave it out, or None where it is not of its corpus.
Parsed = Clip | str | None


@dataclass(frozen=True)
class Reader:
    """How one corpus is recognised.

    Parameters
    ----------
    name : str
        ``"ravdess"``, ...
    title : str
        The corpus's name for people.
    looked_for : str
        What the names of its files look like, for error messages.
    parse : callable
        Takes a path, gives a :data:`Parsed`. Looks at the stem and the folders, never at the extension.
    defects : mapping of str to str
        Key to reason: clips that upstream got wrong.
    """

    name: str
    title: str
    looked_for: str
    parse: Callable[[Path], Parsed]
    defects: dict[str, str]

    def read(self, folder: str | Path) -> Corpora:
        """Read the corpus below a folder.

        Parameters
        ----------
        folder : str or path

        Returns
        -------
        Corpora

        Raises
        ------
        DatasetError
            If the folder does not exist, or holds no clip of this corpus.
        """
        files = list_files(folder)
        found = self.collect(files)
        if not found.clips:
            raise DatasetError(_nothing_found(self, Path(folder), files, found.excluded))
        return found

    def collect(self, files: Iterable[Path]) -> Corpora:
        """Pick this corpus's clips out of a list of files; none is no error here."""
        clips: dict[str, Clip] = {}
        excluded: list[Excluded] = []
        for path in files:
            parsed = self.parse(path)
            if parsed is None:
                continue
            if isinstance(parsed, str):
                excluded.append(Excluded(path, self.name, parsed))
            elif parsed.key in self.defects:
                excluded.append(Excluded(path, self.name, self.defects[parsed.key]))
            elif parsed.key not in clips:
                clips[parsed.key] = parsed
            else:
                first, second = clips[parsed.key].path, path
                if _is_sound(second) and not _is_sound(first):
                    clips[parsed.key], second = parsed, first
                # One reason for all of them: a whole corpus may be there twice, and reasons are counted.
                excluded.append(Excluded(second, self.name, "the same clip as another file"))
        return Corpora(
            tuple(clips[key] for key in sorted(clips)), tuple(sorted(excluded, key=lambda item: item.path))
        )


def list_files(folder: str | Path) -> list[Path]:
    """Return all files below a folder, the shallowest first, so that a nested duplicate comes second.

    Links to folders are followed, since large corpora are often linked into place; each folder is read once.

    Raises
    ------
    DatasetError
        If the folder does not exist or is a file.
    """
    root = Path(folder)
    if not root.exists():
        raise DatasetError(f"{root}: no such folder")
    if not root.is_dir():
        raise DatasetError(f"{root}: is a file; a folder with a corpus in it is needed")
    files: list[Path] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # a link to what was read already, or in a circle
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        files += [
            path for name in names if not name.startswith(".") and (path := Path(place, name)).is_file()
        ]
    return sorted(files, key=lambda path: (len(path.parts), path))


def folders_above(path: Path) -> list[str]:
    """Return the names of the folders around a file, the nearest first."""
    return [parent.name for parent in path.parents]


def _is_sound(path: Path) -> bool:
    """Tell a sound file from a sidecar of the same stem by its first bytes."""
    with path.open("rb") as file:
        head = file.read(12)
    known = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
    return head.startswith(known) or head[4:8] == b"ftyp"


def _nothing_found(reader: Reader, folder: Path, files: list[Path], excluded: tuple[Excluded, ...]) -> str:
    """Say what was looked for, and what was there instead."""
    if excluded:
        reasons = sorted({item.reason for item in excluded})
        there = f"{len(excluded)} of its files were found and left out ({'; '.join(reasons[:3])})"
    elif files:
        examples = ", ".join(str(path.relative_to(folder)) for path in files[:3])
        there = f"found {len(files)} other files, such as {examples}"
    else:
        there = "the folder is empty"
    return f"{folder}: no {reader.title} clip here; looked for {reader.looked_for}; {there}"
