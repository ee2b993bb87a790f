"""The Costs page through Streamlit's AppTest."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from blipper import costs
from blipper.costs import CLOUD_PRICES, Volume
from blipper.figures.costs import costs_figure
from ui.costs_view import duration, priced

APP = Path(__file__).resolve().parent.parent / "app.py"


def open_page() -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=300).run().switch_page("pages/costs.py").run()
    assert not page.exception, page.exception
    return page


def metric(page: AppTest, label: str) -> str:
    return next(element.value for element in page.metric if element.label.startswith(label))


def test_before_the_measurement_the_page_says_what_to_do() -> None:
    page = open_page()
    assert any("Measure this machine" in info.value for info in page.info)
    assert metric(page, "To judge 16,667 events") == "3.9 days"  # 1667 h, ten an hour, 20 s each


def test_this_machine_is_measured_and_the_volume_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MEASURED", 60.0)
    page = open_page()
    page.button(key="costs_measure").click().run()
    deadline = time.monotonic() + 300
    while not page.metric or not any(element.label == "Times real time" for element in page.metric):
        assert time.monotonic() < deadline, "the measurement did not end"
        time.sleep(0.3)
        page.run()
        assert not page.exception, page.exception
    page.number_input(key="costs_workers").set_value(1)
    one = float(metric(page.run(), "Times real time").replace(",", ""))
    page.number_input(key="costs_workers").set_value(10)
    page.number_input(key="costs_price").set_value(2.0)
    page.run()
    assert float(metric(page, "Times real time").replace(",", "")) == pytest.approx(10 * one, rel=0.02)
    hours = 100_000 / 60 / (10 * one)
    assert float(metric(page, "Machine").lstrip("$").replace(",", "")) == pytest.approx(2 * hours, rel=0.05)


def test_prices_are_sorted_and_unfinished_rows_left_out() -> None:
    rows = [
        {"Service": "b", "USD a minute": 0.02},
        {"Service": "a", "USD a minute": 0.01},
        {"Service": None, "USD a minute": 0.01},
        {"Service": "c", "USD a minute": None},
        {"Service": "d", "USD a minute": float("nan")},
    ]
    assert priced(rows, Volume(100)) == [("a", 1.0), ("b", 2.0)]


@pytest.mark.parametrize(
    ("hours", "words"), [(0.005, "18 s"), (0.5, "30 min"), (3.25, "3.2 h"), (1667, "69.5 days")]
)
def test_durations_in_words(hours: float, words: str) -> None:
    assert duration(hours) == words


def test_the_chart_sets_the_machine_apart_without_colour() -> None:
    cloud = [(price.service, price.per_minute * 1000) for price in CLOUD_PRICES]
    figure = costs_figure([("Blipper, this machine", 1.5)], cloud)
    own, other = figure.data
    assert own.marker.pattern.shape != other.marker.pattern.shape
    assert list(own.text) == ["$1.50"]
    assert figure.layout.xaxis.title.text == "US dollars"
    assert list(figure.layout.yaxis.categoryarray)[-1] == "Blipper, this machine"
    assert not costs_figure([], []).data
