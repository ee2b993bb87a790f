"""In what share of clips the speech detector hears nobody, by corpus and class.

Usage: python -m benchmarks.speech_misses [DATA]   (a minute on 2 cores; no split, since nothing is trained)
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import soundfile

from blipper.datasets import read_corpora
from blipper.speech import spans_from_probabilities, speech_probabilities


def main(data: Path) -> None:
    """Count and print."""
    clips = [(f"{clip.corpus} {clip.emotion}", clip.path) for clip in read_corpora(data).clips]
    for kind in ("nonverbal", "noise"):
        clips += [(f"{kind} {path.parent.name}", path) for path in sorted((data / kind).glob("*/*.opus"))]
    heard, missed = Counter(), Counter()
    for group, path in clips:
        samples, rate = soundfile.read(path, dtype="float32")
        spans = spans_from_probabilities(speech_probabilities([samples]), len(samples) / rate)
        heard[group] += bool(spans)
        missed[group] += not spans
    print(f"{'group':32s} clips  nobody heard")
    for group in sorted(heard | missed):
        n = heard[group] + missed[group]
        print(f"{group:32s} {n:5d}  {missed[group] / n:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BLIPPER_DATA", "../shared")))
