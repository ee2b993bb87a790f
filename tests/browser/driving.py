"""How tests act on the app: never on a page that is about to go, and with patience for a busy machine."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from typing import Any, Final

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

#: Seconds to wait for anything before calling it a failure. They cost nothing while things go well.
PATIENCE: Final = 240.0

#: The script has run to its end, and nothing waits to be sent.
_SETTLED: Final = (
    "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
)
#: The player's sound.
PLAYER: Final = ".player audio"
#: Narrower than this, the pages lie in a sidebar.
_SIDEBAR_BELOW: Final = 768


#: Pages that tests opened, for the report of a failure.
_opened: list[Any] = []


def chromium() -> str | None:
    """Return the system's Chromium, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def open_page(browser: Any, **options: Any) -> Any:
    """Open a blank page in a context of its own, with patience."""
    context = browser.new_context(**options)
    context.set_default_timeout(1000 * PATIENCE)
    return open_tab(context)


def open_tab(context: Any) -> Any:
    """Open a further blank page in a context."""
    page = context.new_page()
    _opened[:] = [*open_pages(), page]
    return page


def open_pages() -> list[Any]:
    """Return the pages that were opened here and not closed yet."""
    return [page for page in _opened if not page.is_closed()]


def arrive(page: Any, name: str) -> None:
    """Wait until the page with this title is drawn to its end.

    A link's click returns while the old page is still there, widgets and all: what is done to those is lost.
    The title appears when the old page's elements have gone, and the run that draws the new one goes on.
    """
    page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
    settle(page)


def settle(page: Any) -> None:
    """Wait until the script that draws the page has run to its end, and what it drew has loaded its code."""
    page.locator(_SETTLED).wait_for()
    page.get_by_test_id("stSkeleton").filter(visible=True).first.wait_for(state="detached")


def go_to(page: Any, name: str) -> None:
    """Choose a page in the menu, which on a phone lies behind a button, and wait until it is drawn."""
    narrow = page.viewport_size["width"] < _SIDEBAR_BELOW
    if narrow:
        page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebarNavLink" if narrow else "stTopNavLink").filter(has_text=name).click()
    arrive(page, name)
    if narrow:
        page.get_by_test_id("stSidebarCollapseButton").locator("button").click()
        page.get_by_test_id("stExpandSidebarButton").wait_for()


def wait_until(page: Any, holds: Callable[[], bool], otherwise: Callable[[], str] | str) -> None:
    """Ask again and again until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        page.wait_for_timeout(50)


def still(page: Any, locator: Any) -> dict[str, float]:
    """Return an element's box once it is in view and no longer moves, to click at a place inside it."""
    boxes: list[dict[str, float]] = []

    def rests() -> bool:
        locator.scroll_into_view_if_needed()
        boxes.append(locator.bounding_box() or {})
        page.wait_for_timeout(100)
        return len(boxes) > 3 and bool(boxes[-1]) and all(box == boxes[-1] for box in boxes[-4:])

    wait_until(page, rests, lambda: f"{locator} never rests: {boxes[-4:]}")
    return boxes[-1]


def uploader(page: Any, label: str = "Drop recordings here") -> Any:
    """Return the file input of the upload widget with this label; a page may have several."""
    return page.get_by_test_id("stFileUploader").filter(has_text=label).locator("input[type=file]")


def wait_for_player(page: Any, name: str = "") -> None:
    """Wait until a recording's player has drawn its lanes and loaded its sound."""
    player = page.locator(f'.player[aria-label="Player for {name}"]' if name else ".player")
    refusal = page.get_by_text("could not be analysed")
    player.or_(refusal).first.wait_for()
    # Neither is there for a moment where another recording's end draws the page anew.
    assert player.count() or not refusal.count(), refusal.first.inner_text()
    page.locator(".player:not([aria-busy]) .stage canvas").first.wait_for()
    # Its length is known by now, and nothing is being fetched that leaving the page would break off.
    wait_for_sound(page, "a.src && a.readyState > 0 && a.networkState !== a.NETWORK_LOADING")


def sound(page: Any, expression: str) -> Any:
    """Evaluate JavaScript on the player's audio element, which it calls ``a``."""
    return page.locator(PLAYER).evaluate(f"a => {expression}")


def wait_for_sound(page: Any, condition: str, sounds: str = PLAYER) -> None:
    """Wait until there is one audio element ``a``, the player's, that fulfils a condition in JavaScript."""
    found = page.locator(sounds)
    wait_until(
        page,
        lambda: found.evaluate_all(f"all => all.length === 1 && all.every(a => {condition})"),
        lambda: (
            f"never {condition}; the sounds are at "
            + str(found.evaluate_all("all => all.map(a => [a.currentTime, a.paused, a.error?.message])"))
        ),
    )


def choose(page: Any, label: str, option: str) -> None:
    """Choose from a select box; again if the list closed under the click, as it does when the page moves."""
    from playwright.sync_api import TimeoutError as TooLate

    for _ in range(5):
        settle(page)
        page.get_by_role("combobox", name=re.compile(label)).first.click()
        try:
            page.get_by_role("option", name=option).click(timeout=15_000)
        except TooLate:
            page.keyboard.press("Escape")
            continue
        settle(page)
        return
    raise AssertionError(f"{option} could not be chosen from {label}")


class Hearing:
    """Notes what an audio element does from now on, so that a slow test misses nothing that has passed by."""

    def __init__(self, page: Any, sounds: str = PLAYER) -> None:
        self._page, self._sounds = page, sounds
        page.locator(sounds).evaluate(
            """a => {
                a.noted = [];
                for (const kind of ["seeking", "play", "pause"])
                    a.addEventListener(kind, () => a.noted.push([kind, a.currentTime]));
            }"""
        )

    def forget(self) -> None:
        """Leave out what has been so far."""
        self._page.locator(self._sounds).evaluate("a => { a.noted = [] }")

    def plays_from(self, low: float, high: float) -> None:
        """Wait until the playhead was moved to a time in [low, high] and the sound played."""
        wait_for_sound(
            self._page,
            f"a.noted.some(([kind, at]) => kind === 'seeking' && {low} <= at && at <= {high}) && "
            "(!a.paused || a.noted.some(([kind]) => kind === 'play'))",
            self._sounds,
        )
        self.forget()


class Line:
    """The line between the app and a page, which can be held up: what the app sends then waits for its turn.

    The page is loaded anew, in a session of its own.
    """

    def __init__(self, page: Any) -> None:
        self._page, self._held, self._after = page, False, ""
        self._waiting: list[Any] = []
        self._socket: Any = None
        page.route_web_socket("**/_stcore/stream", self._connect)
        page.reload()

    def hold_after(self, field: str) -> None:
        """Let nothing of the app's through once a message with this field came."""
        self._after = field

    def wait_for_hold(self) -> None:
        """Wait until that message has come."""
        wait_until(self._page, lambda: self._held, lambda: f"no message has {self._after}")

    def wait_for_redraw(self) -> None:
        """Wait until the app draws the whole page anew, behind a line that is held up."""

        def begun() -> bool:  # a part of it is drawn without the menu
            return any(ForwardMsg.FromString(message).HasField("navigation") for message in self._waiting)

        wait_until(self._page, begun, lambda: f"nothing is drawn anew; {len(self._waiting)} messages wait")

    def release(self) -> None:
        """Let all through again."""
        self._held, self._after = False, ""
        while self._waiting:
            self._socket.send(self._waiting.pop(0))

    def _connect(self, socket: Any) -> None:
        app = socket.connect_to_server()
        self._socket = socket
        app.on_message(self._pass)

    def _pass(self, message: Any) -> None:
        if self._held:
            self._waiting.append(message)
            return
        self._socket.send(message)
        self._held = bool(self._after) and ForwardMsg.FromString(message).HasField(self._after)


def open_sample(page: Any) -> None:
    """Open the sample in Review, and wait for its player."""
    settle(page)
    page.get_by_text("Sample", exact=True).click()
    page.get_by_role("button", name="Open the sample").click()
    wait_for_player(page)
    settle(page)


def fits(page: Any, *, deep: bool = False, but: str = "nothing-else") -> None:
    """Wait until the page is no wider than the screen; `deep`: nor anything on it, but what lies in `but`."""
    wide = """([width, deep, but]) => [
        ...[document.documentElement].filter(e => e.scrollWidth > width),
        ...[...document.querySelectorAll('[data-testid=stMain] *')]
            .filter(e => deep && !e.closest(but))
            .filter(e => e.getBoundingClientRect().right > width + 1 && e.checkVisibility()),
    ].map(e => e.tagName + ' ' + e.className)"""
    asked = [page.viewport_size["width"], deep, but]
    wait_until(
        page, lambda: page.evaluate(wide, asked) == [], lambda: f"too wide: {page.evaluate(wide, asked)}"
    )
