"""A loaded text model: texts in, sentiment and verbal aggression out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from blipper.progress import Progress, silent
from blipper.words.text_heads import Heads, sigmoid, softmax
from blipper.words.text_info import Float64, TextModelInfo, TextScores

#: Texts whose tokens are held at a time: bounds memory however many texts there are.
_BLOCK: Final = 1024

#: Tokens in one call of the network, padding included: enough to keep two cores busy, and small for caches.
_TOKENS: Final = 2048


@dataclass(frozen=True, eq=False)
class _Pieces:
    """The network's outputs (n_pieces, n_outputs), whose text each piece is, and its length in tokens."""

    logits: Float64
    owners: NDArray[np.int64]
    lengths: NDArray[np.int64]
    n_texts: int


class TextModel:
    """A text model, ready to score; safe to share between threads.

    Texts are given as they are written. A model that wants another form (the built-in one reads the form in
    which a recogniser writes) puts them into it by itself. A text longer than the model reads at once is read
    in pieces: the sentiment is the pieces' mean, the aggression that of the most aggressive piece.

    Parameters
    ----------
    info : TextModelInfo
    heads : Heads
    network : torch.nn.Module
        A Hugging Face sequence classifier in evaluation mode, float32.
    tokenizer : tokenizers.Tokenizer
        Without truncation and padding; adds the special tokens by itself.
    max_length : int
        Tokens that the network reads at once, special ones included.
    form : callable, optional
        Puts a text into the form that the model was trained on.
    """

    def __init__(
        self,
        info: TextModelInfo,
        heads: Heads,
        network: Any,
        tokenizer: Any,
        max_length: int,
        form: Callable[[str], str] = str,
    ) -> None:
        self.info = info
        self.heads = heads
        self.network = network
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.form = form
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)

    def __repr__(self) -> str:
        """Name the model and the start of its hash."""
        return f"TextModel({self.info.name!r}, sha256={self.info.sha256[:12]!r})"

    @property
    def has_sentiment(self) -> bool:
        """Whether it reads sentiment."""
        return self.heads.sentiment is not None

    @property
    def has_aggression(self) -> bool:
        """Whether it reads verbal aggression."""
        return bool(self.heads.aggression)

    def score(self, texts: Sequence[str], progress: Progress = silent) -> TextScores:
        """Score texts.

        Parameters
        ----------
        texts : sequence of str
            As written. A text with nothing in it is scored like any other, which a difference needs; what
            shall have no score is not to be asked for.
        progress : Progress, optional
            Told about ``"reading"`` in texts.

        Returns
        -------
        TextScores
        """
        pieces = self._read(texts, progress)
        return TextScores(
            sentiment=softmax(self._sentiment(pieces)) if self.has_sentiment else None,
            aggression=sigmoid(self._aggression(pieces)) if self.has_aggression else None,
        )

    def aggression_log_odds(self, texts: Sequence[str]) -> Float64:
        """Return natural log-odds whose sigmoid is the aggression in :meth:`score`.

        Returns
        -------
        numpy.ndarray of float64, shape (n,)

        Raises
        ------
        ValueError
            If the model does not read verbal aggression.
        """
        return self._aggression(self._read(texts))

    def sentiment_logits(self, texts: Sequence[str]) -> Float64:
        """Return numbers whose softmax is the sentiment in :meth:`score`.

        Returns
        -------
        numpy.ndarray of float64, shape (n, 3)

        Raises
        ------
        ValueError
            If the model does not read sentiment.
        """
        return self._sentiment(self._read(texts))

    def _sentiment(self, pieces: _Pieces) -> Float64:
        logits = self.heads.sentiment_logits(pieces.logits)
        if len(pieces.owners) == pieces.n_texts:
            return logits
        weights = np.bincount(pieces.owners, pieces.lengths, pieces.n_texts)
        columns = [
            np.bincount(pieces.owners, pieces.lengths * column, pieces.n_texts) / weights
            for column in logits.T
        ]
        return np.stack(columns, axis=1)

    def _aggression(self, pieces: _Pieces) -> Float64:
        odds = self.heads.aggression_log_odds(pieces.logits)
        if len(pieces.owners) == pieces.n_texts:
            return odds
        highest = np.full(pieces.n_texts, -np.inf)
        np.maximum.at(highest, pieces.owners, odds)
        return highest

    def _read(self, texts: Sequence[str], progress: Progress = silent) -> _Pieces:
        """Run the network over texts, block by block."""
        if isinstance(texts, str):
            raise TypeError("texts is one str; a sequence of them is needed")
        logits, owners, lengths = [], [], []
        for first in range(0, len(texts), _BLOCK):
            progress("reading", first, len(texts))
            pieces: list[list[int]] = []
            block = [self.form(text) for text in texts[first : first + _BLOCK]]
            for owner, encoding in enumerate(self.tokenizer.encode_batch(block), start=first):
                for piece in (encoding, *encoding.overflowing):
                    pieces.append(piece.ids)
                    owners.append(owner)
            logits.append(self._scored(pieces))
            lengths += [len(piece) for piece in pieces]
        progress("reading", len(texts), len(texts))
        empty = np.zeros((0, int(self.network.config.num_labels)), dtype=np.float64)
        return _Pieces(
            np.concatenate([empty, *logits]), np.array(owners, np.int64), np.array(lengths), len(texts)
        )

    def _scored(self, pieces: list[list[int]]) -> Float64:
        lengths = np.array([len(piece) for piece in pieces])
        scored = np.zeros((len(pieces), int(self.network.config.num_labels)), dtype=np.float64)
        for batch in _batches(lengths):
            scored[batch] = self._forward([pieces[index] for index in batch])
        return scored

    def _forward(self, pieces: list[list[int]]) -> Float64:
        import torch

        longest = max(1, max(map(len, pieces)))
        padding = self.network.config.pad_token_id or 0
        ids = torch.full((len(pieces), longest), padding, dtype=torch.long)
        mask = torch.zeros((len(pieces), longest), dtype=torch.long)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = torch.tensor(piece, dtype=torch.long)
            mask[row, : len(piece)] = 1
        with torch.inference_mode():
            logits = self.network(input_ids=ids, attention_mask=mask).logits
        numbers: Float64 = logits.float().numpy().astype(np.float64)
        return numbers


def _batches(lengths: Any) -> Iterator[Any]:
    """Yield indices of pieces of about one length, so that little is padding."""
    batch: list[int] = []
    for index in np.argsort(-lengths, kind="stable"):  # the longest first: its batch is the largest
        if batch and (len(batch) + 1) * lengths[batch[0]] > _TOKENS:
            yield np.array(batch)
            batch = []
        batch.append(int(index))
    if batch:
        yield np.array(batch)
