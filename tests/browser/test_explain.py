"""The Explain page in a real browser: an event, a clicked moment, another emotion, only what mattered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]


def open_sample(page: Any) -> None:
    """Open the sample, then the page, from the menu, which a phone hides behind a button."""
    size = page.viewport_size
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_text("Sample", exact=True).click()
    page.get_by_role("button", name="Open the sample").click()
    page.get_by_role("heading", name=re.compile("worth a listen")).wait_for(timeout=120_000)
    # Its player has loaded, so that leaving the page breaks nothing off.
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    page.get_by_role("link", name="Explain").click()
    page.get_by_role("heading", name="Explain", exact=True).wait_for()
    page.set_viewport_size(size)
    page.get_by_role("heading", name="Hear only what mattered").wait_for(timeout=120_000)
    page.wait_for_timeout(800)


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
    page.wait_for_function("[...document.querySelectorAll('audio')].every(a => a.duration > 0.5)")
    audio = page.locator("audio").nth(1)
    audio.evaluate("a => a.play()")
    page.wait_for_function("document.querySelectorAll('audio')[1].currentTime > 0.2")
    assert audio.evaluate("a => a.error") is None
    shoot(page, "explain-1440-light")

    # Another emotion.
    before = metric(page, "Contributions")
    page.get_by_role("combobox", name=re.compile("Score")).click()
    page.get_by_role("option", name="Sad").click()
    page.get_by_text(re.compile('"sad"')).first.wait_for()
    assert metric(page, "Contributions") != before


def test_a_click_on_the_curve_chooses_a_moment(new_page: OpenPage) -> None:
    page = new_page()
    open_sample(page)
    page.get_by_role("radio", name="A moment").or_(page.get_by_role("button", name="A moment")).first.click()
    page.get_by_text("click a point to explain it").wait_for()
    page.wait_for_timeout(1500)
    field = page.get_by_role("spinbutton", name=re.compile("Time"))
    before = field.input_value()
    chart = page.locator(".js-plotly-plot").first
    chart.scroll_into_view_if_needed()
    points = chart.locator(".scatterlayer .points path")
    box = points.nth(2).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(200)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "before => document.querySelector('input[aria-label^=\"Time\"]').value !== before", arg=before
    )
    assert float(field.input_value()) < 15


def test_on_a_phone_nothing_is_wider_than_the_screen(new_page: OpenPage, shoot: Shoot) -> None:
    page = new_page(width=390, height=844, theme="dark")
    open_sample(page)
    page.get_by_role("button", name="Change the sound").click()
    page.get_by_text("An open circle is the step").wait_for(timeout=120_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, "explain-390-dark")
