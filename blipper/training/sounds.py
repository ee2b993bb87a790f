"""The sounds beside the corpora: noises, nonverbal sounds and rooms."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from blipper.training.splits import Side, side_of_sound

#: Noises under CC BY: what Google's Speech Commands bring along.
COMMERCIAL_NOISE: Final = Path("noise", "household")
#: Classes of nonverbal sounds that are no evidence of calm: a scream may well be aggression.
NO_NEGATIVES: Final = frozenset({"screaming"})


def sound_files(folder: Path) -> list[Path]:
    """List the files below a folder, sorted; none if there is no such folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def noise_files(data: Path, side: Side, *, commercial: bool = False) -> list[Path]:
    """List the noises of one side.

    Parameters
    ----------
    data : path
        With ``noise/`` below it.
    side : {"train", "validation", "test"}
    commercial : bool
        Whether only those are listed whose licence allows commercial use, :data:`COMMERCIAL_NOISE`.
    """
    folder = data / COMMERCIAL_NOISE if commercial else data / "noise"
    return [path for path in sound_files(folder) if side_of_sound(path) == side]


def negative_files(data: Path, side: Side, *, commercial: bool = False) -> list[Path]:
    """List the noises and nonverbal sounds of one side that are no angry voice; see :func:`noise_files`."""
    voices = [] if commercial else sound_files(data / "nonverbal")
    voices = [p for p in voices if p.parent.name not in NO_NEGATIVES and side_of_sound(p) == side]
    return [*noise_files(data, side, commercial=commercial), *voices]
