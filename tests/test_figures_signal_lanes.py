"""The signal of several channels in one figure: panels, names, one scale, and bounds on what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import SettingsError
from blipper.figures import (
    VIEWS,
    Framing,
    Signal,
    SignalSettings,
    channel_signals,
    channels_that_fit,
    draw_channels,
)
from blipper.figures.signal_data import MAX_COLUMNS, MAX_ENVELOPE
from blipper.recording import Recording
from tests.helpers import RATE, recording


def tones(*amplitudes: float, seconds: float = 2.0) -> Recording:
    """Return one 300 Hz sine a channel."""
    time = np.arange(round(seconds * RATE)) / RATE
    return recording(*(amplitude * np.sin(2 * np.pi * 300 * time) for amplitude in amplitudes))


def test_every_view_has_one_panel_a_channel_over_one_time_axis() -> None:
    signals = channel_signals(tones(0.5, 0.1), Framing(start=0.5, length=1.0))
    figure = draw_channels(signals, ["Agent", "Customer"], VIEWS, SignalSettings())
    assert len(figure.data) == len(figure.layout.annotations) == 16
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert len({trace.yaxis for trace in figure.data}) == 16
    assert "xaxis2" not in figure.to_dict()["layout"]
    assert figure.layout.xaxis.range == (0.5, 1.5)
    titles = [annotation.text for annotation in figure.layout.annotations]
    assert titles[:2] == [
        "<b>Agent: Waveform (full scale is 1)</b>",
        "<b>Customer: Waveform (full scale is 1)</b>",
    ]
    assert [title.split(":")[0] for title in titles] == ["<b>Agent", "<b>Customer"] * 8
    assert [trace.name for trace in figure.data] == ["Agent", "Customer"] * 8


def test_channels_have_one_scale_and_their_own_sound() -> None:
    figure = draw_channels(
        channel_signals(tones(0.5, 0.1)), ["a", "b"], ["waveform", "energy"], SignalSettings()
    )
    layout = figure.to_dict()["layout"]
    assert layout["yaxis"]["range"] == layout["yaxis2"]["range"] == pytest.approx((-0.525, 0.525), rel=1e-3)
    assert layout["yaxis3"]["range"] == layout["yaxis4"]["range"]
    loud, quiet = (np.median(trace.y) for trace in figure.data[2:])
    assert loud - quiet == pytest.approx(20 * np.log10(5), abs=0.2)


def test_labels_are_text_in_titles_and_hover() -> None:
    figure = draw_channels(
        channel_signals(tones(0.5, 0.1)), ["<b>A</b>", "B & %{y}"], ["waveform", "mel"], SignalSettings()
    )
    assert figure.layout.annotations[0].text.startswith("<b>&lt;b&gt;A&lt;/b&gt;: Waveform")
    assert figure.layout.annotations[1].text.startswith("<b>B &amp; %{y}: Waveform")
    for trace, name in zip(figure.data, ["&lt;b&gt;A&lt;/b&gt;", "B &amp; %{y}"] * 2, strict=True):
        assert trace.name == name
        assert "<extra>" not in trace.hovertemplate  # or the name would not be shown
        assert "&" not in trace.hovertemplate


@pytest.mark.parametrize("n_channels", [1, 2, 3, 8])
def test_a_figure_has_no_more_to_draw_than_that_of_one_channel(n_channels: int) -> None:
    signals = channel_signals(tones(*[0.5] * n_channels, seconds=90.0), Framing(1024, 16))
    assert sum(signal.power.shape[0] for signal in signals) <= MAX_COLUMNS
    assert sum(len(signal.level[1]) for signal in signals) <= MAX_COLUMNS
    assert sum(len(signal.pitch[1]) for signal in signals) <= MAX_COLUMNS
    assert sum(len(signal.envelope[1]) for signal in signals) <= MAX_ENVELOPE
    for signal in signals:  # and yet all of the stretch
        assert signal.power.shape[0] * signal.column_step == pytest.approx(90.0, abs=2 * signal.column_step)


def test_the_transforms_of_a_long_call_are_shared_without_gaps() -> None:
    long = tones(0.5, 0.5, seconds=400.0)
    alone = Signal(long, Framing(8192, 256))
    both = channel_signals(long, Framing(8192, 256))
    assert both[0].hop_length == pytest.approx(2 * alone.hop_length, abs=2)
    assert both[0].hop_length <= 8192


def test_how_many_channels_fit() -> None:
    assert [channels_that_fit(2, n) for n in (1, 4, 8)] == [2, 2, 2]
    assert [channels_that_fit(8, n) for n in (1, 4, 5, 8)] == [8, 8, 6, 4]


def test_what_cannot_be_drawn_is_refused() -> None:
    sound = tones(*[0.5] * 5)
    settings = SignalSettings()
    with pytest.raises(SettingsError, match="1 labels for 5 channels"):
        draw_channels(channel_signals(sound), ["a"], ["mel"], settings)
    with pytest.raises(SettingsError, match="8 views of 5 channels make 40 panels, expected at most 32"):
        draw_channels(channel_signals(sound), list("abcde"), VIEWS, settings)
    with pytest.raises(SettingsError, match="expected one or more of"):
        draw_channels(channel_signals(sound), list("abcde"), [], settings)
    apart = [Signal(sound), Signal(sound, Framing(start=1.0))]
    with pytest.raises(SettingsError, match="stretches differ"):
        draw_channels(apart, ["a", "b"], ["mel"], settings)
    with pytest.raises(SettingsError, match="channel 5 does not exist"):
        channel_signals(sound, None, 6)
    with pytest.raises(SettingsError, match="0 signals share a figure"):
        Signal(sound, share=0)
