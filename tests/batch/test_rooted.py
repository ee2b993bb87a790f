"""What visitors of the Batch page may name on the server, and what not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blipper.batch.manifest import NAME
from blipper.batch.rooted import Root
from blipper.errors import SettingsError


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with calls in it, a secret beside it, and links from one to the other."""
    calls, secret = tmp_path / "root" / "calls", tmp_path / "secret"
    (calls / "june").mkdir(parents=True)
    secret.mkdir()
    for path in (calls / "a.wav", calls / "june" / "b.wav", secret / "c.wav"):
        soundfile.write(path, np.zeros(1600, np.float32), 16_000)
    shutil.copy(calls / "a.wav", calls / "no ending")
    (calls / "notes.txt").write_text("no recording")
    (calls / ".hidden.wav").write_bytes((calls / "a.wav").read_bytes())
    (calls / "out.wav").symlink_to(secret / "c.wav")
    (calls / "out").symlink_to(secret, target_is_directory=True)
    (calls / "in.wav").symlink_to(calls / "june" / "b.wav")
    (calls / "loop").symlink_to(calls / "loop")
    (calls / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    if hasattr(os, "mkfifo"):
        os.mkfifo(calls / "pipe.wav")
    return Root.at(tmp_path / "root")


def test_folders_below_the_root_are_taken(root: Root) -> None:
    assert root.folder("calls/june") == root.path / "calls" / "june"
    assert root.folder(" calls ") == root.path / "calls"
    assert root.folder(".") == root.path
    assert root.folder("calls/../calls") == root.path / "calls"
    assert root.folder(str(root.path / "calls")) == root.path / "calls"


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../secret",
        "calls/../../secret",
        "/",
        "/etc",
        "calls/out",
        "calls/loop",
        "~",
        "a\0b",
        "x" * 5000,
    ],
)
def test_whatever_lies_elsewhere_is_refused(root: Root, name: str) -> None:
    for take in (root.folder, root.new_folder):
        if name == "~" and take == root.new_folder:
            continue  # there may be a folder of that name
        with pytest.raises(SettingsError):
            take(name)


def test_a_root_beside_it_with_the_same_beginning_is_elsewhere(root: Root) -> None:
    beside = root.path.with_name("root-two")
    beside.mkdir()
    with pytest.raises(SettingsError, match="not below the root"):
        root.folder("../root-two")


def test_a_file_is_no_folder(root: Root) -> None:
    with pytest.raises(SettingsError, match="no folder"):
        root.folder("calls/a.wav")
    with pytest.raises(SettingsError, match="is a file"):
        root.new_folder("calls/a.wav")


def test_results_get_a_folder_of_their_own(root: Root) -> None:
    assert root.new_folder("results/june") == root.path / "results" / "june"
    assert not (root.path / "results").exists()
    with pytest.raises(SettingsError, match="of their own"):
        root.new_folder(".")
    with pytest.raises(SettingsError, match="not empty"):
        root.new_folder("calls")
    (root.path / "earlier").mkdir()
    assert root.new_folder("earlier")
    (root.path / "earlier" / NAME).write_bytes(b"")
    (root.path / "earlier" / "results.csv").write_bytes(b"")
    assert root.new_folder("earlier")


def test_recordings_by_content_and_none_from_elsewhere(root: Root) -> None:
    found = list(root.recordings(root.path))
    names = [str(path.relative_to(root.path)) for path in found]
    assert names == ["calls/a.wav", "calls/june/b.wav", "calls/no ending", "calls/june/b.wav"]


def test_the_results_are_not_searched(root: Root) -> None:
    output = root.path / "results"
    output.mkdir()
    shutil.copy(root.path / "calls" / "a.wav", output / "a.wav")
    assert output / "a.wav" in set(root.recordings(root.path))
    assert output / "a.wav" not in set(root.recordings(root.path, output))
    assert root.path / "calls" / "a.wav" in set(root.recordings(root.path, output))


@pytest.mark.parametrize("where", ["nowhere", "file", "/"])
def test_a_root_has_to_be_a_folder(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="the root"):
        Root.at(tmp_path / where)
