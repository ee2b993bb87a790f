"""Curves, utterances and analyses whose fused scores are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from blipper.results import Analysis, Check, Curve, Quality
from blipper.voice.labels import EMOTIONS
from blipper.words.transcript import Transcript, Utterance, Word
from tests.library.making import analysis as bare_analysis
from tests.library.making import track as bare_track


def curve_of(values: Sequence[float], step: float = 0.5) -> Curve:
    aggression = np.array(values, dtype=float)
    emotions = np.full((len(aggression), len(EMOTIONS)), 1 / len(EMOTIONS))
    emotions[np.isnan(aggression)] = np.nan
    return Curve(step, (np.arange(len(aggression)) + 0.5) * step, aggression, emotions)


def said(
    start: float,
    end: float,
    aggression: float | None,
    confidence: float | None = None,
    text: str = "some words",
) -> Utterance:
    """Return an utterance all of whose words have one confidence."""
    texts = text.split()
    edges = np.linspace(start, end, len(texts) + 1).tolist()
    words = tuple(Word(one, a, b, confidence) for one, a, b in zip(texts, edges[:-1], edges[1:], strict=True))
    return Utterance(start, end, text, words, confidence, None, aggression)


def transcript(*utterances: Utterance, engine: str = "file:srt", **fields: object) -> Transcript:
    return replace(Transcript(engine, "en", utterances), **fields)  # type: ignore[arg-type]


def analysis_of(scores: list[float], *utterances: Utterance, verdict: str = "good") -> Analysis:
    """Return an analysis, spoken all through, to which a transcript was added."""
    from blipper.words.attach import with_transcripts

    quality = Quality((Check("snr", "Speech over noise", 20.0, "dB", verdict, "As it is."),))  # type: ignore[arg-type]
    track = replace(bare_track(scores), quality=quality)
    return with_transcripts(bare_analysis("call.wav", track), [transcript(*utterances)], asked="call.srt")
