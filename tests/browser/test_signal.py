"""The Signal page in a real browser: a click in the figure is heard, a drag zooms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import Hearing, go_to, open_sample, settle, still, wait_until

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]

SOUND = "audio[aria-label='Sound of the recording']"
RANGE = "document.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)"


def test_click_to_hear(new_page: OpenPage, shoot: Shoot) -> None:
    page = new_page()
    open_sample(page)
    go_to(page, "Signal")
    panels = page.locator(".js-plotly-plot .nsewdrag")
    panels.nth(3).wait_for()
    settle(page)
    assert panels.count() == 4
    audio = page.locator(SOUND)
    audio.wait_for(state="attached")
    hearing = Hearing(page, SOUND)
    # A heat map (the second panel), where Streamlit's own events know nothing.
    for number in (1, 3):
        still(page, panels.nth(number))
        panels.nth(number).click()  # in its middle, scrolled to
        start, end = page.evaluate(RANGE)
        middle = (start + end) / 2
        hearing.plays_from(middle - 0.2, middle + 0.2)
        audio.evaluate("sound => sound.pause()")
    cursor = page.locator(".blipper-cursor")
    cursor.wait_for(state="visible")
    shoot(page, "signal-heard")

    audio.evaluate("sound => { sound.currentTime = 0.5 }")
    box = still(page, panels.nth(1))
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 60, steps=5)
    page.mouse.up()

    def shown() -> tuple[float, float]:
        start, end = page.evaluate(RANGE)
        return start, end

    wait_until(page, lambda: shown()[1] - shown()[0] < 0.6 * (end - start), "the drag does not zoom")
    page.wait_for_timeout(600)
    assert audio.evaluate("sound => sound.paused")  # a drag zooms and plays nothing
    hearing.forget()
    box = still(page, panels.nth(0))
    first, last = shown()
    panels.nth(0).click(position={"x": 0.25 * box["width"], "y": 0.5 * box["height"]})
    wanted = first + 0.25 * (last - first)  # the click follows the zoom
    hearing.plays_from(wanted - 0.2, wanted + 0.2)
