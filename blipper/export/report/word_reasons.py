"""What in the words moved the text model, for the utterance of an event that scores highest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from blipper.errors import BlipperError
from blipper.export.text import one_line
from blipper.export.writer import Sound
from blipper.results import Analysis, Event
from blipper.wording import moment

if TYPE_CHECKING:
    from blipper.explain.words import WordShares
    from blipper.words.transcript import Utterance

#: Words named on each side, and the least share that is worth naming, in log-odds.
MOST_WORDS: Final = 4
LEAST: Final = 0.05


def explain_words_of(analysis: Analysis, sound: Sound, event: Event) -> str:
    """Return what the words gave at an event; empty where no text model has read what is said there."""
    transcript = analysis.tracks[event.channel].transcript
    said = [] if transcript is None else _said(transcript.utterances, event)
    if transcript is None or not said:
        return ""
    if sound.readers is None:
        return "The words are not explained: the text model that scored them is not at hand."
    from blipper.explain.text_models import check_models
    from blipper.explain.words import explain_words

    loudest = max(said, key=lambda one: one.aggression or 0.0)
    try:
        models = check_models(transcript, tuple(sound.readers(sound.progress)))
        shares = explain_words(loudest, models, progress=sound.progress)
    except BlipperError as error:  # the model is gone, or another one
        return f"The words are not explained: {error}"
    return "" if shares is None or "aggression" not in shares.targets else _told(loudest, shares)


def _said(utterances: Sequence[Utterance], event: Event) -> list[Utterance]:
    return [
        one
        for one in utterances
        if one.aggression is not None and one.start < event.end and one.end > event.start
    ]


def _told(said: Utterance, shares: WordShares) -> str:
    values = shares.of("aggression")
    order = np.argsort(-values)
    up = [i for i in order[:MOST_WORDS] if values[i] >= LEAST]
    down = [i for i in order[::-1][:MOST_WORDS] if values[i] <= -LEAST]
    score, model = shares.score_of("aggression"), one_line(shares.models[0])
    parts = [
        f"The words from {moment(said.start)} to {moment(said.end)} score {score:.2f} as verbal aggression "
        f"by {model}."
    ]
    for verb, chosen in (("raises", up), ("lowers", down)):
        if chosen:
            named = ", ".join(f"“{one_line(shares.words[i].text)}” ({values[i]:+.2f})" for i in chosen)
            parts.append(f"What {verb} it most: {named}.")
    if not up and not down:
        parts.append("No single word moves it by much.")
    base, whole = shares.ends_of("aggression")
    parts.append(
        f"Shares are in log-odds; those of all words lead from {base:+.2f}, for no words, to {whole:+.2f}."
    )
    if shares.method == "permutations":
        error = float(shares.errors_of("aggression").max(initial=0.0))
        parts.append(f"They are estimated, with standard errors up to {error:.2f}.")
    if shares.unseen:
        parts.append("Words that the recogniser was unsure of were not read.")
    return " ".join(parts)
