"""Guards against invented text."""

from __future__ import annotations

import dataclasses

import pytest

from blipper.words.guards import Evidence, Guards, drop_echoes, longest_run, why_invented
from blipper.words.transcript import Utterance

FINE = Evidence(no_speech=0.1, log_probability=-0.3, compression_ratio=1.2, speech_share=1.0)


@pytest.mark.parametrize(
    ("text", "seconds", "evidence", "reason"),
    [
        ("Ask not what your country can do for you.", 3.0, {}, None),
        ("Quiet but certain.", 1.5, {"no_speech": 0.9}, None),
        ("Thanks for watching!", 1.5, {"no_speech": 0.9, "log_probability": -1.2}, "probably no speech"),
        ("Mumbled but spoken.", 1.5, {"log_probability": -1.2}, None),
        ("Zorp flim.", 1.5, {"log_probability": -1.6}, "a guess: mean log-probability -1.60"),
        ("Round and round.", 1.5, {"compression_ratio": 2.5}, "compresses 2.5 times"),
        ("you know what " * 5, 9.0, {}, "the same phrase 5 times in a row"),
        ("No! No! No! No! No! No! No!", 3.0, {}, None),
        ("la " * 20, 9.0, {}, "repeats itself"),
        ("In the silence.", 1.5, {"speech_share": 0.2}, "20 % of its time"),
        ("A whole long sentence that nobody says so fast.", 0.5, {}, "characters a second"),
    ],
)
def test_what_is_believed(text: str, seconds: float, evidence: dict[str, float], reason: str | None) -> None:
    found = why_invented(
        Utterance(0.0, seconds, text.strip()), dataclasses.replace(FINE, **evidence), Guards()
    )
    assert found is None if reason is None else found is not None and reason in found


def test_echoes_leave_one() -> None:
    said = [
        Utterance(i, i + 1, text) for i, text in enumerate(["Hello."] + ["I am so sorry."] * 6 + ["No."] * 8)
    ]
    kept, dropped = drop_echoes(said, Guards())
    assert [one.text for one in kept] == ["Hello.", "I am so sorry."] + ["No."] * 8
    assert [one.start for one in dropped] == [2, 3, 4, 5, 6]
    assert "6 times in a row" in dropped[0].reason
    assert drop_echoes([], Guards()) == ([], [])


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("", 1),
        ("one", 1),
        ("a b c d", 1),
        ("a b a b", 2),
        ("so a b c, A B C! a b c", 3),
        ("no " * 9, 4),
        ("я не знаю " * 5, 5),
    ],
)
def test_runs_are_counted(text: str, times: int) -> None:
    assert longest_run(text) == times
