"""The encoded bytes of a recording: a path, bytes or a file object behind one reading face."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from blipper.audio.limits import Limits
from blipper.errors import AudioError

#: Anything :func:`blipper.audio.load` reads from.
AudioSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

#: Bytes hashed at a time.
_HASH_BLOCK: Final = 1 << 20

#: Longest name shown; file systems allow 255 bytes.
_MAX_NAME: Final = 200

#: Marks that turn the reading direction or hide inside a name, so that "gpj.exe" can pose as "exe.jpg".
_INVISIBLE: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def safe_name(name: str, fallback: str = "recording") -> str:
    """Return a file name that is safe to show: no folders, no control or direction marks.

    Parameters
    ----------
    name : str
        A path or name from anywhere, with either kind of slash.
    fallback : str
        Returned when nothing is left.

    Returns
    -------
    str
        At most 200 characters.
    """
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return _printable(base)[:_MAX_NAME].strip() or fallback


def _printable(text: str) -> str:
    """Return `text` without control characters, lone surrogates, line separators and direction marks."""
    return "".join(
        character
        for character in text
        if unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"} and character not in _INVISIBLE
    )


class Source:
    """A seekable binary file that never raises into a decoder's callbacks and never closes what it reads.

    The decoders call it from C, where a Python exception would be printed and lost; a failing read is kept
    in :attr:`failure` instead and looks like the end of the file to them. It deliberately has no attribute
    ``name``: soundfile would take the type from that name's extension.

    Parameters
    ----------
    file : binary file object
        Readable and seekable.
    display_name : str
        Safe to show.
    size : int
        Bytes in the file.
    """

    def __init__(self, file: BinaryIO, display_name: str, size: int) -> None:
        self.display_name = display_name
        self.size = size
        self.failure: OSError | None = None
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the present position."""
        try:
            return self._file.read(size)
        except OSError as error:
            self.failure = error
            return b""

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill `buffer` from the present position and return the number of bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, as a file does; a move before the start is ignored, as decoders try one on damaged files."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.size}[whence]
        if origin + offset >= 0:
            self._file.seek(origin + offset)
        return self.tell()

    def tell(self) -> int:
        """Return the present position in bytes."""
        return self._file.tell()

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on."""
        self.seek(offset)
        return self.read(size)

    def reopened(self) -> int | None:
        """Return a descriptor of the same file with a position of its own, which the caller has to close.

        Returns
        -------
        int or None
            None where there is no such thing: bytes in memory, a file that went by another name meanwhile.
        """
        file = self._file
        plain = isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO)
        if os.name != "posix" or not plain or not isinstance(file.name, str | os.PathLike):
            return None
        try:
            descriptor = os.open(file.name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            if os.path.samestat(os.fstat(descriptor), os.fstat(file.fileno())):
                return descriptor
        except (OSError, ValueError):
            pass
        os.close(descriptor)
        return None

    def sha256(self) -> str:
        """Return the SHA-256 of the file's own bytes, read in blocks."""
        digest = hashlib.sha256()
        self._file.seek(0)
        while block := self._file.read(_HASH_BLOCK):
            digest.update(block)
        return digest.hexdigest()


class Reheaded(Source):
    """A source with another head in place of its first bytes, so that nothing has to be copied.

    Parameters
    ----------
    source : Source
    head : bytes
        What readers see instead.
    n_replaced : int
        Bytes of the source that it stands for.
    """

    def __init__(self, source: Source, head: bytes, n_replaced: int) -> None:
        super().__init__(source._file, source.display_name, source.size - n_replaced + len(head))
        self._source = source
        self._head = head
        self._shift = n_replaced - len(head)
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the present position."""
        if self._position < len(self._head):
            data = self._head[self._position :][: size if size >= 0 else None]
        else:
            self._source.seek(self._position + self._shift)
            data = self._source.read(size)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, as a file does."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def tell(self) -> int:
        """Return the present position in bytes."""
        return self._position


@contextmanager
def open_source(source: AudioSource, name: str | None, limits: Limits) -> Iterator[Source]:
    """Open whatever a caller hands over.

    Parameters
    ----------
    source : path, bytes or binary file object
        A file object is read from its start whatever its position, and stays open.
    name : str or None
        Name for display; by default the path's or the file object's.
    limits : Limits
        For the wording of refusals.

    Yields
    ------
    Source

    Raises
    ------
    AudioError
        If there is no such file, it is a folder or a device, it cannot be read, or it is empty.
    TypeError
        If `source` is none of the accepted kinds.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        yield _checked(io.BytesIO(source), safe_name(name or "recording"), limits)
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        shown = safe_name(name) if name is not None else safe_name(str(path))
        with _open_path(path, shown, limits) as file:
            yield _checked(file, shown, limits)
    elif hasattr(source, "read") and hasattr(source, "seek") and hasattr(source, "tell"):
        given = name if name is not None else getattr(source, "name", None)
        yield _checked(source, safe_name(given if isinstance(given, str) else "recording"), limits)
    else:
        raise TypeError(
            f"source is a {type(source).__name__}, expected a path, bytes, or a seekable binary file object"
        )


def _open_path(path: Path, shown: str, limits: Limits) -> BinaryIO:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise limits.refusal(shown, "this is a folder, not a recording")
        if not stat.S_ISREG(mode):
            # A pipe or a device such as /dev/zero never ends.
            raise limits.refusal(shown, "this is not a regular file")
        return path.open("rb")
    except FileNotFoundError as error:
        raise AudioError(
            f"{shown}: there is no such file: {_printable(str(path))}. {limits.describe()}"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL inside the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise limits.refusal(shown, f"the file cannot be opened ({reason})") from error


def _checked(file: BinaryIO, shown: str, limits: Limits) -> Source:
    try:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(0)
        first: object = file.read(1)
        file.seek(0)
    except (OSError, ValueError) as error:  # a closed file or a pipe
        raise limits.refusal(shown, f"the file cannot be read ({error})") from error
    if isinstance(first, str):
        raise TypeError("source is a text file object, expected one opened in binary mode")
    if not first:
        raise limits.refusal(shown, "the file is empty (0 bytes)")
    return Source(file, shown, size)
