"""Figures of a text model's evaluation: corpora beside baselines, the checklist, identity terms."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from blipper.figures.evaluation_style import BLUE, GREEN, GREY, PURPLE, RED, bars, lay_out
from blipper.measures import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from blipper.text_evaluation import CorpusFigure
    from blipper.training.text_bias import Bias
    from blipper.training.text_checks import Category

#: Baselines by name, as people know them.
BASELINES: Final = {"tfidf-lr": "TF-IDF and logistic regression", "vader": "VADER"}
#: Symbol and colour of baselines in the order in which they occur.
_LOOKS: Final = (("square", RED), ("triangle-up", PURPLE), ("x", GREEN))
#: Characters of a line in a row's name.
_NAME: Final = 29
#: Side that a category of the checklist must fall on: name, pattern, colour.
SIDES: Final = {
    True: ("must reach the threshold", "/", RED),
    False: ("must stay below it", "", BLUE),
}


def corpus_name(row: CorpusFigure) -> str:
    """Name a row as charts and tables do: corpus, task and figure."""
    return f"{row.corpus}, {row.task}: {row.metric}"


def text_corpora_figure(rows: Sequence[CorpusFigure]) -> go.Figure:
    """Draw the model's figure on each task of each corpus, beside the baselines' and the target.

    Parameters
    ----------
    rows : sequence of CorpusFigure
    """
    import plotly.graph_objects as go

    # In short lines: on a phone the names would leave no room for the figures.
    names = [
        "<br>".join([*wrap(f"{row.corpus}: {row.task}", _NAME), f"{row.metric}, {row.split}"]) for row in rows
    ]
    figure = go.Figure()
    known = list(dict.fromkeys(name for row in rows for name, found in row.baselines.items() if found))
    series = [("this model", "circle", BLUE, [(i, row.figure) for i, row in enumerate(rows)])]
    for number, name in enumerate(known):
        symbol, colour = _LOOKS[number % len(_LOOKS)]
        pairs = [(i, found) for i, row in enumerate(rows) if (found := row.baselines.get(name))]
        series.append((BASELINES.get(name, name), symbol, colour, pairs))
    for name, symbol, colour, pairs in series:
        figure.add_trace(
            go.Scatter(
                x=[found.value for _, found in pairs], y=[names[i] for i, _ in pairs], mode="markers",
                name=f"{name}, 95 % interval", error_x=bars([found for _, found in pairs]),
                marker={"size": 11, "symbol": symbol, "color": colour},
                customdata=[[rows[i].n, rows[i].metric, rows[i].split] for i, _ in pairs],
                hovertemplate=f"{name}: %{{customdata[1]}} %{{x:.3f}}<br>%{{customdata[0]}} utterances "
                "(%{customdata[2]})<extra></extra>",
            )
        )  # fmt: skip
    aimed = [(i, row.target) for i, row in enumerate(rows) if row.target is not None]
    if aimed:
        figure.add_trace(
            go.Scatter(
                x=[target for _, target in aimed], y=[names[i] for i, _ in aimed], mode="markers",
                name="target",
                marker={"size": 22, "symbol": "line-ns", "color": GREY, "line": {"color": GREY, "width": 3}},
                hovertemplate="target: %{x:.3f}<extra></extra>",
            )
        )  # fmt: skip
    lay_out(figure, "Each corpus with its own figure", 190 + 52 * len(rows), legend=True)
    figure.update_layout(
        xaxis={"title": {"text": "Figure (1 is best)"}, "range": (0, 1.02)},
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
    )
    return figure


def checklist_figure(
    categories: Sequence[Category], target: float, title: str = "Checklist: sentences on the right side"
) -> go.Figure:
    """Draw the pass rate of each category, with a pattern for the side that is expected of it."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for side, (name, pattern, colour) in SIDES.items():
        ours = [one for one in categories if one.expected == side]
        if not ours:
            continue
        rates = [Figure(one.rate, (one.low, one.high)) for one in ours]
        figure.add_trace(
            go.Bar(
                x=[one.rate for one in ours], y=[one.name for one in ours], orientation="h", name=name,
                # Paler than the error bars, which lie half on the bar and half on a page of either theme.
                error_x={**bars(rates), "color": colour, "thickness": 2.5},
                marker={"color": colour, "opacity": 0.6, "pattern": {"shape": pattern, "size": 7}},
                customdata=[[one.passed, one.n, one.low, one.high] for one in ours],
                hovertemplate="%{y}: %{x:.0%} passed (%{customdata[0]} of %{customdata[1]})<br>95 % interval "
                "%{customdata[2]:.0%} to %{customdata[3]:.0%}<extra>" + name + "</extra>",
            )
        )  # fmt: skip
    names = [one.name for one in categories]
    figure.add_vline(
        x=target, line={"color": GREY, "dash": "dash", "width": 2},
        annotation={"text": f"to reach: {target:.0%}", "showarrow": False, "yref": "paper", "y": 1.0,
                    "xanchor": "right", "yanchor": "bottom"},
    )  # fmt: skip
    lay_out(figure, title, 190 + 34 * len(names), legend=True, top=78)
    figure.update_layout(
        xaxis={"title": {"text": "Share of sentences that passed"}, "range": (0, 1.02), "tickformat": ".0%"},
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
    )
    return figure


def bias_figure(found: Bias, target: float) -> go.Figure:
    """Draw how far naming an identity moves the score, by kind of identity."""
    import plotly.graph_objects as go

    names = [one.group for one in found.groups]
    figure = go.Figure([
        go.Bar(
            x=[one.mean_shift for one in found.groups], y=names, orientation="h", name="mean over the terms",
            marker={"color": BLUE, "pattern": {"shape": "/", "size": 7}},
            hovertemplate="%{y}: %{x:.3f} on average<extra></extra>",
        ),
        go.Scatter(
            x=[abs(one.worst_shift) for one in found.groups], y=names, mode="markers",
            name="the term that is moved furthest",
            marker={"size": 12, "symbol": "diamond", "color": RED, "line": {"color": "#FFFFFF", "width": 1}},
            customdata=[[one.worst_term, one.worst_shift] for one in found.groups],
            hovertemplate="%{y}, “%{customdata[0]}”: %{customdata[1]:+.3f} over all sentences<extra></extra>",
        ),
    ])  # fmt: skip
    figure.add_vline(
        x=target, line={"color": GREY, "dash": "dash", "width": 2},
        annotation={"text": f"mean to stay below: {target:.2f}", "showarrow": False, "yref": "paper",
                    "y": 1.0, "xanchor": "right", "yanchor": "bottom"},
    )  # fmt: skip
    widest = max([target, *(max(one.mean_shift, abs(one.worst_shift)) for one in found.groups)])
    lay_out(figure, "Shift of the aggression score by named identity", 200 + 38 * len(names), legend=True,
            top=78)  # fmt: skip
    figure.update_layout(
        xaxis={
            "title": {"text": "Distance from the sentence's mean score (0 to 1)"},
            "range": (0, 1.15 * widest),
        },
        yaxis={"automargin": True, "categoryorder": "array", "categoryarray": names[::-1], "dtick": 1},
    )
    return figure
