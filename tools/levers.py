"""What was tried for whisper-cnn's head, one lever at a time, on validation speakers alone.

Usage: python tools/levers.py DATA [--fold 1]     (runs what is not on file, then rewrites the page's table)
       python tools/levers.py                     (rewrites the table alone)
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from blipper.training.levers import RECORD, run_levers, table  # noqa: E402

PAGE = ROOT / "docs" / "research" / "voice-models.md"
START, END = "<!-- table: tools/levers.py -->\n", "<!-- end of table -->"


def rewrite(text: str, runs: list[dict[str, object]]) -> str:
    """Put the table between the markers of a page."""
    head, rest = text.split(START)
    return head + START + table(runs) + "\n" + END + rest.split(END, 1)[1]


def main() -> None:
    """Run what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--fold", type=int, action="append")
    given = parser.parse_args()
    if given.data is None:
        runs = json.loads((ROOT / RECORD).read_text(encoding="utf-8"))
    else:
        from blipper.training.head_settings import HeadTrainSettings
        from blipper.training.train_whisper import encoder_file

        encoder = encoder_file(given.data, HeadTrainSettings())
        cache = Path(".cache", "training")
        runs = run_levers(given.data, encoder, ROOT / RECORD, cache, folds=given.fold or [1])
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), runs), encoding="utf-8")


if __name__ == "__main__":
    main()
