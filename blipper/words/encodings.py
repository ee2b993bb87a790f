"""Encoding each stretch of sound once: what Whisper's encoder made of a log-mel is kept for a while.

openai-whisper runs its encoder anew for the language, for every temperature that it tries, and for the times
of the words. The log-mel is the same each time, and so is what the encoder makes of it.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from typing import Any, Final

#: Encodings kept at a time: of the pieces whose language is detected, and of the stretches that Whisper goes
#: through in one of them. The largest size needs 8 * 1500 * 1280 * 4 B = 61 MB, tiny.en a third of it.
KEPT: Final = 8


class Encodings:
    """What a Whisper's encoder made of the log-mels that it was given last.

    It takes the place of the encoder's ``forward``. A log-mel that equals a kept one in every number gets
    what is kept; so nothing changes but the time, and the last bits of what the words' times come from: for
    those openai-whisper computes the same attention in another way, which rounds otherwise.

    Parameters
    ----------
    model : whisper.model.Whisper
    size : int, optional
        How many are kept; 0 encodes everything anew.

    Attributes
    ----------
    asked, runs : int
        How often an encoding was asked for, and how often the encoder ran.
    """

    def __init__(self, model: Any, size: int = KEPT) -> None:
        self.asked = self.runs = 0
        self._forward = type(model.encoder).forward
        # Weak, since the encoder holds this: else only the next collection of garbage would free a model.
        self._encoder = weakref.ref(model.encoder)
        self._kept: deque[tuple[Any, Any]] = deque(maxlen=size)
        self._lock = threading.Lock()
        model.encoder.forward = self.encode

    def encode(self, mel: Any) -> Any:
        """Return the encoding of a log-mel.

        Parameters
        ----------
        mel : torch.Tensor, shape (n_pieces, n_mels, 3000)

        Returns
        -------
        torch.Tensor, shape (n_pieces, 1500, width)
            Shared with whoever asks again: not to be written to.
        """
        import torch

        with self._lock:
            self.asked += 1
            for heard, encoded in self._kept:
                if heard.dtype == mel.dtype and torch.equal(heard, mel):
                    return encoded
            self.runs += 1
            with torch.no_grad():
                encoded = self._forward(self._encoder(), mel)
            self._kept.append((mel.detach().clone(), encoded))
            return encoded

    def forget(self) -> None:
        """Let go of what is kept."""
        with self._lock:
            self._kept.clear()
