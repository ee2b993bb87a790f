"""Analyses made by hand, for the library to keep."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from blipper.analysis import with_threshold
from blipper.fusion import trend
from blipper.recording import Provenance, Recording
from blipper.results import Analysis, Check, Curve, ModelInfo, Quality, Span, Track, Windows
from blipper.settings import Settings

RATE = 16_000
MODEL = ModelInfo("mel-cnn", "cd" * 32, 0.5)
OTHER_MODEL = ModelInfo("whisper-cnn", "ef" * 32, 0.5)


def track(scores: list[float], seed: int = 0, name: str = "mix") -> Track:
    """One channel with a score for every half second, spoken all through."""
    rng = np.random.default_rng(seed)
    aggression = np.array(scores, dtype=np.float64)
    times = (np.arange(len(scores)) + 0.5) * 0.5
    emotions = rng.dirichlet(np.ones(8), size=len(scores))
    curve = Curve(0.5, times, aggression, emotions)
    windows = Windows(times - 0.25, times + 0.25, emotions, aggression)
    quality = Quality((Check("level", "Level", -23.0, "LUFS", "good", "The level is fine."),))
    return Track(name, quality, (Span(0.0, len(scores) / 2),), windows, curve, trend(curve))


#: One event (2 to 5 s, peak 0.9), one near miss (8 to 10 s, peak 0.42).
SCORES = [0.1] * 4 + [0.7, 0.8, 0.9, 0.8, 0.7, 0.6] + [0.1] * 6 + [0.4, 0.42, 0.41, 0.4] + [0.1] * 4


def analysis(
    name: str = "call.wav",
    *tracks: Track,
    content: str | None = None,
    model: ModelInfo = MODEL,
    threshold: float | None = None,
) -> Analysis:
    """An analysis of `tracks`, whose events are really marked."""
    tracks = tracks or (track(SCORES),)
    digest = hashlib.sha256((content or name).encode("utf-8", "surrogateescape")).hexdigest()
    made = Analysis(
        provenance=Provenance(name, digest, 64_044, "WAV", "PCM_16", RATE, len(tracks), "soundfile"),
        duration=len(tracks[0].curve.times) / 2,
        tracks=tuple(tracks),
        events=(),
        model=model,
        settings=Settings(channels="mix" if len(tracks) == 1 else "separate").to_dict(),
        versions={"blipper": "0.1.0"},
    )
    marked = with_threshold(made, model.threshold if threshold is None else threshold)
    if threshold is None:
        return replace(marked, settings=made.settings)
    return marked


def sound(of: Analysis, seed: int = 0) -> Recording:
    """A recording that fits an analysis: noise, which FLAC cannot shrink to nothing."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0, 0.1, (len(of.tracks), round(of.duration * RATE))).astype(np.float32)
    return Recording(samples, RATE, tuple(track.name for track in of.tracks), of.provenance)
