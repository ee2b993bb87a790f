"""In what share of clips the speech detector hears nobody, by corpus, class and intensity.

Usage: python -m benchmarks.speech_misses [DATA]   (five minutes; no split, since nothing is trained)

"own speed" is Silero VAD alone; "both looks" is what Blipper does (blipper.second_look).
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
    clips = [
        (f"{clip.corpus} {clip.emotion} {clip.intensity}", clip.path) for clip in read_corpora(data).clips
    ]
    for kind in ("nonverbal", "noise"):
        clips += [(f"{kind} {path.parent.name}", path) for path in sorted((data / kind).glob("*/*.opus"))]
    n, missed = Counter(), {False: Counter(), True: Counter()}
    total, spoken = Counter(), {False: Counter(), True: Counter()}
    for group, path in clips:
        samples, rate = soundfile.read(path, dtype="float32")
        length = len(samples) / rate
        n[group] += 1
        total[group] += length
        for shouts in (False, True):
            spans = spans_from_probabilities(speech_probabilities([samples], shouts=shouts), length)
            missed[shouts][group] += not spans
            spoken[shouts][group] += sum(span.duration for span in spans)
    print(f"{'':38s}        nobody is heard in        share of the time that is speech")
    print(f"{'group':38s} clips  own speed  both looks  own speed  both looks")
    for group in sorted(n):
        shares = [missed[s][group] / n[group] for s in (False, True)]
        shares += [spoken[s][group] / total[group] for s in (False, True)]
        print(f"{group:38s} {n[group]:5d}  " + "  ".join(f"{share:9.3f}" for share in shares))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BLIPPER_DATA", "../shared")))
