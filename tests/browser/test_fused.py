"""Voice and words together in a real browser: curves apart, bars beside words, the slider, the cases."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.browser

#: In the sample somebody speaks calmly until 0:20, and angrily from 0:38 to 0:47.
SRT = """1
00:00:01,000 --> 00:00:08,000
You idiot, you will regret that you ever called here.

2
00:00:08,500 --> 00:00:12,000
تمام، شكرا لك

3
00:00:12,500 --> 00:00:20,000
Thank you, that is very kind of you.

4
00:00:30,000 --> 00:01:10,000
The parcel is in the hall.
"""


@pytest.fixture(scope="module")
def scored_url() -> Iterator[str]:
    """Start the app with words that are scored by a list."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    artifacts = ROOT / "artifacts"
    artifacts.mkdir(exist_ok=True)
    with (artifacts / "app-scored.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.browser.scored_app", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            url, deadline = f"http://localhost:{port}", time.monotonic() + 240
            while not answers(f"{url}/_stcore/health"):
                assert process.poll() is None, "the app ended by itself; see artifacts/app-scored.log"
                assert time.monotonic() < deadline, "the app did not answer"
                time.sleep(0.3)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=60)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def picture(page: Any) -> bytes:
    """Return what the lanes look like, in the middle of the curve alone."""
    page.wait_for_timeout(300)
    return bytes(page.locator(".player .stage").screenshot())


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_voice_and_words_are_shown_apart_and_weighed(
    browser: Any,
    scored_url: str,
    shoot: Callable[[Any, str], Path],
    tmp_path: Path,
    width: int,
    theme: str,
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    context.set_default_timeout(240_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(scored_url)
    page.get_by_text("Sample", exact=True).click()
    page.get_by_role("button", name="Open the sample").click()
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for()
    assert page.locator(".curves").is_hidden()  # one curve: nothing to tell apart
    (tmp_path / "call.srt").write_text(SRT, encoding="utf-8")
    page.locator("input[type=file]").last.set_input_files(str(tmp_path / "call.srt"))

    # The words are in the score: three curves, and who carried each event, in words.
    lines = page.locator(".lines li")
    lines.nth(3).wait_for()
    toggles = page.locator(".curves button")
    toggles.first.wait_for()
    assert toggles.all_text_contents() == ["Both together", "Voice", "Words"]
    rows = page.locator(".events tbody tr")
    threat = rows.filter(has_text="mostly the words")
    threat.first.wait_for()
    assert "sounds calm, hostile words" in threat.first.inner_text()
    assert "a threat can be spoken calmly" in threat.first.locator("td[title]").get_attribute("title")
    assert rows.filter(has_text="sounds angry, harmless words").count() >= 1

    # Each curve can be hidden, and the lanes change with it.
    seen = {picture(page)}
    for number in range(3):
        toggles.nth(number).click()
        assert toggles.nth(number).get_attribute("aria-pressed") == "false"
        seen.add(picture(page))
    assert len(seen) == 4
    for number in range(3):
        toggles.nth(number).click()
    assert picture(page) in seen
    page.locator(".player .stage").hover(position={"x": 30, "y": 160})
    tip = page.locator(".tip")
    tip.get_by_text("sounds calm, hostile words").wait_for()
    assert re.search(r"voice 0\.\d\d", tip.inner_text())
    assert "words 0.96" in tip.inner_text()

    # Sentiment and aggression beside each line, with the number on hover; Arabic runs from right to left.
    bars = page.locator(".lines .hostility")
    titles = [bar.get_attribute("title") for bar in bars.all()]
    assert [title.split(",")[0] for title in titles] == ["Verbal aggression 0.96"] + [
        "Verbal aggression 0.03"
    ] * 3
    assert "with the voice: sounds calm, hostile words" in titles[0]
    assert page.locator(".lines .sentiment").all_text_contents() == [
        "−negative",
        "○neutral",
        "+positive",
        "○neutral",
    ]
    assert "negative 0.80" in page.locator(".lines .sentiment").first.get_attribute("title")
    assert lines.nth(1).locator("p").evaluate("p => getComputedStyle(p).direction") == "rtl"
    shoot(page, f"fused-{width}-{theme}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")

    # The slider: at 0 the voice alone, so the threat is gone; back at once, without a model.
    slider = page.get_by_role("slider", name=re.compile("Voice ↔ words"))
    slider.focus()
    slider.press("Home")
    threat.first.wait_for(state="detached")
    page.get_by_role("button", name="Both alike").click()
    threat.first.wait_for()
    assert complaints == []
    context.close()
