"""Whisper (Radford et al. 2022) as an engine: decoded samples in, words with times out.

Only speech is given to it, in pieces of up to 30 seconds, the length that it was trained on. Samples go in as
an array, so openai-whisper never calls the ffmpeg program.
"""

from __future__ import annotations

import hashlib
import logging
import pickle  # for the name of an error
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from blipper.errors import ModelError, SettingsError
from blipper.progress import Progress, silent
from blipper.recording import Float32, Notice, Recording
from blipper.results import Span
from blipper.words import weights
from blipper.words.encodings import Encodings
from blipper.words.guards import Evidence, Guards, drop_echoes, why_invented
from blipper.words.pieces import Piece, pack
from blipper.words.transcript import Dropped, Transcript, Utterance, Word

logger = logging.getLogger(__name__)

#: Whisper's window, in seconds.
LONGEST: Final = 30.0

#: Tried one after the other while a result looks like a guess; fewer than Whisper's six, for time's sake.
TEMPERATURES: Final = (0.0, 0.4, 0.8)

#: Pieces that are heard to detect the language: 3 * 30 s of speech.
_PIECES_FOR_LANGUAGE = 3

# What torch and the model raise for files that are not theirs.
_NOT_WEIGHTS = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, EOFError, OSError, RuntimeError),
    *(AttributeError, KeyError, TypeError, ValueError),
)

# openai-whisper hangs its caches on the model and turns a way to compute attention off for all models at once
# while it times words: two threads in it would read each other's caches, or find that way on again.
_IN_WHISPER = threading.Lock()

#: A pause between two words from which a new utterance begins, in seconds of the recording.
_PAUSE = 1.0


class WhisperEngine:
    """A loaded Whisper model; safe to share between threads, which take turns.

    Parameters
    ----------
    name : str
        A size of :data:`blipper.words.weights.CHECKPOINTS`, downloaded unless it is there; or the path of a
        file of weights in Whisper's format (``.pt``), of which only tensors and dimensions are read.
    language : str, optional
        ISO 639-1 code; detected unless given.
    guards : Guards, optional
    progress : Progress, optional
        Told about ``"download"`` in bytes.

    Raises
    ------
    ModelError
        If the weights are damaged, or neither there nor to be had.
    SettingsError
        If the language is none that the model knows.
    """

    def __init__(
        self,
        name: str,
        *,
        language: str | None = None,
        guards: Guards | None = None,
        progress: Progress = silent,
    ) -> None:
        path = Path(name)
        published = name in weights.CHECKPOINTS
        if not published and not path.is_file():
            raise SettingsError(
                f"whisper:{name}: is neither a size nor a file of weights; accepted sizes are "
                f"{', '.join(weights.CHECKPOINTS)}"
            )
        if published:
            path = weights.find_weights(name) or weights.download(name, progress=progress)
        self.name = f"whisper:{name if published else path.stem}"
        self.model, self.sha256 = _load(path, name if published else None)
        self.encodings = Encodings(self.model)
        self.language = self._checked(language)
        self.guards = guards or Guards()

    def transcribe(
        self, recording: Recording, channel: int, speech: Sequence[Span], progress: Progress = silent
    ) -> Transcript:
        """Write down what is said; see :func:`blipper.words.transcribe.transcribe`."""
        try:
            return self._transcribe(recording, channel, speech, progress)
        finally:
            self.encodings.forget()

    def _transcribe(
        self, recording: Recording, channel: int, speech: Sequence[Span], progress: Progress
    ) -> Transcript:
        pieces = pack(recording, channel, speech, LONGEST)
        language = self.language or self._detect(recording, channel, pieces)
        utterances: list[Utterance] = []
        dropped: list[Dropped] = []
        for piece in pieces:
            progress("words", piece.start, recording.duration)
            for segment in self._segments(piece.samples(recording, channel), language):
                if reason := why_invented(*_judged(segment, piece), self.guards):
                    start, end = piece.to_recording(float(segment["start"]), float(segment["end"]))
                    dropped.append(Dropped(start, end, " ".join(segment["text"].split()), reason))
                else:
                    utterances += _utterances(segment, piece)
        kept, echoes = drop_echoes(utterances, self.guards)
        progress("words", recording.duration, recording.duration)
        return Transcript(
            engine=self.name,
            language=language,
            utterances=tuple(sorted(kept, key=lambda utterance: utterance.start)),
            dropped=tuple(sorted([*dropped, *echoes], key=lambda text: text.start)),
            timing="words",
            notices=self._notices(language),
        )

    def _checked(self, language: str | None) -> str | None:
        from whisper.tokenizer import LANGUAGES

        if not self.model.is_multilingual:
            if language not in (None, "en"):
                raise SettingsError(
                    f"language {language!r}: {self.name} knows English only; choose a size without .en"
                )
            return "en"
        if language is not None and language not in LANGUAGES:
            raise SettingsError(
                f"language {language!r}: is none that Whisper knows; accepted are {', '.join(LANGUAGES)}"
            )
        return language

    def _detect(self, recording: Recording, channel: int, pieces: Sequence[Piece]) -> str | None:
        """Return the most probable language of the first pieces together."""
        if not pieces:
            return None
        votes: dict[str, float] = {}
        for piece in pieces[:_PIECES_FOR_LANGUAGE]:
            mel = _first_stretch(piece.samples(recording, channel), self.model.dims.n_mels)
            with _IN_WHISPER:
                _, probabilities = self.model.detect_language(mel)
            for code, probability in probabilities.items():
                votes[code] = votes.get(code, 0.0) + probability * piece.duration
        return max(votes, key=votes.__getitem__)

    def _segments(self, samples: Float32, language: str | None) -> Iterator[Mapping[str, Any]]:
        """Run Whisper over one piece and yield its segments with words."""
        import torch
        import whisper

        with _IN_WHISPER, torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # temperatures above 0 draw by chance
            result = whisper.transcribe(
                self.model,
                samples,
                language=language,
                temperature=TEMPERATURES,
                compression_ratio_threshold=self.guards.compression_ratio,
                logprob_threshold=self.guards.log_probability,
                # Else it passes over what it takes for silence; the guards do that, and list it.
                no_speech_threshold=None,
                # What was wrong once would go on being wrong.
                condition_on_previous_text=False,
                word_timestamps=True,
                fp16=False,
                verbose=None,
            )
        yield from (segment for segment in result["segments"] if segment["text"].strip())

    def _notices(self, language: str | None) -> tuple[Notice, ...]:
        how = "chosen" if self.language else "detected"
        said = f" The language, {language}, was {how}." if language and self.model.is_multilingual else ""
        return (
            Notice(
                "engine",
                f"Whisper ({self.name.partition(':')[2]}, SHA-256 {self.sha256[:12]}…) wrote this text."
                f"{said} It can leave words out and make words up: listen before you quote.",
                "info",
            ),
        )


def _first_stretch(samples: Float32, mels: int) -> Any:
    """Return the log-mel that Whisper decodes first, number for number: then it is encoded already."""
    import torch
    from whisper.audio import N_FRAMES, N_SAMPLES, log_mel_spectrogram, pad_or_trim

    mel = log_mel_spectrogram(torch.from_numpy(samples), mels, padding=N_SAMPLES)
    return pad_or_trim(mel[:, : mel.shape[-1] - N_FRAMES], N_FRAMES)


def _load(path: Path, name: str | None) -> tuple[Any, str]:
    """Build a model and fill it; a published file must have its published hash."""
    import torch
    import whisper
    from whisper.model import ModelDimensions, Whisper

    if name is None:
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    else:
        sha256 = weights.checkpoint(name).sha256
    with weights.open_verified(path, sha256) as stream:
        try:
            stored = torch.load(stream, map_location="cpu", weights_only=True)
            model = Whisper(ModelDimensions(**stored["dims"]))
            model.load_state_dict(stored["model_state_dict"])
        except _NOT_WEIGHTS as error:
            raise ModelError(
                f"{path}: holds no weights in Whisper's format ({type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else 'no details'})"
            ) from error
    if name is not None:
        model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    return model.eval(), sha256


def _judged(segment: Mapping[str, Any], piece: Piece) -> tuple[Utterance, Evidence]:
    """Return a segment in its piece's time, and what the model says about it."""
    start, end = float(segment["start"]), float(segment["end"])
    return Utterance(start, end, " ".join(segment["text"].split())), Evidence(
        segment["no_speech_prob"],
        segment["avg_logprob"],
        segment["compression_ratio"],
        piece.speech_share(start, end),
    )


def _utterances(segment: Mapping[str, Any], piece: Piece) -> Iterator[Utterance]:
    """Yield a segment's utterances in the recording's time: one, or more where a long pause was cut out."""
    words = []
    for heard in segment["words"]:
        if text := heard["word"].strip():
            start, end = piece.place(float(heard["start"]), float(heard["end"]))
            confidence = float(np.clip(heard["probability"], 0, 1))
            words.append((Word(text, start, end, confidence), heard["word"]))
    if not words:
        start, end = piece.to_recording(float(segment["start"]), float(segment["end"]))
        yield Utterance(start, end, " ".join(segment["text"].split()))
        return
    first = 0
    for index in range(1, len(words) + 1):
        if index < len(words) and words[index][0].start - words[index - 1][0].end < _PAUSE:
            continue
        run = words[first:index]
        confidences = [word.confidence for word, _ in run if word.confidence is not None]
        yield Utterance(
            start=run[0][0].start,
            end=max(word.end for word, _ in run),
            text=" ".join("".join(written for _, written in run).split()),
            words=tuple(word for word, _ in run),
            confidence=float(np.mean(confidences)),
        )
        first = index
