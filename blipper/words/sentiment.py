"""Sentiment and verbal aggression of what is said: text models behind one interface.

The built-in model is small, calibrated, reads English, and works offline; it gets texts in the form in which
a recogniser writes (:mod:`blipper.words.spoken`). Any Hugging Face sequence classifier can be chosen instead,
by name or folder: it gets texts as they are written, and its scores are not calibrated. Weights are
safetensors only, whose SHA-256 (and a hub's commit) stand in the result; no code from a model is ever run.
"""

from __future__ import annotations

from blipper.words.text_builtin import BUILT_IN
from blipper.words.text_info import ROLES, SENTIMENTS, TextModelInfo, TextScores
from blipper.words.text_loading import (
    Readers,
    load_readers,
    load_text_model,
    load_text_models,
    setting_of,
)
from blipper.words.text_models import TextModel
from blipper.words.text_names import NONE, parse
from blipper.words.text_reading import read_transcript, roles_of, text_for_model, without_scores

__all__ = [
    "BUILT_IN",
    "NONE",
    "ROLES",
    "SENTIMENTS",
    "Readers",
    "TextModel",
    "TextModelInfo",
    "TextScores",
    "load_readers",
    "load_text_model",
    "load_text_models",
    "parse",
    "read_transcript",
    "roles_of",
    "setting_of",
    "text_for_model",
    "without_scores",
]
