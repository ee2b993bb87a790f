"""All corpora below a folder, recognised by the names of their files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from blipper.datasets import crema_d, ravdess, savee, tess
from blipper.datasets.table import Corpora, Reader, list_files
from blipper.errors import DatasetError

#: Every corpus that Blipper reads, by name.
READERS: Final[dict[str, Reader]] = {
    reader.name: reader for reader in (ravdess.READER, crema_d.READER, tess.READER, savee.READER)
}


def read_corpus(name: str, folder: str | Path) -> Corpora:
    """Read one corpus.

    Parameters
    ----------
    name : {"ravdess", "crema-d", "tess", "savee"}
    folder : str or path
        The corpus's folder, or one above it.

    Returns
    -------
    Corpora

    Raises
    ------
    DatasetError
        If the corpus is unknown, or the folder holds no clip of it.
    """
    if name not in READERS:
        raise DatasetError(f"unknown corpus {name!r}; known: {', '.join(READERS)}")
    return READERS[name].read(folder)


def read_corpora(folder: str | Path) -> Corpora:
    """Read every known corpus below a folder.

    Parameters
    ----------
    folder : str or path
        Searched to any depth; what the folders between are called does not matter.

    Returns
    -------
    Corpora
        `missing` names the corpora of which no clip was found.

    Raises
    ------
    DatasetError
        If the folder does not exist, or holds no clip of any corpus.
    """
    files = list_files(folder)
    parts = [reader.collect(files) for reader in READERS.values()]
    clips = tuple(sorted((clip for part in parts for clip in part.clips), key=lambda clip: clip.key))
    if not clips:
        wanted = "; ".join(f"{reader.title}: {reader.looked_for}" for reader in READERS.values())
        examples = ", ".join(str(path.relative_to(folder)) for path in files[:3]) or "nothing"
        raise DatasetError(f"{folder}: no known corpus here. Looked for {wanted}. Found {examples}")
    found = {clip.corpus for clip in clips}
    return Corpora(
        clips,
        tuple(item for part in parts for item in part.excluded),
        tuple(name for name in READERS if name not in found),
    )
