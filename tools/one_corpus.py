"""How a mel-cnn hears corpora that it never learned from: a short run for each front end and augmentation.

Usage: python -m tools.one_corpus DATA 40:0 20:0 20:0.2 --epochs 6      (floor in dB : contrast)
       python -m tools.one_corpus DATA 40:0 20:0.2:40:0.2 --leave-out ravdess --epochs 8
       (floor : contrast : depth in dB : narrow)

Learns from fold 1's training speakers of CREMA-D (as ``blipper train --commercial``, whose cache it shares)
and judges on its validation speakers, and on 350 clips of every other corpus by fold 1's speakers who are not
for testing. With ``--leave-out`` it learns from the other three, without a teacher, and judges on 700 clips
of that one. Prints a row of a Markdown table each.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from blipper.datasets import read_corpora  # noqa: E402
from blipper.training import validate  # noqa: E402
from blipper.training.corpus import Material, cache_folder, read_material  # noqa: E402
from blipper.training.data import ANGRY  # noqa: E402
from blipper.training.features import compute_frames  # noqa: E402
from blipper.training.fit import fit  # noqa: E402
from blipper.training.prepare import prepare  # noqa: E402
from blipper.training.settings import TrainSettings  # noqa: E402
from blipper.training.splits import make_split  # noqa: E402
from blipper.voice.frontend import FrontEnd  # noqa: E402
from blipper.voice.labels import EMOTIONS  # noqa: E402
from blipper.voice.models import Calibration  # noqa: E402

_CLIPS: Final = 350
_OTHERS: Final = ("ravdess", "savee", "tess")
HEADER: Final = (
    "| floor, dB | contrast | depth, dB | narrow | who teaches: accuracy | angry ROC-AUC "
    "| the others: accuracy | angry ROC-AUC | marked as angry at 0.5, of angry clips and of the rest |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def others(data: Path, settings: TrainSettings, learned: Material, count: int = _CLIPS) -> Material:
    """Return clips of the corpora that do not teach, all on the validation side, none of a test speaker."""
    split = make_split(settings.fold)
    rng = np.random.default_rng(settings.seed)
    clips = []
    for corpus in foreign_to(settings):
        own = [
            clip
            for clip in read_corpora(data).clips
            if clip.corpus == corpus
            and split.side(clip) != "test"
            and EMOTIONS.index(clip.emotion) in validate.COMMON
        ]
        clips += [own[i] for i in rng.permutation(len(own))[:count]]
    cache = cache_folder(settings)
    segments = prepare([clip.path for clip in clips], cache)
    frames = compute_frames(
        segments, np.arange(len(segments)), settings.front, cache, workers=settings.workers
    )
    sides = np.full(len(clips), "validation")
    return replace(learned, clips=tuple(clips), sides=sides, segments=segments, clean=frames)


def foreign_to(settings: TrainSettings) -> tuple[str, ...]:
    """Name the corpora that do not teach."""
    return _OTHERS if settings.hold_out is None else (settings.hold_out,)


def row(data: Path, settings: TrainSettings, count: int = _CLIPS) -> str:
    """Train briefly, and return what came of it as a row."""
    material = read_material(data, settings)
    own = validate.validation_logits(material, settings)
    foreign = validate.validation_logits(others(data, settings, material, count), settings)
    last: dict[str, Any] = {}

    def judge(network: Any) -> dict[str, float]:
        model = validate.wrap(network, settings)
        figures, heard = validate.figures(own(model)), foreign(model)
        _, angry = heard.clips(Calibration())
        acted = heard.labels == ANGRY
        marked = [
            f"{name} {(angry[own & acted] >= 0.5).mean():.2f} {(angry[own & ~acted] >= 0.5).mean():.2f}"
            for name in foreign_to(settings)
            for own in [heard.corpora == name]
        ]
        last.update(own=figures, others=validate.figures(heard), marked=marked)
        return figures

    with tempfile.TemporaryDirectory() as folder:
        fit(material.examples, judge, settings, Path(folder) / "checkpoint.npz")
    cells = [
        *(f"{x:g}" for x in (settings.front.floor, settings.contrast, settings.front.depth, settings.narrow)),
        *(
            f"{last[whose][name]:.3f}"
            for whose in ("own", "others")
            for name in ("accuracy_common", "angry_roc_auc")
        ),
        ", ".join(last["marked"]),
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", nargs="+", metavar="FLOOR:CONTRAST[:DEPTH:NARROW]")
    parser.add_argument("--leave-out", metavar="CORPUS")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--cache", type=Path)
    asked = parser.parse_args(arguments)
    sys.stdout.write(HEADER + "\n")
    for run in asked.runs:
        floor, contrast, depth, narrow = [*map(float, run.split(":")), FrontEnd().depth, 0.0][:4]
        settings = TrainSettings(
            commercial=asked.leave_out is None,
            hold_out=asked.leave_out,
            epochs=asked.epochs,
            cache=asked.cache,
            front=FrontEnd(floor=floor, depth=depth),
            contrast=contrast,
            narrow=narrow,
            name="one-corpus",
        )
        if asked.leave_out:
            settings = replace(settings, distil=0.0, hints=0)
        count = _CLIPS if asked.leave_out is None else 2 * _CLIPS
        sys.stdout.write(row(asked.data, settings, count) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
