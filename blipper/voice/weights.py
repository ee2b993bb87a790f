"""What is in a model's folder: a configuration and weights, each checked before anything is built on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper.errors import ModelError
from blipper.recording import Float32
from blipper.voice.labels import EMOTIONS

#: Raised whenever an old reader would misread a model's folder.
FORMAT: Final = 1
WEIGHTS: Final = "weights.safetensors"
CONFIG: Final = "config.json"


def read_config(path: Path) -> dict[str, Any]:
    """Read and check a model's configuration.

    Raises
    ------
    ModelError
        If it is missing, no JSON, of another format, incomplete, or has other labels.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: cannot be read as a model's configuration ({error})") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format") if isinstance(config, dict) else type(config).__name__
        raise ModelError(f"{path}: format is {found!r}, expected {FORMAT}")
    kinds: dict[str, type | tuple[type, ...]] = {
        "name": str,
        "sha256": str,
        "labels": list,
        "front_end": dict,
        "network": dict,
        "calibration": dict,
        "threshold": (int, float),
    }
    for key, kind in kinds.items():
        if not isinstance(config.get(key), kind):
            raise ModelError(f"{path}: {key} is {config.get(key)!r}, which does not fit")
    if config["labels"] != list(EMOTIONS):
        unknown = [label for label in config["labels"] if label not in EMOTIONS]
        what = f"unknown labels {unknown}" if unknown else f"labels {config['labels']}"
        raise ModelError(f"{path}: {what}; expected {list(EMOTIONS)} in this order")
    return config


def fill(network: Any, data: bytes, path: Path) -> None:
    """Put weights into a network.

    Parameters
    ----------
    network : keras.Model
    data : bytes
        A safetensors file's bytes; names as :func:`named_weights` gives them.
    path : path
        For messages.

    Raises
    ------
    ModelError
        If the file is damaged, or a tensor is missing, superfluous, of another shape or not finite.
    """
    fill_variables(named_weights(network), data, path)


def fill_variables(variables: Mapping[str, Any], data: bytes, path: Path) -> None:
    """Put weights into named variables; as :func:`fill`, of which it is the greater part."""
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    for name, tensor in read_tensors(shapes, data, path).items():
        variables[name].assign(tensor)


def read_tensors(shapes: Mapping[str, tuple[int, ...]], data: bytes, path: Path) -> dict[str, Float32]:
    """Read the weights of a network.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        What the network needs.
    data : bytes
        A safetensors file's bytes.
    path : path
        For messages.

    Raises
    ------
    ModelError
        As :func:`fill` does.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ModelError(f"{path}: is no safetensors file ({error})") from error
    if missing := sorted(set(shapes) - set(tensors)):
        raise ModelError(f"{path}: tensor {missing[0]} is missing")
    if surplus := sorted(set(tensors) - set(shapes)):
        raise ModelError(f"{path}: tensor {surplus[0]} has no place in the network that {CONFIG} describes")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise ModelError(
                f"{path}: tensor {name} has shape {tensors[name].shape}, the network that {CONFIG} describes "
                f"needs {shape}"
            )
        if not np.isfinite(tensors[name]).all():
            raise ModelError(f"{path}: tensor {name} holds NaN or infinite values")
    return {name: np.asarray(tensors[name], dtype=np.float32) for name in shapes}


def named_weights(network: Any) -> dict[str, Any]:
    """Name a network's variables by layer, ``"block1_conv/kernel"``, moving statistics included."""
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in network.layers
        for variable in layer.weights
        if "seed_generator" not in variable.path
    }


def number(config: Mapping[str, Any], group: str | None, key: str, *, low: float, high: float = 1e3) -> float:
    """Return a number from a configuration, or raise a ModelError that names it and its domain."""
    value = config[key] if group is None else config[group].get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        where = key if group is None else f"{group}.{key}"
        raise ModelError(f"{CONFIG}: {where} is {value!r}, expected a number from {low} to {high}")
    return float(value)
