"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write a file so that nobody ever sees half of it.

    The content goes to a temporary file in the same folder, which then replaces the target in one step;
    whatever interrupts it leaves the target as it was and no temporary file behind. A symbolic link
    stays one: what it points to is replaced. A device or pipe (``/dev/stdout``) is written to directly.

    Parameters
    ----------
    path : str or pathlib.Path
        The folder must exist.
    content : str or bytes
        Text is encoded as UTF-8; its line ends stay as they are. A file name in it that is not UTF-8 (lone
        surrogates on Linux) is written with a backslash, just as JSON escapes it.

    Raises
    ------
    OSError
        If the folder is missing, the target is a folder, or the disk refuses.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    target = Path(path).resolve()
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        with target.open("wb") as stream:  # a folder raises IsADirectoryError here, naming itself
            stream.write(data)
        return
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        # "x" fails rather than follows if the name exists, and gives the permissions of the umask.
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
