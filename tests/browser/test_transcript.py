"""The transcript in a real browser: a subtitle file is added, followed, clicked, searched and corrected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import Hearing, fits, open_sample, settle, uploader, wait_until

pytestmark = pytest.mark.browser

# The lines are long, so that a slow machine still finds the one that is being heard.
SRT = """1
00:00:01,000 --> 00:00:11,000
Where is <b>my</b> parcel? <img src=x onerror=alert(1)> [link](javascript:alert(2))

2
00:00:12,000 --> 00:00:22,000
שלום, איפה החבילה שלי?

3
00:00:24,000 --> 00:01:14,000
你好，包裹 在哪里 $\\alpha$ :red[red] and it is gone for good.

4
01:00:00,000 --> 01:00:01,000
Long after the end
"""

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]


def test_a_subtitle_file_is_followed_clicked_searched_and_corrected(
    new_page: OpenPage, shoot: Shoot, tmp_path: Path
) -> None:
    page = new_page()
    open_sample(page)
    page.get_by_text("There is no transcript of this recording yet").wait_for()
    (tmp_path / "bad.srt").write_text("1\n00:00:01,000 --> soon\nhello\n")
    uploader(page, "Or add a transcript").set_input_files(tmp_path / "bad.srt")
    page.get_by_text("line 2 is").wait_for()
    shoot(page, "transcript-refused-1440-light")
    (tmp_path / "call.srt").write_text(SRT, encoding="utf-8")
    settle(page)
    uploader(page, "Or add a transcript").set_input_files(tmp_path / "call.srt")

    lines = page.locator(".lines li")
    lines.nth(2).wait_for()
    # The lines are drawn again when the rerun ends: an element taken before that may be gone.
    settle(page)
    assert lines.count() == 3
    first = lines.nth(0).locator("p")
    assert first.text_content() == "Where is my parcel? [link](javascript:alert(2))"
    assert "$\\alpha$ :red[red]" in lines.nth(2).locator("p").text_content()
    assert lines.nth(1).locator("p").evaluate("p => getComputedStyle(p).direction") == "rtl"
    assert first.evaluate("p => getComputedStyle(p).direction") == "ltr"
    page.get_by_text("Left out: 1").wait_for()
    page.get_by_text("line 2 is").wait_for(state="detached")
    settle(page)

    # Click a word: the playhead goes there, and the word is marked as it is heard.
    word = lines.nth(2).locator(".word", has_text="gone")
    hearing = Hearing(page)
    word.click()
    hearing.plays_from(60, 74)
    page.locator(".word.now").wait_for()
    assert lines.nth(2).get_attribute("aria-current") == "true"
    page.get_by_role("button", name="Pause").click()
    lines.nth(0).locator(".when").click()
    hearing.plays_from(0.9, 1.1)
    page.locator(".lines li[aria-current] p", has_text="parcel?").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.locator(".transcript").scroll_into_view_if_needed()
    for width in (1440, 390):  # and from here on a phone
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        shoot(page, f"transcript-{width}-light")

    # Search shows the lines that hold it.
    page.get_by_label("Search the text").fill("parcel")
    page.get_by_text("1 of 3 lines").wait_for()
    wait_until(
        page,
        lambda: [line.is_visible() for line in lines.all()] == [True, False, False],
        "the search does not hide the lines without a hit",
    )
    assert page.locator(".word.hit").all_text_contents() == ["parcel?"]
    page.get_by_label("Search the text").fill("")

    # A correction comes back from the server and is kept in the result.
    lines.nth(0).get_by_role("button", name="Correct").click()
    page.get_by_label("Corrected text").fill("Where is my <i>parcel</i>, please?")
    page.get_by_role("button", name="Save").click()
    page.locator(".lines p", has_text="Where is my <i>parcel</i>, please?").wait_for()
    page.get_by_text("corrected by hand").wait_for()
    assert page.locator(".lines p i, .lines p b, .lines p img").count() == 0
    fits(page)
