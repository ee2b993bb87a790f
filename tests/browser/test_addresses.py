"""A page's own address, typed into a browser, opens that page inside the app."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.driving import arrive, open_page

pytestmark = pytest.mark.browser


def test_the_first_visitor_of_a_fresh_server_may_come_by_any_address(browser: Any, fresh_url: str) -> None:
    page = open_page(browser)
    page.goto(f"{fresh_url}/signal")
    arrive(page, "Signal")
    page.get_by_role("link", name="Review").first.wait_for()
    assert page.get_by_test_id("stSidebarNav").count() == 0, "Streamlit's own navigation of pages/ is shown"
    page.get_by_role("link", name="Go to Review").click()
    arrive(page, "Review")
    page.context.close()
