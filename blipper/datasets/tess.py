"""TESS: 2 actresses, 7 emotions, 200 words (Pichora-Fuller and Dupuis 2020).

A file's stem is ``speaker_word_emotion``, for example ``OAF_back_angry``; re-packagings spell the
folders ``OAF_Fear``, ``YAF_fear``, ``OAF_Pleasant_surprise``, ``YAF_pleasant_surprised``, and nest the
whole corpus a second time inside itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from blipper.datasets.table import Clip, Parsed, Reader, folders_above

#: One upstream neutral clip begins OA_ where OAF_ is meant.
_SPEAKERS: Final = {"oaf": "OAF", "oa": "OAF", "yaf": "YAF", "ya": "YAF"}
_EMOTIONS: Final = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "ps": "surprise",
    "surprise": "surprise",
    "pleasant_surprise": "surprise",
    "pleasant_surprised": "surprise",
}
_FOLDER: Final = re.compile(rf"(oaf|yaf)[ _-]({'|'.join(_EMOTIONS)})", re.IGNORECASE)
_STEM: Final = re.compile(rf"(oaf|yaf|oa|ya)_([a-z']+)_({'|'.join(_EMOTIONS)})", re.IGNORECASE)


def parse(path: Path) -> Parsed:
    """Read one file's name; see :data:`blipper.datasets.table.Parsed`."""
    match = _STEM.fullmatch(path.stem)
    if match is None:
        return None
    speaker, word, emotion = _SPEAKERS[match[1].lower()], match[2].lower(), _EMOTIONS[match[3].lower()]
    folder = _FOLDER.fullmatch(folders_above(path)[0])
    if folder is not None:
        around = (_SPEAKERS[folder[1].lower()], _EMOTIONS[folder[2].lower()])
        if around != (speaker, emotion):
            return f"the name says {speaker} {emotion}, the folder {around[0]} {around[1]}"
    return Clip(
        path=path,
        corpus="tess",
        speaker=speaker,
        sex="female",
        emotion=emotion,
        intensity="unspecified",
        sentence=f"Say the word {word}",
        key=f"tess/{speaker}_{word}_{emotion}",
    )


READER: Final = Reader(
    name="tess",
    title="TESS",
    looked_for="names such as OAF_angry/OAF_back_angry or YAF_pleasant_surprised/YAF_back_ps (any casing)",
    parse=parse,
    defects={},
)
