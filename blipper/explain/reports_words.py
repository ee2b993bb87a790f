"""Explanations of words and of the fused score: as text for a terminal, as tables, as plain values."""

from __future__ import annotations

from typing import Any

from blipper.csv_cells import seconds, table, text
from blipper.explain.decomposition import Decomposition
from blipper.explain.words import WordShares
from blipper.terminal import columns


def words_dict(shares: WordShares) -> dict[str, Any]:
    """Return what each word gives each score as plain JSON values."""
    return {
        "unit": "log-odds",
        "method": shares.method,
        "text": shares.text,
        "scores": {
            target: {
                "model": model,
                "score": shares.score_of(target),
                "log_odds": shares.ends_of(target)[1],
                "base_log_odds": shares.ends_of(target)[0],
            }
            for target, model in zip(shares.targets, shares.models, strict=True)
        },
        "words": [
            {
                "text": word.text,
                "start": word.start,
                "end": word.end,
                "confidence": word.confidence,
                "seen": word.seen,
                "shares": {target: float(shares.of(target)[i]) for target in shares.targets},
                "standard_errors": {target: float(shares.errors_of(target)[i]) for target in shares.targets},
            }
            for i, word in enumerate(shares.words)
        ],
    }


def words_csv(shares: WordShares) -> str:
    """Return one row a word, with its share of each score; the first row is a text without words."""
    header = ("start_s", "end_s", "text", "seen", *(f"{target}_log_odds" for target in shares.targets))
    base = ("", "", "", "", *(f"{shares.ends_of(target)[0]:.6f}" for target in shares.targets))
    rows = (
        (
            seconds(word.start),
            seconds(word.end),
            text(word.text),
            "yes" if word.seen else "no",
            *(f"{shares.of(target)[i]:.6f}" for target in shares.targets),
        )
        for i, word in enumerate(shares.words)
    )
    return table(header, [base, *rows])


def parts(found: Decomposition) -> list[tuple[str, float]]:
    """Return the named parts of a score, which add up to its log-odds."""
    rows = [("prior", found.prior), ("voice", found.voice)]
    if found.shares:
        rows += [(word.text, share) for word, share in found.shares]
        return [*rows, ("an utterance of no words", found.rest)]
    return [*rows, ("words", found.words)] if found.fused else rows


def decomposition_csv(found: Decomposition) -> str:
    """Return each part of a score, then all together and the score itself."""
    rows = [(text(label), f"{value:.9f}") for label, value in parts(found)]
    rows += [("together", f"{found.log_odds:.9f}"), ("score", f"{found.score:.9f}")]
    return table(("part", "log_odds"), rows)


def words_text(found: Decomposition | None, shares: WordShares | None) -> str:
    """Return the score taken apart and its words, for a terminal; empty where there is nothing to tell."""
    lines: list[str] = []
    if found is not None:
        rows = [(f"  {label}", f"{value:+.2f}") for label, value in parts(found)]
        lines += [
            "",
            f"The score at {found.time:.2f} s, {found.score:.2f}, taken apart (log-odds):",
            *columns(rows, right=frozenset({1})),
            f"  together {found.log_odds:+.2f}",
        ]
    if shares is not None:
        unseen = [word.text for word in shares.unseen]
        for target in shares.targets[1:] if shares.targets[0] == "aggression" else shares.targets:
            order = sorted(range(len(shares.words)), key=lambda i: -abs(shares.of(target)[i]))[:3]
            named = ", ".join(f"{shares.words[i].text} {shares.of(target)[i]:+.2f}" for i in order)
            lines.append(f"  {target} {shares.score_of(target):.2f}: {named}")
        if unseen:
            lines.append(f"  Not surely heard, so never given to the model: {', '.join(unseen)}")
    return "\n".join([*lines, ""]) if lines else ""
