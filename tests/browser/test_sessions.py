"""What one browser session holds ends with it."""

from __future__ import annotations

import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import PATIENCE, arrive, go_to, open_page, open_sample, sound, uploader
from ui.endings import GRACE, INTERVAL
from ui.intake import SAMPLE

pytestmark = pytest.mark.browser

#: Seconds after which it must have ended. Streamlit by itself takes more than two minutes, and a busy machine
#: is late; tests/ui/test_endings.py holds the watcher to its own time.
LATEST = GRACE + 60


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_closing_the_tab_ends_what_it_held(browser: Any, app_url: str) -> None:
    before = set(Path(tempfile.gettempdir()).glob("blipper-batch-*"))
    page = open_page(browser)
    page.goto(app_url)
    arrive(page, "Review")
    open_sample(page)
    heard = sound(page, "a.src")
    assert status(heard) == 200
    go_to(page, "Batch")
    uploader(page).set_input_files(SAMPLE)
    page.get_by_text("1 recording added").wait_for()
    (folder,) = set(Path(tempfile.gettempdir()).glob("blipper-batch-*")) - before
    page.context.close()
    closed = time.monotonic()
    while status(heard) == 200:
        assert time.monotonic() - closed < LATEST, "the sound outlived its tab"
        time.sleep(0.5)
    while folder.exists():
        assert time.monotonic() - closed < LATEST, "the uploads of a batch outlived their tab"
        time.sleep(0.5)
    assert time.monotonic() - closed > GRACE - 2 * INTERVAL, "a connection that stumbles must not lose all"
