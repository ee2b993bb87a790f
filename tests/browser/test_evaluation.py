"""The Evaluation page in a real browser: click a cell of the confusion matrix, list its clips, hear one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blipper import measures, models_dir
from blipper.evaluation import read_evaluation
from tests.browser.driving import fits, go_to, settle, still, wait_until

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]
SECTIONS = (
    *("Report", "Threshold", "Calibration", "Conversations", "False alarms", "Groups", "Other corpora"),
    *("Training", "Comparison"),
)


@pytest.fixture(scope="module")
def selection() -> measures.Selection:
    return measures.select(read_evaluation(models_dir() / "mel-cnn").scored, "common")


def go(page: Any) -> None:
    """Open the page, and wait for its first figure."""
    go_to(page, "Evaluation")
    page.get_by_role("heading", name="Confusion matrix").wait_for()
    page.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()


def click_cell(page: Any, selection: measures.Selection, acted: str, heard: str) -> None:
    """Click near a cell's corner, not in its middle."""
    plot = page.locator(".js-plotly-plot").first
    box = still(page, plot.locator(".nsewdrag").first)
    n = len(selection.names)
    x = box["x"] + box["width"] * (selection.names.index(heard) + 0.3) / n
    y = box["y"] + box["height"] * (selection.names.index(acted) + 0.3) / n
    page.mouse.move(box["x"] + box["width"] + 20, y)
    plot.locator(".hoverlayer .hovertext").first.wait_for(state="detached")
    page.mouse.move(x, y)  # Plotly looks for the nearest point on a move, and a click takes that
    plot.locator(".hoverlayer .hovertext").first.wait_for()
    page.mouse.click(x, y)


def sentence(selection: measures.Selection, acted: str, heard: str) -> re.Pattern[str]:
    total = sum(row.emotion == acted for row in selection.rows)
    return re.compile(
        rf"^{len(selection.cell(acted, heard))} of {total} clips acted {acted} were heard as {heard}"
    )


def test_a_click_on_a_cell_lists_its_clips(
    new_page: OpenPage, selection: measures.Selection, shoot: Shoot, data_dir: Path
) -> None:
    page = new_page()
    go(page)
    page.get_by_text("No cell is chosen yet").wait_for()
    click_cell(page, selection, "fear", "angry")
    page.get_by_text(sentence(selection, "fear", "angry")).wait_for()
    page.get_by_text("No cell is chosen yet").wait_for(state="detached")
    settle(page)

    # The list is the cell's own, and can be taken away.
    with page.expect_download() as waiting:
        page.get_by_role("button", name="This table (CSV)").first.click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    keys = [selection.rows[i].key for i in selection.cell("fear", "angry")]
    assert [line.split(",")[0] for line in lines] == ["Clip", *keys]

    # The surest clip can be heard.
    audio = page.locator("audio")
    audio.wait_for()
    page.wait_for_function("document.querySelector('audio').duration > 0.5")
    assert audio.evaluate("a => a.error") is None
    shoot(page, "evaluation-cell-1440-light")

    # Another cell, then the same once more: Plotly takes the choice back, the list stays.
    click_cell(page, selection, "neutral", "neutral")
    page.get_by_text(sentence(selection, "neutral", "neutral")).wait_for()
    click_cell(page, selection, "neutral", "neutral")
    page.wait_for_timeout(1000)
    settle(page)
    assert page.get_by_text(sentence(selection, "neutral", "neutral")).count() == 1


def test_a_cell_is_reached_by_keyboard(new_page: OpenPage, selection: measures.Selection) -> None:
    page = new_page()
    go(page)
    for label, name in (("Acted", "sad"), ("Heard by the model", "disgust")):
        box = page.get_by_role("combobox", name=re.compile(f"{label}$|{label}\\b"))
        box.first.focus()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
    page.get_by_text(sentence(selection, "sad", "disgust")).wait_for()


def test_all_sections_on_a_phone(new_page: OpenPage, selection: measures.Selection, shoot: Shoot) -> None:
    page = new_page(width=390, height=844, theme="dark")
    go(page)
    click_cell(page, selection, "happy", "angry")
    page.get_by_text(sentence(selection, "happy", "angry")).wait_for()
    shoot(page, "evaluation-cell-390-dark")
    headings = (
        "Classification report",
        "Threshold",
        "probabilities mean",
        "Conversations of known content",
        "False alarms",
        "Gaps",
        "A corpus never heard",
        "Training curves",
        "side by",
    )
    for name, heading in zip(SECTIONS, headings, strict=True):
        page.get_by_role("radio", name=name, exact=True).click()
        page.get_by_role("heading", name=heading).wait_for()
        settle(page)
        fits(page)
        shoot(page, f"evaluation-{name.lower().replace(' ', '-')}-390-dark")


def test_the_threshold_moves_by_its_keys(new_page: OpenPage) -> None:
    page = new_page()
    go(page)
    page.get_by_role("radio", name="Threshold").click()
    slider = page.get_by_role("slider").first
    slider.wait_for()
    tile = page.get_by_test_id("stMetric").filter(has_text="Recall").get_by_test_id("stMetricValue")
    before = float(tile.inner_text())
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => [...document.querySelectorAll('[data-testid=stMetric]')]"
        ".some(tile => tile.innerText.startsWith('Recall') && !tile.innerText.includes(before))",
        arg=f"{before:.3f}",
    )
    wait_until(page, lambda: float(tile.inner_text()) < before, "the recall does not fall")
