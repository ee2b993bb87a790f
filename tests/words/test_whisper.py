"""The whole Whisper path on tiny checkpoints in its own format: loading, decoding, aligning, guarding."""

from __future__ import annotations

import gc
import subprocess
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.checkpoints import MULTILINGUAL, save_random, save_speaking, spoken
from blipper import audio
from blipper.errors import ModelError, SettingsError
from blipper.recording import Recording
from blipper.results import Span
from blipper.words import recognise_whisper
from blipper.words.encodings import Encodings
from blipper.words.guards import Guards
from blipper.words.recognise_whisper import WhisperEngine

SPEECH = (Span(1.0, 3.0), Span(7.0, 9.5))
LENIENT = Guards(
    lowest_log_probability=-99, log_probability=-99, compression_ratio=99, characters_a_second=1e9, repeats=99
)


@pytest.fixture(autouse=True)
def one_temperature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the first result, however bad: another takes as long again."""
    monkeypatch.setattr(recognise_whisper, "TEMPERATURES", (0.0,))


@pytest.fixture(autouse=True)
def no_other_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whisper's own loader would call ffmpeg; nothing here may start a program."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError(f"started a program: {args}")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.fixture(scope="module")
def recording() -> Recording:
    noise = np.random.default_rng(0).normal(0, 0.05, 12 * 16_000).astype(np.float32)
    return audio.from_samples(noise[None], 16_000)


def engine_saying(path: Path, *parts: tuple[float, str, float], **options: Any) -> WhisperEngine:
    return WhisperEngine(str(save_speaking(path / "says.pt", spoken(*parts))), **options)


def test_what_the_model_says_comes_back_with_word_times(tmp_path: Path, recording: Recording) -> None:
    engine = engine_saying(tmp_path, (0.0, " And so my fellow Americans, ask not.", 3.0))
    told: list[tuple[str, float, float]] = []
    transcript = engine.transcribe(recording, 0, SPEECH, lambda *report: told.append(report))
    assert transcript.engine == "whisper:says"
    assert transcript.language == "en"
    assert not transcript.draft
    assert transcript.timing == "words"
    assert " ".join(one.text for one in transcript.utterances) == "And so my fellow Americans, ask not."
    words = [word for one in transcript.utterances for word in one.words]
    assert [word.text for word in words][:5] == ["And", "so", "my", "fellow", "Americans,"]
    for word in words:
        assert type(word.start) is type(word.end) is type(word.confidence) is float
        assert word.start <= word.end
        assert any(span.start <= word.start and word.end <= span.end for span in SPEECH)
    assert words[0].confidence is not None
    assert words[0].confidence > 0.9
    assert engine.sha256[:12] in transcript.notices[0].message
    assert told[0] == ("words", 1.0, 12.0)
    assert told[-1] == ("words", 12.0, 12.0)


def test_a_random_checkpoint_is_decoded_and_its_text_is_listed_as_dropped(
    tmp_path: Path, recording: Recording
) -> None:
    path = save_random(tmp_path / "random.pt")
    believed = WhisperEngine(str(path), guards=LENIENT).transcribe(recording, 0, [Span(1.0, 2.0)])
    assert believed.utterances
    for one in believed.utterances:
        assert 1.0 <= one.start <= one.end <= 2.0
        assert all(0 <= (word.confidence or 0) <= 1 for word in one.words)
    doubted = WhisperEngine(str(path)).transcribe(recording, 0, [Span(1.0, 2.0)])
    assert doubted.utterances == ()
    assert doubted.dropped
    assert all("guess" in one.reason or "no speech" in one.reason for one in doubted.dropped)


def test_a_loop_is_dropped_with_its_reason(tmp_path: Path, recording: Recording) -> None:
    engine = engine_saying(tmp_path, (0.0, " No way." * 5, 4.0))
    transcript = engine.transcribe(recording, 0, [Span(1.0, 6.0)])
    assert transcript.utterances == ()
    assert transcript.dropped[0].text == "No way. No way. No way. No way. No way."
    assert "the same phrase 5 times in a row" in transcript.dropped[0].reason


def test_a_guess_is_tried_again_at_other_temperatures_and_comes_out_the_same(
    tmp_path: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognise_whisper, "TEMPERATURES", (0.0, 0.8))
    engine = WhisperEngine(str(save_random(tmp_path / "random.pt")))
    first = engine.transcribe(recording, 0, [Span(1.0, 1.5)])
    assert engine.transcribe(recording, 0, [Span(1.0, 1.5)]) == first


def test_each_stretch_is_encoded_once_and_nothing_else_changes(
    tmp_path: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language, two temperatures and the words' times all need the encoding of the same log-mel."""
    monkeypatch.setattr(recognise_whisper, "TEMPERATURES", (0.0, 0.8))
    path = save_random(tmp_path / "many.pt", n_vocab=MULTILINGUAL)
    doubted = Guards(**(asdict(LENIENT) | {"log_probability": -1.0}))  # so that it tries both
    engine = WhisperEngine(str(path), guards=doubted)
    once = engine.transcribe(recording, 0, [Span(1.0, 2.0)])
    assert engine.encodings.runs < engine.encodings.asked
    assert engine.encodings.asked >= 1 + 2 + 1
    kept = weakref.ref(engine.encodings)
    engine.encodings = Encodings(engine.model, 0)
    assert kept() is None
    anew = engine.transcribe(recording, 0, [Span(1.0, 2.0)])
    assert engine.encodings.runs == engine.encodings.asked >= 1 + 2 + 1
    assert once.utterances
    assert anew.language == once.language
    assert [one.text for one in anew.utterances] == [one.text for one in once.utterances]
    for mine, theirs in zip(once.utterances, anew.utterances, strict=True):
        assert (mine.start, mine.end) == (theirs.start, theirs.end)
        assert mine.confidence == pytest.approx(theirs.confidence, rel=1e-3)


def test_an_encoding_is_kept_for_the_same_log_mel_alone_and_not_for_ever(tmp_path: Path) -> None:
    import torch

    engine = WhisperEngine(str(save_random(tmp_path / "random.pt")))
    whole = type(engine.model.encoder).forward
    mels = torch.randn(3, 1, 80, 3000)
    with torch.no_grad():
        expected = [whole(engine.model.encoder, mel) for mel in mels]
    encodings = Encodings(engine.model, 2)
    first = engine.model.encoder(mels[0])
    assert torch.equal(first, expected[0])
    assert engine.model.encoder(mels[0].clone()) is first
    mels[0, 0, 0, 0] += 1e-6  # the caller's own array, written to
    assert torch.equal(engine.model.encoder(mels[1]), expected[1])
    assert not torch.equal(engine.model.encoder(mels[0]), expected[0])
    assert (encodings.asked, encodings.runs) == (4, 3)
    assert torch.equal(engine.model.encoder(mels[2]), expected[2])
    engine.model.encoder(mels[2])
    assert encodings.runs == 4
    engine.model.encoder(mels[1])  # two are kept, and there were two others since
    assert encodings.runs == 5
    forgotten = weakref.ref(engine.model.encoder(mels[1]))
    assert encodings.runs == 5
    encodings.forget()
    assert forgotten() is None
    gone = weakref.ref(engine.model)
    engine.model = None
    gc.disable()  # what frees it must not be chance
    try:
        del engine
        assert gone() is None
    finally:
        gc.enable()


def test_two_threads_take_turns_on_one_engine(tmp_path: Path, recording: Recording) -> None:
    engine = engine_saying(tmp_path, (0.0, " And so my fellow Americans, ask not.", 3.0))
    other = engine_saying(tmp_path, (0.0, " Nobody is here.", 1.0))
    alone = [one.transcribe(recording, 0, SPEECH) for one in (engine, other)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: one.transcribe(recording, 0, SPEECH), [engine, other] * 6))
    assert found == alone * 6
    assert not engine.encodings._kept


def test_nobody_speaks(tmp_path: Path, recording: Recording) -> None:
    transcript = engine_saying(tmp_path, (0.0, " Hello.", 1.0)).transcribe(recording, 0, [])
    assert transcript.utterances == transcript.dropped == ()


def test_a_multilingual_model_detects_or_takes_the_language(tmp_path: Path, recording: Recording) -> None:
    path = save_random(tmp_path / "many.pt", n_vocab=MULTILINGUAL)
    detected = WhisperEngine(str(path)).transcribe(recording, 0, [Span(1.0, 2.0)])
    assert detected.language is not None
    assert f"{detected.language}, was detected" in detected.notices[0].message
    chosen = WhisperEngine(str(path), language="de").transcribe(recording, 0, [Span(1.0, 2.0)])
    assert chosen.language == "de"
    assert "de, was chosen" in chosen.notices[0].message
    with pytest.raises(SettingsError, match="'xx': is none that Whisper knows; accepted are en, zh, de"):
        WhisperEngine(str(path), language="xx")
    english = save_random(tmp_path / "english.pt")
    with pytest.raises(SettingsError, match="knows English only"):
        WhisperEngine(str(english), language="de")


def test_only_speech_reaches_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import whisper

    loud = np.full(12 * 16_000, 0.9, np.float32)
    for span in SPEECH:
        loud[round(span.start * 16_000) : round(span.end * 16_000)] = 0.1
    heard: list[np.ndarray[Any, Any]] = []
    real = whisper.transcribe

    def listen(model: Any, samples: Any, **options: Any) -> Any:
        heard.append(samples)
        return real(model, samples, **options)

    monkeypatch.setattr(whisper, "transcribe", listen)
    engine = engine_saying(tmp_path, (0.0, " Hello.", 1.0))
    engine.transcribe(audio.from_samples(loud[None], 16_000), 0, SPEECH)
    assert len(heard) == 1
    assert heard[0].max() <= 0.1 + 1e-3


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x80\x02}q\x00.", b"hello"])
def test_a_file_that_holds_no_weights_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.pt: holds no weights in Whisper's format"):
        WhisperEngine(str(path))


def test_a_file_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    import torch

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"dims": Trap(), "model_state_dict": {}}, tmp_path / "trap.pt")
    with pytest.raises(ModelError, match="holds no weights"):
        WhisperEngine(str(tmp_path / "trap.pt"))
    assert not (tmp_path / "sprung").exists()


def test_a_published_size_must_have_its_published_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path))
    save_random(tmp_path / "tiny.en.pt")
    with pytest.raises(ModelError, match=r"tiny\.en\.pt: has the SHA-256"):
        WhisperEngine("tiny.en")


def test_a_published_size_is_loaded_with_its_alignment_heads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recording: Recording
) -> None:
    import hashlib

    import whisper

    from blipper.words import weights

    path = save_speaking(tmp_path / "tiny.en.pt", spoken((0.0, " Hello there.", 1.0)))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setenv("BLIPPER_WHISPER", str(tmp_path))
    monkeypatch.setitem(weights.CHECKPOINTS, "tiny.en", weights.Checkpoint("tiny.en", sha256, 1))
    import base64
    import gzip

    heads = base64.b85encode(gzip.compress(np.array([[0, 1], [0, 0]], dtype=bool).tobytes()))
    monkeypatch.setitem(whisper._ALIGNMENT_HEADS, "tiny.en", heads)
    engine = WhisperEngine("tiny.en")
    assert engine.model.alignment_heads.to_dense().tolist() == [[False, True], [False, False]]
    assert engine.transcribe(recording, 0, SPEECH).engine == "whisper:tiny.en"
