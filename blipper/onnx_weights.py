"""The numbers in an ONNX file, without a package for it: a dozen lines of Protocol Buffers' wire format.

The fields' numbers are those of ``onnx.proto``: a model's graph is field 7, a graph's initialisers field 5; a
tensor's dimensions are field 1, its type 2, its name 8 and its bytes 9.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from blipper.recording import Float32

_GRAPH, _INITIALIZER, _DIMS, _TYPE, _NAME, _RAW = 7, 5, 1, 2, 8, 9
_FLOAT = 1


def read_initializers(data: bytes) -> Iterator[tuple[str, Float32]]:
    """Read an ONNX model's float32 tensors.

    Parameters
    ----------
    data : bytes
        The file.

    Yields
    ------
    name : str
    tensor : numpy.ndarray of float32

    Raises
    ------
    ValueError, IndexError
        If the bytes are no such file.
    """
    for number, graph in _fields(data):
        if number == _GRAPH and isinstance(graph, bytes):
            for inner, tensor in _fields(graph):
                if inner == _INITIALIZER and isinstance(tensor, bytes):
                    yield from _tensor(tensor)


def _tensor(data: bytes) -> Iterator[tuple[str, Float32]]:
    dims: list[int] = []
    name, raw, kind = "", b"", 0
    for number, value in _fields(data):
        if number == _DIMS:
            # Written one by one or packed, as the exporter likes.
            dims += [value] if isinstance(value, int) else list(_varints(value))
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME and isinstance(value, bytes):
            name = value.decode()
        elif number == _RAW and isinstance(value, bytes):
            raw = value
    if kind == _FLOAT:
        yield name, np.frombuffer(raw, dtype="<f4").reshape(dims).astype(np.float32)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield a message's fields: number and value; fixed-size numbers as their bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            number, at = _varint(data, at)
            yield key >> 3, number
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        if at + size > len(data):
            raise ValueError("the file is cut off")
        yield key >> 3, data[at : at + size]
        at += size


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
