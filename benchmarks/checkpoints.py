"""Checkpoints in Whisper's own format, built here: random ones, and ones that say what they are told.

A speaking one is an ordinary Whisper model of one layer whose blocks add nothing, so that a token's logits
depend on its position alone: position i of the decoder holds the (scaled) embedding of the token that comes
next. Everything else is real: the file, its loading, the encoder, the decoding rules, and the alignment by
cross-attention from which words get their times.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from whisper.model import ModelDimensions, Whisper
from whisper.tokenizer import Tokenizer, get_tokenizer

ENGLISH, MULTILINGUAL = 51_864, 51_865


#: Of ``tiny.en``, as its file has them.
TINY_EN = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 384,
    "n_audio_head": 6,
    "n_audio_layer": 4,
    "n_vocab": ENGLISH,
    "n_text_ctx": 448,
    "n_text_state": 384,
    "n_text_head": 6,
    "n_text_layer": 4,
}


def dimensions(n_vocab: int = ENGLISH, state: int = 64) -> dict[str, int]:
    """Return dimensions as small as Whisper allows."""
    return {
        "n_mels": 80,
        "n_audio_ctx": 1500,
        "n_audio_state": state,
        "n_audio_head": 2,
        "n_audio_layer": 1,
        "n_vocab": n_vocab,
        "n_text_ctx": 40,  # decoding ends after half as many tokens: quick
        "n_text_state": state,
        "n_text_head": 2,
        "n_text_layer": 2,
    }


def save_random(path: Path, *, seed: int = 0, n_vocab: int = ENGLISH) -> Path:
    """Write a checkpoint whose every weight is random."""
    torch.manual_seed(seed)
    dims = dimensions(n_vocab)
    model = Whisper(ModelDimensions(**dims))
    _randomise(model)
    return _save(path, dims, model)


def save_speaking(
    path: Path, tokens: list[int], *, dims: dict[str, int] | None = None, sharpness: float = 20.0
) -> Path:
    """Write a checkpoint that says these tokens one after the other, then goes silent.

    Parameters
    ----------
    path : Path
    tokens : list of int
        Of :func:`spoken`.
    dims : dict, optional
        The model's dimensions; small ones unless given.
    sharpness : float
        Length of the logits' vector: how sure it is.
    """
    torch.manual_seed(0)
    dims = dims or dimensions()
    n_vocab = dims["n_vocab"]
    model = Whisper(ModelDimensions(**dims))
    _randomise(model)
    tokenizer = tokenizer_for(n_vocab)
    first = len(tokenizer.sot_sequence) - 1
    with torch.no_grad():
        embedding = torch.randn(n_vocab, dims["n_text_state"])
        embedding /= embedding.norm(dim=1, keepdim=True)
        model.decoder.token_embedding.weight.copy_(embedding * 0.01)
        positions = torch.zeros_like(model.decoder.positional_embedding)
        for position in range(len(positions)):
            at = position - first
            token = tokens[at] if 0 <= at < len(tokens) else tokenizer.eot
            positions[position] = embedding[token]
        model.decoder.positional_embedding.copy_(positions)
        for block in model.decoder.blocks:
            for part in (block.attn.out, block.cross_attn.out, block.mlp[2]):
                part.weight.zero_()
                part.bias.zero_()
        model.decoder.ln.weight.fill_(100 * sharpness / dims["n_text_state"] ** 0.5)
        model.decoder.ln.bias.zero_()
    return _save(path, dims, model)


def tokenizer_for(n_vocab: int) -> Tokenizer:
    """Return the tokenizer that goes with a size of vocabulary."""
    return get_tokenizer(n_vocab >= MULTILINGUAL, num_languages=99, language="en", task="transcribe")


def spoken(*parts: tuple[float, str, float], n_vocab: int = ENGLISH) -> list[int]:
    """Return the tokens of segments ``(start, text, end)``, times in seconds of the piece."""
    tokenizer = tokenizer_for(n_vocab)
    tokens: list[int] = []
    for start, text, end in parts:
        tokens += [_stamp(tokenizer, start), *tokenizer.encode(text), _stamp(tokenizer, end)]
    return tokens


def _stamp(tokenizer: Tokenizer, seconds: float) -> int:
    return int(tokenizer.timestamp_begin + round(seconds / 0.02))


def _randomise(model: Whisper) -> None:
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 0.2)
            elif name.endswith("bias"):
                weight.zero_()


def _save(path: Path, dims: dict[str, int], model: Whisper) -> Path:
    stored: dict[str, Any] = {"dims": dims, "model_state_dict": model.state_dict()}
    torch.save(stored, path)
    return path


def varied(count: int) -> list[int]:
    """Return the tokens of text that does not repeat itself."""
    tokenizer = tokenizer_for(ENGLISH)
    text = " ".join(f"{word}{number}" for number, word in enumerate(("speech", "voice", "tone", "call") * 50))
    return list(tokenizer.encode(" " + text)[:count])
