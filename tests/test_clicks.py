"""A click on a chart fills a field, whatever the browser still believes the field to hold."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def app() -> None:
    """Draw a field, and buttons that stand for a chart's points."""
    import streamlit as st

    from ui import clicks

    key = clicks.field("time", "chart")
    st.session_state.setdefault(key, clicks.taken("chart", 38.8))
    for time in (3.2, 7.7):
        st.button(f"at {time}", on_click=clicks.take, args=("chart", time))
    st.number_input("Time (s)", 0.0, 80.0, key=key)


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_function(app).run()


def test_a_click_fills_the_field_and_the_field_can_be_changed_again(page: AppTest) -> None:
    assert page.number_input[0].value == 38.8
    page.button[0].click().run()
    assert page.number_input[0].value == 3.2
    page.number_input[0].set_value(5.0).run()
    assert page.number_input[0].value == 5.0
    page.button[1].click().run()
    assert page.number_input[0].value == 7.7
    assert not page.exception


def test_what_the_browser_held_before_the_click_does_not_undo_it(page: AppTest) -> None:
    before, button = page.number_input[0], page.button[0]
    button.click().run()
    button.set_value(False)
    before.set_value(38.8).run()  # all that the browser held before the click, sent again
    assert page.number_input[0].value == 3.2


def test_the_same_point_twice_undoes_what_was_typed_between(page: AppTest) -> None:
    page.button[0].click().run()
    page.number_input[0].set_value(5.0).run()
    page.button[0].click().run()
    assert page.number_input[0].value == 3.2
