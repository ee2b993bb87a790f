"""CREMA-D: 91 actors, 6 emotions, 12 sentences (Cao et al. 2014).

A file's stem is ``actor_sentence_emotion_level``, for example ``1001_DFA_ANG_XX``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from blipper.datasets.table import Clip, Parsed, Reader, folders_above

_STEM: Final = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_(LO|MD|HI|XX?)")
_EMOTIONS: Final = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
_INTENSITIES: Final = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
_SENTENCES: Final = {
    "DFA": "Don't forget a jacket",
    "IEO": "It's eleven o'clock",
    "IOM": "I'm on my way to the meeting",
    "ITH": "I think I have a doctor's appointment",
    "ITS": "I think I've seen this before",
    "IWL": "I would like a new alarm clock",
    "IWW": "I wonder what this is about",
    "MTI": "Maybe tomorrow it will be cold",
    "TAI": "The airplane is almost full",
    "TIE": "That is exactly what happened",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
#: From upstream's VideoDemographics.csv, which re-packagings leave out.
# fmt: off
_FEMALE: Final = frozenset(str(actor) for actor in (
    1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028,
    1029, 1030, 1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063,
    1072, 1073, 1074, 1075, 1076, 1078, 1079, 1082, 1084, 1089, 1091,
))
# fmt: on
_TWINS: Final = "byte-identical audio under two labels"
#: Checked clip by clip in upstream's release.
_DEFECTS: Final = {
    "1076_MTI_SAD_XX": "silence",
    "1006_TIE_NEU_XX": _TWINS,
    "1006_TIE_HAP_XX": _TWINS,
    "1013_WSI_DIS_XX": _TWINS,
    "1013_WSI_SAD_XX": _TWINS,
    "1017_IWW_ANG_XX": _TWINS,
    "1017_IWW_FEA_XX": _TWINS,
}


def parse(path: Path) -> Parsed:
    """Read one file's name; see :data:`blipper.datasets.table.Parsed`."""
    match = _STEM.fullmatch(path.stem)
    if match is None:
        return None
    actor, sentence, emotion, level = match.groups()
    if any(name.startswith("Video") for name in folders_above(path)[:1]):
        return "video, not the sound alone"
    if not 1001 <= int(actor) <= 1091:
        return f"actor {actor}; CREMA-D has 1001 to 1091"
    if sentence not in _SENTENCES:
        return f"unknown sentence {sentence} in the name"
    if emotion not in _EMOTIONS:
        return f"unknown emotion {emotion} in the name"
    level = "XX" if level == "X" else level  # upstream: 1040_ITH_SAD_X
    return Clip(
        path=path,
        corpus="crema-d",
        speaker=actor,
        sex="female" if actor in _FEMALE else "male",
        emotion=_EMOTIONS[emotion],
        intensity=_INTENSITIES[level],
        sentence=_SENTENCES[sentence],
        key=f"crema-d/{actor}_{sentence}_{emotion}_{level}",
    )


READER: Final = Reader(
    name="crema-d",
    title="CREMA-D",
    looked_for="names such as AudioWAV/1001_DFA_ANG_XX (also flat; one X or two)",
    parse=parse,
    defects={f"crema-d/{stem}": reason for stem, reason in _DEFECTS.items()},
)
