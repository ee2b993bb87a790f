"""The text model's card, written from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any


def card(
    described: Mapping[str, Any], metrics: Mapping[str, Any], config: Mapping[str, Any], size: int
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    described : mapping
        ``blipper.json``.
    metrics : mapping
        ``metrics.json``.
    config : mapping
        ``config.json``.
    size : int
        Bytes of the weights.
    """
    checklist, bias = metrics["checklist"], metrics["bias"]
    calibration = next(one for one in metrics["calibration"] if one["head"] == "aggression")
    template = resources.files(__package__).joinpath("card.md").read_text(encoding="utf-8")
    return template.format(
        name=metrics["model"],
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        pieces=config["vocab_size"],
        megabytes=size / 1e6,
        seed=described["seed"],
        initialised_from=described["initialised_from"],
        threshold=described["aggression"]["threshold"],
        n_written=metrics["lines"]["sentences"]["train"],
        lines=_lines_table(metrics["lines"]),
        command=metrics["command"],
        figures=_figures_table(metrics["corpora"]),
        ece=calibration["ece"],
        n_sentences=len(checklist["sentences"]),
        rate=checklist["rate"],
        checklist=_checklist_table(checklist["categories"]),
        further=_checklist_table(metrics["sentences"]["categories"]),
        n_harmless=sum(one["n"] for one in metrics["sentences"]["categories"] if not one["expected"]),
        n_further=sum(one["n"] for one in metrics["sentences"]["categories"]),
        bias_sentences=(
            f"In {bias['templates']} harmless sentences with {bias['terms']} identity terms put in turn, the "
            f"score moves by {bias['mean_shift']:.3f} on average, for no term by more than "
            f"{bias['max_shift']:.3f} on average, and in a single sentence by up to {bias['largest']:.3f}."
        ),
        bias_target=bias["target"],
    )


def _lines_table(lines: Mapping[str, Mapping[str, int]]) -> str:
    sides = ("train", "validation", "dev", "test")
    rows = [["corpus", *sides]]
    rows += [[corpus, *(str(counts.get(side, 0)) for side in sides)] for corpus, counts in lines.items()]
    return _table(rows)


def _figures_table(corpora: list[Mapping[str, Any]]) -> str:
    rows = [["corpus", "part", "told apart", "figure", "text model", "aim", "TF-IDF", "VADER"]]
    for one in corpora:
        beside = one["baselines"]
        rows.append(
            [
                one["corpus"],
                f"{one['split']} ({one['n']})",
                one["task"],
                one["metric"],
                _with_interval(one),
                "" if one["target"] is None else f"{one['target']:.3g}",
                _with_interval(beside["tfidf-lr"]),
                "" if beside["vader"] is None else _with_interval(beside["vader"]),
            ]
        )
    return _table(rows)


def _checklist_table(categories: list[Mapping[str, Any]]) -> str:
    rows = [["kind of sentence", "should score", "sentences", "right"]]
    for one in categories:
        side = "at or above the threshold" if one["expected"] else "below it"
        rows.append([one["name"], side, str(one["n"]), _with_interval({**one, "value": one["rate"]})])
    return _table(rows)


def _with_interval(figure: Mapping[str, Any]) -> str:
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _table(rows: list[list[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
