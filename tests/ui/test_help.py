"""Every control of the app says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTROLS = {
    "audio_input", "button", "checkbox", "date_input", "download_button", "file_uploader",
    "form_submit_button", "multiselect", "number_input", "pills", "popover", "radio", "segmented_control",
    "select_slider", "selectbox", "slider", "text_area", "text_input", "time_input", "toggle",
}  # fmt: skip


def controls(source: str) -> list[ast.Call]:
    """Return the calls that make a control, except those whose options are passed on as a whole."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CONTROLS
        and all(keyword.arg is not None for keyword in node.keywords)
    ]


def test_every_control_has_a_help_text():
    files = [*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    found = [(file, call) for file in files for call in controls(file.read_text(encoding="utf-8"))]
    assert len(found) > 100
    lacking = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file, call in found
        if not any(keyword.arg == "help" for keyword in call.keywords)
    ]
    assert not lacking


def test_a_control_without_one_is_found():
    assert len(controls('st.button("a"); st.slider("b", help="c"); st.write("d")')) == 2
