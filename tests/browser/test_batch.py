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


def test_stop_and_resume(new_page: OpenPage, tmp_path: Path, shoot: Shoot) -> None:
    samples, rate = soundfile.read(ROOT / "ui" / "sample" / "scene.ogg", dtype="float32")
    # Long enough that a fast machine is not done with them before "Stop" is reached.
    paths = [tmp_path / f"{number}.ogg" for number in range(8)]
    for number, path in enumerate(paths):
        with soundfile.SoundFile(path, "w", rate, 1, format="OGG", subtype="VORBIS") as file:
            for _ in range(4):
                file.write(samples * (0.5 + number / 20))
    page = new_page()
    go_to(page, "Batch")
    uploader(page).set_input_files(paths)
    page.get_by_text("8 recordings added").wait_for()
    field = page.get_by_role("spinbutton", name="Recordings at a time")
    field.fill("1")
    field.press("Enter")
    settle(page)
    page.get_by_role("button", name="Start").click()
    page.get_by_text(re.compile(r"^[1-7] of 8 recordings, .* times real time")).wait_for()
    page.get_by_role("button", name="Stop").click()
    stopped = page.get_by_text(re.compile(r"Stopped at \d of 8 recordings"))
    stopped.wait_for()
    done = int(re.findall(r"Stopped at (\d) of", stopped.inner_text())[0])
    assert 1 <= done < 8
    page.get_by_text(f"{done} recording{'s' if done > 1 else ''} dealt with").wait_for()
    shoot(page, "batch-stopped-1440-light")
    page.get_by_role("button", name="Resume").click()
    page.get_by_text(re.compile(rf"Done: 8 of 8 recordings.*{done} done before")).wait_for()
    page.get_by_text("8 recordings dealt with").wait_for()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("Add recordings, then press").wait_for()


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
