"""Recordings behind addresses, and what tells that one has changed."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from blipper import batch
from blipper.batch import finding, places
from blipper.batch.work import result_name
from blipper.errors import BatchError


@pytest.fixture
def server(calls: Path) -> Iterator[str]:
    """Serve the calls over HTTP on this machine."""
    pytest.importorskip("aiohttp", reason="needs aiohttp (pip install -r requirements-ray.txt)")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=calls)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_http(light: None, server: str, calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    addresses = [f"{server}/call0.wav", f"{server}/call2", f"{server}/none.wav"]
    summary = batch.run(addresses, out, workers=1)
    assert summary.state.analyzed == 2
    assert [failure.reason for failure in summary.failures] == ["error"]
    assert "none.wav" in summary.failures[0].message
    local = batch.run([calls / "call0.wav"], tmp_path / "local", workers=1)
    assert local.state.analyzed == 1
    (one,), far = batch.read_rows(tmp_path / "local"), batch.read_rows(out)[0]
    assert (one.sha256, one.highest_score) == (far.sha256, far.highest_score)
    again = batch.run(addresses[:2], out, workers=1)
    assert (again.state.analyzed, again.state.unchanged) == (0, 2)


def test_file_addresses_are_paths(light: None, calls: Path, tmp_path: Path) -> None:
    batch.run(calls, tmp_path / "out", workers=1)
    summary = batch.run(f"file://{calls}", tmp_path / "out", workers=1)
    assert summary.state.total == summary.state.unchanged + summary.state.analyzed == 6
    assert len(batch.read_rows(tmp_path / "out")) == 6


def test_a_storage_is_searched_by_content(calls: Path, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/a/call.wav", (calls / "call0.wav").read_bytes())
    memory.pipe("/bucket/call", (calls / "call2").read_bytes())
    memory.pipe("/bucket/.hidden.wav", b"x")
    memory.pipe("/bucket/notes.txt", b"no recording")
    memory.pipe("/empty/notes.txt", b"no recording")
    try:
        nothing: list[str] = []
        found = list(finding.find(["memory://bucket"], tmp_path, lambda path, why: nothing.append(why)))
        assert found == ["memory:///bucket/a/call.wav", "memory:///bucket/call"]
        assert not nothing
        with places.local_copy(found[0]) as (path, stamp):
            assert path.read_bytes() == (calls / "call0.wav").read_bytes()
            assert stamp == places.stamp(found[0]) is not None
        memory.pipe("/bucket/a/call.wav", b"other")
        assert places.stamp(found[0]) != stamp
        assert list(finding.find(["memory://empty"], tmp_path, lambda _, why: nothing.append(why))) == []
        assert "no recording below this address" in nothing[0]
    finally:
        memory.rm("/bucket", recursive=True)
        memory.rm("/empty", recursive=True)


def test_a_large_remote_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/large.wav", b"x" * 3000)
    monkeypatch.setattr(places, "MAX_REMOTE_BYTES", 2000)
    try:
        with pytest.raises(BatchError, match="split it"), places.local_copy("memory://large.wav"):
            pass
    finally:
        memory.rm("/large.wav")


@pytest.mark.parametrize(("address", "package"), [("s3://b/c.wav", "s3fs"), ("gs://b/c.wav", "gcsfs")])
def test_the_package_that_is_missing_is_named(
    address: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what Python takes for a module that cannot be imported
    # fsspec keeps the classes that it once imported.
    kept = sys.modules["fsspec.registry"]._registry
    monkeypatch.delitem(kept, address.partition(":")[0], raising=False)
    with pytest.raises(BatchError, match=f"pip install {package}"):
        places.file_system(address)


def test_an_address_that_nobody_knows() -> None:
    with pytest.raises(BatchError, match="no kind of address"):
        places.file_system("gopher9://b/c.wav")


def test_result_names_are_safe() -> None:
    names = [
        result_name(path)
        for path in ("/a/x.wav", "/b/x.wav", "s3://b/x.wav", "/a/<b>&\n'.wav", "/a/" + "ü" * 250)
    ]
    assert len(set(names)) == 5
    for name in names:
        folder, digits, base = name.split("/")
        assert folder == "results"
        assert len(digits) == 2
        assert len(base.encode()) < 120
        assert not set(base) & set("<>&'\n\\ :")
