"""What each engine for transcripts costs: times real time, and memory, in a process of its own.

Called by :mod:`benchmarks.speed`; alone, on some minutes of reading::

    python -m benchmarks.engines [--minutes 3]

Whisper's weights cannot be shipped, so its figure comes from a checkpoint of ``tiny.en``'s dimensions with
random weights, built here, which says 100 tokens for every piece of speech (75 words in 30 s is how fast
people read): the same multiplications as the real one does where nothing has to be tried twice. With real
weights on this machine (``BLIPPER_WHISPER``) they are measured too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import checkpoints, material, report

#: Tokens that the checkpoint says for each piece.
TOKENS = 100


def measure(path: Path, folder: Path, duration: float) -> dict[str, dict[str, Any]]:
    """Time each engine on a recording.

    Parameters
    ----------
    path : Path
        The recording.
    folder : Path
        Where the checkpoint may be written.
    duration : float
        The recording's, in seconds.

    Returns
    -------
    dict
        By engine: ``load_s`` (with the first second of speech), ``words_s`` (transcribing alone, on detected
        speech), ``x_real_time``, ``peak_mb`` (largest resident set of the process) and ``utterances``.
    """
    from blipper.words import weights

    fake = _tiny_checkpoint(folder / "random-tiny.en.pt")
    engines = {
        "PocketSphinx": "pocketsphinx",
        "Whisper, random weights of tiny.en's size": f"whisper:{fake}",
        **{f"Whisper {name}": f"whisper:{name}" for name in weights.installed()},
    }
    found = {}
    for name, engine in engines.items():
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.engines", "--one", engine, "--recording", str(path)],
            check=True,
            capture_output=True,
            text=True,
        )
        found[name] = json.loads(done.stdout.splitlines()[-1])
        found[name]["x_real_time"] = round(duration / found[name]["words_s"], 2)
    return found


def show(found: dict[str, dict[str, Any]], voice: float | None = None) -> None:
    """Print a table; with the seconds of an analysis without words, also the share that words cost."""
    rows = []
    for name, row in found.items():
        share = "" if voice is None else f"{100 * row['words_s'] / (row['words_s'] + voice):.0f} %"
        rows.append(
            (
                *(name, f"{row['load_s']:.1f}", f"{row['words_s']:.1f}", f"{row['x_real_time']:.1f}"),
                *(f"{row['peak_mb']:.0f}", share),
            )
        )
    report.table(("", "load s", "words s", "x real time", "peak MB", "of an analysis"), rows)


def _tiny_checkpoint(path: Path) -> Path:
    tokens = checkpoints.spoken((0.0, " the", 29.0))
    spoken = [tokens[0], *checkpoints.varied(TOKENS), tokens[-1]]
    return checkpoints.save_speaking(path, spoken, dims=checkpoints.TINY_EN)


def _one(engine: str, path: Path) -> dict[str, Any]:
    import resource
    import time

    from blipper import audio, speech
    from blipper.results import Span
    from blipper.words.guards import Guards
    from blipper.words.transcribe import load_engine

    recording = audio.load(path)
    spans = speech.detect_speech(recording)
    began = time.perf_counter()
    loaded = load_engine(engine)
    if hasattr(loaded, "guards"):
        # What a random model says is rightly not believed; here it only has to be said.
        loaded.guards = Guards(compression_ratio=1e9, log_probability=-1e9, lowest_log_probability=-1e9)
    loaded.transcribe(recording, 0, [Span(spans[0].start, spans[0].start + 1)])  # compiles what is compiled
    ready = time.perf_counter()
    transcript = loaded.transcribe(recording, 0, spans)
    return {
        "load_s": round(ready - began, 3),
        "words_s": round(time.perf_counter() - ready, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "utterances": len(transcript.utterances),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_one(options.one, options.recording)))
        return
    with tempfile.TemporaryDirectory() as name:
        samples, description = material.reading(options.minutes * 60)
        path = material.write(samples, Path(name) / "reading.flac", format="FLAC")
        print(description)
        show(measure(path, Path(name), options.minutes * 60))


if __name__ == "__main__":
    main()
