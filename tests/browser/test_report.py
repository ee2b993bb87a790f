"""The report in Chromium, from disk: it asks for nothing, complains about nothing, draws and prints."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pypdf
import pytest

from blipper import analyze, audio, summary_sentence
from blipper.export import Sound, write_analysis
from blipper.results import Analysis
from blipper.voice.models import load_model
from blipper.words.transcript import Transcript, Utterance
from tests.browser.driving import open_page
from tests.browser.server import ARTIFACTS, ROOT

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Analysis]:
    """Write the sample's report, with a transcript that attacks it."""
    recording, model = audio.load(ROOT / "ui" / "sample" / "scene.ogg"), load_model("mel-cnn")
    result = analyze(recording, model=model)
    said = (Utterance(31.0, 34.0, HOSTILE, aggression=0.7), Utterance(37.0, 40.0, "למה אתה צועק עליי?"))
    track = dataclasses.replace(result.tracks[0], transcript=Transcript("whisper:tiny.en", None, said))
    result = dataclasses.replace(result, tracks=(track,))
    path = tmp_path_factory.mktemp("report") / "scene #1 & more.html"
    write_analysis(result, path, Sound(recording, model))
    return path, result


@pytest.mark.parametrize("width", [1440, 390])
def test_it_opens_offline_and_draws(browser: Any, report: tuple[Path, Analysis], width: int) -> None:
    path, result = report
    page = open_page(browser, viewport={"width": width, "height": 900}, offline=True)
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    page.locator("html[data-drawn='4']").wait_for()
    assert page.title() == "scene.ogg: Blipper report"
    assert page.get_by_text(summary_sentence(result)).count() == 1
    assert page.get_by_text(HOSTILE).count() == 1
    assert page.locator("td[dir=auto]").last.evaluate("e => getComputedStyle(e).direction") == "rtl"
    charts = page.locator("figure.chart")
    for number in range(charts.count()):
        assert charts.nth(number).locator(".trace, .scatterlayer path, .heatmaplayer image").count() > 0
        box = charts.nth(number).locator(".main-svg").first.bounding_box()
        assert 0 < box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=ARTIFACTS / f"report-{width}.png", full_page=True)
    page.context.close()
    assert requests == [path.as_uri()]
    assert complaints == []


def test_even_markup_that_slipped_in_could_not_run(
    browser: Any, report: tuple[Path, Analysis], tmp_path: Path
) -> None:
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(report[0].read_text("utf-8").replace("</header>", HOSTILE + "</header>", 1), "utf-8")
    page = open_page(browser)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(spoilt.as_uri())
    page.locator("html[data-drawn='4']").wait_for()
    assert page.locator("header img").count() == 1
    assert page.title() == "scene.ogg: Blipper report"
    page.context.close()


def test_it_prints(browser: Any, report: tuple[Path, Analysis], tmp_path: Path) -> None:
    path, result = report
    page = open_page(browser, viewport={"width": 1440, "height": 900})
    page.goto(path.as_uri())
    page.locator("html[data-drawn='4']").wait_for()
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    page.context.close()
    document = pypdf.PdfReader(tmp_path / "report.pdf")
    text = " ".join(" ".join(sheet.extract_text() for sheet in document.pages).split())
    for words in (
        summary_sentence(result),
        "Worth a listen",
        "Where the voice sounds angry",  # inside a figure
        "What moved the score for aggression",
        "Score (0 to 1)",
        "What a score is, and what it is not",
        result.model.sha256[:16],
    ):
        assert words in text, words
    sizes = {(round(float(s.mediabox.width)), round(float(s.mediabox.height))) for s in document.pages}
    assert sizes <= {(595, 842), (596, 842), (595, 841)}
    assert 3 <= len(document.pages) <= 8
