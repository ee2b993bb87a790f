"""Text models that are suggested by name, with what is known about them without asking any server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Suggested:
    """A model on the Hugging Face hub that fits, as its page says.

    Parameters
    ----------
    name : str
        ``"org/name"``.
    reads : str
        ``"sentiment"`` or ``"aggression"``.
    languages : tuple of str
        ISO 639-1 codes.
    megabytes : int
        About how much is downloaded.
    licence : str
        SPDX identifier, or the name on its page.
    """

    name: str
    reads: str
    languages: tuple[str, ...]
    megabytes: int
    licence: str


#: All have safetensors on their main branch. Left out for want of those (looked up in November 2026, pages as
#: crawled in 2025): cardiffnlp/twitter-roberta-base-sentiment-latest and twitter-xlm-roberta-base-sentiment,
#: unitary/multilingual-toxic-xlm-roberta, whose safetensors are only proposed: they load where the proposal
#: is named as the revision (``NAME@refs/pr/10``). Left out unverified: s-nlp/roberta_toxicity_classifier, of
#: which no list of its own files was to be found; public programs that fetch it file by file name its
#: pytorch_model.bin, where they name the model.safetensors of others; whether some are proposed is unknown.
SUGGESTED: Final = (
    Suggested(
        "lxyuan/distilbert-base-multilingual-cased-sentiments-student",
        "sentiment",
        ("en", "ar", "de", "es", "fr", "ja", "zh", "id", "hi", "it", "ms", "pt"),
        544,
        "Apache-2.0",
    ),
    Suggested("unitary/toxic-bert", "aggression", ("en",), 438, "Apache-2.0"),
    Suggested(
        "textdetox/xlmr-large-toxicity-classifier",
        "aggression",
        ("en", "ru", "uk", "es", "de", "am", "ar", "zh", "hi"),
        1130,
        "OpenRAIL++",
    ),
)


def suggested(name: str) -> Suggested | None:
    """Return what is known about a model of this name, or None."""
    return next((one for one in SUGGESTED if one.name == name), None)


def multilingual() -> str:
    """Return a sentence that names models for other languages."""
    named = [
        f"{one.name} for {'verbal aggression' if one.reads == 'aggression' else one.reads}"
        for one in SUGGESTED
        if len(one.languages) > 1
    ]
    return f"A multilingual model can be chosen instead, such as {' and '.join(named)}."
