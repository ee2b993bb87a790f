"""Readers on the layouts people have, and on wrong folders. Files are empty: only names count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blipper.datasets import READERS, Clip, read_corpora, read_corpus
from blipper.errors import DatasetError


def put(root: Path, *names: str, content: bytes = b"RIFF") -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def only(corpus: str, root: Path) -> Clip:
    found = read_corpus(corpus, root)
    assert len(found) == 1
    return found.clips[0]


def reasons(corpus: str, root: Path) -> dict[str, str]:
    return {
        item.path.name: item.reason for item in READERS[corpus].collect(sorted(root.rglob("*.*"))).excluded
    }


@pytest.mark.parametrize(
    "name",
    [
        "Actor_05/03-01-05-02-01-01-05.wav",
        "03-01-05-02-01-01-05.opus",
        "audio_speech_actors_01-24/Actor_05/03-01-05-02-01-01-05.WAV",
        "some where/else/03-01-05-02-01-01-05",
    ],
)
def test_ravdess_layouts(tmp_path: Path, name: str) -> None:
    clip = only("ravdess", put(tmp_path, name))
    assert clip == Clip(
        path=tmp_path / name,
        corpus="ravdess",
        speaker="05",
        sex="male",
        emotion="angry",
        intensity="strong",
        sentence="Kids are talking by the door",
        key="ravdess/03-01-05-02-01-01-05",
    )


def test_ravdess_kaggle_duplicate_is_read_once(tmp_path: Path) -> None:
    stem = "Actor_02/03-01-08-01-02-02-02.wav"
    put(tmp_path, stem, f"audio_speech_actors_01-24/{stem}")
    found = read_corpus("ravdess", tmp_path)
    assert [clip.path for clip in found] == [tmp_path / stem]
    assert found.clips[0].sex == "female"
    assert found.clips[0].emotion == "surprise"
    assert "the same clip as" in found.excluded[0].reason


def test_a_corpus_that_is_there_twice_has_one_reason(tmp_path: Path) -> None:
    names = [f"Actor_02/03-01-08-01-02-0{n}-02.wav" for n in (1, 2)]
    put(tmp_path, *names, *(f"audio_speech_actors_01-24/{name}" for name in names))
    assert len({item.reason for item in read_corpus("ravdess", tmp_path).excluded}) == 1


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights on Windows")
def test_linked_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    corpus = put(tmp_path / "elsewhere", "Actor_02/03-01-08-01-02-02-02.wav")
    data = tmp_path / "data"
    data.mkdir()
    (data / "ravdess").symlink_to(corpus, target_is_directory=True)
    (data / "again").symlink_to(corpus, target_is_directory=True)
    (corpus / "circle").symlink_to(data, target_is_directory=True)
    found = read_corpora(data)
    assert len(found) == 1
    assert found.excluded == ()


def test_ravdess_song_and_video_are_left_out_with_the_reason(tmp_path: Path) -> None:
    put(
        tmp_path,
        "03-02-05-02-01-01-05.wav",
        "01-01-05-02-01-01-05.mp4",
        "02-01-05-02-01-01-05.mp4",
        "03-01-09-02-01-01-05.wav",
        "03-01-05-02-01-01-25.wav",
    )
    found = reasons("ravdess", tmp_path)
    assert found["03-02-05-02-01-01-05.wav"] == "song, not speech"
    assert "video" in found["01-01-05-02-01-01-05.mp4"]
    assert "video" in found["02-01-05-02-01-01-05.mp4"]
    assert "emotion 09" in found["03-01-09-02-01-01-05.wav"]
    assert "actor 25" in found["03-01-05-02-01-01-25.wav"]
    with pytest.raises(DatasetError, match="song, not speech"):
        read_corpus("ravdess", tmp_path)


@pytest.mark.parametrize("name", ["AudioWAV/1040_ITH_SAD_X.wav", "1040_ITH_SAD_XX.mp3"])
def test_crema_d_layouts_and_one_x_or_two(tmp_path: Path, name: str) -> None:
    clip = only("crema-d", put(tmp_path, name))
    assert (clip.speaker, clip.emotion, clip.intensity) == ("1040", "sad", "unspecified")
    assert clip.key == "crema-d/1040_ITH_SAD_XX"
    assert clip.sentence == "I think I have a doctor's appointment"


@pytest.mark.parametrize(("level", "name"), [("LO", "low"), ("MD", "medium"), ("HI", "high")])
def test_crema_d_levels_and_sex(tmp_path: Path, level: str, name: str) -> None:
    put(tmp_path, f"1002_IEO_ANG_{level}.wav", f"1001_IEO_ANG_{level}.wav")
    found = read_corpus("crema-d", tmp_path)
    assert [(clip.intensity, clip.sex) for clip in found] == [(name, "male"), (name, "female")]


def test_crema_d_defects_are_left_out_by_name(tmp_path: Path) -> None:
    put(
        tmp_path,
        "AudioWAV/1076_MTI_SAD_XX.wav",
        "AudioWAV/1006_TIE_NEU_XX.wav",
        "VideoFlash/1001_DFA_ANG_XX.flv",
    )
    found = reasons("crema-d", tmp_path)
    assert found["1076_MTI_SAD_XX.wav"] == "silence"
    assert "two labels" in found["1006_TIE_NEU_XX.wav"]
    assert "video" in found["1001_DFA_ANG_XX.flv"]


@pytest.mark.parametrize(
    ("name", "speaker", "emotion"),
    [
        ("OAF_angry/OAF_back_angry.wav", "OAF", "angry"),
        ("OAF_Fear/OAF_back_fear.wav", "OAF", "fear"),
        ("YAF_pleasant_surprised/YAF_back_ps.wav", "YAF", "surprise"),
        ("OAF_Pleasant_surprise/OAF_back_ps.wav", "OAF", "surprise"),
        ("OAF_neutral/OA_bite_neutral.wav", "OAF", "neutral"),
        ("TESS Toronto emotional speech set data/YAF_sad/YAF_mood_sad.wav", "YAF", "sad"),
        ("YAF_fear/yaf_FAR_FEAR.wav", "YAF", "fear"),
        ("flat/OAF_far_happy.ogg", "OAF", "happy"),
    ],
)
def test_tess_layouts(tmp_path: Path, name: str, speaker: str, emotion: str) -> None:
    clip = only("tess", put(tmp_path, name))
    assert (clip.speaker, clip.emotion, clip.sex) == (speaker, emotion, "female")


def test_tess_nested_copy_of_itself_is_read_once(tmp_path: Path) -> None:
    inner = "TESS Toronto emotional speech set data/OAF_angry/OAF_back_angry.wav"
    put(tmp_path, inner, f"TESS Toronto emotional speech set data/{inner}")
    found = read_corpus("tess", tmp_path)
    assert [clip.path for clip in found] == [tmp_path / inner]
    assert len(found.excluded) == 1


def test_tess_contradiction_between_folder_and_name(tmp_path: Path) -> None:
    put(tmp_path, "OAF_angry/OAF_back_sad.wav", "OAF_angry/OAF_bar_angry.wav")
    found = read_corpus("tess", tmp_path)
    assert [clip.sentence for clip in found] == ["Say the word bar"]
    assert found.excluded[0].reason == "the name says OAF sad, the folder OAF angry"


@pytest.mark.parametrize("name", ["AudioData/DC/sa03.wav", "ALL/DC_sa03.wav"])
def test_savee_layouts(tmp_path: Path, name: str) -> None:
    clip = only("savee", put(tmp_path, name))
    assert (clip.speaker, clip.emotion, clip.sex, clip.key) == ("DC", "sad", "male", "savee/DC_sa03")


def test_savee_bare_stem_outside_a_speakers_folder_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"looked for AudioData/DC/a01.*found 1 other files, such as x/a01\.wav"
    ):
        read_corpus("savee", put(tmp_path, "x/a01.wav"))


def test_savee_impossible_number(tmp_path: Path) -> None:
    put(tmp_path, "DC/a16.wav", "DC/n30.wav")
    assert "SAVEE has 15" in reasons("savee", tmp_path)["a16.wav"]
    assert len(read_corpus("savee", tmp_path)) == 1


def test_sidecar_of_the_same_stem_gives_way_to_the_sound(tmp_path: Path) -> None:
    put(tmp_path, "DC/a01.lab", content=b"0 1 speech")
    put(tmp_path, "DC/a01.wav")
    assert only("savee", tmp_path).path.suffix == ".wav"


def test_hidden_files_are_nothing(tmp_path: Path) -> None:
    put(tmp_path, "DC/._a01.wav", "DC/a02.wav")
    assert only("savee", tmp_path).sentence == "a02"


def test_all_corpora_below_a_folder(tmp_path: Path) -> None:
    put(tmp_path, "x/Actor_05/03-01-05-02-01-01-05.wav", "y/z/1001_DFA_ANG_XX.wav", "w/AudioData/KL/n01.wav")
    found = read_corpora(tmp_path)
    assert found.names == ("crema-d", "ravdess", "savee")
    assert found.missing == ("tess",)
    frame = found.to_frame()
    assert list(frame.corpus) == ["crema-d", "ravdess", "savee"]
    assert list(frame.columns)[:4] == ["path", "corpus", "speaker", "sex"]


def test_wrong_folders(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        read_corpora(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"is a file; a folder"):
        read_corpora(put(tmp_path, "a.wav") / "a.wav")
    with pytest.raises(
        DatasetError, match=r"no known corpus here.*RAVDESS.*CREMA-D.*TESS.*SAVEE.*Found a\.wav"
    ):
        read_corpora(tmp_path)
    with pytest.raises(DatasetError, match="the folder is empty"):
        (tmp_path / "empty").mkdir()
        read_corpus("tess", tmp_path / "empty")
    with pytest.raises(DatasetError, match=r"unknown corpus 'iemocap'; known: ravdess, crema-d, tess, savee"):
        read_corpus("iemocap", tmp_path)


@pytest.mark.data
def test_the_real_corpora(data_dir: Path) -> None:
    found = read_corpora(data_dir)
    counts = {name: len(found.of(name)) for name in found.names}
    assert counts == {"crema-d": 7442 - 7, "ravdess": 1440, "savee": 480, "tess": 2800}
    assert found.missing == ()
    assert len(found.excluded) == 7
    frame = found.to_frame()
    assert frame.key.is_unique
    assert frame.groupby("corpus").speaker.nunique().to_dict() == {
        "crema-d": 91,
        "ravdess": 24,
        "savee": 4,
        "tess": 2,
    }


@pytest.mark.data
def test_crema_d_sexes_agree_with_upstreams_table(data_dir: Path) -> None:
    lines = (data_dir / "crema-d" / "VideoDemographics.csv").read_text().splitlines()[1:]
    upstream = {line.split(",")[0]: line.split(",")[2].strip('"').lower() for line in lines}
    found = {clip.speaker: clip.sex for clip in read_corpus("crema-d", data_dir / "crema-d")}
    assert found == upstream
