"""Fetching text models, against a hub on this machine that answers as Hugging Face's does."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

from blipper.cli import app
from blipper.errors import Cancelled, ModelError
from blipper.words import text_hub
from blipper.words.sentiment import load_text_model
from blipper.words.text_hub import cached_names, download, find, text_models_dir
from blipper.words.text_inventory import list_text_models
from blipper.words.text_names import Wanted, parse
from tests.words.tiny_text_model import SENTENCES, save_built_in, save_classifier

COMMIT, NEWER = "1" * 40, "2" * 40
NAME = "somebody/toxic-tiny"


class Hub(ThreadingHTTPServer):
    """Serves one model; what it is asked for stands in `asked`."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.revisions = {"main": COMMIT, COMMIT: COMMIT, "refs/pr/1": NEWER}
        self.asked: list[str] = []
        self.tokens: list[str | None] = []
        self.damage: set[str] = set()
        self.break_after: int | None = None
        self.status = 200
        self.code = ""

    def handle_error(self, *args: object) -> None:
        """Whoever is cancelled hangs up; that is no fault of the hub's."""

    def listing(self, commit: str) -> dict[str, Any]:
        siblings = []
        for name, data in self.files.items():
            blob = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
            sibling: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": blob}
            if name.endswith((".safetensors", ".bin")):
                sibling["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            siblings.append(sibling)
        return {"sha": commit, "siblings": siblings}


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        from urllib.parse import unquote

        hub = self.server
        path = self.path.partition("?")[0]
        hub.asked.append(path)
        hub.tokens.append(self.headers.get("Authorization"))
        body: bytes | None = None
        if path.startswith(f"/api/models/{NAME}"):
            revision = unquote(path.partition("/revision/")[2]) or "main"
            if revision in hub.revisions:
                body = json.dumps(hub.listing(hub.revisions[revision])).encode()
            elif hub.status == 200:
                return self.answer(404, b"{}", "RevisionNotFound")
        elif path.startswith(f"/{NAME}/resolve/"):
            name = path.rpartition("/")[2]
            body = hub.files.get(name)
            if body is not None and name in hub.damage:
                body = body[:-1] + bytes([body[-1] ^ 1])
        if body is None or hub.status != 200:
            return self.answer(hub.status if hub.status != 200 else 401, b"{}", hub.code or "RepoNotFound")
        return self.answer(200, body)

    def answer(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if code:
            self.send_header("X-Error-Code", code)
        self.end_headers()
        self.wfile.write(body[: self.server.break_after])

    def log_message(self, *args: object) -> None: ...


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_classifier(tmp_path_factory.mktemp("hub") / "toxic", ("neutral", "toxic"))
    (folder / "README.md").write_text("a card, which nobody needs")
    (folder / "pytorch_model.bin").write_bytes(b"never fetched")
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_TEXT_MODELS", str(tmp_path / "kept"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "huggingface"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_TOKEN", raising=False)


@pytest.fixture
def hub(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub({path.name: path.read_bytes() for path in made.iterdir()})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def left() -> list[str]:
    """Every file in the folder of fetched models."""
    folder = text_models_dir()
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_fetched_once_pinned_and_found_without_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float, float]] = []
    assert find(Wanted(NAME)) is None
    model = load_text_model(NAME, progress=lambda *report: told.append(report))
    assert (model.info.name, model.info.revision) == (NAME, COMMIT)
    assert model.info.sha256 == hashlib.sha256(hub.files["model.safetensors"]).hexdigest()
    assert model.has_aggression
    wanted = ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
    total = sum(len(hub.files[name]) for name in wanted)
    assert told[0] == ("download", 0, total)
    assert told[-1] == ("download", total, total)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert not any(path.endswith((".bin", ".md")) for path in hub.asked)
    assert len(left()) == 5  # with the pin

    asked = len(hub.asked)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for name in (NAME, f"{NAME}@{COMMIT}"):
        again = load_text_model(name)
        assert again.info == model.info
        assert list(again.aggression_log_odds(SENTENCES)) == pytest.approx(
            list(model.aggression_log_odds(SENTENCES)), abs=1e-5
        )
    assert len(hub.asked) == asked
    assert cached_names() == (NAME,)


def test_a_revision_is_resolved_to_its_commit(hub: Hub) -> None:
    found = download(Wanted(NAME, "refs/pr/1"))
    assert found.revision == NEWER
    assert find(Wanted(NAME, "refs/pr/1")) == found
    assert find(Wanted(NAME)) is None  # main was not asked for
    # What main means now is asked when it is fetched, not when it is loaded.
    download(Wanted(NAME))
    hub.revisions["main"] = NEWER
    assert load_text_model(NAME).info.revision == COMMIT
    download(Wanted(NAME))
    assert load_text_model(NAME).info.revision == NEWER
    with pytest.raises(ModelError, match="has no revision 'v9'"):
        download(Wanted(NAME, "v9"))


@pytest.mark.parametrize("setting", [NAME, f"{NAME}@{COMMIT}", f"{NAME}@v1#aggression=1"])
def test_offline_the_message_says_what_to_do(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = setting.partition("#")[0]
    for offline in (False, True):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
        with pytest.raises(ModelError) as caught:
            load_text_model(setting)
        for part in (asked, f"blipper models download {asked}", "BLIPPER_TEXT_MODELS", "'built-in'"):
            assert part in str(caught.value)
    assert "HF_HUB_OFFLINE" in str(caught.value)
    assert not text_models_dir().exists()


def test_pickles_alone_are_not_fetched(hub: Hub) -> None:
    del hub.files["model.safetensors"]
    with pytest.raises(
        ModelError, match=r"only pytorch_model\.bin, pickles that can run code.*refs/pr/NUMBER"
    ):
        load_text_model(NAME)
    assert left() == []
    del hub.files["pytorch_model.bin"]
    with pytest.raises(ModelError, match="has no weights"):
        load_text_model(NAME)


def test_a_damaged_download_leaves_nothing_behind(hub: Hub) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        hub.damage = {name}
        with pytest.raises(ModelError, match=rf"{name}: the download has the hash .* thrown away"):
            download(Wanted(NAME))
        assert left() == []
    hub.damage, hub.break_after = set(), 20_000
    with pytest.raises(ModelError, match="cannot be fetched from"):
        download(Wanted(NAME))
    assert left() == []


def test_a_server_that_sends_too_much_is_stopped(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    true = Hub.listing

    def small(self: Hub, commit: str) -> dict[str, Any]:
        listing = true(self, commit)
        listing["siblings"][0]["size"] = 10
        return listing

    monkeypatch.setattr(Hub, "listing", small)
    with pytest.raises(ModelError, match="sends more than the 10 bytes"):
        download(Wanted(NAME))
    monkeypatch.setattr(text_hub, "LARGEST", 1000)
    with pytest.raises(ModelError, match="accepted are at most"):
        download(Wanted(NAME))


def test_cancelling_leaves_nothing_behind(hub: Hub) -> None:
    def stop(step: str, completed: float, total: float) -> None:
        if completed > 20_000:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        download(Wanted(NAME), progress=stop)
    assert left() == []
    assert list(text_models_dir().rglob("*.part")) == []


@pytest.mark.parametrize(
    ("status", "code", "complaint"),
    [
        (401, "RepoNotFound", "there is no such model on"),
        (403, "GatedRepo", "accept their terms"),
        (500, "", "cannot be fetched from"),
    ],
)
def test_what_a_hub_refuses_is_explained(hub: Hub, status: int, code: str, complaint: str) -> None:
    hub.status, hub.code = status, code
    with pytest.raises(ModelError, match=complaint):
        load_text_model(NAME)


def test_a_hub_that_is_none(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hub, "listing", lambda self, commit: ["hello"])
    with pytest.raises(ModelError, match="does not answer as a Hugging Face hub does"):
        load_text_model(NAME)
    monkeypatch.setattr(Hub, "listing", lambda self, commit: {"sha": "main", "siblings": []})
    with pytest.raises(ModelError, match="names no commit"):
        load_text_model(NAME)


def test_a_token_goes_to_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    download(Wanted(NAME))
    assert set(hub.tokens) == {"Bearer hf_secret"}


def test_hugging_faces_own_cache_is_looked_into(made: Path, tmp_path: Path) -> None:
    root = tmp_path / "huggingface" / f"models--{NAME.replace('/', '--')}"
    shutil.copytree(made, root / "snapshots" / COMMIT)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(COMMIT)
    assert load_text_model(NAME).info.revision == COMMIT
    (root / "snapshots" / COMMIT / "model.safetensors").unlink()  # broken off
    assert find(Wanted(NAME)) is None


def test_the_folder_is_the_users_cache_or_the_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert text_models_dir() == tmp_path / "kept"
    monkeypatch.delenv("BLIPPER_TEXT_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert text_models_dir() == tmp_path / "blipper" / "text"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert text_models_dir() == Path.home() / ".cache" / "blipper" / "text"
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("BLIPPER_TEXT_MODELS", str(tmp_path / "file"))
    assert cached_names() == ()


def test_a_folder_that_cannot_be_made_is_named(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("BLIPPER_TEXT_MODELS", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="cannot be written"):
        download(parse(NAME)[0])


def test_the_command_fetches_and_shows_what_labels_are_taken_for(hub: Hub) -> None:
    result = CliRunner().invoke(app, ["models", "download", NAME])
    assert result.exit_code == 0, result.stderr
    said = result.stderr.replace("\n", " ")
    assert f"commit {COMMIT}" in said
    assert "toxic: verbal aggression" in said
    assert CliRunner().invoke(app, ["models", "download", "some/../body"]).exit_code == 2
    hub.status = 404
    failed = CliRunner().invoke(app, ["models", "download", "some/body"])
    assert failed.exit_code == 1
    assert "no such model" in failed.stderr.replace("\n", " ")


def test_models_are_listed(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path / "models"
    save_built_in(models / "text-small")
    download(Wanted(NAME))
    rows = {row["name"]: row for row in list_text_models(models)}
    assert rows["text-small"]["reads"] == ["sentiment", "aggression"]
    assert rows["text-small"]["size_bytes"] > 10_000
    assert rows["text-small"]["threshold"] == 0.5
    assert (rows[NAME]["revision"], rows[NAME]["licence"]) == (COMMIT, None)
    assert rows[NAME]["sha256"] == hashlib.sha256(hub.files["model.safetensors"]).hexdigest()
    assert "blipper models download unitary/toxic-bert" in rows["unitary/toxic-bert"]["lacks"]
    assert rows["unitary/toxic-bert"]["licence"] == "Apache-2.0"
    (models / "text-small" / "tokenizer.json").write_text("{}")
    assert "changed or damaged" in list_text_models(models)[0]["error"]
    (models / "text-small" / "blipper.json").write_text("{}")
    assert "schema and kind" in list_text_models(models)[0]["error"]

    result = CliRunner().invoke(app, ["models", "--json"])
    listed = json.loads(result.stdout)
    assert [row["kind"] for row in listed if row["name"] in ("mel-cnn", NAME)] == ["voice", "text"]
    table = CliRunner().invoke(app, ["models"]).stdout
    assert "unitary/toxic-bert: not on this machine" in table
    assert NAME in table
