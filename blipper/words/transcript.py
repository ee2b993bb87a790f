"""A transcript: what is said and when, by which engine, and what it left out.

Times are seconds from the recording's start, intervals half-open; confidences are in [0, 1]. All text comes
from a recogniser, a file or a user: it is never markup, and whoever shows it shows it as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from blipper.recording import Notice
from blipper.words.text_info import TextModelInfo

#: Where the times of words come from: the engine's own, only those of utterances, or none at all (a plain
#: text, spread evenly over the speech).
Timing = Literal["words", "utterances", "spread"]


#: Below this an engine is more likely wrong than right by its own account. Pages mark such words, and nothing
#: may be concluded from them.
LOW_CONFIDENCE: Final = 0.5


@dataclass(frozen=True)
class Word:
    """One word as it is written, with the punctuation that belongs to it.

    Parameters
    ----------
    text : str
        Without white space around it.
    start, end : float
        Seconds.
    confidence : float or None
        The engine's own estimate in [0, 1] that it heard the word right; None where it gives none.
    """

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True)
class Utterance:
    """What was said in one go.

    Parameters
    ----------
    start, end : float
        Seconds.
    text : str
        As the engine or the file wrote it, white space folded.
    words : tuple of Word
        In order. Where only the utterance's times are known they share its time in proportion to their
        lengths, which :attr:`Transcript.timing` says; empty where nothing is known.
    confidence : float or None
        Mean of the words' confidences, or the engine's own for the whole; None where unknown.
    sentiment : mapping of str to float, optional
        Probabilities of ``"negative"``, ``"neutral"`` and ``"positive"``; None until a text model read it.
    aggression : float, optional
        Calibrated probability of verbal aggression; None until a text model read it.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    confidence: float | None = None
    sentiment: Mapping[str, float] | None = None
    aggression: float | None = None


@dataclass(frozen=True)
class Dropped:
    """Text that an engine wrote and that was not believed.

    Parameters
    ----------
    start, end : float
        Seconds.
    text : str
        What it wrote.
    reason : str
        Why it was left out, in a plain English phrase with the measured figure.
    """

    start: float
    end: float
    text: str
    reason: str


@dataclass(frozen=True)
class Transcript:
    """What is said on one channel.

    Parameters
    ----------
    engine : str
        What wrote it: ``"whisper:tiny.en"``, ``"pocketsphinx:en-us"``, ``"file:srt"``.
    language : str or None
        ISO 639-1 code where known.
    utterances : tuple of Utterance
        Ordered by start.
    dropped : tuple of Dropped
        What was invented, as far as the guards can tell, ordered by start.
    draft : bool
        Whether the text is only a rough draft, many of whose words are wrong.
    timing : {"words", "utterances", "spread"}
        Where the words' times come from.
    notices : tuple of Notice
        What a reader has to know: why this engine, what was cut, and the like.
    edited : bool
        Whether a person corrected the text.
    text_models : tuple of TextModelInfo
        Which models read the words; empty where none did.
    """

    engine: str
    language: str | None
    utterances: tuple[Utterance, ...]
    dropped: tuple[Dropped, ...] = ()
    draft: bool = False
    timing: Timing = "words"
    notices: tuple[Notice, ...] = ()
    edited: bool = False
    text_models: tuple[TextModelInfo, ...] = ()

    @property
    def confidence(self) -> float | None:
        """Mean confidence, each word counting once; None where the engine gives none."""
        known = [
            (utterance.confidence, max(1, len(utterance.words)))
            for utterance in self.utterances
            if utterance.confidence is not None
        ]
        total = sum(weight for _, weight in known)
        return sum(confidence * weight for confidence, weight in known) / total if total else None

    @property
    def text(self) -> str:
        """Everything that is said, one utterance a line."""
        return "\n".join(utterance.text for utterance in self.utterances)

    def corrected(self, index: int, text: str) -> Transcript:
        """Return a copy in which a person corrected one utterance; see :func:`correct`."""
        return correct(self, index, text)


def correct(transcript: Transcript, index: int, text: str) -> Transcript:
    """Replace one utterance's text by what a person heard.

    Words that stay keep their times and confidences; those that are new share the time of the words that
    they replace, in proportion to their lengths, and have the confidence 1 of a listener. Whatever a text
    model thought of the old text is forgotten. An empty text takes the utterance out.

    Parameters
    ----------
    transcript : Transcript
    index : int
        Which utterance.
    text : str

    Returns
    -------
    Transcript
        Marked as edited; `transcript` itself if the text does not change.

    Raises
    ------
    IndexError
        If there is no such utterance.
    """
    if not 0 <= index < len(transcript.utterances):
        raise IndexError(f"there is no utterance {index}; there are {len(transcript.utterances)}")
    old = transcript.utterances[index]
    text = " ".join(text.split())
    if text == old.text:
        return transcript
    before, after = transcript.utterances[:index], transcript.utterances[index + 1 :]
    if not text:
        return replace(transcript, utterances=before + after, edited=True)
    new = replace(
        old,
        text=text,
        words=_realigned(old, text.split()) if old.words else (),
        confidence=1.0,
        sentiment=None,
        aggression=None,
    )
    return replace(transcript, utterances=(*before, new, *after), edited=True)


def spread_words(texts: list[str], start: float, end: float, confidence: float | None) -> tuple[Word, ...]:
    """Share a stretch of time among words in proportion to their lengths in characters."""
    lengths = [max(1, len(text)) for text in texts]
    rate = (end - start) / max(1, sum(lengths))
    done, words = 0, []
    for text, length in zip(texts, lengths, strict=True):
        words.append(Word(text, start + rate * done, start + rate * (done + length), confidence))
        done += length
    return tuple(words)


def _realigned(old: Utterance, texts: list[str]) -> tuple[Word, ...]:
    """Give corrected words the times of the old ones, matched as a text comparison matches lines."""
    from difflib import SequenceMatcher

    def key(text: str) -> str:
        return "".join(char for char in text.casefold() if char.isalnum()) or text

    matcher = SequenceMatcher(None, [key(word.text) for word in old.words], list(map(key, texts)), False)
    words: list[Word] = []
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(old.words[first:last], texts[new_first:new_last], strict=True)
            words += [replace(word, text=text, confidence=1.0) for word, text in pairs]
        elif new_last > new_first:
            # Inserted words have only the gap between their neighbours.
            start = old.words[first].start if last > first else (words[-1].end if words else old.start)
            end = (
                old.words[last - 1].end
                if last > first
                else (old.words[first].start if first < len(old.words) else old.end)
            )
            words += spread_words(texts[new_first:new_last], start, max(start, end), 1.0)
    return tuple(words)
