from __future__ import annotations

import os
import sys

import pytest
import typer
from rich.cells import cell_len

from blipper.errors import AudioError, SettingsError
from blipper.terminal import columns, complain, exit_codes, progress_bars, without_chatter


def test_columns_align_and_cut_nothing_off() -> None:
    lines = columns([("file", "score"), ("a" * 200, "0.5"), ("b", "10.25")], right=frozenset({1}))
    assert lines[0] == "file" + " " * 196 + "  score"
    assert lines[1] == "a" * 200 + "    0.5"
    assert lines[2] == "b" + " " * 199 + "  10.25"
    assert columns([]) == []


def test_columns_count_wide_characters_double() -> None:
    lines = columns([("会議.wav", "1"), ("a.wav", "2")])
    assert len({cell_len(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("a bad [setting]"), 2),
        (AudioError("a bad [bold]file[/]"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_exit_codes_and_plain_messages(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as caught, exit_codes(interrupted="all is well"):
        raise error
    assert caught.value.exit_code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert (str(error) or "all is well") in err  # brackets are no markup


def test_a_fault_of_blippers_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), exit_codes():
        raise ZeroDivisionError


def test_a_long_complaint_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("x " * 300)
    assert capsys.readouterr().err.count("\n") == 1


def test_no_bars_where_standard_error_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars() as progress:
        for completed in range(3):
            progress("decode", completed, 2)
        progress("a step of a later version", 1, 2)
    out, err = capsys.readouterr()
    assert out == err.strip() == ""


def test_native_chatter_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with without_chatter():
        os.write(2, b"greetings from a library\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_native_chatter_shows_when_something_breaks(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError), without_chatter():
        os.write(2, b"libfoo.so is missing\n")
        raise ImportError
    assert "libfoo.so is missing" in capfd.readouterr().err


def test_a_known_error_comes_without_the_chatter(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AudioError), without_chatter():
        os.write(2, b"greetings from a library\n")
        raise AudioError
    assert capfd.readouterr().err == ""


def test_a_closed_standard_error_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with without_chatter(), progress_bars() as progress:
        progress("decode", 1, 2)
    complain("nobody hears it")
