"""The command line as a shell sees it: what goes to which stream, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

import blipper
from blipper import audio, cli
from blipper.cli import app
from blipper.errors import DatasetError
from blipper.export import Sound
from blipper.results import Analysis
from blipper.settings import Settings
from blipper.training.head_settings import HeadTrainSettings
from blipper.training.settings import TrainSettings
from blipper.voice.labels import EMOTIONS
from tests.helpers import RATE, heed_ctrl_c, read_16k

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def shell(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-m", "blipper", *map(str, arguments)],
        **{"capture_output": True, "text": True, "timeout": 120, "cwd": ROOT, "encoding": "utf-8"} | options,
    )


@pytest.fixture(scope="session")
def speech(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short talk: a calm clip, a pause, two angry clips, a pause, a calm clip."""
    names = ("ravdess/Actor_03/03-01-02-01-01-01-03.*", "ravdess/Actor_03/03-01-05-02-01-01-03.*")
    names += ("ravdess/Actor_04/03-01-05-02-02-01-04.*", "ravdess/Actor_04/03-01-02-01-02-01-04.*")
    pause = np.zeros(RATE, dtype=np.float32)
    parts = [part for name in names for part in (read_16k(next(data_dir.glob(name))), pause)]
    path = tmp_path_factory.mktemp("cli") / "talk.wav"
    soundfile.write(path, np.concatenate(parts), RATE)
    return path


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros(2 * RATE), RATE)
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.wav"
    path.write_text("this is no sound")
    return path


# Start, help, usage.


def test_help_answers_without_the_heavy_libraries() -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from blipper.cli import app\n"
        "for arguments in (['--help'], ['predict', '--help'], ['analyze', '--help'], ['train', '--help'], "
        "['tune', '--help'], ['evaluate', '--help'], ['--version']):\n"
        "    result = CliRunner().invoke(app, arguments)\n"
        "    assert result.exit_code == 0, result.output\n"
        "heavy = {'tensorflow', 'keras', 'torch', 'librosa', 'onnxruntime', 'scipy', 'pandas', 'plotly'}\n"
        "heavy |= {'optuna'}\n"
        "loaded = heavy & {name.split('.')[0] for name in sys.modules}\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert done.returncode == 0, done.stderr


def test_version(run: Run) -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"blipper {blipper.__version__}\n")


def test_no_command_shows_the_help_as_a_usage_error(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert "predict" in result.output


@pytest.mark.parametrize("command", ["predict", "analyze", "train", "tune", "datasets", "models", "evaluate"])
def test_every_command_names_the_exit_codes(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Exit codes" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("frobnicate",), "frobnicate"),
        (("predict",), "Missing argument"),
        (("analyze",), "Missing argument"),
        (("analyze", "x.wav", "--threshold", "3"), "the threshold is 3.0, expected a number above 0"),
        (("analyze", "x.wav", "--surroundings", "-1"), "the surroundings are -1.0 s, expected 0"),
        (("analyze", "x.wav", "--min-duration", "-1"), "min_duration is -1.0 s, expected 0 to 3600 s"),
        (("analyze", "x.wav", "--threshold", "much"), "Invalid value for '--threshold'"),
        (("analyze", "x.wav", "--window", "0.1"), "the window is 0.1 s, expected 0.5 to 10 s"),
        (("analyze", "x.wav", "--hop", "4"), "the hop is 4.0 s, expected 0.1 s to the window's 3.0 s"),
        (("analyze", "x.wav", "--channels", "left"), "left"),
        (("analyze", "x.wav", "--output", "x.xlsx"), "accepted are .json"),
        (("analyze", "x.wav", "--output", "x.srt"), "add --transcript auto"),
        (("analyze", "x.wav", "--output", "nowhere/x.json"), "there is no folder nowhere"),
        (("analyze", "x.wav", "--output", "tests"), "is a folder"),
    ],
)
def test_usage_errors_give_2_and_name_the_culprit(
    run: Run, arguments: tuple[str, ...], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TERMINAL_WIDTH", "300")
    result = run(*arguments)
    assert result.exit_code == 2
    assert named in result.stderr
    assert result.stdout == ""


def test_the_recording_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    recording = tmp_path / "talk.csv"  # type by content, so a recording may be called that
    soundfile.write(recording, np.zeros(RATE), RATE, format="WAV", subtype="PCM_16")
    before = recording.read_bytes()
    result = run("analyze", recording, "--output", recording)
    assert result.exit_code == 2
    assert "is the recording itself" in result.stderr
    assert recording.read_bytes() == before


def test_a_folder_without_the_right_to_write_is_told_before_the_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)  # the super-user may write everywhere
    result = run("analyze", tmp_path / "not there.wav", "--output", tmp_path / "x.json")
    assert result.exit_code == 1
    assert "may not be written to" in result.stderr


# predict


def test_predict_json(run: Run, speech: Path, silent: Path) -> None:
    result = run("predict", speech, silent, "--json")
    assert result.exit_code == 0
    talk, nothing = json.loads(result.stdout)
    assert set(talk) == {"file", "emotion", "emotions", "aggression", "aggressive", "model", "notices"}
    assert talk["file"] == str(speech)
    assert set(talk["emotions"]) == set(EMOTIONS)
    assert sum(talk["emotions"].values()) == pytest.approx(1, abs=1e-3)
    assert talk["emotion"] == max(talk["emotions"], key=talk["emotions"].get)
    assert talk["aggressive"] is True  # two clips of strong anger in it
    expected = blipper.predict(speech)
    assert not isinstance(expected, list)
    assert talk["aggression"] == pytest.approx(expected.aggression)
    assert talk["model"] == expected.model
    assert (nothing["emotion"], nothing["emotions"], nothing["aggression"]) == (None, {}, None)
    assert nothing["aggressive"] is False
    assert "no-speech" in [notice["code"] for notice in nothing["notices"]]


def test_a_failing_file_does_not_stop_the_others(run: Run, broken: Path, silent: Path) -> None:
    result = run("predict", broken, silent.with_name("missing.wav"), silent, "--json")
    assert result.exit_code == 1
    first, second, third = json.loads(result.stdout)
    assert set(first) == set(second) == {"file", "error"}
    assert first["file"] == str(broken)
    assert "broken.wav" in first["error"]
    assert second["file"].endswith("missing.wav")
    assert third["file"] == str(silent)
    assert third["model"]
    assert first["error"] in result.stderr
    assert second["error"] in result.stderr
    assert "Traceback" not in result.stderr


def test_predict_for_people(run: Run, speech: Path, silent: Path) -> None:
    result = run("predict", speech, silent)
    assert result.exit_code == 0
    header, talk, nothing = result.stdout.splitlines()
    assert header.split() == ["file", "aggression", "score", "leading", "emotion"]
    assert "worth a listen" in talk
    assert "no speech" in nothing
    assert "is aggressive" not in result.stdout


def test_folders_and_patterns(run: Run, silent: Path, broken: Path) -> None:
    folder = silent.parent
    (folder / "sub").mkdir()
    (folder / "sub" / "deep.ogg").write_bytes(silent.read_bytes())  # by content, never by extension
    (folder / "notes.txt").write_text("no recording, and nobody would take it for one")
    result = run("predict", folder, "--json")
    found = {item["file"]: item.get("error") for item in json.loads(result.stdout)}
    assert list(found) == sorted([str(silent), str(broken), str(folder / "sub" / "deep.ogg")])
    assert result.exit_code == 1, "a file that is named like a sound and is none is told"
    assert found.pop(str(broken)) in result.stderr
    assert set(found.values()) == {None}
    result = run("predict", folder / "s*.wav", "--json")
    assert [item["file"] for item in json.loads(result.stdout)] == [str(silent)]
    result = run("predict", folder / "*.flac", folder / "sub", "--json")
    assert result.exit_code == 1
    missed, deep = json.loads(result.stdout)
    assert "no file matches" in missed["error"]
    assert deep["file"].endswith("deep.ogg")


def test_an_empty_folder_is_an_error(run: Run, tmp_path: Path) -> None:
    result = run("predict", tmp_path)
    assert result.exit_code == 1
    assert str(tmp_path) in result.stderr
    assert result.stdout == ""


def test_an_unknown_model_is_named_with_those_there_are(run: Run, silent: Path) -> None:
    for command in ("predict", "analyze"):
        result = run(command, silent, "--model", "nonsuch")
        assert result.exit_code == 1
        assert "nonsuch" in result.stderr
        assert result.stdout == ""


# analyze


def test_analyze_for_people(run: Run, speech: Path) -> None:
    result = run("analyze", speech)
    assert result.exit_code == 0, result.stderr
    analysis = blipper.analyze(speech)
    assert result.stdout.startswith(f"talk.wav: {blipper.summary_sentence(analysis)}.\n")
    assert analysis.events
    for check in analysis.tracks[0].quality.checks:
        assert check.label in result.stdout
    for event in analysis.events:
        assert f"{event.peak:.2f}" in result.stdout
    assert analysis.model.name in result.stdout
    assert "is aggressive" not in result.stdout


def test_analyze_json_is_the_whole_analysis_and_alone(run: Run, speech: Path) -> None:
    chosen = ("--threshold", "0.3", "--window", "2", "--hop", "1", "--surroundings", "0")
    chosen += ("--min-duration", "2.5")
    result = run("analyze", speech, "--json", *chosen)
    assert result.exit_code == 0
    analysis = Analysis.from_dict(json.loads(result.stdout))
    assert analysis.settings["threshold"] == 0.3
    assert analysis.settings["window"] == 2
    assert analysis.settings["hop"] == 1
    assert analysis.provenance.name == "talk.wav"
    settings = Settings(threshold=0.3, window=2, hop=1, surroundings=0, min_duration=2.5)
    assert analysis.to_dict() == blipper.analyze(speech, settings=settings).to_dict()


def test_outputs_hold_what_the_library_gives(run: Run, speech: Path, tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("a.json", "a.csv", "a.windows.csv")]
    result = run("analyze", speech, *(part for name in names for part in ("--output", name)))
    assert result.exit_code == 0, result.stderr
    assert sorted(tmp_path.iterdir()) == sorted(names)
    assert all(f"Wrote {name}" in result.stderr.replace("\n", "") for name in names)
    analysis = Analysis.from_dict(json.loads(names[0].read_text("utf-8")))
    events = list(csv.DictReader(io.StringIO(names[1].read_bytes().decode(), newline="")))
    assert [float(row["start_s"]) for row in events] == [round(e.start, 3) for e in analysis.events]
    windows = list(csv.DictReader(io.StringIO(names[2].read_bytes().decode(), newline="")))
    assert len(windows) == sum(len(track.windows) for track in analysis.tracks)


def test_a_format_that_lacks_something_does_not_keep_the_others_from_being_written(
    speech: Path, tmp_path: Path
) -> None:
    result = blipper.analyze(speech)
    sound = Sound(audio.load(speech))
    assert all(track.transcript is None for track in result.tracks)
    message = cli._write_output(result, tmp_path / "call.srt", sound)
    assert message is not None
    assert "no transcript" in message
    assert cli._write_output(result, tmp_path / "call.html", sound) is None
    assert [path.name for path in tmp_path.iterdir()] == ["call.html"]


def test_a_failure_leaves_the_old_output_alone(run: Run, broken: Path, tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    output.write_text("old")
    result = run("analyze", broken, "--output", output)
    assert result.exit_code == 1
    assert "broken.wav" in result.stderr
    assert output.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.wav", "result.json"]


def test_separate_channels(run: Run, speech: Path, tmp_path: Path) -> None:
    talk = read_16k(speech)
    path = tmp_path / "call.wav"
    soundfile.write(path, np.stack([talk, np.zeros_like(talk)], axis=1), RATE)
    result = run("analyze", path, "--channels", "separate")
    assert result.exit_code == 0
    assert "Channel left" in result.stdout
    assert "Channel right" in result.stdout
    assert "Who talked (0.0 s at once):" in result.stdout
    named = ("--speaker", "left=Agent", "--json")
    result = run("analyze", path, "--channels", "separate", *named)
    assert json.loads(result.stdout)["talk"]["speakers"][0]["speaker"] == "Agent"
    result = run("analyze", path, "--channels", "separate", "--speaker", "middle=Agent")
    assert result.exit_code == 2
    assert "'middle'" in result.stderr
    result = run("analyze", path, "--channels", "separate", "--json")
    assert [track["name"] for track in json.loads(result.stdout)["tracks"]] == ["left", "right"]


def test_silence_says_so(run: Run, silent: Path) -> None:
    result = run("analyze", silent)
    assert result.exit_code == 0
    assert "Nobody was heard to speak" in result.stdout


# datasets and models


def test_datasets_counts(run: Run, data_dir: Path) -> None:
    result = run("datasets", data_dir / "savee", "--json")
    assert result.exit_code == 0
    counts = json.loads(result.stdout)
    assert counts["clips"] == 480
    assert counts["corpora"]["savee"]["speakers"] == {"DC": 120, "JE": 120, "JK": 120, "KL": 120}
    assert counts["corpora"]["savee"]["emotions"]["neutral"] == 120
    assert set(counts["missing"]) == {"ravdess", "crema-d", "tess"}
    text = run("datasets", data_dir / "savee").stdout
    assert "480 clips in all." in text
    assert "Not found: tess." in text


def test_datasets_names_a_wrong_folder(run: Run, tmp_path: Path) -> None:
    result = run("datasets", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "nowhere" in result.stderr
    assert result.stdout == ""


def test_models_lists_the_shipped_one(run: Run) -> None:
    result = run("models", "--json")
    assert result.exit_code == 0, result.stderr
    rows = json.loads(result.stdout)
    assert "mel-cnn" in [row["name"] for row in rows]
    assert rows[0]["sha256"][:12] in run("models").stdout


def test_models_names_a_damaged_one_and_lists_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("good", "damaged"):
        shutil.copytree(blipper.models_dir() / "mel-cnn", tmp_path / name)
    (tmp_path / "damaged" / "config.json").write_text("{}")
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    result = run("models")
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert "good" in result.stdout
    assert "damaged" not in result.stdout.splitlines()[1]


def test_no_models_is_an_error(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    result = run("models")
    assert result.exit_code == 1
    assert "no voice model is installed" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (("--fold", "99"), 2, "fold is 99, expected 1 to"),
        (("--epochs", "0"), 2, "epochs is 0, expected 1 to 1000"),
        (("--name", "a/b"), 2, "model name 'a/b'"),
        (("--no-teacher",), 1, "no known corpus here"),
        ((), 1, "the teacher's weights are missing"),
        (("--commercial", "--model", "whisper-cnn"), 2, "--commercial: whisper-cnn has no such recipe"),
    ],
)
def test_train_names_what_is_wrong(
    run: Run, tmp_path: Path, options: tuple[str, ...], code: int, named: str
) -> None:
    (tmp_path / "data").mkdir()
    cache = tmp_path / "cache"
    result = run("train", tmp_path / "data", "--output", tmp_path / "out", "--cache", cache, *options)
    assert result.exit_code == code
    assert named in result.stderr
    assert not (tmp_path / "out").exists()


def test_train_without_options_repeats_the_shipped_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def remember(data: Path, output: Path, *, settings: TrainSettings, progress: object) -> None:
        asked.update(settings.to_dict())
        raise DatasetError("enough")

    monkeypatch.setattr("blipper.training.train.train", remember)
    result = run("train", tmp_path, "--output", tmp_path / "mel-cnn")
    assert result.exit_code == 1
    shipped = json.loads((ROOT / "models" / "mel-cnn" / "metrics.json").read_text(encoding="utf-8"))
    assert asked == shipped["settings"]


def test_train_whisper_cnn_repeats_the_shipped_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def remember(data: Path, output: Path, *, settings: HeadTrainSettings, **rest: object) -> None:
        asked.update(settings.to_dict())
        raise DatasetError("enough")

    monkeypatch.setattr("blipper.training.train_whisper.train_whisper", remember)
    result = run("train", tmp_path, "--model", "whisper-cnn", "--output", tmp_path / "whisper-cnn")
    assert result.exit_code == 1
    shipped = json.loads((ROOT / "models" / "whisper-cnn" / "metrics.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(asked)) == shipped["settings"]
    run("train", tmp_path, "--model", "whisper-cnn", "--adapt", "3", "--output", tmp_path / "x")
    assert asked["adapting"] == {"rank": 8, "first": 2, "epochs": 3, "batch": 32, "learning_rate": 5e-4}
    refused = run("train", tmp_path, "--adapt", "3", "--output", tmp_path / "x")
    assert refused.exit_code == 2 and "mel-cnn has no encoder to adapt" in refused.stderr
    monkeypatch.setenv("BLIPPER_HOME", str(tmp_path / "home"))
    refused = run("train", tmp_path, "--model", "whisper-cnn", "--with-library", "-o", tmp_path / "x")
    assert refused.exit_code == 1 and "the library is off" in refused.stderr


# A process of its own: what only a real shell shows.


@pytest.fixture
def started(speech: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start commands that a test may interrupt, and end those that are left."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: object) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "blipper", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=heed_ctrl_c,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_python_m_blipper_writes_json_alone_to_stdout(speech: Path) -> None:
    done = shell("predict", speech, "--json")
    assert done.returncode == 0, done.stderr
    assert [item["file"] for item in json.loads(done.stdout)] == [str(speech)]
    assert done.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_that_leaves_early_gets_no_traceback(data_dir: Path) -> None:
    script = (
        f'"{sys.executable}" -m blipper datasets "{data_dir}" --json | head -n 1; echo ${{PIPESTATUS[0]}}'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert done.stdout.startswith("{\n")
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_named(data_dir: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = shell(
            "datasets", data_dir / "savee", capture_output=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: standard output cannot be written: No space left")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX shells")
def test_a_closed_stdout_is_named(data_dir: Path) -> None:
    script = f'"{sys.executable}" -m blipper datasets "{data_dir}/savee" >&-'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=600)
    assert done.returncode == 1
    assert "standard output is closed" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="file names are text on Windows")
def test_a_file_name_that_is_not_utf8(silent: Path) -> None:
    odd = silent.with_name(os.fsdecode(b"caf\xe9.wav"))
    silent.rename(odd)
    done = shell("predict", odd, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["file"] == str(odd)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_gives_130_and_leaves_nothing_half_written(
    speech: Path, tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    long = tmp_path / "long.flac"
    with soundfile.SoundFile(long, "w", RATE, 1) as file:
        talk = read_16k(speech)
        for _ in range(1800 * RATE // len(talk)):
            file.write(talk)
    output = tmp_path / "long.json"
    process = started("analyze", long, "--output", output)
    time.sleep(3)
    assert process.poll() is None, "it was over before it could be interrupted"
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=600)
    assert process.returncode == 130, stderr.decode()
    assert stdout == b""
    assert b"Interrupted" in stderr
    assert b"Traceback" not in stderr
    assert list(tmp_path.iterdir()) == [long]
