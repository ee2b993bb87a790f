"""Finding, downloading and checking Whisper's weights, against a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blipper.errors import Cancelled, ModelError
from blipper.words import weights

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Shop(ThreadingHTTPServer):
    """Serves one content; `break_after` bytes it closes the connection."""

    content = CONTENT
    break_after: int | None = None
    status = 200
    asked: int = 0

    def handle_error(self, *args: object) -> None:
        """Whoever is cancelled hangs up; that is no fault of the server's."""


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: self.server.break_after])

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    server = Shop(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr(weights, "BASE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setitem(weights.CHECKPOINTS, "tiny.en", weights.Checkpoint("tiny.en", SHA256, 1))
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_table_is_whispers_own() -> None:
    import whisper

    assert {name: found.url for name, found in weights.CHECKPOINTS.items()} == whisper._MODELS


def test_the_folder_is_whispers_cache_or_the_one_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BLIPPER_WHISPER", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert weights.weights_dir() == Path.home() / ".cache" / "whisper"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert weights.weights_dir() == tmp_path / "whisper"
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "mine"))
    assert weights.weights_dir() == tmp_path / "mine"
    assert weights.installed() == ()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "large-v3-turbo.pt").write_bytes(b"x")
    (tmp_path / "mine" / "base.pt").write_bytes(b"x")
    assert weights.installed() == ("base", "turbo")
    assert weights.find_weights("turbo") == weights.find_weights("large-v3-turbo")
    assert weights.find_weights("tiny") is None


def test_a_download_is_whole_counted_and_not_repeated(shop: Shop, tmp_path: Path) -> None:
    told: list[tuple[str, float, float]] = []
    path = weights.download("tiny.en", folder=tmp_path / "new", progress=lambda *report: told.append(report))
    assert path == tmp_path / "new" / "tiny.en.pt"
    assert path.read_bytes() == CONTENT
    assert told[0] == ("download", 0, len(CONTENT))
    assert told[-1] == ("download", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    weights.download("tiny.en", folder=path.parent)
    assert shop.asked == 1
    path.write_bytes(b"damaged")
    weights.download("tiny.en", folder=path.parent)
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["tiny.en.pt"]


@pytest.mark.parametrize(
    ("trouble", "complaint"),
    [
        ({"content": CONTENT[::-1]}, f"expected {SHA256}; it was thrown away"),
        ({"break_after": 1000}, "cannot be downloaded from"),
        ({"status": 404}, "404|Not Found"),
        ({"content": CONTENT * 3}, "sends more than 2000000 bytes"),
    ],
)
def test_a_bad_download_leaves_nothing_behind(
    shop: Shop, tmp_path: Path, trouble: dict[str, object], complaint: str
) -> None:
    for name, value in trouble.items():
        setattr(shop, name, value)
    with pytest.raises(ModelError, match=complaint):
        weights.download("tiny.en", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_network_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(ModelError) as caught:
        weights.download("base.en", folder=tmp_path)
    for part in ("base.en", "145 MB", "http://127.0.0.1:9/25a8566e", str(tmp_path), "BLIPPER_WHISPER"):
        assert part in str(caught.value)


def test_cancelling_leaves_nothing_behind(shop: Shop, tmp_path: Path) -> None:
    def stop(step: str, completed: float, total: float) -> None:
        if completed > 300_000:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        weights.download("tiny.en", folder=tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelError, match=r"tiny\.en\.pt: cannot be written"):
        weights.download("tiny.en", folder=tmp_path / "file")


def test_nothing_opens_before_its_hash_matches(tmp_path: Path) -> None:
    path = tmp_path / "tiny.en.pt"
    with pytest.raises(ModelError, match="cannot be read"), weights.open_verified(path, SHA256):
        pass
    path.write_bytes(CONTENT)
    with weights.open_verified(path, SHA256) as stream:
        assert stream.read() == CONTENT
    with pytest.raises(ModelError, match="damaged or another file"), weights.open_verified(path, "00"):
        pass


def test_an_unknown_size_is_named() -> None:
    with pytest.raises(ModelError, match=r"giant: is no size of Whisper; accepted are tiny\.en, tiny"):
        weights.find_weights("giant")
