"""How many words PocketSphinx gets wrong, on clean reading and on acted emotion.

Run it from the checkout's root, with the corpora in ``../shared`` or where BLIPPER_DATA points::

    python -m benchmarks.words [--clips 20] [--save FILE]

``speech/`` are six recordings with exact transcripts; the way in which speech is cut for PocketSphinx was
chosen by looking at them, so other reading will come out worse. The acted clips (random ones of each corpus,
speakers of the test fold and others alike, since nothing was fitted to any) were not looked at.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import material, report

#: Spelled in two ways, of which a transcript knows one.
_SAME = {"mr": "mister", "mrs": "missus", "o'clock": "oclock", "okay": "ok"}


def normalised(text: str) -> str:
    """Return lower-case words without punctuation, abbreviations spelled out."""
    words = re.sub(r"[^\w' ]", " ", text.lower()).split()
    return " ".join(_SAME.get(word, word) for word in words)


def plain_speech() -> list[tuple[Path, str]]:
    """Return the files of ``speech/`` with what is said in them."""
    folder = material.DATA / "speech"
    with (folder / "transcripts.tsv").open(encoding="utf-8", newline="") as stream:
        return [(folder / row["file"], row["text"]) for row in csv.DictReader(stream, delimiter="\t")]


def acted(n_clips: int, seed: int = 0) -> Iterator[tuple[str, list[tuple[Path, str]]]]:
    """Yield random clips of the corpora whose sentences are known, with their sentences."""
    from blipper.datasets import read_corpora

    rng = np.random.default_rng(seed)
    corpora = read_corpora(material.DATA)
    for corpus in corpora.names:
        # A corpus that publishes no sentences has their codes instead, which are one word.
        clips = [clip for clip in corpora if clip.corpus == corpus and " " in clip.sentence]
        chosen = [clips[index] for index in rng.permutation(len(clips))[:n_clips]]
        if chosen:
            yield corpus, [(clip.path, clip.sentence) for clip in chosen]


def measure(clips: list[tuple[Path, str]], engine: Any) -> dict[str, Any]:
    """Transcribe clips and count the errors."""
    import jiwer

    from blipper import audio
    from blipper.speech import detect_speech

    wanted, found, right, confidence = [], [], [], []
    for path, text in clips:
        recording = audio.load(path)
        transcript = engine.transcribe(recording, 0, detect_speech(recording))
        wanted.append(normalised(text))
        found.append(normalised(transcript.text))
        known = set(wanted[-1].split())
        for utterance in transcript.utterances:
            right += [normalised(word.text) in known for word in utterance.words]
            confidence += [word.confidence for word in utterance.words]
    sure = np.array(confidence) >= 0.5
    hits = np.array(right)
    return {
        "clips": len(clips),
        "words": sum(len(text.split()) for text in wanted),
        "word error rate": round(float(jiwer.wer(wanted, found)), 4),
        "share of words above confidence 0.5": round(float(sure.mean()), 4),
        "right among those": round(float(hits[sure].mean()), 4) if sure.any() else None,
        "right among the others": round(float(hits[~sure].mean()), 4) if (~sure).any() else None,
    }


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clips", type=int, default=20, help="acted clips of each corpus")
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    options = parser.parse_args()

    from blipper.words.recognise_sphinx import SphinxEngine

    engine = SphinxEngine()
    result: dict[str, Any] = {
        "engine": engine.name,
        "speech (used for tuning)": measure(plain_speech(), engine),
    }
    if options.clips:
        result |= {f"{name} (acted)": measure(clips, engine) for name, clips in acted(options.clips)}
    for name, row in result.items():
        if isinstance(row, dict):
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    report.save("words", result, options.save)


if __name__ == "__main__":
    main()
