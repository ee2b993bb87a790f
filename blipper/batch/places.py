"""Where recordings are: folders of this machine, or what fsspec reaches (``s3://``, ``gs://``, ``http://``)."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from blipper.errors import BatchError

#: Most encoded bytes that are fetched from elsewhere: 4 hours of stereo as 24 bit at 48 kHz are 3.9 GiB;
#: more in one file is rather a mistake, or an attack on the disk.
MAX_REMOTE_BYTES: Final = 4 << 30

#: Seconds since a file's last change before its time stamp is believed: two changes can carry the same time.
_SETTLED: Final = 3.0

_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)

_PACKAGES: Final = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "http": "aiohttp",
    "https": "aiohttp",
}


def is_remote(path: str) -> bool:
    """Return whether a path is an address that fsspec has to open; ``file://`` is one too."""
    return _ADDRESS.match(path) is not None


def normal(path: str) -> str:
    """Return the one name by which a recording is known: an absolute path, or the address as it is."""
    if path.lower().startswith("file://"):
        _, path = file_system(path)
    return path if is_remote(path) else os.path.abspath(path)  # noqa: PTH100  (keeps links as they are)


def file_system(path: str) -> tuple[Any, str]:
    """Return fsspec's file system for an address, and the path within it.

    Raises
    ------
    BatchError
        If the package for such addresses is not installed, or nobody knows them.
    """
    protocol = path.split("://", 1)[0].lower()
    try:
        import fsspec
    except ImportError as error:
        raise BatchError(f"{path}: addresses need the package fsspec (pip install fsspec)") from error
    try:
        system, inner = fsspec.core.url_to_fs(path)
    except ImportError as error:
        package = _PACKAGES.get(protocol)
        advice = f"pip install {package}" if package else str(error)
        raise BatchError(f"{path}: {protocol}:// needs a package that is not installed ({advice})") from error
    except ValueError as error:
        raise BatchError(
            f"{path}: {protocol}:// is no kind of address that can be read; accepted are paths, file://, "
            "s3://, gs://, http:// and what else fsspec knows"
        ) from error
    return system, str(inner)


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Turn what a storage's own library raises (no credentials, no such host) into an OSError, if it is none.

    Raises
    ------
    OSError
        If the storage cannot be asked.
    """
    try:
        yield
    except (OSError, BatchError):
        raise
    except Exception as error:  # each storage's library has a tree of errors of its own
        raise ConnectionError(f"{type(error).__name__}: {error}") from error


def stamp(path: str) -> str | None:
    """Return what changes whenever a recording's content does, or None where nothing tells.

    For a file its size and times (that of the last change of status cannot be set back); for an address what
    the storage says: its version, ETag or time.
    """
    if is_remote(path):
        return _remote_stamp(path)
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    if max(found.st_mtime, found.st_ctime) > time.time() - _SETTLED:
        return None
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"


def size(path: str) -> int:
    """Return a recording's encoded bytes, for estimates: 1 for an address, whose storage is not asked."""
    try:
        return 1 if is_remote(path) else Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


def _remote_stamp(path: str) -> str | None:
    try:
        system, inner = file_system(path)
        with asking():
            info = system.info(inner)
    except OSError:
        return None
    telling = ("VersionId", "ETag", "etag", "md5Hash", "generation", "LastModified", "mtime", "created")
    found = [f"{name}={info[name]}" for name in telling if info.get(name)]
    return f"{info.get('size')}:{':'.join(found)}" if found else None


@contextlib.contextmanager
def local_copy(path: str) -> Iterator[tuple[Path, str | None]]:
    """Yield a recording as a file of this machine, with its stamp from before it was read.

    Raises
    ------
    BatchError
        If an address cannot be opened, or holds more than :data:`MAX_REMOTE_BYTES`.
    OSError
        If fetching fails.
    """
    if not is_remote(path):
        yield Path(path), stamp(path)
        return
    system, inner = file_system(path)
    before = _remote_stamp(path)
    with tempfile.TemporaryDirectory(prefix="blipper-") as folder:
        target = Path(folder) / "recording"
        with asking(), system.open(inner, "rb") as source, target.open("wb") as sink:
            left = MAX_REMOTE_BYTES
            while block := source.read(1 << 20):
                left -= len(block)
                if left < 0:
                    raise BatchError(f"{path}: holds more than {MAX_REMOTE_BYTES / 2**30:g} GiB; split it")
                sink.write(block)
        yield target, before


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; of none where it is no regular file, as decoding will say."""
    if not path.is_file():
        return hashlib.sha256().hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
