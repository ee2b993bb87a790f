"""Which named features each emotion rests on: the companion's SHAP values over a test set, as a summary.

The companion is linear, so the SHAP value of a feature is its weight times its distance from the usual
(Lundberg and Lee 2017, corollary 1); :func:`blipper.explain.features.explain_vector` asks ``shap`` itself,
and the tests hold both together. Values are in log-odds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blipper.errors import ModelError
from blipper.explain.features import COMPANION, GROUPS, Companion, by_group, group_deviations
from blipper.explain.targets import TARGETS
from blipper.export.files import write_atomically

Float = NDArray[np.floating[Any]]

#: The summary that ships beside the companion.
SUMMARY: Final = COMPANION.with_name("companion-summary.json")
#: Clips of the summary plot at most: more dots cannot be told apart.
DOTS: Final = 150


@dataclass(frozen=True, eq=False)
class Summary:
    """SHAP values of the companion over clips of speakers whom it never met.

    Parameters
    ----------
    split : str
    clips : mapping of str to int
        How many were acted in each emotion.
    own : numpy.ndarray, shape (n_targets, n_groups)
        Mean SHAP value for a target over the clips acted in it (angry ones for aggression); NaN without any.
    size : numpy.ndarray, shape (n_targets, n_groups)
        Mean absolute SHAP value over all clips.
    values : numpy.ndarray, shape (n_targets, n_dots, n_groups)
        SHAP values of some clips, spread over the emotions.
    deviations : numpy.ndarray, shape (n_dots, n_groups)
        How far the groups' key features lie from the usual, in standard deviations.
    """

    split: str
    clips: Mapping[str, int]
    own: Float
    size: Float
    values: Float
    deviations: Float


def summarise(companion: Companion, relative: Float, emotions: ArrayLike) -> Summary:
    """Compute the SHAP values of clips.

    Parameters
    ----------
    companion : Companion
    relative : numpy.ndarray, shape (n, n_used)
        Features less the usual.
    emotions : array-like of str, shape (n,)

    Returns
    -------
    Summary
    """
    acted = np.asarray(emotions)
    scaled = relative / companion.scale
    values = np.stack([by_group(row * scaled) for row in companion.weights])
    own = np.full((len(TARGETS), len(GROUPS)), np.nan)
    for k, target in enumerate(TARGETS):
        rows = acted == ("angry" if target == "aggression" else target)
        if rows.any():
            own[k] = values[k, rows].mean(axis=0)
    # Sorted by emotion and then taken evenly: every emotion has its part of the dots.
    order = np.argsort(acted, kind="stable")
    dots = order[np.unique(np.linspace(0, len(order) - 1, min(DOTS, len(order))).round().astype(int))]
    names, counts = np.unique(acted, return_counts=True)
    return Summary(
        split=str(companion.figures["split"]),
        clips={str(name): int(count) for name, count in zip(names, counts, strict=True)},
        own=own,
        size=np.abs(values).mean(axis=1),
        values=values[:, dots],
        deviations=group_deviations(scaled)[dots],
    )


def write_summary(summary: Summary, path: Path = SUMMARY, companion: Path = COMPANION) -> None:
    """Write a summary beside the companion that it is of; the file is whole or not there."""
    document = {
        "companion_sha256": _digest(companion),
        "split": summary.split,
        "clips": dict(summary.clips),
        "groups": [group.name for group in GROUPS],
        "targets": list(TARGETS),
        "mean_own": _rounded(summary.own),
        "mean_absolute": _rounded(summary.size),
        "deviations": _rounded(summary.deviations, 2),
        "values": _rounded(summary.values, 2),
    }
    write_atomically(path, json.dumps(document, separators=(",", ":")) + "\n")


def read_summary(path: Path = SUMMARY, companion: Path = COMPANION) -> Summary:
    """Read what :func:`write_summary` wrote.

    Raises
    ------
    ModelError
        If the file is missing or damaged, or belongs to another companion.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        measured, groups, targets = held["companion_sha256"], held["groups"], held["targets"]
        found = Summary(
            str(held["split"]),
            {str(name): int(count) for name, count in held["clips"].items()},
            _array(held["mean_own"]),
            _array(held["mean_absolute"]),
            _array(held["values"]),
            _array(held["deviations"]),
        )
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: cannot be read as a summary of the companion ({error!r})") from error
    table = (len(TARGETS), len(GROUPS))
    dots = len(found.deviations)
    fits = (
        groups == [group.name for group in GROUPS]
        and targets == list(TARGETS)
        and found.own.shape == found.size.shape == table
        and found.values.shape == (table[0], dots, table[1])
        and found.deviations.shape == (dots, table[1])
    )
    if not fits or measured != _digest(companion):
        raise ModelError(
            f"{path}: belongs to another companion than {companion.name}; "
            "'blipper explain-setup DATA --companion' makes both anew"
        )
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rounded(values: Float, digits: int = 3) -> Any:
    """Return nested lists, rounded; None for NaN, which JSON does not have."""
    if values.ndim > 1:
        return [_rounded(row, digits) for row in values]
    return [None if np.isnan(value) else round(float(value), digits) for value in values]


def _array(values: Any) -> Float:
    return np.array(values, dtype=np.float64)
