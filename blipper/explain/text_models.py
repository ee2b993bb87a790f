"""The text models that gave a transcript its scores, loaded again to be asked why."""

from __future__ import annotations

from blipper.errors import ModelError
from blipper.words.text_models import TextModel
from blipper.words.transcript import Transcript


def check_models(transcript: Transcript, models: tuple[TextModel, ...]) -> tuple[TextModel, ...]:
    """Refuse to explain a transcript's scores by other models than gave them.

    Parameters
    ----------
    transcript : Transcript
        Read by text models.
    models : tuple of TextModel

    Returns
    -------
    tuple of TextModel
        `models`, those that were not used left out.

    Raises
    ------
    ModelError
        If a model that gave a score is not among them.
    """
    by_weights = {model.info.sha256: model for model in models}
    used = []
    for info in transcript.text_models:
        if info.sha256 not in by_weights:
            loaded = ", ".join(model.info.name for model in models) or "no text model"
            raise ModelError(
                f"the words were read by {info.name} (SHA-256 {info.sha256[:12]}…), and loaded is {loaded}; "
                "read the words again to explain their scores"
            )
        used.append(by_weights[info.sha256])
    if not used:
        raise ModelError("no text model has read these words, so they have no scores to explain")
    return tuple(dict.fromkeys(used))
