"""The note on how far to trust explanations, written from the shipped models' explanations.json.

Usage: python -m tools.explanations          (rewrites docs/research/explanations.md)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from blipper.explain.trust import EXPLANATIONS, conclusions

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("mel-cnn", "whisper-cnn")
NOTE = ROOT / "docs" / "research" / "explanations.md"

_INTRODUCTION = """
An explanation is itself a claim that can be wrong: it may show the sound instead of the model, or noise.
So it is measured. `blipper evaluate DATA --explanations` explains one window of each clip and asks:
"""

_METHODS = """
- **Deletion**: blocks of 4 frames by 4 bands are replaced by the mean frame of neutral speech, those that
  matter most first. What is left of the score's distance from neutral speech, in log-odds, should fall
  quickly: a small (or negative) area is good. Blocks that spoke against the score go last, so it falls
  below zero in between.
- **Insertion**: the other way round, starting from neutral speech; a large area is good (both after
  Petsiuk, Das and Saenko 2018, "RISE").
- **Random** and **loudness**: the same with blocks in random order, and with the loudest first, which
  needs no model. An explanation that does not beat them explains nothing.
- **Completeness**: contributions must add up to the score's difference (Sundararajan, Taly and Yan 2017).
- **Shuffled weights**: the same network with its numbers in another order must give another map (Adebayo
  et al. 2018, "Sanity checks for saliency maps").
- **Small shift**: the same sound in a window that begins 0.04 s later should give the same map.
"""

_WORDS = """
SHAP values of words need no such measurement to add up: with the text model's answer to no words they give
its log-odds exactly (tested to 0.0001, and up to eight words against Shapley's definition over all
coalitions); above eight words each has a standard error. What they cannot promise: a text without a word
may be one that nobody says, and the model's answer to it is part of every share. A word that was misheard
is explained as it was written; words that were not surely heard are never given to the model. Prior, voice
and words add up to the fused score to 1e-9 (tested); how much each side is trusted is set by judgement
(`blipper.fusion`).
"""

_LIMITS = """
- All of this is about the **model**. That a band moved the score says nothing about why the voice has
  that band.
- Replaced blocks make pictures that no voice makes, and the model's answer to them is part of every
  figure above.
- The clips are acted. On real calls, the explanation of a score is no better than the score.
- Two explanations that compare with different things (the mean neutral frame; many neutral windows)
  differ in detail by design. What both show is worth more than what one shows.
- `whisper-cnn` does not take a held mean frame for speech: it hears odds of anger a hundred million times
  lower in it than in neutral speech, and from there every voice would seem to raise the score. Its integrated
  gradients start from 16 real windows of neutral speech instead and are averaged. Where those windows have
  their syllables shows in the map, too.
- What-if curves change the whole sound, pitch together with timbre, and answer for the changed recording
  only.
"""


def measured() -> list[dict[str, Any]]:
    """Return what was measured of each model that has such figures."""
    paths = [ROOT / "models" / name / EXPLANATIONS for name in MODELS]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]


def render(models: Sequence[dict[str, Any]]) -> str:
    """Return the note as Markdown.

    Parameters
    ----------
    models : sequence of dict
        The content of each model's ``explanations.json``.
    """
    missing = sorted(set(MODELS) - {found["model"] for found in models})
    unknown = "".join(f"- None of the figures above is about `{name}`.\n" for name in missing)
    return (
        "# How far to trust explanations\n\n"
        "<!-- Written by tools/explanations.py from each model's explanations.json; tested to agree. -->\n"
        f"{_INTRODUCTION}{_METHODS}\n## What was found\n\n"
        "In brackets 95 % intervals by bootstrap over speakers. "
        "Areas are mean log-odds over the share of blocks.\n\n"
        + "".join(_found(found) for found in models)
        + f"## Words\n{_WORDS}\n## What it does not say\n{_LIMITS}{unknown}"
    )


def _found(found: dict[str, Any]) -> str:
    rows = []
    for name, part in found["curves"].items():
        deletion, insertion = part["deletion_area"], part["insertion_area"]
        rows.append(
            f"| {name} | {part['clips']} | {deletion['mean']:.2f} ({deletion['low']:.2f} to "
            f"{deletion['high']:.2f}) | {insertion['mean']:.2f} ({insertion['low']:.2f} to "
            f"{insertion['high']:.2f}) |"
        )
    corpora = ", ".join(f"{count} of {name}" for name, count in found["clips_of_corpora"].items())
    told = "\n".join(
        fill(f"- {line}", 110, subsequent_indent="  ", break_on_hyphens=False) for line in conclusions(found)
    )
    what = fill(
        f"Model `{found['model']}` (SHA-256 {found['sha256'][:12]}), {found['split']}, {found['clips']} "
        f"clips of {found['speakers']} speakers chosen from {corpora}; explained: {found['target']}.",
        110,
    )
    return (
        f"### {found['model']}\n\n{what}\n\n"
        "| order | clips | area of deletion (lower is better) | area of insertion (higher is better) |\n"
        "|---|---|---|---|\n" + "\n".join(rows) + f"\n\n{told}\n\n"
    )


if __name__ == "__main__":
    NOTE.write_text(render(measured()), encoding="utf-8")
