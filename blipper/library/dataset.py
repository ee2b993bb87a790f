"""Verdicts as labelled stretches of sound: what training, evaluation and export take.

A label is what most analysts say; a tie gives none. "Right" and "missed" say that the voice sounds angry;
"other emotion" names what it sounds like; "wrong" says only that it does not sound angry.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blipper.datasets import Clip
from blipper.errors import LibraryError
from blipper.library.agreement import Judged, group
from blipper.library.database import Database
from blipper.library.finding import search
from blipper.library.keeping import read_clip
from blipper.library.place import forget_training, training_folder
from blipper.library.values import Item
from blipper.library.verdicts import read_verdicts
from blipper.progress import Progress, silent
from blipper.training.added import Added
from blipper.training.splits import Side

#: What the library is called among the corpora.
CORPUS: Final = "library"
#: Of 256: recordings on the test side, and on the validation side after them.
_TEST: Final = 64
_VALIDATION: Final = 40


@dataclass(frozen=True)
class Labelled:
    """A judged stretch with a majority.

    Parameters
    ----------
    item : Item
        The recording.
    channels : {"mix", "separate"} or None
        How the judged analysis treated channels; None where that is not known any more.
    channel : int
    start, end : float
        Seconds.
    angry : bool
    emotion : str or None
        "angry", the other emotion that most named, or None where all that is known is that it is not anger.
    judged : Judged
        Every verdict on it.
    """

    item: Item
    channels: str | None
    channel: int
    start: float
    end: float
    angry: bool
    emotion: str | None
    judged: Judged

    @property
    def audible(self) -> bool:
        """Whether its sound is kept."""
        return self.channels in self.item.audio

    @property
    def side(self) -> Side:
        """The side of its recording; the same on every machine and every day."""
        return side_of(self.item.sha256)


def side_of(sha256: str) -> Side:
    """Return the side of a recording, by its content: a quarter tests, a sixth validates, the rest teaches.

    Parameters
    ----------
    sha256 : str
        Of the recording's bytes.
    """
    drawn = hashlib.sha256(f"blipper library {sha256}".encode()).digest()[0]
    if drawn < _TEST:
        return "test"
    return "validation" if drawn < _TEST + _VALIDATION else "train"


def read_labelled(database: Database) -> tuple[tuple[Labelled, ...], int]:
    """Return the judged stretches, and how many were left out for a tie.

    Verdicts on utterances count as well: an utterance is a stretch like any other.
    """
    items = {item.id: item for item in search(database)}
    layouts = {info.id: info.channels for item in items.values() for info in item.analyses}
    found, ties = [], 0
    for judged in group(read_verdicts(database)):
        item = items.get(judged.recording_id)
        if item is None:  # deleted between the two questions
            continue
        angry = judged.angry
        if angry is None:
            ties += 1
            continue
        found.append(
            Labelled(
                item=item,
                channels=_channels(judged, item, layouts),
                channel=judged.channel,
                start=judged.start,
                end=judged.end,
                angry=angry,
                emotion="angry" if angry else _emotion(judged),
                judged=judged,
            )
        )
    order = sorted(found, key=lambda row: (row.item.sha256, row.channel, row.start))
    return tuple(order), ties


def _channels(judged: Judged, item: Item, layouts: dict[str, str]) -> str | None:
    for verdict in judged.verdicts.values():
        if verdict.analysis_id in layouts:
            return layouts[verdict.analysis_id]
    # The analysis is gone: only where everything else agrees is it clear which channel was meant.
    known = {info.channels for info in item.analyses} | item.audio
    return known.pop() if len(known) == 1 else None


def _emotion(judged: Judged) -> str | None:
    named = Counter(verdict.emotion for verdict in judged.verdicts.values() if verdict.emotion is not None)
    most = named.most_common(2)
    if not most or (len(most) == 2 and most[0][1] == most[1][1]):
        return None
    return most[0][0]


@contextmanager
def lesson(database: Database, *, progress: Progress = silent) -> Iterator[Added]:
    """Cut the judged stretches whose sound is kept into files for training, and remove them afterwards.

    The files lie in the user's data folder, in :func:`blipper.library.place.training_folder`, where what
    training makes of them belongs too: a deletion from the library removes that folder as well, and so does a
    run that came to its end. An interrupted one leaves it, to go on from there.

    Yields
    ------
    Added

    Raises
    ------
    LibraryError
        If no stretch is on the training side.
    """
    import soundfile

    labelled, ties = read_labelled(database)
    folder = training_folder() / "clips"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clips: list[tuple[Clip, Side]] = []
    calm: list[Path] = []
    counts = dict.fromkeys(("train", "validation", "calm", "held_out", "without_sound"), 0) | {"ties": ties}
    for number, row in enumerate(labelled):
        progress("library", number, len(labelled))
        if row.side == "test":
            counts["held_out"] += 1
            continue
        clip = None
        if row.channels is not None:
            clip = read_clip(database, row.item.id, row.channels, row.channel, row.start, row.end)
        if clip is None or not len(clip[0]):
            counts["without_sound"] += 1
            continue
        stem = f"{row.item.id}-{row.channel}-{round(row.start * 1000)}-{round(row.end * 1000)}"
        path = folder / f"{stem}.flac"
        soundfile.write(path, clip[0], clip[1], format="FLAC", subtype="PCM_16")
        if row.emotion is not None:
            clips.append((_clip(path, row, row.emotion), row.side))
            counts[row.side] += 1
        elif row.side == "train":
            calm.append(path)
            counts["calm"] += 1
    progress("library", len(labelled), len(labelled))
    if not counts["train"] + counts["calm"]:
        forget_training()
        raise LibraryError(
            f"{database.shown}: nothing to learn from: of {len(labelled)} judged stretches "
            f"{counts['held_out']} are held out for testing, {counts['validation']} for validation, and of "
            f"{counts['without_sound']} no sound is kept"
        )
    yield Added(tuple(clips), tuple(calm), counts)
    forget_training()


def _clip(path: Path, row: Labelled, emotion: str) -> Clip:
    return Clip(
        path=path,
        corpus=CORPUS,
        speaker=row.item.id,
        sex="unknown",
        emotion=emotion,
        intensity="unspecified",
        sentence="",
        key=f"{CORPUS}/{path.stem}",
    )


__all__: Sequence[str] = ("CORPUS", "Labelled", "lesson", "read_labelled", "side_of")
