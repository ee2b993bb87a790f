"""The real app in a real Chromium: one server for all browser tests, a fresh page for each."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "artifacts"
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


def _missing(reason: str) -> None:
    """Skip, or fail where the browser tests are required (as in .ci/run)."""
    if os.environ.get("BLIPPER_REQUIRE_BROWSER"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def served(log_name: str) -> Iterator[str]:
    """Start the app on a free port, give its URL, and stop it; its log goes to artifacts/."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ARTIFACTS.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    with (ARTIFACTS / log_name).open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [*command, "--server.port", str(port)], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://localhost:{port}"
            _wait_for(f"{url}/_stcore/health", server)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=20)


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


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None, f"the app ended by itself; see {ARTIFACTS / 'app.log'}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, "the app did not answer within 60 s"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Yield a headless system Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("needs the package playwright")
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        _missing("needs a system Chromium: no chromium, chromium-browser or google-chrome on the PATH")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remember failures, so that `new_page` can save a picture of what was there."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture
def new_page(request: pytest.FixtureRequest, browser: Any, app_url: str) -> Iterator[Callable[..., Any]]:
    """Yield a function that opens the app; afterwards check that it kept quiet and to itself."""
    contexts: list[Any] = []
    complaints: list[str] = []
    hosts: set[str] = set()

    def open_page(width: int = 1440, height: int = 900, theme: str = "light") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: _complain(message, complaints))
        page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
        page.on("request", lambda request: hosts.add(host_of(request.url)))
        page.on("websocket", lambda socket: hosts.add(host_of(socket.url)))
        page.goto(app_url)
        page.get_by_role("heading", name="Review").wait_for()
        return page

    yield open_page
    if request.node.stash.get(_FAILED, False):
        for context in contexts:
            for number, page in enumerate(context.pages):
                page.screenshot(path=ARTIFACTS / f"failed-{request.node.name}-{number}.png", full_page=True)
    for context in contexts:
        context.close()
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
