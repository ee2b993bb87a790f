"""Voice and words together in a real browser: curves apart, bars beside words, the slider, the cases."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import fits, open_sample, settle, still, uploader, wait_until

pytestmark = pytest.mark.browser

#: In the sample somebody speaks calmly until 0:20, and angrily from 0:38 to 0:47.
SRT = """1
00:00:01,000 --> 00:00:08,000
You worthless idiot, you will regret that you ever called here.

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


def test_voice_and_words_are_shown_apart_and_weighed(
    new_page: Callable[..., Any], shoot: Callable[[Any, str], Path], tmp_path: Path
) -> None:
    page = new_page(theme="dark")
    open_sample(page)
    page.get_by_text("There is no transcript of this recording yet").wait_for()
    settle(page)  # a file that is added while the page is drawn may be lost
    assert page.locator(".curves").is_hidden()  # one curve: nothing to tell apart
    (tmp_path / "call.srt").write_text(SRT, encoding="utf-8")
    uploader(page, "Or add a transcript").set_input_files(tmp_path / "call.srt")

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
    rows.filter(has_text="sounds angry, harmless words").first.wait_for()
    settle(page)

    # Each curve can be hidden, and the lanes change with it.
    still(page, page.locator(".player .stage"))
    seen = {picture(page)}
    for number in range(3):
        toggles.nth(number).click()
        assert toggles.nth(number).get_attribute("aria-pressed") == "false"
        wait_until(page, lambda: picture(page) not in seen, f"hiding curve {number} changes nothing")
        seen.add(picture(page))
    for number in range(3):
        toggles.nth(number).click()
    wait_until(page, lambda: picture(page) in seen, "the curves do not come back")
    page.locator(".player .stage").hover(position={"x": 30, "y": 160})
    tip = page.locator(".tip")
    tip.get_by_text("sounds calm, hostile words").wait_for()
    assert re.search(r"voice 0\.\d\d\s+words 0\.9\d", tip.inner_text())

    # Sentiment and aggression beside each line that the model can read, with the number on hover.
    titles = [bar.get_attribute("title") for bar in page.locator(".lines .hostility").all()]
    assert len(titles) == 3
    assert re.match(
        r"Verbal aggression 0\.9\d, reads as hostile; with the voice: sounds calm, hostile", titles[0]
    )
    assert all(re.match(r"Verbal aggression 0\.0\d, reads as harmless", title) for title in titles[1:])
    sentiments = page.locator(".lines .sentiment")
    assert sentiments.all_text_contents() == ["−negative", "+positive", "○neutral"]
    assert re.search(r"negative 0\.\d\d, neutral 0\.\d\d", sentiments.first.get_attribute("title"))
    arabic = lines.nth(1)
    assert arabic.locator("p").evaluate("p => getComputedStyle(p).direction") == "rtl"
    assert arabic.locator(".hostility, .sentiment").count() == 0
    for width in (1440, 390):  # and from here on a phone
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        shoot(page, f"fused-{width}-dark")
        fits(page)

    # The slider: at 0 the voice alone, so the threat is gone; and back, without a model.
    slider = page.get_by_role("slider", name=re.compile("Voice ↔ words"))
    slider.focus()
    slider.press("Home")
    threat.first.wait_for(state="detached")
    settle(page)
    page.get_by_role("button", name="Both alike").click()
    threat.first.wait_for()
    settle(page)

    # A corrected line is read at once, and the score follows; what is being written in another line stays.
    for line in (lines.nth(3), lines.nth(0)):
        line.get_by_role("button", name="Correct").click()
    written = lines.nth(3).get_by_label("Corrected text")
    written.fill("The parcel is in the")
    lines.nth(0).get_by_label("Corrected text").fill("You are welcome, and thank you for calling here.")
    lines.nth(0).get_by_role("button", name="Save").click()
    threat.first.wait_for(state="detached")
    page.locator(".lines li:first-child .sentiment.positive").wait_for()
    settle(page)
    assert written.input_value() == "The parcel is in the"
    written.press("Escape")
    written.wait_for(state="detached")
    assert lines.nth(3).locator("p").text_content() == "The parcel is in the hall."


def picture(page: Any) -> bytes:
    """Return what the lanes look like."""
    page.wait_for_timeout(200)
    return bytes(page.locator(".player .stage").screenshot())
