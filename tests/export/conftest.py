"""An analysis made by hand, with a gap, two channels, float32 arrays and notices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from blipper.recording import Notice, Provenance
from blipper.results import (
    Analysis,
    Check,
    Curve,
    Event,
    ModelInfo,
    Quality,
    Span,
    Track,
    Trend,
    Windows,
    no_windows,
)
from blipper.speakers import Turn
from blipper.words.transcript import Transcript, Utterance, Word


@pytest.fixture
def analysis(rng: np.random.Generator) -> Analysis:
    curve_aggression = np.array([0.1, np.nan, 0.9, 0.80005])
    curve_emotions = rng.dirichlet(np.ones(8), size=4)
    curve_emotions[1] = np.nan
    talk = Track(
        name="left",
        quality=Quality(
            (
                Check("level", "Level", -23.5, "LUFS", "good", "The level is fine."),
                Check("snr", "Noise", None, "dB", "unknown", "Too little silence to say."),
            )
        ),
        speech=(Span(0.0, 0.5), Span(1.0, 2.0)),
        windows=Windows(
            start=np.array([0.0, 1.0]),
            end=np.array([0.5, 2.0]),
            emotions=rng.dirichlet(np.ones(8), size=2).astype(np.float32),
            aggression=np.array([0.1, 0.95], dtype=np.float32),
        ),
        curve=Curve(0.5, np.array([0.25, 0.75, 1.25, 1.75]), curve_aggression, curve_emotions),
        trend=Trend("rising", 0.7),
        turns=(Turn(0.0, 0.5, "Agent"), Turn(1.0, 2.0, "Agent", -21.5)),
    )
    silence = Track(
        name="right",
        quality=Quality((Check("level", "Level", None, "LUFS", "poor", "There is only silence."),)),
        speech=(),
        windows=no_windows(),
        curve=Curve(0.5, talk.curve.times, np.full(4, np.nan), np.full((4, 8), np.nan)),
        trend=Trend("unknown", None),
    )
    return Analysis(
        provenance=Provenance('Gespräch, "2".wav', "ab" * 32, 64044, "WAV", "PCM_16", 16000, 2, "soundfile"),
        duration=2.0,
        tracks=(talk, silence),
        events=(Event(1.0, 2.0, 0.9, 1.25, 0.85, "angry", 0),),
        model=ModelInfo("mel-cnn", "cd" * 32, 0.5),
        settings={"window_length": 3.0, "channels": "separate", "band": [80, 8000], "bridge": None},
        notices=(Notice("truncated", "The file breaks off at 0:02.", "warning"),),
        versions={"blipper": "0.1.0", "numpy": "2.0.0"},
    )


#: Texts that break naive writers: markup, arrows, numbers alone, line ends, right to left, controls.
ODD_TEXTS = (
    'You <b>never</b> listen & "I" {\\an8}said --> so',
    "42",
    "two\nlines\r\n\r\nand a gap\u2028more",
    "למה אתה צועק עליי?",
    "<v Somebody>NOTE WEBVTT",
    "喂,你好 🙂",
    "tab\there \x00 and \x1b[31mred",
)


@pytest.fixture
def talk(analysis: Analysis) -> Analysis:
    """Give it 20 s and transcripts: overlaps, a word without length, times beyond the end; no turns."""
    left = tuple(
        Utterance(
            start=2.0 * number,
            end=2.0 * number + (3.0 if number == 2 else 1.5),  # the third runs into the fourth
            text=text,
            words=(Word(text.split()[0], 2.0 * number, 2.0 * number + 0.5, 0.9),),
            confidence=0.9,
        )
        for number, text in enumerate(ODD_TEXTS)
    )
    right = (
        Utterance(0.5, 0.5, "no", (Word("no", 0.5, 0.5), Word("way", 0.5, 0.9))),
        Utterance(18.0, 25.0, "beyond the end", (Word("beyond", 18.0, 19.0), Word("end", 24.0, 25.0))),
        Utterance(3.0, 4.0, "   ", ()),
    )
    said = (
        Transcript("whisper:tiny.en", "en", left, timing="words"),
        Transcript("pocketsphinx:en-us", "en", right, draft=True, timing="words"),
    )
    tracks = tuple(
        dataclasses.replace(track, turns=(), transcript=transcript)
        for track, transcript in zip(analysis.tracks, said, strict=True)
    )
    return dataclasses.replace(analysis, duration=20.0, tracks=tracks)
