"""What each engine for transcripts costs: times real time, and memory, in a process of its own.

Called by :mod:`benchmarks.speed`; alone, on some minutes of reading::

    python -m benchmarks.engines [--minutes 3]

Whisper's weights cannot be shipped, so its figure comes from a checkpoint of ``tiny.en``'s dimensions with
random weights, built here, which says 100 tokens for every piece of speech (75 words in 30 s is how fast
people read): the same multiplications as the real one does where nothing has to be tried twice. With real
weights on this machine (``BLIPPER_WHISPER``) they are measured too. How much it saves that each stretch of
sound is encoded once (:mod:`blipper.words.encodings`) comes from turns with and without that, in one process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import checkpoints, material, report

#: Tokens that the checkpoint says for each piece.
TOKENS = 100

#: Its file.
RANDOM = "random-tiny.en.pt"


def measure(
    path: Path, folder: Path, duration: float, *, voice: float | None = None, repeats: int = 3
) -> dict[str, dict[str, Any]]:
    """Time each engine on a recording.

    Parameters
    ----------
    path : Path
        The recording.
    folder : Path
        Where the checkpoint may be written.
    duration : float
        The recording's, in seconds.
    voice : float, optional
        Seconds that an analysis of it takes without words.
    repeats : int, optional

    Returns
    -------
    dict
        By engine: ``load_s`` (with the first second of speech), ``words_s`` (transcribing alone, on detected
        speech; the median), ``x_real_time``, ``read_s`` (the built-in text model's scores of what came out,
        where it is installed), ``peak_mb`` (largest resident set of the process) and ``utterances``; with
        `voice` also ``share_of_analysis``, what writing and reading the words take of it all. Of Whisper also
        ``encoder``: how often an encoding was asked for and made, and the seconds where each is made anew.
    """
    from blipper.words import weights

    fake = _tiny_checkpoint(folder / RANDOM)
    engines = {
        "PocketSphinx": "pocketsphinx",
        "Whisper, random weights of tiny.en's size": f"whisper:{fake}",
        **{f"Whisper {name}": f"whisper:{name}" for name in weights.installed()},
    }
    found = {}
    for name, engine in engines.items():
        done = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.engines", "--one", engine),
                *("--recording", str(path), "--repeats", str(repeats)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        row = found[name] = json.loads(done.stdout.splitlines()[-1])
        row["x_real_time"] = round(duration / row["words_s"], 2)
        if voice is not None:
            words = row["words_s"] + (row["read_s"] or 0.0)
            row["share_of_analysis"] = round(words / (words + voice), 4)
    return found


def show(found: dict[str, dict[str, Any]]) -> None:
    """Print a table, with the share of an analysis where it is known, and what encoding once saves."""
    rows = []
    for name, row in found.items():
        share = f"{100 * row['share_of_analysis']:.0f} %" if "share_of_analysis" in row else ""
        read = "" if row["read_s"] is None else f"{row['read_s']:.2f}"
        rows.append(
            (
                *(name, f"{row['load_s']:.1f}", f"{row['words_s']:.1f}", f"{row['x_real_time']:.1f}"),
                *(read, f"{row['peak_mb']:.0f}", share),
            )
        )
    report.table(("", "load s", "words s", "x real time", "read s", "peak MB", "of an analysis"), rows)
    for name, row in found.items():
        if encoder := row.get("encoder"):
            print(
                f"{name}: {encoder['runs']} encodings for {encoder['asked']} uses; with one for each use "
                f"{encoder['anew_s']:.1f} s, {encoder['anew_s'] / row['words_s']:.2f} times as long"
            )


def _tiny_checkpoint(path: Path) -> Path:
    tokens = checkpoints.spoken((0.0, " the", 29.0))
    spoken = [tokens[0], *checkpoints.varied(TOKENS), tokens[-1]]
    return checkpoints.save_speaking(path, spoken, dims=checkpoints.TINY_EN)


def _one(engine: str, path: Path, repeats: int) -> dict[str, Any]:
    import time

    from blipper import audio, speech
    from blipper.results import Span
    from blipper.words.encodings import Encodings
    from blipper.words.guards import Guards
    from blipper.words.text_loading import load_readers
    from blipper.words.transcribe import load_engine

    recording = audio.load(path)
    spans = speech.detect_speech(recording)
    began = time.perf_counter()
    loaded: Any = load_engine(engine)
    whisper = hasattr(loaded, "encodings")
    if engine.endswith(RANDOM):
        # What a random model says is rightly not believed; here it only has to be said.
        loaded.guards = Guards(compression_ratio=1e9, log_probability=-1e9, lowest_log_probability=-1e9)
    loaded.transcribe(recording, 0, [Span(spans[0].start, spans[0].start + 1)])  # compiles what is compiled
    found: dict[str, Any] = {"load_s": round(time.perf_counter() - began, 3)}

    def timed() -> tuple[float, Any]:
        begin = time.perf_counter()
        transcript = loaded.transcribe(recording, 0, spans)
        return time.perf_counter() - begin, transcript

    once, anew = [], []
    for _ in range(repeats):
        if whisper:
            loaded.encodings = Encodings(loaded.model)
        seconds, transcript = timed()
        once.append(seconds)
        if whisper:
            found["encoder"] = {"asked": loaded.encodings.asked, "runs": loaded.encodings.runs}
            loaded.encodings = Encodings(loaded.model, 0)
            anew.append(timed()[0])
    found["words_s"] = round(statistics.median(once), 3)
    if whisper:
        found["encoder"]["anew_s"] = round(statistics.median(anew), 3)
    found["peak_mb"] = round(report.peak_mb())
    found["utterances"] = len(transcript.utterances)
    readers = load_readers("built-in")
    found["read_s"] = None
    if readers.models:
        readers.read((transcript,))
        begin = time.perf_counter()
        readers.read((transcript,))
        found["read_s"] = round(time.perf_counter() - begin, 3)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--recording", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_one(options.one, options.recording, options.repeats)))
        return
    with tempfile.TemporaryDirectory() as name:
        samples, description = material.reading(options.minutes * 60)
        path = material.write(samples, Path(name) / "reading.flac", format="FLAC")
        print(description)
        show(measure(path, Path(name), options.minutes * 60, repeats=options.repeats))


if __name__ == "__main__":
    main()
