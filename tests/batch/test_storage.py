"""Recordings on an object storage: the whole road over s3://, against a server of its protocol here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blipper import batch
from blipper.batch import finding, places

s3fs = pytest.importorskip("s3fs", reason="needs s3fs (pip install s3fs)")
boto3 = pytest.importorskip("boto3", reason="needs boto3 (pip install 'moto[s3]')")
moto = pytest.importorskip(
    "moto.server", reason="needs moto with flask (pip install 'moto[s3]' flask flask-cors)"
)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start the server, and let this process and its workers find it as they would find Amazon's."""
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="calls")
    yield client
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def fill(client: Any, calls: Path) -> None:
    for name in ("call0.wav", "call1.wav", "call2", "notes.txt"):
        client.put_object(Bucket="calls", Key=f"june/{name}", Body=(calls / name).read_bytes())


def test_a_bucket_gives_what_the_folder_gives(light: None, bucket: Any, calls: Path, tmp_path: Path) -> None:
    fill(bucket, calls)
    out = tmp_path / "out"
    summary = batch.run("s3://calls/june", out, workers=1)
    assert (summary.state.analyzed, summary.failures) == (3, ())
    far = batch.read_rows(out)
    assert [row.path for row in far] == [f"s3://calls/june/{n}" for n in ("call0.wav", "call1.wav", "call2")]
    batch.run([calls / "call0.wav", calls / "call1.wav", calls / "call2"], tmp_path / "local", workers=1)
    near = batch.read_rows(tmp_path / "local")
    assert [(r.sha256, r.highest_score, r.events) for r in far] == [
        (r.sha256, r.highest_score, r.events) for r in near
    ]

    assert batch.run("s3://calls/june", out, workers=1).state.unchanged == 3  # by ETag, nothing is fetched
    bucket.put_object(Bucket="calls", Key="june/call1.wav", Body=(calls / "call3.wav").read_bytes())
    again = batch.run("s3://calls/june", out, workers=1)
    assert (again.state.analyzed, again.state.unchanged) == (1, 2)


def test_what_is_not_there_or_not_allowed_is_told(
    light: None, bucket: Any, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket, calls)
    addresses = ["s3://calls/june/none.wav", "s3://nobodys/x.wav", "s3://calls/june/call0.wav"]
    summary = batch.run(addresses, tmp_path / "out", workers=1)
    assert summary.state.analyzed == 1
    assert [failure.reason for failure in summary.failures] == ["error", "error"]
    assert all("cannot be read" in failure.message for failure in summary.failures)

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    assert places.stamp("s3://calls/june/call0.wav") is None
    told: list[str] = []
    assert list(finding.find(["s3://calls/june"], tmp_path, lambda _, why: told.append(why))) == []
    assert "cannot be listed" in told[0]
