"""What an installed Blipper would hold."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT


def test_every_package_is_installed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "blipper").rglob("__init__.py")}
    assert set(listed) == found | {"blipper.shipped_models"}


def test_the_versions_agree():
    import blipper

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == blipper.__version__


def test_the_package_imports_no_streamlit():
    for path in (ROOT / "blipper").rglob("*.py"):
        assert "streamlit" not in path.read_text(), path


#: Imports each module named on standard input where none was before, and prints those that cannot be; why, is
#: on standard error.
FIRST = """
import importlib, os, sys
import numpy, pandas, plotly.graph_objects, soundfile
for name in sys.stdin.read().split():
    if not (child := os.fork()):
        importlib.import_module(name)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print(name, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_any_module_may_be_imported_first():
    """Tables, figures and exports need one another; a circle shows only where the wrong one comes first."""
    files = [p for part in ("datasets", "figures", "export") for p in (ROOT / "blipper" / part).rglob("*.py")]
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in files]
    assert "blipper.datasets.tables" in names
    done = subprocess.run(
        [sys.executable, "-c", FIRST],
        input=" ".join(names),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout == "", done.stderr


def test_requirements_are_minimums_and_the_lock_has_each():
    lines = (Path(ROOT) / "requirements.txt").read_text().splitlines()
    names = {line.split(">=")[0].split("==")[0].lower() for line in lines if line and line[0] not in "#-"}
    locked = {line.split("==")[0].lower() for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert names <= locked
