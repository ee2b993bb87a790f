"""Voice and words together in a real browser: curves apart, bars beside words, the slider, the cases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import (
    arrive,
    fits,
    open_page,
    open_sample,
    settle,
    still,
    uploader,
    wait_until,
)
from tests.browser.server import served

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
    with served("app-scored.log", "tests.browser.scored_app") as url:
        yield url


def picture(page: Any) -> bytes:
    """Return what the lanes look like, in the middle of the curve alone."""
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
    page = open_page(browser, viewport={"width": width, "height": 900}, color_scheme=theme)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(scored_url)
    arrive(page, "Review")
    open_sample(page)
    assert page.locator(".curves").is_hidden()  # one curve: nothing to tell apart
    (tmp_path / "call.srt").write_text(SRT, encoding="utf-8")
    uploader(page, "Or add a transcript").set_input_files(tmp_path / "call.srt")

    # The words are in the score: three curves, and who carried each event, in words.
    lines = page.locator(".lines li")
    lines.nth(3).wait_for()
    toggles = page.locator(".curves button")
    toggles.first.wait_for()
    settle(page)
    assert toggles.all_text_contents() == ["Both together", "Voice", "Words"]
    rows = page.locator(".events tbody tr")
    threat = rows.filter(has_text="mostly the words")
    threat.first.wait_for()
    assert "sounds calm, hostile words" in threat.first.inner_text()
    assert "a threat can be spoken calmly" in threat.first.locator("td[title]").get_attribute("title")
    rows.filter(has_text="sounds angry, harmless words").first.wait_for()

    # Each curve can be hidden, and the lanes change with it.
    still(page, page.locator(".player .stage"))
    seen = {picture(page)}
    for number in range(3):
        toggles.nth(number).click()
        assert toggles.nth(number).get_attribute("aria-pressed") == "false"
        wait_until(page, lambda: picture(page) not in seen, "hiding a curve changes nothing")
        page.wait_for_timeout(300)
        seen.add(picture(page))
    assert len(seen) == 4
    for number in range(3):
        toggles.nth(number).click()
    wait_until(page, lambda: picture(page) in seen, "the curves do not come back")
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
    fits(page)

    # The slider: at 0 the voice alone, so the threat is gone; back at once, without a model.
    slider = page.get_by_role("slider", name=re.compile("Voice ↔ words"))
    slider.focus()
    slider.press("Home")
    threat.first.wait_for(state="detached")
    page.get_by_role("button", name="Both alike").click()
    threat.first.wait_for()
    assert complaints == []
    page.context.close()
