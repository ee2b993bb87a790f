"""Figures of signals and results: known answers, bounds on what is drawn, one time axis, bad settings."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from blipper.errors import SettingsError
from blipper.figures import (
    EMOTION_COLOURS,
    EMOTION_PATTERNS,
    VIEW_NAMES,
    VIEWS,
    Framing,
    Signal,
    SignalSettings,
    aggression_figure,
    emotions_figure,
    signal_figure,
    timeline_figure,
)
from blipper.figures.signal_data import MAX_COLUMNS, MAX_ENVELOPE
from blipper.figures.signal_rows import (
    MAX_ROWS,
    chroma_rows,
    linear_rows,
    log_rows,
    mel_rows,
    mfcc_rows,
)
from blipper.recording import Provenance, Recording
from blipper.results import (
    Analysis,
    Curve,
    Event,
    ModelInfo,
    Quality,
    Span,
    Track,
    Trend,
    no_windows,
)
from blipper.voice.labels import EMOTIONS

RATE = 16_000

pytestmark = pytest.mark.filterwarnings("error")


def record(*channels: np.ndarray, rate: int = RATE) -> Recording:
    samples = np.array(channels, dtype=np.float32)
    names = tuple(f"channel {i + 1}" for i in range(len(channels)))
    provenance = Provenance("test", "0" * 64, 0, "array", "float32", rate, len(channels), "array")
    return Recording(samples, rate, names, provenance)


def sine(frequency: float, seconds: float, amplitude: float = 0.5, rate: int = RATE) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate + 0.1)


def loudest_row(signal: Signal, column: int) -> float:
    """Return the frequency of the linear spectrogram's strongest row as the figure shows it."""
    (heatmap,) = signal_figure(signal.recording, ["linear"], SignalSettings(signal.framing)).data
    return heatmap.y0 + heatmap.dy * heatmap.z[:, column].argmax()


# What is measured


@pytest.mark.parametrize("n_fft", [256, 512, 1024, 2048, 4096, 8192])
def test_a_sine_peaks_at_its_frequency_and_level_in_every_spectrogram(n_fft):
    signal = Signal(record(sine(1000, 3.0, amplitude=0.5)), Framing(n_fft, n_fft // 4))
    middle = signal.power.shape[0] // 2
    linear = linear_rows(signal)[1]
    assert loudest_row(signal, middle) == pytest.approx(1000, abs=max(RATE / n_fft, RATE / 2 / MAX_ROWS))
    assert linear[:, middle].max() == pytest.approx(-6.02, abs=0.2)  # 1000 Hz lies on a bin of each size
    centres, log = log_rows(signal)
    assert centres[log[:, middle].argmax()] == pytest.approx(1000, rel=max(0.03, 0.5 * RATE / n_fft / 1000))
    assert log[:, middle].max() == pytest.approx(-6.02, abs=0.5)
    centres, mel = mel_rows(signal, 80)
    assert centres[mel[:, middle].argmax()] == pytest.approx(1000, rel=max(0.05, 0.5 * RATE / n_fft / 1000))
    assert -12 < mel[:, middle].max() < -5.5


def test_every_mel_band_hears_noise_even_where_bands_are_narrower_than_bins(rng):
    signal = Signal(record(rng.normal(0, 0.1, 3 * RATE)), Framing(256, 64))
    centres, mel = mel_rows(signal, 128)
    assert (np.diff(centres) > 0).all()
    assert mel.mean(axis=1).min() > -65
    # White noise: the power of a band grows with its width, from 22 Hz to some 260 Hz.
    assert 8 < mel[-10:].mean() - mel[:10].mean() < 16


def test_power_does_not_depend_on_how_many_frames_share_a_column(rng):
    noise = rng.normal(0, 0.1, 40 * RATE)
    fine = Signal(record(noise), Framing(512, 512))
    coarse = Signal(record(noise), Framing(512, 128))
    assert coarse.frames_per_column > fine.frames_per_column == 1
    np.testing.assert_allclose(coarse.power.mean(axis=0), fine.power.mean(axis=0), rtol=0.2)


def test_columns_lie_where_the_sound_is():
    samples = np.zeros(60 * RATE)
    samples[30 * RATE : 31 * RATE] = sine(500, 1.0)
    signal = Signal(record(samples), Framing(1024, 256))
    loud = np.flatnonzero(signal.power.max(axis=1) > 1e-3)
    assert (loud[0] + 0.5) * signal.column_step == pytest.approx(30, abs=0.1)
    assert (loud[-1] + 0.5) * signal.column_step == pytest.approx(31, abs=0.1)
    step, level = signal.level
    assert level.max() == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert level.min() == pytest.approx(-120, abs=0.01)
    loud = np.flatnonzero(level > -20)
    assert loud[0] * step == pytest.approx(30, abs=2 * step)
    step, f0 = signal.pitch
    voiced = np.flatnonzero(np.isfinite(f0))
    assert f0[voiced] == pytest.approx(500, rel=0.01)
    assert (voiced[0] + 0.5) * step == pytest.approx(30, abs=0.1)
    assert (voiced[-1] + 0.5) * step == pytest.approx(31, abs=0.1)


def test_envelope_keeps_every_extreme(rng):
    samples = rng.normal(0, 0.01, 100 * RATE)
    samples[777_777] = 0.9
    samples[1_234_567] = -0.8
    step, low, high = Signal(record(samples), Framing()).envelope
    assert len(low) == len(high) <= MAX_ENVELOPE
    assert high.max() == np.float32(0.9)
    assert low.min() == np.float32(-0.8)
    assert int(777_777 / RATE / step) == high.argmax()
    assert int(1_234_567 / RATE / step) == low.argmin()


def test_chroma_of_a_and_c():
    samples = np.concatenate((sine(440, 2.0), sine(523.25, 2.0)))
    chroma = chroma_rows(Signal(record(samples), Framing(4096, 512)))
    quarter = chroma.shape[1] // 4
    assert chroma[:, quarter].argmax() == 9
    assert chroma[:, 3 * quarter].argmax() == 0
    assert chroma.max() == pytest.approx(1.0)


def test_mfcc_equal_librosa_on_the_same_levels(rng):
    import librosa

    signal = Signal(record(rng.normal(0, 0.1, RATE)), Framing())
    _, levels = mel_rows(signal, 64)
    expected = librosa.feature.mfcc(S=levels, n_mfcc=21)[1:]
    np.testing.assert_allclose(mfcc_rows(signal, 64, 20), expected, atol=1e-3)


def test_stretch_is_what_the_whole_shows_there():
    samples = np.concatenate((sine(200, 5.0), sine(400, 5.0), sine(300, 5.0)))
    part = Signal(record(samples), Framing(1024, 256, start=5.0, length=5.0))
    assert (part.start, part.end) == (5.0, 10.0)
    assert part.pitch[1][5:-5] == pytest.approx(400, rel=0.02)
    # Frames reach beyond the stretch into the recording, not into zeros.
    edge = part.power[0]
    assert edge.sum() > 0.5 * part.power[part.power.shape[0] // 2].sum()
    assert Signal(record(samples), Framing(start=14.0, length=99.0)).end == 15.0


@pytest.mark.parametrize("hours", [1 / 6, 4])
def test_work_and_size_are_bounded_whatever_the_length(tmp_path: Path, hours):
    n_samples = round(hours * 3600 * RATE)
    mapped = np.memmap(tmp_path / "samples", dtype=np.float32, mode="w+", shape=(1, n_samples))
    mapped[0, -RATE:] = sine(300, 1.0)
    recording = Recording(mapped, RATE, ("mix",), record(np.zeros(1)).provenance)
    import tracemalloc

    tracemalloc.start()
    figure = signal_figure(recording, VIEWS, SignalSettings(Framing(2048, 64)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
    for trace in figure.data:
        if trace.type == "heatmap":
            assert trace.z.shape[0] <= MAX_ROWS
            assert trace.z.shape[1] <= MAX_COLUMNS
            assert trace.x0 + trace.dx * (trace.z.shape[1] - 0.5) > hours * 3600 - 1e-6
        else:
            assert len(trace.x) <= 2 * MAX_ENVELOPE
            assert trace.x[-1] == pytest.approx(hours * 3600, abs=10)
    by_name = {trace.name: trace for trace in figure.data}
    assert by_name["F0"].y[-1] == pytest.approx(300, rel=0.01)
    assert by_name["Level"].y[-1] > -30
    assert len(figure.to_json()) < 2e6


@pytest.mark.parametrize("n_samples", [1, 2, 15, 100, 512, 1024, 5000])
def test_very_short_recordings_give_finite_figures(n_samples, rng):
    figure = signal_figure(record(rng.normal(0, 0.1, n_samples)))
    assert len(figure.data) == len(VIEWS)
    for trace in figure.data:
        values = trace.z if trace.type == "heatmap" else trace.y
        assert len(values) >= 1
        if trace.name != "F0":
            assert np.isfinite(np.asarray(values, dtype=float)).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_silence_and_full_scale_give_figures(value):
    figure = signal_figure(record(np.full(RATE, value)))
    json.loads(figure.to_json())
    (f0,) = (trace for trace in figure.data if trace.name == "F0")
    assert np.isnan(f0.y).all()


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_other_sampling_rates(rate):
    signal = Signal(record(sine(440, 2.0, rate=rate), rate=rate), Framing(2048, 512))
    assert np.nanmedian(signal.pitch[1]) == pytest.approx(440, rel=0.01)
    assert loudest_row(signal, 10) == pytest.approx(440, abs=2.5 * rate / 2048)  # a row has four bins
    figure = signal_figure(record(sine(440, 2.0, rate=rate), rate=rate))
    assert figure.layout.yaxis2.range[1] == rate / 2


# What is drawn


def test_all_views_share_one_time_axis_with_titles_units_and_hover():
    figure = signal_figure(record(sine(220, 3.0)))
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert [trace.yaxis for trace in figure.data] == ["y", *(f"y{i}" for i in range(2, 9))]
    assert figure.layout.xaxis.title.text == "Time (s)"
    assert figure.layout.xaxis.range == (0, 3)
    assert figure.layout.xaxis.anchor == "y8"
    titles = [axis.title.text for axis in figure.select_yaxes()]
    assert titles == [
        "Amplitude", "Frequency (Hz)", "Mel band (Hz)", "Frequency (Hz)", "Coefficient", "Pitch class",
        "F0 (Hz)", "RMS (dBFS)",
    ]  # fmt: skip
    assert all("%{x:" in trace.hovertemplate for trace in figure.data)
    domains = [axis.domain for axis in figure.select_yaxes()]
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
    panels = [annotation.text for annotation in figure.layout.annotations]
    assert len(panels) == len(VIEWS)


def test_views_come_in_one_order_and_alone():
    figure = signal_figure(record(sine(220, 1.0)), ["energy", "mel", "waveform"])
    assert [trace.name or trace.type for trace in figure.data] == ["Waveform", "heatmap", "Level"]
    for view in VIEWS:
        figure = signal_figure(record(sine(220, 1.0)), [view])
        assert len(figure.data) == 1
        assert figure.layout.height > 150
    assert set(VIEW_NAMES) == set(VIEWS)


def test_frequencies_can_be_read_off_the_uneven_axes():
    figure = signal_figure(record(sine(1000, 2.0)), ["mel", "log"])
    for trace, axis in zip(figure.data, figure.select_yaxes(), strict=True):
        column = trace.z[:, trace.z.shape[1] // 2]
        name = trace.y[column.argmax()]
        assert float(re.fullmatch(r"([\d.]+) Hz", name)[1]) == pytest.approx(1000, rel=0.06)
        tick = axis.tickvals[list(axis.ticktext).index("1000")]
        assert tick == pytest.approx(column.argmax(), abs=1.5)
        assert len(set(trace.y)) == len(trace.y)


def test_level_range_and_bands_reach_the_figure():
    settings = SignalSettings(n_mels=40, n_mfcc=12, db_range=(-70, -20))
    figure = signal_figure(record(sine(220, 1.0)), ["mel", "mfcc"], settings)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-70, -20)
    assert figure.data[0].z.shape[0] == 40
    assert figure.data[1].z.shape[0] == 12


def test_figures_follow_the_theme_of_the_page():
    for figure in (signal_figure(record(sine(220, 1.0))), timeline_figure(analysis())):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        text = json.loads(figure.to_json())["layout"]
        text.pop("template", None)
        assert '"font": {"color"' not in json.dumps(text)


# Settings outside their domains


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Framing(n_fft=1000), r"FFT size is 1000, expected one of \(256, 512"),
        (lambda: Framing(hop_length=15), "hop is 15 samples, expected 16 to the FFT size of 1024"),
        (lambda: Framing(n_fft=256, hop_length=257), "expected 16 to the FFT size of 256"),
        (lambda: Framing(start=-1), "starts at -1 s"),
        (lambda: Framing(start=float("nan")), "starts at nan s"),
        (lambda: Framing(length=0), "is 0 s long"),
        (lambda: SignalSettings(n_mels=129), "mel bands is 129, expected 16 to 128"),
        (lambda: SignalSettings(n_mels=20, n_mfcc=20), "MFCC is 20, expected 1 to 19"),
        (lambda: SignalSettings(db_range=(-10, -90)), "level range is -10 to -90 dBFS"),
        (lambda: SignalSettings(db_range=(-130, -10)), "within -120 to 0"),
        (lambda: signal_figure(record(np.zeros(100)), ["waves"]), r"views are \['waves'\], expected one or"),
        (lambda: signal_figure(record(np.zeros(100)), []), r"views are \[\]"),
        (lambda: Signal(record(np.zeros(100)), Framing(channel=1)), "channel 1 does not exist"),
        (
            lambda: Signal(record(np.zeros(100)), Framing(start=5)),
            r"starts at 5 s, but 'test' lasts 0\.006 s",
        ),
        (lambda: aggression_figure(analysis(), channel=1), "channel 1 does not exist, expected 0 to 0"),
    ],
)
def test_settings_outside_their_domain(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


# Results


def analysis(duration: float = 60.0, *, speech: bool = True, step: float = 0.5) -> Analysis:
    """Return a result with speech in 5 to 20 s and 30 s to the end, and one event from 34 to 40 s."""
    times = (np.arange(round(duration / step)) + 0.5) * step
    aggression = np.where((times > 34) & (times < 40), 0.9, 0.2)
    emotions = np.tile([0.3, 0.1, 0.05, 0.05, 0.3, 0.1, 0.05, 0.05], (len(times), 1))
    spoken = ((times > 5) & (times < 20)) | (times > 30) if speech else np.zeros(len(times), bool)
    aggression[~spoken] = np.nan
    emotions[~spoken] = np.nan
    curve = Curve(step, times, aggression, emotions)
    spans = (Span(5.0, 20.0), Span(30.0, duration)) if speech else ()
    track = Track("mix", Quality(()), spans, no_windows(), curve, Trend("steady", 0.0))
    events = (Event(34.0, 40.0, 0.9, 36.25, 0.9, "angry"),) if speech else ()
    return Analysis(
        record(np.zeros(1)).provenance, duration, (track,), events, ModelInfo("test", "0" * 64, 0.6), {}
    )


def traces(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


def test_aggression_figure_shows_gaps_threshold_events_and_speech():
    drawn = traces(aggression_figure(analysis()))
    curve = drawn["Aggression score"]
    times, scores = np.asarray(curve.x), np.asarray(curve.y, dtype=float)
    assert np.isnan(scores[(times > 20) & (times < 30)]).all()
    assert scores[(times > 34) & (times < 40)] == pytest.approx(0.9)
    assert curve.connectgaps is False
    threshold = drawn["Threshold 0.60"]
    assert set(threshold.y) == {0.6}
    assert threshold.line.dash == "dash"
    assert (min(x for x in drawn["Event"].x if x), max(x for x in drawn["Event"].x if x)) == (34.0, 40.0)
    assert list(drawn["Speech"].x) == [5, 5, 20, 20, 5, None, 30, 30, 60, 60, 30, None]
    assert max(y for y in drawn["Speech"].y if y is not None) < 0
    peak = drawn["Event's peak"]
    assert (peak.x[0], peak.y[0], peak.text[0]) == (36.25, 0.9, "1")
    assert peak.customdata[0][3] == "angry"


def test_threshold_in_force_is_the_one_the_events_were_marked_with():
    from dataclasses import replace

    assert "Threshold 0.35" in traces(aggression_figure(replace(analysis(), settings={"threshold": 0.35})))
    assert "Threshold 0.60" in traces(aggression_figure(replace(analysis(), settings={"threshold": None})))


def test_emotions_sum_to_a_hundred_and_drop_in_gaps():
    figure = emotions_figure(analysis())
    assert [trace.name for trace in figure.data] == [emotion.capitalize() for emotion in EMOTIONS]
    x = np.asarray(figure.data[0].x)
    total = np.sum([trace.y for trace in figure.data], axis=0)
    assert set(np.round(total, 6)) == {0.0, 100.0}
    inside = ((x > 5) & (x < 20)) | ((x > 30) & (x < 60))
    assert total[inside] == pytest.approx(100)
    assert not ((x > 20) & (x < 30)).any()
    assert [(x[i], total[i]) for i in (0, -1)] == [(5.0, 0.0), (60.0, 0.0)]
    at_twenty, at_thirty = total[x == 20.0], total[x == 30.0]
    assert sorted(at_twenty) == sorted(at_thirty) == pytest.approx([0.0, 100.0])


def test_emotions_can_be_told_apart_without_colour():
    assert set(EMOTION_COLOURS) == set(EMOTION_PATTERNS) == set(EMOTIONS)
    assert len(set(EMOTION_COLOURS.values())) == len(set(EMOTION_PATTERNS.values())) == 8
    for trace, emotion in zip(emotions_figure(analysis()).data, EMOTIONS, strict=True):
        assert trace.fillcolor == EMOTION_COLOURS[emotion]
        assert trace.fillpattern.shape == EMOTION_PATTERNS[emotion]


def test_timeline_puts_both_on_one_axis():
    figure = timeline_figure(analysis())
    assert {trace.xaxis for trace in figure.data} == {"x"}
    assert {trace.yaxis for trace in figure.data} == {"y", "y2"}
    assert figure.layout.showlegend
    assert figure.layout.xaxis.range == (0, 60)
    assert figure.layout.title.text == "Where the voice sounds angry"


@pytest.mark.parametrize("make", [aggression_figure, emotions_figure, timeline_figure])
def test_without_speech_the_figure_says_so(make):
    figure = make(analysis(speech=False))
    assert any("no score" in annotation.text for annotation in figure.layout.annotations)
    json.loads(figure.to_json())


def test_hours_are_drawn_with_bounded_points_and_their_highest_scores():
    whole = analysis(4 * 3600.0)
    figure = timeline_figure(whole)
    assert all(trace.x is None or len(trace.x) < 1600 for trace in figure.data)
    curve = traces(figure)["Aggression score"]
    assert np.nanmax(np.asarray(curve.y, dtype=float)) == pytest.approx(0.9)
    assert curve.x[-1] == pytest.approx(4 * 3600, abs=10)
    total = np.sum([trace.y for trace in emotions_figure(whole).data], axis=0)
    assert total.max() == pytest.approx(100)


def test_channels_are_named_when_there_are_several():
    from dataclasses import replace

    one = analysis()
    two = replace(one, tracks=one.tracks * 2, events=(replace(one.events[0], channel=1),))
    assert aggression_figure(two, 1).layout.title.text.endswith("channel 2 of 2")
    assert len(traces(aggression_figure(two, 0))["Event's peak"].x) == 0
    assert len(traces(aggression_figure(two, 1))["Event's peak"].x) == 1
