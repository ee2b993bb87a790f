"""The main job in a real browser: upload, see where it sounds angry, hear it, take it away, delete it."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

pytestmark = pytest.mark.browser

RATE = 16_000
OpenPage = Callable[..., Any]
Shoot = Callable[[Any, str], Path]


@pytest.fixture(scope="module")
def two_minutes(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes: calm and angry clips of several speakers of two corpora, with pauses between them."""
    rng = np.random.default_rng(3)
    calm = sorted((data_dir / "ravdess").glob("Actor_*/03-01-01-01-0[12]-01-*"))
    angry = sorted((data_dir / "ravdess").glob("Actor_*/03-01-05-02-0[12]-01-*"))
    calm += sorted((data_dir / "crema-d" / "AudioWAV").glob("10[0-9]1_*_NEU_XX*"))
    angry += sorted((data_dir / "crema-d" / "AudioWAV").glob("10[0-9]1_*_ANG_XX*"))
    parts: list[np.ndarray] = []
    seconds = 0.0
    while seconds < 120:
        for pool, n in ((calm, 4), (angry, 3)):
            for index in rng.choice(len(pool), n, replace=False):
                clip, rate = sf.read(pool[index], dtype="float32")
                assert rate == RATE
                pause = np.zeros(round(rng.uniform(0.4, 1.5) * RATE), np.float32)
                parts += [clip, pause]
                seconds += (len(clip) + len(pause)) / RATE
        parts.append(np.zeros(3 * RATE, np.float32))
        seconds += 3
    path = tmp_path_factory.mktemp("recordings") / "two minutes.wav"
    sf.write(path, np.concatenate(parts), RATE, subtype="PCM_16")
    return path


def upload(page: Any, *files: Any) -> None:
    if not page.locator("input[type=file]").count():
        page.get_by_text("Add a recording").click()
    page.locator("input[type=file]").set_input_files(list(files))


def wait_for_result(page: Any, name: str) -> None:
    player = page.locator(f'.player[aria-label="Player for {name}"]')
    refusal = page.get_by_text("could not be analysed")
    player.or_(refusal).first.wait_for(timeout=120_000)
    assert player.count(), refusal.first.inner_text()
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for()


def sentence(page: Any) -> str:
    return str(page.locator("h2").first.inner_text())


def audio(page: Any, expression: str) -> Any:
    return page.locator(".player audio").evaluate(f"a => {expression}")


def wait_for_audio(page: Any, condition: str, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not audio(page, condition):
        now = audio(page, "[a.currentTime, a.paused, a.error && a.error.message]")
        assert time.monotonic() < deadline, f"never {condition}; the audio is at {now}"
        page.wait_for_timeout(50)


def stretches(page: Any) -> list[tuple[float, float]]:
    """The events' starts and ends as the list shows them, in seconds."""
    cells = page.locator(".events tbody td:nth-child(2)").all_inner_texts()
    return [tuple(map(seconds, cell.split("–"))) for cell in cells]  # type: ignore[misc]


def wait_for_stretches(page: Any, accept: Callable[[list[tuple[float, float]]], bool]) -> None:
    deadline = time.monotonic() + 5
    while not accept(stretches(page)):
        assert time.monotonic() < deadline, f"the events stay {stretches(page)}"
        page.wait_for_timeout(50)


def seconds(clock: str) -> float:
    minutes, rest = clock.strip().split(":")
    return 60 * int(minutes) + float(rest)


def raise_threshold(page: Any) -> None:
    """Move the slider to its upper end, by key."""
    page.get_by_role("slider", name=re.compile("Threshold")).focus()
    page.keyboard.press("End")


def download(page: Any, label: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    return Path(waiting.value.path()).read_bytes()


def test_a_real_clip_from_upload_to_sentence(new_page: OpenPage, data_dir: Path, shoot: Shoot) -> None:
    clip = next((data_dir / "ravdess" / "Actor_03").glob("03-01-05-02-01-01-03*"))
    page = new_page()
    shoot(page, "review-empty-1440-light")
    upload(page, clip)
    wait_for_result(page, clip.name)
    assert re.search(r"worth a listen|Nothing above the threshold", sentence(page))
    wait_for_audio(page, f"Math.abs(a.duration - {sf.info(clip).duration}) < 0.05")
    page.get_by_text("What the sound checks found and mean").click()
    for check in ("Clipping", "Silence", "Loudness", "Bandwidth"):
        page.locator("p").filter(has_text=re.compile(rf"^{check} \((good|fair|poor|not)")).first.wait_for()
    shoot(page, "review-clip-1440-light")


def test_two_minutes_from_upload_to_deletion(new_page: OpenPage, two_minutes: Path, shoot: Shoot) -> None:
    page = new_page()
    upload(page, two_minutes)
    wait_for_result(page, two_minutes.name)
    assert "worth a listen" in sentence(page)
    shoot(page, "review-two-minutes-1440-light")

    # Click on the curve, then on the ribbon: it plays from there, and the script does not run again.
    duration = audio(page, "a.duration")
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    for fraction, y in ((0.5, 150), (0.25, 255), (0.75, 40)):
        page.mouse.click(box["x"] + fraction * box["width"], box["y"] + y)
        wait_for_audio(page, f"Math.abs(a.currentTime - {fraction * duration}) < 2 && !a.paused")
    assert page.locator("[data-testid=stStatusWidget]").count() == 0

    # Choose an event in the list: it plays that stretch and stops at its end.
    events = stretches(page)
    start, end = events[-1]
    page.locator(".events tbody tr").last.get_by_role("button").click()
    wait_for_audio(page, f"a.currentTime >= {start} - 0.1 && a.currentTime < {end} && !a.paused")
    page.locator(".events tr[aria-current=true]").wait_for()
    wait_for_audio(page, "a.paused", seconds=end - start + 5)
    assert audio(page, "a.currentTime") == pytest.approx(end, abs=0.15)

    # Choose the first one on the curve itself, by its number.
    start, end = events[0]
    page.locator(".stage .badge").first.click()
    wait_for_audio(page, f"a.currentTime >= {start} - 0.1 && a.currentTime < {end} && !a.paused")

    # By keyboard.
    stage.focus()
    page.keyboard.press(" ")
    wait_for_audio(page, "a.paused")
    page.keyboard.press("Home")
    for _ in range(5):  # quick presses add up, though seeking takes longer than they do
        page.keyboard.press("ArrowRight")
    wait_for_audio(page, "a.currentTime == 25")
    assert stage.get_attribute("aria-valuetext").startswith("0:25.0: ")

    # The files equal what the command line writes.
    taken = download(page, "Events (CSV)")
    made = two_minutes.with_name("events.csv")
    command = [sys.executable, "-m", "blipper", "analyze", str(two_minutes), "--output", str(made)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert taken == made.read_bytes()
    rows = list(csv.DictReader(io.StringIO(taken.decode())))
    assert len(rows) == len(events)

    # Another threshold marks anew at once: same player, same sound, no analysis.
    source = audio(page, "a.src")
    before = sentence(page)
    total = sum(b - a for a, b in events)
    raise_threshold(page)
    wait_for_stretches(page, lambda now: sum(b - a for a, b in now) < total)
    assert page.get_by_role("progressbar").count() == 0
    assert audio(page, "a.src") == source
    assert sentence(page) != before
    page.get_by_role("button", name=re.compile("^Back to")).click()
    wait_for_stretches(page, lambda now: now == events)
    assert sentence(page) == before

    # Results survive a change of page.
    page.get_by_role("link", name="Signal").click()
    page.get_by_role("heading", name="Signal").wait_for()
    page.get_by_role("link", name="Review").click()
    wait_for_result(page, two_minutes.name)
    assert sentence(page) == before
    assert stretches(page) == events

    # The sound is served in ranges, so that seeking in a long recording does not fetch all of it.
    source = audio(page, "a.src")
    request = urllib.request.Request(source, headers={"Range": "bytes=0-999"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Type"] == "audio/flac"
        assert answer.headers["Content-Range"].startswith("bytes 0-999/")
        assert answer.read()[:4] == b"fLaC"

    # Deleted: nothing on the page, nothing left to fetch.
    page.get_by_role("button", name="Delete everything").click()
    page.locator(".player").wait_for(state="detached")
    page.get_by_text("What a score is, and what it is not").wait_for()
    assert two_minutes.name not in page.locator("body").inner_text()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(source, timeout=10)


def test_a_bad_file_says_so_and_the_app_stays_up(new_page: OpenPage, data_dir: Path, shoot: Shoot) -> None:
    page = new_page()
    hostile = "<img src=x onerror=alert(1)> ![p](x.png) **b** $x$ :red[r].wav"
    upload(page, {"name": hostile, "mimeType": "audio/wav", "buffer": b"this is no sound"})
    alert = page.get_by_role("alert").filter(has_text="could not be analysed")
    alert.wait_for()
    assert hostile in alert.inner_text().replace("\u2060", "")
    assert alert.locator("img").count() == 0
    assert alert.locator("strong").count() == 1  # our own, around the name
    shoot(page, "review-bad-file-1440-light")
    clip = next((data_dir / "savee" / "AudioData" / "DC").glob("a01*"))
    upload(page, {"name": hostile, "mimeType": "audio/wav", "buffer": clip.read_bytes()})
    page.locator(".player").wait_for(timeout=60_000)
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("button", name="Put away").click()
    alert.wait_for(state="detached")


def test_a_second_upload_while_one_runs(new_page: OpenPage, two_minutes: Path, tmp_path: Path) -> None:
    samples, rate = sf.read(two_minutes, dtype="int16")
    long = tmp_path / "long.flac"
    sf.write(long, np.tile(samples, 4), rate)
    short = tmp_path / "short.wav"
    sf.write(short, samples[: 8 * rate], rate)
    page = new_page()
    upload(page, long)
    page.get_by_role("button", name="Cancel", exact=True).first.wait_for()
    upload(page, short)
    wait_for_result(page, long.name)
    page.get_by_role("heading", name="Recordings").wait_for(timeout=60_000)
    # By its text: the arrow of a list to choose from is called "Open", too.
    page.get_by_role("button", name="Open", exact=True).filter(has_text="Open").click()
    wait_for_result(page, short.name)
    wait_for_audio(page, "Math.abs(a.duration - 8) < 0.05")


def test_cancel_stops_an_analysis(new_page: OpenPage, two_minutes: Path, tmp_path: Path) -> None:
    samples, rate = sf.read(two_minutes, dtype="int16")
    long = tmp_path / "long.flac"
    sf.write(long, np.tile(samples, 40), rate)
    page = new_page()
    upload(page, long)
    cancel = page.get_by_role("button", name="Cancel", exact=True)
    cancel.click()
    cancel.wait_for(state="detached")
    page.get_by_text("What a score is, and what it is not").wait_for()
    assert page.locator(".player").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sample_on_a_phone(new_page: OpenPage, shoot: Shoot, theme: str) -> None:
    page = new_page(width=390, height=844, theme=theme)
    shoot(page, f"review-empty-390-{theme}")
    page.get_by_text("Sample", exact=True).click()
    page.get_by_text("Both voices are synthetic").wait_for()
    page.get_by_role("button", name="Open the sample").click()
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for(timeout=120_000)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    overflowing = page.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stMain] *')]
            .filter(e => e.getBoundingClientRect().right > 391 && e.checkVisibility())
            .map(e => e.tagName + ' ' + e.className)"""
    )
    assert overflowing == []
    shoot(page, f"review-sample-390-{theme}")
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 150)
    half = audio(page, "a.duration") / 2
    wait_for_audio(page, f"Math.abs(a.currentTime - {half}) < 3 && !a.paused")


def test_zooming_keeps_all_lanes_on_one_axis(new_page: OpenPage, two_minutes: Path, shoot: Shoot) -> None:
    page = new_page(theme="dark")
    upload(page, two_minutes)
    wait_for_result(page, two_minutes.name)
    shoot(page, "review-two-minutes-1440-dark")
    duration = audio(page, "a.duration")
    stage = page.locator(".stage")
    stage.scroll_into_view_if_needed()
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    page.wait_for_timeout(400)
    scroller = stage.locator(".scroll")
    width, view = scroller.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert width == pytest.approx(8 * view, rel=0.02)
    scroller.evaluate("e => { e.scrollLeft = e.scrollWidth / 2 }")
    page.wait_for_timeout(300)
    left = scroller.evaluate("e => e.scrollLeft")
    box = stage.bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 150)
    expected = (left + view / 2) / width * duration
    wait_for_audio(page, f"a.currentTime >= {expected} - 0.3 && a.currentTime < {expected} + 3")
    shoot(page, "review-zoomed-1440-dark")
    page.get_by_role("button", name="Show the whole recording").click()
    page.wait_for_timeout(300)
    assert scroller.evaluate("e => e.scrollWidth - e.clientWidth") <= 1


def test_channels_kept_apart(new_page: OpenPage, two_minutes: Path, tmp_path: Path, shoot: Shoot) -> None:
    samples, rate = sf.read(two_minutes, dtype="int16")
    half = len(samples) // 2
    call = tmp_path / "call.wav"
    sf.write(call, np.stack([samples[:half], samples[half : 2 * half]], axis=1), rate)
    page = new_page()
    page.get_by_text("Keep them apart").click()
    upload(page, call)
    wait_for_result(page, call.name)
    left = audio(page, "a.src")
    page.get_by_text("Name the speakers").click()
    page.get_by_label("Speaker 1").fill("Agent")
    page.get_by_label("Speaker 1").press("Enter")
    page.get_by_text(re.compile(r"^Agent: \d+ event")).wait_for()
    page.get_by_text("Agent: aggression score").wait_for()
    shoot(page, "review-channels-1440-light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(600)
    shoot(page, "review-channels-390-light")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_text(re.compile(r"^Right: \d+ event")).click()
    deadline = time.monotonic() + 10
    while audio(page, "a.src") == left:
        assert time.monotonic() < deadline, "the player still holds the left channel"
        page.wait_for_timeout(100)
    wait_for_result(page, call.name)
    right = audio(page, "a.src")
    page.get_by_text("Hear both channels together").click()
    deadline = time.monotonic() + 20
    while audio(page, "a.src") == right:
        assert time.monotonic() < deadline, "the player still holds the right channel alone"
        page.wait_for_timeout(100)
    wait_for_result(page, call.name)
    assert audio(page, "a.error") is None
    page.get_by_role("link", name="Signal").click()
    page.get_by_text("Agent: Mel spectrogram").wait_for()
    page.get_by_text("Right: Mel spectrogram").wait_for()
    shoot(page, "signal-channels-1440-light")
