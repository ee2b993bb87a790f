"""The search for hyperparameters: trainings proposed by Optuna, judged by validation speakers alone.

A trial is what ``blipper train`` does up to its choice of a threshold; test speakers are never scored. The
study lies in SQLite in the cache folder. A trial's proposal follows from the seed and the finished trials, so
a study that was interrupted, also within a trial, comes to the same in the end.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from blipper.errors import ModelError, SettingsError
from blipper.progress import Progress, silent
from blipper.training import validate
from blipper.training.corpus import cache_folder, read_material, teacher_file
from blipper.training.fit import AfterEpoch, fit
from blipper.training.head_data import read_head_material
from blipper.training.head_fit import fit_head, fit_perceptrons, head_figures, heads_of, score_head
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.recipes import Settings
from blipper.training.settings import TrainSettings
from blipper.training.train import limit_threads
from blipper.training.train_whisper import encoder_file
from blipper.training.tune_report import FIGURES, SECONDS, Tuned, summarise, write_report
from blipper.training.tune_space import Space, changed, nested, space_of, values_of

#: Raised when what a trial does changes, so that an old study is not continued.
_FORMAT: Final = 1
#: Trials drawn at random, and trials that nothing is compared with, before anything is learned from them.
_AT_RANDOM: Final = 10
_UNPRUNED: Final = 5
#: A trial's note of who is at it.
_PROCESS: Final = "process"
#: What an epoch's record holds beside figures on validation speakers.
_NO_FIGURES: Final = ("epoch", "learning_rate", "loss", "seconds")
_MOST_TRIALS: Final = 10_000


@dataclass(frozen=True)
class _Run:
    """What every trial of a study needs."""

    data: Path
    settings: Settings
    space: Space
    folder: Path
    progress: Progress

    def train(self, settings: Settings, after_epoch: AfterEpoch) -> dict[str, float]:
        """Train with a proposal's settings; return figures on validation speakers, ``score`` among them."""
        described = json.dumps(settings.to_dict(), sort_keys=True)
        checkpoint = self.folder / f"{hashlib.sha256(described.encode()).hexdigest()[:16]}.npz"
        if isinstance(settings, HeadTrainSettings):
            return _train_head(self.data, settings, checkpoint, after_epoch, self.progress)
        return _train_mel(self.data, settings, checkpoint, after_epoch, self.progress)

    def clear(self) -> None:
        """Remove the checkpoints of a trial that is finished."""
        for path in self.folder.glob("*.npz"):
            path.unlink()


def tune(
    data: str | Path,
    output: str | Path,
    *,
    settings: Settings,
    trials: int = 30,
    only: Sequence[str] = (),
    after_trial: Callable[[Tuned], None] | None = None,
    progress: Progress = silent,
) -> Tuned:
    """Search for settings, going on with the study if there is one of the same search.

    The first trial has the settings as they are, so that the study says what it is compared with. Trials that
    fall behind the median of the earlier ones are ended after an epoch.

    Parameters
    ----------
    data : path
        Folder with the corpora.
    output : path
        Folder for the report, which is written anew after every trial; made if needed.
    settings : TrainSettings or HeadTrainSettings
        What is not searched, the fold and the seed among it.
    trials : int
        To be finished in all, those of earlier calls counted.
    only : sequence of str
        Names to search; everything in the space of the kind of model unless given.
    after_trial : callable, optional
        Told what there is after every trial.
    progress : Progress
        Told trials as step ``"tune"``, beside the steps of training.

    Returns
    -------
    Tuned

    Raises
    ------
    DatasetError
        If the corpora cannot be read or split.
    ModelError
        If Whisper's weights are missing.
    SettingsError
        If a name or a number is wrong, Optuna is missing, the study cannot be read, or another process is at
        it.
    """
    if not 1 <= trials <= _MOST_TRIALS:
        raise SettingsError(f"trials is {trials}, expected 1 to {_MOST_TRIALS}")
    data, output = Path(data), Path(output)
    space = space_of(settings, only)
    values_of(settings, space)
    optuna = _optuna()
    _check_weights(data, settings)
    import tensorflow as tf

    limit_threads(tf, settings.threads)
    study, folder = _open(optuna, data, settings, space)
    run = _Run(data, settings, space, folder, progress)
    output.mkdir(parents=True, exist_ok=True)
    while (done := len(_finished(optuna, study))) < trials:
        progress("tune", done, trials)
        _trial(optuna, study, run, done)
        tuned = summarise(study, settings, space)
        write_report(output, study, tuned)
        if after_trial is not None:
            after_trial(tuned)
    progress("tune", trials, trials)
    tuned = summarise(study, settings, space)
    write_report(output, study, tuned)
    return tuned


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise SettingsError(
            "tuning needs Optuna, which is not installed here: pip install -r requirements.txt"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _check_weights(data: Path, settings: Settings) -> None:
    if isinstance(settings, HeadTrainSettings):
        encoder_file(data, settings)
        return
    path = teacher_file(data, settings)
    if path is not None and not path.is_file():
        raise ModelError(f"{path}: the teacher's weights are missing; tune without: --no-teacher")


def _open(optuna: Any, data: Path, settings: Settings, space: Space) -> tuple[Any, Path]:
    """Open or begin the study of this search; return it and the folder for its checkpoints."""
    import sqlalchemy.exc

    described = json.dumps([_FORMAT, settings.to_dict(), str(data.resolve()), repr(space)], sort_keys=True)
    identity = hashlib.sha256(described.encode()).hexdigest()[:12]
    cache = settings.cache or Path(".cache", "training")
    folder = cache / "tune" / f"{settings.name}-{identity}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.sqlite"
    # The first epochs say little: the running mean of the weights is still young.
    pruner = optuna.pruners.MedianPruner(
        n_startup_trials=_UNPRUNED, n_warmup_steps=max(1, settings.epochs // 4)
    )
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{quote(str(path))}",  # a folder's name may hold a question mark
            study_name="blipper",
            direction="maximize",
            pruner=pruner,
            load_if_exists=True,
        )
        _put_away(optuna, study)
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise SettingsError(f"{path}: cannot be read as a study ({why}); move it away") from error
    return study, folder


def _finished(optuna: Any, study: Any) -> list[Any]:
    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    found: list[Any] = study.get_trials(deepcopy=False, states=states)
    return found


def _put_away(optuna: Any, study: Any) -> None:
    """Mark trials of processes that are gone as failed.

    Raises
    ------
    SettingsError
        If one of them is still alive.
    """
    state = optuna.trial.TrialState
    for trial in study.get_trials(deepcopy=False, states=(state.RUNNING,)):
        if _alive(trial.user_attrs.get(_PROCESS)):
            raise SettingsError(
                f"process {trial.user_attrs[_PROCESS][0]} is at trial {trial.number} of this study; wait for "
                "it, or tune with another --cache"
            )
        study.tell(trial.number, state=state.FAIL)


def _alive(process: Any) -> bool:
    import psutil

    if not isinstance(process, list) or process[0] == os.getpid():
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(process[0]).create_time() == process[1])
    return False


def _trial(optuna: Any, study: Any, run: _Run, done: int) -> None:
    """Run one trial to its end, or note that it was interrupted."""
    import keras
    import psutil

    state = optuna.trial.TrialState
    # A sampler of its own for each trial: after an interrupt the random numbers go on, and don't begin again.
    seed = np.random.SeedSequence((run.settings.seed, done)).generate_state(1)[0]
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=_AT_RANDOM, seed=int(seed))
    if not done and not study.get_trials(deepcopy=False, states=(state.WAITING,)):
        study.enqueue_trial(values_of(run.settings, run.space))
    trial = study.ask()
    with _told(study, trial, state.FAIL):
        trial.set_user_attr(_PROCESS, [os.getpid(), psutil.Process().create_time()])
        began = time.perf_counter()
        proposal = changed(run.settings, nested({one.name: one.suggest(trial) for one in run.space}))
        keras.backend.clear_session()
        try:
            figures = run.train(proposal, _judge(optuna, trial))
        except optuna.TrialPruned:
            figures = None
        trial.set_user_attr(SECONDS, round(time.perf_counter() - began, 1))
        if figures is None or not math.isfinite(figures["score"]):
            study.tell(trial, state=state.PRUNED)
        else:
            trial.set_user_attr(FIGURES, {name: round(float(value), 6) for name, value in figures.items()})
            study.tell(trial, figures["score"])
    run.clear()


@contextlib.contextmanager
def _told(study: Any, trial: Any, failed: Any) -> Iterator[None]:
    """Mark a trial as failed if the block does not reach its end, Ctrl-C included."""
    whole = False
    try:
        yield
        whole = True
    finally:
        if not whole:
            study.tell(trial, state=failed)


def _judge(optuna: Any, trial: Any) -> AfterEpoch:
    """Return what tells Optuna each epoch's score, and ends a trial that falls behind or diverges."""

    def after_epoch(record: dict[str, float]) -> None:
        if not math.isfinite(record["loss"]):
            raise optuna.TrialPruned
        trial.report(record["score"], int(record["epoch"]))
        if trial.should_prune():
            raise optuna.TrialPruned

    return after_epoch


def _train_head(
    data: Path,
    settings: HeadTrainSettings,
    checkpoint: Path,
    after_epoch: AfterEpoch,
    progress: Progress,
) -> dict[str, float]:
    cache = settings.cache or Path(".cache", "training")
    material = read_head_material(data, encoder_file(data, settings), settings, cache, progress=progress)
    fitted = [fit_head(material, settings, 0, checkpoint, after_epoch=after_epoch, progress=progress)]
    fitted += fit_perceptrons(material, settings)
    rows = material.side("validation")
    logits = score_head(heads_of(fitted, settings), material.hearings, rows)
    return head_figures(logits, material, rows)


def _train_mel(
    data: Path, settings: TrainSettings, checkpoint: Path, after_epoch: AfterEpoch, progress: Progress
) -> dict[str, float]:
    cache_folder(settings)
    material = read_material(data, settings, progress=progress)
    logits = validate.validation_logits(material, settings)
    fitted = fit(
        material.examples,
        lambda network: validate.figures(logits(validate.wrap(network, settings))),
        settings,
        checkpoint,
        after_epoch=after_epoch,
        progress=progress,
    )
    best = fitted.history[fitted.best_epoch - 1]
    return {name: value for name, value in best.items() if name not in _NO_FIGURES}
