"""The Batch page in Chromium: upload, watch, stop, resume, open a row in Review, take it away, delete."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.browser.driving import arrive, fits, go_to, settle, still, uploader, wait_for_player
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The scene, a quiet one, and a file that is no sound."""
    folder = tmp_path_factory.mktemp("calls")
    shutil.copy(ROOT / "ui" / "sample" / "scene.ogg", folder / "scene.ogg")
    soundfile.write(folder / "nobody.wav", np.zeros(48_000, np.float32), 16_000)
    (folder / "broken.wav").write_bytes(b"RIFF nothing follows")
    return sorted(folder.iterdir())


def test_from_upload_to_review(new_page: OpenPage, calls: list[Path], shoot: Shoot) -> None:
    page = new_page()
    go_to(page, "Batch")
    shoot(page, "batch-empty-1440-light")
    uploader(page).set_input_files(calls)
    page.get_by_text("3 recordings added").wait_for()
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Stop").and_(page.locator(":enabled")).wait_for()
    page.get_by_text(re.compile(r"Done: 3 of 3 recordings.*1 without a result")).wait_for()
    page.get_by_text("3 recordings dealt with").wait_for()
    table = page.get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for()
    shoot(page, "batch-done-1440-light")

    with page.expect_download() as waiting:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_bytes().decode(), newline="")))
    assert sorted((Path(row["file"]).name, row["status"]) for row in rows) == [
        ("broken.wav", "failed"),
        ("nobody.wav", "done"),
        ("scene.ogg", "done"),
    ]

    # The first row is the one with the highest score; its box stands at its left.
    settle(page)
    box = still(page, table)
    page.mouse.click(box["x"] + 15, box["y"] + 36 + 17)
    page.get_by_text("scene.ogg: 1 min 20 s").wait_for()
    page.get_by_role("button", name="Open in Review").click()
    arrive(page, "Review")
    wait_for_player(page, "scene.ogg")
    assert "worth a listen" in page.locator("h2").first.inner_text()

    go_to(page, "Batch")
    page.get_by_text("3 recordings dealt with").wait_for()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("Add recordings, then press").wait_for()
    table.wait_for(state="detached")


def test_on_a_phone(new_page: OpenPage, calls: list[Path], shoot: Shoot) -> None:
    page = new_page(width=390, height=844, theme="dark")
    go_to(page, "Batch")
    uploader(page).set_input_files(calls[:2])
    page.get_by_text("2 recordings added").wait_for()
    page.get_by_role("button", name="Start").click()
    page.get_by_text(re.compile(r"Done: 2 of 2 recordings")).wait_for()
    page.get_by_text("2 recordings dealt with").wait_for()
    shoot(page, "batch-done-390-dark")
    fits(page)
