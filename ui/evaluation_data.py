"""Evaluations and their figures as the page keeps them: read once while their files stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from blipper import curves, groups, measures
from blipper.errors import DatasetError, ModelError
from blipper.evaluation import Evaluation, read_demographics, read_evaluation
from blipper.paths import models_dir
from blipper.training.evaluate import calibration
from blipper.voice.models import available_models


def models() -> dict[str, Evaluation | ModelError]:
    """Return every installed model's evaluation, or why there is none."""
    folder = models_dir()
    return {name: _read(folder / name) for name in available_models(folder)}


def _read(folder: Path) -> Evaluation | ModelError:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    stamp = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    try:
        return _cached(str(folder), stamp)
    except ModelError as error:
        return error


@st.cache_resource(show_spinner="Reading the model's figures…", max_entries=16)
def _cached(folder: str, stamp: Sequence[tuple[str, int, int]]) -> Evaluation:
    return read_evaluation(folder)


class Figures:
    """One selection of one model's clips, with figures that are computed once.

    Parameters
    ----------
    evaluation : Evaluation
    name : str
        As in :func:`blipper.measures.select`.
    side : str
        Of :attr:`blipper.evaluation.Evaluation.sides`.
    """

    def __init__(self, evaluation: Evaluation, name: str, side: str = "shipped") -> None:
        self.evaluation = evaluation
        self.side = side
        self.selection = measures.select(evaluation.rows(side), name)
        settings = evaluation.metrics.get("settings", {})
        #: The bootstrap's, so that intervals are those of ``metrics.json``.
        self.seed, self.resamples = int(settings.get("seed", 0)), int(settings.get("resamples", 1000))
        self._known: dict[tuple[Any, ...], Any] = {}

    def once(self, key: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        """Return a figure that is computed when it is first asked for."""
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def headline(self) -> dict[str, measures.Figure]:
        """Return :func:`blipper.measures.headline`."""
        if ("headline",) not in self._known:
            self._known["headline",] = measures.headline(
                self.selection, seed=self.seed, resamples=self.resamples
            )
        return self._known["headline",]

    def report(self) -> list[dict[str, Any]]:
        """Return :func:`blipper.measures.report`."""
        if ("report",) not in self._known:
            self._known["report",] = measures.report(self.selection, seed=self.seed, resamples=self.resamples)
        return self._known["report",]

    def reliability(self, of: str) -> list[curves.Bin]:
        """Return :func:`blipper.curves.reliability` of the ``"aggression"`` score or the ``"emotions"``."""
        if ("reliability", of) not in self._known:
            chosen = self.selection
            right, said = (
                (chosen.angry, chosen.aggression)
                if of == "aggression"
                else (chosen.labels == chosen.guessed, chosen.confidence)
            )
            self._known["reliability", of] = curves.reliability(
                right, said, chosen.speakers, seed=self.seed, resamples=self.resamples
            )
        return self._known["reliability", of]

    def calibration(self) -> dict[str, Any]:
        """Return :func:`blipper.training.evaluate.calibration`."""
        found: dict[str, Any] = self.once(
            ("calibration",),
            lambda: calibration(self.selection, seed=self.seed, resamples=self.resamples),
        )
        return found

    def by_group(
        self, by: str, measure: str, demographics: dict[str, dict[str, str]]
    ) -> list[groups.GroupFigure]:
        """Return :func:`blipper.groups.by_group` at the model's own threshold."""
        if (by, measure) not in self._known:
            belongs = groups.groupings(self.selection, demographics)[by]
            self._known[by, measure] = groups.by_group(
                self.selection,
                belongs,
                measure,
                self.evaluation.threshold,
                seed=self.seed,
                resamples=self.resamples,
            )
        return self._known[by, measure]


@st.cache_resource(show_spinner=False, max_entries=32)
def _figures(folder: str, identity: int, name: str, side: str, _evaluation: Evaluation) -> Figures:
    return Figures(_evaluation, name, side)


def figures(evaluation: Evaluation, name: str, side: str = "shipped") -> Figures:
    """Return the figures of a selection, shared by all sessions."""
    return _figures(str(evaluation.folder), id(evaluation), name, side, evaluation)


@st.cache_data(show_spinner=False, max_entries=4)
def _demographics(path: str, stamp: int) -> dict[str, dict[str, str]]:
    return read_demographics(path)


def demographics(folder: Path | None) -> dict[str, dict[str, str]]:
    """Return what is known of CREMA-D's actors where the data folder has their table, else nothing."""
    if folder is None:
        return {}
    path = folder / "crema-d" / "VideoDemographics.csv"
    if not path.is_file():
        return {}
    try:
        return _demographics(str(path), path.stat().st_mtime_ns)
    except (DatasetError, OSError, UnicodeDecodeError) as error:
        st.warning(f"CREMA-D's table of actors cannot be read: {error}")
        return {}
