"""Figures of the signal: waveform, spectrograms, MFCC, chroma, F0 and energy over one time axis.

:func:`signal_figure` does it all; a page that redraws often keeps a
:class:`~blipper.figures.signal_data.Signal` and calls :func:`draw_signal`, which measures only what a
change of settings touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from blipper.errors import SettingsError
from blipper.features import PITCH_CLASSES
from blipper.figures.palette import ENERGY_COLOUR, FEATURE_SCALE, LEVEL_SCALE, PITCH_COLOUR, SIGNAL_COLOUR
from blipper.figures.signal_data import Framing, Signal
from blipper.figures.signal_rows import chroma_rows, linear_rows, log_rows, mel_rows, mfcc_rows
from blipper.figures.style import Panel, stack
from blipper.pitch import F0_MAX, F0_MIN
from blipper.recording import Float32, Recording

if TYPE_CHECKING:
    import plotly.graph_objects as go

View = Literal["waveform", "linear", "mel", "log", "mfcc", "chroma", "f0", "energy"]

#: All views, from top to bottom.
VIEWS: tuple[View, ...] = get_args(View)

#: What the views are called on a page.
VIEW_NAMES: dict[View, str] = {
    "waveform": "Waveform",
    "linear": "Linear spectrogram",
    "mel": "Mel spectrogram",
    "log": "Log spectrogram",
    "mfcc": "MFCC",
    "chroma": "Chroma",
    "f0": "Pitch (F0)",
    "energy": "Energy",
}


@dataclass(frozen=True)
class SignalSettings:
    """How the signal is shown.

    Parameters
    ----------
    framing : Framing
        The stretch, the FFT size and the hop.
    n_mels : int
        Mel bands, 16 to 128; also those behind the MFCC.
    n_mfcc : int
        Cepstral coefficients shown, 1 to `n_mels` - 1.
    db_range : tuple of float
        Lowest and highest level that the spectrograms' colours tell apart, in dBFS, from -120 to 0.
    """

    framing: Framing = field(default_factory=Framing)
    n_mels: int = 80
    n_mfcc: int = 20
    db_range: tuple[float, float] = (-90.0, -10.0)

    def __post_init__(self) -> None:
        """Check the domains."""
        if not 16 <= self.n_mels <= 128:
            raise SettingsError(f"the number of mel bands is {self.n_mels}, expected 16 to 128")
        if not 1 <= self.n_mfcc < self.n_mels:
            raise SettingsError(f"the number of MFCC is {self.n_mfcc}, expected 1 to {self.n_mels - 1}")
        low, high = self.db_range
        if not -120 <= low < high <= 0:
            raise SettingsError(
                f"the level range is {low} to {high} dBFS, expected two rising levels within -120 to 0"
            )


def signal_figure(
    recording: Recording, views: Sequence[View] = VIEWS, settings: SignalSettings | None = None
) -> go.Figure:
    """Measure a recording and draw the chosen views, stacked over one time axis.

    Parameters
    ----------
    recording : Recording
    views : sequence of str
        Any of :data:`VIEWS`; drawn in their order there.
    settings : SignalSettings, optional

    Returns
    -------
    plotly.graph_objects.Figure
        At most 1500 columns a heat map, 1500 points a line and 2000 minima and maxima of the waveform,
        whatever the recording's length.

    Raises
    ------
    SettingsError
        If a view or a setting is not one of those accepted, or no view is given.
    """
    settings = settings or SignalSettings()
    return draw_signal(Signal(recording, settings.framing), views, settings)


def draw_signal(signal: Signal, views: Sequence[View], settings: SignalSettings) -> go.Figure:
    """Draw the chosen views of a signal; `settings.framing` gives way to the signal's own.

    Parameters and errors are those of :func:`signal_figure`.
    """
    return stack(signal_panels(signal, views, settings), start=signal.start, end=signal.end)


def signal_panels(signal: Signal, views: Sequence[View], settings: SignalSettings) -> list[Panel]:
    """Return one panel a view, for :func:`blipper.figures.style.stack`; otherwise as :func:`draw_signal`."""
    unknown = [view for view in views if view not in VIEWS]
    if unknown or not views:
        raise SettingsError(f"views are {list(views)}, expected one or more of {', '.join(VIEWS)}")
    return [_PANELS[view](signal, settings) for view in VIEWS if view in views]


def _waveform(signal: Signal, settings: SignalSettings) -> Panel:
    import plotly.graph_objects as go

    step, low, high = signal.envelope
    times = _middles(signal.start, step, len(low))
    if step * signal.sampling_rate < 1.5:  # single samples
        trace = go.Scatter(
            x=times, y=low, mode="lines", hovertemplate="%{x:.4f} s<br>%{y:.3f}<extra></extra>"
        )
    else:  # up and down through every step's extremes draws the envelope as one line
        edges = np.column_stack((low, high)).ravel()
        trace = go.Scatter(
            x=np.repeat(times, 2),
            y=edges,
            mode="lines",
            hovertemplate="%{x:.2f} s<br>%{y:.3f}<extra></extra>",
        )
    trace.update(name="Waveform", line={"color": SIGNAL_COLOUR, "width": 1})
    largest = max(float(np.abs(low).max()), float(np.abs(high).max()), 1e-3)
    axis = {"title": {"text": "Amplitude"}, "range": (-1.05 * largest, 1.05 * largest), "nticks": 5}
    return Panel("Waveform (full scale is 1)", [trace], axis, height=130)


def _linear(signal: Signal, settings: SignalSettings) -> Panel:
    step, levels = linear_rows(signal)
    first = (step - signal.sampling_rate / signal.framing.n_fft) / 2
    trace = _level_map(signal, levels, settings, "%{y:.0f} Hz")
    trace.update(y0=first, dy=step)
    axis = {"title": {"text": "Frequency (Hz)"}, "range": (0, signal.sampling_rate / 2), "nticks": 6}
    return Panel(f"{VIEW_NAMES['linear']} (FFT {signal.framing.n_fft})", [trace], axis, height=210)


def _log(signal: Signal, settings: SignalSettings) -> Panel:
    centres, levels = log_rows(signal)
    trace = _level_map(signal, levels, settings, "%{y}")
    axis = _uneven_rows(trace, centres, (62.5, 125, 250, 500, 1000, 2000, 4000, 7000, 14000))
    axis["title"] = {"text": "Frequency (Hz)"}
    return Panel(f"{VIEW_NAMES['log']} (FFT {signal.framing.n_fft})", [trace], axis, height=210)


def _mel(signal: Signal, settings: SignalSettings) -> Panel:
    centres, levels = mel_rows(signal, settings.n_mels)
    trace = _level_map(signal, levels, settings, "%{y}")
    axis = _uneven_rows(trace, centres, (250, 500, 1000, 2000, 4000, 7000, 14000))
    axis["title"] = {"text": "Mel band (Hz)"}
    return Panel(f"{VIEW_NAMES['mel']} ({settings.n_mels} bands)", [trace], axis, height=210)


def _uneven_rows(trace: Any, centres: Float32, ticks: Sequence[float]) -> dict[str, Any]:
    """Give a heat map rows of equal height that are not equally spaced in Hz; return its y axis.

    A category axis does that, lets hover name each row's Hz and is drawn as a bitmap; on a logarithmic
    axis plotly.js would draw every cell as a rectangle, which takes a second.
    """
    trace.update(y=[f"{centre:.0f} Hz" if centre >= 100 else f"{centre:.1f} Hz" for centre in centres])
    inside = [hertz for hertz in ticks if centres[0] <= hertz <= centres[-1]]
    # Categories count from 0, and a tick may lie between two of them.
    return {
        "type": "category",
        "tickvals": np.interp(inside, centres, np.arange(len(centres))),
        "ticktext": [f"{hertz:g}" for hertz in inside],
        "showgrid": False,
    }


def _mfcc(signal: Signal, settings: SignalSettings) -> Panel:
    coefficients = mfcc_rows(signal, settings.n_mels, settings.n_mfcc)
    # The low coefficients vary tenfold as much as the high ones, so each is shown against its own spread.
    centred = coefficients - coefficients.mean(axis=1, keepdims=True)
    spread = np.maximum(coefficients.std(axis=1, keepdims=True), 1e-3)
    hover = "coefficient %{y}: %{customdata}<br>%{z} deviations from its mean"
    trace = _heatmap(signal, np.round(centred / spread, 1), hover, FEATURE_SCALE, (-2.5, 2.5), "SD")
    trace.update(y0=1, dy=1, customdata=np.round(coefficients, 1))
    axis = {
        "title": {"text": "Coefficient"},
        "range": (0.5, settings.n_mfcc + 0.5),
        "nticks": 6,
        "showgrid": False,
    }
    return Panel(f"MFCC 1 to {settings.n_mfcc} (deviations from the mean)", [trace], axis, height=170)


def _chroma(signal: Signal, settings: SignalSettings) -> Panel:
    shares = np.rint(100 * chroma_rows(signal))
    trace = _heatmap(
        signal, shares.astype(np.int8), "pitch class %{y}<br>%{z} %", FEATURE_SCALE, (0, 100), "%"
    )
    trace.update(y=list(PITCH_CLASSES))
    axis = {"title": {"text": "Pitch class"}, "type": "category", "tickfont": {"size": 10}, "showgrid": False}
    return Panel("Chroma (share of the strongest pitch class)", [trace], axis, height=190)


def _f0(signal: Signal, settings: SignalSettings) -> Panel:
    import plotly.graph_objects as go

    step, f0 = signal.pitch
    trace = go.Scatter(
        x=_middles(signal.start, step, len(f0)),
        y=np.round(f0, 1),
        mode="markers",
        name="F0",
        marker={"color": PITCH_COLOUR, "size": 4},
        hovertemplate="%{x:.2f} s<br>%{y:.0f} Hz<extra></extra>",
    )
    voiced = f0[np.isfinite(f0)]
    top = 1.1 * float(np.percentile(voiced, 99)) if len(voiced) else F0_MAX
    axis = {"title": {"text": "F0 (Hz)"}, "range": (F0_MIN - 10, max(200.0, top)), "nticks": 5}
    return Panel("Pitch (F0 where the sound is voiced)", [trace], axis, height=150)


def _energy(signal: Signal, settings: SignalSettings) -> Panel:
    import plotly.graph_objects as go

    step, level = signal.level
    trace = go.Scatter(
        x=_middles(signal.start, step, len(level)),
        y=np.round(level, 1),
        mode="lines",
        name="Level",
        line={"color": ENERGY_COLOUR, "width": 1.5},
        hovertemplate="%{x:.2f} s<br>%{y:.1f} dBFS<extra></extra>",
    )
    axis = {"title": {"text": "RMS (dBFS)"}, "nticks": 5}
    low, high = float(level.min()), float(level.max())
    axis["range"] = (max(low, high - 80) - 3, high + 3)
    return Panel("Energy (RMS level)", [trace], axis, height=130)


def _level_map(signal: Signal, levels: Float32, settings: SignalSettings, frequency: str) -> Any:
    """Return a heat map of levels in whole dB: one byte a cell keeps the page light."""
    return _heatmap(
        signal,
        np.rint(levels).astype(np.int8),
        f"{frequency}<br>%{{z}} dBFS",
        LEVEL_SCALE,
        settings.db_range,
        "dBFS",
    )


def _heatmap(
    signal: Signal, rows: Any, hover: str, scale: str, limits: tuple[float, float], unit: str
) -> Any:
    import plotly.graph_objects as go

    return go.Heatmap(
        z=rows,
        x0=signal.start + signal.column_step / 2,
        dx=signal.column_step,
        zmin=limits[0],
        zmax=limits[1],
        colorscale=scale,
        showscale=True,
        colorbar={
            "title": {"text": unit, "side": "top"},
            "thickness": 10,
            "outlinewidth": 0,
            "nticks": 6,
            "xpad": 6,
        },
        hovertemplate=f"%{{x:.2f}} s<br>{hover}<extra></extra>",
    )


def _middles(start: float, step: float, n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the middles of `n` steps in seconds, to a tenth of a millisecond."""
    return np.round(start + (np.arange(n) + 0.5) * step, 4)


_PANELS = {
    "waveform": _waveform,
    "linear": _linear,
    "mel": _mel,
    "log": _log,
    "mfcc": _mfcc,
    "chroma": _chroma,
    "f0": _f0,
    "energy": _energy,
}
