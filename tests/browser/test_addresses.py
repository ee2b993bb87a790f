"""A page's own address, typed into a browser, opens that page inside the app."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser


def test_the_first_visitor_of_a_fresh_server_may_come_by_any_address(browser: Any, fresh_url: str) -> None:
    page = browser.new_page()
    page.goto(f"{fresh_url}/signal")
    page.get_by_role("heading", name="Signal").wait_for()
    page.get_by_role("link", name="Review").first.wait_for()
    assert page.get_by_test_id("stSidebarNav").count() == 0, "Streamlit's own navigation of pages/ is shown"
    page.get_by_role("link", name="Go to Review").click()
    page.get_by_role("heading", name="Review").wait_for()
    page.close()
