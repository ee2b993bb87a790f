"""What an installed Blipper would hold."""

import tomllib
from pathlib import Path

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


def test_requirements_are_minimums_and_the_lock_has_each():
    lines = (Path(ROOT) / "requirements.txt").read_text().splitlines()
    names = {line.split(">=")[0].split("==")[0].lower() for line in lines if line and line[0] not in "#-"}
    locked = {line.split("==")[0].lower() for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert names <= locked
