"""Where the weights of Whisper's encoder are on this machine, for ``whisper-cnn``."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from blipper.errors import ModelError
from blipper.voice import whisper
from blipper.words.weights import FOLDER_VARIABLE, checkpoint, find_weights, open_verified, weights_dir

logger = logging.getLogger(__name__)

#: The size whose encoder ``whisper-cnn`` listens through.
SIZE: Final = "tiny.en"
#: The encoder alone, as a safetensors file: what a folder may hold instead of OpenAI's checkpoint, and what
#: is made of the checkpoint when it is first read, since PyTorch takes seconds to load.
ENCODER_FILE: Final = "encoder.safetensors"
_MADE_FILE: Final = f"{SIZE}.{ENCODER_FILE}"


def find_encoder() -> Path | None:
    """Return the file with the encoder's weights, if there is one on this machine.

    Returns
    -------
    pathlib.Path or None
        The file that ``BLIPPER_WHISPER`` names; else, in the folder that it names or in openai-whisper's own
        cache folder, ``encoder.safetensors`` or ``tiny.en.pt``. Whether they are the right ones is seen when
        they are read.
    """
    named = Path(os.environ.get(FOLDER_VARIABLE) or weights_dir())
    if named.is_file():
        return named
    for name in (ENCODER_FILE, _MADE_FILE):
        if (named / name).is_file():
            return named / name
    return find_weights(SIZE)


def wanted() -> str:
    """Say in one sentence what is missing and how it is got."""
    return (
        f"Whisper's weights {SIZE} are not on this machine: 'blipper models download {SIZE}' fetches "
        f"{checkpoint(SIZE).megabytes} MB, or name a folder with {checkpoint(SIZE).file} or {ENCODER_FILE} "
        f"in {FOLDER_VARIABLE}"
    )


def read_encoder(
    sha256: str | None = None, path: Path | None = None
) -> tuple[dict[str, NDArray[np.float16]], Path]:
    """Read the encoder's weights.

    Parameters
    ----------
    sha256 : str, optional
        What :func:`blipper.voice.whisper.tensors_sha256` must give for them.
    path : path, optional
        The file; looked for on this machine unless given.

    Returns
    -------
    tensors : dict of str to numpy.ndarray of float16
    path : path
        Where they came from.

    Raises
    ------
    ModelError
        If there are none, or they are damaged or others.
    """
    path = path or find_encoder()
    if path is None:
        raise ModelError(wanted())
    tensors = read_file(path)
    found = whisper.tensors_sha256(tensors)
    if sha256 is not None and found != sha256:
        raise ModelError(
            f"{path}: the encoder's tensors have the digest {found[:12]}…, expected {sha256[:12]}…; this is "
            f"another encoder than Whisper's {SIZE}, or it is damaged"
        )
    if path.suffix == ".pt":
        _keep(tensors, path.with_name(_MADE_FILE))
    return tensors, path


def read_file(path: Path) -> dict[str, NDArray[np.float16]]:
    """Read an encoder's weights from a safetensors file or from OpenAI's checkpoint, whose hash is compared.

    Raises
    ------
    ModelError
        If the file cannot be read, or holds something else.
    """
    if path.suffix != ".pt":
        return whisper.read_tensors(path)
    with open_verified(path, checkpoint(SIZE).sha256) as stream:
        return whisper.encoder_tensors(whisper.read_checkpoint(stream, path), path)


def _keep(tensors: dict[str, NDArray[np.float16]], path: Path) -> None:
    """Write the encoder beside the checkpoint; a folder that cannot be written to costs seconds, no more."""
    from safetensors.numpy import save

    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(save(tensors))
        partial.replace(path)
    except OSError as error:
        logger.info("%s: not kept (%s)", path, error.strerror)
        partial.unlink(missing_ok=True)
