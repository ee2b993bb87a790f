"""Windows over speech."""

from itertools import pairwise

import numpy as np
import pytest

from blipper.errors import SettingsError
from blipper.results import Span
from blipper.speech import SpeechSettings
from blipper.voice.windows import Margins, in_blocks, place_windows, windows_of


def test_a_short_utterance_is_one_window():
    assert place_windows([Span(1.0, 1.4)]) == (Span(1.0, 1.4),)
    assert place_windows([Span(1.0, 4.0)]) == (Span(1.0, 4.0),)


def test_a_long_one_gets_a_window_every_hop_and_one_at_its_end():
    windows = place_windows([Span(2.0, 6.2)], length=3.0, hop=0.5)
    assert [w.start for w in windows] == [2.0, 2.5, 3.0, 3.2]
    assert windows[-1].end == 6.2
    assert all(w.duration == pytest.approx(3.0) for w in windows)


def test_no_window_reaches_into_a_pause():
    speech = [Span(0.0, 5.0), Span(5.5, 5.8), Span(7.0, 20.3)]
    for window in place_windows(speech):
        assert any(span.start <= window.start and window.end <= span.end for span in speech)


def test_margins_reach_around_an_utterance_and_never_into_another():
    speech = [Span(0.2, 1.0), Span(1.15, 5.6), Span(8.0, 8.5)]
    windows = place_windows(speech, hop=1.0, margins=Margins(0.3, 0.1), duration=8.55)
    assert [(w.start, w.end) for w in windows] == [
        (0.0, 1.1),  # the recording begins there
        (1.0, 4.15),  # the utterance before ends there
        (2.15, 5.15),  # neither the first nor the last
        (2.6, 5.7),
        (7.7, 8.55),  # the recording ends there
    ]


def test_margins_leave_all_other_windows_as_they_are(rng):
    ends = np.round([(10 * i + rng.uniform(0, 4), 10 * i + rng.uniform(5, 9)) for i in range(9)], 2)
    speech = [Span(float(start), float(end)) for start, end in ends]
    narrow = place_windows(speech)
    wide = place_windows(speech, margins=Margins(0.3, 0.19))
    assert len(narrow) == len(wide)
    for one, other in zip(narrow, wide, strict=True):
        first = any(one.start == span.start for span in speech)
        last = any(abs(one.end - span.end) <= 0.011 for span in speech)
        assert other.start == pytest.approx(one.start - 0.3 * first)
        assert other.end == pytest.approx(one.end + 0.19 * last, abs=0.011 * last + 1e-6)


def test_margins_fit_the_pause_that_ends_an_utterance():
    assert Margins(0.3, 0.5).fitting(SpeechSettings()).after == pytest.approx(0.19)
    assert Margins(0.3, 0.1).fitting(SpeechSettings()) == Margins(0.3, 0.1)
    assert Margins(0.3, 0.5).fitting(SpeechSettings(pad=0.4, min_silence=0.3)) == Margins(0.3, 0.0)


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan"), "0.3", True, None])
def test_margins_that_are_none(bad):
    with pytest.raises(SettingsError, match=r"margin after is .*, expected 0 to 1 s"):
        Margins(0.3, bad)


def test_every_moment_of_speech_is_covered():
    windows = place_windows([Span(0.37, 41.93)], length=3.0, hop=0.7)
    assert windows[0].start == 0.37
    assert windows[-1].end == pytest.approx(41.93)
    assert all(b.start <= a.end for a, b in pairwise(windows))


@pytest.mark.parametrize(("length", "hop"), [(3.0, 0.5), (1.7, 0.3), (2.5, 0.1), (1.0, 1.0)])
def test_windows_from_a_number_on_are_the_same(rng, length, hop):
    for duration in [0.2, length, length + 0.01, length + hop, *rng.uniform(0.1, 20, 40)]:
        start = round(float(rng.uniform(0, 9)), 2)
        span = Span(start, round(start + float(duration), 2))
        whole = list(place_windows([span], length=length, hop=hop))
        for first in range(len(whole) + 3):
            assert windows_of(span, length=length, hop=hop, first=first) == whole[first:]


def test_no_speech_no_windows():
    assert place_windows([]) == ()


@pytest.mark.parametrize(("length", "hop"), [(3.0, 0.0), (3.0, 4.0), (3.0, -1.0)])
def test_bad_settings(length, hop):
    with pytest.raises(SettingsError, match="expected"):
        place_windows([Span(0, 1)], length=length, hop=hop)


def test_blocks_hold_all_windows_once_and_stay_short():
    windows = place_windows([Span(0.0, 100.0), Span(300.0, 301.0)])
    blocks = list(in_blocks(windows, 20.0))
    assert [w for block in blocks for w in block] == list(windows)
    assert all(block[-1].end - block[0].start <= 20.0 for block in blocks)
    assert list(in_blocks([], 20.0)) == []
