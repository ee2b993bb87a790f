"""The main job in a real browser: upload, see where it sounds angry, hear it, take it away, delete it."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from tests.browser.driving import (
    PATIENCE,
    Hearing,
    fits,
    go_to,
    open_sample,
    settle,
    sound,
    still,
    uploader,
    wait_for_player,
    wait_for_sound,
    wait_until,
)

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
    """Add recordings, opening the part of the page where that is done if need be."""
    settle(page)
    place = page.get_by_test_id("stFileUploader").filter(has_text="Drop recordings here")
    if not place.is_visible():
        page.get_by_test_id("stExpander").filter(has_text="Add a recording").locator("summary").click()
        place.wait_for()
    uploader(page).set_input_files(list(files))


def sentence(page: Any) -> str:
    return str(page.locator("h2").first.inner_text())


def stretches(page: Any) -> list[tuple[float, float]]:
    """The events' starts and ends as the list shows them, in seconds."""
    cells = page.locator(".events tbody td:nth-child(2)").all_inner_texts()
    return [tuple(map(seconds, cell.split("–"))) for cell in cells]  # type: ignore[misc]


def wait_for_stretches(page: Any, accept: Callable[[list[tuple[float, float]]], bool]) -> None:
    wait_until(page, lambda: accept(stretches(page)), lambda: f"the events stay {stretches(page)}")


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
    wait_for_player(page, clip.name)
    assert re.search(r"worth a listen|Nothing above the threshold", sentence(page))
    wait_for_sound(page, f"Math.abs(a.duration - {sf.info(clip).duration}) < 0.05")
    page.get_by_text("What the sound checks found and mean").click()
    for check in ("Clipping", "Silence", "Loudness", "Bandwidth"):
        page.locator("p").filter(has_text=re.compile(rf"^{check} \((good|fair|poor|not)")).first.wait_for()
    shoot(page, "review-clip-1440-light")


def test_two_minutes_from_upload_to_deletion(new_page: OpenPage, two_minutes: Path, shoot: Shoot) -> None:
    page = new_page()
    upload(page, two_minutes)
    wait_for_player(page, two_minutes.name)
    assert "worth a listen" in sentence(page)
    shoot(page, "review-two-minutes-1440-light")

    # Click on the curve, then on the ribbon: it plays from there, and the script does not run again.
    duration = sound(page, "a.duration")
    hearing = Hearing(page)
    stage = page.locator(".stage")
    settle(page)
    box = still(page, stage)
    for fraction, y in ((0.5, 150), (0.25, 255), (0.75, 40)):
        page.mouse.click(box["x"] + fraction * box["width"], box["y"] + y)
        hearing.plays_from(fraction * duration - 2, fraction * duration + 2)
    assert page.locator("[data-testid=stStatusWidget]").count() == 0

    # Choose an event in the list: it plays that stretch and stops at its end.
    page.locator(".events tbody tr").first.wait_for()
    events = stretches(page)
    peaks = page.locator(".events tbody small").all_inner_texts()
    assert sentence(page).partition("; strongest ")[2] in peaks  # the list's own words: "at 0:31.3"
    start, end = events[-1]
    row = page.locator(".events tbody tr").last
    row.evaluate(
        """row => new MutationObserver(() => { row.marked ||= row.getAttribute("aria-current") === "true" })
            .observe(row, {attributes: true})"""
    )
    row.get_by_role("button").click()
    hearing.plays_from(start - 0.1, start + 0.1)
    wait_for_sound(page, "a.paused")
    assert sound(page, "a.currentTime") == pytest.approx(end, abs=0.15)
    assert row.evaluate("row => row.marked"), "the event that was heard was not marked in the list"

    # Choose the first one on the curve itself, by its number.
    start, end = events[0]
    hearing.forget()
    page.locator(".stage .badge").first.click()
    hearing.plays_from(start - 0.1, start + 0.1)

    # By keyboard, while it plays on from near the beginning.
    box = still(page, stage)
    page.mouse.click(box["x"] + 0.05 * box["width"], box["y"] + 150)
    hearing.plays_from(0.05 * duration - 2, 0.05 * duration + 2)
    stage.focus()
    page.keyboard.press(" ")
    wait_for_sound(page, "a.paused")
    page.keyboard.press("Home")
    for _ in range(5):  # quick presses add up, though seeking takes longer than they do
        page.keyboard.press("ArrowRight")
    wait_for_sound(page, "a.currentTime == 25")
    assert stage.get_attribute("aria-valuetext").startswith("0:25.0: ")

    # The files equal what the command line writes.
    taken = download(page, "Events (CSV)")
    made = two_minutes.with_name("events.csv")
    command = [sys.executable, "-m", "blipper", "analyze", str(two_minutes), "--output", str(made)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    assert taken == made.read_bytes()
    rows = list(csv.DictReader(io.StringIO(taken.decode())))
    assert len(rows) == len(events)

    # Another threshold marks anew at once: same player, same sound, no analysis.
    source = sound(page, "a.src")
    settle(page)
    before = sentence(page)
    total = sum(b - a for a, b in events)
    raise_threshold(page)
    wait_for_stretches(page, lambda now: sum(b - a for a, b in now) < total)
    assert page.get_by_role("progressbar").count() == 0
    assert sound(page, "a.src") == source
    settle(page)
    assert sentence(page) != before
    page.get_by_role("button", name=re.compile("^Back to")).click()
    wait_for_stretches(page, lambda now: now == events)
    settle(page)
    assert sentence(page) == before

    # Results survive a change of page.
    go_to(page, "Signal")
    go_to(page, "Review")
    wait_for_player(page, two_minutes.name)
    wait_for_stretches(page, lambda now: now == events)
    assert sentence(page) == before

    # The sound is served in ranges, so that seeking in a long recording does not fetch all of it.
    source = sound(page, "a.src")
    request = urllib.request.Request(source, headers={"Range": "bytes=0-999"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 206
        assert answer.headers["Content-Type"] == "audio/flac"
        assert answer.headers["Content-Range"].startswith("bytes 0-999/")
        assert answer.read()[:4] == b"fLaC"

    # Deleted: nothing on the page, nothing left to fetch.
    page.get_by_role("button", name="Delete everything").click()
    page.locator(".player").wait_for(state="detached")
    page.get_by_text("What a score is, and what it is not").wait_for()
    settle(page)
    assert two_minutes.name not in page.locator("body").inner_text()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(source, timeout=PATIENCE)


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
    page.locator(".player").wait_for()
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
    wait_for_player(page, long.name)
    page.get_by_role("heading", name="Recordings").wait_for()
    # By its text: the arrow of a list to choose from is called "Open", too.
    page.get_by_role("button", name="Open", exact=True).filter(has_text="Open").click()
    wait_for_player(page, short.name)
    wait_for_sound(page, "Math.abs(a.duration - 8) < 0.05")


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


def test_the_sample_on_a_phone(new_page: OpenPage, shoot: Shoot) -> None:
    page = new_page(width=390, height=844, theme="dark")
    shoot(page, "review-empty-390-dark")
    open_sample(page)
    fits(page, deep=True)
    shoot(page, "review-sample-390-dark")
    hearing = Hearing(page)
    box = still(page, page.locator(".stage"))
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 150)
    half = sound(page, "a.duration") / 2
    hearing.plays_from(half - 3, half + 3)


def test_zooming_keeps_all_lanes_on_one_axis(new_page: OpenPage, two_minutes: Path, shoot: Shoot) -> None:
    page = new_page(theme="dark")
    upload(page, two_minutes)
    wait_for_player(page, two_minutes.name)
    shoot(page, "review-two-minutes-1440-dark")
    duration = sound(page, "a.duration")
    stage = page.locator(".stage")
    settle(page)
    still(page, stage)
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    scroller = stage.locator(".scroll")

    def widths() -> Any:
        return scroller.evaluate("e => [e.scrollWidth, e.clientWidth]")

    wait_until(
        page,
        lambda: widths()[0] == pytest.approx(8 * widths()[1], rel=0.02),
        lambda: f"not zoomed in eightfold: {widths()}",
    )
    scroller.evaluate("e => { e.scrollLeft = e.scrollWidth / 2 }")
    page.wait_for_timeout(300)
    hearing = Hearing(page)
    box = still(page, stage)
    left, (width, view) = scroller.evaluate("e => e.scrollLeft"), widths()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 150)
    expected = (left + view / 2) / width * duration
    hearing.plays_from(expected - 0.3, expected + 0.3)
    shoot(page, "review-zoomed-1440-dark")
    page.get_by_role("button", name="Show the whole recording").click()
    wait_until(page, lambda: widths()[0] - widths()[1] <= 1, lambda: f"not the whole recording: {widths()}")


def test_channels_kept_apart(new_page: OpenPage, two_minutes: Path, tmp_path: Path, shoot: Shoot) -> None:
    samples, rate = sf.read(two_minutes, dtype="int16")
    half = len(samples) // 2
    call = tmp_path / "call.wav"
    sf.write(call, np.stack([samples[:half], samples[half : 2 * half]], axis=1), rate)
    page = new_page()
    page.get_by_text("Keep them apart").click()
    upload(page, call)
    wait_for_player(page, call.name)
    left = sound(page, "a.src")
    page.get_by_text("Name the speakers").click()
    page.get_by_role("textbox", name="Speaker 1").fill("Agent")
    page.get_by_role("textbox", name="Speaker 1").press("Enter")
    page.get_by_text(re.compile(r"^Agent: \d+ event")).wait_for()
    page.get_by_text("Agent: aggression score").wait_for()
    shoot(page, "review-channels-1440-light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(600)
    shoot(page, "review-channels-390-light")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_text(re.compile(r"^Right: \d+ event")).click()
    wait_for_sound(page, f"a.src && a.src !== {left!r}")
    wait_for_player(page, call.name)
    right = sound(page, "a.src")
    page.get_by_text("Hear both channels together").click()
    wait_for_sound(page, f"a.src && a.src !== {right!r}")
    wait_for_player(page, call.name)
    assert sound(page, "a.error") is None
    go_to(page, "Signal")
    page.get_by_text("Agent: Mel spectrogram").wait_for()
    page.get_by_text("Right: Mel spectrogram").wait_for()
    shoot(page, "signal-channels-1440-light")
