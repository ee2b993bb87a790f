"""``tools/one_corpus.py``: what a short run on one corpus makes of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blipper.training.settings import TrainSettings
from tools import one_corpus


@pytest.mark.data
def test_a_row_has_what_the_header_names(data_dir: Path, tmp_path: Path) -> None:
    settings = TrainSettings.smoke(cache=tmp_path, epochs=1, limit=6, commercial=True, contrast=0.3)
    settings = replace(settings, front=replace(settings.front, floor=20.0))
    cells = one_corpus.row(data_dir, settings, count=8).strip("| ").split(" | ")
    assert cells[:2] == ["20", "0.3"]
    assert all(0 <= float(cell) <= 1 for cell in cells[2:6])
    marked = [float(share) for share in cells[6].split(", ")]
    assert len(marked) == 3 and all(0 <= share <= 1 for share in marked)
    assert len(cells) == one_corpus.HEADER.splitlines()[0].count("|") - 1
