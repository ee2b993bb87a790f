"""Recordings on an object storage: the whole road over s3:// and gs://, against servers of these here."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from blipper import batch
from blipper.batch import finding, places

Put = Callable[[str, bytes], Any]


@dataclass(frozen=True)
class Bucket:
    """A bucket called "calls": its addresses' beginning, and a function that puts a file there."""

    address: str
    put: Put


@contextmanager
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Start moto's server, and let this process and its workers find it as they would find Amazon's."""
    s3fs = pytest.importorskip("s3fs", reason="needs s3fs (pip install s3fs)")
    boto3 = pytest.importorskip("boto3", reason="needs boto3 (pip install 'moto[s3]')")
    moto = pytest.importorskip(
        "moto.server", reason="needs moto with flask (pip install 'moto[s3]' flask flask-cors)"
    )
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        client = boto3.client("s3")
        client.create_bucket(Bucket="calls")
        yield lambda key, data: client.put_object(Bucket="calls", Key=key, Body=data)
        s3fs.S3FileSystem.clear_instance_cache()
    finally:
        server.stop()


@contextmanager
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Put]:
    """Start an emulator of Google's storage, and let this process and its workers find it."""
    # Before gcsfs is imported: its other face asks by gRPC, which no emulator answers, and waits for minutes.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="needs gcp-storage-emulator (pip install gcp-storage-emulator)"
    )
    gcsfs = pytest.importorskip("gcsfs", reason="needs gcsfs (pip install gcsfs)")
    server = emulator.create_server("127.0.0.1", 0, in_memory=True, default_bucket="calls")
    server.start()
    try:
        host = f"http://127.0.0.1:{server._api._httpd.server_address[1]}"
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        monkeypatch.setenv("FSSPEC_GS_TOKEN", "anon")  # for the workers, who read it when they start
        monkeypatch.setitem(_fsspec_settings(), "gs", {"token": "anon"})
        gcsfs.GCSFileSystem.clear_instance_cache()

        def put(key: str, data: bytes) -> None:
            place = f"{host}/upload/storage/v1/b/calls/o?uploadType=media&name={quote(key, safe='')}"
            with urllib.request.urlopen(urllib.request.Request(place, data, method="POST")) as answer:
                assert answer.status == 200

        yield put
        gcsfs.GCSFileSystem.clear_instance_cache()
    finally:
        server.stop()


def _fsspec_settings() -> dict[str, Any]:
    from fsspec.config import conf

    return conf


STORAGES = {"s3": amazon, "gs": google}


@pytest.fixture(params=list(STORAGES))
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with STORAGES[request.param](monkeypatch) as put:
        yield Bucket(f"{request.param}://calls", put)


def fill(bucket: Bucket, calls: Path) -> None:
    for name in ("call0.wav", "call1.wav", "call2", "notes.txt"):
        bucket.put(f"june/{name}", (calls / name).read_bytes())


def test_a_bucket_gives_what_the_folder_gives(
    light: None, bucket: Bucket, calls: Path, tmp_path: Path
) -> None:
    fill(bucket, calls)
    out, june = tmp_path / "out", f"{bucket.address}/june"
    summary = batch.run(june, out, workers=1)
    assert (summary.state.analyzed, summary.failures) == (3, ())
    far = batch.read_rows(out)
    assert [row.path for row in far] == [f"{june}/{name}" for name in ("call0.wav", "call1.wav", "call2")]
    batch.run([calls / "call0.wav", calls / "call1.wav", calls / "call2"], tmp_path / "local", workers=1)
    near = batch.read_rows(tmp_path / "local")
    assert [(r.sha256, r.highest_score, r.events) for r in far] == [
        (r.sha256, r.highest_score, r.events) for r in near
    ]

    again = batch.run(june, out, workers=1)  # by ETag or generation: nothing is fetched, no worker starts
    assert (again.state.unchanged, again.state.elapsed) == (3, 0)
    bucket.put("june/call1.wav", (calls / "call3.wav").read_bytes())
    again = batch.run(june, out, workers=1)
    assert (again.state.analyzed, again.state.unchanged) == (1, 2)


def test_what_is_not_there_is_told(light: None, bucket: Bucket, calls: Path, tmp_path: Path) -> None:
    fill(bucket, calls)
    kind = bucket.address.partition("://")[0]
    addresses = [
        f"{bucket.address}/june/none.wav",
        f"{kind}://nobodys/x.wav",
        f"{bucket.address}/june/call0.wav",
    ]
    summary = batch.run(addresses, tmp_path / "out", workers=1)
    assert summary.state.analyzed == 1
    assert [failure.reason for failure in summary.failures] == ["error", "error"]
    assert all("cannot be read" in failure.message for failure in summary.failures)


def test_a_storage_that_does_not_answer_is_told(
    calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon's alone: gcsfs tries for half a minute before it gives up."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with amazon(monkeypatch):
        import s3fs

        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        s3fs.S3FileSystem.clear_instance_cache()
        assert places.stamp("s3://calls/june/call0.wav") is None
        told: list[str] = []
        assert list(finding.find(["s3://calls/june"], tmp_path, lambda _, why: told.append(why))) == []
        assert "cannot be listed" in told[0]
