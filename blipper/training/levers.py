"""Levers tried one at a time on validation speakers: short runs, all on file, a table made of them.

``tools/levers.py DATA`` runs what is not on file yet and writes ``docs/research/whisper-cnn-levers.json``;
the table in ``docs/research/voice-models.md`` is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from blipper.progress import Progress, silent
from blipper.training.head_data import read_head_material
from blipper.training.head_fit import fit_head, fit_perceptrons, head_figures, heads_of, score_head
from blipper.training.head_settings import HeadTrainSettings
from blipper.voice.heads import HeadSettings
from blipper.voice.windows import Margins

#: Where every run's figures are kept.
RECORD: Final = Path("docs", "research", "whisper-cnn-levers.json")
#: What all levers are compared with.
BASE: Final = HeadTrainSettings(
    epochs=8, judge_epochs=0, versions=1, speeds=(), heard_at=(), network=HeadSettings()
)
#: What is heard around an utterance: as much after it as a stream has heard when it knows of the end.
MARGINS: Final = Margins(before=0.3, after=0.19)
#: Figures of one run that the table shows.
_SHOWN: Final = ("accuracy_common", "angry_roc_auc", "uar_ravdess", "uar_crema-d", "uar_savee", "score")


@dataclass(frozen=True)
class Lever:
    """One change of the base recipe.

    Parameters
    ----------
    name : str
        For the table.
    changes : mapping
        Of :class:`~blipper.training.head_settings.HeadTrainSettings`; ``network`` may be a mapping of changes
        of :class:`~blipper.voice.heads.HeadSettings`.
    """

    name: str
    changes: Mapping[str, Any]

    def settings(self, fold: int) -> HeadTrainSettings:
        """Return the run's settings."""
        changes = dict(self.changes)
        if "network" in changes:
            changes["network"] = HeadSettings(**changes["network"])
        return replace(BASE, fold=fold, **changes)


#: In the order in which they are tried.
LEVERS: Final = (
    Lever("base: one augmented pass, 8 epochs", {}),
    Lever("the same again from another seed", {"seed": 100}),
    Lever("two augmented passes", {"versions": 2}),
    Lever("no augmentation through the encoder", {"versions": 0}),
    Lever("loss over a corpus's own classes", {"own_classes": True}),
    Lever("raters' votes, 30 % of CREMA-D's targets", {"votes": 0.3}),
    Lever("no plain means and deviations", {"network": {"plain": 0}}),
    Lever("last layers trained anew for 30 epochs", {"judge_epochs": 30}),
    Lever("the same, also heard at 0.93 and 1.07 of the speed", {"judge_epochs": 30, "speeds": (0.93, 1.07)}),
    Lever(
        "the same, plain statistics of the last three blocks",
        {"judge_epochs": 30, "network": {"plain_from": 1}},
    ),
    Lever(
        "the same, and means of their inner layers",
        {"judge_epochs": 30, "network": {"plain_from": 1, "inner": (1, 2, 3)}},
    ),
    Lever(
        "the same, learned and heard at 0.93 and 1.07 of the speed too",
        {
            "judge_epochs": 30,
            "speeds": (0.93, 1.07),
            "heard_at": (0.93, 1.07),
            "network": {"plain_from": 1, "inner": (1, 2, 3)},
        },
    ),
    Lever("the same, one perceptron more", {"judge_epochs": 30, "network": {"perceptrons": 1}}),
    Lever(
        "the same, two members, two perceptrons",
        {"judge_epochs": 30, "network": {"members": 2, "perceptrons": 2}},
    ),
    Lever("further tasks: sex and intensity", {"aside": 0.2}),
    Lever("dropout 0.5", {"dropout": 0.5}),
    Lever("no mixup", {"mixup": 0.0}),
    Lever("classes and corpora as they come", {"balance": "none"}),
    Lever("classes drawn alike", {"balance": "full"}),
    Lever("no masking", {"masking": 0.0}),
    Lever("attention without convolutions", {"network": {"dilations": ()}}),
    Lever("label smoothing 0.1", {"label_smoothing": 0.1}),
    Lever("three members, logits averaged", {"network": {"members": 3}}),
    Lever("last layers anew, utterances heard with margins", {"judge_epochs": 30, "margins": MARGINS}),
    Lever("the same from another seed", {"judge_epochs": 30, "margins": MARGINS, "seed": 100}),
    Lever("16 epochs, two augmented passes", {"epochs": 16, "versions": 2}),
)


def run_levers(
    data: Path,
    encoder: Path,
    record: Path,
    cache: Path,
    *,
    folds: Sequence[int] = (1,),
    levers: Sequence[Lever] = LEVERS,
    progress: Progress = silent,
) -> list[dict[str, Any]]:
    """Run levers that are not on file yet; after each, the file is written anew.

    Parameters
    ----------
    data, encoder : path
    record : path
        JSON; a list of runs.
    cache : path
    folds : sequence of int
        Whose validation speakers judge.
    levers : sequence of Lever
    progress : Progress

    Returns
    -------
    list of dict
        All runs on file: ``lever``, ``fold``, ``settings`` and ``validation``.
    """
    runs: list[dict[str, Any]] = json.loads(record.read_text("utf-8")) if record.is_file() else []
    for lever in levers:
        for fold in folds:
            settings = lever.settings(fold)
            described = json.loads(json.dumps(settings.to_dict()))
            # Settings that came later than a run were at their defaults in it.
            known = (HeadTrainSettings.from_dict(run["settings"]).to_dict() for run in runs)
            if settings.to_dict() in known:
                continue
            material = read_head_material(data, encoder, settings, cache, progress=progress)
            members = [
                fit_head(material, settings, member, None, progress=progress)
                for member in range(settings.network.members)
            ]
            history = members[-1].history
            members += fit_perceptrons(material, settings)
            last = history[-1]
            if len(members) > 1 or settings.judge_epochs:
                rows = material.side("validation")
                logits = score_head(heads_of(members, settings), material.hearings, rows)
                last = {**last, **head_figures(logits, material, rows)}
                last["seconds"] = sum(member.history[-1]["seconds"] for member in members if member.history)
            found = {key: round(value, 4) for key, value in last.items()}
            runs.append({"lever": lever.name, "fold": fold, "settings": described, "validation": found})
            record.parent.mkdir(parents=True, exist_ok=True)
            partial = record.with_name(f".{record.name}.partial")
            partial.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
            partial.replace(record)
    return runs


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the runs as a Markdown table."""
    rows = [
        "| what was changed | validation of fold | " + " | ".join(_SHOWN) + " |",
        "|" + "---|" * (len(_SHOWN) + 2),
    ]
    for run in runs:
        figures = run["validation"]
        shown = [f"{figures[key]:.3f}" if key in figures else "-" for key in _SHOWN]
        rows.append(f"| {run['lever']} | {run['fold']} | {' | '.join(shown)} |")
    return "\n".join(rows)
