"""What a larger encoder makes of the lines: soft targets for the text model (Hinton et al. 2015).

A sentence encoder that is never shipped reads the lines; logistic regressions on its features, with counted
words beside them where that helps, learn single corpora's labels and answer for the lines of the others. No
line is judged by a regression that saw it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.progress import Progress, silent
from blipper.training.text import batches as batching
from blipper.training.text.corpora import Line
from blipper.training.text_baselines import tfidf_lr
from blipper.words.text_torch import beside_tensorflow

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]
logger = logging.getLogger(__name__)

#: What is advised on, the corpora that teach it, and the outputs of the network that learn it.
ADVISED: Final = (
    ("sentiment", ("goemotions", "meld"), (0, 1, 2)),
    ("trac", ("trac1-en",), (4, 5, 6)),
    ("insult", ("insults",), (7,)),
    ("abuse", ("convabuse",), (8,)),
)
#: Lines of a corpus, at most, in the part with advice.
ADVISED_LINES: Final = {
    **{"convabuse": 10_000, "insults": 10_000, "trac1-en": 8_000, "goemotions": 12_000, "meld": 10_000},
    **{"sst2": 5_000, "airline": 3_000, "conda": 4_000, "detoxy-common-voice": 10_000, "emocontext": 3_000},
    "templates": 10_000,
    "sentences": 20_000,
}
#: Lines of a corpus, at most, that the larger encoder reads; of the others none, to save hours.
READ: Final = {
    "convabuse": 10_000,
    "insults": 10_000,
    "goemotions": 10_000,
    "meld": 6_000,
    "emocontext": 3_000,
    "trac1-en": 3_000,
}
#: Words of a line, at most, that it reads: the few longer ones would take a third of the time.
READ_WORDS: Final = 30
#: Word pieces of a line, at most; lines in one call; parts of the cross-fitting; strength of the regressions.
_LONGEST, _BATCH, _PARTS, _C = 96, 32, 5, 0.003


def drawn(lines: Sequence[Line], most: dict[str, int], seed: int) -> NDArray[np.int64]:
    """Return which lines are taken, at most so many of each corpus; sorted."""
    rng = np.random.default_rng([seed, 7])
    kept: list[NDArray[np.int64]] = []
    for corpus, number in most.items():
        rows = np.array([i for i, line in enumerate(lines) if line.corpus.partition(":")[0] == corpus])
        kept.append(rng.permutation(rows.astype(np.int64))[:number])
    return np.sort(np.concatenate(kept))


def features_of(
    encoder: Path, texts: Sequence[str], folder: Path, *, progress: Progress = silent
) -> NDArray[np.float16]:
    """Return means over each text of two of the encoder's layers: the last, and the one at two thirds.

    Parameters
    ----------
    encoder : path
        Folder in Hugging Face format with ``model.safetensors`` and ``tokenizer.json``.
    texts : sequence of str
    folder : path
        Where the features are kept; what was done is not done again.
    progress : Progress, optional
        Told ``"larger encoder"`` in texts.

    Returns
    -------
    numpy.ndarray of float16, shape (n_texts, 2 * width)

    Raises
    ------
    ModelError
        If the folder holds no encoder.
    """
    import torch

    network, tokenizer = read_encoder(encoder, "--teacher")
    pieces = batching.encode(tokenizer, texts, longest=_LONGEST)
    width = int(network.config.hidden_size)
    middle = round(network.config.num_hidden_layers * 2 / 3)
    digest = hashlib.sha256(json.dumps([width, middle, list(texts)]).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path, counted = folder / f"features-{digest}.npy", folder / f"features-{digest}.json"
    done = json.loads(counted.read_text(encoding="utf-8")) if counted.is_file() and path.is_file() else 0
    out = np.lib.format.open_memmap(
        path, mode="r+" if done else "w+", dtype=np.float16, shape=(len(texts), 2 * width)
    )
    pad = int(network.config.pad_token_id or 0)
    todo = list(batching.batches(pieces, _BATCH))
    for number, rows in enumerate(todo[done:], start=done):
        ids, mask = batching.padded(pieces, rows)
        ids = np.where(mask == 1, ids, pad)
        attention = torch.from_numpy(mask)
        with torch.inference_mode():
            states = network(
                input_ids=torch.from_numpy(ids), attention_mask=attention, output_hidden_states=True
            ).hidden_states
        weights = attention[..., None].float()
        means = [(states[layer] * weights).sum(1) / weights.sum(1) for layer in (-1, middle)]
        out[rows] = torch.cat(means, dim=1).numpy().astype(np.float16)
        if number % 20 == 19 or number + 1 == len(todo):
            out.flush()
            counted.write_text(json.dumps(number + 1), encoding="utf-8")
            progress("larger encoder", (number + 1) * _BATCH, len(texts))
    return out


def read_encoder(encoder: Path, option: str) -> tuple[Any, Tokenizer]:
    """Read a larger encoder and its word pieces.

    Parameters
    ----------
    encoder : path
        Folder in Hugging Face format with ``model.safetensors`` and ``tokenizer.json``.
    option : str
        What names it on the command line, for the message.

    Returns
    -------
    (transformers.PreTrainedModel, tokenizers.Tokenizer)
        The network gives the states of its layers, and drops nothing.

    Raises
    ------
    ModelError
        If the folder holds no encoder.
    """
    from tokenizers import Tokenizer

    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (encoder / name).is_file():
            raise ModelError(
                f"{encoder}: lacks {name}; {option} takes the folder of an encoder in Hugging Face format"
            )
    with beside_tensorflow():
        from transformers import AutoModel

        try:
            network: Any = AutoModel.from_pretrained(encoder, use_safetensors=True, local_files_only=True)
        except (OSError, ValueError) as error:
            raise ModelError(f"{encoder}: is no encoder that transformers knows: {error}") from error
    network.eval()
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return network, tokenizer


def advise(features: NDArray[np.floating[Any]], lines: Sequence[Line], seed: int) -> Floats:
    """Return soft targets for lines, by regressions that did not see them.

    Parameters
    ----------
    features : numpy.ndarray, shape (n, n_features)
    lines : sequence of Line, length n
        Of the training side alone.
    seed : int

    Returns
    -------
    numpy.ndarray of float32, shape (n, 8)
        Probabilities in the order of :data:`ADVISED`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    inputs = np.asarray(features, dtype=np.float32)
    texts = np.array([line.text for line in lines], dtype=object)
    part = np.random.default_rng([seed, 8]).integers(0, _PARTS, len(lines))
    columns: list[NDArray[np.float64]] = []
    for label, corpora, outputs in ADVISED:
        known = np.array([line.corpus in corpora and label in line.labels for line in lines])
        wanted = np.array([int(line.labels.get(label, -1)) for line in lines])
        read, counted = (np.zeros((len(lines), max(2, len(outputs)))) for _ in range(2))
        for k in range(_PARTS):
            seen, asked = known & (part != k), part == k
            model = make_pipeline(StandardScaler(), LogisticRegression(C=_C, max_iter=300))
            model.fit(inputs[seen], wanted[seen])
            read[asked] = model.predict_proba(inputs[asked])
            counted[asked] = tfidf_lr(list(texts[seen]), wanted[seen], list(texts[asked]))
        # Whichever is better out of fold on training lines: the encoder alone, or with counted words.
        tried = {"the encoder": read, "the encoder and TF-IDF": (read + counted) / 2}
        worth = {name: _worth(wanted[known], found[known]) for name, found in tried.items()}
        best = max(worth, key=worth.__getitem__)
        logger.info("advice on %s: out of fold on %d lines %s; %s advises", label, known.sum(), worth, best)
        columns.append(tried[best][:, 1:] if len(outputs) == 1 else tried[best])
    return np.hstack(columns).astype(np.float32)


def _worth(wanted: NDArray[np.int64], found: NDArray[np.float64]) -> float:
    """Return the ROC-AUC of two classes, the macro-F1 of more."""
    from sklearn.metrics import f1_score, roc_auc_score

    if found.shape[1] == 2:
        return round(float(roc_auc_score(wanted, found[:, 1])), 4)
    return round(float(f1_score(wanted, found.argmax(axis=1), average="macro")), 4)
