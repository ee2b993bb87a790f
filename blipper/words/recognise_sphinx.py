"""PocketSphinx as an engine: the offline stand-in, with the English model that its package carries.

Its text is a rough draft: on clean reading about a quarter of its words are wrong (measured, see
``benchmarks/words.py``), on raised voices far more. Every word has a confidence, the posterior probability in
the lattice of what else it could have been.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from blipper.errors import ModelError, SettingsError
from blipper.progress import Progress, silent
from blipper.recording import Float32, Notice, Recording
from blipper.results import Span
from blipper.words.pieces import SAMPLING_RATE, cut, read
from blipper.words.transcript import Transcript, Utterance, Word

#: The decoder's frames a second.
FRAME_RATE: Final = 100

#: Peak below which there is nothing to hear: half a step of 16 bit.
SILENT: Final = 0.5 / 32768

_VARIANT = re.compile(r"\(\d+\)$")  # the dictionary's "the(2)"
_FILLER = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+")


@dataclass(frozen=True)
class Cutting:
    """How speech becomes the stretches that are decoded one by one, in seconds.

    Parameters
    ----------
    join : float
        Spans closer than this are decoded together.
    longest : float
        Longer spans are cut where they are quietest.
    margin : float
        Real sound kept on each side.
    pause : float
        Silence between two words from which a new utterance begins.
    level : float
        Root mean square in dBFS to which a quieter stretch is raised, as far as its peaks allow: below it
        rounding to 16 bit costs. Louder ones stay as they are; the features' mean is subtracted anyway.
    """

    join: float = 1.0
    longest: float = 15.0
    margin: float = 0.3
    pause: float = 0.6
    level: float = -40.0


class SphinxEngine:
    """A loaded PocketSphinx decoder.

    Parameters
    ----------
    language : str, optional
        Only ``"en"`` is there.
    why : str, optional
        Why this engine was chosen, as a sentence for the notice.

    Raises
    ------
    SettingsError
        If another language is asked for.
    ModelError
        If the decoder cannot be set up.
    """

    name = "pocketsphinx:en-us"

    def __init__(self, *, language: str | None = None, why: str = "", cutting: Cutting | None = None) -> None:
        if language not in (None, "en"):
            raise SettingsError(f"language {language!r}: PocketSphinx's model knows English only ('en')")
        from pocketsphinx import Decoder

        try:
            self._decoder = Decoder(samprate=SAMPLING_RATE, loglevel="FATAL")
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"PocketSphinx's English model cannot be loaded: {error}") from error
        self.why = why
        self.cutting = cutting or Cutting()

    def transcribe(
        self, recording: Recording, channel: int, speech: Sequence[Span], progress: Progress = silent
    ) -> Transcript:
        """Write down what is said; see :func:`blipper.words.transcribe.transcribe`."""
        utterances: list[Utterance] = []
        for start, end in self._stretches(recording, channel, speech):
            progress("words", start, recording.duration)
            samples = read(recording, channel, start, end)
            utterances += self._utterances(levelled(samples, self.cutting.level), start, end)
        progress("words", recording.duration, recording.duration)
        return Transcript(
            engine=self.name,
            language="en",
            utterances=tuple(utterances),
            draft=True,
            timing="words",
            notices=(*self._reason(), DRAFT),
        )

    def _reason(self) -> tuple[Notice, ...]:
        return (Notice("engine", self.why, "info"),) if self.why else ()

    def _stretches(
        self, recording: Recording, channel: int, speech: Sequence[Span]
    ) -> Iterator[tuple[float, float]]:
        """Yield what is decoded in one go: spans joined over short pauses, each with a margin."""
        cutting = self.cutting
        joined: list[Span] = []
        for span in cut(recording, channel, speech, cutting.longest):
            last = joined[-1] if joined else None
            if (
                last is not None
                and span.start - last.end < cutting.join
                and span.end - last.start <= cutting.longest
                and span.start > last.end  # what was cut because it was too long stays cut
            ):
                joined[-1] = Span(last.start, span.end)
            else:
                joined.append(span)
        for index, span in enumerate(joined):
            floor = joined[index - 1].end if index else 0.0
            ceiling = joined[index + 1].start if index + 1 < len(joined) else recording.duration
            yield (
                max(span.start - cutting.margin, min(span.start, floor), 0.0),
                min(span.end + cutting.margin, max(span.end, ceiling), recording.duration),
            )

    def _utterances(self, samples: Float32, start: float, end: float) -> Iterator[Utterance]:
        """Decode one stretch and yield its utterances, cut at pauses."""
        run: list[Word] = []
        for word in self._words(samples, start, end):
            if run and word.start - run[-1].end >= self.cutting.pause:
                yield _utterance(run)
                run = []
            run.append(word)
        if run:
            yield _utterance(run)

    def _words(self, samples: Float32, start: float, end: float) -> Iterator[Word]:
        if float(np.max(np.abs(samples), initial=0.0)) < SILENT:
            return  # it would find words in the rounding
        decoder = self._decoder
        # Else the cepstral mean of the stretch before would colour this one, and a text depend on its order.
        decoder.reinit_feat()
        decoder.start_utt()
        # The whole stretch at once: its mean is then known when its first word is decoded.
        decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return
        for segment in decoder.seg():
            if _FILLER.fullmatch(segment.word):
                continue
            yield Word(
                text=_VARIANT.sub("", segment.word),
                start=min(start + segment.start_frame / FRAME_RATE, end),
                end=min(start + (segment.end_frame + 1) / FRAME_RATE, end),
                confidence=float(np.clip(segment.prob, 0.0, 1.0)),  # rounding lifts it above 1
            )


#: What goes with every transcript of this engine.
DRAFT: Final = Notice(
    "draft",
    "This text is a rough draft by PocketSphinx: many of its words are wrong, most of all where voices are "
    "raised, and it knows English only. Use it to find your way in the recording, not to quote from.",
    "warning",
)


def levelled(samples: Float32, level: float) -> Float32:
    """Raise a quiet stretch to a root mean square in dBFS, without pushing its peaks over full scale."""
    if len(samples) == 0:
        return samples
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    peak = float(np.max(np.abs(samples)))
    gain = min(10 ** (level / 20) / max(rms, 1e-6), 0.99 / max(peak, 1e-6))
    raised: Float32 = np.clip(samples * np.float32(max(gain, 1.0)), -1, 1)
    return raised


def _utterance(words: Sequence[Word]) -> Utterance:
    return Utterance(
        start=words[0].start,
        end=words[-1].end,
        text=" ".join(word.text for word in words),
        words=tuple(words),
        confidence=float(np.mean([word.confidence for word in words])),
    )
