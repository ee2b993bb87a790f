"""Words and the fused score taken apart, in a real browser, with a text model made for the test."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import (
    Line,
    arrive,
    choose,
    fits,
    go_to,
    open_sample,
    settle,
    uploader,
)
from tests.browser.server import served
from tests.browser.test_explain import metric
from tests.explain.with_text import models_with_text

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]

SRT = """1
00:00:00,500 --> 00:00:02,500
Where is my parcel?

2
00:00:36,000 --> 00:00:42,000
You are a useless liar :red[sorry]
"""


@pytest.fixture(scope="module")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the app with the tiny text model in the built-in one's place."""
    patch = pytest.MonkeyPatch()
    patch.setenv("BLIPPER_MODELS", str(models_with_text(tmp_path_factory.mktemp("models"))))
    with served("app-words.log") as url:
        yield url
    patch.undo()


def open_with_words(page: Any, folder: Path) -> None:
    """Open the sample with a transcript, then Explain."""
    open_sample(page)
    (folder / "call.srt").write_text(SRT, encoding="utf-8")
    uploader(page, "Or add a transcript").set_input_files(str(folder / "call.srt"))
    page.get_by_text("Words scored for").wait_for()
    settle(page)
    go_to(page, "Explain")


def explained_over_a_line(new_page: OpenPage, folder: Path) -> tuple[Any, Line]:
    """Open Explain behind a line that can be held up, and wait until an event is explained."""
    page = new_page()
    line = Line(page)
    arrive(page, "Review")
    open_with_words(page, folder)
    page.get_by_role("heading", name="Hear only what mattered").wait_for()
    settle(page)
    return page, line


def way(page: Any, name: str) -> Any:
    """Return a button of "What to explain"."""
    return page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name))


def test_an_event_its_words_and_the_sum(new_page: OpenPage, shoot: Shoot, tmp_path: Path) -> None:
    page = new_page()
    open_with_words(page, tmp_path)
    way(page, "An utterance").click()
    settle(page)
    choose(page, "Utterance", "useless liar")
    words = page.locator(".blipper-words .word")
    words.filter(has_text="liar").wait_for()
    page.get_by_role("heading", name="Hear only what mattered").wait_for()
    settle(page)
    assert words.count() == 6
    assert words.last.locator(".text").inner_text() == ":red[sorry]"
    assert page.locator(".blipper-words .word .text *").count() == 0

    # The parts that are shown add up to the score that is shown, and to that in the file.
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Parts (JSON)").click()
    parts = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
    odds = (
        parts["prior"] + parts["voice"] + sum(w["share"] for w in parts["word_shares"]) + parts["words_rest"]
    )
    assert 1 / (1 + math.exp(-odds)) == pytest.approx(parts["score"], abs=1e-9)
    assert metric(page, "Score on the curve") == f"{parts['score']:.2f}"
    shown = [float(metric(page, name).replace("−", "-")) for name in ("Prior", "Voice", "Words")]
    assert 1 / (1 + math.exp(-sum(shown))) == pytest.approx(parts["score"], abs=0.01)
    assert page.get_by_text(re.compile(r"^The score at .* s is")).count() == 1

    # A word's number is told on hover, and its sign stands beside it.
    words.nth(3).hover()
    words.nth(3).locator(".told").wait_for(state="visible")
    assert re.match(r"[+-]\d\.\d\d log-odds; ", words.nth(3).locator(".told").inner_text())
    signs = {words.nth(i).locator(".mark").inner_text() for i in range(6)}
    assert signs & {"+", "−"}

    # Only what mattered is heard.
    page.wait_for_function(
        "(all => all.length > 0 && all.every(a => a.duration > 0.5))([...document.querySelectorAll('audio')])"
    )
    page.locator("audio").last.evaluate("a => a.play()")
    page.wait_for_function("[...document.querySelectorAll('audio')].at(-1).currentTime > 0.2")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        fits(page)
        shoot(page, f"explain-words-{width}")

    # Another emotion of the voice.
    choose(page, "Score", "Sad")
    page.get_by_text(re.compile('"sad"')).first.wait_for()
    page.get_by_text("Score on the curve").wait_for(state="detached")


def test_a_choice_is_kept_while_the_page_is_drawn_anew(new_page: OpenPage, tmp_path: Path) -> None:
    """What the app drew before it knew of a choice must not take it back, and then answer what it polls."""
    page, line = explained_over_a_line(new_page, tmp_path)
    line.hold_after("auto_rerun")  # with it the page begins to ask how far the work is
    way(page, "A moment").click()
    line.wait_for_hold()
    line.wait_for_redraw()
    way(page, "An utterance").click()
    line.release()
    page.get_by_role("combobox", name=re.compile("Utterance")).wait_for()
    page.get_by_role("heading", name="Hear only what mattered").wait_for()
    settle(page)
    assert page.get_by_role("combobox", name=re.compile("Utterance")).count() == 1


def test_a_page_that_lags_goes_back_to_what_it_showed(new_page: OpenPage, tmp_path: Path) -> None:
    """It must not have forgotten what it told the app that it still has, or it stays as it is for ever."""
    page, line = explained_over_a_line(new_page, tmp_path)

    def explain(target: str) -> None:
        page.get_by_role("combobox", name=re.compile("Score")).first.click()
        page.get_by_role("option", name=target).click()

    line.hold_after("auto_rerun")  # with it the page begins to ask how far the work is, again and again
    explain("Sad")
    line.wait_for_hold()
    line.wait_for_redraw()
    explain("Aggression")
    line.release()
    page.get_by_text("Score on the curve").first.wait_for()  # of aggression alone
    page.get_by_role("heading", name="Hear only what mattered").wait_for()
    settle(page)
