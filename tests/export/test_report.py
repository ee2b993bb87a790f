"""The HTML report read by Python's own HTML parser; tests/browser/test_report.py opens it in Chromium."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from blipper import analyze, audio
from blipper.analysis import with_threshold
from blipper.explain.choice import choose
from blipper.explain.voice import explain
from blipper.export import Sound
from blipper.export.report.content import LIMITS, MOST_INTERRUPTIONS
from blipper.export.report.figures import script_data
from blipper.export.report.page import WRITER, report_html
from blipper.export.report.reasons import MOST
from blipper.recording import Notice
from blipper.results import Analysis, Check, Quality, Span
from blipper.speakers.turns import Turn, turns_of_channel
from blipper.voice.models import load_model
from blipper.words.text_info import TextModelInfo
from blipper.words.transcript import Dropped, Transcript, Utterance
from tests.conftest import ROOT
from tests.explain.readers import Made, adding
from tests.helpers import recording

HOSTILE = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}&amp;<a href='https://x.example'>"
)


class Page(HTMLParser):
    """Everything of a page that matters here: tags with their attributes, and the text of each."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._inside = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            attributes, before = self.scripts[-1]
            self.scripts[-1] = (attributes, before + data)
        elif self._inside != "style":
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())

    @property
    def policy(self) -> str:
        (policy,) = (a["content"] for tag, a in self.tags if a.get("http-equiv") == "Content-Security-Policy")
        assert policy is not None
        return policy


@pytest.fixture
def hostile(talk: Analysis) -> Analysis:
    """Return an analysis in which everything that comes from outside is an attack."""
    said = Transcript(
        HOSTILE,
        "en",
        (Utterance(0, 1, HOSTILE),),
        (Dropped(1, 2, HOSTILE, HOSTILE),),
        notices=(Notice("x", HOSTILE),),
    )
    track = dataclasses.replace(
        talk.tracks[0],
        name=HOSTILE,
        transcript=said,
        turns=(Turn(0, 1.5, HOSTILE), Turn(1.5, 2, "b")),
        quality=Quality((Check("level", HOSTILE, 1.0, HOSTILE, "poor", HOSTILE),)),
    )
    return dataclasses.replace(
        talk,
        tracks=(track, talk.tracks[1]),
        provenance=dataclasses.replace(talk.provenance, name=HOSTILE, codec=HOSTILE),
        notices=(Notice("x", HOSTILE),),
        settings={**talk.settings, HOSTILE: HOSTILE},
        versions={**talk.versions, HOSTILE: HOSTILE},
        model=dataclasses.replace(talk.model, name=HOSTILE),
    )


def test_it_says_everything(talk: Analysis) -> None:
    scored = dataclasses.replace(
        talk.tracks[0],
        transcript=Transcript(
            "whisper:tiny.en",
            "en",
            (
                Utterance(1.0, 2.0, "Get out!", aggression=0.81, sentiment={"negative": 0.9, "neutral": 0.1}),
                Utterance(2.5, 3.0, "Fine.", aggression=0.02),
            ),
            (Dropped(3.0, 4.0, "Thanks for watching", "repeated 5 times"),),
            edited=True,
        ),
    )
    page = Page(report_html(dataclasses.replace(talk, tracks=(scored, talk.tracks[1]))))
    for words in (
        'Gespräch, "2".wav',
        "1 stretch worth a listen, 1 s of 20 s; strongest at 0:01.3",
        "The file breaks off at 0:02.",
        "1 0:01.0 0:02.0 1 s 0.90 0:01.3 0.85 angry",
        "Written by whisper:tiny.en, language en, corrected by a person.",
        "Get out! 0.90 0.81 negative 0.90",
        "Fine. – 0.02 –",
        "Thanks for watching repeated 5 times",
        "A rough draft: many of these words are wrong",
        "beyond the end",
        "Level good -23.5 LUFS The level is fine.",
        "Noise not measured – Too little silence to say.",
        "Model mel-cnn",
        "cd" * 32,
        "ab" * 32,
        "Setting: window length 3.0",
        "Setting: bridge the model's own",
        "Version: numpy 2.0.0",
        *LIMITS,
    ):
        assert words in page.text, words
    assert "is aggressive" not in page.text


def test_it_says_who_was_loud_when_and_who_took_over(talk: Analysis) -> None:
    turns = (
        (Turn(0.0, 5.0, "Agent", -30.0), Turn(10.0, 14.0, "Agent", -12.5)),
        (Turn(4.0, 9.0, "Customer", -21.0),),
    )
    tracks = tuple(
        dataclasses.replace(track, turns=own, speech=tuple(Span(one.start, one.end) for one in own))
        for track, own in zip(talk.tracks, turns, strict=True)
    )
    page = Page(report_html(dataclasses.replace(talk, tracks=tracks)))
    for words in (
        "Agent 9 s 64 % 2 5 s 0 1 -15.9 LUFS -12.5 LUFS at 0:10.0",
        "Customer 5 s 36 % 1 5 s 1 0 -21.0 LUFS -21.0 LUFS at 0:04.0",
        "0:04.0 Customer Agent 1.0 s",
    ):
        assert words in page.text, words
    (data,) = (text for a, text in page.scripts if a.get("id") == "figure-talk")
    drawn = {trace.get("name"): trace for trace in json.loads(data)["data"]}
    assert drawn["Takes over while another speaks"]["x"] == [4.0]
    assert drawn["Loudness of Agent"]["y"] == [-30.0, -30.0, None, -12.5, -12.5, None]
    assert "figure-talk" not in report_html(talk)  # nobody's turns are known


def test_many_interruptions_are_counted_and_not_all_listed(talk: Analysis) -> None:
    ends = [[Span(10.0 * i + first, 10.0 * i + last) for i in range(130)] for first, last in ((0, 6), (5, 9))]
    tracks = tuple(
        dataclasses.replace(track, turns=turns_of_channel(spans, name), speech=tuple(spans))
        for track, spans, name in zip(talk.tracks, ends, ("A", "B"), strict=True)
    )
    page = Page(report_html(dataclasses.replace(talk, duration=1300.0, tracks=tracks)))
    assert page.text.count(" B A 1.0 s") == MOST_INTERRUPTIONS
    assert f"And {130 - MOST_INTERRUPTIONS} more." in page.text


def test_it_says_what_is_not_there(analysis: Analysis) -> None:
    calm = Page(report_html(dataclasses.replace(analysis, events=())))
    assert "No stretch reaches the threshold of 0.50 for long enough." in calm.text
    assert "No transcript was made, so nothing here rests on what was said." in calm.text
    nobody = Page(report_html(dataclasses.replace(analysis, events=(), tracks=analysis.tracks[1:])))
    assert "Nobody was heard to speak, so nothing was scored." in nobody.text


def test_nothing_from_outside_becomes_markup(talk: Analysis, hostile: Analysis) -> None:
    page = Page(report_html(hostile))
    shown = " ".join(HOSTILE.split())
    assert page.text.count(shown) >= 12
    assert len(page.scripts) == 2 + len(hostile.tracks) + 1  # and who speaks when
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in Page(report_html(talk)).tags} | {"h4"}
    for tag, attributes in page.tags:
        assert tag not in {"a", "img", "iframe", "object", "embed", "form", "link", "base"}
        assert not any(name.startswith("on") for name in attributes)
        assert not {"src", "href", "srcset"} & set(attributes)


def test_only_its_two_scripts_may_run_and_nothing_may_load(talk: Analysis) -> None:
    page = Page(report_html(talk))
    rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
    run = [text for attributes, text in page.scripts if attributes.get("type") != "application/json"]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in run}
    assert len(run) == 2
    assert set(rules["script-src"].split()) == hashes
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "http" not in page.policy
    style = re.search(r"<style>(.*?)</style>", report_html(talk), re.DOTALL)
    assert style is not None
    assert "url(" not in style.group(1)
    assert "@import" not in style.group(1)


def test_figures_are_data_that_can_be_read(talk: Analysis) -> None:
    sound = Sound(recording(np.zeros(320_000), np.linspace(-1, 1, 320_000)))
    page = Page(report_html(talk, sound))
    data = {a["id"]: json.loads(text) for a, text in page.scripts if a.get("type") == "application/json"}
    wanted = [a["data-figure"] for tag, a in page.tags if tag == "figure"]
    assert (
        set(data)
        == set(wanted)
        == {"figure-timeline-0", "figure-timeline-1", "figure-waveform-0", "figure-waveform-1"}
    )
    assert all(a["aria-label"] for tag, a in page.tags if tag == "figure")
    names = [trace["name"] for trace in data["figure-timeline-0"]["data"]]
    assert "Aggression score" in names
    assert all(figure["layout"]["height"] > 100 for figure in data.values())


def test_script_data_cannot_leave_its_element() -> None:
    value = {"text": "</script><!-- & \u2028 ä"}
    text = str(script_data(value))
    assert not set("<>&\u2028ä") & set(text)
    assert json.loads(text) == value
    with pytest.raises(ValueError, match="JSON"):
        script_data(float("nan"))


def test_it_stays_small_enough_to_send(talk: Analysis) -> None:
    """Four hours with a curve point each half second and 4,000 utterances."""
    n = 28_800
    rng = np.random.default_rng(0)
    track = talk.tracks[0]
    curve = dataclasses.replace(
        track.curve,
        times=(np.arange(n) + 0.5) / 2,
        aggression=rng.random(n),
        emotions=rng.dirichlet(np.ones(8), n),
    )
    said = Transcript(
        "x", "en", tuple(Utterance(3.6 * i, 3.6 * i + 3, "so many words " * 4) for i in range(4000))
    )
    long = dataclasses.replace(
        talk, duration=14_400.0, tracks=(dataclasses.replace(track, curve=curve, transcript=said),)
    )
    assert len(WRITER.content(long)) < 6.5e6
    assert len(WRITER.content(talk)) < 5.5e6


@pytest.fixture(scope="module")
def explained() -> tuple[Analysis, Sound]:
    """Return the sample's analysis at a threshold that leaves many events, with its sound and model."""
    model = load_model("mel-cnn")
    heard = audio.load(ROOT / "ui" / "sample" / "scene.ogg")
    found = with_threshold(analyze(heard, model=model), 0.2)
    assert len(found.events) > 1
    return found, Sound(heard, model)


def test_the_strongest_events_are_explained(explained: tuple[Analysis, Sound]) -> None:
    result, sound = explained
    steps: list[tuple[str, float, float]] = []
    watched = dataclasses.replace(sound, progress=lambda *step: steps.append(step))
    page = Page(report_html(result, watched))
    strongest = sorted(range(len(result.events)), key=lambda index: -result.events[index].peak)[:MOST]
    charts = [
        a["data-figure"] for tag, a in page.tags if tag == "figure" and "event" in (a["data-figure"] or "")
    ]
    assert charts == [f"figure-event-{index + 1}" for index in strongest]
    assert page.text.count("Certainty ") == len(charts)
    assert "Compared with neutral speech, the sound raises the score" in page.text
    assert "This says what moved the model, not what somebody feels or means." in page.text
    assert steps[0] == ("explain", 0, len(charts))
    assert steps[-1] == ("explain", len(charts), len(charts))
    assert len(WRITER.content(result, sound)) < 6e6


def said_at(result: Analysis, text: str) -> Analysis:
    """Return the result with words, at its strongest event, that a text model has scored."""
    event = max(result.events, key=lambda one: one.peak)
    info = TextModelInfo("made", "0" * 64, None, {}, 0.5, True, ("en",))
    words = Utterance(event.start, event.end, text, aggression=0.8)
    calm = Utterance(event.start, event.end, "well then", aggression=0.1)
    transcript = Transcript("x", "en", (calm, words), text_models=(info,))
    return dataclasses.replace(result, tracks=(dataclasses.replace(result.tracks[0], transcript=transcript),))


def test_words_are_explained_beside_the_sound(explained: tuple[Analysis, Sound]) -> None:
    result, sound = explained
    reader = Made(adding({"liar<b>": 3.0, "you": 0.5, "please": -1.0}))
    read = said_at(result, "you liar<b> please stay")
    text = Page(report_html(read, dataclasses.replace(sound, readers=lambda _: (reader,)))).text
    assert "score 0.62 as verbal aggression by made" in text  # the sigmoid of -2 + 3 + 0.5 - 1
    assert "What raises it most: “liar<b>” (+3.00), “you” (+0.50)." in text
    assert "What lowers it most: “please” (-1.00)." in text
    assert "lead from -2.00, for no words, to +0.50" in text
    assert text.count("as verbal aggression by") == 1  # the other events have no words

    assert "the text model that scored them is not at hand" in Page(report_html(read, sound)).text
    reader.info.sha256 = "1" * 64
    other = Page(report_html(read, dataclasses.replace(sound, readers=lambda _: (reader,)))).text
    assert "The words are not explained: the words were read by made" in other


def test_an_explanations_map_adds_up_to_the_scores_difference(explained: tuple[Analysis, Sound]) -> None:
    result, sound = explained
    page = Page(report_html(result, sound))
    number = 1 + max(range(len(result.events)), key=lambda index: result.events[index].peak)
    (text,) = (text for a, text in page.scripts if a.get("id") == f"figure-event-{number}")
    (heat,) = (trace for trace in json.loads(text)["data"] if trace.get("name") == "contributions")
    total = float(np.frombuffer(base64.b64decode(heat["z"]["bdata"]), heat["z"]["dtype"]).sum())
    # The longest windows are drawn in columns of their frames' means; 3 s are 300 frames, each drawn.
    event = result.events[number - 1]
    choice = choose(result, at=event.peak_time, channel=event.channel)
    assert sound.model is not None
    (part,) = explain(sound.recording, choice.windows, sound.model, channel=choice.channel).parts
    assert total == pytest.approx(part.log_odds - part.base, abs=0.5)
    low, high = 1 / (1 + np.exp(-part.base)), part.score
    assert f"score for how angry the voice sounds from {low:.2f} to {high:.2f}" in page.text


def test_what_cannot_be_explained_says_why(explained: tuple[Analysis, Sound], analysis: Analysis) -> None:
    result, sound = explained
    assert "made without the sound or the model at hand" in Page(report_html(result)).text
    other = dataclasses.replace(result, model=dataclasses.replace(result.model, sha256="0" * 64))
    assert "is not the one that is at hand now" in Page(report_html(other, sound)).text
    calm = dataclasses.replace(result, events=())
    assert "Why the strongest stretches" not in Page(report_html(calm, sound)).text
