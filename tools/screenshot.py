"""Take the README's picture anew: the Review page with the sample, from the running app in Chromium.

Run it from the checkout's root, with what requirements-dev.txt names and a system Chromium::

    python -m tools.screenshot [FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.driving import arrive, open_page, open_sample, settle, still, wait_for_sound
from tests.browser.driving import chromium as find_chromium
from tests.browser.server import ROOT, served

WIDTH, HEIGHT = 1240, 1310
#: Where the playhead stands, as a share of the recording: inside the second event.
_PLACE = 0.55


def main() -> None:
    """Start the app, open the sample, move the playhead and save the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "docs" / "screenshot.png")
    target = parser.parse_args().file
    executable = find_chromium()
    if executable is None:
        parser.error("needs a system Chromium: no chromium, chromium-browser or google-chrome on the PATH")
    with served("screenshot.log") as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = open_page(chromium, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(url)
        arrive(page, "Review")
        open_sample(page)
        settle(page)
        box = still(page, page.locator(".stage"))
        page.mouse.click(box["x"] + _PLACE * box["width"], box["y"] + 150)
        page.get_by_role("button", name="Pause").click()
        wait_for_sound(page, "a.paused")
        page.mouse.move(0, 0)
        page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
        page.wait_for_timeout(500)
        page.screenshot(path=target)
        chromium.close()


if __name__ == "__main__":
    main()
