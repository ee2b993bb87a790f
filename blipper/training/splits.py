"""Who is on which side: speaker-disjoint folds, and the split of the shipped model.

Fold k of every corpus is held out together. RAVDESS follows EmoBox's folds of actors, CREMA-D the test
speakers of EMO-SUPERB; SAVEE and TESS leave one speaker out. TESS has two folds only, so fold k holds out its
fold ``(k - 1) % 2 + 1``, and SAVEE's four and CREMA-D's five come round likewise. In figures over all folds a
clip counts once, in the first fold that holds it out (:func:`first_fold`). Leaving a corpus out
(:func:`leave_out`) tests on speakers, rooms, microphones and sentences that are all unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from blipper.datasets import Clip
from blipper.errors import DatasetError, SettingsError

Side = Literal["train", "validation", "test"]


def _actors(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(actor) for actor in range(first, last + 1))


#: Test speakers of each fold, by corpus.
FOLDS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "ravdess": (
        ("01", "11", "20", "21"),
        ("04", "10", "12", "14"),
        ("08", "09", "19", "23"),
        ("03", "05", "07", "24"),
        ("02", "15", "16", "18"),
        ("06", "13", "17", "22"),
    ),
    "crema-d": (
        _actors(1001, 1018),
        _actors(1019, 1036),
        _actors(1037, 1054),
        _actors(1055, 1072),
        _actors(1073, 1091),
    ),
    "savee": (("JE",), ("KL",), ("DC",), ("JK",)),
    "tess": (("OAF",), ("YAF",)),
}

#: How many folds the combined scheme has.
N_FOLDS: Final = 6


@dataclass(frozen=True)
class Split:
    """Which speaker is on which side.

    Parameters
    ----------
    fold : int or str
        From 1; or the corpus that is left out.
    test, validation : frozenset of (corpus, speaker)
        Everybody else teaches.
    """

    fold: int | str
    test: frozenset[tuple[str, str]]
    validation: frozenset[tuple[str, str]]

    def side(self, clip: Clip) -> Side:
        """Return the side that a clip's speaker is on."""
        who = (clip.corpus, clip.speaker)
        if who in self.test:
            return "test"
        return "validation" if who in self.validation else "train"


def make_split(fold: int = 1) -> Split:
    """Return fold `fold`'s sides; fold 1 is the shipped model's.

    Validation speakers are those of the next fold (for CREMA-D the first nine of them); TESS gives none,
    since it would leave nobody to learn from.

    Parameters
    ----------
    fold : int
        1 to :data:`N_FOLDS`.

    Returns
    -------
    Split

    Raises
    ------
    SettingsError
        If there is no such fold.
    """
    if not 1 <= fold <= N_FOLDS:
        raise SettingsError(f"fold {fold}: expected 1 to {N_FOLDS}")
    test: set[tuple[str, str]] = set()
    validation: set[tuple[str, str]] = set()
    for corpus, folds in FOLDS.items():
        test |= {(corpus, speaker) for speaker in folds[(fold - 1) % len(folds)]}
        if corpus != "tess":
            validation |= {(corpus, speaker) for speaker in folds[fold % len(folds)][:9]}
    return Split(fold, frozenset(test), frozenset(validation))


def leave_out(corpus: str) -> Split:
    """Return the sides with one corpus held out whole.

    Every speaker of `corpus` tests; of the other corpora, fold 1's validation speakers validate and all
    others teach.

    Parameters
    ----------
    corpus : str
        A key of :data:`FOLDS`.

    Returns
    -------
    Split

    Raises
    ------
    SettingsError
        If there are no folds of such a corpus.
    """
    if corpus not in FOLDS:
        raise SettingsError(f"corpus {corpus!r} cannot be left out: expected one of {', '.join(FOLDS)}")
    test = {(corpus, speaker) for speakers in FOLDS[corpus] for speaker in speakers}
    validation = {who for who in make_split(1).validation if who[0] != corpus}
    return Split(corpus, frozenset(test), frozenset(validation))


def split_of(fold: int | str) -> Split:
    """Return the sides by fold number, or by the corpus that is left out."""
    return leave_out(fold) if isinstance(fold, str) else make_split(fold)


def first_fold(corpus: str, speaker: str) -> int:
    """Return the first fold of the combined scheme that holds a speaker out.

    Raises
    ------
    SettingsError
        If no fold does.
    """
    for number, speakers in enumerate(FOLDS.get(corpus, ()), start=1):
        if speaker in speakers:
            return number
    raise SettingsError(f"no fold holds out speaker {speaker!r} of {corpus!r}")


def fold_table() -> list[dict[str, str | int]]:
    """Return who is in which fold of which corpus: ``corpus``, ``speaker`` and ``fold`` in each row."""
    return [
        {"corpus": corpus, "speaker": speaker, "fold": number}
        for corpus, folds in FOLDS.items()
        for number, speakers in enumerate(folds, start=1)
        for speaker in speakers
    ]


def check_split(clips: Sequence[Clip], sides: Sequence[Side], digests: Sequence[str]) -> None:
    """Prove that no speaker and no byte-identical clip is on two sides.

    Parameters
    ----------
    clips : sequence of Clip
    sides : sequence of {"train", "validation", "test"}
    digests : sequence of str
        SHA-256 of each clip's samples.

    Raises
    ------
    DatasetError
        If one is, naming it.
    """
    speakers: dict[tuple[str, str], Side] = {}
    sounds: dict[str, tuple[Side, str]] = {}
    for clip, side, digest in zip(clips, sides, digests, strict=True):
        who = (clip.corpus, clip.speaker)
        if speakers.setdefault(who, side) != side:
            raise DatasetError(f"{clip.corpus} speaker {clip.speaker} is in {speakers[who]} and in {side}")
        known, key = sounds.setdefault(digest, (side, clip.key))
        if known != side:
            raise DatasetError(f"{clip.key} in {side} is the same sound as {key} in {known}")


def side_of_sound(path: Path) -> Side:
    """Return the side of a noise or of a nonverbal sound.

    A quarter is kept for testing, by file for noises and by speaker for nonverbal sounds, whose stem begins
    with the speaker's code (``2AV8_4_1_...``).

    Parameters
    ----------
    path : path

    Returns
    -------
    {"train", "test"}
    """
    stem = path.stem.split("_")[0] if "nonverbal" in path.parts else path.stem
    return "test" if hashlib.sha256(stem.encode()).digest()[0] % 4 == 0 else "train"
