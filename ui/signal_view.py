"""The Signal page: controls, one figure in which all chosen views share a time axis, and its sound."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st

from blipper.figures import (
    VIEW_NAMES,
    VIEWS,
    Framing,
    Signal,
    SignalSettings,
    View,
    channel_signals,
    channels_that_fit,
    draw_channels,
    draw_signal,
)
from blipper.figures.signal_data import FFT_SIZES
from blipper.wording import length
from ui.hearing import show_hearing
from ui.player import media_urls
from ui.session import OpenRecording
from ui.text import plain, shorten

#: Recordings beyond this open with their first part alone, because there is no seeing detail in hours.
LONG = 15 * 60.0

#: From this length on a stretch can be chosen; below it the whole recording has full detail.
SHORT = 10.0

#: Times of the stretch's slider count from here; sliders know dates, not durations.
_ZERO = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)

#: In place of a channel's number: all channels, one below the other.
ALL = -1

#: What the controls start with, and what they go back to.
DEFAULTS: dict[str, Any] = {
    "views": ["waveform", "mel", "f0", "energy"],
    "n_fft": 1024,
    "hop": 16,
    "n_mels": 80,
    "n_mfcc": 20,
    "db": (-90, -10),
}


def show_nothing_open() -> None:
    """Say what to do when no recording is open."""
    st.info(
        "No recording is open. Go to the Review page, then upload or record one there, or load the synthetic "
        "sample. It opens here as well.",
        icon=":material/hearing:",
    )
    st.page_link("pages/review.py", label="Go to Review", icon=":material/arrow_forward:")


@st.fragment
def show(opened: OpenRecording) -> None:
    """Show the controls and the figure; a change reruns no more than this."""
    st.caption(f"{plain(shorten(opened.name, 80))} · {length(opened.recording.duration)}")
    chosen = st.pills(
        "Views",
        VIEWS,
        selection_mode="multi",
        format_func=VIEW_NAMES.__getitem__,
        key=_kept("views"),
        help="What to draw, one below the other. Click in a view to hear it from there. Drag across one to "
        "zoom in: the others follow. A double click goes back. To stay with a part while changing settings, "
        "choose it as the stretch.",
    )
    framing, settings = _settings(opened)
    if not chosen:
        st.info("Choose at least one view.")
        return
    views: list[View] = [view for view in VIEWS if view in chosen]
    together = framing.channel == ALL
    n_channels = opened.recording.n_channels
    n_shown = channels_that_fit(n_channels, len(views)) if together else 1
    signals = _signals(opened, framing, n_shown)
    signal = signals[0]
    if together:
        labels = [_label(opened, channel) for channel in range(n_shown)]
        figure = draw_channels(signals, labels, views, settings)
    else:
        figure = draw_signal(signal, views, settings)
    key = f"signal_figure_{opened.id}"
    st.plotly_chart(
        figure,
        width="stretch",
        theme="streamlit",
        alt=f"{', '.join(VIEW_NAMES[view] for view in views)} over time"
        + (", one panel a channel" if together else ""),
        key=key,
        config={"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]},
    )
    heard = range(n_shown) if together else [signal.framing.channel]
    show_hearing(
        f"signal_hearing_{opened.id}",
        key,
        [(_label(opened, channel), media_urls(opened, channel)[0]) for channel in heard],
    )
    _say_resolution(signal, views)
    if together and n_shown < n_channels:
        st.caption(
            f"So many views leave room for the first {n_shown} of {n_channels} channels. Choose fewer views "
            "to see all of them, or one channel."
        )
    with st.expander("How to read these views", icon=":material/info:"):
        st.markdown(HOW_TO_READ)


def _settings(opened: OpenRecording) -> tuple[Framing, SignalSettings]:
    """Show the controls below the views and return what they say."""
    recording = opened.recording
    channel, start, end = 0, 0.0, recording.duration
    if recording.n_channels > 1:
        # Streamlit keeps the function that names options, so it holds the names and not the recording.
        options = {ALL: "All"} | {index: _option(opened, index) for index in range(recording.n_channels)}
        channel = st.radio(
            "Channel",
            list(options),
            format_func=options.__getitem__,
            horizontal=True,
            key=_kept(f"channel_{opened.id}", ALL),
            help="Which channel of the recording to look at; they were kept apart when it was opened. "
            "“All” draws every view once a channel, with the same scale, over one time axis. The channels "
            "then share the columns of the figure, so one alone has finer detail.",
        )
    if recording.duration > SHORT:
        start, end = _stretch(opened)
    with st.expander("Settings", icon=":material/tune:"):
        left, middle, right = st.columns(3, gap="large")
        n_fft = left.select_slider(
            "FFT size (samples)",
            FFT_SIZES,
            key=_kept("n_fft"),
            help="Length of the frames that are analysed, at 16 samples a millisecond. Longer frames tell "
            "frequencies better apart, shorter ones moments. 1024 suits speech; chroma wants 2048 or more.",
        )
        hop_ms = left.slider(
            "Hop (ms)",
            1,
            64,
            key=_kept("hop"),
            help="Time from one frame to the next, at most one frame. Where there are more frames than "
            "columns on a screen they are averaged, so a shorter hop shows in short stretches only.",
        )
        n_mels = middle.slider(
            "Mel bands",
            24,
            128,
            step=8,
            key=_kept("n_mels"),
            help="Into how many bands, spaced as the ear spaces pitch, the mel spectrogram divides the "
            "frequencies. The MFCC are made from these bands.",
        )
        n_mfcc = middle.slider(
            "MFCC",
            4,
            40,
            key=_kept("n_mfcc"),
            help="How many cepstral coefficients to show. Low ones describe the broad shape of the spectrum, "
            "high ones its detail. There are always fewer than mel bands.",
        )
        low, high = right.slider(
            "Level range (dBFS)",
            -120,
            0,
            step=5,
            key=_kept("db"),
            help="Levels that the spectrograms' colours tell apart: darkest at the lower end, brightest at "
            "the upper. 0 dBFS is the loudest sine that fits into the recording.",
        )
        if low == high:
            low, high = (low - 5, high) if low > -120 else (low, high + 5)
        right.button(
            "Reset the settings",
            on_click=_reset,
            width="stretch",
            help="Back to the settings that suit speech",
        )
    rate = recording.sampling_rate
    hop_length = min(n_fft, max(16, round(hop_ms * rate / 1000)))
    span = None if end >= recording.duration else end - start
    framing = Framing(n_fft, hop_length, start, span, channel)
    return framing, SignalSettings(framing, n_mels, min(n_mfcc, n_mels - 1), (float(low), float(high)))


def _stretch(opened: OpenRecording) -> tuple[float, float]:
    """Ask which stretch to look at, in whole seconds."""
    duration = opened.recording.duration
    last = _ZERO + timedelta(seconds=math.ceil(duration))
    shown = last if duration <= LONG else _ZERO + timedelta(seconds=LONG)
    first, final = st.slider(
        "Stretch",
        _ZERO,
        last,
        step=timedelta(seconds=1),
        format="H:mm:ss" if duration >= 3600 else "m:ss",
        key=_kept(f"stretch_{opened.id}", (_ZERO, shown)),
        help="Which part of the recording to look at. The shorter it is, the finer the detail.",
    )
    if duration > LONG:
        st.caption(
            f"The recording is long: it opens with its first {length(LONG)}. Move the handles for the rest."
        )
    start = min((first - _ZERO).total_seconds(), math.ceil(duration) - 1.0)
    return start, min(duration, max((final - _ZERO).total_seconds(), start + 1.0))


def _speakers(opened: OpenRecording, channel: int) -> str:
    """Return who speaks in a channel, as people named them; empty where nobody is named."""
    return " and ".join(dict.fromkeys(turn.speaker for turn in opened.analysis.tracks[channel].turns))


def _label(opened: OpenRecording, channel: int) -> str:
    """Return a channel's speaker, or its own name where that is all that is known; text from outside."""
    name, speakers = opened.recording.channel_names[channel], _speakers(opened, channel)
    return name.capitalize() if speakers in ("", name) else shorten(speakers, 40)


def _option(opened: OpenRecording, channel: int) -> str:
    """Return a channel's name with its speaker's, if that is another, as Markdown."""
    name, label = opened.recording.channel_names[channel].capitalize(), _label(opened, channel)
    return plain(name if label == name else f"{name} ({label})")


def _signals(opened: OpenRecording, framing: Framing, n_shown: int) -> tuple[Signal, ...]:
    """Return the measured stretch, from this session's memory where nothing that touches it has changed.

    One signal, or the first `n_shown` channels' where all are asked for. The memory holds one stretch a
    recording, and lets go of it together with the recording.
    """
    memory: WeakKeyDictionary[OpenRecording, tuple[Signal, ...]] = st.session_state.setdefault(
        "signal_memory", WeakKeyDictionary()
    )
    if framing.channel == ALL:
        wanted = channel_signals(opened.recording, framing, n_shown)
    else:
        wanted = (Signal(opened.recording, framing),)  # nothing is measured before it is asked for
    known = memory.get(opened, ())
    if [(one.framing, one.share) for one in known] != [(one.framing, one.share) for one in wanted]:
        known = memory[opened] = wanted
    return known


def _say_resolution(signal: Signal, views: list[View]) -> None:
    """Say how fine the figure is, and what was coarsened to keep it quick."""
    rate = signal.sampling_rate
    parts = []
    if {"linear", "mel", "log", "mfcc", "chroma"} & set(views):
        frame, hop = (1000 * n / rate for n in (signal.framing.n_fft, signal.hop_length))
        text = f"Spectra: frames of {frame:.0f} ms every {hop:.0f} ms"
        if signal.frames_per_column > 1:
            text += f", {signal.frames_per_column} averaged into a column of {signal.column_step:.2g} s"
        parts.append(text + ".")
        if signal.hop_length > signal.framing.hop_length:
            asked = 1000 * signal.framing.hop_length / rate
            parts.append(f"The hop was widened from {asked:.0f} ms because the stretch is long.")
    if "f0" in views:
        parts.append(f"Pitch: one value every {signal.pitch[0]:.2g} s.")
    if signal.column_step > 0.05:
        parts.append("Choose a shorter stretch for finer detail.")
    if parts:
        st.caption(" ".join(parts))


def _kept(name: str, default: Any = None) -> str:
    """Return a widget's key whose value outlives a visit to another page.

    Streamlit forgets the state of widgets that a run did not show, so a copy is kept under a plain key.
    """
    kept: dict[str, Any] = st.session_state.setdefault("signal_kept", {})
    key = f"signal_{name}"
    if key in st.session_state:
        kept[name] = st.session_state[key]
    else:
        st.session_state[key] = kept.get(name, DEFAULTS.get(name, default))
    return key


def _reset() -> None:
    """Put the settings back; the views, the channel and the stretch stay."""
    for name, value in DEFAULTS.items():
        if name != "views":
            st.session_state[f"signal_{name}"] = value


HOW_TO_READ = """
- **Waveform**: the sound pressure over time, drawn from its highest to its lowest point.
- **Spectrograms**: how loud each frequency is at each moment; the brighter, the louder. *Linear* spreads the
  frequencies evenly, *logarithmic* gives every octave the same height, *mel* spaces them as the ear does.
- **MFCC**: the shape of the spectrum in a few numbers, which many voice models start from.
- **Chroma**: which of the twelve pitch classes sounds, whatever the octave; clearer for music
  than for speech.
- **Pitch (F0)**: how high the voice is, where the sound is voiced. Found between 60 and 600 Hz by the YIN
  method, and wrong by an octave now and then, above all where voices overlap or noise is loud.
- **Energy**: the RMS level. A full-scale sine has -3 dBFS.

None of these says what anybody feels. Loud, high and harsh speech has many causes.
"""
