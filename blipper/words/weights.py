"""Where Whisper's weights are, and how they come there.

OpenAI publishes one file a size. A file of weights is code until its hash matches, so nothing is loaded
before its SHA-256 was compared with the one that stands in the file's own URL, and only tensors are read.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import logging
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from blipper.errors import ModelError
from blipper.progress import Progress, silent

logger = logging.getLogger(__name__)

#: Where OpenAI keeps the files: ``BASE_URL/SHA256/FILE``.
BASE_URL: Final = "https://openaipublic.azureedge.net/main/whisper/models"

#: Names a folder with the weights' files, instead of the cache that openai-whisper uses.
FOLDER_VARIABLE: Final = "BLIPPER_WHISPER"

_TIMEOUT = 20.0  # seconds without a byte
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Checkpoint:
    """One published file of weights.

    Parameters
    ----------
    name : str
        ``"tiny.en"``; one ending in ``.en`` knows English only.
    sha256 : str
        Of the file, in hexadecimal.
    megabytes : int
        About how large it is, for people; the server says it exactly.
    """

    name: str
    sha256: str
    megabytes: int

    @property
    def file(self) -> str:
        """The file's name, as openai-whisper names it."""
        return f"{_FILES.get(self.name, self.name)}.pt"

    @property
    def url(self) -> str:
        """Where to download it."""
        return f"{BASE_URL}/{self.sha256}/{self.file}"


_FILES = {"large": "large-v3", "turbo": "large-v3-turbo"}
_TURBO = "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a"
_LARGE = "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb"

#: Every size by name, smallest first. The same table as ``whisper._MODELS``, which a test compares: asking
#: that one would import torch, for seconds, only to say what there is.
CHECKPOINTS: Final[dict[str, Checkpoint]] = {
    name: Checkpoint(name, sha256, megabytes)
    for name, sha256, megabytes in (
        ("tiny.en", "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03", 76),
        ("tiny", "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9", 76),
        ("base.en", "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead", 145),
        ("base", "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e", 145),
        ("small.en", "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872", 484),
        ("small", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794", 484),
        ("medium.en", "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f", 1528),
        ("medium", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1", 1528),
        ("turbo", _TURBO, 1618),
        ("large-v3-turbo", _TURBO, 1618),
        ("large-v1", "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a", 3087),
        ("large-v2", "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524", 3087),
        ("large-v3", _LARGE, 3087),
        ("large", _LARGE, 3087),
    )
}


def checkpoint(name: str) -> Checkpoint:
    """Return a published size by its name.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    try:
        return CHECKPOINTS[name]
    except KeyError:
        raise ModelError(f"{name}: is no size of Whisper; accepted are {', '.join(CHECKPOINTS)}") from None


def weights_dir() -> Path:
    """Return the folder in which Whisper's weights are looked for and kept.

    Returns
    -------
    pathlib.Path
        What the environment variable ``BLIPPER_WHISPER`` names, else the cache that openai-whisper itself
        uses: ``whisper/`` below ``XDG_CACHE_HOME`` or ``~/.cache``. It need not exist.
    """
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "whisper"


def find_weights(name: str, *, folder: Path | None = None) -> Path | None:
    """Return the file of a size if it is on this machine; its hash is compared only when it is opened.

    Raises
    ------
    ModelError
        If there is no such size.
    """
    path = (folder or weights_dir()) / checkpoint(name).file
    return path if path.is_file() else None


def installed(*, folder: Path | None = None) -> tuple[str, ...]:
    """Return the sizes whose files are on this machine, smallest first, each file once."""
    found: dict[Path, str] = {}
    for name in CHECKPOINTS:
        path = find_weights(name, folder=folder)
        if path is not None:
            found.setdefault(path, name)
    return tuple(found.values())


def download(name: str, *, folder: Path | None = None, progress: Progress = silent) -> Path:
    """Fetch a size's weights from OpenAI, unless they are there already and whole.

    Parameters
    ----------
    name : str
        A key of :data:`CHECKPOINTS`.
    folder : pathlib.Path, optional
        Where to keep it; :func:`weights_dir` unless given. Made if needed.
    progress : Progress, optional
        Told about ``"download"`` in bytes.

    Returns
    -------
    pathlib.Path
        A file whose hash matches. Whatever goes wrong leaves what was there before.

    Raises
    ------
    ModelError
        If there is no such size, no network, too little room, or the hash does not match.
    """
    wanted = checkpoint(name)
    target = (folder or weights_dir()) / wanted.file
    if target.is_file():
        with contextlib.suppress(ModelError), open_verified(target, wanted.sha256):
            return target
        logger.warning("%s does not have the SHA-256 of Whisper's %s; fetching it again", target, name)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            found = _fetch(wanted, stream, progress)
            stream.flush()
            os.fsync(stream.fileno())
        if found != wanted.sha256:
            raise ModelError(
                f"{wanted.url}: the download has the SHA-256 {found}, expected {wanted.sha256}; it was "
                f"thrown away. Try again, or bring the file from elsewhere into {target.parent}"
            )
        temporary.replace(target)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise ModelError(_unreachable(wanted, target, error)) from error
    except OSError as error:
        raise ModelError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(NotADirectoryError):  # a file stands where the folder should be
            temporary.unlink(missing_ok=True)
    return target


@contextlib.contextmanager
def open_verified(path: Path, sha256: str) -> Iterator[BinaryIO]:
    """Open a file whose bytes have this SHA-256, so that what is read is what was compared.

    Raises
    ------
    ModelError
        If the file cannot be read, or has another hash.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    with stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != sha256:
            raise ModelError(
                f"{path}: has the SHA-256 {found}, expected {sha256}; it is damaged or another file. Delete "
                "it, and it is downloaded afresh"
            )
        stream.seek(0)
        yield stream


def _fetch(wanted: Checkpoint, stream: BinaryIO, progress: Progress) -> str:
    """Copy the download into a file and return its SHA-256."""
    digest, done = hashlib.sha256(), 0
    response: Any
    with urllib.request.urlopen(wanted.url, timeout=_TIMEOUT) as response:
        length = response.headers.get("Content-Length") or ""
        total = int(length) if length.isdigit() else wanted.megabytes * 1_000_000
        # A server that never stops would fill the disk; every published file is close to the size named here.
        limit = max(2 * wanted.megabytes, 1) * 1_000_000
        progress("download", 0, total)
        while chunk := response.read(_CHUNK):
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if done > limit:
                raise ModelError(f"{wanted.url}: sends more than {limit} bytes; expected about half of that")
            progress("download", min(done, total), total)
        if done < total and length:
            raise http.client.IncompleteRead(b"", total - done)
    return digest.hexdigest()


def _unreachable(wanted: Checkpoint, target: Path, error: Exception) -> str:
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return (
        f"Whisper's weights {wanted.name} (about {wanted.megabytes} MB) cannot be downloaded from "
        f"{wanted.url}: {reason}. On a machine with network, fetch that URL and put the file into "
        f"{target.parent}, or name its folder in {FOLDER_VARIABLE}."
    )
