"""Whether the process that claimed something still lives."""

from __future__ import annotations

import functools
import os
import socket
import time
from pathlib import Path
from typing import Final

#: Seconds without a sign of life after which a run on another machine counts as dead.
SILENCE: Final = 120.0


@functools.cache
def _boot() -> str:
    """Return what tells this boot and this container from another, so that process ids can be compared."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return ""


def me() -> tuple[str, int, float]:
    """Return this process as (machine, process id, time of its start)."""
    import psutil

    return f"{socket.gethostname()}/{_boot()}", os.getpid(), psutil.Process().create_time()


def is_alive(host: str, pid: int, born: float, beat: float) -> bool:
    """Return whether a run still works.

    Parameters
    ----------
    host, pid, born : str, int, float
        As :func:`me` gave them.
    beat : float
        Unix time of its last sign of life, which counts where the process itself cannot be seen.
    """
    import psutil

    if host != me()[0]:
        return time.time() - beat < SILENCE
    try:
        process = psutil.Process(pid)
        # A process id is given again after a while, so the time of birth belongs to it.
        return bool(abs(process.create_time() - born) < 1.0 and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # somebody else's, so it is there
        return True
