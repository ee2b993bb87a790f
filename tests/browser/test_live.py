"""The Live page in a real Chromium whose microphone plays a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from tests.browser.conftest import FLAGS, host_of
from tests.browser.driving import PATIENCE, arrive, go_to, open_page, wait_until
from tests.browser.driving import chromium as find_chromium

pytestmark = pytest.mark.browser

RATE = 16_000
Shoot = Callable[[Any, str], Path]


@pytest.fixture(scope="module")
def quarrel(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calm clips, long enough for a slow machine to show that, then angry ones; played over and over."""
    calm = sorted((data_dir / "ravdess").glob("Actor_0[13]/03-01-01-01-0[12]-01-*"))
    angry = sorted((data_dir / "ravdess").glob("Actor_0[1-5]/03-01-05-02-0[12]-01-*"))
    clips = [sf.read(path, dtype="float32")[0] for path in [*calm, *angry]]
    path = tmp_path_factory.mktemp("live") / "quarrel.wav"
    sf.write(path, np.concatenate(clips), RATE, subtype="PCM_16")
    return path


@contextmanager
def microphone(
    browser: Any, *flags: str, allowed: bool = True, url: str
) -> Iterator[tuple[Any, set[str], list[str]]]:
    """Open the Live page in a Chromium with these flags; yields the page, its hosts and its complaints."""
    executable = find_chromium()
    chromium = browser.browser_type.launch(
        executable_path=executable, args=[*FLAGS, *flags], timeout=1000 * PATIENCE
    )
    try:
        page = open_page(
            chromium,
            viewport={"width": 1440, "height": 900},
            permissions=["microphone"] if allowed else [],
        )
        hosts: set[str] = set()
        complaints: list[str] = []
        page.on("request", lambda request: hosts.add(host_of(request.url)))
        page.on("websocket", lambda socket: hosts.add(host_of(socket.url)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{url}/live")
        arrive(page, "Live")
        yield page, hosts, complaints
    finally:
        chromium.close()


def playing(path: Path) -> tuple[str, ...]:
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}",
    )


def test_an_angry_voice_raises_the_alert(browser: Any, app_url: str, quarrel: Path, shoot: Shoot) -> None:
    with microphone(browser, *playing(quarrel), url=app_url) as (page, hosts, complaints):
        start = page.get_by_role("button", name="Start listening")
        page.wait_for_function("() => document.body.innerText.includes('Nothing of the live sound is kept')")
        page.get_by_text("Press Start listening").wait_for()
        start.click()  # once the model is there
        page.get_by_text("No alert: nothing stayed above").wait_for()
        page.get_by_text("worth a listen now").wait_for()
        shoot(page, "live-1440-light")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(600)
        shoot(page, "live-390-light")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("button", name="Stop listening").click()
        page.get_by_text("were heard.").wait_for()
        page.get_by_text("Events so far").wait_for()
        page.get_by_text("Not listening").or_(page.get_by_text("Stopped.")).first.wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="Events (CSV)").click()
        table = Path(download.value.path()).read_text("utf-8").splitlines()
        assert table[0].startswith("began_at,start_s,end_s")
        assert len(table) >= 2
        assert hosts <= {host_of(app_url), ""}
        assert complaints == []


def test_leaving_the_page_ends_it_and_says_so(browser: Any, app_url: str, quarrel: Path) -> None:
    with microphone(browser, *playing(quarrel), url=app_url) as (page, _, complaints):
        page.get_by_role("button", name="Start listening").click()
        page.get_by_text("No alert").or_(page.get_by_text("Sounds angry since")).first.wait_for()
        go_to(page, "Signal")
        go_to(page, "Live")
        page.get_by_text("Listening ended when you left this page.").wait_for()
        page.get_by_role("button", name="Start listening").wait_for()
        assert complaints == []


def test_no_sound_overtakes_a_click_on_the_menu(browser: Any, app_url: str, quarrel: Path) -> None:
    """Of two requests that wait, Streamlit goes to the page of the later one, which must not be this one."""
    with microphone(browser, *playing(quarrel), url=app_url) as (page, _, complaints):
        pieces: list[float] = []

        def note(payload: bytes | str) -> None:
            if b'"pcm"' in (payload if isinstance(payload, bytes) else payload.encode()):
                pieces.append(time.monotonic())

        page.on("websocket", lambda socket: socket.on("framesent", note))
        page.reload()
        arrive(page, "Live")
        page.get_by_role("button", name="Start listening").click()
        page.get_by_text("No alert").or_(page.get_by_text("Sounds angry since")).first.wait_for()
        wait_until(page, lambda: bool(pieces), "no piece of sound is sent")
        # A click that leads nowhere, as one to another tab does.
        page.evaluate(
            "document.addEventListener('click', e => e.preventDefault() + e.stopPropagation(), true)"
        )
        page.get_by_test_id("stTopNavLink").filter(has_text="Signal").click()
        clicked = time.monotonic()
        wait_until(page, lambda: pieces[-1] > clicked + 1, "it goes on sending once nothing has come of it")
        assert min(sent for sent in pieces if sent > clicked + 0.5) > clicked + 4
        assert complaints == []


def test_a_refused_microphone_is_told(browser: Any, app_url: str) -> None:
    flags = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")
    with microphone(browser, *flags, allowed=False, url=app_url) as (page, _, complaints):
        page.get_by_role("button", name="Start listening").click()
        page.get_by_text("The browser may not use the microphone.").wait_for()
        page.get_by_role("button", name="Start listening").wait_for()
        assert complaints == []


def test_a_computer_without_a_microphone_is_told(browser: Any, app_url: str) -> None:
    with microphone(browser, "--use-fake-ui-for-media-stream", url=app_url) as (page, _, complaints):
        page.get_by_role("button", name="Start listening").click()
        page.get_by_text("This computer has no microphone").wait_for()
        assert complaints == []
