"""A study of ``blipper tune`` in ``docs/research``: its files, a picture of its charts, and the page's table.

Usage: python -m tools.study FOLDER    (FOLDER is the report of ``blipper tune``; needs a system Chromium)
       python -m tools.study           (rewrites the table of ``voice-models.md`` alone)
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any, Final

from tests.browser.driving import chromium as find_chromium

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "research" / "voice-models.md"
KEPT = ROOT / "docs" / "research" / "whisper-cnn-study"
START, END = "<!-- study: tools/study.py -->\n", "<!-- end of table -->"
#: How many of the best trials stand beside the recipe as it is.
_BEST: Final = 3
_WIDTH: Final = 1000


def table(study: dict[str, Any]) -> str:
    """Return the best trials beside the recipe as it is.

    Parameters
    ----------
    study : dict
        The content of ``study.json``.
    """
    finished = [trial for trial in study["trials"] if trial["score"] is not None]
    base = next(trial for trial in finished if trial["values"] == study["settings"]["at first"])
    best = sorted((trial for trial in finished if trial is not base), key=lambda trial: -trial["score"])
    shown = [base, *best[:_BEST]]
    names = ["as it is", *(f"trial {trial['number']}" for trial in shown[1:])]
    rows = [f"| | {' | '.join(names)} |", "|---" * (len(shown) + 1) + "|"]
    for name in ("score", *sorted(set(base["figures"]) - {"score"})):
        rows.append(f"| {name} | {' | '.join(format(trial['figures'][name], '.3f') for trial in shown)} |")
    for name in study["searched"]:
        rows.append(f"| `{name}` | {' | '.join(_value(trial['values'][name]) for trial in shown)} |")
    return "\n".join(rows) + "\n"


def _value(value: float | str | bool) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


def rewrite(text: str, study: dict[str, Any]) -> str:
    """Put the table between the markers of a page."""
    head, rest = text.split(START)
    return head + START + table(study) + END + rest.split(END, 1)[1]


def picture(page: Path, target: Path) -> None:
    """Save a picture of the first charts of a study's page."""
    from playwright.sync_api import sync_playwright

    executable = find_chromium()
    if executable is None:
        raise SystemExit(
            "needs a system Chromium: no chromium, chromium-browser or google-chrome on the PATH"
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        opened = chromium.new_page(viewport={"width": _WIDTH, "height": 800}, color_scheme="light")
        opened.goto(page.resolve().as_uri())
        opened.locator(".js-plotly-plot .main-svg").nth(0).wait_for()
        opened.wait_for_timeout(1000)
        end = opened.get_by_role("heading", name="All settings together").bounding_box()
        height = round(end["y"]) if end else 800
        opened.screenshot(
            path=target, full_page=True, clip={"x": 0, "y": 0, "width": _WIDTH, "height": height}
        )
        chromium.close()


def main() -> None:
    """Keep a study, if one is named, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    folder = parser.parse_args().folder
    kept = KEPT.with_suffix(".json")
    if folder is not None:
        shutil.copyfile(folder / "study.json", kept)
        shutil.copyfile(folder / "trials.csv", KEPT.with_suffix(".csv"))
        picture(folder / "study.html", KEPT.with_suffix(".png"))
    study = json.loads(kept.read_text(encoding="utf-8"))
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), study), encoding="utf-8")


if __name__ == "__main__":
    main()
