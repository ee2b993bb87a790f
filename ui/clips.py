"""Clips of the corpora, found by their key and made ready to be heard, where the data folder is there."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import soundfile as sf
import streamlit as st

from blipper import audio
from blipper.datasets import read_corpora
from blipper.errors import DatasetError

_DEFAULT = Path(__file__).resolve().parents[2] / "shared"


def data_folder() -> Path | None:
    """Return the folder with the corpora: what BLIPPER_DATA names, else ``../shared``; None without one."""
    folder = Path(os.environ.get("BLIPPER_DATA") or _DEFAULT)
    return folder if folder.is_dir() else None


@st.cache_data(show_spinner="Looking for the corpora's clips…", max_entries=4, ttl=600)
def clip_paths(folder: str) -> dict[str, Path]:
    """Return the path of every clip below a folder by its key; empty where no corpus is there."""
    try:
        return {clip.key: clip.path for clip in read_corpora(folder)}
    except DatasetError:
        return {}  # the page says that the clips are not there


def as_flac(path: Path) -> bytes:
    """Decode a clip and encode what was decoded; the browser never gets the file itself.

    Raises
    ------
    AudioError
        If it cannot be read.
    """
    recording = audio.load(path)
    file = io.BytesIO()
    samples = np.clip(recording.samples[0], -1.0, 1.0)
    sf.write(file, samples, recording.sampling_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()
