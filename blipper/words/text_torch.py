"""Importing transformers beside TensorFlow without bringing the process down."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

_IMPORTING = threading.RLock()


@contextlib.contextmanager
def beside_tensorflow() -> Iterator[None]:
    """Keep triton out while transformers imports what it needs; every use of its classes begins in here.

    transformers' networks import ``torch._dynamo``, which imports triton (a compiler for GPUs that
    openai-whisper brings along) only to know whether it is there. Triton carries an LLVM of its own, and
    beside TensorFlow's that ends the process: "Option 'bitcode-mdindex-threshold' registered more than once".
    A module that is None cannot be imported, which torch takes for "no triton" and remembers.
    """
    with _IMPORTING:
        if "triton" in sys.modules:  # the process lives, so there is nothing to prevent
            yield
            return
        sys.modules["triton"] = None  # type: ignore[assignment]
        try:
            yield
        finally:
            del sys.modules["triton"]
