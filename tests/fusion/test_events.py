"""The curve, its events and its trend, on scores whose answer is known."""

import numpy as np
import pytest

from blipper.errors import SettingsError
from blipper.fusion import EventSettings, find_events, smooth, trend
from blipper.results import Curve, Span, Windows, no_windows
from blipper.voice.labels import EMOTIONS
from blipper.voice.windows import place_windows

ANGRY, NEUTRAL = EMOTIONS.index("angry"), EMOTIONS.index("neutral")


def scored(speech, aggression) -> Windows:
    """Score the windows over `speech` by a function of their middle."""
    placed = place_windows(speech)
    middles = np.array([(w.start + w.end) / 2 for w in placed])
    scores = np.array([aggression(m) for m in middles])
    emotions = np.zeros((len(placed), len(EMOTIONS)))
    emotions[:, ANGRY], emotions[:, NEUTRAL] = scores, 1 - scores
    return Windows(np.array([w.start for w in placed]), np.array([w.end for w in placed]), emotions, scores)


def curve_of(values, step=0.5) -> Curve:
    values = np.array(values, dtype=float)
    emotions = np.full((len(values), len(EMOTIONS)), np.nan)
    emotions[~np.isnan(values)] = 0.0
    emotions[:, ANGRY] = values
    return Curve(step, (np.arange(len(values)) + 0.5) * step, values, emotions)


def test_a_constant_stays_constant_and_pauses_are_nan():
    speech = (Span(1.0, 9.3), Span(12.0, 12.4))
    curve = smooth(scored(speech, lambda _: 0.7), speech, 15.0)
    assert len(curve.times) == 30
    spoken = ~np.isnan(curve.aggression)
    np.testing.assert_allclose(curve.aggression[spoken], 0.7)
    np.testing.assert_array_equal(np.flatnonzero(spoken), [*range(2, 19), 24])
    np.testing.assert_allclose(curve.emotions[spoken].sum(axis=1), 1.0)


def test_no_window_leaks_across_a_pause():
    speech = (Span(0.0, 5.0), Span(5.5, 10.0))
    curve = smooth(scored(speech, lambda t: float(t > 5.2)), speech, 10.0, surroundings=0)
    assert np.nanmax(curve.aggression[:10]) == 0.0
    assert np.nanmin(curve.aggression[11:]) == 1.0


def test_a_step_inside_a_span_is_found_within_a_second():
    speech = (Span(0.0, 30.0),)
    curve = smooth(scored(speech, lambda t: float(t >= 15)), speech, 30.0)
    crossing = curve.times[np.flatnonzero(curve.aggression >= 0.5)[0]]
    assert abs(crossing - 15) <= 1.0
    assert (np.diff(curve.aggression) >= -1e-9).all()


def test_no_speech_gives_a_curve_of_nan():
    curve = smooth(no_windows(), (), 2.2)
    assert len(curve.times) == 5
    assert np.isnan(curve.aggression).all()
    assert find_events(curve, ()) == ()
    assert trend(curve).label == "unknown"


def test_an_empty_recording():
    assert len(smooth(no_windows(), (), 0.0).times) == 0


def test_events_have_start_end_peak_mean_and_emotion():
    values = [0.1] * 10 + [0.6, 0.9, 0.6, 0.45] + [0.1] * 10
    (event,) = find_events(curve_of(values), (Span(0, 12),), settings=EventSettings(onset=0.5), channel=1)
    assert (event.start, event.end) == (5.0, 7.0)
    assert (event.peak, event.peak_time) == (0.9, 5.75)
    assert event.mean == pytest.approx(0.6375)
    assert event.emotion == "angry"
    assert event.channel == 1


def test_events_are_trimmed_to_speech():
    values = [np.nan, 0.8, 0.8, 0.8, np.nan]
    (event,) = find_events(curve_of(values), (Span(0.7, 1.83),), settings=EventSettings(onset=0.5))
    assert (event.start, event.end) == (0.7, 1.83)


def test_gaps_are_bridged_and_crumbs_dropped():
    nan = np.nan
    values = [0.8, 0.8, nan, nan, 0.8, 0.8] + [0.1] * 8 + [0.8] + [0.1] * 5
    speech = (Span(0, 1), Span(2, 10))
    (event,) = find_events(curve_of(values), speech, settings=EventSettings(onset=0.5, bridge=1.0))
    assert (event.start, event.end) == (0.0, 3.0)
    loose = EventSettings(onset=0.5, bridge=0.5, min_duration=0.5)
    assert len(find_events(curve_of(values), speech, settings=loose)) == 3


@pytest.mark.parametrize(("onset", "closing"), [(0.9, 0.2), (0.5, 0.2), (0.4, 0.2), (0.3, 0.15), (0.1, 0.05)])
def test_an_event_goes_on_until_the_score_says_nothing(onset, closing):
    settings = EventSettings(onset=onset)
    assert settings.closing == pytest.approx(closing)
    values = [0.01, onset, closing + 0.01, closing + 0.01, closing - 0.01, 0.01]
    (event,) = find_events(curve_of(values), (Span(0, 3),), settings=settings)
    assert (event.start, event.end) == (0.5, 2.0)


@pytest.mark.parametrize(("rising", "start"), [(0, 5.0), (2, 4.0), (6, 2.0), (9, 2.0)])
def test_an_event_begins_where_the_score_rose_but_not_long_before(rising, start):
    values = [0.1] * (10 - rising) + [0.3] * rising + [0.8, 0.8] + [0.1] * 4
    (event,) = find_events(curve_of(values), (Span(0, 8),), settings=EventSettings(onset=0.5))
    assert (event.start, event.end) == (start, 6.0)
    assert event.peak_time == 5.25
    plain = EventSettings(onset=0.5, rise=0.0)
    assert [e.start for e in find_events(curve_of(values), (Span(0, 8),), settings=plain)] == [5.0]


def test_a_higher_threshold_never_marks_more(rng):
    values = np.convolve(rng.random(400), np.ones(5) / 5, "same")
    speech = (Span(0, 200),)
    marked = [
        sum(e.duration for e in find_events(curve_of(values), speech, settings=EventSettings(onset=onset)))
        for onset in (0.3, 0.4, 0.5, 0.6, 0.7)
    ]
    assert marked == sorted(marked, reverse=True)
    assert marked[0] > marked[-1]


@pytest.mark.parametrize(
    "bad",
    [
        {"onset": 0.0},
        {"onset": 1.2},
        {"release": 0.9},
        {"rise": -1.0},
        {"min_duration": -1.0},
        {"bridge": -0.1},
    ],
)
def test_event_settings_outside_their_domain(bad):
    with pytest.raises(SettingsError, match="expected"):
        EventSettings(**bad)


def test_smoothing_outside_its_domain():
    with pytest.raises(SettingsError, match="above 0"):
        smooth(no_windows(), (), 1.0, step=0.0)


@pytest.mark.parametrize(
    ("values", "label"),
    [
        (np.linspace(0.1, 0.8, 240), "rising"),
        (np.linspace(0.8, 0.1, 240), "falling"),
        (np.full(240, 0.4), "steady"),
        (np.linspace(0.40, 0.45, 240), "steady"),  # significant, but too small to name
        (np.linspace(0.1, 0.8, 79), "unknown"),  # 39 s of speech say nothing about a trend
        (np.linspace(0.1, 0.8, 80), "rising"),
    ],
)
def test_trend(values, label):
    assert trend(curve_of(values)).label == label


def test_noise_has_no_trend(rng):
    assert trend(curve_of(rng.random(600))).label == "steady"


def talk_of(rng, duration, rise):
    """Give a curve of utterances that each sound otherwise, with log-odds that rise over the recording."""
    speech, start = [], 0.5
    while start < duration - 7:
        speech.append(Span(start, start + rng.uniform(1, 6)))
        start = speech[-1].end + rng.uniform(0.4, 2)
    levels = {span.start: rng.normal(-1 + rise * (span.start / duration - 0.5), 2) for span in speech}

    def score(time):
        span = next(span for span in speech if span.start <= time <= span.end)
        return 1 / (1 + np.exp(-levels[span.start] - rng.normal(0, 0.5)))

    return smooth(scored(speech, score), speech, duration)


@pytest.mark.parametrize("duration", [60.0, 120.0, 600.0])
def test_a_trend_is_seldom_named_where_there_is_none(rng, duration):
    """Utterances differ from each other, and windows of one are alike: that must not look like a trend."""
    named = [trend(talk_of(rng, duration, 0.0)).label != "steady" for _ in range(100)]
    assert sum(named) <= 13  # 5 of 100, and luck


def test_a_trend_is_found_where_there_is_one(rng):
    assert [trend(talk_of(rng, 300.0, 4.0)).label for _ in range(20)].count("rising") >= 18


def test_the_trend_ignores_pauses():
    values = np.linspace(0.1, 0.8, 240)
    values[60:120] = np.nan
    found = trend(curve_of(values))
    assert found.label == "rising"
    assert found.change == pytest.approx(0.7, abs=0.05)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("step", [0.1, 3.5, 10.0])
def test_a_trend_on_any_grid(step):
    values = np.linspace(0.1, 0.8, 60)
    found = trend(curve_of(values, step))
    assert found.label == ("rising" if 60 * step >= 40 else "unknown")
