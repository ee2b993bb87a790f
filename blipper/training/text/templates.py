"""Sentences for what no corpus labels: threats, commands, reported and denied insults, talk about identity.

All of it is made from templates of our own and only ever teaches; the checklist that the model is measured by
was written by somebody else, who had not seen this file (nor the other way round).
"""

from __future__ import annotations

import functools
import itertools
import string
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any, Final

import numpy as np

from blipper.training.text.corpora import Line, Side
from blipper.words.spoken import spoken

#: Most sentences of one template.
MOST: Final = 60


def make_lines(*, seed: int = 0, most: int = MOST, validation: float = 0.1) -> tuple[Line, ...]:
    """Fill the templates.

    Parameters
    ----------
    seed : int, optional
        Of what fills the slots, where there are more ways than `most`.
    most : int, optional
        Sentences of one template.
    validation : float, optional
        Share of each category's templates whose sentences validate instead of teaching.

    Returns
    -------
    tuple of Line
        Corpus ``"templates:NAME"``.
    """
    rng = np.random.default_rng(seed)
    lines: list[Line] = []
    for category in _data()["category"]:
        name, templates = category["name"], category["templates"]
        labels = {key: float(category[key]) for key in ("aggression", "sentiment") if key in category}
        order = rng.permutation(len(templates))
        validating = set(order[: int(len(templates) * validation)].tolist())
        for number, template in enumerate(templates):
            for text in sorted(_fill(template, rng, most)):
                side: Side = "validation" if number in validating else "train"
                lines.append(Line(f"templates:{name}", side, spoken(text), f"{name}:{number}", labels))
    return tuple(lines)


@functools.cache
def _data() -> dict[str, Any]:
    """Return the slots and categories of ``templates.toml``."""
    return tomllib.loads(resources.files(__package__).joinpath("templates.toml").read_text(encoding="utf-8"))


def _fill(template: str, rng: np.random.Generator, most: int) -> set[str]:
    """Return up to `most` different sentences of a template."""
    slots = [slot for _, slot, _, _ in string.Formatter().parse(template) if slot is not None]
    choices = [slot.split("|") if "|" in slot else _data()["slots"][slot] for slot in slots]
    ways = int(np.prod([len(choice) for choice in choices], dtype=np.int64)) if choices else 1
    if ways <= most:
        return {_put(template, words) for words in itertools.product(*choices)}
    filled: set[str] = set()
    for words in _draws(choices, rng, 4 * most):
        filled.add(_put(template, words))
        if len(filled) == most:
            break
    return filled


def _draws(choices: list[list[str]], rng: np.random.Generator, count: int) -> Iterator[tuple[str, ...]]:
    for _ in range(count):
        yield tuple(choice[int(rng.integers(len(choice)))] for choice in choices)


def _put(template: str, words: tuple[str, ...]) -> str:
    out, fillers = [], iter(words)
    for before, slot, _, _ in string.Formatter().parse(template):
        out.append(before)
        if slot is not None:
            out.append(next(fillers))
    return "".join(out)
