"""Low-rank adapters of Whisper's encoder, which a model ships while Whisper's own weights stay as they are.

Each adapted matrix ``W`` becomes ``W + A @ B`` with few columns in ``A`` (Hu et al. 2022, "LoRA: Low-Rank
Adaptation of Large Language Models"). The sum is made when the model is loaded: listening costs no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.recording import Float32
from blipper.voice.whisper import Dimensions, tensor_names

#: What the weights file's names begin with.
PREFIX: Final = "adapters"
#: The matrices of each block that are adapted, as :func:`blipper.voice.whisper.build_encoder` names them.
PARTS: Final = ("query", "key", "value", "out", "mlp_0", "mlp_2")


def adapted_layers(first: int = 0, size: Dimensions | None = None) -> Iterator[tuple[str, int, int]]:
    """Yield name, inputs and outputs of each adapted layer, from a block on."""
    size = size or Dimensions()
    inputs = {"mlp_2": 4 * size.width}
    outputs = {"mlp_0": 4 * size.width}
    for block in range(first, size.blocks):
        for part in PARTS:
            yield f"block{block}_{part}", inputs.get(part, size.width), outputs.get(part, size.width)


def adapter_shapes(rank: int, first: int = 0, size: Dimensions | None = None) -> dict[str, tuple[int, ...]]:
    """Return names and shapes of the adapters' tensors.

    Parameters
    ----------
    rank : int
        Columns of ``A``; 0 for no adapters.
    first : int
        The first block that is adapted.
    size : Dimensions, optional

    Returns
    -------
    dict of str to (int, int)
        ``{"adapters/block0_query/a": (384, rank), "adapters/block0_query/b": (rank, 384), ...}``
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, n_in, n_out in adapted_layers(first, size) if rank else ():
        shapes |= {f"{PREFIX}/{layer}/a": (n_in, rank), f"{PREFIX}/{layer}/b": (rank, n_out)}
    return shapes


def merge(
    tensors: Mapping[str, NDArray[np.floating]], adapters: Mapping[str, Float32]
) -> dict[str, NDArray[np.floating]]:
    """Add adapters to an encoder's weights.

    Parameters
    ----------
    tensors : mapping of str to numpy.ndarray
        As :func:`blipper.voice.whisper.read_tensors` gives them; left as they are.
    adapters : mapping of str to numpy.ndarray of float32
        Named as by :func:`adapter_shapes`; none changes nothing.

    Returns
    -------
    dict of str to numpy.ndarray
        What was adapted is in single precision.
    """
    merged = dict(tensors)
    theirs = {layer: key for key, (layer, name) in tensor_names().items() if name == "kernel"}
    for name in adapters:
        prefix, layer, part = name.split("/")
        if part == "a":
            product = adapters[name] @ adapters[f"{prefix}/{layer}/b"]
            # PyTorch keeps outputs first.
            merged[theirs[layer]] = tensors[theirs[layer]].astype(np.float32) + product.T
    return merged
