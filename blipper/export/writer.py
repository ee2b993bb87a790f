"""What a format is: a name, an extension, and a pure function from an analysis to a file's content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blipper.progress import Progress, silent
from blipper.recording import Recording
from blipper.results import Analysis

if TYPE_CHECKING:
    from blipper.voice.models import VoiceModel
    from blipper.words.text_models import TextModel


@dataclass(frozen=True, eq=False)
class Sound:
    """What a report can look at beside the analysis, where it is still at hand.

    Parameters
    ----------
    recording : Recording
        The one that the analysis was made from.
    model : VoiceModel, optional
        The one that gave the scores; without it nothing is explained.
    progress : Progress, optional
        Told the explained events as step ``"explain"``.
    readers : callable, optional
        Given a progress, loads the text models that scored the words; without it words are not explained.
    """

    recording: Recording
    model: VoiceModel | None = None
    progress: Progress = silent
    readers: Callable[[Progress], Sequence[TextModel]] | None = None


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
    write_with : callable, optional
        ``write_with(analysis, sound) -> str or bytes``: for a format that says more where the recording
        is at hand.
    """

    name: str
    extension: str
    media_type: str
    description: str
    write: Callable[[Analysis], str | bytes]
    lacks: Callable[[Analysis], str | None] = _nothing
    write_with: Callable[[Analysis, Sound], str | bytes] | None = None

    def content(self, analysis: Analysis, sound: Sound | None = None) -> bytes:
        """Return a file's content, with what the sound adds where there is any."""
        if sound is not None and self.write_with is not None:
            written = self.write_with(analysis, sound)
        else:
            written = self.write(analysis)
        # What of a file name is not text gets a backslash, just as JSON escapes it.
        return written.encode("utf-8", "backslashreplace") if isinstance(written, str) else written
