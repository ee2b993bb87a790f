"""How fast Blipper goes, stage by stage, beside what people use today, in one run.

Run it from the checkout's root::

    python -m benchmarks.speed [--minutes 10] [--repeats 5] [--loop-repeats 3]

"Today" is the loop of the common notebooks: every 0.5 s a window of 3 s, and for each window librosa's
zero-crossing rate, chroma, MFCC, RMS and mel features at their defaults. It computes features only, without
looking for speech and without a model, so the ratio is in its favour. For the speech detector the yardstick
is the ``silero-vad`` package's own chunk-after-chunk loop.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import engines, material, models, report, texts
from benchmarks.explanations import explanations, verdicts

TARGET = 150.0


def librosa_loop(path: Path) -> int:
    """Go through a recording as notebooks do; return the number of windows."""
    return len(notebook_vectors(path))


def notebook_vectors(path: Path) -> list[NDArray[np.floating[Any]]]:
    """Compute what notebooks compute of each window, 162 numbers."""
    import librosa

    samples, rate = librosa.load(path)  # 22,050 Hz mono, librosa's defaults
    length, hop = 3 * rate, rate // 2
    vectors = []
    for first in range(0, max(1, len(samples) - length + 1), hop):
        window = samples[first : first + length]
        spectrum = np.abs(librosa.stft(window))
        vectors.append(
            np.hstack(
                [
                    np.mean(librosa.feature.zero_crossing_rate(y=window).T, axis=0),
                    np.mean(librosa.feature.chroma_stft(S=spectrum, sr=rate).T, axis=0),
                    np.mean(librosa.feature.mfcc(y=window, sr=rate).T, axis=0),
                    np.mean(librosa.feature.rms(y=window).T, axis=0),
                    np.mean(librosa.feature.melspectrogram(y=window, sr=rate).T, axis=0),
                ]
            )
        )
    return vectors


def stages(path: Path, repeats: int) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Time every stage of the road on a warm process, then the whole."""
    from blipper import audio, fusion, quality, speech
    from blipper.analysis import analyze, score_windows, windows_over
    from blipper.settings import Settings
    from blipper.voice.models import load_model

    model = load_model("mel-cnn")
    settings = Settings()
    analysis = analyze(path, model=model)  # warms every stage, and gives their inputs
    recording = audio.load(path)
    track = analysis.tracks[0]
    spans = track.speech
    placed = windows_over(spans, recording.duration, model, settings)

    def fuse() -> None:
        curve = fusion.smooth(track.windows, spans, recording.duration)
        fusion.find_events(curve, spans, settings=settings.events(model.info.threshold))
        fusion.trend(curve)

    road: dict[str, Callable[[], Any]] = {
        "decode": lambda: audio.load(path),
        "quality": lambda: quality.assess(recording, 0, spans),
        "speech": lambda: speech.detect_speech(recording),
        "voice": lambda: score_windows(recording, 0, placed, model),
        "fusion": fuse,
        "whole": lambda: analyze(path, model=model),
    }
    facts = {
        "duration_s": recording.duration,
        "speech_s": track.speech_seconds,
        "windows": len(placed),
        "model": model.info.name,
    }
    return {name: report.timed(stage, repeats) for name, stage in road.items()}, facts


def decoding(samples: material.Samples, folder: Path, repeats: int) -> dict[str, dict[str, Any]]:
    """Time decoding alone, for the formats that people have."""
    from blipper import audio

    files = {
        "WAV, 16 kHz mono": material.write(samples, folder / "a.wav"),
        "WAV, 48 kHz stereo": material.write(samples, folder / "b.wav", rate=48_000, channels=2),
        "FLAC, 44.1 kHz stereo": material.write(samples, folder / "c.flac", rate=44_100, channels=2),
        "MP3, 44.1 kHz stereo": material.write(samples, folder / "d.mp3", rate=44_100, channels=2),
        "Ogg Opus, 48 kHz mono": material.write(
            samples, folder / "e.opus", rate=48_000, format="OGG", subtype="OPUS"
        ),
    }
    return {name: report.timed(lambda path=path: audio.load(path), repeats) for name, path in files.items()}


def speech_detectors(samples: material.Samples, repeats: int) -> dict[str, dict[str, Any]]:
    """Time Blipper's speech detection beside the silero-vad package's own loops."""
    import torch
    from silero_vad import get_speech_timestamps, load_silero_vad
    from silero_vad.sequence_vad import get_speech_timestamps_sequence

    from blipper import audio, speech

    recording = audio.from_samples(samples, material.RATE)
    tensor = torch.from_numpy(samples.copy())
    found = {"Blipper": report.timed(lambda: speech.detect_speech(recording), repeats)}
    for name, onnx in (
        ("silero-vad, ONNX, chunk by chunk", True),
        ("silero-vad, TorchScript, chunk by chunk", False),
    ):
        model = load_silero_vad(onnx=onnx)
        get_speech_timestamps(tensor[: 10 * material.RATE], model)
        found[name] = report.timed(lambda model=model: get_speech_timestamps(tensor, model), repeats)
    sequence = load_silero_vad(sequence=True)
    found["silero-vad, its own sequence mode"] = report.timed(
        lambda: get_speech_timestamps_sequence(samples, sequence), repeats
    )
    return found


def start_up(path: Path, repeats: int) -> dict[str, dict[str, Any]]:
    """Time what a person waits for first: the imports, the model, and one command from cold."""
    code = (
        "import time; a = time.perf_counter(); import tensorflow; b = time.perf_counter();"
        "from blipper.voice.models import load_model; c = time.perf_counter(); load_model('mel-cnn');"
        "d = time.perf_counter(); print(b - a, d - c)"
    )
    measured = [
        list(map(float, _run("-c", code).split()[-2:])) for _ in range(repeats)
    ]  # a fresh process each: a second load in one process would be cached
    found = {}
    for column, name in enumerate(("import tensorflow", "load the model after that")):
        times = [row[column] for row in measured]
        found[name] = {"median": float(np.median(times)), "min": min(times), "max": max(times), "all": times}
    found["blipper --help"] = report.timed(lambda: _run("-m", "blipper", "--help"), repeats)
    found["blipper analyze, from a cold start"] = report.timed(
        lambda: _run("-m", "blipper", "analyze", str(path), "--model", "mel-cnn"), max(1, repeats // 2)
    )
    return found


def _run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--loop-repeats", type=int, default=3, help="of the slow yardsticks")
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)

    result: dict[str, Any] = {"machine": report.machine()}
    print(result["machine"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, assemble in material.KINDS.items():
            samples, description = assemble(options.minutes * 60)
            path = material.write(samples, folder / f"{kind}.mp3", rate=44_100, channels=2)
            road, facts = stages(path, options.repeats)
            facts |= {"material": f"{options.minutes:g} min, MP3 44.1 kHz stereo; {description}"}
            result[kind] = facts | {
                "stages": road,
                "whole_x_real_time": facts["duration_s"] / road["whole"]["median"],
            }
            show(f"{kind}: {facts['material']}, {facts['windows']} windows", road, facts["duration_s"])
        samples, _ = material.reading(options.minutes * 60)
        path, duration = folder / "reading.mp3", options.minutes * 60
        librosa_loop(material.write(samples[: 4 * material.RATE], folder / "warm.wav"))  # its JIT compiles
        result["today"] = {
            "librosa feature loop": report.timed(lambda: librosa_loop(path), options.loop_repeats)
        }
        show("what people use today, on the reading", result["today"], duration)
        result["decoding"] = decoding(samples, folder, options.repeats)
        show("decoding, by format", result["decoding"], duration)
        result["speech_detection"] = speech_detectors(samples, options.repeats)
        show("finding speech", result["speech_detection"], duration)
        result["models"] = models.measure(path, options.repeats)
        print("\nevery voice model, each in a process of its own, on the reading")
        models.show(result["models"])
        result["explanations"], _ = explanations(options.repeats, "mel-cnn")
        show("explaining one window of 3 s, mel-cnn", result["explanations"], None)
        minutes = min(options.minutes, 3.0)
        short = material.write(samples[: round(minutes * 60 * material.RATE)], folder / "short.flac")
        voice = result["reading"]["stages"]["whole"]["median"] * minutes / options.minutes
        result["words"] = engines.measure(
            short, folder, minutes * 60, voice=voice, repeats=min(options.repeats, 3)
        )
        print(f"\nwriting the words, each engine in a process of its own, on {minutes:g} min of the reading")
        engines.show(result["words"])
        result["texts"] = texts.measure()
        print("\nscoring the words, each text model in a process of its own")
        texts.show(result["texts"])
        result["start_up"] = start_up(path, 3)
        show("start-up", result["start_up"], None)

    whole = result["reading"]["stages"]["whole"]["median"]
    detectors = result["speech_detection"]
    result["ratios"] = {
        "librosa_loop_over_whole_road": result["today"]["librosa feature loop"]["median"] / whole,
        **{
            f"librosa_loop_over_whole_road_with_{name}": result["today"]["librosa feature loop"]["median"]
            / value["whole"]["median"]
            for name, value in result["models"].items()
            if "whole" in value
        },
        **{
            f"{name}_over_blipper": value["median"] / detectors["Blipper"]["median"]
            for name, value in detectors.items()
            if name != "Blipper"
        },
    }
    print()
    for name, ratio in result["ratios"].items():
        print(f"{name}: {ratio:.1f}")
    for kind in material.KINDS:
        speed = result[kind]["whole_x_real_time"]
        verdict = "reached" if speed >= TARGET else "MISSED"
        print(f"{kind}: the whole road at {speed:.0f} times real time; target {TARGET:.0f} {verdict}")
    print("\n".join(verdicts(result["explanations"])))
    report.save("speed", result, options.save)


def show(title: str, group: dict[str, dict[str, Any]], duration: float | None) -> None:
    """Print one group of timings."""
    print(f"\n{title}")
    rows = [
        (
            *(key, f"{value['median']:.3f}", f"{value['min']:.3f}"),
            "" if duration is None else f"{duration / value['median']:,.0f}",
        )
        for key, value in group.items()
    ]
    report.table(("", "median s", "min s", "" if duration is None else "x real time"), rows)


if __name__ == "__main__":
    main()
