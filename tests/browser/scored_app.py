"""The app with words scored by a list: a stand-in that tests start where no text model is to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from blipper.words import attach
from blipper.words.transcript import Transcript, Utterance
from tests.browser.serve import serve

#: What makes an utterance hostile, or kind, to this stand-in.
HOSTILE, KIND = ("idiot", "regret"), ("thank",)


def scored(utterance: Utterance) -> Utterance:
    """Score an utterance by the words in it."""
    text = utterance.text.casefold()
    hostile, kind = (any(word in text for word in words) for words in (HOSTILE, KIND))
    leading = "negative" if hostile else "positive" if kind else "neutral"
    shares = {name: 0.8 if name == leading else 0.1 for name in ("negative", "neutral", "positive")}
    return replace(utterance, sentiment=shares, aggression=0.96 if hostile else 0.03)


_attach = attach.with_transcripts


def with_scores(analysis: Any, transcripts: Sequence[Transcript], **asked: Any) -> Any:
    """Lay transcripts beside an analysis, scored."""
    read = [replace(one, utterances=tuple(map(scored, one.utterances))) for one in transcripts]
    return _attach(analysis, read, **asked)


if __name__ == "__main__":
    attach.with_transcripts = with_scores
    serve()
