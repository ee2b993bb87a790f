"""What one browser session holds ends with it."""

from __future__ import annotations

import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ui.endings import GRACE, INTERVAL
from ui.intake import SAMPLE

pytestmark = pytest.mark.browser


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_closing_the_tab_ends_what_it_held(browser: Any, app_url: str) -> None:
    before = set(Path(tempfile.gettempdir()).glob("blipper-batch-*"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(app_url)
    page.get_by_text("Sample", exact=True).click()
    page.get_by_role("button", name="Open the sample").click()
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for(timeout=120_000)
    sound = page.locator(".player audio").evaluate("a => a.src")
    assert status(sound) == 200
    page.get_by_role("link", name="Batch").click()
    page.locator("input[type=file]").set_input_files(SAMPLE)
    page.get_by_text("1 recording added").wait_for()
    (folder,) = set(Path(tempfile.gettempdir()).glob("blipper-batch-*")) - before
    context.close()
    closed = time.monotonic()
    while status(sound) == 200:
        assert time.monotonic() - closed < GRACE + 5 * INTERVAL, "the sound outlived its tab"
        time.sleep(0.5)
    while folder.exists():
        assert time.monotonic() - closed < GRACE + 5 * INTERVAL, "the uploads of a batch outlived their tab"
        time.sleep(0.5)
    assert time.monotonic() - closed > GRACE - 2 * INTERVAL, "a connection that stumbles must not lose all"
