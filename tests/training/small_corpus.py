"""Corpora of noise, named as RAVDESS and SAVEE name their clips, and an encoder with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.voice.whisper_double import write_encoder

RATE = 16_000
#: Of fold 1: who tests, who validates, who teaches.
ACTORS = {"01": "test", "04": "validation", "02": "train", "03": "train"}
SPEAKERS = {"JE": "test", "KL": "validation", "DC": "train"}


def write_corpora(root: Path) -> Path:
    """Write a clip of each emotion and speaker, pitched by emotion so that there is something to learn."""
    rng = np.random.default_rng(0)
    for actor in ACTORS:
        for code in range(1, 9):
            _write(root / f"Actor_{actor}" / f"03-01-{code:02}-01-01-01-{actor}.wav", code, rng)
    for speaker in SPEAKERS:
        for code, letter in enumerate(("n", "h", "sa", "a", "f", "d", "su"), start=1):
            _write(root / "AudioData" / speaker / f"{letter}01.wav", code, rng)
    write_encoder(root / "whisper-tiny-en-encoder.safetensors")
    return root


def _write(path: Path, code: int, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(0.7 * RATE)) / RATE
    tone = np.sin(2 * np.pi * 150 * code * time) * 0.3 + rng.normal(0, 0.05, len(time))
    soundfile.write(path, tone, RATE)
