"""How a model does on the user's own verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from blipper.analysis import analyze
from blipper.errors import LibraryError
from blipper.library.agreement import wilson
from blipper.library.database import Database
from blipper.library.dataset import Labelled, read_labelled
from blipper.library.keeping import read_analysis, read_recording
from blipper.library.verdicts import highest
from blipper.progress import Progress, silent
from blipper.results import Analysis
from blipper.settings import Settings
from blipper.voice.labels import EMOTIONS
from blipper.voice.models import VoiceModel

#: What every report of it says.
NOTE: Final = (
    "Stretches were chosen by a score, by a queue that prefers doubtful ones, or by hand: this is no random "
    "sample of speech. Recall counts only what somebody marked as missed. Wilson intervals take stretches as "
    "independent; that of ROC-AUC is by bootstrap over recordings."
)


@dataclass(frozen=True)
class Scored:
    """A judged stretch and what a model gives it.

    Parameters
    ----------
    labelled : Labelled
    score : float
        Highest point of the aggression curve in the stretch.
    emotion : str or None
        Leading emotion over the stretch; None where only a kept score is known.
    heard : bool
        Whether the model heard the sound anew; else the score is the one kept with a verdict.
    """

    labelled: Labelled
    score: float
    emotion: str | None
    heard: bool


def score(
    database: Database,
    model: VoiceModel,
    labelled: Sequence[Labelled],
    *,
    progress: Progress = silent,
) -> tuple[Scored, ...]:
    """Let a model hear the judged stretches, each recording whole as the app does.

    Where no sound is kept, the score that was kept with a verdict counts if it is of these very weights.

    Parameters
    ----------
    database : Database
    model : VoiceModel
    labelled : sequence of Labelled
    progress : Progress
        Told recordings, as step ``"library"``.

    Returns
    -------
    tuple of Scored
        Without stretches that have no score: no sound, or nobody speaks there.
    """
    groups: dict[tuple[str, str | None], list[Labelled]] = {}
    for row in labelled:
        groups.setdefault((row.item.id, row.channels), []).append(row)
    found = []
    for number, rows in enumerate(groups.values()):
        progress("library", number, len(groups))
        analysis = _hear(database, model, rows[0]) if rows[0].audible else None
        for row in rows:
            if analysis is None:
                kept = row.judged.score(model.info.sha256)
                if kept is not None:
                    found.append(Scored(row, kept, None, False))
            elif row.channel < len(analysis.tracks):
                new = highest(analysis, row.channel, row.start, row.end)
                if new is not None:
                    found.append(Scored(row, new, _leading(analysis, row), True))
    progress("library", len(groups), len(groups))
    return tuple(found)


def _hear(database: Database, model: VoiceModel, row: Labelled) -> Analysis | None:
    info = next((info for info in row.item.analyses if info.channels == row.channels), None)
    if info is None:
        return None
    recording = read_recording(database, row.item.id, read_analysis(database, info.id))
    if recording is None:
        return None
    channels = Settings(channels="separate" if row.channels == "separate" else "mix")
    return analyze(recording, model=model, settings=channels)


def _leading(analysis: Analysis, row: Labelled) -> str | None:
    curve = analysis.tracks[row.channel].curve
    inside = (curve.times + curve.step / 2 > row.start) & (curve.times - curve.step / 2 < row.end)
    rows = curve.emotions[inside & ~np.isnan(curve.aggression)]
    return EMOTIONS[int(rows.mean(axis=0).argmax())] if len(rows) else None


def evaluate(
    database: Database,
    model: VoiceModel,
    *,
    held_out: bool = False,
    seed: int = 0,
    resamples: int = 1000,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Report a model on the library's verdicts.

    Parameters
    ----------
    database : Database
    model : VoiceModel
    held_out : bool
        Only recordings on the test side (:func:`blipper.library.dataset.side_of`): for a model that learned
        from the others.
    seed, resamples : int
        Of the bootstrap over recordings.
    progress : Progress

    Returns
    -------
    dict
        Plain values: ``model``, ``threshold``, counts, ``roc_auc`` with its interval, ``precision`` and
        ``recall`` at the model's threshold with Wilson intervals, ``thresholds``, ``emotions`` and ``note``.

    Raises
    ------
    LibraryError
        If no judged stretch has a score.
    """
    from blipper.training import metrics

    labelled, ties = read_labelled(database)
    chosen = [row for row in labelled if not held_out or row.side == "test"]
    scored = score(database, model, chosen, progress=progress)
    if not scored:
        raise LibraryError(
            f"{database.shown}: no stretch to measure on: {len(labelled)} are judged"
            + (f", {len(chosen)} of them in recordings that the model did not learn from" if held_out else "")
            + "; none of these has a sound that is kept, or a score of this model"
        )
    angry = np.array([row.labelled.angry for row in scored])
    scores = np.array([row.score for row in scored])
    names = [row.labelled.item.id for row in scored]
    threshold = model.info.threshold
    over = scores >= threshold
    area: dict[str, Any] = {"value": None, "interval": None}
    if angry.any() and not angry.all():
        interval = metrics.interval(
            lambda rows: metrics.roc_auc(angry[rows], scores[rows]), names, seed=seed, resamples=resamples
        )
        area = {"value": metrics.roc_auc(angry, scores), "interval": interval and list(interval)}
    named = [row for row in scored if row.emotion is not None and row.labelled.emotion is not None]
    right = sum(row.emotion == row.labelled.emotion for row in named)
    return {
        "model": model.info.name,
        "model_sha256": model.info.sha256,
        "threshold": threshold,
        "data": "held-out recordings of the library" if held_out else "all recordings of the library",
        "stretches": len(scored),
        "angry": int(angry.sum()),
        "recordings": len(set(names)),
        "analysts": len({name for row in scored for name in row.labelled.judged.verdicts}),
        "heard_anew": sum(row.heard for row in scored),
        "left_out": {"ties": ties, "without_score": len(chosen) - len(scored)},
        "roc_auc": area,
        "precision": _share(int(angry[over].sum()), int(over.sum())),
        "recall": _share(int(over[angry].sum()), int(angry.sum())),
        "thresholds": _thresholds(scored),
        "emotions": _share(right, len(named)),
        "note": NOTE,
    }


def _share(successes: int, trials: int) -> dict[str, Any]:
    if not trials:
        return {"value": None, "interval": None, "of": 0}
    return {"value": successes / trials, "interval": list(wilson(successes, trials)), "of": trials}


def _thresholds(scored: Sequence[Scored]) -> list[dict[str, Any]]:
    rows = []
    for step in range(1, 20):
        over = [row.labelled.angry for row in scored if row.score >= step / 20]
        rows.append({"threshold": step / 20, "precision": _share(sum(over), len(over))})
    return rows


__all__: Sequence[str] = ("NOTE", "Scored", "evaluate", "score")
