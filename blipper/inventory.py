"""Which voice models are installed, whether they are sound, and how good they were measured to be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from blipper.errors import ModelError
from blipper.paths import models_dir
from blipper.voice.choice import allows_commerce, lacking
from blipper.voice.models import CONFIG, WEIGHTS, available_models, read_config

METRICS: Final = "metrics.json"


def list_models(directory: str | Path | None = None) -> list[dict[str, Any]]:
    """Describe every installed model without loading it.

    Parameters
    ----------
    directory : path, optional
        :func:`blipper.models_dir` unless given.

    Returns
    -------
    list of dict
        One a folder, as plain JSON values: ``name`` (of the folder, which is what a model is asked for by),
        ``folder``, and either ``error`` (str), or ``sha256``, ``size_bytes``, ``threshold``, ``figures``:
        headline figures on unseen speakers, or None where there is no ``metrics.json`` (see
        :func:`headline`), ``commercial``: whether it was learned only from what allows commercial use, and
        ``lacks``: what the model needs and this machine has not, or None.
    """
    folder = models_dir() if directory is None else Path(directory)
    found = []
    for name in available_models(folder):
        row: dict[str, Any] = {"name": name, "folder": str(folder / name)}
        try:
            row |= _describe(folder / name)
        except ModelError as error:
            row["error"] = str(error)
        found.append(row)
    return found


def _describe(folder: Path) -> dict[str, Any]:
    config = read_config(folder / CONFIG)
    try:
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise ModelError(f"{folder / WEIGHTS}: cannot be read ({error.strerror})") from error
    sha256 = hashlib.sha256(weights).hexdigest()
    if sha256 != config["sha256"]:
        raise ModelError(
            f"{folder / WEIGHTS}: SHA-256 is {sha256[:12]}…, {CONFIG} says {config['sha256'][:12]}…; one of "
            "the two files was changed or damaged"
        )
    return {
        "sha256": sha256,
        "size_bytes": len(weights),
        "threshold": float(config["threshold"]),
        "figures": _figures(folder / METRICS, sha256),
        "commercial": allows_commerce(config),
        "lacks": lacking(config),
    }


def metrics_of(path: Path, sha256: str) -> dict[str, Any] | None:
    """Read what was measured of a model, if it was measured of exactly these weights.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError
        If the file is damaged.
    """
    if not path.is_file():
        return None  # a model need not have been measured
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return metrics if metrics["model"]["sha256"] == sha256 else None


def _figures(path: Path, sha256: str) -> dict[str, float] | None:
    if not path.is_file():
        return None
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        measured = metrics["model"]["sha256"]
        figures = headline(metrics)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read as a model's figures ({error!r})") from error
    if measured != sha256:
        raise ModelError(
            f"{path}: its figures are of the weights {str(measured)[:12]}…, not of these, {sha256[:12]}…"
        )
    return figures


def headline(metrics: dict[str, Any]) -> dict[str, float]:
    """Pick the figures to compare models by, all on speakers whom nothing was trained or chosen on.

    Parameters
    ----------
    metrics : dict
        As in ``metrics.json``.

    Returns
    -------
    dict of str to float
        ``accuracy`` and ``uar`` over the six common emotions and ``roc_auc_angry`` (angry against the rest)
        on RAVDESS, CREMA-D and SAVEE together; ``accuracy_tess`` on TESS's unseen actress. What was not
        measured, for want of such clips, is left out.
    """
    test = metrics["test"]
    tess = test["corpora"].get("tess", {})
    figures = {
        "accuracy": test["common"].get("accuracy"),
        "uar": test["common"].get("uar"),
        "roc_auc_angry": test["common"].get("angry", {}).get("roc_auc"),
        "accuracy_tess": tess.get("accuracy"),
    }
    return {name: float(figure["value"]) for name, figure in figures.items() if figure is not None}
