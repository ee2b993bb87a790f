"""All channels of a recording heard together: what each said to the other, beside each one alone."""

from __future__ import annotations

import tempfile
from weakref import WeakKeyDictionary

import numpy as np
import soundfile as sf
import streamlit as st
from streamlit import runtime

from blipper.recording import Recording
from ui.session import OpenRecording

_BLOCK_SECONDS = 60.0


def show(opened: OpenRecording) -> str | None:
    """Offer to hear all channels at once.

    Returns
    -------
    str or None
        The sound's address on the app's own host; None where one channel is to be heard.
    """
    if opened.recording.n_channels < 2:
        return None
    two = opened.recording.n_channels == 2
    if not st.toggle(
        "Hear both channels together" if two else "Hear all channels together",
        key=f"blipper_together_{opened.id}",
        help="One in each ear, as they were recorded. The curves stay those of the chosen channel."
        if two
        else "Mixed to one. The curves stay those of the chosen channel.",
    ):
        return None
    # Made when it is asked for, and gone with the recording.
    held: WeakKeyDictionary[OpenRecording, bytes] = st.session_state.setdefault(
        "blipper_together", WeakKeyDictionary()
    )
    if opened not in held:
        with st.spinner("Putting the channels together…"):
            held[opened] = together(opened.recording)
    manager = runtime.get_instance().media_file_mgr
    base = st.get_option("server.baseUrlPath").strip("/")
    # The random id goes into the hash behind the address, as in ui.player.media_urls.
    place = f"blipper-together-{opened.id}"
    address: str = manager.add(held[opened], "audio/flac", place, file_name=place)
    return (f"/{base}" if base else "") + address


def together(recording: Recording) -> bytes:
    """Return all channels as one FLAC of 16 bit: two as stereo, more mixed to one; made in blocks."""
    n_channels = 2 if recording.n_channels == 2 else 1
    rate = recording.sampling_rate
    with tempfile.TemporaryFile() as file:
        with sf.SoundFile(
            file, "w", rate, n_channels, subtype="PCM_16", format="FLAC", compression_level=0.5
        ) as flac:
            for first in np.arange(0.0, recording.duration, _BLOCK_SECONDS):
                end = min(recording.duration, first + _BLOCK_SECONDS)
                block = np.stack(
                    [recording.read(first, end, channel) for channel in range(recording.n_channels)], axis=1
                )
                heard = block if n_channels == 2 else block.mean(axis=1, keepdims=True)
                flac.write(np.clip(heard, -1.0, 1.0))
        file.seek(0)
        return file.read()
