"""How long a person waits: from handing a recording to the app's page until its player and events are drawn.

Run from the checkout's root, with a system Chromium: ``python -m benchmarks.first_result``. The app is warm:
one recording was analysed before. Beside it, in the same run, the same recording's analysis alone, in a
process that is warm as well; the difference is what the page costs.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks import material
from benchmarks.report import machine, save, table, timed

SECONDS = 180.0
TARGET = 3.0


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    facts = machine()
    with tempfile.TemporaryDirectory() as folder:
        made = [material.talk(SECONDS, seed) for seed in range(arguments.repeats)]
        paths = [
            material.write(samples, Path(folder) / f"call-{number}.wav")
            for number, (samples, _) in enumerate(made)
        ]
        waits = _page(paths)
        analysis = _analysis(paths)
    result = {
        "machine": facts,
        "material": f"{SECONDS:g} s of {made[0][1]}",
        "target_s": TARGET,
        "from_upload_to_player_s": waits,
        "analysis_alone_s": analysis,
        "ratio": waits["median"] / analysis["median"],
    }
    table(
        ("", "median s", "fastest", "slowest"),
        [
            (name, *(f"{values[key]:.2f}" for key in ("median", "min", "max")))
            for name, values in (("upload to player", waits), ("analysis alone", analysis))
        ],
    )
    save("first_result", result, arguments.output)


def _page(paths: list[Path]) -> dict[str, object]:
    """Upload each recording to the running app and wait for its player."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import FLAGS
    from tests.browser.driving import open_page, settle, uploader, wait_for_player
    from tests.browser.server import served

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("needs a system Chromium: no chromium or google-chrome on the PATH")
    with served("app-first-result.log") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

        def wait(path: Path) -> float:
            page = open_page(browser, viewport={"width": 1440, "height": 900})
            page.goto(url)
            page.get_by_role("heading", name="Review").wait_for()
            settle(page)
            begin = time.perf_counter()
            uploader(page).set_input_files(path)
            wait_for_player(page, path.name)
            spent = time.perf_counter() - begin
            page.context.close()
            return spent

        wait(paths[0])
        waits = iter([wait(path) for path in paths])
        browser.close()
    times = sorted(waits)
    return {
        "median": times[len(times) // 2],
        "min": times[0],
        "max": times[-1],
        "all": [round(value, 3) for value in times],
    }


def _analysis(paths: list[Path]) -> dict[str, object]:
    """Analyse the same recordings in this process, once it is warm."""
    import blipper

    blipper.analyze(paths[0], model="mel-cnn")
    left = iter(paths)
    return timed(lambda: blipper.analyze(next(left), model="mel-cnn"), len(paths))


if __name__ == "__main__":
    main()
