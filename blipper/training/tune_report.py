"""What a study found: all trials as JSON and CSV, the best settings, and Optuna's charts in one page."""

from __future__ import annotations

import csv
import html
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from blipper.training.head_settings import HeadTrainSettings
from blipper.training.recipes import Settings
from blipper.training.train import rounded, write_atomic, write_json
from blipper.training.tune_space import Space, Value, nested, values_of

STUDY: Final = "study.json"
TRIALS: Final = "trials.csv"
CHOSEN: Final = "settings.json"
PAGE: Final = "study.html"
#: User attributes of a trial.
FIGURES: Final = "figures"
SECONDS: Final = "seconds"

_STATES: Final = {
    "COMPLETE": "finished",
    "PRUNED": "ended early",
    "FAIL": "interrupted",
    "RUNNING": "running",
    "WAITING": "waiting",
}
#: Optuna cannot rank the settings of fewer.
_FEWEST_RANKED: Final = 3


@dataclass(frozen=True)
class Trial:
    """One training.

    Parameters
    ----------
    number : int
        From 0; trial 0 has the settings as they were.
    state : str
        ``"finished"``, ``"ended early"`` or ``"interrupted"``.
    score : float, optional
        On validation speakers, of a finished trial.
    values : dict
        What was tried.
    figures : dict of str to float
        On validation speakers.
    epochs : tuple of float
        The score after each epoch, before a ``whisper-cnn``'s last layers are trained anew.
    seconds : float, optional
    """

    number: int
    state: str
    score: float | None
    values: dict[str, Value]
    figures: dict[str, float]
    epochs: tuple[float, ...]
    seconds: float | None


@dataclass(frozen=True)
class Tuned:
    """A study.

    Parameters
    ----------
    model : str
        ``"whisper-cnn"`` or ``"mel-cnn"``.
    fold : int or str
        Whose validation speakers judge.
    speakers : tuple of (str, str)
        These speakers: corpus and speaker.
    settings : dict
        Everything that is not searched, and what trial 0 had.
    searched : tuple of str
    trials : tuple of Trial
    """

    model: str
    fold: int | str
    speakers: tuple[tuple[str, str], ...]
    settings: dict[str, Any]
    searched: tuple[str, ...]
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial | None:
        """The finished trial with the highest score, the earlier of two alike."""
        return max(
            (trial for trial in self.trials if trial.score is not None),
            key=lambda trial: (trial.score, -trial.number),
            default=None,
        )

    @property
    def count(self) -> int:
        """How many trials came to an end, early or not."""
        return sum(trial.state in ("finished", "ended early") for trial in self.trials)

    @property
    def base(self) -> Trial | None:
        """The finished trial with the settings as they were."""
        own = {name: self.settings["at first"][name] for name in self.searched}
        return next((t for t in self.trials if t.score is not None and t.values == own), None)

    def chosen(self) -> dict[str, Any] | None:
        """Return the file that ``blipper train --settings`` reads; None before a trial is finished."""
        best = self.best
        if best is None:
            return None
        return {
            "model": self.model,
            "settings": {"epochs": self.settings["epochs"], **nested(best.values)},
            "chosen": {
                "by": "blipper tune",
                "fold": self.fold,
                "seed": self.settings["seed"],
                "trial": best.number,
                "trials": self.count,
                "validation": best.figures,
            },
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "model": self.model,
            "fold": self.fold,
            "validation_speakers": [f"{corpus}/{speaker}" for corpus, speaker in self.speakers],
            "searched": list(self.searched),
            "settings": self.settings,
            "best": None if self.best is None else self.best.number,
            "trials": [asdict(trial) for trial in self.trials],
        }


def summarise(study: Any, settings: Settings, space: Space) -> Tuned:
    """Read an Optuna study.

    Parameters
    ----------
    study : optuna.Study
    settings : TrainSettings or HeadTrainSettings
        Of trial 0.
    space : tuple

    Returns
    -------
    Tuned
    """
    trials = tuple(
        Trial(
            number=trial.number,
            state=_STATES[trial.state.name],
            score=rounded(trial.value) if trial.state.name == "COMPLETE" else None,
            values=dict(trial.params),
            figures=dict(trial.user_attrs.get(FIGURES, {})),
            epochs=tuple(rounded(value) for _, value in sorted(trial.intermediate_values.items())),
            seconds=trial.user_attrs.get(SECONDS),
        )
        for trial in study.get_trials(deepcopy=False)
    )
    split = settings.split()
    return Tuned(
        model="whisper-cnn" if isinstance(settings, HeadTrainSettings) else "mel-cnn",
        fold=split.fold,
        speakers=tuple(sorted(split.validation)),
        settings={**settings.to_dict(), "at first": values_of(settings, space)},
        searched=tuple(one.name for one in space),
        trials=trials,
    )


def write_report(output: Path, study: Any, tuned: Tuned) -> None:
    """Write a study's four files; each is whole or not there.

    Parameters
    ----------
    output : path
    study : optuna.Study
        For the charts.
    tuned : Tuned
    """
    write_json(output / STUDY, tuned.to_dict())
    write_atomic(output / TRIALS, _csv(tuned).encode())
    if (chosen := tuned.chosen()) is not None:
        write_json(output / CHOSEN, chosen)
    write_atomic(output / PAGE, page(study, tuned).encode())


def _csv(tuned: Tuned) -> str:
    figures = sorted({name for trial in tuned.trials for name in trial.figures if name != "score"})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["trial", "state", "score", *figures, "epochs", "seconds", *tuned.searched])
    for trial in tuned.trials:
        writer.writerow(
            [trial.number, trial.state, trial.score]
            + [trial.figures.get(name) for name in figures]
            + [len(trial.epochs), trial.seconds]
            + [trial.values.get(name) for name in tuned.searched]
        )
    return out.getvalue()


def page(study: Any, tuned: Tuned) -> str:
    """Return one HTML page with Optuna's charts, which loads nothing from anywhere.

    Parameters
    ----------
    study : optuna.Study
    tuned : Tuned

    Returns
    -------
    str
    """
    from optuna import visualization
    from plotly.offline import get_plotlyjs

    finished = [trial for trial in tuned.trials if trial.score is not None]
    named = "Validation score"
    epochs = visualization.plot_intermediate_values(study)
    epochs.update_layout(xaxis_title="Epoch", yaxis_title=named)
    sections = [
        _section(
            "History",
            "Every finished trial, and the best so far.",
            [visualization.plot_optimization_history(study, target_name=named)],
        ),
        _section(
            "After each epoch",
            "Trials that fell behind the median of the earlier ones were ended.",
            [epochs],
        ),
    ]
    sections.append(_importance(study, len(finished), named))
    if finished:
        sections += [
            _section(
                "All settings together",
                "A line a finished trial; drag along an axis to keep some.",
                [visualization.plot_parallel_coordinate(study, target_name=named)],
            ),
            _section(
                "Each setting alone",
                "A point a finished trial, the later the darker.",
                [visualization.plot_slice(study, [name], target_name=named) for name in tuned.searched],
                small=True,
            ),
        ]
    return _PAGE.format(
        title=html.escape(f"Study of {tuned.model}, fold {tuned.fold}"),
        summary=html.escape(_summary(tuned)),
        script=get_plotlyjs(),
        sections="\n".join(sections),
    )


def _importance(study: Any, finished: int, named: str) -> str:
    import optuna

    if finished < _FEWEST_RANKED:
        return f"<h2>Importance</h2><p>It takes {_FEWEST_RANKED} finished trials.</p>"
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    try:
        figure = optuna.visualization.plot_param_importances(study, evaluator=evaluator, target_name=named)
    except RuntimeError as error:  # its forest finds no difference between the trials
        return f"<h2>Importance</h2><p>It cannot be told yet: {html.escape(str(error))}</p>"
    text = "The share of the score's variance over the trials that a setting accounts for."
    return _section("Importance", text, [figure])


def _summary(tuned: Tuned) -> str:
    count = tuned.count
    text = f"{count} trial{'' if count == 1 else 's'}, judged by {len(tuned.speakers)} validation speakers."
    if (best := tuned.best) is not None:
        text += f" The best is trial {best.number} with {best.score:.3f}"
        base = tuned.base
        text += f"; the settings as they were have {base.score:.3f}." if base is not None else "."
    return text


def _section(title: str, text: str, figures: list[Any], *, small: bool = False) -> str:
    charts = []
    for figure in figures:
        figure.update_layout(
            template="plotly_white",
            title=None,
            width=None,
            height=320 if small else 460,
            margin={"t": 30, "r": 30},
        )
        charts.append(figure.to_html(full_html=False, include_plotlyjs=False, config={"responsive": True}))
    kind = "small" if small else "large"
    return f'<h2>{title}</h2>\n<p>{text}</p>\n<div class="{kind}">{"".join(charts)}</div>'


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #222; background: #fff; }}
.small {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }}
.small > div, .large > div {{ min-width: 0; }}
.large {{ overflow-x: auto; }}
</style>
<script>{script}</script>
</head>
<body>
<h1>{title}</h1>
<p>{summary} A choice among many trials flatters itself: the best score is a little too high, and says
nothing of speakers whom nobody chose by.</p>
{sections}
</body>
</html>
"""
