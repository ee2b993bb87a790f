"""No speaker and no byte-identical sound is on two sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blipper.datasets import Clip, read_corpora
from blipper.errors import DatasetError, SettingsError
from blipper.training.prepare import read_mono
from blipper.training.splits import FOLDS, N_FOLDS, check_split, make_split, side_of_sound

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


@pytest.mark.data
@pytest.mark.parametrize("fold", range(1, N_FOLDS + 1))
def test_real_clips_are_on_one_side(data_dir: Path, fold: int) -> None:
    clips = read_corpora(data_dir).clips
    split = make_split(fold)
    sides = [split.side(clip) for clip in clips]
    # The encoded bytes stand for the sound here; decoding 12,155 clips is what training itself does.
    import hashlib

    check_split(clips, sides, [hashlib.sha256(clip.path.read_bytes()).hexdigest() for clip in clips])
    assert {"train", "validation", "test"} == set(sides)


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
