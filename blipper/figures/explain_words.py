"""Figures of the words: what each gives a score, and the fused score taken apart.

As in :mod:`blipper.figures.explain`, what raises is vermillion and plain, what lowers blue and hatched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blipper.explain.decomposition import Decomposition
from blipper.explain.reports_words import parts
from blipper.explain.words import WordShares
from blipper.figures.explain import LOWERS, RAISES, waterfall_range
from blipper.figures.palette import OKABE_ITO
from blipper.figures.style import as_text, lay_out

if TYPE_CHECKING:
    import plotly.graph_objects as go


def words_figure(shares: WordShares, target: str) -> go.Figure:
    """Draw what each word gives one score, in the order in which they are said.

    Parameters
    ----------
    shares : WordShares
    target : str
        Of :data:`blipper.explain.words.WORD_TARGETS`.

    Returns
    -------
    plotly.graph_objects.Figure
        One bar a word; one without length is marked where the model never saw it.
    """
    import plotly.graph_objects as go

    values, errors = shares.of(target), shares.errors_of(target)
    places = list(range(len(shares.words)))
    figure = go.Figure(
        go.Bar(
            x=places,
            y=values,
            error_y={"type": "data", "array": errors, "visible": bool(errors.any()), "thickness": 1},
            marker={
                "color": [RAISES if value > 0 else LOWERS for value in values],
                "pattern": {"shape": ["" if value > 0 else "/" for value in values]},
            },
            customdata=[
                [as_text(word.text), word.start, word.end, "" if word.seen else "<br>never seen by the model"]
                for word in shares.words
            ],
            hovertemplate="%{customdata[0]}, %{customdata[1]:.2f} to %{customdata[2]:.2f} s<br>"
            "gives %{y:+.2f} log-odds%{customdata[3]}<extra></extra>",
        )
    )
    named = "verbal aggression" if target == "aggression" else f'"{target}"'
    lay_out(figure, f"What each word gives: {named}", 320)
    figure.update_layout(
        xaxis={
            "title": {"text": "Word"}, "tickvals": places, "tickangle": -45 if len(places) > 6 else 0,
            "ticktext": [as_text(word.text if word.seen else f"({word.text})") for word in shares.words],
            "automargin": True, "zeroline": False,
        },
        yaxis={"title": {"text": "Log-odds"}, "zeroline": True, "zerolinecolor": "#8C8C8C"},
    )  # fmt: skip
    return figure


def decomposition_figure(found: Decomposition, *, most: int = 12) -> go.Figure:
    """Draw how prior, voice and words lead to the fused score, as a waterfall in log-odds.

    Parameters
    ----------
    found : Decomposition
    most : int
        Words with a bar of their own, the strongest; the others share one.

    Returns
    -------
    plotly.graph_objects.Figure
        One trace, whose steps add up to the log-odds of the score.
    """
    import plotly.graph_objects as go

    rows = steps(found, most=most)
    labels = [label for label, _ in rows]
    values = [value for _, value in rows]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            base=0.0,
            # Places and not labels: a word that is said twice has two bars.
            y=list(range(len(rows) + 1)),
            x=[*values, None],
            measure=["relative"] * len(rows) + ["total"],
            text=[f"{value:+.2f}" for value in values] + [f"score {found.score:.2f}"],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": RAISES}},
            decreasing={"marker": {"color": LOWERS}},
            totals={"marker": {"color": OKABE_ITO["grey"]}},
            connector={"line": {"width": 1, "color": OKABE_ITO["grey"], "dash": "dot"}},
            customdata=[as_text(label) for label in [*labels, "together"]],
            hovertemplate="%{customdata}: %{delta:+.3f}, so far %{final:+.3f} log-odds<extra></extra>",
        )
    )
    lay_out(figure, f"The score at {found.time:.1f} s, taken apart", 160 + 34 * len(rows))
    ticks = [as_text(_short(label)) for label in [*labels, "together"]]
    figure.update_layout(
        xaxis={
            "title": {"text": "Log-odds"}, "zeroline": True, "zerolinecolor": "#8C8C8C",
            "range": waterfall_range(0.0, values),
        },
        yaxis={
            "title": {"text": "Part"}, "autorange": "reversed", "automargin": True,
            "tickvals": list(range(len(rows) + 1)), "ticktext": ticks,
        },
    )  # fmt: skip
    return figure


def steps(found: Decomposition, *, most: int = 12) -> list[tuple[str, float]]:
    """Return the named parts of a score; they add up to its log-odds.

    Parameters
    ----------
    found : Decomposition
    most : int
        Words that are named by themselves.

    Returns
    -------
    list of (label, log-odds)
    """
    if not found.shares:
        return parts(found)
    rows = parts(found)[:2]
    order = sorted(range(len(found.shares)), key=lambda index: -abs(found.shares[index][1]))
    kept = sorted(order[:most])
    rows += [(f"“{found.shares[index][0].text}”", found.shares[index][1]) for index in kept]
    others = sum(found.shares[index][1] for index in order[most:])
    if len(order) > most:
        rows.append((f"{len(order) - most} other words", others))
    return [*rows, ("an utterance of no words", found.rest)]


def _short(label: str, length: int = 24) -> str:
    return label if len(label) <= length else label[: length - 1] + "…"
