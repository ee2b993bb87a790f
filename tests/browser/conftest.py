"""The real app in a real Chromium: one server for all browser tests, a fresh page for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser import driving, server
from tests.browser.server import ARTIFACTS, served

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=user-gesture-required",
]


#: A tab begins without what an earlier test's left in the profile, and keeps its own when it is loaded anew.
FORGET = """
if (window === top && !sessionStorage.getItem("begun")) {
  sessionStorage.setItem("begun", "yes");
  localStorage.clear();
}
"""


def _missing(reason: str) -> None:
    """Skip, or fail where the browser tests are required (as in .ci/run)."""
    if os.environ.get("BLIPPER_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """Start the app once for all tests and yield its URL."""
    with served("app.log") as url:
        yield url


@pytest.fixture
def fresh_url() -> Iterator[str]:
    """Start the app for one test, which is then the first to ask it for anything."""
    with served("app-fresh.log") as url:
        yield url


@pytest.fixture(scope="module")
def launching() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield Playwright's Chromium and how to launch the system's, headless."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _missing("needs the package playwright")
    executable = driving.chromium()
    if executable is None:
        _missing("needs a system Chromium: no chromium, chromium-browser or google-chrome on the PATH")
    expect.set_options(timeout=1000 * driving.PATIENCE)
    with sync_playwright() as playwright:
        how = {"executable_path": executable, "args": FLAGS, "timeout": 1000 * driving.PATIENCE}
        yield playwright.chromium, how


@pytest.fixture(scope="module")
def browser(launching: tuple[Any, dict[str, Any]]) -> Iterator[Any]:
    """Yield a headless system Chromium, in which every context is a user of its own."""
    chromium, how = launching
    running = chromium.launch(**how)
    yield running
    running.close()


@pytest.fixture(scope="session")
def profile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of one user's browser, which keeps what it fetched and compiled."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def profile(launching: tuple[Any, dict[str, Any]], profile_folder: Path) -> Iterator[Any]:
    """Yield one user's browser: the app's scripts are fetched and compiled once, not for every test."""
    chromium, how = launching
    context = chromium.launch_persistent_context(profile_folder, accept_downloads=True, **how)
    context.set_default_timeout(1000 * driving.PATIENCE)
    yield context
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Say with a failure what the pages show and what the server is at, while both are still there."""
    report = yield
    if report.failed:
        for number, page in enumerate(driving.open_pages()):
            report.sections.append((f"page {number}", _described(page, f"failed-{item.name}-{number}")))
        for held in server.running:
            held.dump_stacks(f"{item.name} failed")
            report.sections.append((f"end of {held.log.name}", held.tail()))
    return report


def _described(page: Any, name: str) -> str:
    """Save a picture of a page among the artifacts, and return in words what it shows."""
    from playwright.sync_api import Error

    try:
        page.screenshot(path=ARTIFACTS / f"{name.replace('/', '_')}.png", full_page=True, timeout=20_000)
        text = page.get_by_test_id("stMain").or_(page.locator("body")).last.inner_text(timeout=20_000)
        app = page.get_by_test_id("stApp")
        states = [
            app.get_attribute(f"data-test-{kind}-state", timeout=1000) for kind in ("script", "connection")
        ]
    except Error as error:
        return f"{page.url} does not answer: {error}"
    return f"{page.url}, {states}\n{' | '.join(text.split(chr(10)))[:3000]}"


@pytest.fixture
def new_page(profile: Any, app_url: str) -> Iterator[Callable[..., Any]]:
    """Yield a function that opens the app; afterwards check that it kept quiet and to itself."""
    pages: list[Any] = []
    complaints: list[str] = []
    hosts: set[str] = set()

    def open_app(width: int = 1440, height: int = 900, theme: str = "light") -> Any:
        page = driving.open_tab(profile)
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=theme)
        page.add_init_script(FORGET)
        page.on("console", lambda message: _complain(message, complaints))
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("request", lambda request: hosts.add(host_of(request.url)))
        page.on("websocket", lambda socket: hosts.add(host_of(socket.url)))
        page.goto(app_url)
        driving.arrive(page, "Review")
        return page

    yield open_app
    for page in pages:
        page.close()
    profile.clear_cookies()
    assert hosts <= {urlsplit(app_url).netloc, ""}, f"requests went to {sorted(hosts)}"
    assert complaints == []


def host_of(url: str) -> str:
    """Return host and port; empty for blob: and data:, which never leave the browser."""
    return "" if url.startswith(("blob:", "data:")) else urlsplit(url).netloc


def _complain(message: Any, complaints: list[str]) -> None:
    if message.type == "error":
        complaints.append(f"console: {message.text} ({message.location.get('url', '')})")


@pytest.fixture
def shoot() -> Callable[[Any, str], Path]:
    """Return a function that saves the whole page as a picture among the artifacts."""

    def save(page: Any, name: str) -> Path:
        size = page.viewport_size
        height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(height, 6000))})
        page.wait_for_timeout(400)  # wavesurfer draws a tenth of a second after a change of size
        path = ARTIFACTS / f"{name}.png"
        page.screenshot(path=path)
        page.set_viewport_size(size)
        page.wait_for_timeout(200)
        return path

    return save
