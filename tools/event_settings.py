"""Where an event should begin and end, and what surroundings add, on conversations of validation speakers.

Usage: python -m tools.event_settings DATA mel-cnn whisper-cnn

For each model 120 conversations of two minutes as ``blipper evaluate --scenes`` builds them, but of fold 1's
validation speakers (seeds 100 and 101), and 120 more in which every angry stretch is a single clip. Each is
analysed once, without surroundings; only what follows from the curve changes. Prints a Markdown table for
each model: releases at a threshold of 0.5, then surroundings, then the two as they ship and how long before
the threshold an event may begin, then all three as they ship and how long it has to last. The Brier score is
that of the curve's cells against whether somebody is angry there, over the conversations of both kinds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from blipper.analysis import analyze  # noqa: E402
from blipper.datasets import Clip, read_corpora  # noqa: E402
from blipper.fusion import SURROUNDINGS, EventSettings, Surroundings, find_events  # noqa: E402
from blipper.results import Curve, Span  # noqa: E402
from blipper.settings import Settings  # noqa: E402
from blipper.training import event_scores  # noqa: E402
from blipper.training.prepare import as_recording  # noqa: E402
from blipper.training.scenes import COUNT, LENGTH, build_scenes  # noqa: E402
from blipper.training.sounds import noise_files, sound_files  # noqa: E402
from blipper.training.splits import make_split  # noqa: E402
from blipper.voice.models import VoiceModel, load_model  # noqa: E402

SEEDS: Final = (100, 101)
#: Planned lengths of angry stretches: as the scenes have them, and so that one clip is enough.
KINDS: Final = {"stretches": LENGTH, "single clips": (0.01, 0.02)}
ONSETS: Final = tuple(round(0.05 * i, 2) for i in range(1, 20))
RELEASES: Final = (0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05)
#: Seconds over which surroundings count less by a factor e.
REACHES: Final = (0.5, 0.8, 1.0, 1.5, 2.0)
#: Seconds before the threshold that an event may take in.
RISES: Final = (1.0, 2.0, 3.0, 5.0)
#: Seconds that an event has to last.
SHORTEST: Final = (2.0, 3.0, 4.0, 5.0)
HEADER: Final = (
    "| {model} | F1 | precision | recall | false alarms an hour | recall at 10 an hour "
    "| single clips: recall | false alarms an hour | recall at 10 an hour | Brier score |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, eq=False)
class Heard:
    """A conversation and what the model made of it.

    Parameters
    ----------
    curve : Curve
    speech : tuple of Span
    angry : tuple of Span
        Where anger is known to be.
    duration : float
        Seconds.
    """

    curve: Curve
    speech: tuple[Span, ...]
    angry: tuple[Span, ...]
    duration: float


@dataclass(frozen=True)
class Point:
    """What one threshold does; see :func:`blipper.training.event_scores.match`."""

    precision: float
    recall: float
    alarms: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def hear(
    model: VoiceModel, clips: Sequence[Clip], data: Path, length: tuple[float, float], count: int = COUNT
) -> list[Heard]:
    """Analyse conversations of these clips' speakers."""
    noises, rooms = noise_files(data, "validation"), sound_files(data / "rir")
    plain, found = Settings(surroundings=0.0), []
    for seed in SEEDS:
        for scene in build_scenes(clips, noises, rooms, count=count, seed=seed, length=length):
            [track] = analyze(as_recording(scene.samples, "scene"), model=model, settings=plain).tracks
            found.append(Heard(track.curve, track.speech, scene.angry, scene.duration))
    return found


def at(heard: Sequence[Heard], settings: EventSettings) -> Point:
    """Count what these settings find."""
    found = [
        event_scores.match(find_events(one.curve, one.speech, settings=settings), one.angry, one.duration)
        for one in heard
    ]
    events, right = sum(one.events for one in found), sum(one.right for one in found)
    return Point(
        right / events if events else 0.0,
        sum(one.found for one in found) / sum(one.stretches for one in found),
        (events - right) / sum(one.calm for one in found) * 3600,
    )


def recall_at(heard: Sequence[Heard], alarms: float, settings: EventSettings) -> float:
    """Return the recall at so many false alarms an hour, between the two thresholds beside it."""
    points = sorted(
        (point.alarms, point.recall)
        for onset in ONSETS
        for point in [at(heard, replace(settings, onset=onset, release=min(settings.closing, onset / 2)))]
    )
    return float(np.interp(alarms, *zip(*points, strict=True)))


def brier(heard: Sequence[Heard]) -> float:
    """Return the mean squared distance of the curves' cells from whether somebody is angry there."""
    found = []
    for one in heard:
        angry = np.any([(one.curve.times >= s.start) & (one.curve.times < s.end) for s in one.angry], axis=0)
        found.append((one.curve.aggression - angry) ** 2)
    return float(np.nanmean(np.concatenate(found)))


def around(heard: Sequence[Heard], seconds: float) -> list[Heard]:
    """Return the same conversations with curves that take their surroundings in."""
    return [
        replace(
            one,
            curve=replace(
                one.curve, aggression=Surroundings(seconds, one.curve.step).apply(one.curve.aggression)
            ),
        )
        for one in heard
    ]


def rows(heard: dict[str, list[Heard]]) -> Iterator[str]:
    """Yield the table's rows."""
    for release in RELEASES:
        yield _row(f"events end below {release:g}", heard, EventSettings(0.5, release, rise=0.0))
    for reach in REACHES:
        wider = {kind: around(found, reach) for kind, found in heard.items()}
        yield _row(f"below 0.2, with {reach:g} s around", wider, EventSettings(0.5, 0.2, rise=0.0))
    shipped = {kind: around(found, SURROUNDINGS) for kind, found in heard.items()}
    for rise in RISES:
        name = f"below 0.2, with {SURROUNDINGS:g} s around, begin up to {rise:g} s before"
        yield _row(name, shipped, EventSettings(0.5, 0.2, rise))
    for shortest in SHORTEST:
        yield _row(
            f"as it ships, but {shortest:g} s long at least",
            shipped,
            EventSettings(0.5, min_duration=shortest),
        )


def _row(name: str, heard: dict[str, list[Heard]], settings: EventSettings) -> str:
    cells = [name]
    for kind, found in heard.items():
        point = at(found, settings)
        if kind == "stretches":
            cells += [f"{point.f1:.3f}", f"{point.precision:.3f}"]
        cells += [f"{point.recall:.3f}", f"{point.alarms:.1f}", f"{recall_at(found, 10, settings):.3f}"]
    cells.append(f"{brier([one for found in heard.values() for one in found]):.4f}")
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    asked = parser.parse_args(arguments)
    split = make_split(1)
    clips = [clip for clip in read_corpora(asked.data).clips if split.side(clip) == "validation"]
    for name in asked.models:
        model = load_model(name)
        heard = {kind: hear(model, clips, asked.data, length) for kind, length in KINDS.items()}
        sys.stdout.write(HEADER.format(model=name) + "\n")
        for row in rows(heard):
            sys.stdout.write(row + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
