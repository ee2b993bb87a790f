"""Published figures to put beside a model's own, each with its source and how it was measured.

Only figures whose source is named. ``seen`` says how far the source was read when this list was made
(November 2026): the figure stands in the paper's abstract, was computed from the corpus's own files, or comes
from the project's plan, which names it while the paper's table could not be opened here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Published:
    """One published figure.

    Parameters
    ----------
    who : str
        Model, or people.
    corpus : str
        As in :class:`blipper.datasets.Clip`.
    measure : {"accuracy", "uar"}
    value : float
        From 0 to 1.
    classes : int, optional
        Emotions to choose from; None where the source read does not say.
    speaker_independent : {"yes", "unstated", "people"}
        Whether no test speaker was heard in training; "unstated" where the source read does not say, "people"
        for listeners, who were not trained.
    protocol : str
    source, url : str
    seen : {"abstract", "data", "plan"}
    """

    who: str
    corpus: str
    measure: Literal["accuracy", "uar"]
    value: float
    classes: int | None
    speaker_independent: Literal["yes", "unstated", "people"]
    protocol: str
    source: str
    url: str
    seen: Literal["abstract", "data", "plan"]


#: What :attr:`Published.seen` means, in words.
SEEN: Final = {
    "abstract": "read in the paper's abstract",
    "data": "computed from the corpus's own votes",
    "plan": "as Blipper's plan cites it; the paper's table was not at hand",
}

_EMOBOX: Final = "Ma et al. 2024, EmoBox (Interspeech), arXiv 2406.07162"
_EMOBOX_URL: Final = "https://arxiv.org/abs/2406.07162"
_EMOBOX_FOLDS: Final = "features of a frozen encoder; EmoBox's folds, which keep this corpus's speakers apart"
_CREMA_D: Final = "Cao et al. 2014, CREMA-D (IEEE Transactions on Affective Computing 5)"
_CREMA_D_URL: Final = "https://pmc.ncbi.nlm.nih.gov/articles/PMC4313618"
_DCRF: Final = "Chowdhury et al. 2025, arXiv 2507.07046"
_DCRF_URL: Final = "https://arxiv.org/abs/2507.07046"
_DAL_RI_CNN: Final = "CNN with attention"
_DAL_RI: Final = "Dal Rì et al. 2023 (IEEE Access 11)"
_DAL_RI_URL: Final = "https://doi.org/10.1109/ACCESS.2023.3326071"
_UNSTATED: Final = "the abstract does not say whether test speakers were kept out of training"

#: The figures, by corpus and from the highest down.
PUBLISHED: Final = (
    Published(
        "DCRF-BiLSTM", "ravdess", "accuracy", 0.9783, 7, "unstated", _UNSTATED, _DCRF, _DCRF_URL, "abstract"
    ),
    Published(
        _DAL_RI_CNN, "ravdess", "accuracy", 0.83, None, "unstated", _UNSTATED, _DAL_RI, _DAL_RI_URL,
        "abstract",
    ),
    Published(
        "xlsr-Wav2Vec2.0, fine-tuned", "ravdess", "accuracy", 0.818, 8, "yes",
        "subject-wise 5-fold cross-validation",
        "Luna-Jiménez et al. 2022 (Applied Sciences 12, 327)", "https://doi.org/10.3390/app12010327", "plan",
    ),
    Published(
        "Whisper large-v3, frozen", "ravdess", "uar", 0.753, 8, "yes", _EMOBOX_FOLDS, _EMOBOX, _EMOBOX_URL,
        "plan",
    ),
    Published(
        "WavLM large, frozen", "ravdess", "uar", 0.720, 8, "yes", _EMOBOX_FOLDS, _EMOBOX, _EMOBOX_URL, "plan"
    ),
    Published(
        "ResLSTM-SA, 46.8 k parameters", "ravdess", "uar", 0.6517, None, "yes",
        "strict speaker-independent partitioning; the best variant's highest figure",
        "Krasnoproshin and Vashkevich 2026, arXiv 2606.03359", "https://arxiv.org/abs/2606.03359", "abstract",
    ),
    Published(
        "DCRF-BiLSTM", "crema-d", "accuracy", 0.9510, 6, "unstated", _UNSTATED, _DCRF, _DCRF_URL, "abstract"
    ),
    Published(
        _DAL_RI_CNN, "crema-d", "accuracy", 0.68, None, "unstated", _UNSTATED, _DAL_RI, _DAL_RI_URL,
        "abstract",
    ),
    Published(
        "People who only heard it, majority vote", "crema-d", "accuracy", 0.416, 6, "people",
        "share of clips in which most raters chose the acted emotion; all 91 actors",
        f"{_CREMA_D}, its votes on the voice alone", "https://github.com/CheyneyComputerScience/CREMA-D",
        "data",
    ),
    Published(
        "People who only heard it, single ratings", "crema-d", "accuracy", 0.409, 6, "people",
        "recognition of the intended emotion from the voice alone; all 91 actors",
        _CREMA_D, _CREMA_D_URL, "abstract",
    ),
    Published(
        "DCRF-BiLSTM", "savee", "accuracy", 0.9702, 7, "unstated", _UNSTATED, _DCRF, _DCRF_URL, "abstract"
    ),
    Published(
        "Whisper large-v3, frozen", "savee", "uar", 0.741, 7, "yes", _EMOBOX_FOLDS, _EMOBOX, _EMOBOX_URL,
        "plan",
    ),
    Published(
        "WavLM large, frozen", "savee", "uar", 0.667, 7, "yes", _EMOBOX_FOLDS, _EMOBOX, _EMOBOX_URL, "plan"
    ),
    Published(
        "DCRF-BiLSTM", "tess", "accuracy", 1.0, 7, "unstated", _UNSTATED, _DCRF, _DCRF_URL, "abstract"
    ),
    Published(
        _DAL_RI_CNN, "tess", "accuracy", 1.0, None, "unstated", _UNSTATED, _DAL_RI, _DAL_RI_URL,
        "abstract",
    ),
)  # fmt: skip


def published(corpus: str) -> tuple[Published, ...]:
    """Return the figures of one corpus; none are known of several corpora together."""
    return tuple(row for row in PUBLISHED if row.corpus == corpus)
