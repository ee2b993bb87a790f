"""RAVDESS: 24 actors, 8 emotions, 2 intensities, 2 sentences (Livingstone and Russo 2018, speech part).

A file's stem is seven two-digit fields: modality, vocal channel, emotion, intensity, statement,
repetition, actor. Odd actors are male.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from blipper.datasets.table import Clip, Parsed, Reader

_STEM: Final = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
_EMOTIONS: Final = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_MODALITIES: Final = {"01": "full video", "02": "video without sound"}
_INTENSITIES: Final = {"01": "normal", "02": "strong"}
_SENTENCES: Final = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}


def parse(path: Path) -> Parsed:
    """Read one file's name; see :data:`blipper.datasets.table.Parsed`."""
    match = _STEM.fullmatch(path.stem)
    if match is None:
        return None
    modality, channel, emotion, intensity, statement, _, actor = match.groups()
    if not 1 <= int(actor) <= 24:
        return f"actor {actor}; RAVDESS has 01 to 24"
    if modality in _MODALITIES:
        return f"{_MODALITIES[modality]}, not the sound alone"
    if channel == "02":
        return "song, not speech"
    unknown = [
        f"{what} {code}"
        for what, code, known in (
            ("modality", modality, {"03"}),
            ("vocal channel", channel, {"01"}),
            ("emotion", emotion, _EMOTIONS),
            ("intensity", intensity, _INTENSITIES),
            ("statement", statement, _SENTENCES),
        )
        if code not in known
    ]
    if unknown:
        return f"unknown {', '.join(unknown)} in the name"
    return Clip(
        path=path,
        corpus="ravdess",
        speaker=actor,
        sex="male" if int(actor) % 2 else "female",
        emotion=_EMOTIONS[emotion],
        intensity=_INTENSITIES[intensity],
        sentence=_SENTENCES[statement],
        key=f"ravdess/{path.stem}",
    )


READER: Final = Reader(
    name="ravdess",
    title="RAVDESS",
    looked_for="names of seven two-digit fields such as Actor_01/03-01-05-02-01-01-01 "
    "(folders Actor_01 to Actor_24, also flat or below audio_speech_actors_01-24)",
    parse=parse,
    defects={},
)
