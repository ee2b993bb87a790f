"""What a volume would take."""

from __future__ import annotations

import dataclasses
import time
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper import costs
from blipper.costs import CLOUD_PRICES, Pace, Volume, estimate, measure_pace, review
from blipper.errors import BlipperError, SettingsError
from blipper.voice.models import load_model

SCENE = Path(__file__).resolve().parent.parent / "ui" / "sample" / "scene.ogg"
PACE = Pace("m", per_sound=0.002, per_speech=0.004, speech_share=0.5, seconds=60.0, repeats=3)


def test_the_estimate_by_hand() -> None:
    # 0.002 + 0.5 x 0.004 = 0.004 s of work a second: 250 times real time; 600 minutes are 10 h.
    got = estimate(PACE, Volume(600, speech_share=0.5, workers=2, hourly_price=3.0))
    assert got.times_real_time == pytest.approx(500)
    assert got.worker_hours == pytest.approx(10 / 250)
    assert got.hours == pytest.approx(10 / 500)
    assert got.price == pytest.approx(3 * 10 / 500)


def test_silence_costs_less_than_speech() -> None:
    quiet, busy = (estimate(PACE, Volume(600, speech_share=share)).hours for share in (0.0, 1.0))
    assert busy == pytest.approx(3 * quiet)


def test_the_review_by_hand() -> None:
    got = review(Volume(600), events_per_hour=6, seconds_per_event=30, hourly_wage=20)
    assert (got.events, got.hours, got.saved, got.price) == pytest.approx((60, 0.5, 9.5, 10))


def test_marking_everything_saves_nothing() -> None:
    assert review(Volume(60), events_per_hour=240, seconds_per_event=30, hourly_wage=0).saved == -1


def test_a_transcript_adds_to_every_second_of_speech() -> None:
    with_words = dataclasses.replace(PACE, engine="e", per_words=0.1)
    assert with_words.times_real_time(0.5) == pytest.approx(1 / (0.002 + 0.5 * 0.104))
    assert with_words.times_real_time(0.0) == PACE.times_real_time(0.0)


def test_an_engine_is_measured_on_some_of_the_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MEASURED", 40.0)
    monkeypatch.setattr(costs, "WRITTEN", 3.0)
    given: list[float] = []

    class Slow:
        name = "slow"

        def transcribe(self, recording, channel, speech, progress=None):  # type: ignore[no-untyped-def]
            given.append(sum(span.duration for span in speech))
            time.sleep(0.6)

    got = measure_pace(SCENE, load_model("mel-cnn"), engine=Slow(), repeats=1)  # type: ignore[arg-type]
    assert given == [pytest.approx(3.0)]
    assert got.engine == "slow"
    assert 0.2 <= got.per_words < 1.0


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"minutes": 0}, "0 minutes"),
        ({"minutes": float("nan")}, "nan minutes"),
        ({"minutes": 1, "speech_share": 1.1}, "1.1"),
        ({"minutes": 1, "workers": 0}, "workers is 0"),
        ({"minutes": 1, "hourly_price": -1.0}, "-1.0"),
    ],
)
def test_a_volume_outside_its_domain_is_refused(settings: dict[str, float], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Volume(**settings)  # type: ignore[arg-type]


def test_a_negative_wage_is_refused() -> None:
    with pytest.raises(SettingsError, match="wage is -1"):
        review(Volume(1), events_per_hour=1, seconds_per_event=1, hourly_wage=-1)


def test_this_machine_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MEASURED", 60.0)
    seen: list[tuple[str, float, float]] = []
    pace = measure_pace(SCENE, load_model("mel-cnn"), repeats=1, progress=lambda *step: seen.append(step))
    assert pace.model == "mel-cnn"
    assert 0.5 < pace.speech_share < 1
    assert pace.per_sound > 0
    assert pace.per_speech > 0
    assert seen[0] == ("measure", 0, 8)
    assert seen[-1] == ("measure", 8, 8)


def test_silence_cannot_be_measured_with(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    with pytest.raises(BlipperError, match="nobody speaks"):
        measure_pace(path, load_model("mel-cnn"))


def test_every_price_has_its_source_and_date() -> None:
    for price in CLOUD_PRICES:
        assert price.source.startswith("https://")
        assert 0 < price.per_minute < 1
        assert "2024" < price.seen <= str(date.today())
    prices = [price.per_minute for price in CLOUD_PRICES]
    assert prices == sorted(prices)
