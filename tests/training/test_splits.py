"""No speaker and no byte-identical sound is on two sides."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from blipper.datasets import Clip, read_corpora
from blipper.errors import DatasetError, SettingsError
from blipper.training.prepare import read_mono
from blipper.training.splits import (
    FOLDS,
    N_FOLDS,
    check_split,
    first_fold,
    fold_table,
    leave_out,
    make_split,
    side_of_sound,
    split_of,
)

CLIP = Clip(Path("x"), "crema-d", "1001", "male", "angry", "high", "", "crema-d/x")


def test_the_shipped_models_split() -> None:
    split = make_split(1)
    assert {s for c, s in split.test if c == "ravdess"} == {"01", "11", "20", "21"}
    assert {s for c, s in split.test if c == "crema-d"} == {str(n) for n in range(1001, 1019)}
    assert {s for c, s in split.test if c == "savee"} == {"JE"}
    assert {s for c, s in split.test if c == "tess"} == {"OAF"}
    assert {s for c, s in split.validation if c == "ravdess"} == {"04", "10", "12", "14"}
    assert {s for c, s in split.validation if c == "crema-d"} == {str(n) for n in range(1019, 1028)}
    assert {s for c, s in split.validation if c == "savee"} == {"KL"}
    assert not {s for c, s in split.validation if c == "tess"}


@pytest.mark.parametrize("fold", range(1, N_FOLDS + 1))
def test_every_fold_keeps_its_sides_apart(fold: int) -> None:
    split = make_split(fold)
    assert not split.test & split.validation
    for corpus, folds in FOLDS.items():
        everybody = {(corpus, speaker) for speakers in folds for speaker in speakers}
        assert everybody - split.test - split.validation, f"nobody of {corpus} teaches"
        assert everybody & split.test


@pytest.mark.parametrize(("corpus", "n"), [("ravdess", 24), ("crema-d", 91), ("savee", 4), ("tess", 2)])
def test_folds_hold_every_speaker_once(corpus: str, n: int) -> None:
    speakers = [speaker for fold in FOLDS[corpus] for speaker in fold]
    assert len(speakers) == len(set(speakers)) == n


@pytest.mark.parametrize("fold", [0, 7])
def test_no_such_fold(fold: int) -> None:
    with pytest.raises(SettingsError, match=rf"fold {fold}: expected 1 to 6"):
        make_split(fold)


def test_a_speaker_on_two_sides_is_found() -> None:
    with pytest.raises(DatasetError, match="crema-d speaker 1001 is in train and in test"):
        check_split([CLIP, replace(CLIP, key="y")], ["train", "test"], ["a", "b"])


def test_a_sound_on_two_sides_is_found() -> None:
    with pytest.raises(DatasetError, match="y in test is the same sound as crema-d/x in train"):
        check_split([CLIP, replace(CLIP, key="y", speaker="1002")], ["train", "test"], ["a", "a"])
    check_split([CLIP, replace(CLIP, key="y")], ["train", "train"], ["a", "a"])


SCHEMES: tuple[int | str, ...] = (*range(1, N_FOLDS + 1), *FOLDS)


def packets(path: Path) -> bytes:
    """Return a file's sound without decoding it: an Ogg page's header has a serial number drawn by chance."""
    data = path.read_bytes()
    if data[:4] != b"OggS":
        return data
    parts, at = [], 0
    while at < len(data):
        count = data[at + 26]
        length = sum(data[at + 27 : at + 27 + count])
        at += 27 + count
        parts.append(data[at : at + length])
        at += length
    return b"".join(part for part in parts if not part.startswith((b"OpusHead", b"OpusTags")))


@pytest.fixture(scope="module")
def digests(data_dir: Path) -> dict[str, str]:
    """Digests of the encoded sound; decoding 12,155 clips is what training itself does before its check."""
    return {clip.key: hashlib.sha256(packets(clip.path)).hexdigest() for clip in read_corpora(data_dir).clips}


@pytest.mark.data
@pytest.mark.parametrize("scheme", SCHEMES)
def test_real_clips_are_on_one_side(data_dir: Path, digests: dict[str, str], scheme: int | str) -> None:
    clips = read_corpora(data_dir).clips
    split = split_of(scheme)
    sides = [split.side(clip) for clip in clips]
    check_split(clips, sides, [digests[clip.key] for clip in clips])
    assert {"train", "validation", "test"} == set(sides)
    if isinstance(scheme, str):
        assert all(
            (side == "test") == (clip.corpus == scheme) for clip, side in zip(clips, sides, strict=True)
        )


@pytest.mark.data
def test_identical_sounds_are_one_speakers(data_dir: Path, digests: dict[str, str]) -> None:
    """Two takes of RAVDESS are one recording; a fold may hold such twins only because it moves speakers."""
    speakers: dict[str, set[str]] = {}
    keys: dict[str, list[str]] = {}
    for clip in read_corpora(data_dir).clips:
        speakers.setdefault(digests[clip.key], set()).add(f"{clip.corpus}/{clip.speaker}")
        keys.setdefault(digests[clip.key], []).append(clip.key)
    assert all(len(names) == 1 for names in speakers.values())
    twins = sorted(name for names in keys.values() if len(names) > 1 for name in names)
    assert twins == ["ravdess/03-01-03-01-02-01-07", "ravdess/03-01-03-01-02-02-07"]


@pytest.mark.parametrize("corpus", FOLDS)
def test_a_corpus_left_out_tests_alone(corpus: str) -> None:
    split = leave_out(corpus)
    assert {name for name, _ in split.test} == {corpus}
    assert len(split.test) == sum(map(len, FOLDS[corpus]))
    assert split.validation == {who for who in make_split(1).validation if who[0] != corpus}
    assert split_of(corpus) == split
    assert split_of(3) == make_split(3)


def test_no_such_corpus() -> None:
    with pytest.raises(SettingsError, match="corpus 'iemocap' cannot be left out: expected one of ravdess"):
        leave_out("iemocap")


def test_who_is_in_which_fold() -> None:
    table = fold_table()
    assert len(table) == 24 + 91 + 4 + 2
    for row in table:
        fold = first_fold(str(row["corpus"]), str(row["speaker"]))
        assert fold == row["fold"]
        assert (row["corpus"], row["speaker"]) in make_split(fold).test
    with pytest.raises(SettingsError, match="no fold holds out speaker '99' of 'ravdess'"):
        first_fold("ravdess", "99")


@pytest.mark.data
def test_upstreams_twin_would_be_found(data_dir: Path) -> None:
    stems = ("1006_TIE_NEU_XX", "1006_TIE_HAP_XX")
    sounds = [read_mono(next((data_dir / "crema-d").rglob(f"{stem}.*"))) for stem in stems]
    digests = [sound.tobytes().hex() for sound in sounds]
    with pytest.raises(DatasetError, match="the same sound"):
        check_split([CLIP, replace(CLIP, speaker="1002")], ["train", "test"], digests)


def test_held_out_sounds_go_by_speaker_and_by_file() -> None:
    one = {side_of_sound(Path("nonverbal", c, f"2AV8_{i}_0.opus")) for i in range(20) for c in ("a", "b")}
    assert len(one) == 1
    sides = [side_of_sound(Path("noise", "urban", f"{i}.opus")) for i in range(1000)]
    assert 0.2 < sides.count("test") / 1000 < 0.3
