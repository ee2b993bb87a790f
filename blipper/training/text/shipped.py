"""The shipped text model as its figures see it: all outputs, and the scores that the app shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.training.text.network import SHIPPED
from blipper.training.text.scoring import Logits, logits_of
from blipper.words.spoken import spoken
from blipper.words.text_torch import beside_tensorflow

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of n texts.

    Parameters
    ----------
    logits : numpy.ndarray, shape (n, 14)
    sentiment : numpy.ndarray, shape (n, 3)
        Negative, neutral, positive.
    aggression : numpy.ndarray, shape (n,)
    """

    logits: Logits
    sentiment: Floats
    aggression: Floats


class Shipped:
    """A folder that ``blipper train-text`` wrote.

    Parameters
    ----------
    folder : path

    Raises
    ------
    ModelError
        If it is none.
    """

    def __init__(self, folder: Path) -> None:
        import torch
        from tokenizers import Tokenizer

        with beside_tensorflow():
            from transformers import BertForSequenceClassification as Network

        try:
            self.described: dict[str, Any] = json.loads((folder / "blipper.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(f"{folder}: holds no text model of Blipper's: {error.strerror}") from error
        self.name: str = self.described["name"]
        self.threshold = float(self.described["aggression"]["threshold"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        network: Any = Network.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, local_files_only=True
        )
        if tuple(network.config.id2label.values()) != SHIPPED:
            raise ModelError(f"{folder}: has other outputs than train-text gives now; --from adds them")
        self._model = network.train(False)

    def score(self, texts: Sequence[str]) -> Scored:
        """Score texts, put into spoken form first."""
        from scipy.special import expit, softmax

        logits = logits_of(self._model, self._tokenizer, [spoken(text) for text in texts]).astype(np.float64)
        aggression = self.described["aggression"]
        return Scored(
            logits,
            softmax(logits[:, :3] / self.described["sentiment"]["temperature"], axis=1),
            expit(aggression["scale"] * logits[:, aggression["output"]] + aggression["bias"]),
        )
