"""What a format is: a name, an extension, and a pure function from an analysis to a file's content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blipper.results import Analysis


def _nothing(analysis: Analysis) -> str | None:
    """Lack nothing: what every analysis has can always be written."""
    return None


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
    lacks : callable
        ``lacks(analysis)``: why this format has nothing to say about an analysis (no transcript, say), as a
        sentence for people; None where it can be written. A format never writes an empty file instead.
    """

    name: str
    extension: str
    media_type: str
    description: str
    write: Callable[[Analysis], str | bytes]
    lacks: Callable[[Analysis], str | None] = _nothing
