"""Text models from the Hugging Face hub: looking for them on this machine, and fetching them on demand.

Nothing is fetched unless a model is asked for by name. What is fetched is compared with the hashes that the
hub names, lies whole in one folder a commit or not at all, and is found again without network. Models that
other programs keep in Hugging Face's own cache are found as well.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import secrets
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.words.text_files import INDEX, WEIGHTS, weights_of
from blipper.words.text_names import Wanted, is_commit

#: Names a folder to keep fetched models in, instead of ``blipper/text`` in the user's cache.
FOLDER_VARIABLE: Final = "BLIPPER_TEXT_MODELS"

#: More than this is no small classifier, in bytes.
LARGEST: Final = 6_000_000_000

_TIMEOUT = 20.0  # seconds without a byte
_CHUNK = 1 << 18
_LISTING = 1 << 24  # bytes of a list of files at most

#: What a classifier needs beside its weights, where it is there.
_SMALL: Final = (
    *("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.txt", "vocab.json", "merges.txt", "bpe.codes"),
    *("sentencepiece.bpe.model", "spiece.model", "tokenizer.model", INDEX),
)


@dataclass(frozen=True)
class Found:
    """A model's folder on this machine, and the commit that its files are of."""

    folder: Path
    revision: str


@dataclass(frozen=True)
class _File:
    name: str
    size: int
    sha256: str | None
    blob: str | None


def text_models_dir() -> Path:
    """Return the folder in which fetched text models are kept.

    Returns
    -------
    pathlib.Path
        What the environment variable ``BLIPPER_TEXT_MODELS`` names, else ``blipper/text`` below
        ``XDG_CACHE_HOME`` or ``~/.cache``. It need not exist.
    """
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "blipper" / "text"


def find(wanted: Wanted) -> Found | None:
    """Return a model from the hub if it is on this machine; asks no server.

    Parameters
    ----------
    wanted : Wanted
        Without a revision, the commit that was fetched last is meant.
    """
    for pins, commits in _places(wanted.where):
        commit = wanted.revision
        if not is_commit(commit):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                commit = (pins / (wanted.revision or "main")).read_text(encoding="utf-8").strip()
        if is_commit(commit) and commit is not None:
            folder = commits / commit
            with contextlib.suppress(ModelError):
                if (folder / "config.json").is_file() and weights_of(folder):
                    return Found(folder, commit)
    return None


def download(wanted: Wanted, *, progress: Progress = silent) -> Found:
    """Fetch a model from the hub, at the commit that its revision means now.

    Parameters
    ----------
    wanted : Wanted
    progress : Progress, optional
        Told about ``"download"`` in bytes.

    Returns
    -------
    Found
        Whole, every file of the hash that the hub names. Whatever goes wrong leaves what was there before.

    Raises
    ------
    ModelError
        If there is no such model, no network, no safetensors, too little room, or a hash does not match.
    """
    commit, files = _listed(wanted)
    (pins, commits), *_ = _places(wanted.where)
    target = commits / commit
    if not target.is_dir():
        temporary = commits / f".{commit}.{secrets.token_hex(8)}.part"
        try:
            temporary.mkdir(parents=True)
            _fetch_all(wanted, commit, files, temporary, progress)
            with contextlib.suppress(FileExistsError):  # another process was quicker
                temporary.rename(target)
        except OSError as error:
            raise ModelError(f"{target}: cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    if not is_commit(wanted.revision):
        pin = pins / (wanted.revision or "main")
        try:
            pin.parent.mkdir(parents=True, exist_ok=True)
            pin.write_text(commit, encoding="utf-8")
        except OSError as error:
            raise ModelError(f"{pin}: cannot be written: {error.strerror or error}") from error
    return Found(target, commit)


def endpoint() -> str:
    """Return the hub's address: what ``HF_ENDPOINT`` names, else Hugging Face's own."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _places(name: str) -> list[tuple[Path, Path]]:
    """Return where pins and commits of a model lie: our own folder first, then Hugging Face's cache."""
    from huggingface_hub import constants

    folder = f"models--{name.replace('/', '--')}"
    roots = (text_models_dir(), Path(constants.HF_HUB_CACHE))
    return [(root / folder / "refs", root / folder / "snapshots") for root in roots]


def _listed(wanted: Wanted) -> tuple[str, list[_File]]:
    """Ask the hub which commit a revision is, and which of its files are needed."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ModelError(_unreachable(wanted, "HF_HUB_OFFLINE forbids to ask"))
    url = f"{endpoint()}/api/models/{wanted.where}"
    if wanted.revision is not None:
        url += f"/revision/{urllib.parse.quote(wanted.revision, safe='')}"
    try:
        with urllib.request.urlopen(_request(f"{url}?blobs=true"), timeout=_TIMEOUT) as response:
            answer = json.loads(response.read(_LISTING))
        commit = answer["sha"]
        there = {file.name: file for file in map(_file, answer["siblings"])}
    except urllib.error.HTTPError as error:
        raise ModelError(_refused(wanted, error)) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise ModelError(_unreachable(wanted, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{url}: does not answer as a Hugging Face hub does ({error!r})") from error
    if not isinstance(commit, str) or not is_commit(commit):
        raise ModelError(f"{url}: names no commit, so nothing can be pinned")
    return commit, _needed(wanted.where, there)


def _file(sibling: Mapping[str, Any]) -> _File:
    lfs = sibling.get("lfs")
    sha256 = str(lfs["sha256"]) if lfs else None
    return _File(str(sibling["rfilename"]), int(sibling["size"]), sha256, sibling.get("blobId"))


def _request(url: str) -> urllib.request.Request:
    from huggingface_hub import get_token

    request = urllib.request.Request(url)
    if token := get_token():
        # Not on redirections: the hub sends downloads on to other servers, which are not to see it.
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _refused(wanted: Wanted, error: urllib.error.HTTPError) -> str:
    """Say why a hub gives no model away; it answers 401 also for one that does not exist."""
    code = error.headers.get("X-Error-Code", "")
    if code == "GatedRepo":
        return (
            f"{wanted.where}: its authors let in only who asked them; accept their terms on "
            f"{endpoint()}/{wanted.where} and sign in with 'hf auth login'"
        )
    if code == "RevisionNotFound":
        return f"{wanted.where}: has no revision {wanted.revision!r} on {endpoint()}"
    if error.code in (401, 403, 404):
        return f"{wanted.where}: there is no such model on {endpoint()}, or it is private"
    return _unreachable(wanted, error)


def _needed(name: str, there: dict[str, _File]) -> list[_File]:
    weights = [WEIGHTS] if WEIGHTS in there else []
    if not weights and INDEX in there:
        weights = sorted(file for file in there if file.endswith(".safetensors") and "/" not in file)
    if not weights:
        pickled = [file for file in there if file.endswith((".bin", ".pt", ".pth", ".ckpt"))]
        what = f"only {', '.join(pickled)}, pickles that can run code" if pickled else "no weights"
        raise ModelError(
            f"{name}: has {what}; {WEIGHTS} is needed. A revision may have it: see the pull requests on "
            f"{endpoint()}/{name}/discussions, and ask for {name}@refs/pr/NUMBER"
        )
    if "config.json" not in there:
        raise ModelError(f"{name}: has no config.json, so it is no transformers model")
    files = [there[file] for file in (*_SMALL, *weights) if file in there]
    if (total := sum(file.size for file in files)) > LARGEST:
        raise ModelError(f"{name}: is {total / 1e9:.1f} GB; accepted are at most {LARGEST / 1e9:g} GB")
    return files


def _fetch_all(wanted: Wanted, commit: str, files: Sequence[_File], folder: Path, progress: Progress) -> None:
    total, done = sum(file.size for file in files), 0
    progress("download", 0, total)

    def told(size: int) -> None:
        nonlocal done
        done = min(done + size, total)
        progress("download", done, total)

    for file in files:
        url = f"{endpoint()}/{wanted.where}/resolve/{commit}/{file.name}"
        try:
            found = _fetch(url, file, folder / file.name, told)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise ModelError(_unreachable(wanted, error)) from error
        expected = file.sha256 or file.blob
        if expected is not None and found != expected:
            raise ModelError(
                f"{url}: the download has the hash {found}, the hub names {expected}; it was thrown away"
            )


def _fetch(url: str, file: _File, path: Path, told: Callable[[int], None]) -> str:
    """Copy one file and return its hash: SHA-256, or git's own for a file that is kept in git."""
    digest = hashlib.sha256()
    if file.sha256 is None:
        digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    done = 0
    response: Any
    with urllib.request.urlopen(_request(url), timeout=_TIMEOUT) as response, path.open("xb") as stream:
        while chunk := response.read(_CHUNK):
            done += len(chunk)
            if done > file.size:
                raise ModelError(f"{url}: sends more than the {file.size} bytes that the hub names")
            stream.write(chunk)
            digest.update(chunk)
            told(len(chunk))
    if done < file.size:
        raise http.client.IncompleteRead(b"", file.size - done)
    return digest.hexdigest()


def _unreachable(wanted: Wanted, reason: object) -> str:
    asked = wanted.where + (f"@{wanted.revision}" if wanted.revision else "")
    said = getattr(reason, "reason", None) or str(reason) or type(reason).__name__
    return (
        f"The text model {asked} is not on this machine and cannot be fetched from {endpoint()}: "
        f"{str(said).splitlines()[0]}. On a machine with network run 'blipper models download {asked}' and "
        f"copy its blipper/text to {text_models_dir()} here (or name the copy in {FOLDER_VARIABLE}), or give "
        "the model's own folder instead of its name; 'built-in' needs no network."
    )


def cached_names() -> tuple[str, ...]:
    """Return the names of models that were fetched into our own folder, sorted."""
    folder = text_models_dir()
    if not folder.is_dir():
        return ()
    names = [path.name.removeprefix("models--").replace("--", "/", 1) for path in folder.glob("models--*--*")]
    return tuple(sorted(name for name in names if find(Wanted(name)) is not None))
