"""SAVEE: 4 male speakers, 7 emotions, 15 sentences an emotion, 30 for neutral (Jackson and Haq 2014).

Two layouts: ``AudioData/DC/a01`` and ``ALL/DC_a01``. The sentences differ between emotions, so a
clip's sentence is its code (``"a01"``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from blipper.datasets.table import Clip, Parsed, Reader, folders_above

_SPEAKERS: Final = ("DC", "JE", "JK", "KL")
_EMOTIONS: Final = {
    "a": "angry",
    "d": "disgust",
    "f": "fear",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprise",
}
_STEM: Final = re.compile(r"(?:(DC|JE|JK|KL)_)?(sa|su|[adfhn])(\d\d)")


def parse(path: Path) -> Parsed:
    """Read one file's name; see :data:`blipper.datasets.table.Parsed`."""
    match = _STEM.fullmatch(path.stem)
    if match is None:
        return None
    speaker, code, number = match.groups()
    if speaker is None:
        # A bare "a01" says nothing unless the folder names one of the four speakers.
        speaker = folders_above(path)[0]
        if speaker not in _SPEAKERS:
            return None
    if not 1 <= int(number) <= (30 if code == "n" else 15):
        return f"sentence {number} of {_EMOTIONS[code]}; SAVEE has {30 if code == 'n' else 15}"
    return Clip(
        path=path,
        corpus="savee",
        speaker=speaker,
        sex="male",
        emotion=_EMOTIONS[code],
        intensity="unspecified",
        sentence=f"{code}{number}",
        key=f"savee/{speaker}_{code}{number}",
    )


READER: Final = Reader(
    name="savee",
    title="SAVEE",
    looked_for="AudioData/DC/a01 (folders DC, JE, JK, KL) or ALL/DC_a01",
    parse=parse,
    defects={},
)
