"""How far a model's explanations can be trusted: the figures beside its weights, and their meaning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from blipper.errors import ModelError
from blipper.explain.faithfulness import better
from blipper.export.files import write_atomically
from blipper.export.json import layout
from blipper.paths import models_dir
from blipper.results import ModelInfo

#: The file's name in a model's folder; ``blipper evaluate DATA --explanations`` writes it.
EXPLANATIONS: Final = "explanations.json"


def write_explanations(found: Mapping[str, Any], folder: Path) -> Path:
    """Write measured figures beside a model's weights; the file is whole or not there."""
    path = folder / EXPLANATIONS
    write_atomically(path, layout(dict(found)) + "\n")
    return path


def read_explanations(model: ModelInfo, directory: Path | None = None) -> dict[str, Any] | None:
    """Read the figures of a model's explanations.

    Parameters
    ----------
    model : ModelInfo
    directory : path, optional
        The models' folder; :func:`blipper.models_dir` unless given.

    Returns
    -------
    dict or None
        None where nobody measured them yet.

    Raises
    ------
    ModelError
        If the file is damaged, or was measured on other weights.
    """
    path = (models_dir() if directory is None else directory) / model.name / EXPLANATIONS
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        measured = found["sha256"]
        curves = found["curves"]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read as figures of explanations ({error!r})") from error
    if measured != model.sha256 or not curves:
        raise ModelError(
            f"{path}: was measured on weights {str(measured)[:12]}…, the model's are {model.sha256[:12]}…; "
            "'blipper evaluate DATA --explanations' measures them anew"
        )
    return dict(found)


def conclusions(found: Mapping[str, Any]) -> list[str]:
    """Say in sentences what the figures allow, and no more.

    Parameters
    ----------
    found : mapping
        What :func:`read_explanations` returns.

    Returns
    -------
    list of str
    """
    curves = found["curves"]
    lines = []
    for name, label in (("integrated gradients", "Integrated gradients"), ("shap", "SHAP")):
        if name not in curves:
            continue
        beaten = [other for other in ("random", "loudness") if better(found, name, other)]
        deletion, insertion = curves[name]["deletion_area"], curves[name]["insertion_area"]
        # Gradients are many, SHAP is one.
        know, beat, do = ("knows", "beats", "does") if name == "shap" else ("know", "beat", "do")
        verb = {
            2: f"{know} what moves the score far better than chance or than loudness",
            1: f"{beat} the {''.join(beaten)} order, but not the other one beyond doubt",
            0: f"{do} not beat a random order or loudness beyond doubt: do not trust the map",
        }[len(beaten)]
        lines.append(
            f"{label} {verb} (area of deletion {deletion['mean']:.2f} log-odds against "
            f"{curves['random']['deletion_area']['mean']:.2f} at random and "
            f"{curves['loudness']['deletion_area']['mean']:.2f} by loudness, of insertion "
            f"{insertion['mean']:.2f} against {curves['random']['insertion_area']['mean']:.2f} and "
            f"{curves['loudness']['insertion_area']['mean']:.2f}; {curves[name]['clips']} clips)."
        )
    complete = found["completeness"]
    lines.append(
        f"The contributions of integrated gradients add up to the score's difference within "
        f"{100 * complete['median']:.1f} % in half of the clips and within "
        f"{100 * complete['highest_of_95_percent']:.1f} % in 95 % of them; those of SHAP from 100 draws "
        f"within {100 * complete['shap_median']:.0f} % in half of them"
        + (", so its sums are rougher." if complete["shap_median"] > 2 * complete["median"] else ".")
    )
    shuffled = found["shuffled_weights"]["mean_correlation"]
    passed = abs(shuffled) < 0.2
    lines.append(
        f"With shuffled weights the maps correlate with the true ones by {shuffled:.2f} on average: "
        + (
            "the map shows the model, not just the sound."
            if passed
            else "part of the map is the sound alone."
        )
    )
    shift = found["small_shift"]
    lines.append(
        f"A window that begins {shift['seconds']:g} s later gives much the same map: correlation "
        f"{shift['mean_correlation']:.2f} on average, above {shift['lowest_of_90_percent']:.2f} in nine of "
        f"ten clips."
        if shift["mean_correlation"] > 0.8
        else f"A window that begins {shift['seconds']:g} s later changes the map: correlation "
        f"{shift['mean_correlation']:.2f} on average. Read no details."
    )
    return lines
