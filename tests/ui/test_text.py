"""Names from outside: shown as they stand, never as markup."""

from __future__ import annotations

import re

import pytest

from ui.text import plain, printable, safe_stem, shorten

HOSTILE = [
    "<img src=x onerror=alert(1)>.wav",
    "![x](//evil.example/x.png).wav",
    "[click](javascript:alert(1)).wav",
    "**bold** _it_ `code` # head.wav",
    ":red[danger] :material/delete: $x^2$.wav",
    "&lt;b&gt;.wav",
    "a\nb\r\n# heading.wav",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_markup_survives(name: str) -> None:
    escaped = plain(name)
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]!*_`#<>$&(){}|~:]", escaped)
    assert "\n" not in escaped
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped).replace("\u2060", "")
    assert shown == printable(name)


def test_ordinary_names_stay_readable() -> None:
    assert plain("Ruf Müller 3") == "Ruf Müller 3"
    assert plain("電話") == "電話"
    assert plain("call.wav") == r"call\.wav"
    assert plain("at 1:45:18, 50:50") == r"at 1\:45\:18\, 50\:50"


def test_no_links_by_themselves() -> None:
    escaped = plain("https://evil.example/x www.evil.example a@evil.example")
    for live in ("https://", "https\\://", "www.e", r"www\.e", "a@e", r"a\@e"):
        assert live not in escaped


@pytest.mark.parametrize("live", [":smile:", ":red[x]", ":material/delete:", ":+1:"])
def test_no_emoji_icons_or_colours(live: str) -> None:
    assert plain(live).startswith("\\:\u2060")


def test_direction_marks_are_dropped() -> None:
    assert printable("gnp\u202evaw.exe\u2066") == "gnpvaw.exe"
    assert printable("a\x00b\x1bc") == "a b c"


def test_shorten_keeps_the_ending() -> None:
    assert shorten("a" * 100 + ".wav", 20) == "a" * 15 + "….wav"
    assert shorten("short.wav", 20) == "short.wav"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("call.wav", "call"),
        ("../../etc/passwd", "passwd"),
        ('a"b;c\r\nSet-Cookie: x.wav', "a_b_c_Set-Cookie_x"),
        ("Gespräch 1.mp3", "Gespräch_1"),
        ("...", "recording"),
        ("", "recording"),
        ("x" * 300 + ".wav", "x" * 80),
    ],
)
def test_download_names_are_harmless(name: str, stem: str) -> None:
    assert safe_stem(name) == stem
