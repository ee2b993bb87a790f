"""Seconds per explained window or utterance, by method, on a warm process; also part of ``benchmarks.speed``.

Run it from the checkout's root::

    python -m benchmarks.explanations [--repeats 5] [--model NAME]

Integrated gradients should take at most 1 s for a window of 3 s and SHAP for the top class at most 3 s, on 2
cores after loading.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import material, report

#: What is said in an utterance of as many words: all coalitions are tried for the short one.
SENTENCES = {
    8: "you never listen to a word i say",
    20: "i have told you twice now that i want my money back today and not some time next month please",
}
#: Seconds that a window may take, by method.
TARGETS = {"integrated gradients": 1.0, "SHAP, top class": 3.0}


def explanations(repeats: int, model: str = "auto") -> tuple[dict[str, dict[str, Any]], str]:
    """Time each method on one window of 3 s of speech; the first call of each, which compiles, apart.

    Returns
    -------
    timings : dict
        By method, as :func:`benchmarks.report.timed` gives them; ``"..., first call"`` besides.
    name : str
        The model's name.
    """
    from blipper import speech
    from blipper.audio import from_samples
    from blipper.explain.pieces import leave_one_out
    from blipper.explain.targets import TARGETS as ALL
    from blipper.explain.voice import integrated_gradients, shap_values
    from blipper.explain.what_if import what_if
    from blipper.results import Span
    from blipper.voice.models import load_model

    samples, _ = material.reading(60)
    voice = load_model(model)
    spans = speech.detect_speech(from_samples(samples, material.RATE))
    longest = max(spans, key=lambda span: span.duration)
    start = round(longest.start * material.RATE)
    window = samples[start : start + 3 * material.RATE]
    seconds = len(window) / material.RATE
    emotions, _ = voice.score_windows(window, material.RATE, [0.0], [seconds])
    top = ALL[int(np.argmax(emotions[0]))]
    whole = [Span(0.0, seconds)]
    ways = {
        "integrated gradients": lambda: integrated_gradients(voice, window, material.RATE, target=top),
        "SHAP, top class": lambda: shap_values(voice, window, material.RATE, target=top),
        "leave one piece out": lambda: leave_one_out(voice, window, material.RATE, whole),
        "what if": lambda: what_if(voice, window, material.RATE, whole),
    }
    ways |= words()
    found = {}
    for name, way in ways.items():
        found[f"{name}, first call"] = report.timed(way, 1)
        found[name] = report.timed(way, repeats)
    return found, voice.info.name


def words(model: str = "built-in") -> dict[str, Callable[[], Any]]:
    """Return the ways of explaining an utterance's words; none where the text model is not installed.

    Raises
    ------
    ModelError
        If the model is damaged.
    """
    from blipper.explain.words import explain_words
    from blipper.words.sentiment import load_text_model
    from blipper.words.text_builtin import built_in_folder
    from blipper.words.transcript import Utterance

    if model == "built-in" and not built_in_folder().is_dir():
        print(f"words: not timed, since {built_in_folder()} is not there")
        return {}
    reader = load_text_model(model)
    ways: dict[str, Callable[[], Any]] = {}
    for count, text in SENTENCES.items():
        said = Utterance(0.0, 0.3 * count, text)
        assert len(text.split()) == count
        ways[f"SHAP of {count} words"] = lambda said=said: explain_words(said, [reader])
    return ways


def verdicts(timings: dict[str, dict[str, Any]]) -> list[str]:
    """Say for each target whether it was reached."""
    return [
        f"{name}: {timings[name]['median']:.2f} s a window; target {target:g} s "
        + ("reached" if timings[name]["median"] <= target else "MISSED")
        for name, target in TARGETS.items()
    ]


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    options = parser.parse_args()
    timings, name = explanations(options.repeats, options.model)
    rows = [(key, f"{value['median']:.3f}", f"{value['min']:.3f}") for key, value in timings.items()]
    report.table(("", "median s", "min s"), rows)
    print("\n".join(verdicts(timings)))
    result = {"machine": report.machine(), "model": name, "seconds_a_window": timings}
    report.save("explanations", result, options.save)


if __name__ == "__main__":
    main()
