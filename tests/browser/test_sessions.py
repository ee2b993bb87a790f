"""What one browser session holds ends with it."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from ui.endings import GRACE, INTERVAL

pytestmark = pytest.mark.browser


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_closing_the_tab_ends_what_it_held(browser: Any, app_url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(app_url)
    page.get_by_text("Sample", exact=True).click()
    page.get_by_role("button", name="Open the sample").click()
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for(timeout=120_000)
    sound = page.locator(".player audio").evaluate("a => a.src")
    assert status(sound) == 200
    context.close()
    closed = time.monotonic()
    while status(sound) == 200:
        assert time.monotonic() - closed < GRACE + 5 * INTERVAL, "the sound outlived its tab"
        time.sleep(0.5)
    assert time.monotonic() - closed > GRACE - 2 * INTERVAL, "a connection that stumbles must not lose all"
