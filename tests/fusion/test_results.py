"""What fusion changes in a result: events, trend, who carried what, files both ways, and words for people."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import blipper
from blipper import Analysis, Settings
from blipper.analysis import with_balance, with_threshold
from blipper.batch.remarking import remark
from blipper.errors import SettingsError
from blipper.export.csv import events_csv
from blipper.export.curve import CURVE_COLUMNS, curve_csv, curve_parquet
from blipper.export.parquet import events_parquet
from blipper.export.report import page as report
from blipper.export.text import event_cues
from blipper.figures import aggression_figure
from blipper.fusion import PRIOR, case_between, case_of, find_events, log_odds, sound_reliability
from blipper.library.comparing import compare
from blipper.library.verdicts import highest
from blipper.marking import UNHEARD, fuse_again
from blipper.prediction import summarize
from blipper.reports import analysis_text
from blipper.results import Check, Quality
from blipper.speakers.talk import rename
from blipper.wording import carried_by, carried_in_full, case_words, summary_sentence
from blipper.words.attach import with_correction, with_transcripts
from tests.fusion.making import analysis_of, curve_of, said, transcript
from tests.library.making import analysis as voice_only
from tests.library.making import track

CALM, ANGRY = 0.03, 0.85
#: 0 to 5 s both sides, 10 to 15 s an angry voice, 20 to 25 s hostile words; else neither.
SCORES = [ANGRY] * 10 + [CALM] * 10 + [ANGRY] * 10 + [CALM] * 50
WORDS = (said(0, 5, 0.9), said(6, 9, 0.04), said(10, 15, 0.04), said(20, 25, 0.95), said(30, 40, 0.04))


@pytest.fixture
def fused() -> Analysis:
    return analysis_of(SCORES, *WORDS)


def events(analysis: Analysis) -> list[tuple[float, float]]:
    return [(event.start, event.end) for event in analysis.events]


def test_the_four_cases_stay_apart(fused: Analysis) -> None:
    assert events(fused) == [(0, 5), (10, 15), (20, 25)]
    assert [case_of(fused, event) for event in fused.events] == ["both", "voice", "words"]
    assert [carried_by(event) for event in fused.events] == [
        "voice and words",
        "mostly the voice",
        "mostly the words",
    ]
    assert case_between(fused, 0, 30, 40) == "neither"
    assert case_between(fused, 0, 26, 29) is None  # nothing said there
    assert [case_words(fused, event) for event in fused.events] == [
        "sounds angry, hostile words",
        "sounds angry, harmless words",
        "sounds calm, hostile words",
    ]
    # Without words there are two events, and nothing is said of who carried them.
    alone = voice_only("call.wav", track(SCORES))
    assert events(alone) == [(0, 5), (10, 15)]
    assert [(e.voice_share, e.words_share, carried_by(e), case_of(alone, e)) for e in alone.events] == [
        (None,) * 4
    ] * 2


def test_an_event_s_shares_are_the_means_of_the_curve_s(fused: Analysis) -> None:
    curve = fused.tracks[0].fused
    assert curve is not None
    for event in fused.events:
        inside = (curve.times >= event.start) & (curve.times < event.end)
        assert event.voice_share == pytest.approx(curve.voice[inside].mean())
        assert event.words_share == pytest.approx(curve.words[inside].mean())
        assert event.peak == curve.aggression[inside].max()
        assert event.voice_share is not None
        assert event.words_share is not None
        assert log_odds(np.array(event.mean)) == pytest.approx(PRIOR + event.voice_share + event.words_share)


def test_balance_and_threshold_need_no_model_and_commute(fused: Analysis) -> None:
    voice = with_balance(fused, 0.0)
    assert events(voice) == [(0, 5), (10, 15)]
    np.testing.assert_array_equal(voice.tracks[0].scored.aggression, fused.tracks[0].curve.aggression)
    words = with_balance(fused, 1.0)
    # Where nothing is said the voice stands alone; here words are said wherever it sounds angry.
    assert events(words) == [(0, 5), (20, 25)]
    assert words.settings["balance"] == 1.0
    assert with_balance(words, 0.5).to_dict() == fused.to_dict()
    one = with_threshold(with_balance(fused, 0.3), 0.7)
    other = with_balance(with_threshold(fused, 0.7), 0.3)
    assert one.to_dict() == other.to_dict()
    assert one.threshold == 0.7
    assert blipper.with_balance is with_balance
    for bad in (-0.1, 1.2):
        with pytest.raises(SettingsError, match="expected 0"):
            with_balance(fused, bad)
    with pytest.raises(SettingsError, match="expected 0"):
        Settings(balance=2.0)
    bare = voice_only("call.wav", track(SCORES))
    assert with_balance(bare, 0.2).events == bare.events
    assert fuse_again(bare) is bare


def test_trend_and_summary_follow_the_fused_curve() -> None:
    quiet = [CALM] * 200
    hostile = [said(start, start + 5, min(0.99, start / 100)) for start in range(0, 100, 5)]
    found = analysis_of(quiet, *hostile)
    assert found.tracks[0].trend.label == "rising"
    assert voice_only("call.wav", track(quiet)).tracks[0].trend.label == "steady"
    assert "worth a listen" in summary_sentence(found)
    assert summarize(found).aggression == found.tracks[0].scored.aggression.max() > 0.9
    back = with_transcripts(found, [transcript()], asked="empty.srt")
    assert back.tracks[0].fused is None
    assert back.tracks[0].trend.label == "steady"
    assert back.events == ()


def test_a_correction_and_a_new_name_are_fused_again(fused: Analysis) -> None:
    corrected = with_correction(fused, 0, 3, "thank you, that is kind")  # its score is gone with the text
    assert events(corrected) == [(0, 5), (10, 15)]
    removed = with_correction(fused, 0, 3, "")
    assert events(removed) == [(0, 5), (10, 15)]
    # What a text model then thinks of the new text is fused by the same function.
    said_now = corrected.tracks[0].transcript
    assert said_now is not None
    spoken = list(said_now.utterances)
    spoken[3] = replace(spoken[3], aggression=0.95)
    scored = replace(corrected.tracks[0], transcript=replace(said_now, utterances=tuple(spoken)))
    assert events(fuse_again(replace(corrected, tracks=(scored,)))) == events(fused)
    assert rename(fused, {}).events == fused.events
    assert rename(fused, {}).tracks[0].fused is fused.tracks[0].fused


def test_poor_sound_counts_less_beside_words() -> None:
    good, poor = (analysis_of(SCORES, *WORDS, verdict=verdict) for verdict in ("good", "poor"))
    shout = 25  # a cell of the angry voice with harmless words
    assert poor.tracks[0].scored.aggression[shout] < good.tracks[0].scored.aggression[shout]
    silent = 58  # nothing said: poor sound does not shrink the voice
    assert poor.tracks[0].scored.aggression[silent] == good.tracks[0].scored.aggression[silent] == CALM

    def of(*verdicts: str) -> float:
        names = ("snr", "clipping", "silence", "dc-offset")
        checks = (Check(n, n, None, "", v, "") for n, v in zip(names, verdicts, strict=True))  # type: ignore[arg-type]
        return sound_reliability(Quality(tuple(checks)))

    assert of("good", "unknown", "poor", "poor") == 1.0
    assert of("fair", "good", "good", "good") == 0.8
    assert of("poor", "poor", "good", "good") == 0.25


def test_hostile_words_where_nobody_speaks_are_told() -> None:
    scores = [0.1] * 10 + [np.nan] * 20 + [0.1] * 10
    found = analysis_of(scores, said(1, 3, 0.2), said(6, 8, 0.9), said(7, 9, 0.9, 0.2), said(9, 10, 0.1))
    (notice,) = (one for one in found.notices if one.code == UNHEARD)
    assert "1 utterance reads as hostile where nobody was heard to speak (at 0:06)" in notice.message
    again = with_balance(with_balance(found, 0.3), 0.6)
    assert [one.code for one in again.notices].count(UNHEARD) == 1
    assert not any(one.code == UNHEARD for one in with_correction(found, 0, 1, "hello").notices)


def test_files_hold_the_fused_curve_both_ways(fused: Analysis) -> None:
    data = json.loads(json.dumps(fused.to_dict()))
    back = Analysis.from_dict(data)
    assert back.to_dict() == fused.to_dict()
    assert back.events == fused.events
    one, other = back.tracks[0].fused, fused.tracks[0].fused
    assert one is not None
    assert other is not None
    for name in ("aggression", "voice", "words", "words_score", "times"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert with_balance(back, 0.8).events == with_balance(fused, 0.8).events
    # A file from before there was fusion.
    for track_data in data["tracks"]:
        del track_data["fused"]
    for event in data["events"]:
        del event["voice_share"], event["words_share"]
    del data["settings"]["balance"]
    old = Analysis.from_dict(data)
    assert old.tracks[0].fused is None
    assert old.events[0].voice_share is None
    assert fuse_again(old).events == fused.events
    data["tracks"][0]["fused"] = {"prior": 0.0, "aggression": [0.1]}
    with pytest.raises(ValueError, match=r"fused\.aggression has 1 rows"):
        Analysis.from_dict(data)


def test_tables_say_who_carried_and_the_curve_adds_up(fused: Analysis) -> None:
    rows = pd.read_csv(io.StringIO(events_csv(fused)))
    assert list(rows["carried_by"]) == ["both", "voice", "words"]
    assert list(rows["case"]) == ["both", "voice", "words"]
    typed = pd.read_parquet(io.BytesIO(events_parquet(fused)))
    assert list(typed["case"]) == list(rows["case"])
    np.testing.assert_allclose(rows["words_share"], typed["words_share"], atol=1e-4)

    exact = pd.read_parquet(io.BytesIO(curve_parquet(fused)))
    plain = pd.read_csv(io.StringIO(curve_csv(fused)))
    assert tuple(exact.columns) == tuple(plain.columns) == CURVE_COLUMNS
    total = exact["prior"] + exact["voice_share"] + exact["words_share"]
    np.testing.assert_allclose(log_odds(exact["fused"].to_numpy()), total, atol=1e-9)
    np.testing.assert_array_equal(exact["score"], exact["fused"])
    np.testing.assert_array_equal(exact["voice"], fused.tracks[0].curve.aggression)
    assert exact["words"].isna().sum() == plain["words"].isna().sum() == 80 - 10 - 6 - 10 - 10 - 20
    np.testing.assert_allclose(plain["fused"], exact["fused"], atol=1e-4)

    alone = pd.read_csv(io.StringIO(curve_csv(voice_only("call.wav", track([0.1, np.nan, 0.3])))))
    assert list(alone["score"]) == list(alone["voice"]) == [0.1, 0.3]
    assert list(alone["start_s"]) == [0.0, 1.0]
    assert alone[["words", "fused", "voice_share", "words_share", "prior"]].isna().all(axis=None)


def test_reports_say_which_side_in_words(fused: Analysis) -> None:
    text = analysis_text(fused)
    assert "mostly the words (sounds calm, hostile words)" in text
    assert "mostly the voice (sounds angry, harmless words)" in text
    page = " ".join(report.report_html(fused).split())
    for words in ("mostly the words", "sounds calm, hostile words", "voice and words", "balance of 0.50"):
        assert words in page
    alone = voice_only("call.wav", track(SCORES))
    assert "carried by" not in analysis_text(alone)
    assert "Carried by" not in report.report_html(alone)


def test_an_event_without_words_beside_scored_ones() -> None:
    found = analysis_of(SCORES, said(20, 25, 0.2))
    first = found.events[0]
    assert carried_in_full(found, first) == "mostly the voice (no scored words here)"


def test_the_library_compares_what_counts(fused: Analysis) -> None:
    compared = compare(fused, with_balance(fused, 0.0))
    assert [pair.kind for pair in compared.pairs] == ["both", "both", "first"]
    assert ("balance", "0.5", "0.0") in compared.settings
    assert compared.difference is not None
    assert compared.difference > 0.01


def test_find_events_takes_a_fused_curve() -> None:
    curve = curve_of([0.1] * 20)
    from blipper.fusion import fuse
    from blipper.results import Span

    both = fuse(curve, transcript(said(2, 6, 0.95)))
    (event,) = find_events(curve, (Span(0, 10),), fused=both)
    assert (event.start, event.end) == (2.0, 6.0)
    assert find_events(curve, (Span(0, 10),)) == ()


def test_figures_show_both_sides_beside_what_counts(fused: Analysis) -> None:
    drawn = {trace.name: trace for trace in aggression_figure(fused).data}
    curve, both = fused.tracks[0].curve, fused.tracks[0].fused
    assert both is not None
    np.testing.assert_array_equal(drawn["Aggression score"].y, both.aggression)
    np.testing.assert_array_equal(drawn["Voice alone"].y, curve.aggression)
    np.testing.assert_array_equal(drawn["Words alone"].y, both.words_score)
    dashes = {drawn[name].line.dash for name in ("Voice alone", "Words alone", "Threshold 0.50")}
    assert len(dashes | {drawn["Aggression score"].line.dash}) == 4
    assert drawn["Event's peak"].customdata[2][4].endswith("mostly the words (sounds calm, hostile words)")
    alone = aggression_figure(voice_only("call.wav", track(SCORES)))
    assert not {"Voice alone", "Words alone"} & {trace.name for trace in alone.data}


def test_a_batch_weighs_a_kept_result_anew(fused: Analysis, tmp_path: Path) -> None:
    kept = tmp_path / "call.json"
    kept.write_text(json.dumps(fused.to_dict()), encoding="utf-8")
    settings = Settings.from_dict({**fused.settings, "balance": 0.0})
    marked = remark(kept, fused.model.sha256, settings)
    assert marked is not None
    found = Analysis.from_dict(json.loads(marked[0]))
    assert found.events == with_balance(fused, 0.0).events
    assert marked[1]["events"] == len(found.events) == 2


def test_labels_do_not_call_a_calm_voice_angry(fused: Analysis) -> None:
    labels = [cue.text for cue in event_cues(fused)]
    assert "mostly the words (sounds calm, hostile words)" in labels[2]
    assert "sounds angry" not in labels[2]
    (plain, _) = [cue.text for cue in event_cues(voice_only("call.wav", track(SCORES)))]
    assert plain.startswith("[event 1: sounds angry, peak score 0.85")


def test_a_verdict_s_score_is_the_voice_s(fused: Analysis) -> None:
    assert highest(fused, 0, 20, 25) == CALM
