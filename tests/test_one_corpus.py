"""``tools/one_corpus.py``: what a short run on one corpus makes of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blipper.training.settings import TrainSettings
from tools import one_corpus


@pytest.mark.data
@pytest.mark.parametrize(
    ("changes", "corpora"),
    [({"commercial": True}, ["ravdess", "savee", "tess"]), ({"hold_out": "savee"}, ["savee"])],
    ids=["one corpus", "three"],
)
def test_a_row_has_what_the_header_names(
    data_dir: Path, tmp_path: Path, changes: dict[str, Any], corpora: list[str]
) -> None:
    settings = TrainSettings.smoke(cache=tmp_path, epochs=1, limit=6, contrast=0.3, narrow=0.1, **changes)
    settings = replace(settings, front=replace(settings.front, floor=25.0, depth=50.0))
    cells = one_corpus.row(data_dir, settings, count=30).strip("| ").split(" | ")
    assert cells[:4] == ["25", "0.3", "50", "0.1"]
    assert all(0 <= float(cell) <= 1 for cell in cells[4:8])
    marked = [part.split() for part in cells[8].split(", ")]
    assert [name for name, _, _ in marked] == corpora
    assert all(0 <= float(share) <= 1 for _, *shares in marked for share in shares)
    assert len(cells) == one_corpus.HEADER.splitlines()[0].count("|") - 1
