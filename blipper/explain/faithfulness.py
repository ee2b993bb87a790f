"""Do explanations say what the model does? Measured on many clips.

*Deletion*: the cells that matter most by an explanation are replaced, a few at a time, by neutral speech (its
mean frame, or real windows: :mod:`blipper.explain.baselines`); the quicker the score falls to that of neutral
speech, the better the explanation knew.
*Insertion* is the other way round (Petsiuk, Das and Saenko 2018, "RISE"). Both are compared with an order
drawn at random, and with the loudest cells first, which needs no model at all. *Shuffled weights* must give
another map (Adebayo et al. 2018, "Sanity checks for saliency maps"); a *small shift* of the window must not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper.errors import SettingsError
from blipper.explain.background import Background
from blipper.explain.faithfulness_clip import SHARES, SHIFT, Float, Measuring, Sound, as_inputs
from blipper.progress import Progress, silent
from blipper.voice.models import VoiceModel

#: Clips, taken evenly from all, for the checks that cost most.
MANY_CHECKS: Final = 60


def faithfulness(
    model: VoiceModel,
    sounds: Sequence[Sound],
    background: Background,
    *,
    target: str = "aggression",
    seed: int = 0,
    keep: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Measure how far explanations can be trusted.

    Parameters
    ----------
    model : VoiceModel
    sounds : sequence of Sound
        The first window of each is explained.
    background : Background
    target : str
    seed : int
        Of the random order and of what is drawn.
    keep : path, optional
        A folder for what was measured of each clip: measuring the same again goes on from there.
    progress : Progress
        Told clips, as step ``"faithfulness"``.

    Returns
    -------
    dict
        Plain JSON values. ``curves[method]["deletion"]`` and ``["insertion"]`` hold, for each of
        ``shares``, the mean log-odds by which the score is still away from neutral speech's, in the
        direction of the whole; ``["deletion_area"]`` their mean over the shares (lower is better) and
        ``["insertion_area"]`` likewise (higher is better), each with a 95 % interval over speakers.

    Raises
    ------
    SettingsError
        If there is no sound.
    """
    if not sounds:
        raise SettingsError("no clip to explain")
    rng = np.random.default_rng(seed)
    checked = set(np.linspace(0, len(sounds) - 1, min(MANY_CHECKS, len(sounds))).round().astype(int).tolist())
    measuring = Measuring(model, background, target, seed, keep)
    found = []
    for number, sound in enumerate(sounds):
        progress("faithfulness", number, len(sounds))
        found.append(measuring.clip(sound, number, rng, all_checks=number in checked))
    progress("faithfulness", len(sounds), len(sounds))
    errors = np.array([one.error for one in found])
    shap_errors, survived, stable = (
        [getattr(one, name) for one in found if getattr(one, name) is not None]
        for name in ("shap_error", "survived", "stable")
    )
    names = dict.fromkeys(name for one in found for name in one.curves)
    curves = {}
    for name in names:
        having = [(one, sound) for one, sound in zip(found, sounds, strict=True) if name in one.curves]
        paths = np.array([one.curves[name] for one, _ in having])
        curves[name] = _summary(paths, [sound.speaker for _, sound in having], seed)
    profiles: dict[str, list[list[float]]] = {}
    for one, sound in zip(found, sounds, strict=True):
        profiles.setdefault(sound.emotion, []).append(one.profile)
    return {
        "target": target,
        "clips": len(sounds),
        "speakers": len({sound.speaker for sound in sounds}),
        "shares": list(SHARES),
        "curves": curves,
        "completeness": {
            "median": _figure(np.median(errors)),
            "highest_of_95_percent": _figure(np.quantile(errors, 0.95)),
            "shap_median": _figure(np.median(shap_errors)),
        },
        "shuffled_weights": {"clips": len(survived), "mean_correlation": _figure(np.mean(survived))},
        "small_shift": {
            "clips": len(stable),
            "seconds": SHIFT,
            "mean_correlation": _figure(np.mean(stable)),
            "lowest_of_90_percent": _figure(np.quantile(stable, 0.1)),
        },
        "bands_hz": [_figure(band) for band in as_inputs(model, sounds[0].samples).bands],
        "band_profiles": {
            emotion: {"clips": len(rows), "mean": [_figure(value) for value in np.mean(rows, axis=0)]}
            for emotion, rows in sorted(profiles.items())
        },
    }


def better(summary: Mapping[str, Any], one: str, other: str) -> bool:
    """Say whether one method beats another in both curves by more than their intervals overlap."""
    first, second = summary["curves"][one], summary["curves"][other]
    return bool(
        first["deletion_area"]["high"] < second["deletion_area"]["low"]
        and first["insertion_area"]["low"] > second["insertion_area"]["high"]
    )


def _summary(curves: Float, speakers: Sequence[str], seed: int) -> dict[str, Any]:
    """Sum up curves of shape (n_clips, 2, n_shares)."""
    areas: Float = np.asarray(np.trapezoid(curves, SHARES, axis=2))
    intervals = [_interval(areas[:, kind], speakers, seed) for kind in (0, 1)]
    return {
        "clips": len(curves),
        "deletion": [_figure(value) for value in curves[:, 0].mean(axis=0)],
        "insertion": [_figure(value) for value in curves[:, 1].mean(axis=0)],
        "deletion_area": intervals[0],
        "insertion_area": intervals[1],
    }


def _interval(values: Float, speakers: Sequence[str], seed: int) -> dict[str, float]:
    """Return a mean with its 95 % interval by bootstrap over speakers."""
    names, owner = np.unique(np.array(speakers), return_inverse=True)
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    drawn = np.random.default_rng(seed).integers(len(names), size=(2000, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = (_figure(np.quantile(means, share)) for share in (0.025, 0.975))
    return {"mean": _figure(values.mean()), "low": low, "high": high}


def _figure(value: Any) -> float:
    """Round to four significant digits, so that pages, files and notes agree."""
    return float(f"{float(value):.4g}")
