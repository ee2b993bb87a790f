"""Reading JSON values strictly: every complaint names the key's path, what is there and what is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString, TypeVar

import numpy as np

from blipper.results import Float

Choice = TypeVar("Choice", bound=LiteralString)


@dataclass(frozen=True)
class Reader:
    """One JSON object and where it stands in its document.

    Every method raises ValueError if the key is missing or its value is not of the kind asked for.
    """

    data: Mapping[str, Any]
    path: str = "analysis"

    def __post_init__(self) -> None:
        """Refuse what is no object."""
        if not isinstance(self.data, Mapping):
            raise ValueError(f"{self.path} is {_show(self.data)}; expected an object")

    def get(self, key: str) -> Any:
        """Return a value as it is."""
        if key not in self.data:
            raise ValueError(f"{self.path}.{key} is missing")
        return self.data[key]

    def child(self, key: str) -> Reader:
        """Return an object."""
        return Reader(self.get(key), f"{self.path}.{key}")

    def children(self, key: str) -> list[Reader]:
        """Return a list of objects."""
        return [Reader(item, f"{self.path}.{key}[{index}]") for index, item in enumerate(self._list(key))]

    def string(self, key: str) -> str:
        """Return a text."""
        value = self.get(key)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a list of texts")
        return tuple(values)

    def integer(self, key: str) -> int:
        """Return a whole number."""
        value = self.get(key)
        if type(value) is not int:
            raise self._wrong(key, "a whole number")
        return value

    def boolean(self, key: str) -> bool:
        """Return true or false."""
        value = self.get(key)
        if type(value) is not bool:
            raise self._wrong(key, "true or false")
        return value

    def number(self, key: str) -> float:
        """Return a finite number."""
        value = self.get(key)
        if type(value) not in (int, float) or not -_LARGEST <= value <= _LARGEST:
            raise self._wrong(key, "a finite number")
        return float(value)

    def optional_number(self, key: str) -> float | None:
        """Return a finite number, or None for null."""
        return None if self.get(key) is None else self.number(key)

    def choice(self, key: str, *accepted: Choice) -> Choice:
        """Return one of a few texts."""
        value = self.get(key)
        for item in accepted:
            if value == item:
                return item
        raise self._wrong(key, "one of " + ", ".join(accepted))

    def array(self, key: str, *, rows: int | None = None, columns: int | None = None) -> Float:
        """Return numbers as float64, null as NaN.

        Parameters
        ----------
        key : str
        rows : int, optional
            How many there must be.
        columns : int, optional
            For a list of lists: how many numbers each has. The result is then of shape (rows, columns).
        """
        values = self._list(key)
        for value in values:
            cells = value if columns is not None and isinstance(value, list) else [value]
            if (columns is not None and len(cells) != columns) or not set(map(type, cells)) <= _NUMBERS:
                expected = "numbers or null" if columns is None else f"lists of {columns} numbers or null"
                raise ValueError(f"{self.path}.{key} holds {_show(value)}; expected {expected}")
        if rows is not None and len(values) != rows:
            raise ValueError(f"{self.path}.{key} has {len(values)} rows; expected {rows}")
        array = np.array(values, dtype=np.float64)  # null becomes NaN
        if np.isinf(array).any():
            raise ValueError(f"{self.path}.{key} holds an infinite value; expected finite numbers or null")
        return array if columns is None else array.reshape(-1, columns)

    def _list(self, key: str) -> list[Any]:
        value = self.get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return value

    def _wrong(self, key: str, expected: str) -> ValueError:
        return ValueError(f"{self.path}.{key} is {_show(self.data[key])}; expected {expected}")


_NUMBERS = {int, float, type(None)}
_LARGEST = float(np.finfo(np.float64).max)


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
