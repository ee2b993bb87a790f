"""Sentiment and verbal aggression of what is said: text models behind one interface.

The built-in model is small, calibrated, reads English, and works offline; it gets texts in the form in which
a recogniser writes (:mod:`blipper.words.spoken`). Any Hugging Face sequence classifier can be chosen instead,
by name or folder: it gets texts as they are written, and its scores are not calibrated. Weights are
safetensors only, whose SHA-256 (and a hub's commit) stand in the result; no code from a model is ever run.
"""

from __future__ import annotations

from blipper.errors import SettingsError
from blipper.paths import TEXT_DESCRIPTION, models_dir
from blipper.progress import Progress, silent
from blipper.words.text_builtin import BUILT_IN, load_built_in
from blipper.words.text_info import ROLES, SENTIMENTS, TextModelInfo, TextScores
from blipper.words.text_models import TextModel
from blipper.words.text_names import ACCEPTED, Wanted, parse
from blipper.words.text_reading import read_transcript, roles_of, text_for_model, without_scores

__all__ = [
    "BUILT_IN",
    "ROLES",
    "SENTIMENTS",
    "TextModel",
    "TextModelInfo",
    "TextScores",
    "load_text_model",
    "load_text_models",
    "read_transcript",
    "roles_of",
    "text_for_model",
    "without_scores",
]


def load_text_model(name: str = BUILT_IN, *, progress: Progress = silent) -> TextModel:
    """Load one text model.

    Parameters
    ----------
    name : str, optional
        ``"built-in"``, ``"ORG/NAME"`` or ``"ORG/NAME@REVISION"`` on the Hugging Face hub, which is fetched
        unless it is on this machine, or a folder. What its labels mean may follow after ``#``.
    progress : Progress, optional
        Told about ``"download"`` in bytes.

    Returns
    -------
    TextModel

    Raises
    ------
    ModelError
        If there is no such model, it cannot be had, or its files are missing, damaged, or do not fit.
    SettingsError
        If `name` names no model, or several.
    """
    wanted = parse(name)
    if len(wanted) != 1:
        raise SettingsError(f"text model {name!r}: one model is needed; accepted: {ACCEPTED}")
    return _load(wanted[0], progress)


def load_text_models(setting: str, *, progress: Progress = silent) -> tuple[TextModel, ...]:
    """Load the models that read the words, in order.

    Parameters
    ----------
    setting : str
        As in :attr:`blipper.settings.Settings.text_model`: ``"none"``, one model, or several joined by ``+``.
    progress : Progress, optional

    Returns
    -------
    tuple of TextModel
        Empty for ``"none"``. For each score the first that gives it is taken.

    Raises
    ------
    ModelError
        As by :func:`load_text_model`.
    SettingsError
        If the setting names no model, or one that would have nothing to do.
    """
    models = tuple(_load(wanted, progress) for wanted in parse(setting))
    taken: set[str] = set()
    for model in models:
        having = {role for role, has in _roles(model) if has}
        if having <= taken:
            raise SettingsError(
                f"text model {setting!r}: {model.info.name} reads {' and '.join(sorted(having)) or 'nothing'}"
                ", which a model before it reads already"
            )
        taken |= having
    return models


def _load(wanted: Wanted, progress: Progress) -> TextModel:
    if wanted.ours:
        return load_built_in(None if wanted.where == BUILT_IN else models_dir() / wanted.where)
    from blipper.words.text_chosen import load_chosen

    if wanted.folder is not None:
        if (wanted.folder / TEXT_DESCRIPTION).is_file() and wanted.mapping is None:
            return load_built_in(wanted.folder)
        return load_chosen(wanted.folder, wanted.folder.resolve().name, None, wanted.mapping)
    from blipper.words.text_hub import download, find

    found = find(wanted) or download(wanted, progress=progress)
    return load_chosen(found.folder, wanted.where, found.revision, wanted.mapping)


def _roles(model: TextModel) -> tuple[tuple[str, bool], ...]:
    return (("sentiment", model.has_sentiment), ("aggression", model.has_aggression))
