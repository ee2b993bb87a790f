"""The Explain page in a real browser: an event, a clicked moment, another emotion, only what mattered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser import driving
from tests.browser.driving import choose, fits, go_to, settle, still, wait_until

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]


def open_sample(page: Any) -> None:
    """Open the sample, then the page."""
    driving.open_sample(page)
    page.get_by_role("heading", name=re.compile("worth a listen")).wait_for()
    go_to(page, "Explain")
    page.get_by_role("heading", name="Hear only what mattered").wait_for()
    settle(page)


def metric(page: Any, label: str) -> str:
    found = page.locator("[data-testid=stMetric]").filter(has_text=label)
    return str(found.locator("[data-testid=stMetricValue]").inner_text())


def test_explain_an_event(new_page: OpenPage, shoot: Shoot) -> None:
    page = new_page()
    open_sample(page)
    page.get_by_text(re.compile("^Compared with neutral speech")).wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Explanation (JSON)").click()
    found = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    assert metric(page, "Score") == f"{found['score']:.2f}"
    assert found["total"] == pytest.approx(
        found["log_odds"] - found["compared_with"]["log_odds"], abs=found["completeness_error"] + 1e-6
    )
    assert sum(map(sum, found["values"])) == pytest.approx(found["total"], abs=0.01)

    # Both sounds play.
    page.wait_for_function(
        "(all => all.length > 1 && all.every(a => a.duration > 0.5))([...document.querySelectorAll('audio')])"
    )
    audio = page.locator("audio").nth(1)
    audio.evaluate("a => a.play()")
    page.wait_for_function("document.querySelectorAll('audio')[1].currentTime > 0.2")
    assert audio.evaluate("a => a.error") is None
    shoot(page, "explain-1440-light")

    # Another emotion.
    before = metric(page, "Contributions")
    choose(page, "Score", "Sad")
    page.get_by_text(re.compile('"sad"')).first.wait_for()
    wait_until(page, lambda: metric(page, "Contributions") != before, "the contributions stay")


def test_a_click_on_the_curve_chooses_a_moment(new_page: OpenPage) -> None:
    page = new_page()
    open_sample(page)
    page.get_by_role("radio", name="A moment").or_(page.get_by_role("button", name="A moment")).first.click()
    page.get_by_text("click a point to explain it").wait_for()
    settle(page)
    field = page.get_by_role("spinbutton", name=re.compile("Time"))
    before = field.input_value()
    chart = page.locator(".js-plotly-plot").first
    box = still(page, chart.locator(".scatterlayer .points path").nth(2))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chart.locator(".hoverlayer .hovertext").first.wait_for()  # a click takes the point that a move found
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "before => document.querySelector('input[aria-label^=\"Time\"]').value !== before", arg=before
    )
    assert float(field.input_value()) < 15


def test_on_a_phone_nothing_is_wider_than_the_screen(new_page: OpenPage, shoot: Shoot) -> None:
    page = new_page(width=390, height=844, theme="dark")
    open_sample(page)
    page.get_by_role("button", name="Change the sound").click()
    page.get_by_text("An open circle is the step").wait_for()
    fits(page)
    shoot(page, "explain-390-dark")
