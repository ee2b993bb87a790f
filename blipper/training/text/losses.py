"""What the text model is taught to minimise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from blipper.training.text.batches import TEACHING, Targets
from blipper.training.text.network import SHIPPED

if TYPE_CHECKING:
    from torch import Tensor

_EMOTIONS = slice(TEACHING.index("emotion-admiration"), TEACHING.index("turn-others"))
_TURN = slice(TEACHING.index("turn-others"), len(TEACHING))
_TRAC = slice(4, 7)
_OWN_SENTIMENT = slice(SHIPPED.index("goemotions-negative"), SHIPPED.index("goemotions-positive") + 1)
#: Aggression, insult, abuse, toxic, explicit among the outputs.
_BINARY = [3, 7, 8, 9, 10]
#: Insult, abuse, aggression: the outputs that the last columns of an advice are about.
_ADVISED_BINARY = [7, 8, 3]
_SMOOTHING = 0.05


def loss_of(logits: Tensor, targets: Targets) -> Tensor:
    """Return the sum of all heads' mean losses over the lines that each has labels for.

    A network with the shipped outputs alone is not asked for emotions.
    """
    import torch
    from torch.nn import functional

    total = logits.new_zeros(())
    for classes, part, weight in (
        (targets.sentiment, slice(0, 3), 1.0),
        (targets.trac, _TRAC, 0.7),
        (targets.own_sentiment, _OWN_SENTIMENT, 0.7),
        (targets.turn, _TURN, 0.3),
    ):
        if logits.shape[1] >= part.stop and (classes >= 0).any():
            total = total + weight * functional.cross_entropy(
                logits[:, part], torch.from_numpy(classes), ignore_index=-1, label_smoothing=_SMOOTHING
            )
    known = ~np.isnan(targets.binary)
    if known.any():
        weights = known * np.column_stack([targets.weight, *[np.full(len(targets.weight), 0.5)] * 4])
        wanted = np.clip(np.nan_to_num(targets.binary), 0.02, 0.98).astype(np.float32)
        each = functional.binary_cross_entropy_with_logits(
            logits[:, _BINARY], torch.from_numpy(wanted), reduction="none"
        )
        scale = torch.from_numpy(weights.astype(np.float32))
        total = total + 2.0 * (each * scale).sum() / len(logits)
    felt = ~np.isnan(targets.emotions[:, 0])
    if logits.shape[1] >= _EMOTIONS.stop and felt.any():
        rows = torch.from_numpy(np.flatnonzero(felt))
        total = total + 3.0 * functional.binary_cross_entropy_with_logits(
            logits[rows][:, _EMOTIONS], torch.from_numpy(targets.emotions[felt])
        )
    advised = ~np.isnan(targets.advice[:, 0])
    if advised.any():
        rows = torch.from_numpy(np.flatnonzero(advised))
        soft = torch.from_numpy(targets.advice[advised])
        for part, columns in ((slice(0, 3), slice(0, 3)), (_TRAC, slice(3, 6))):
            total = total + functional.cross_entropy(logits[rows][:, part], soft[:, columns])
        given = ~torch.isnan(soft[:, 6:])  # a larger encoder says nothing about aggression as such
        total = total + 2.0 * functional.binary_cross_entropy_with_logits(
            logits[rows][:, _ADVISED_BINARY][given], soft[:, 6:][given]
        )
    return total
