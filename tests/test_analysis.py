"""The conductor, on real speech: with a model whose answer is known, and with the one that ships."""

import json

import numpy as np
import pytest

import blipper
from blipper import analysis as conductor
from blipper.batch.remarking import remark
from blipper.errors import Cancelled, SettingsError
from blipper.prediction import find_recordings, summarize
from blipper.results import Analysis, ModelInfo, Span
from blipper.settings import Settings
from blipper.speech import SpeechSettings
from blipper.voice.labels import EMOTIONS
from blipper.voice.windows import Margins
from blipper.words.attach import with_transcripts
from tests.fusion.making import said, transcript
from tests.helpers import RATE, read_16k, recording, silence


class LoudnessModel:
    """Scores how loud a window is, so that the right answer is known: 0 at -40 dBFS, 1 at -20 dBFS."""

    info = ModelInfo(name="loudness", sha256="0" * 64, threshold=0.5)
    why = ""

    def __init__(self):
        self.longest = 0.0

    margins = Margins()

    def threshold_on(self, *, telephone):
        return self.info.threshold

    def score_windows(self, samples, sampling_rate, starts, ends):
        self.longest = max(self.longest, len(samples) / sampling_rate)
        pieces = [
            samples[round(start * sampling_rate) : round(end * sampling_rate)]
            for start, end in zip(starts, ends, strict=True)
        ]
        levels = np.array([10 * np.log10(np.mean(piece**2) + 1e-12) for piece in pieces])
        aggression = np.clip((levels + 40) / 20, 0, 1).astype(np.float32)
        emotions = np.zeros((len(pieces), len(EMOTIONS)), dtype=np.float32)
        emotions[:, EMOTIONS.index("angry")] = aggression
        emotions[:, EMOTIONS.index("neutral")] = 1 - aggression
        return emotions, aggression


def at_level(samples, dbfs):
    return samples * 10 ** (dbfs / 20) / np.sqrt(np.mean(samples**2))


@pytest.fixture(scope="module")
def utterances(data_dir):
    return [read_16k(data_dir / "speech" / f"austen-0{n}.flac") for n in (880, 890, 930)]


@pytest.fixture(scope="module")
def quiet_loud_quiet(utterances):
    """Give a scene that is loud in its middle, and where the middle lies."""
    calm = np.concatenate([at_level(u, -38) for u in utterances])
    loud = np.concatenate([at_level(u, -20) for u in utterances])
    pause = silence(1.5)
    scene = np.concatenate([calm, pause, loud, pause, calm])
    start = len(calm) / RATE + 1.5
    return recording(scene), Span(start, start + len(loud) / RATE)


def test_the_loud_stretch_is_the_event(quiet_loud_quiet):
    scene, loud = quiet_loud_quiet
    found = blipper.analyze(scene, model=LoudnessModel())
    (event,) = found.events
    assert abs(event.start - loud.start) < 1.0
    assert abs(event.end - loud.end) < 1.0
    assert event.emotion == "angry"
    assert loud.start <= event.peak_time <= loud.end
    assert found.duration == pytest.approx(scene.duration)
    assert found.model.name == "loudness"
    assert found.versions["blipper"] == blipper.__version__


def test_settings_and_hash_are_in_the_result_and_repeat_it(quiet_loud_quiet):
    scene, _ = quiet_loud_quiet
    settings = Settings(window=2.0, hop=1.0, threshold=0.3, speech=SpeechSettings(onset=0.6))
    found = blipper.analyze(scene, model=LoudnessModel(), settings=settings)
    assert Settings.from_dict(found.settings) == settings
    again = blipper.analyze(scene, model=LoudnessModel(), settings=Settings.from_dict(found.settings))
    assert again.to_dict() == found.to_dict()
    assert found.provenance.sha256 == scene.provenance.sha256


def test_round_trip_through_json(quiet_loud_quiet):
    found = blipper.analyze(quiet_loud_quiet[0], model=LoudnessModel())
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert Analysis.from_dict(json.loads(text)).to_dict() == found.to_dict()


def test_another_threshold_remarks_as_a_new_analysis_would(quiet_loud_quiet):
    scene, _ = quiet_loud_quiet
    found = blipper.analyze(scene, model=LoudnessModel())
    for threshold in (0.05, 0.3, 0.7, 1.0):
        fresh = blipper.analyze(scene, model=LoudnessModel(), settings=Settings(threshold=threshold))
        assert blipper.with_threshold(found, threshold).to_dict() == fresh.to_dict()
    with pytest.raises(SettingsError, match="threshold"):
        blipper.with_threshold(found, 0.0)


def test_another_shortest_event_marks_as_a_new_analysis_would(quiet_loud_quiet):
    scene, _ = quiet_loud_quiet
    found = blipper.analyze(scene, model=LoudnessModel())
    assert found.events
    for seconds in (0.0, 5.0, 3600.0):
        fresh = blipper.analyze(scene, model=LoudnessModel(), settings=Settings(min_duration=seconds))
        assert blipper.with_min_duration(found, seconds).to_dict() == fresh.to_dict()
    assert not fresh.events
    for bad in (-1.0, 3601.0, float("nan")):
        with pytest.raises(SettingsError, match="min_duration is"):
            blipper.with_min_duration(found, bad)


def test_other_surroundings_change_a_result_as_a_new_analysis_would(quiet_loud_quiet, tmp_path):
    scene, _ = quiet_loud_quiet
    fresh = {
        seconds: blipper.analyze(scene, model=LoudnessModel(), settings=Settings(surroundings=seconds))
        for seconds in (0.0, 0.8, 3.0)
    }
    plain, wide = fresh[0.0], fresh[3.0]
    for found in (plain, Analysis.from_dict(json.loads(json.dumps(plain.to_dict())))):
        for seconds, expected in fresh.items():
            assert blipper.with_surroundings(found, seconds).to_dict() == expected.to_dict()
    assert plain.events != wide.events
    with pytest.raises(SettingsError, match="expected 0"):
        blipper.with_surroundings(plain, 11.0)

    kept = tmp_path / "call.json"  # a batch does the same with what it kept, and needs no sound
    kept.write_text(json.dumps(plain.to_dict()), encoding="utf-8")
    marked = remark(kept, plain.model.sha256, Settings(surroundings=3.0, threshold=0.4))
    assert Analysis.from_dict(json.loads(marked[0])).to_dict() == blipper.with_threshold(wide, 0.4).to_dict()
    assert remark(kept, plain.model.sha256, Settings(hop=1.0)) is None


def test_a_kept_result_takes_the_rise_over_from_a_run_of_today(utterances, tmp_path):
    voice = at_level(np.concatenate(utterances), -30)
    scene = recording(voice * 10 ** (np.linspace(-10, 10, len(voice)) / 20))  # ever louder
    sudden, risen = (
        blipper.analyze(scene, model=LoudnessModel(), settings=Settings(rise=rise)) for rise in (0.0, 3.0)
    )
    assert risen.events[0].start < sudden.events[0].start
    assert blipper.with_threshold(sudden, 0.45).events[0].start > risen.events[0].start
    kept = tmp_path / "call.json"
    kept.write_text(json.dumps(sudden.to_dict()), encoding="utf-8")
    marked = remark(kept, sudden.model.sha256, Settings(rise=3.0))
    assert Analysis.from_dict(json.loads(marked[0])).events == risen.events


def test_other_surroundings_are_fused_with_the_words_again(quiet_loud_quiet):
    found = blipper.analyze(quiet_loud_quiet[0], model=LoudnessModel())
    both = with_transcripts(found, [transcript(said(1.0, 4.0, 0.95))], asked="call.srt")
    wide = blipper.with_surroundings(both, 3.0)
    alone = blipper.with_surroundings(found, 3.0)
    assert (
        wide.to_dict()
        == with_transcripts(alone, [transcript(said(1.0, 4.0, 0.95))], asked="call.srt").to_dict()
    )
    assert wide.tracks[0].fused is not None
    assert wide.events != both.events


def test_cutting_into_blocks_changes_nothing(quiet_loud_quiet, monkeypatch):
    scene, _ = quiet_loud_quiet
    whole = blipper.analyze(scene, model=LoudnessModel())
    monkeypatch.setattr(conductor, "BLOCK", 5.0)
    model = LoudnessModel()
    assert blipper.analyze(scene, model=model).to_dict() == whole.to_dict()
    assert model.longest <= 5.0


def test_channels_are_analysed_apart(utterances):
    speech = np.concatenate(utterances)
    scene = recording(at_level(speech, -20), at_level(speech, -39))
    found = blipper.analyze(scene, model=LoudnessModel())
    assert [track.name for track in found.tracks] == ["channel 1", "channel 2"]
    assert found.events
    assert {event.channel for event in found.events} == {0}


def test_nobody_speaks():
    found = blipper.analyze(recording(silence(10)), model=LoudnessModel())
    assert not found.has_speech
    assert found.events == ()
    assert [notice.code for notice in found.notices] == ["no-speech"]
    prediction = summarize(found)
    assert (prediction.emotion, prediction.aggression, prediction.aggressive) == (None, None, False)
    assert blipper.summary_sentence(found) == "Nobody was heard to speak in these 10 s, so there is no score"


def test_cancelling_stops_at_once(quiet_loud_quiet):
    steps = []

    def cancel(step, completed, total):
        steps.append(step)
        if step == "voice":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        blipper.analyze(quiet_loud_quiet[0], model=LoudnessModel(), progress=cancel)
    assert steps.count("voice") == 1


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"window": 0.0}, "window"),
        ({"hop": 5.0}, "hop"),
        ({"channels": "left"}, "left"),
        ({"threshold": 1.5}, "1.5"),
        ({"release": 0.6, "threshold": 0.5}, "release"),
        ({"min_duration": -1}, "min_duration"),
        ({"smoothing": 0}, "smoothing"),
    ],
)
def test_settings_outside_their_domain_are_named(bad, named):
    with pytest.raises(SettingsError, match=named):
        Settings(**bad)


def test_unknown_settings_are_refused():
    with pytest.raises(SettingsError, match="colour"):
        Settings.from_dict({"colour": "red"})


def test_the_shipped_model_on_real_clips(data_dir):
    folder = data_dir / "crema-d" / "AudioWAV"
    angry = blipper.predict(folder / "1012_IEO_ANG_HI.opus")
    calm = blipper.predict(folder / "1012_IEO_NEU_XX.opus")
    assert angry.aggression > calm.aggression
    assert set(angry.emotions) == set(EMOTIONS)
    assert sum(angry.emotions.values()) == pytest.approx(1.0, abs=1e-3)
    assert angry.emotion == max(angry.emotions, key=angry.emotions.get)
    assert calm.aggressive is False
    assert angry.file.endswith("1012_IEO_ANG_HI.opus")


def test_many_recordings_and_a_folder(data_dir, tmp_path):
    clip = (data_dir / "savee" / "AudioData" / "JE" / "a01.opus").read_bytes()
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.wav").write_bytes(clip)  # named by extension it would be WAV; it is Opus
    (tmp_path / "deep" / "a").write_bytes(clip)
    (tmp_path / ".hidden.opus").write_bytes(clip)
    (tmp_path / "notes.txt").write_text("no recording")
    model = LoudnessModel()
    found = blipper.predict(tmp_path, model=model)
    assert [prediction.file for prediction in found] == [
        str(tmp_path / "b.wav"),
        str(tmp_path / "deep" / "a"),
    ]
    assert found[0].aggression == found[1].aggression

    failed = []
    files = [tmp_path / "b.wav", tmp_path / "notes.txt"]
    kept = blipper.predict(files, model=model, on_error=lambda name, error: failed.append((name, str(error))))
    assert len(kept) == 1
    assert failed[0][0] == str(tmp_path / "notes.txt")
    with pytest.raises(blipper.AudioError, match=r"notes\.txt"):
        blipper.predict(files, model=model)


@pytest.mark.parametrize("bad", [None, 7, np.zeros(16_000, dtype=np.float32)])
def test_bare_samples_are_pointed_to_where_they_become_a_recording(bad):
    with pytest.raises(TypeError, match="from_samples"):
        blipper.predict(bad, model=LoudnessModel())


def test_a_broken_sound_in_a_folder_is_told_and_not_passed_over(data_dir, tmp_path):
    clip = (data_dir / "savee" / "AudioData" / "JE" / "a01.opus").read_bytes()
    (tmp_path / "good.opus").write_bytes(clip)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("nothing that anybody takes for a sound")
    failed = []
    kept = blipper.predict(tmp_path, model=LoudnessModel(), on_error=lambda name, _: failed.append(name))
    assert [prediction.file for prediction in kept] == [str(tmp_path / "good.opus")]
    assert failed == [str(tmp_path / "empty.wav")]


def test_a_folder_without_recordings(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(blipper.AudioError, match="no recording"):
        list(find_recordings(tmp_path))


def test_the_sample_of_the_readme_names_a_public_face():
    for name in blipper.__all__:
        assert getattr(blipper, name) is not None
    assert callable(blipper.predict)
    with pytest.raises(AttributeError, match="nothing_here"):
        _ = blipper.nothing_here


def test_channels_kept_apart_are_speakers_and_a_mix_names_nobody(utterances):
    left = np.concatenate([utterances[0], silence(3), np.zeros_like(utterances[1])])
    right = np.concatenate([np.zeros_like(utterances[0]), silence(3), utterances[1]])
    found = blipper.analyze(recording(left, right), model=LoudnessModel())
    assert [{turn.speaker for turn in track.turns} for track in found.tracks] == [
        {"channel 1"},
        {"channel 2"},
    ]
    assert found.tracks[0].turns[-1].end < found.tracks[1].turns[0].start
    assert blipper.analyze(recording(left + right), model=LoudnessModel()).tracks[0].turns == ()
