"""Loading the text models that a setting asks for, and saying what could not be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from blipper.errors import SettingsError
from blipper.paths import TEXT_DESCRIPTION, models_dir
from blipper.progress import Progress, silent
from blipper.recording import Notice
from blipper.words.text_builtin import BUILT_IN, built_in_folder, load_built_in
from blipper.words.text_info import TextModelInfo
from blipper.words.text_models import TextModel
from blipper.words.text_names import ACCEPTED, NONE, Wanted, parse
from blipper.words.text_reading import read_transcript, without_scores
from blipper.words.transcript import Transcript


@dataclass(frozen=True, eq=False)
class Readers:
    """The models that read the words.

    Parameters
    ----------
    models : tuple of TextModel
        For each score the first that gives it is taken.
    notice : Notice, optional
        What a reader of the transcript has to know: a model that is not there.
    setting : str
        What was asked for.
    """

    models: tuple[TextModel, ...]
    notice: Notice | None = None
    setting: str = NONE

    def read(
        self, transcripts: Sequence[Transcript], *, keep: bool = False, progress: Progress = silent
    ) -> tuple[Transcript, ...]:
        """Score transcripts; see :func:`blipper.words.text_reading.read_transcript`."""
        if not self.models:
            return tuple(without_scores(transcript, self.notice) for transcript in transcripts)
        read = (read_transcript(one, self.models, keep=keep, progress=progress) for one in transcripts)
        if self.notice is None:
            return tuple(read)
        return tuple(replace(one, notices=(*one.notices, self.notice)) for one in read)


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


def load_readers(setting: str, *, progress: Progress = silent) -> Readers:
    """Load the models that read the words; the built-in one may be missing, which is then told.

    Parameters
    ----------
    setting : str
        As in :attr:`blipper.settings.Settings.text_model`.
    progress : Progress, optional

    Returns
    -------
    Readers

    Raises
    ------
    ModelError
        If a chosen model cannot be had, or any model is damaged.
    SettingsError
        If the setting names no model.
    """
    wanted = parse(setting)
    missing = any(one.where == BUILT_IN for one in wanted) and not built_in_folder().is_dir()
    if not missing:
        return Readers(load_text_models(setting, progress=progress), None, setting)
    notice = Notice(
        "text-missing",
        "The built-in text model is not installed, so it gives the words no scores for sentiment and verbal "
        f"aggression. It belongs into {built_in_folder().name}/ beside the voice models.",
    )
    models = tuple(_load(one, progress) for one in wanted if one.where != BUILT_IN)
    return Readers(models, notice, setting)


def setting_of(infos: Sequence[TextModelInfo]) -> str:
    """Return the setting by which the models of a result are asked for again, as far as it says so.

    A folder is not named in a result, so that it cannot be asked for again; neither can labels that a person
    mapped.
    """
    parts = []
    for info in infos:
        if info.revision is not None:
            parts.append(f"{info.name}@{info.revision}")
        elif info.calibrated:
            parts.append(BUILT_IN)
    return "+".join(parts) if parts else NONE


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
