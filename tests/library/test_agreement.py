"""What verdicts add up to, on numbers worked out by hand; the queue; two analyses side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from blipper import library as lib
from blipper.errors import LibraryError
from blipper.figures.library import analyses_figure, precision_figure
from blipper.library import Database
from blipper.library.agreement import agreement, group, precision, wilson
from blipper.library.comparing import compare, highest_curve
from blipper.library.queue import POOL, review_queue
from blipper.library.values import Stretch, Verdict
from tests.library.making import OTHER_MODEL, SCORES, analysis, track

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def verdict(number: int = 0, answer: str = "right", analyst: str = "Ana", **changes: Any) -> Verdict:
    values = {
        "id": number, "recording_id": "r", "analysis_id": "a", "target": "event", "channel": 0,
        "start": 10.0 * number, "end": 10.0 * number + 5, "verdict": answer,
        "emotion": "happy" if answer == "other emotion" else None, "score": 0.5, "model_sha256": "m",
        "analyst": analyst, "given_at": NOW, "note": "",
    }  # fmt: skip
    return Verdict(**{**values, **changes})


def test_verdicts_on_one_stretch_are_grouped() -> None:
    first = verdict(1)
    near = verdict(1, "wrong", "Ben", start=11.0, end=15.5)  # 4 s of 5.5 s are shared
    far = verdict(1, "wrong", "Cem", start=13.0, end=20.0)  # 2 s of 10 s
    newer = verdict(1, "wrong", "Ana", start=10.5, given_at=NOW + timedelta(1))
    other = verdict(1, recording_id="s")
    said = verdict(1, target="utterance")
    groups = group([first, near, far, newer, other, said])
    assert [set(item.verdicts) for item in groups] == [{"Ana", "Ben"}, {"Cem"}, {"Ana"}, {"Ana"}]
    assert groups[0].verdicts["Ana"] == newer
    assert groups[0].angry is False
    assert group([first, near])[0].angry is None


def test_kappa_of_a_worked_table() -> None:
    # Yes/yes 20, yes/no 5, no/yes 10, no/no 15: observed 0.7, expected 0.5, kappa 0.4.
    table = [("right", "right")] * 20 + [("right", "wrong")] * 5
    table += [("wrong", "missed")] * 10 + [("other emotion", "wrong")] * 15
    both = [(verdict(n, a), verdict(n, b, "Ben")) for n, (a, b) in enumerate(table)]
    alone = verdict(999, "right", "Cem")
    [pair] = agreement(group([*(v for pair in both for v in pair), alone]))
    assert (pair.first, pair.second, pair.n) == ("Ana", "Ben", 50)
    assert pair.agreed == pytest.approx(0.7)
    assert pair.kappa == pytest.approx(0.4)


def test_kappa_is_undefined_where_all_say_the_same() -> None:
    [pair] = agreement(group([verdict(0), verdict(0, analyst="Ben")]))
    assert (pair.agreed, pair.kappa) == (1.0, None)
    assert agreement(group([verdict(0)])) == ()


def test_wilson_s_interval() -> None:
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775328), abs=1e-6)
    assert wilson(10, 10) == pytest.approx((0.7224672, 1.0), abs=1e-6)
    for wrong in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(LibraryError, match="at least one trial"):
            wilson(*wrong)


def test_precision_at_thresholds() -> None:
    given = [
        verdict(0, score=0.9),
        verdict(1, "wrong", score=0.7),
        verdict(2, score=0.6),
        verdict(3, "missed", target="near-miss", score=0.4),
        verdict(4, "missed", target="marked", score=0.2),  # by hand: nobody chose it by score
        verdict(5, score=0.8),
        verdict(5, "wrong", "Ben", score=0.8),  # a tie
        verdict(6, score=0.9, model_sha256="other"),
        verdict(7, score=None),
    ]
    rows = precision(group(given), "m", [0.1, 0.5, 0.65, 0.95])
    assert [(row.judged, row.right) for row in rows] == [(4, 3), (3, 2), (2, 1), (0, 0)]
    assert rows[1].precision == pytest.approx(2 / 3)
    assert (rows[1].low, rows[1].high) == pytest.approx(wilson(2, 3))
    assert rows[3].precision is None
    assert len(precision(group(given), "m")) == 19
    figure = precision_figure(rows, 0.5)
    assert list(figure.data[0].x) == [0.1, 0.5, 0.65]
    assert list(figure.data[1].y) == [4, 3, 2, 0]
    assert figure.layout.xaxis.title.text
    assert precision_figure(precision((), "m")).data[1].y is not None


def stretch(
    peak: float, emotions: int | list[float] = 0, recording: str = "r", start: float = 0.0
) -> Stretch:
    vector = np.eye(8)[emotions] if isinstance(emotions, int) else np.array(emotions)
    return Stretch(recording, "a", "event", 0, start, start + 2, peak, "angry", tuple(vector.tolist()))


def test_the_queue_begins_with_the_most_doubtful() -> None:
    sure, doubtful, low = stretch(0.95, 0, "r"), stretch(0.52, 0, "s"), stretch(0.3, 0, "t")
    offers = review_queue([sure, doubtful, low], [], {"a": 0.5})
    assert [offer.stretch for offer in offers] == [doubtful, low, sure]
    assert offers[0].uncertainty == pytest.approx(0.96)
    assert offers[0].distance == 1
    assert offers[1].distance == 0.5  # same emotions, another recording


def test_the_queue_prefers_what_is_unlike_what_it_offered() -> None:
    first = stretch(0.5, 0, "r", 0)
    twin = stretch(0.51, 0, "r", 10)
    unlike = stretch(0.6, 3, "s", 0)
    offers = review_queue([first, twin, unlike], [], {"a": 0.5}, size=2)
    assert [offer.stretch for offer in offers] == [first, unlike]
    everything = review_queue([first, twin, unlike], [], {"a": 0.5})
    assert [offer.stretch for offer in everything] == [first, unlike, twin]
    assert everything[2].value == 0


def test_the_queue_leaves_out_what_was_judged_unless_for_a_second_opinion() -> None:
    one, two = stretch(0.5, 0, "r", 10), stretch(0.6, 1, "r", 100)
    given = [verdict(1, analyst="Ana")]  # 10 to 15 s of r
    assert [offer.stretch for offer in review_queue([one, two], given, {"a": 0.5})] == [two]
    assert review_queue([one, two], given, {"a": 0.5})[0].distance == 0.5
    assert len(review_queue([one, two], given, {"a": 0.5}, analyst="Ben")) == 2
    assert len(review_queue([one, two], given, {"a": 0.5}, analyst="Ana")) == 1
    assert review_queue([one], given, {"a": 0.5}) == ()
    assert review_queue([], [], {}) == ()
    said = [verdict(1, target="utterance")]
    assert len(review_queue([one, two], said, {"a": 0.5})) == 2


def test_the_queue_of_a_large_library_is_quick() -> None:
    import time

    rng = np.random.default_rng(0)
    many = [
        stretch(float(peak), rng.dirichlet(np.ones(8)).tolist(), f"r{n % 500}", 3.0 * n)
        for n, peak in enumerate(rng.random(3 * POOL))
    ]
    given = [verdict(n, recording_id=f"r{n % 500}") for n in range(3000)]
    started = time.process_time()
    offers = review_queue(many, given, {"a": 0.5}, size=20)
    assert len({offer.stretch for offer in offers}) == 20
    assert time.process_time() - started < 10


def test_two_analyses_are_compared() -> None:
    first, second = analysis(), analysis(threshold=0.4)
    found = compare(first, second)
    assert [pair.kind for pair in found.pairs] == ["both", "second"]
    assert found.pairs[0].first == first.events[0]
    assert found.pairs[1].start == 8.0
    assert found.settings == (("threshold", "0.5", "0.4"),)
    assert found.difference == 0
    louder = analysis("call.wav", track([min(1.0, s + 0.05) for s in SCORES]), model=OTHER_MODEL)
    changed = compare(first, louder)
    assert changed.difference == pytest.approx(0.05)
    assert {name for name, *_ in changed.settings} == {"model", "model's SHA-256"}
    with pytest.raises(LibraryError, match="two recordings"):
        compare(first, analysis("other.wav"))


def test_a_mix_is_compared_with_channels_kept_apart() -> None:
    mix = analysis("call.wav")
    apart = analysis("call.wav", track(SCORES, 1, "left"), track([0.2] * 24, 2, "right"))
    found = compare(mix, apart)
    assert [pair.kind for pair in found.pairs] == ["both"]
    assert ("channels", "mix", "separate") in found.settings
    np.testing.assert_allclose(highest_curve(apart).aggression, np.maximum(SCORES, 0.2))
    silent = analysis("call.wav", track([np.nan] * 24))
    assert compare(mix, silent).difference is None


def test_the_figure_of_two_analyses() -> None:
    figure = analyses_figure(analysis(), analysis(threshold=0.4), ("first", "second"))
    names = [trace.name for trace in figure.data]
    assert names[:2] == ["first", "threshold 0.50 of first"]
    assert {trace.line.dash for trace in figure.data if trace.name in ("first", "second")} == {
        "solid",
        "dash",
    }
    assert figure.layout.xaxis.title.text == "Time (s)"
    assert list(figure.data[5].x) == [2.0, 5.0, None, 8.0, 10.0, None]


def test_from_the_database_to_a_queue(library: Database) -> None:
    saved = lib.save(library, analysis(), analyst="Ana")
    other = lib.save(library, analysis("b.wav", track(SCORES, 7)), analyst="Ana")
    stretches = lib.read_stretches(library)
    thresholds = {saved.analysis_id: 0.5, other.analysis_id: 0.5}
    offers = review_queue(stretches, lib.read_verdicts(library), thresholds)
    assert len(offers) == 4
    assert [offer.stretch.kind for offer in offers[:2]] == [
        "near-miss",
        "near-miss",
    ]  # 0.42 is nearest to 0.5
    assert {offer.stretch.recording_id for offer in offers[:2]} == {saved.recording_id, other.recording_id}
