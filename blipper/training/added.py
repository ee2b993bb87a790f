"""What a training run learns from beside the corpora: clips whose sides are settled already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blipper.datasets import Clip
from blipper.training.splits import Side

#: Why such a training cannot be repeated from its metrics.json alone.
REPEATED: Final = "this model also learned from a library's verdicts, which folds cannot repeat"


@dataclass(frozen=True)
class Added:
    """Clips and sounds to learn from as well.

    Parameters
    ----------
    clips : tuple of (Clip, side)
        With a known emotion, on the training or the validation side. Nobody may be on two sides.
    calm : tuple of path
        Speech to learn from of which is known only that it does not sound angry.
    counts : mapping of str to int
        What it is made of, for ``metrics.json``.
    """

    clips: tuple[tuple[Clip, Side], ...]
    calm: tuple[Path, ...]
    counts: Mapping[str, int]
