"""The library in a real browser: turn it on, save, judge, find it, open it again, delete it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blipper import library as lib
from tests.browser.driving import (
    Hearing,
    arrive,
    go_to,
    open_page,
    open_sample,
    settle,
    still,
    wait_for_player,
    wait_until,
)
from tests.browser.server import served

pytestmark = pytest.mark.browser

Shoot = Callable[[Any, str], Path]
QUEUE_SOUND = ".st-key-library_queue_sound audio"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path))
    monkeypatch.delenv("BLIPPER_LIBRARY_URL", raising=False)
    return tmp_path


@pytest.fixture
def page(browser: Any, home: Path) -> Iterator[Any]:
    with served("app-library.log") as url:
        opened = open_page(browser, viewport={"width": 1440, "height": 900}, accept_downloads=True)
        opened.goto(url)
        arrive(opened, "Review")
        yield opened
        opened.context.close()


def name_yourself(page: Any, name: str) -> None:
    field = page.get_by_role("textbox", name="Your name, as it stands")
    field.fill(name)
    field.press("Enter")


def test_from_turning_it_on_to_deleting(page: Any, home: Path, shoot: Shoot) -> None:
    go_to(page, "Library")
    page.get_by_text("The library is off").wait_for()
    assert list(home.iterdir()) == []
    shoot(page, "library-off-1440")
    page.get_by_role("button", name="Turn the library on").click()
    page.get_by_text("The library is empty").wait_for()

    go_to(page, "Review")
    open_sample(page)
    name_yourself(page, "Ana")
    page.get_by_text("Keep its sound too").click()
    page.get_by_role("button", name="Save to the library", disabled=False).click()
    page.get_by_text("In the library since").wait_for()
    page.get_by_role("button", name="Right", exact=True).first.click()
    page.get_by_text("Ana: right").wait_for()
    shoot(page, "library-review-1440")
    library = lib.open_library()
    [item] = lib.search(library)
    assert item.verdicts == {"right": 1}
    assert item.audio == {"mix"}

    go_to(page, "Library")
    page.get_by_text("1 recording,").wait_for()
    shoot(page, "library-recordings-1440")
    page.get_by_text("Review queue", exact=True).click()
    page.get_by_role("button", name="Sounds angry").wait_for()
    settle(page)
    shoot(page, "library-queue-1440")
    page.get_by_role("heading", name="Library", exact=True).click()  # out of any text field
    page.keyboard.press("2")
    page.get_by_text("Kept: wrong").wait_for()
    assert lib.read_item(library, item.id).verdicts["wrong"] == 1
    page.keyboard.press("u")
    page.get_by_text("Kept: wrong").wait_for(state="hidden")
    assert lib.read_item(library, item.id).verdicts == {"right": 1}
    for key, kept in (("3", re.compile("Kept: other emotion")), ("1", re.compile("Kept: (right|missed)"))):
        settle(page)
        page.keyboard.press(key)
        page.get_by_text(kept).wait_for()
        page.keyboard.press("u")
        page.get_by_text(kept).wait_for(state="hidden")
    assert lib.read_item(library, item.id).verdicts == {"right": 1}
    settle(page)
    hearing = Hearing(page, QUEUE_SOUND)
    page.keyboard.press("p")
    hearing.plays_from(0.0, 0.0)
    page.get_by_role("textbox", name="Note, kept with the verdict").press_sequentially("1 p")
    assert lib.read_item(library, item.id).verdicts == {"right": 1}, "a key that was typed judged"
    page.get_by_role("heading", name="Library", exact=True).click()
    settle(page)
    offered = page.locator("p").filter(has_text=" to judge")
    skipped = offered.inner_text()
    page.keyboard.press("4")
    wait_until(
        page,
        lambda: offered.count() == 0 or offered.inner_text() != skipped,
        lambda: f"the queue still offers {skipped}",
    )
    page.get_by_text("Agreement and precision", exact=True).click()
    page.get_by_text("Precision so far at each threshold").first.wait_for()
    page.locator(".js-plotly-plot").wait_for()
    shoot(page, "library-figures-1440")

    page.get_by_text("Recordings", exact=True).click()
    choose_first_row(page)
    page.get_by_role("button", name="Open in Review").wait_for()
    shoot(page, "library-chosen-1440")
    page.get_by_text("How long it is kept; delete").click()
    delete = page.get_by_role("button", name="Delete everything about it now")
    settle(page)
    still(page, delete)  # it comes into view while the part above it opens
    delete.click()
    page.get_by_text("The library is empty").wait_for()
    assert lib.count(library) == 0
    assert [entry.action for entry in lib.audit(library)] == [
        "delete recording",
        *["withdraw verdict"] * 3,
    ]
    library.close()
    assert not [path for path in home.iterdir() if b"Sample scene" in path.read_bytes()]


def wait_for_rows(page: Any, number: int) -> None:
    """Wait until the table shows so many. Its grid stands for the canvas, and counts the header."""
    page.locator(f"[data-testid=stDataFrame] [role=grid][aria-rowcount='{number + 1}']").wait_for(
        state="attached"
    )


def choose_first_row(page: Any) -> None:
    """Click the box at the left of the table's first row; the table is drawn on a canvas."""
    page.get_by_text("Choose a row to open").wait_for()
    settle(page)  # the table is drawn anew when the part changes
    box = still(page, page.locator("[data-testid=stDataFrame] canvas").first)
    page.mouse.click(box["x"] + 15, box["y"] + 52)


def test_opened_again_with_its_kept_sound_on_a_phone(page: Any, home: Path, shoot: Shoot) -> None:
    from playwright.sync_api import expect

    from tests.library.making import SCORES, analysis, sound, track

    library = lib.open_library()
    made = analysis("A long call about a lost parcel.wav")
    lib.save(library, made, analyst="Ben", sound=lib.encode_sound(sound(made)), tags=["calls"])
    lib.save(library, analysis("A long call about a lost parcel.wav", threshold=0.4), analyst="Ben")
    lib.save(library, analysis("other.wav", track(SCORES[::-1], 3)), analyst="Ben", keep_days=7)
    [older] = lib.search(library, lib.Query(name="parcel"))
    for item in lib.search(library):
        for who, answer in (("Ana", "right"), ("Ben", "wrong"), ("Cem", "right")):
            lib.judge(
                library, item.id, target="event", start=item.newest.threshold, end=5, verdict=answer,
                analyst=who, analysis_id=item.newest.id,
            )  # fmt: skip
    lib.place.choose(lib.place.Choices(on=True))
    go_to(page, "Library")
    page.get_by_text("2 recordings,").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    shoot(page, "library-recordings-390")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("textbox", name="Part of the name").fill("parcel")
    page.get_by_role("textbox", name="Part of the name").press("Enter")
    wait_for_rows(page, 1)
    choose_first_row(page)
    page.get_by_text("Compare two of its 2 analyses").click()
    page.get_by_text("Events in both: 1").wait_for()
    page.locator(".js-plotly-plot").wait_for()
    shoot(page, "library-compare-1440")
    page.set_viewport_size({"width": 390, "height": 844})
    shoot(page, "library-compare-390")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_text("Agreement and precision", exact=True).click()
    page.get_by_text("Events in both: 1").wait_for(state="detached")  # and the chart below it
    page.locator(".js-plotly-plot").wait_for()
    settle(page)
    shoot(page, "library-agreement-1440")
    page.get_by_text("Settings and audit", exact=True).click()
    page.get_by_role("heading", name="Audit").wait_for()
    shoot(page, "library-settings-1440")
    page.get_by_text("Recordings", exact=True).click()
    expect(page.get_by_role("textbox", name="Part of the name")).to_have_value("parcel")
    page.get_by_role("textbox", name="Part of the name").fill("")
    page.get_by_role("textbox", name="Part of the name").press("Enter")
    wait_for_rows(page, 2)  # until then, the first row that a key would choose is the one left by the search
    page.get_by_role("heading", name="Library", exact=True).click()  # out of any text field
    for key, place in (("j", "1 of 2."), ("j", "2 of 2."), ("k", "1 of 2."), ("j", "2 of 2.")):
        settle(page)
        page.keyboard.press(key)
        page.get_by_text(place).wait_for()
    page.get_by_role("heading", name="A long call about a lost parcel.wav").wait_for()  # the older one
    settle(page)
    page.keyboard.press("o")
    arrive(page, "Review")
    wait_for_player(page, "A long call about a lost parcel.wav")
    page.get_by_text("In the library since").wait_for()
    assert older.audio == {"mix"}
    page.set_viewport_size({"width": 390, "height": 844})
    shoot(page, "library-review-390")
    library.close()
