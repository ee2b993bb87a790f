"""The Datasets page in a real browser: charts that change, tables to take away, a folder read live."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import fits, go_to, settle, still, wait_until

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]


def open_datasets(new_page: OpenPage, **options: Any) -> Any:
    page = new_page(**options)
    go_to(page, "Datasets")
    page.get_by_role("heading", name="Files left out").wait_for()
    page.locator(".js-plotly-plot").nth(2).wait_for()
    return page


def pick(page: Any, group: str, option: str) -> None:
    """Choose an option of a segmented control."""
    control = page.get_by_test_id("stButtonGroup").filter(has=page.get_by_text(group, exact=True))
    control.get_by_text(option, exact=True).click()


def plot_title(page: Any, number: int) -> Any:
    return page.locator(".js-plotly-plot").nth(number).locator(".gtitle")


def test_counts_can_be_turned_and_taken_away(new_page: OpenPage, shoot: Shoot) -> None:
    page = open_datasets(new_page)
    page.get_by_text("Calm exists in RAVDESS alone").wait_for()
    bars = page.locator(".js-plotly-plot").first
    assert bars.locator("pattern").count() >= 7  # told apart without colour
    shoot(page, "datasets-1440-light")
    pick(page, "By", "Sex")
    bars.get_by_text("TESS female").wait_for()
    pick(page, "Bars", "Side by side")
    pick(page, "Axis", "Shares")
    plot_title(page, 0).get_by_text("Share of each emotion, by sex").wait_for()
    bar = bars.locator(".bars .point path").first
    settle(page)
    box = still(page, bar)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    bars.locator(".hoverlayer").get_by_text("of the group").first.wait_for()
    pick(page, "Measure", "Loudness")
    pick(page, "Detail", "By emotion")
    plot_title(page, 2).get_by_text("Loudness of the clips, by emotion").wait_for()
    shoot(page, "datasets-turned-1440-light")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download the table (CSV)").first.click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    assert {row["Corpus"]: row["Clips"] for row in rows} == {
        "RAVDESS": "1440", "CREMA-D": "7435", "TESS": "2800", "SAVEE": "480",
    }  # fmt: skip


def test_a_folder_is_read_live(new_page: OpenPage, data_dir: Path, shoot: Shoot) -> None:
    page = open_datasets(new_page)
    page.get_by_text("A folder on this machine").click()
    field = page.get_by_role("textbox", name="Folder on the machine that runs Blipper")
    field.fill(str(data_dir / "none such"))
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("alert").filter(has_text="no such folder").wait_for()

    field.fill(str(data_dir / "crema-d"))
    page.get_by_role("button", name="Read it").click()
    page.get_by_role("progressbar").filter(visible=True).first.wait_for()
    page.get_by_text("Decoding and measuring clips").wait_for()
    shoot(page, "datasets-reading-1440-light")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Name the folder that your copies lie in").wait_for()

    field.fill(str(data_dir / "savee"))
    page.get_by_role("button", name="Read it").click()
    page.get_by_text("SAVEE has four speakers, all men").wait_for()
    settle(page)
    assert page.get_by_test_id("stMetricValue").first.inner_text() == "480"
    page.get_by_text("No clip of RAVDESS, CREMA-D, TESS was found").wait_for()
    shoot(page, "datasets-folder-1440-light")


def test_the_page_on_a_phone(new_page: OpenPage, shoot: Shoot) -> None:
    page = open_datasets(new_page, width=390, height=844, theme="dark")
    fits(page, deep=True, but="[data-testid=stDataFrame]")  # scrolls inside itself
    labels = """[...document.querySelectorAll('.js-plotly-plot .ytick text')]
        .filter(e => e.getBoundingClientRect().left < 0).map(e => e.textContent)"""
    wait_until(page, lambda: page.evaluate(labels) == [], lambda: f"cut off: {page.evaluate(labels)}")
    shoot(page, "datasets-390-dark")
