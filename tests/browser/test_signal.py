"""The Signal page in a real browser: a click in the figure is heard, a drag zooms."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]

RANGE = "document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)"


def test_click_to_hear(new_page: OpenPage, shoot: Shoot) -> None:
    page = new_page()
    page.get_by_text("Sample", exact=True).click()
    page.get_by_role("button", name="Open the sample").click()
    page.get_by_role("heading", name=re.compile("worth a listen")).wait_for(timeout=120_000)
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    page.get_by_role("link", name="Signal").click()
    panels = page.locator(".js-plotly-plot .nsewdrag")
    panels.nth(3).wait_for(timeout=60_000)
    assert panels.count() == 4
    audio = page.locator("audio[aria-label='Sound of the recording']")
    audio.wait_for()
    # A heat map (the second panel), where Streamlit's own events know nothing.
    for number in (1, 3):
        panels.nth(number).click(timeout=30_000)  # in its middle, scrolled to
        page.wait_for_function("sound => !sound.paused && sound.currentTime > 0", arg=audio.element_handle())
        start, end = page.evaluate(
            "document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)"
        )
        middle = (start + end) / 2
        assert middle - 0.2 < now(audio) < middle + 3
        audio.evaluate("sound => sound.pause()")
    cursor = page.locator(".blipper-cursor")
    cursor.wait_for(state="visible")
    shoot(page, "signal-heard")

    audio.evaluate("sound => { sound.currentTime = 0.5 }")
    panels.nth(1).scroll_into_view_if_needed()
    box = panels.nth(1).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 60, steps=5)
    page.mouse.up()
    page.wait_for_timeout(600)
    assert audio.evaluate("sound => sound.paused")  # a drag zooms and plays nothing
    zoomed = page.evaluate(RANGE)
    assert zoomed[1] - zoomed[0] < 0.6 * (end - start)
    panels.nth(0).scroll_into_view_if_needed()
    box = panels.nth(0).bounding_box()
    assert box is not None
    panels.nth(0).click(position={"x": 0.25 * box["width"], "y": 0.5 * box["height"]})
    page.wait_for_function("sound => !sound.paused", arg=audio.element_handle())
    wanted = zoomed[0] + 0.25 * (zoomed[1] - zoomed[0])  # the click follows the zoom
    assert wanted - 0.2 < now(audio) < wanted + 3


def now(audio: Any) -> float:
    return float(audio.evaluate("sound => sound.currentTime"))
