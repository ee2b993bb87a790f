"""The player component: one playhead over waveform, aggression curve and emotion ribbon.

Its source is in ``frontend/`` (TypeScript around wavesurfer.js), its bundle in ``build/``, made by
``npm ci && npm run build`` in ``frontend/``. The playhead lives in the browser alone: playing, seeking and
choosing events never rerun the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import runtime

from blipper.figures.palette import EMOTION_COLOURS, EMOTION_PATTERNS
from blipper.fusion import hostile_from
from blipper.results import Analysis, Event
from blipper.voice.labels import EMOTIONS
from blipper.words.transcript import LOW_CONFIDENCE
from ui.player import data
from ui.session import OpenRecording

_BUILD = Path(__file__).with_name("build")

_component = st.components.v2.component(
    "blipper_player",
    css=(_BUILD / "player.css").read_text(encoding="utf-8"),
    js=(_BUILD / "player.js").read_text(encoding="utf-8"),
)


def numbered_events(analysis: Analysis, channel: int) -> list[tuple[int, Event]]:
    """Return one channel's events with their numbers, which run over all channels from 1."""
    return [(n, event) for n, event in enumerate(analysis.events, 1) if event.channel == channel]


def show_player(
    opened: OpenRecording, analysis: Analysis, channel: int, threshold: float, together: str | None = None
) -> None:
    """Show the player for one channel; with another sound than its own, if its address is given."""
    audio, lanes = media_urls(opened, channel)
    audio = together or audio
    _component(
        key=f"player-{opened.id}-{channel}",
        data={
            "kind": "player",
            "id": f"{opened.id}-{channel}",
            "name": opened.name,
            "audio": audio,
            "lanes": lanes,
            "duration": opened.recording.duration,
            "threshold": threshold,
            "events": data.events(analysis, numbered_events(analysis, channel)),
            "emotions": _emotions(),
            "curves": data.curves(analysis, channel),
        },
    )


def show_events(opened: OpenRecording, analysis: Analysis, channel: int, threshold: float) -> None:
    """Show the list of one channel's events; choosing a row plays that stretch in the channel's player."""
    _component(
        key=f"events-{opened.id}-{channel}",
        data={
            "kind": "events",
            "player": f"{opened.id}-{channel}",
            "threshold": threshold,
            "events": data.events(analysis, numbered_events(analysis, channel)),
            "emotions": _emotions(),
        },
    )


def show_words(
    opened: OpenRecording, analysis: Analysis, channel: int, correct: Callable[[Mapping[str, Any]], None]
) -> None:
    """Show one channel's transcript, which follows the channel's player.

    Parameters
    ----------
    opened : OpenRecording
    analysis : Analysis
    channel : int
        One with a transcript.
    correct : callable
        Told ``{"index", "old", "text"}`` when a person corrected an utterance. The browser sent it, so
        nothing in it is to be relied on.
    """
    key = f"words-{opened.id}-{channel}"
    transcript = analysis.tracks[channel].transcript

    def on_correction() -> None:
        sent = (st.session_state.get(key) or {}).get("correction")
        if isinstance(sent, Mapping):
            correct(sent)

    _component(
        key=key,
        data={
            "kind": "transcript",
            "player": f"{opened.id}-{channel}",
            "draft": transcript is not None and transcript.draft,
            "low": LOW_CONFIDENCE,
            "hostile": hostile_from(transcript),
            "utterances": data.utterances(analysis, channel),
        },
        on_correction_change=on_correction,
    )


def media_urls(opened: OpenRecording, channel: int) -> tuple[str, str]:
    """Put one channel's sound and lanes where the browser can fetch them in ranges.

    Streamlit serves them to whoever knows the URL and drops them when no session uses them any more. The
    recording's random id goes into the hash behind the URL, so that nobody can compute it from the sound.

    Returns
    -------
    audio, lanes : str
        URLs on the app's own host.
    """
    manager = runtime.get_instance().media_file_mgr
    base = st.get_option("server.baseUrlPath").strip("/")
    prefix = f"/{base}" if base else ""
    held = opened.playback[channel]

    def add(data: bytes, mimetype: str, kind: str) -> str:
        place = f"blipper-{kind}-{opened.id}-{channel}"
        return prefix + manager.add(data, mimetype, place, file_name=place)

    return add(held.audio, "audio/flac", "audio"), add(held.lanes, "application/octet-stream", "lanes")


def _emotions() -> list[dict[str, str]]:
    return [
        {"name": name, "colour": EMOTION_COLOURS[name], "pattern": EMOTION_PATTERNS[name]}
        for name in EMOTIONS
    ]
