"""Summaries of made-up corpora whose counts, lengths and levels are known, and of the one that ships."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper.datasets import measure, read_corpora, summary
from blipper.datasets.balance import balance_warnings
from blipper.datasets.measure import sentence_code, summarize_folder
from blipper.datasets.sources import SOURCES
from blipper.datasets.summary import Summary, from_dict, load_summary, shipped_summary
from blipper.datasets.tables import (
    as_csv,
    count_rows,
    counts_table,
    left_out_table,
    licence_table,
    overview_table,
    spread_table,
)
from blipper.errors import Cancelled, DatasetError, SettingsError
from blipper.voice.labels import EMOTIONS

RATE = 16_000


def tone(path: Path, seconds: float, level: float, frequency: float = 997.0, rate: int = RATE) -> Path:
    """Write a sine whose peak is `level` dBFS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    times = np.arange(round(seconds * rate)) / rate
    soundfile.write(path, 10 ** (level / 20) * np.sin(2 * np.pi * frequency * times), rate, subtype="PCM_24")
    return path


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """TESS with both actresses, SAVEE with one man; neutral quiet and short, angry loud and long."""
    for number, word in enumerate(("back", "bar", "base")):
        for speaker in ("OAF", "YAF"):
            folder = tmp_path / "tess" / f"{speaker}_neutral"
            tone(folder / f"{speaker}_{word}_neutral.wav", 1.0, -40, 900 + 10 * number + (speaker == "OAF"))
            folder = tmp_path / "tess" / f"{speaker}_angry"
            tone(folder / f"{speaker}_{word}_angry.wav", 2.0, -20, 900 + 10 * number + (speaker == "OAF"))
    tone(tmp_path / "savee" / "DC" / "n01.flac", 3.0, -12, 800, 44_100)
    soundfile.write(tmp_path / "savee" / "DC" / "n02.wav", np.zeros(RATE), RATE)
    (tmp_path / "savee" / "DC" / "a01.wav").write_bytes(b"this is no sound")
    return tmp_path


@pytest.fixture(scope="module")
def shipped() -> Summary:
    return shipped_summary()


def test_counts_lengths_and_levels_are_those_of_the_sounds(corpora: Path) -> None:
    found = summarize_folder(corpora)
    assert found.corpora == ("tess", "savee")
    assert found.missing == ("ravdess", "crema-d")
    assert (found.clips(), found.clips("tess"), found.clips(emotion="angry")) == (14, 12, 6)
    assert found.clips("tess", emotion="neutral", sex="female") == 6
    assert found.clips("tess", sex="male") == 0
    assert [(s.speaker, s.sex, sum(s.clips)) for s in found.of_speakers("tess")] == [
        ("OAF", "female", 6), ("YAF", "female", 6),
    ]  # fmt: skip
    assert [s.sentence for s in found.of_sentences("tess")] == ["back", "bar", "base"]
    assert [s.sentence for s in found.of_sentences("savee")] == ["n01", "n02"]
    angry = found.spread("duration", "tess", "angry")
    assert angry is not None
    assert angry.quantiles == pytest.approx([2.0] * 7)
    assert found.seconds("tess") == pytest.approx(18.0)
    # A sine of 997 Hz at 0 dBFS peak reads -3.01 LUFS.
    loud = found.spread("loudness", "tess", "angry")
    assert loud is not None
    assert loud.quantiles[3] == pytest.approx(-23.01, abs=0.2)


def test_silence_has_no_loudness_and_is_counted_so(corpora: Path) -> None:
    spread = summarize_folder(corpora).spread("loudness", "savee", "neutral")
    assert spread is not None
    assert (spread.measured, spread.unmeasured) == (1, 1)
    assert spread.quantiles[0] == spread.quantiles[-1] == pytest.approx(-15.2, abs=0.6)


def test_what_cannot_be_read_is_left_out_with_the_reason(corpora: Path) -> None:
    (item,) = summarize_folder(corpora).left_out
    assert (item.corpus, item.file) == ("savee", "savee/DC/a01.wav")
    assert str(corpora) not in item.reason
    assert len(item.reason) > 10


def test_duplicates_are_named_relative_to_the_folder(corpora: Path) -> None:
    tone(corpora / "again" / "OAF_angry" / "OAF_back_angry.wav", 2.0, -20)
    reasons = {item.file: item.reason for item in summarize_folder(corpora).left_out}
    assert len(reasons) == 2
    (reason,) = (reason for reason in reasons.values() if "same clip" in reason)
    assert str(corpora) not in reason


def test_histograms_hold_every_measured_clip(corpora: Path) -> None:
    found = summarize_folder(corpora)
    for spreads, bins in ((found.duration, found.duration_bins), (found.loudness, found.loudness_bins)):
        for spread in spreads:
            if not spread.emotion:
                assert sum(spread.histogram) == spread.measured
                assert len(spread.histogram) == bins.count
    whole = found.spread("duration", "tess")
    assert whole is not None
    step = found.duration_bins.step
    assert {i * step: n for i, n in enumerate(whole.histogram) if n} == {1.0: 6, 2.0: 6}


def test_identical_sounds_under_two_names_are_found(corpora: Path) -> None:
    sound = (corpora / "tess" / "OAF_angry" / "OAF_back_angry.wav").read_bytes()
    (corpora / "tess" / "OAF_angry" / "OAF_bar_angry.wav").write_bytes(sound)
    found = summarize_folder(corpora)
    assert found.identical == (("tess/OAF_back_angry", "tess/OAF_bar_angry"),)
    assert any("under several names" in caveat.text for caveat in balance_warnings(found))


def test_formats_are_told_apart(corpora: Path) -> None:
    savee = {item.description for item in summarize_folder(corpora).formats if item.corpus == "savee"}
    assert any("44100 Hz" in text for text in savee)
    assert any("16000 Hz" in text for text in savee)


def test_a_summary_survives_json(corpora: Path, tmp_path: Path) -> None:
    found = summarize_folder(corpora)
    assert from_dict(json.loads(found.to_json())) == found
    path = tmp_path / "s.json"
    path.write_text(found.to_json())
    assert load_summary(path) == found
    assert found.to_json() == summarize_folder(corpora).to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values.update(schema=2), "schema is 2; this Blipper reads 1"),
        (lambda values: values.pop("cells"), "not a whole summary"),
        (lambda values: values["cells"][0].update(extra=1), "not a whole summary"),
        (lambda values: values["speakers"][0].update(clips=[1, 2]), "not of the 8 emotions"),
    ],
)
def test_a_damaged_summary_says_so(shipped: Summary, change, message: str) -> None:
    values = json.loads(shipped.to_json())
    change(values)
    with pytest.raises(DatasetError, match=message):
        from_dict(values)


def test_files_that_are_no_summary(tmp_path: Path) -> None:
    for name, content in (("a", b"no json"), ("b", b"[1]"), ("c", b"\xff\xfe")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DatasetError, match=r"summary of corpora"):
            load_summary(tmp_path / name)
    with pytest.raises(DatasetError, match="No such file"):
        load_summary(tmp_path / "none")


def test_folders_that_hold_nothing_to_count(tmp_path: Path, corpora: Path, monkeypatch) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        summarize_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no known corpus here"):
        summarize_folder(tmp_path / "empty")
    bad = tmp_path / "bad" / "DC"
    bad.mkdir(parents=True)
    (bad / "a01.wav").write_bytes(b"no sound")
    with pytest.raises(DatasetError, match="none of its 1 clips can be read as sound"):
        summarize_folder(bad.parent)
    (corpora / "savee" / "circle").symlink_to(corpora)
    assert summarize_folder(corpora).clips() == 14
    monkeypatch.setattr(measure, "MAX_FILES", 5)
    with pytest.raises(DatasetError, match="more than 5 files; name the folder that the corpora lie in"):
        summarize_folder(corpora)


def test_progress_is_told_and_can_stop_the_work(corpora: Path) -> None:
    told: list[tuple[str, float, float]] = []
    summarize_folder(corpora, progress=lambda *report: told.append(report))
    measured = [report for report in told if report[0] == "measure"]
    assert [report[1] for report in measured] == list(range(16))
    assert {report[2] for report in measured} == {15}

    def stop(step: str, completed: float, total: float) -> None:
        if completed == 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        summarize_folder(corpora, progress=stop)


def test_the_command_writes_the_file_and_says_what_is_wrong(corpora: Path, tmp_path: Path, caplog) -> None:
    output = tmp_path / "out.json"
    assert summary.main([str(corpora), str(output)]) == 0
    assert load_summary(output) == summarize_folder(corpora)
    caplog.clear()
    assert summary.main([str(tmp_path / "none"), str(output)]) == 1
    assert "no such folder" in caplog.text


# The summary that ships


def test_the_shipped_summary_is_of_complete_corpora(shipped: Summary) -> None:
    assert shipped.corpora == tuple(SOURCES)
    assert shipped.missing == ()
    for name, source in SOURCES.items():
        left_out = sum(item.corpus == name for item in shipped.left_out)
        assert shipped.clips(name) + left_out == source.clips
        assert len(shipped.of_speakers(name)) == source.speakers
    assert len(shipped.left_out) == 7
    assert "python -m blipper.datasets.summary DATA OUTPUT" in shipped.made_by


def test_the_shipped_summary_agrees_with_the_corpora(shipped: Summary, data_dir: Path) -> None:
    clips = read_corpora(data_dir).clips
    cells = Counter((c.corpus, c.emotion, c.sex, c.intensity) for c in clips)
    assert {(c.corpus, c.emotion, c.sex, c.intensity): c.clips for c in shipped.cells} == cells
    speakers = Counter((c.corpus, c.speaker, c.emotion) for c in clips)
    sentences = Counter((c.corpus, sentence_code(c), c.emotion) for c in clips)
    for row in shipped.speakers:
        for emotion, n in zip(EMOTIONS, row.clips, strict=True):
            assert speakers[row.corpus, row.speaker, emotion] == n
    for row in shipped.sentences:
        for emotion, n in zip(EMOTIONS, row.clips, strict=True):
            assert sentences[row.corpus, row.sentence, emotion] == n
    assert sum(sum(row.clips) for row in shipped.sentences) == len(clips)


def test_the_shipped_levels_agree_with_the_sounds(shipped: Summary, data_dir: Path) -> None:
    folder = data_dir / "savee" / "AudioData" / "DC"
    found = summarize_folder(folder)
    for name in ("duration", "loudness"):
        whole, part = shipped.spread(name, "savee"), found.spread(name, "savee")
        assert whole is not None
        assert part is not None
        assert part.measured == 120
        assert whole.quantiles[0] <= part.quantiles[0] <= part.quantiles[-1] <= whole.quantiles[-1]


def test_nothing_of_this_machine_and_no_sentence_is_in_the_shipped_file() -> None:
    text = summary.SHIPPED.read_text()
    assert "/work" not in text
    assert "/home" not in text
    assert "Kids are talking" not in text
    assert "Say the word" not in text
    assert "jacket" not in text


# Warnings


def test_warnings_in_words(shipped: Summary) -> None:
    texts = {caveat.text for caveat in balance_warnings(shipped)}
    for start in (
        "calm exists in RAVDESS alone",
        "CREMA-D has no calm and no surprise.",
        "TESS and SAVEE have no calm.",
        "neutral is half as common as the other emotions in RAVDESS (96 clips; the median of",
        "neutral is twice as common as the other emotions in SAVEE",
        "TESS has two speakers, both women: a split inside a speaker says nothing about new voices",
        "SAVEE has four speakers, all men",
        "RAVDESS has no strong neutral.",
        "CREMA-D is 61 % of these clips",
        "7 files of CREMA-D left out",
    ):
        assert any(text.startswith(start) for text in texts), start


def test_warnings_are_about_the_chosen_corpora_alone(shipped: Summary) -> None:
    found = balance_warnings(shipped, ["tess"])
    assert {name for caveat in found for name in caveat.corpora} == {"tess"}
    assert not any("alone:" in caveat.text and "exists" in caveat.text for caveat in found)
    two = balance_warnings(shipped, ["tess", "savee"])
    assert not any("calm exists" in caveat.text for caveat in two)
    assert balance_warnings(shipped, []) == ()


def test_warnings_follow_the_numbers_of_a_folder(corpora: Path) -> None:
    texts = [caveat.text for caveat in balance_warnings(summarize_folder(corpora))]
    assert any(
        "TESS is not complete here: 12 of the 2,800 published clips, from 2 of 2 sp" in t for t in texts
    )
    assert any(t.startswith("angry exists in TESS alone") for t in texts)
    assert any("angry ones are 20 LU louder in TESS" in t for t in texts)
    assert any("angry ones are twice as long in TESS" in t for t in texts)
    assert any(t.startswith("SAVEE has one speaker, a man") for t in texts)
    assert any(t.startswith("SAVEE has neutral alone: nothing to tell it from") for t in texts)


# Tables


def test_every_grouping_counts_every_clip_once(shipped: Summary) -> None:
    for grouping in ("corpus", "sex", "intensity", "speaker", "sentence"):
        rows = count_rows(shipped, shipped.corpora, grouping)
        assert sum(sum(counts) for _, _, counts in rows) == 12_155
        assert sum(counts_table(shipped, shipped.corpora, grouping)["All"]) == 12_155
    assert count_rows(shipped, ["tess"], "sex") == [
        ("tess", "female", (400, 0, 400, 400, 400, 400, 400, 400))
    ]
    with pytest.raises(SettingsError, match="grouping is 'age', expected one of corpus, sex"):
        count_rows(shipped, ["tess"], "age")


def test_tables_as_csv(shipped: Summary) -> None:
    for columns in (
        overview_table(shipped, shipped.corpora),
        spread_table(shipped, shipped.corpora, "loudness"),
        licence_table(shipped),
        left_out_table(shipped, shipped.corpora),
    ):
        rows = list(csv.reader(io.StringIO(as_csv(columns), newline="")))
        assert rows[0] == list(columns)
        assert len(rows) == 1 + len(next(iter(columns.values())))
    overview = list(csv.DictReader(io.StringIO(as_csv(overview_table(shipped, ["tess"])))))
    assert overview[0]["Clips"] == "2800"
    assert overview[0]["Missing emotions"] == "calm"
    assert not math.isnan(float(overview[0]["Hours"]))
    licences = dict(zip(licence_table(shipped)["Corpus"], licence_table(shipped)["Licence"], strict=True))
    assert licences == {
        "RAVDESS": "CC BY-NC-SA 4.0", "CREMA-D": "ODbL 1.0", "TESS": "CC BY-NC-ND 4.0",
        "SAVEE": "research use only",
    }  # fmt: skip


def test_no_cell_is_a_formula_and_none_is_empty() -> None:
    assert as_csv({"A": ["=1+1", None], "B": [1, 2.5]}) == "A,B\r\n'=1+1,1\r\n,2.5\r\n"
