"""What a format is: a name, an extension, and a pure function from an analysis to a file's content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blipper.results import Analysis


@dataclass(frozen=True)
class Writer:
    """One format in which an analysis can be taken away.

    Parameters
    ----------
    name : str
        Stable name in kebab case, the key in :data:`blipper.export.WRITERS`.
    extension : str
        With its dot and in lower case; a format of its own has an extension of its own, so that a file
        name alone decides (``".csv"`` for events, ``".windows.csv"`` for windows).
    media_type : str
        For a download, with its character set where it is text.
    description : str
        What is in it, as a short phrase for a list or a button's tooltip.
    write : callable
        ``write(analysis) -> str or bytes``; text is written as UTF-8 with its line ends as they are.
    """

    name: str
    extension: str
    media_type: str
    description: str
    write: Callable[[Analysis], str | bytes]
