"""What a model's card says of heads over Whisper's encoder: how they were trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def describe_training(found: Mapping[str, Any]) -> str:
    """Describe how the heads were trained.

    Parameters
    ----------
    found : mapping
        The model's ``metrics.json``.

    Returns
    -------
    str
        Markdown.
    """
    training, settings = found["training"], found["settings"]
    members = settings["network"]["members"]
    several = f", the mean of {members} networks from different seeds" if members > 1 else ""
    perceptrons = settings["network"].get("perceptrons", 0)
    if perceptrons:
        several += f"{' and' if several else ', the mean of one network and'} of {perceptrons} perceptron"
        several += "s" * (perceptrons > 1) + " that hear the plain means and deviations alone"
    return f"""
## Training

`blipper train --model whisper-cnn` with seed {settings["seed"]}: {training["epochs"]} epochs of
{training["windows_an_epoch"]:,} clips, running means of the weights kept{several}. Convolutions over time
with attentive statistics pooling over a learned weighted sum of the encoder's blocks, beside
{_plain(settings["network"])}. Each training clip was put through the encoder as it is and in
{settings["versions"]} augmented version{"s" if settings["versions"] != 1 else ""}{_speeds(settings)}; pooled
vectors are mixed.{_margins(settings)}{_heard_at(settings)}
""" + _adapted(settings)


def _plain(network: Mapping[str, Any]) -> str:
    """Say what is heard without attention."""
    text = "plain means and deviations of every block"
    if first := network.get("plain_from", 0):
        text += f" from number {first + 1} on"
    if inner := network.get("inner"):
        text += f" and plain means of the inner layers of blocks {_listed([block + 1 for block in inner])}"
    return text


def _speeds(settings: Mapping[str, Any]) -> str:
    if learned := settings.get("speeds"):
        return f", and as played at {_listed(learned)} of its speed"
    return ""


def _margins(settings: Mapping[str, Any]) -> str:
    if (heard := settings.get("margins")) is None:
        return ""
    return (
        f" Utterances are heard with {heard['before']:g} s of what is before them and {heard['after']:g} s of"
        " what is after them, in training and in use."
    )


def _heard_at(settings: Mapping[str, Any]) -> str:
    if heard := settings.get("heard_at"):
        return f" In use every window is heard at {_listed(heard)} of its speed as well, the logits averaged."
    return ""


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _adapted(settings: Mapping[str, Any]) -> str:
    """Say how the encoder was adapted, where it was."""
    how = settings.get("adapting")
    if how is None:
        return ""
    return f"""
Then low-rank adapters (rank {how["rank"]}) in the encoder's matrices and the head were trained together for
{how["epochs"]} epochs. They are in the weights file and are added to Whisper's own weights when it is loaded.
Figures of these weights are of the encoder with them.
"""
