"""``tools/event_settings.py``: where events begin and end, and what surroundings add, on known curves."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.fusion import EventSettings
from blipper.results import Curve, Span
from blipper.voice.labels import EMOTIONS
from tools import event_settings
from tools.event_settings import Heard


def heard(values: list[float], angry: Span) -> Heard:
    scores = np.array(values)
    curve = Curve(
        0.5, (np.arange(len(scores)) + 0.5) * 0.5, scores, np.full((len(scores), len(EMOTIONS)), 0.1)
    )
    duration = len(scores) * 0.5
    return Heard(curve, (Span(0.0, duration),), (angry,), duration)


#: Anger from 10 to 20 s, of which the model is sure in the first 3 s alone, and a short slip at 5 s.
CALL = [0.02] * 9 + [0.7] * 2 + [0.02] * 9 + [0.95] * 6 + [0.3] * 14 + [0.02] * 20


def test_an_event_that_ends_late_finds_the_stretch() -> None:
    calls = [heard(CALL, Span(10, 20))]
    early = event_settings.at(calls, EventSettings(onset=0.5, release=0.4))
    late = event_settings.at(calls, EventSettings(onset=0.5, release=0.2))
    assert (early.precision, early.recall, early.f1) == (0.5, 0.0, 0.0)
    assert (late.precision, late.recall, late.f1) == (0.5, 1.0, pytest.approx(2 / 3))
    assert early.alarms == late.alarms == pytest.approx(3600 / 20)
    assert event_settings.recall_at(calls, 180, EventSettings(release=0.2, rise=0.0)) == 1.0


def test_an_event_that_begins_early_finds_the_stretch() -> None:
    calls = [heard(CALL[::-1], Span(10, 20))]
    sudden = event_settings.at(calls, EventSettings(onset=0.5, release=0.2, rise=0.0))
    risen = event_settings.at(calls, EventSettings(onset=0.5, release=0.2, rise=3.0))
    assert (sudden.recall, risen.recall) == (0.0, 1.0)
    assert sudden.alarms == risen.alarms


def test_surroundings_take_a_slip_back_and_leave_pauses_alone() -> None:
    [plain] = [heard(CALL, Span(10, 20))]
    plain.curve.aggression[14:18] = np.nan
    [wide] = event_settings.around([plain], 2.0)
    before, after = plain.curve.aggression, wide.curve.aggression
    np.testing.assert_array_equal(np.isnan(before), np.isnan(after))
    assert before[9:11].min() == 0.7
    assert after[9:11].max() < 0.3
    assert after[20:26].min() > 0.5  # the threshold


def test_the_brier_score_is_over_spoken_cells_alone() -> None:
    calls = [heard([0.1] * 10 + [0.8] * 10, Span(5, 10)), heard([0.2] * 20, Span(2, 3))]
    expected = (10 * 0.01 + 10 * 0.04 + 18 * 0.04 + 2 * 0.64) / 40
    assert event_settings.brier(calls) == pytest.approx(expected)
    calls[1].curve.aggression[:] = np.nan
    assert event_settings.brier(calls) == pytest.approx(0.025)


def test_a_row_has_what_the_header_names() -> None:
    calls = [heard(CALL, Span(10, 20)), heard([0.02] * 60, Span(0, 5))]
    rows = list(event_settings.rows({"stretches": calls, "single clips": calls}))
    tool = event_settings
    assert len(rows) == sum(map(len, (tool.RELEASES, tool.REACHES, tool.RISES, tool.SHORTEST)))
    columns = event_settings.HEADER.splitlines()[0].count("|")
    assert {row.count("|") for row in rows} == {columns}
    first = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert first[:5] == ["events end below 0.4", "0.000", "0.500", "0.000", f"{3600 / 45:.1f}"]
