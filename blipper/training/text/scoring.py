"""Logits of many texts, and how well they do on validation lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.training.text import batches as batching
from blipper.training.text.corpora import Line
from blipper.training.text.network import MAX_LENGTH

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Logits = NDArray[np.float64]

#: Corpora by which validation chooses the epoch, and the label that each is judged by.
_JUDGED: Final = (
    *(("goemotions", "sentiment"), ("meld", "sentiment"), ("sst2", "sentiment")),
    *(("trac1-en", "trac"), ("insults", "insult"), ("convabuse", "abuse"), ("templates", "aggression")),
    ("sentences", "aggression"),
)


def logits_of(model: Any, tokenizer: Tokenizer, texts: Sequence[str], *, batch: int = 64) -> Logits:
    """Return a network's outputs, shape (n_texts, n_outputs)."""
    import torch

    pieces = batching.encode(tokenizer, texts, longest=MAX_LENGTH)
    out: Logits | None = None
    with torch.inference_mode():
        for rows in batching.batches(pieces, batch):
            ids, mask = batching.padded(pieces, rows)
            logits = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits
            if out is None:
                out = np.zeros((len(texts), logits.shape[1]))
            out[rows] = logits.float().numpy()
    return out if out is not None else np.zeros((0, int(model.config.num_labels)))


def validation_score(logits: Logits, lines: Sequence[Line]) -> float:
    """Return the mean over corpora of what each is judged by, in [0, 1].

    Macro-F1 where there are classes, ROC-AUC of the aggression output where there are two.
    """
    from sklearn.metrics import f1_score, roc_auc_score

    scores = []
    for corpus, label in _JUDGED:
        rows = [
            row
            for row, line in enumerate(lines)
            if line.corpus.partition(":")[0] == corpus and label in line.labels
        ]
        if not rows:
            continue
        wanted = np.array([lines[row].labels[label] for row in rows])
        some = logits[rows]
        if label == "sentiment":
            outputs = [0, 2] if corpus == "sst2" else [0, 1, 2]
            guessed = np.array(outputs)[some[:, outputs].argmax(axis=1)]
            scores.append(f1_score(wanted, guessed, average="macro"))
        elif label == "trac":
            scores.append(f1_score(wanted, some[:, 4:7].argmax(axis=1), average="macro"))
        elif len(set(wanted > 0.5)) == 2:
            scores.append(roc_auc_score(wanted > 0.5, some[:, 3]))
    return float(np.mean(scores))
