"""whisper-cnn behind the voice models' interface, with random weights: what it must do whatever they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blipper import audio
from blipper.analysis import analyze, windows_over
from blipper.errors import ModelError
from blipper.inventory import list_models
from blipper.results import Span
from blipper.voice.choice import choose, choose_light
from blipper.voice.models import VoiceModel, load_folder, load_model
from blipper.voice.whisper import read_tensors
from blipper.voice.whisper_cnn import Listening, WhisperVoice
from blipper.voice.windows import Margins
from tests.voice.whisper_double import SMALL, write_encoder, write_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    write_model(root / "whisper-cnn", write_encoder(root / "encoder.safetensors"))
    return root


@pytest.fixture
def at_hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_WHISPER", str(folder))


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path / "nowhere"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[VoiceModel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BLIPPER_WHISPER", str(folder))
        yield load_model("whisper-cnn", folder)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    rng = np.random.default_rng(5)
    time = np.arange(16_000 * 20) / 16_000
    buzz = sum(np.sin(2 * np.pi * (120 + 20 * np.sin(time)) * k * time) / k for k in range(1, 9))
    return (0.1 * (1.2 + np.sin(5 * time)) * buzz + rng.normal(0, 0.003, len(time))).astype(np.float32)


def test_probabilities_of_windows_in_any_order(model: VoiceModel, speech: np.ndarray) -> None:
    starts = np.arange(0, 16.5, 0.5)
    emotions, aggression = model.score_windows(speech, 16_000, starts, starts + 3)
    assert emotions.shape == (33, 8) and aggression.shape == (33,)
    assert np.allclose(emotions.sum(axis=1), 1, atol=1e-5)
    assert ((aggression > 0) & (aggression < 1)).all() and np.ptp(aggression) > 0
    order = np.random.default_rng(0).permutation(33)
    again = model.score_windows(speech, 16_000, starts[order], starts[order] + 3)[1]
    assert np.allclose(again, aggression[order], atol=1e-5)
    assert model.score_windows(speech, 16_000, [], [])[0].shape == (0, 8)


@pytest.mark.usefixtures("at_hand")
def test_without_context_nothing_outside_a_window_touches_its_score(
    folder: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    write_model(tmp_path / "alone", read_tensors(folder / "encoder.safetensors"), front_end={"context": 1.0})
    model = load_model("alone", tmp_path)
    starts = np.arange(0, 8, 0.5)
    together = model.score_windows(speech, 16_000, starts, starts + 3)[1]
    for i in (0, 7):
        alone = model.score_windows(speech[8000 * i :][: 16_000 * 3], 16_000, [0.0], [3.0])[1]
        assert alone[0] == pytest.approx(together[i], abs=1e-4)


def test_what_lies_beyond_a_pause_does_not_touch_a_score(model: VoiceModel, speech: np.ndarray) -> None:
    joined = speech[: 16_000 * 6].copy()
    joined[24_000:40_000] = 0
    joined[40_000:] *= 8  # another voice, much louder
    starts, ends = [0.0, 2.5, 3.0], [1.5, 5.5, 6.0]
    together = model.score_windows(joined, 16_000, starts, ends)[1]
    alone = model.score_windows(joined[:24_000], 16_000, [0.0], [1.5])[1]
    assert together[0] == pytest.approx(alone[0], abs=1e-6)
    later = model.score_windows(joined[40_000:], 16_000, [0.0, 0.5], [3.0, 3.5])[1]
    assert together[1:] == pytest.approx(later, abs=1e-6)


def test_windows_that_overlap_share_an_encoding(
    model: VoiceModel, speech: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans: list[tuple[int, int]] = []
    heard = WhisperVoice._heard

    def counted(self: WhisperVoice, samples: np.ndarray, asked: list[tuple[int, int]]) -> object:
        spans.extend(asked)
        return heard(self, samples, asked)

    monkeypatch.setattr(WhisperVoice, "_heard", counted)
    # An utterance of 12 s, one that touches its end, and one after a pause; in any order.
    starts = np.array([*np.arange(0, 9.5, 0.5), 12.0, 14.0])
    ends = np.array([*np.arange(3, 12.5, 0.5), 13.0, 16.0])
    order = np.random.default_rng(1).permutation(len(starts))
    model.score_windows(speech, 16_000, starts[order], ends[order])
    seconds = [(begin / 16_000, end / 16_000) for begin, end in spans]
    assert seconds == [(0.0, 8.0), (5.5, 13.0), (14.0, 16.0)]


@pytest.mark.usefixtures("at_hand")
def test_utterances_whose_margins_overlap_are_heard_apart(
    folder: Path, tmp_path: Path, speech: np.ndarray
) -> None:
    front = {"before": 0.3, "after": 0.19}
    write_model(tmp_path / "wide", read_tensors(folder / "encoder.safetensors"), front_end=front)
    model = load_model("wide", tmp_path)
    assert model.margins == Margins(0.3, 0.19)
    # Utterances from 1 to 2 s and from 2.2 to 5.8 s: the margins share 0.19 s of the pause.
    windows = windows_over([Span(1.0, 2.0), Span(2.2, 5.8)], 20.0, model)
    starts, ends = [w.start for w in windows], [w.end for w in windows]
    assert (starts[:2], ends[0], ends[-1]) == ([0.7, 2.0], pytest.approx(2.19), pytest.approx(5.99))
    together = model.score_windows(speech, 16_000, starts, ends)[1]
    (alone,) = model.score_windows(speech, 16_000, starts[:1], ends[:1])[1]
    later = model.score_windows(speech, 16_000, starts[1:], ends[1:])[1]
    assert together == pytest.approx([alone, *later], abs=1e-6)
    # An explanation looks at the whole of what was heard.
    inputs = model.inputs_of(speech, 16_000, [0.7, 2.0], [4.19, 5.0])
    assert inputs.lengths.tolist() == [349, 300]
    assert model.differentiable([inputs.frames, inputs.lengths]).shape == (2, 9)


def test_level_does_not_matter_and_short_and_long_windows_do_not_fail(
    model: VoiceModel, speech: np.ndarray
) -> None:
    whole = model.score_windows(speech, 16_000, [0, 2, 5], [0.02, 2.31, 20])
    quiet = model.score_windows(speech * 0.01, 16_000, [0, 2, 5], [0.02, 2.31, 20])
    assert np.allclose(whole[0], quiet[0], atol=2e-3)
    assert np.isfinite(model.score_windows(np.zeros(16_000, np.float32), 16_000, [0.0], [1.0])[0]).all()
    with pytest.raises(ModelError, match="hears sound at 16000 Hz"):
        model.score_windows(speech, 8_000, [0.0], [1.0])


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize(("speeds", "inner"), [([], ()), ([0.93, 1.07], ()), ([1.2], (1, 3))])
def test_the_whole_graph_gives_the_same_and_has_gradients(
    folder: Path, tmp_path: Path, speech: np.ndarray, speeds: list[float], inner: tuple[int, ...]
) -> None:
    import tensorflow as tf

    tensors = read_tensors(folder / "encoder.safetensors")
    network = replace(SMALL, inner=inner, plain_from=len(inner))
    write_model(tmp_path / "hears", tensors, network=network, front_end={"speeds": speeds})
    model = load_model("hears", tmp_path)
    starts, ends = [0.0, 4.0], [3.0, 6.2]
    inputs = model.inputs_of(speech, 16_000, starts, ends)
    assert inputs.frames.shape == (2, 300, 80) and inputs.lengths.tolist() == [300, 220]
    assert inputs.edges.shape == (82,) and inputs.step == 0.01
    network = model.differentiable
    with tf.GradientTape() as tape:
        frames = tf.constant(inputs.frames)
        tape.watch(frames)
        logits = network([frames, tf.constant(inputs.lengths)], training=False)
        wanted = tf.reduce_sum(logits[:, 8])
    slopes = tape.gradient(wanted, frames).numpy()
    assert np.isfinite(slopes).all() and np.abs(slopes[1, :220]).max() > 0
    assert np.abs(slopes[1, 220:]).max() == 0
    emotions, aggression = model.calibration.apply(logits.numpy()[:, :9])
    for i in range(2):  # one at a time: encoded alone, as the graph hears them
        scored = model.score_windows(speech, 16_000, starts[i : i + 1], ends[i : i + 1])
        assert np.allclose(scored[0][0], emotions[i], atol=1e-3)
        assert scored[1][0] == pytest.approx(aggression[i], abs=1e-3)


@pytest.mark.usefixtures("at_hand")
def test_logits_are_the_mean_over_speeds(folder: Path, tmp_path: Path, speech: np.ndarray) -> None:
    tensors = read_tensors(folder / "encoder.safetensors")
    scored = {}
    for name, speeds in (("own", []), ("slow", [0.8]), ("both", [0.8, 1.0]), ("twice", [1.0])):
        write_model(
            tmp_path / name,
            tensors,
            front_end={"speeds": speeds},
            calibration={"temperature": 1.0, "slope": 1.0, "intercept": 0.0},
        )
        score = load_model(name, tmp_path).score_windows(speech, 16_000, [0, 1.5, 9], [3, 4.0, 12])[1]
        scored[name] = np.log(score / (1 - score.astype(np.float64)))
    np.testing.assert_allclose(scored["twice"], scored["own"], atol=1e-4)
    assert np.abs(scored["slow"] - scored["own"]).max() > 1e-3
    np.testing.assert_allclose(scored["both"], (scored["own"] + 2 * scored["slow"]) / 3, atol=1e-3)


@pytest.mark.usefixtures("at_hand")
def test_auto_takes_it_where_whispers_weights_are(folder: Path, tmp_path: Path, speech: np.ndarray) -> None:
    choice = choose(folder)
    assert choice.name == "whisper-cnn" and "on this machine" in choice.why
    voice = load_model("auto", folder)
    analysis = analyze(audio.from_samples(speech[np.newaxis, : 16_000 * 4], 16_000), model=voice)
    assert analysis.model.name == "whisper-cnn"
    (notice,) = [notice for notice in analysis.notices if notice.code == "model"]
    assert notice.message.startswith(
        "Scored by the voice model whisper-cnn. It tells single clips apart better;"
    )
    assert load_model("whisper-cnn", folder).why == ""
    assert list_models(folder)[0]["lacks"] is None


@pytest.mark.usefixtures("at_hand")
def test_auto_takes_what_the_environment_names(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "whisper-cnn", tmp_path / "whisper-cnn")
    for name in ("mel-cnn", "ours"):
        shutil.copytree(Path(__file__).parents[2] / "models" / "mel-cnn", tmp_path / name)
    monkeypatch.setenv("BLIPPER_MODELS", str(tmp_path))
    assert (choose().name, choose_light()) == ("whisper-cnn", "mel-cnn")
    monkeypatch.setenv("BLIPPER_VOICE_MODEL", "ours")
    assert (choose().name, choose_light()) == ("ours", "ours")
    assert "BLIPPER_VOICE_MODEL" in choose().why
    assert load_model().why == choose().why
    monkeypatch.setenv("BLIPPER_VOICE_MODEL", "whisper-cnn")
    assert (choose().name, choose_light()) == ("whisper-cnn", "mel-cnn")  # a stream goes on meanwhile
    shutil.rmtree(tmp_path / "mel-cnn")
    assert choose_light() == "ours"  # as a company may have it
    shutil.copytree(tmp_path / "ours", tmp_path / "mel-cnn")
    monkeypatch.setenv("BLIPPER_VOICE_MODEL", "none-such")
    for asked in (choose, choose_light):
        with pytest.raises(ModelError, match=r"=none-such: .* available: mel-cnn, ours, wh"):
            asked()


@pytest.mark.usefixtures("nowhere")
def test_auto_takes_mel_cnn_where_they_are_not_and_says_so(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "whisper-cnn", tmp_path / "whisper-cnn")
    shutil.copytree(Path(__file__).parents[2] / "models" / "mel-cnn", tmp_path / "mel-cnn")
    voice = load_model("auto", tmp_path)
    assert voice.info.name == "mel-cnn"
    assert "blipper models download tiny.en" in voice.why
    with pytest.raises(ModelError, match=r"Whisper's weights tiny\.en are not on this machine"):
        load_model("whisper-cnn", tmp_path)
    assert "models download" in list_models(tmp_path)[1]["lacks"]
    assert list_models(tmp_path)[0]["lacks"] is None


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": {"name": "tiny.en", "sha256": "0" * 64}}, "another encoder than Whisper's"),
        ({"encoder": {"name": "base.en", "sha256": "0" * 64}}, r"expected the name tiny\.en"),
        ({"encoder": None}, r"expected the name tiny\.en"),
        ({"kind": "wav2vec"}, "kind is 'wav2vec'"),
        ({"front_end": {"pool": 3}}, "a pool of 4"),
        ({"front_end": {"context": 90.0}}, r"context is 90\.0"),
        ({"front_end": {"colour": 1}}, "are not Blipper's"),
        ({"front_end": {"speeds": 1.1}}, r"speeds is 1\.1, expected a list of at most 8"),
        ({"front_end": {"speeds": [1.1] * 9}}, "expected a list of at most 8"),
        ({"front_end": {"speeds": [1.1, 3]}}, r"speeds is 3, expected 0\.5 to 2\.0"),
        ({"front_end": {"speeds": ["fast"]}}, "speeds is 'fast'"),
        ({"front_end": {"before": -1}}, "margin before is -1, expected 0 to 1 s"),
        ({"front_end": {"after": "long"}}, "margin after is 'long', expected 0 to 1 s"),
        (
            {"front_end": {"speeds": [1.1, 0.6], "longest": 20}},
            r"20 s last 33\.3333 s, expected at most 30 s",
        ),
    ],
)
def test_what_does_not_fit(folder: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    shutil.copytree(folder / "whisper-cnn", tmp_path / "whisper-cnn")
    path = tmp_path / "whisper-cnn" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=message):
        load_folder(tmp_path / "whisper-cnn")


def test_listening_has_sensible_defaults() -> None:
    assert Listening.from_dict({}) == Listening()
    # As in the files of before there were any.
    assert not {"speeds", "before", "after"} & set(Listening().to_dict())
    fast = Listening(speeds=(0.9, 1.1))
    assert Listening.from_dict(json.loads(json.dumps(fast.to_dict()))) == fast
