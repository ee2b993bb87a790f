"""The form in which texts reach a text model."""

from __future__ import annotations

import pytest

from blipper.words.spoken import spoken, spoken_word, unmarked


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("You IDIOT!!!", "you idiot!"),
        ("Don’t you DARE…", "don't you dare."),
        ("'quoted' rock 'n' roll", "quoted rock n roll"),
        ("@VirginAmerica see https://t.co/abc 😡 now", "see now"),
        ("a well-known  fact\n(really)", "a well known fact really"),
        ("snake_case #angry 24/7", "snake case angry 24 7"),
        ("Straße ÉCOLE مرحبا", "straße école مرحبا"),
        ("Wait...what?! No, 3.5 and 1,000.", "wait. what? no, 3.5 and 1,000."),
        ("he said 'stop!' twice , ok ?", "he said stop! twice ok"),
        ("?! … 😀", ""),
        ("", ""),
    ],
)
def test_a_text_becomes_what_a_recogniser_writes(written: str, expected: str) -> None:
    assert spoken(written) == expected
    assert spoken(expected) == expected


def test_words_are_formed_one_by_one() -> None:
    text = "Well-known @me 'Tis   THE end."
    assert spoken(text) == " ".join(filter(None, (spoken_word(word) for word in text.split())))


def test_some_recognisers_write_no_marks() -> None:
    assert unmarked(spoken("Well, you IDIOT! Wait... 3.5?")) == "well you idiot wait 3.5"
