"""Transcripts that a user has: every format, as programs write it, as people break it."""

from __future__ import annotations

import json
from pathlib import Path

import pysubs2
import pytest
from praatio import textgrid as praat

from blipper.errors import TranscriptError
from blipper.results import Span
from blipper.words.files import MAX_BYTES, FileEngine, lay, read_transcript
from blipper.words.transcript import Transcript, Word

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Ask not</i> what

2
00:00:03,000 --> 00:00:04,000
{\\an8}your country can do
"""

SPEECH = [Span(0.0, 10.0)]


def laid(text: str | bytes, duration: float = 60.0, speech: list[Span] | None = None) -> Transcript:
    data = text.encode() if isinstance(text, str) else text
    return lay(read_transcript(data), duration, SPEECH if speech is None else speech)


def said(transcript: Transcript) -> list[tuple[float, float, str]]:
    return [(one.start, one.end, one.text) for one in transcript.utterances]


EXPECTED = [(1.0, 2.5, "Ask not what"), (3.0, 4.0, "your country can do")]


@pytest.mark.parametrize(
    "text",
    [
        SRT,
        SRT.replace("\n", "\r\n"),
        "\ufeff" + SRT,
        SRT.replace("1\n00", "00", 1),  # no number
        SRT.replace(",", "."),
        SRT.replace("00:00:0", "0:0"),  # short hours and minutes
        SRT.replace(" --> 00:00:02,500", " --> 00:00:02,500  X1:40 X2:600 Y1:20 Y2:50"),
        SRT.replace("what\n\n", "what\n"),  # no blank line between cues
        SRT.replace("<i>Ask not</i> what", "<i>Ask not</i>\n\nwhat"),  # a blank line within a cue
        SRT.replace("<i>", '<font color="#ff0000">').replace("</i>", "</font>"),
    ],
    ids=["plain", "crlf", "bom", "numberless", "points", "short", "coords", "tight", "gap", "font"],
)
def test_srt_as_it_is_found(text: str) -> None:
    transcript = laid(text)
    assert said(transcript) == EXPECTED
    assert transcript.engine == "file:srt"
    assert transcript.timing == "utterances"
    assert transcript.utterances[0].words[0] == Word("Ask", 1.0, pytest.approx(1.45))
    assert transcript.utterances[0].words[-1].end == pytest.approx(2.5)


@pytest.mark.parametrize("format_", ["srt", "vtt"])
def test_what_pysubs2_writes_is_read(format_: str) -> None:
    subtitles = pysubs2.SSAFile()
    for start, end, text in EXPECTED:
        subtitles.append(pysubs2.SSAEvent(round(start * 1000), round(end * 1000), text=text))
    transcript = laid(subtitles.to_string(format_))
    assert said(transcript) == EXPECTED
    assert transcript.engine == f"file:{format_}"


def test_vtt_with_everything_that_it_may_hold() -> None:
    transcript = laid(
        """WEBVTT - a title --> not a timing

NOTE
00:00:00.000 --> 00:00:09.000 commented out

STYLE
::cue { color: red }

REGION
id:fred

intro
00:01.000 --> 00:02.500 align:start position:10%
<v Fred>Ask <00:01.600><c.loud>not</c> <00:01:02.000>what

00:00:03.000 --> 00:00:04.000
- 3 &lt; 4 &amp; &lt;b&gt;bold&lt;/b&gt;
- <ruby>漢<rt>kan</rt></ruby> I <3 you
"""
    )
    assert said(transcript) == [
        (1.0, 2.5, "Ask not what"),
        (3.0, 4.0, "- 3 < 4 & <b>bold</b> - 漢kan I <3 you"),
    ]
    assert transcript.timing == "words"
    first = transcript.utterances[0].words
    assert [(word.text, word.start, word.end) for word in first] == [
        ("Ask", 1.0, 1.6),
        ("not", 1.6, 2.5),  # the last stamp lies behind the cue, and is held to its end
        ("what", 2.5, 2.5),
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "notice"),
    [
        ("Grüße, ça va?", "utf-8", None),
        ("Grüße, ça va?", "utf-8-sig", None),
        ("שלום עולם, мир", "utf-16", None),
        ("Grüße, ça va?", "utf-16-be", None),
        ("Grüße, ça va? “Ja”", "cp1252", "not UTF-8"),
    ],
)
def test_encodings(text: str, encoding: str, notice: str | None) -> None:
    data = SRT.replace("your country can do", text).encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    transcript = laid(data)
    assert transcript.utterances[1].text == text
    assert any("Windows-1252" in one.message for one in transcript.notices) == (notice is not None)


def test_markup_from_a_file_is_text_or_gone() -> None:
    transcript = laid(SRT.replace("what", "<script>alert(1)</script> [x](javascript:y) \u202egnp"))
    assert transcript.utterances[0].text == "Ask not alert(1) [x](javascript:y) gnp"


@pytest.mark.parametrize("short", [False, True])
def test_a_textgrid_as_praat_writes_it(tmp_path: Path, short: bool) -> None:
    grid = praat.Textgrid()
    grid.addTier(praat.IntervalTier("sentences", [(1.0, 2.5, 'He said "no"'), (3.0, 4.0, "x\ny")], 0, 10))
    grid.addTier(
        praat.IntervalTier("words", [(1.0, 1.5, "He"), (1.5, 2.0, "said"), (2.0, 2.5, '"no"')], 0, 10)
    )
    grid.addTier(praat.IntervalTier("phones", [(1.0, 1.2, "HH"), (1.2, 1.5, "IY")], 0, 10))
    grid.addTier(praat.PointTier("events", [(2.0, "bang")], 0, 10))
    path = tmp_path / "a.TextGrid"
    grid.save(str(path), "short_textgrid" if short else "long_textgrid", includeBlankSpaces=True)
    for encoding in ("utf-8", "utf-16"):
        transcript = laid(path.read_text(encoding="utf-8").encode(encoding))
        assert said(transcript) == [(1.0, 2.5, 'He said "no"'), (3.0, 4.0, "x y")]
        assert transcript.timing == "words"
        assert [word.text for word in transcript.utterances[0].words] == ["He", "said", '"no"']
        assert transcript.utterances[0].words[1].start == 1.5


def test_a_textgrid_of_words_alone_is_joined_over_short_pauses(tmp_path: Path) -> None:
    grid = praat.Textgrid()
    entries = [(1.0, 1.5, "ask"), (1.6, 2.0, "not"), (2.0, 4.0, "sil"), (4.0, 4.5, "what")]
    grid.addTier(praat.IntervalTier("Word", entries, 0, 10))
    path = tmp_path / "words.TextGrid"
    grid.save(str(path), "long_textgrid", includeBlankSpaces=True)
    assert said(laid(path.read_bytes())) == [(1.0, 2.0, "ask not"), (4.0, 4.5, "what")]


def test_whispers_json(tmp_path: Path) -> None:
    words = [
        {"word": " Ask", "start": 1.0, "end": 1.4, "probability": 0.9},
        {"word": " not.", "start": 1.4, "end": 2.5, "probability": 0.5},
    ]
    segments = [
        {"id": 0, "start": 1.0, "end": 2.5, "text": " Ask not.", "words": words},
        {"id": 1, "start": 3.0, "end": 4.0, "text": " What?"},
    ]
    path = tmp_path / "call.json"
    path.write_text(json.dumps({"text": "…", "language": "en", "segments": segments}))
    engine = FileEngine(path)
    transcript = lay(engine.reading, 60.0, SPEECH)
    assert engine.name == transcript.engine == "file:whisper-json"
    assert transcript.language == "en"
    assert said(transcript) == [(1.0, 2.5, "Ask not."), (3.0, 4.0, "What?")]
    assert transcript.utterances[0].confidence == pytest.approx(0.7)
    assert transcript.utterances[1].confidence is None
    assert transcript.utterances[0].words[1] == Word("not.", 1.4, 2.5, 0.5)


def test_plain_text_is_spread_over_the_speech_and_said_so() -> None:
    transcript = laid("aaaa bbbb\n\ncccc\ndddd\n", 30.0, [Span(2.0, 4.0), Span(10.0, 14.0)])
    assert transcript.timing == "spread"
    assert "spread evenly" in transcript.notices[0].message
    assert transcript.notices[0].severity == "warning"
    assert [one.text for one in transcript.utterances] == ["aaaa bbbb", "cccc", "dddd"]
    assert transcript.utterances[0].start == 2.0
    assert transcript.utterances[-1].end == 14.0
    times = [(word.start, word.end) for one in transcript.utterances for word in one.words]
    assert times == sorted(times)
    spread = laid("one two", 8.0, [])
    assert said(spread) == [(0.0, 8.0, "one two")]


def test_scripts_without_spaces_are_split_into_characters() -> None:
    transcript = laid(SRT.replace("your country can do", "你好 world สวัสดี"))
    assert [word.text for word in transcript.utterances[1].words] == [*"你好", "world", "ส", "วั", "ส", "ดี"]


def test_what_does_not_fit_the_recording_is_listed() -> None:
    backwards = SRT + "\n3\n00:00:05,000 --> 00:00:04,000\nbackwards\n"
    late = backwards + "\n4\n01:00:00,000 --> 01:00:01,000\nlate\n"
    transcript = laid(late, 3.5)
    assert said(transcript) == [(1.0, 2.5, "Ask not what"), (3.0, 3.5, "your country can do")]
    assert [(one.text, one.reason) for one in transcript.dropped] == [
        ("backwards", "ends before it begins"),
        ("late", "lies behind the end of the recording (3.5 s)"),
    ]
    assert any("2 of the file's utterances" in one.message for one in transcript.notices)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "holds no text; accepted are SRT, WebVTT"),
        (b"WEBVTT\n\n", "holds no text"),
        (b"  \n\n", "holds no text"),
        (b"1\n00:00:01,000 --> soon\nhello\n", r"line 2 is '00:00:01,000 --> soon', which is no timing"),
        (b"WEBVTT\n\n00:01.000 -> 00:02.000\nhi\n\n00:99 --> 1\nx\n", r"line 6 is '00:99 --> 1'"),
        (b"{", r"line 1, column 2: .*accepted is Whisper's JSON"),
        (b'{"segments": 3}', "has no list of segments"),
        (b'{"segments": [{"start": "x", "end": 1, "text": "a"}]}', r"segments\[0\]\.start is 'x'"),
        (b'{"segments": [{"start": 0, "end": NaN, "text": "a"}]}', r"segments\[0\]\.end is nan"),
        (b'{"segments": [{"start": 0, "end": 1, "text": "a", "words": [1]}]}', r"words\[0\] is 1"),
        (b'{"segments": ["a"]}', r"segments\[0\] is 'a'"),
        (b'{"segments":' + b"[" * 100_000, "nested too deeply|column"),
        (b'File type = "ooTextFile"\nObject class = "PitchTier"\n', "is Praat's 'PitchTier'"),
        (
            b'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\n',
            "breaks off where the end time",
        ),
        (
            b'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = x\n3 <exists>\n"a"',
            "line 7 has '\"a\"'; expected the number of tiers, a number",
        ),
        (b"%PDF-1.7", "is a PDF; accepted are"),
        (b"PK\x03\x04rest", "ZIP archive"),
        (b"{\\rtf1 hello", "Rich Text"),
        (b"[Script Info]\nTitle: x", "SubStation"),
        (b"ooBinaryFile\x08TextGrid", "Save as text file"),
        (b"\xff\xfea", "is not utf-16"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00", "holds binary data"),
        (b"x" * 10_001, "an utterance of 10,001 characters"),
        (b"x\n" * 100_001, "has 100,001 utterances"),
        (b"x" * (MAX_BYTES + 1), "is larger than 20 MB"),
    ],
)
def test_a_broken_file_is_refused_with_what_is_wrong(data: bytes, complaint: str) -> None:
    with pytest.raises(TranscriptError, match=complaint) as caught:
        read_transcript(data, name="call.srt")
    assert str(caught.value).startswith("call.srt: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match=r"none\.srt: cannot be read"):
        read_transcript(tmp_path / "none.srt")


def test_any_cut_of_a_good_file_is_read_or_refused(tmp_path: Path) -> None:
    grid = praat.Textgrid()
    grid.addTier(praat.IntervalTier("words", [(1.0, 1.5, 'a "b"'), (1.5, 2.0, "c")], 0, 10))
    grid.save(str(tmp_path / "a.TextGrid"), "short_textgrid", includeBlankSpaces=True)
    whisper = json.dumps({"segments": [{"start": 0, "end": 1, "text": "a", "words": []}]})
    for text in (SRT, "WEBVTT\n\n" + SRT, (tmp_path / "a.TextGrid").read_text(), whisper):
        for length in range(len(text)):
            try:
                transcript = laid(text[:length])
            except TranscriptError:
                continue
            assert all(one.start <= one.end for one in transcript.utterances)
