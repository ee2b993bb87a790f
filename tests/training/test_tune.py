"""The search for settings: what it tries, what it keeps, and that it never asks a test speaker."""

from __future__ import annotations

import csv
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")

from blipper.errors import Cancelled, DatasetError, ModelError, SettingsError
from blipper.training import tune as tuning
from blipper.training.chosen import read_settings
from blipper.training.head_fit import AfterEpoch
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.heard import Heard
from blipper.training.recipes import Settings
from blipper.training.settings import TrainSettings
from blipper.training.train_whisper import train_whisper
from blipper.training.tune import tune
from blipper.training.tune_report import Tuned
from blipper.training.tune_space import Choice, Range, changed, nested, space_of, values_of
from blipper.voice.networks import NetworkSettings, build
from tests.training.small_corpus import ACTORS, SPEAKERS, write_corpora

ONLY = ("learning_rate", "dropout", "network.dilations")
KINDS = (HeadTrainSettings(), TrainSettings())


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpora(tmp_path_factory.mktemp("corpora"))


def small(corpora: Path, cache: Path, **changes: Any) -> HeadTrainSettings:
    smoke = HeadTrainSettings.smoke(
        cache=cache, encoder=corpora / "whisper-tiny-en-encoder.safetensors", limit=None
    )
    return replace(smoke, network=replace(smoke.network, members=1), versions=0, **changes)


@pytest.fixture(scope="module")
def study(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tuned, Path, HeadTrainSettings]:
    """Three trials in one go."""
    root = tmp_path_factory.mktemp("study")
    settings = small(corpora, root / "cache")
    return tune(corpora, root / "out", settings=settings, trials=3, only=ONLY), root / "out", settings


def without_times(tuned: Tuned) -> list[dict[str, Any]]:
    finished = [trial for trial in tuned.to_dict()["trials"] if trial["state"] != "interrupted"]
    return [{**trial, "seconds": None, "number": i} for i, trial in enumerate(finished)]


# A study of real trainings.


def test_a_study_and_its_files(study: tuple[Tuned, Path, HeadTrainSettings]) -> None:
    tuned, output, settings = study
    assert sorted(path.name for path in output.iterdir()) == [
        "settings.json", "study.html", "study.json", "trials.csv",
    ]  # fmt: skip
    assert [trial.state for trial in tuned.trials] == ["finished"] * 3
    assert tuned.trials[0].values == values_of(settings, space_of(settings, ONLY)) and tuned.base is not None
    assert len({json.dumps(trial.values) for trial in tuned.trials}) == 3
    assert all(len(trial.epochs) == settings.epochs for trial in tuned.trials)
    assert tuned.best is not None
    assert tuned.best.score == max(trial.score for trial in tuned.trials if trial.score is not None)
    assert set(tuned.best.figures) == {
        "score", "accuracy_common", "angry_roc_auc", "uar_ravdess", "uar_savee",
    }  # fmt: skip
    assert json.loads((output / "study.json").read_text("utf-8")) == json.loads(json.dumps(tuned.to_dict()))
    assert {tuple(name.split("/")) for name in tuned.to_dict()["validation_speakers"]} >= {
        ("ravdess", "04"),
        ("savee", "KL"),
    }
    rows = list(csv.DictReader((output / "trials.csv").open(encoding="utf-8")))
    assert [float(row["score"]) for row in rows] == [trial.score for trial in tuned.trials]
    assert rows[1]["network.dilations"] == tuned.trials[1].values["network.dilations"]


def test_the_page_holds_optunas_charts_and_loads_nothing(
    study: tuple[Tuned, Path, HeadTrainSettings],
) -> None:
    text = (study[1] / "study.html").read_text("utf-8")
    titles = re.findall(r"<h2>(.*?)</h2>", text)
    assert titles == [
        "History", "After each epoch", "Importance", "All settings together", "Each setting alone",
    ]  # fmt: skip
    assert text.count('class="plotly-graph-div"') == 4 + len(ONLY)
    assert "default-src 'none'" in text
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", text)
    assert "Study of whisper-cnn, fold 1" in text and "The best is trial" in text


def test_training_with_the_chosen_settings_repeats_the_best_trial(
    study: tuple[Tuned, Path, HeadTrainSettings], corpora: Path, tmp_path: Path
) -> None:
    tuned, output, settings = study
    found = read_settings(output / "settings.json", "whisper-cnn", settings)
    chosen = found.apply(small(corpora, settings.cache or tmp_path, name="tried"))
    best = tuned.best
    assert best is not None
    assert values_of(chosen, space_of(chosen, ONLY)) == best.values and chosen.epochs == settings.epochs
    metrics = train_whisper(corpora, tmp_path / "tried", settings=chosen, alarms=False).metrics
    for name in ("accuracy_common", "angry_roc_auc", "uar_ravdess", "uar_savee"):
        assert metrics["validation"][name] == pytest.approx(best.figures[name], abs=1e-6)


def test_interrupted_within_a_trial_it_comes_to_the_same(
    study: tuple[Tuned, Path, HeadTrainSettings], corpora: Path, tmp_path: Path
) -> None:
    settings = small(corpora, tmp_path / "cache")
    trials: list[float] = []

    def stop(step: str, completed: float, total: float) -> None:
        if step == "tune":
            trials.append(completed)
        if step == "train" and trials[-1] == 1 and completed > 1.2:
            raise Cancelled("enough")  # in the second epoch of the second trial

    with pytest.raises(Cancelled):
        tune(corpora, tmp_path / "out", settings=settings, trials=2, only=ONLY, progress=stop)
    kept = json.loads((tmp_path / "out" / "study.json").read_text("utf-8"))
    assert [trial["state"] for trial in kept["trials"]] == ["finished"]  # written after each trial
    trained: list[float] = []

    def note(step: str, completed: float, total: float) -> None:
        if step == "train":
            trained.append(completed)

    again = tune(corpora, tmp_path / "out", settings=settings, trials=2, only=ONLY, progress=note)
    assert trained[0] > 1  # the second trial's first epoch was not run again
    assert [trial.state for trial in again.trials] == ["finished", "interrupted", "finished"]
    assert without_times(again) == without_times(study[0])[:2]
    assert not list((tmp_path / "cache").glob("tune/*/*.npz"))
    more: list[str] = []
    tune(
        corpora, tmp_path / "out", settings=settings, trials=2, only=ONLY,
        progress=lambda step, done, total: more.append(step),
    )  # fmt: skip
    assert more == ["tune"]  # both are there


def test_test_speakers_take_no_part(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[int] = set()
    materials: list[Any] = []
    reader, heard = tuning.read_head_material, Heard.read

    def remember(*given: Any, **named: Any) -> Any:
        materials.append(reader(*given, **named))
        return materials[-1]

    def note(self: Heard, clip: int) -> Any:
        read.add(clip)
        return heard(self, clip)

    monkeypatch.setattr(tuning, "read_head_material", remember)
    monkeypatch.setattr(Heard, "read", note)
    tune(corpora, tmp_path / "out", settings=small(corpora, tmp_path / "cache"), trials=1, only=ONLY)
    clips = materials[0].clips
    who = {(clips[row].corpus, clips[row].speaker) for row in read}
    sides = {("ravdess", actor): side for actor, side in ACTORS.items()}
    sides |= {("savee", speaker): side for speaker, side in SPEAKERS.items()}
    assert who == {speaker for speaker, side in sides.items() if side != "test"}


def test_a_mel_cnn(corpora: Path, tmp_path: Path) -> None:
    settings = TrainSettings.smoke(cache=tmp_path / "cache", versions=0)
    found = tune(corpora, tmp_path / "out", settings=settings, trials=2, only=("dropout", "mixup"))
    assert found.model == "mel-cnn" and [trial.state for trial in found.trials] == ["finished"] * 2
    assert found.best is not None and found.best.score == max(found.best.epochs)  # the best epoch is kept
    chosen = read_settings(tmp_path / "out" / "settings.json", "mel-cnn", settings).apply(settings)
    assert chosen.dropout == found.best.values["dropout"]
    taught = replace(settings, distil=0.5, teacher=tmp_path / "none")
    with pytest.raises(ModelError, match="the teacher's weights are missing; tune without: --no-teacher"):
        tune(corpora, tmp_path / "out", settings=taught, only=("dropout",))


# What the study makes of scores; nothing is trained.


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Run a study whose trials follow a function of their number and settings."""
    monkeypatch.setattr(tuning, "_check_weights", lambda data, settings: None)

    def run(follow: Any, trials: int, only: tuple[str, ...] = ("dropout", "mixup"), **changes: Any) -> Tuned:
        count = 0

        def train(data: Path, settings: Settings, checkpoint: Path, after: AfterEpoch, _: Any) -> Any:
            nonlocal count
            checkpoint.write_bytes(b"half a training")
            count += 1
            score = 0.0
            for epoch, (loss, score) in enumerate(follow(count - 1, settings), start=1):
                after({"epoch": epoch, "loss": loss, "score": score})
            return {"score": score}

        monkeypatch.setattr(tuning, "_train_head", train)
        settings = HeadTrainSettings(**{"cache": tmp_path / "cache", **changes})
        return tune(tmp_path, tmp_path / "out", settings=settings, trials=trials, only=only)

    return run


def test_what_falls_behind_or_diverges_is_ended(scripted: Any, tmp_path: Path) -> None:
    def follow(number: int, settings: HeadTrainSettings) -> Any:
        if number == 6:
            return [(1.0, 0.5)] * 8  # below the median of six that reach 0.6
        if number == 7:
            return [(float("nan"), 0.9)]
        return [(1.0, 0.6)] * 8

    tuned = scripted(follow, 9, epochs=8)
    assert [trial.state for trial in tuned.trials] == (["finished"] * 6 + ["ended early"] * 2 + ["finished"])
    assert len(tuned.trials[6].epochs) == 2  # a quarter of the epochs passes unjudged
    assert tuned.trials[7].score is None
    assert not list((tmp_path / "cache").glob("tune/*/*.npz"))
    assert (tuned.chosen() or {})["chosen"]["trials"] == 9
    assert "It cannot be told yet" in (tmp_path / "out" / "study.html").read_text("utf-8")  # all score alike


def test_the_search_learns_from_what_it_found(scripted: Any) -> None:
    def follow(number: int, settings: HeadTrainSettings) -> Any:
        return [(1.0, 1 - abs(settings.dropout - 0.2))] * 8

    tuned = scripted(follow, 30, only=("dropout",))
    tried = [float(trial.values["dropout"]) for trial in tuned.trials]
    early, late = tried[1:10], tried[-10:]
    assert sum(abs(value - 0.2) for value in late) < sum(abs(value - 0.2) for value in early)
    assert tuned.best is not None and abs(float(tuned.best.values["dropout"]) - 0.2) < 0.02


def test_a_seed_decides_the_trials(scripted: Any) -> None:
    def follow(number: int, settings: HeadTrainSettings) -> Any:
        return [(1.0, settings.mixup)] * 2

    values = [[trial.values for trial in scripted(follow, 4, seed=seed).trials] for seed in (0, 1, 0)]
    assert values[0] == values[2] and values[0][0] == values[1][0] and values[0][1] != values[1][1]


def test_nothing_finished_chooses_nothing(scripted: Any, tmp_path: Path) -> None:
    tuned = scripted(lambda number, settings: [(float("inf"), 0.5)], 2)
    assert tuned.best is None and tuned.chosen() is None
    assert not (tmp_path / "out" / "settings.json").exists()
    assert "It takes 3 finished trials" in (tmp_path / "out" / "study.html").read_text("utf-8")


def test_one_process_at_a_time(scripted: Any, tmp_path: Path) -> None:
    import optuna
    import psutil

    flat = [(1.0, 0.5)]
    scripted(lambda number, settings: flat, 1)
    (path,) = (tmp_path / "cache").glob("tune/*/study.sqlite")
    study = optuna.load_study(study_name="blipper", storage=f"sqlite:///{path}")
    parent = psutil.Process(os.getppid())
    study.ask().set_user_attr("process", [parent.pid, parent.create_time()])
    with pytest.raises(SettingsError, match=f"process {parent.pid} is at trial 1 of this study"):
        scripted(lambda number, settings: flat, 2)
    study.tell(1, state=optuna.trial.TrialState.FAIL)
    study.ask().set_user_attr("process", [parent.pid, parent.create_time() - 9])  # of one that is gone
    tuned = scripted(lambda number, settings: flat, 2)
    assert [trial.state for trial in tuned.trials] == ["finished", "interrupted", "interrupted", "finished"]


def test_a_cache_may_have_any_name(scripted: Any, tmp_path: Path) -> None:
    cache = tmp_path / "what? 100%20 #1"
    scripted(lambda number, settings: [(1.0, 0.5)], 1, cache=cache)
    assert len(list(cache.glob("tune/*/study.sqlite"))) == 1
    assert len(scripted(lambda number, settings: [(1.0, 0.5)], 2, cache=cache).trials) == 2


def test_a_damaged_study_is_named(scripted: Any, tmp_path: Path) -> None:
    scripted(lambda number, settings: [(1.0, 0.5)], 1)
    (path,) = (tmp_path / "cache").glob("tune/*/study.sqlite")
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(
        SettingsError, match=r"study\.sqlite: cannot be read as a study .*not a database.*move it away"
    ):
        scripted(lambda number, settings: [(1.0, 0.5)], 2)


# The space, and files of settings.


@pytest.mark.parametrize("settings", KINDS, ids=["whisper-cnn", "mel-cnn"])
def test_the_recipe_as_it_is_lies_in_the_space(settings: Settings) -> None:
    space = space_of(settings)
    own = values_of(settings, space)
    for one in space:
        if isinstance(one, Choice):
            ends = [*one.options]
        else:
            assert isinstance(one, Range) and one.holds(one.high) and not one.holds(one.high + 1)
            ends = [int(end) if one.step else end for end in (one.low, one.high)]
        for value in ends:  # every end is a setting that training takes
            reached = changed(settings, nested({one.name: value}))
            assert values_of(reached, (one,)) == {one.name: value}
    assert changed(settings, nested(own)) == settings


def test_the_largest_mel_cnn_weighs_less_than_it_may() -> None:
    space = {one.name: one for one in space_of(TrainSettings())}
    most = {name: one.high for name, one in space.items() if isinstance(one, Range)}
    network = NetworkSettings(
        width=int(most["network.width"]),
        squeeze=int(most["network.squeeze"]),
        embedding=int(most["network.embedding"]),
    )
    front = TrainSettings().front
    assert build(network, front.frames, front.mels).count_params() * 4 < 4e6


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "expected an object with 'model' and 'settings'"),
        ('{"model": "mel-cnn", "settings": {}}', "is for 'mel-cnn', not for 'whisper-cnn'"),
        ('{"model": "whisper-cnn", "settings": {"seed": 3}}', "no setting 'seed'; expected some of epochs"),
        ('{"model": "whisper-cnn", "settings": {"batch": 6.5}}', "batch is 6.5, expected a whole number"),
        ('{"model": "whisper-cnn", "settings": {"batch": true}}', "batch is True, expected a whole number"),
        ('{"model": "whisper-cnn", "settings": {"dropout": "x"}}', "dropout is 'x', expected a number"),
        ('{"model": "whisper-cnn", "settings": {"dropout": 2}}', "dropout is 2, expected 0 to 0.9"),
        ('{"model": "whisper-cnn", "settings": {"network": 3}}', "network is 3, expected an object"),
        ('{"model": "whisper-cnn", "settings": {"network": {"depth": 3}}}', "no setting 'depth'"),
        ('{"model": "whisper-cnn", "settings": {"network": {"squeeze": 0}}}', "squeeze is 0, expected 1"),
        ('{"model": "whisper-cnn", "settings": {}, "chosen": {"fold": 9}}', "fold 9, expected 1 to 6"),
    ],
)
def test_a_file_of_settings_that_cannot_be(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(str(path))) as caught:
        read_settings(path, "whisper-cnn", HeadTrainSettings()).apply(HeadTrainSettings())
    assert said in str(caught.value)


def test_whom_a_choice_has_heard(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        '{"model": "mel-cnn", "settings": {"epochs": 3}, "chosen": {"fold": 1}}', encoding="utf-8"
    )
    found = read_settings(path, "mel-cnn", TrainSettings())
    assert found.apply(TrainSettings()).epochs == 3
    assert not found.met(TrainSettings(fold=1))
    assert ("ravdess", "04") in found.met(TrainSettings(fold=2))  # fold 1 validates on fold 2's test speakers
    assert ("savee", "KL") in found.met(TrainSettings(hold_out="savee"))


def test_what_is_refused(corpora: Path, tmp_path: Path) -> None:
    settings = small(corpora, tmp_path / "cache")
    with pytest.raises(SettingsError, match="trials is 0, expected 1 to"):
        tune(corpora, tmp_path / "out", settings=settings, trials=0)
    with pytest.raises(SettingsError, match="'versions' cannot be tuned: expected some of learning_rate"):
        tune(corpora, tmp_path / "out", settings=settings, only=("versions",))
    with pytest.raises(SettingsError, match="batch is 8, which is not searched: expected 32, 64, 128"):
        tune(corpora, tmp_path / "out", settings=settings)
    (tmp_path / "none").mkdir()
    with pytest.raises(DatasetError, match="no known corpus here"):
        tune(tmp_path / "none", tmp_path / "out", settings=settings, trials=1, only=ONLY)
