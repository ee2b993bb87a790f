"""``shap`` draws from NumPy's global generator, which belongs to everybody: it is lent, and given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_lock = threading.Lock()


@contextmanager
def generator_lent() -> Iterator[None]:
    """Keep others of Blipper from ``shap`` meanwhile, and give NumPy's global generator back as it was."""
    with _lock:
        state = np.random.get_state()  # noqa: NPY002 (shap knows no other generator)
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002
