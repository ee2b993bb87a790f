"""The Guide page, and what its chapters claim."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from blipper.costs import CLOUD_PRICES
from ui import guide_view
from ui.guide_view import CHAPTERS, FOLDER, read_chapter

APP = Path(__file__).resolve().parent.parent / "app.py"


def open_page(**query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=300)
    for name, value in query.items():
        page.query_params[name] = value
    page = page.run().switch_page("pages/guide.py").run()
    assert not page.exception, page.exception
    return page


def test_every_chapter_is_shown_whole() -> None:
    page = open_page()
    for stem in CHAPTERS:
        page.segmented_control(key="guide_chapter").set_value(stem).run()
        assert not page.exception
        assert read_chapter(stem).strip() in [element.value for element in page.markdown]


def test_the_address_names_a_chapter_and_a_wrong_one_gives_the_manual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, str] = {}
    monkeypatch.setattr(guide_view.st, "session_state", {})
    monkeypatch.setattr(guide_view.st, "query_params", asked)
    shown: list[str] = []
    monkeypatch.setattr(
        guide_view.st, "segmented_control", lambda *_, key, **__: guide_view.st.session_state[key]
    )
    monkeypatch.setattr(guide_view.st, "markdown", shown.append)
    for wanted, got in (("law", "law"), ("../README", "manual")):
        guide_view.st.session_state.clear()
        asked["chapter"] = wanted
        guide_view.show()
        assert shown[-1] == read_chapter(got)
        assert asked["chapter"] == got


def test_a_missing_chapter_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guide_view, "FOLDER", tmp_path)
    page = open_page()
    assert any("manual.md cannot be read" in error.value for error in page.error)


def test_no_chapter_is_forgotten() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(CHAPTERS)


@pytest.mark.parametrize("stem", sorted(CHAPTERS))
def test_every_source_is_cited_and_every_citation_has_its_source(stem: str) -> None:
    body, found, sources = read_chapter(stem).partition("## Sources")
    listed = {int(number) for number in re.findall(r"^(\d+)\. ", sources, flags=re.MULTILINE)}
    groups = re.findall(r"\[(\d+(?:, \d+)*)\]", body)
    cited = {int(number) for group in groups for number in group.split(", ")}
    assert cited == listed
    assert found or not cited


def test_the_cost_of_100_000_minutes_follows_from_the_benchmark_and_the_price_list() -> None:
    measured = json.loads((APP.parent / "benchmarks" / "results" / "speed.json").read_text(encoding="utf-8"))
    road = measured["reading"]
    times = {
        "Blipper, one recording after another, `mel-cnn`": road["stages"]["whole"]["median"],
        "Blipper, one recording after another, `whisper-cnn`": measured["models"]["whisper-cnn"]["whole"][
            "median"
        ],
        "features of the common notebooks": measured["today"]["librosa feature loop"]["median"],
    }
    text = read_chapter("research")
    for start, seconds in times.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {start}")]
        hours = 100_000 * 60 * seconds / road["duration_s"] / 3600
        assert float(row.split("|")[2].removesuffix("hours ").strip()) == pytest.approx(hours, rel=0.02)
    prices = [100_000 * price.per_minute for price in CLOUD_PRICES]
    rows = [line for line in text.splitlines() if line.startswith("| a cloud transcript")]
    shown = [float(row.split("|")[3].strip().removeprefix("$").replace(",", "")) for row in rows]
    (with_sentiment,) = [100_000 * price.per_minute for price in CLOUD_PRICES if "sentiment" in price.gives]
    assert shown == pytest.approx([min(prices), with_sentiment, max(prices)], rel=0.01)
