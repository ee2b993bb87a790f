"""What the README shows is run as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """Return the README's fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Return what the README types after a prompt."""
    return [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the shipped sample under every name of a recording in the README's examples."""
    examples = "\n".join([*blocks("python"), *commands()])
    names = set(re.findall(r"[\w./-]+\.(?:wav|flac|mp3|ogg)", examples))
    assert names
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "ui" / "sample" / "scene.ogg", tmp_path / name)
    return tmp_path


def run(arguments: list[str], folder: Path) -> str:
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, env=environment, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_python_example(folder: Path) -> None:
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line and not line.startswith("import")]) <= 3
    output = run(["-c", example], folder)
    assert re.match(r"\d+ stretch", output), output
    assert 0 <= float(output.split()[-1]) <= 1


def test_the_command_line_examples(folder: Path) -> None:
    examples = [command for command in commands() if command.startswith("python -m blipper ")]
    assert {example.split()[3] for example in examples} >= {"predict", "analyze"}
    for example in examples:
        arguments = example.split()[1:]
        assert run(arguments, folder)
        if "--output" in arguments:
            assert (folder / arguments[arguments.index("--output") + 1]).stat().st_size > 0


def test_the_two_commands_name_files_that_exist() -> None:
    start, test = (command for command in commands() if command.startswith("pip install -r"))
    assert start == "pip install -r requirements.txt && streamlit run app.py"
    assert test == "pip install -r requirements-dev.txt && pytest -n 2 --dist loadfile"
    for name in ("requirements.txt", "requirements-dev.txt", "app.py"):
        assert (ROOT / name).is_file()


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_path_it_names_exists() -> None:
    for target in re.findall(r"`((?:models|docs|benchmarks|\.ci|ui|pages)/[\w./-]*|[A-Z]+\.md)`", README):
        assert (ROOT / target).exists(), target
