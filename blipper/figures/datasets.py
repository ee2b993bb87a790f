"""Figures of a :class:`blipper.datasets.summary.Summary`: class counts, what is there, lengths, loudness.

Bars lie on their side, so that names stand beside them and a phone shows them by scrolling. Every emotion
has its colour and its pattern; where a bar is not of one emotion, its name stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from blipper.datasets.sources import SOURCES
from blipper.datasets.summary import Bins, Spread, Summary
from blipper.datasets.tables import GROUPINGS, count_rows
from blipper.errors import SettingsError
from blipper.figures.palette import EMOTION_COLOURS, EMOTION_PATTERNS, FEATURE_SCALE, OKABE_ITO
from blipper.figures.style import TRANSPARENT
from blipper.voice.labels import EMOTIONS

if TYPE_CHECKING:
    import plotly.graph_objects as go

Arrangement = Literal["stacked", "side by side"]
Measure = Literal["duration", "loudness"]

#: Axis titles of the measures.
MEASURES: Final[dict[Measure, str]] = {
    "duration": "Length of a clip (s)",
    "loudness": "Integrated loudness (LUFS)",
}

#: Pixels above the panels (title and legend), below them (the axis), and between two panels.
_TOP, _BOTTOM, _BETWEEN = 112, 52, 46


def counts_figure(
    summary: Summary,
    corpora: Sequence[str],
    grouping: str = "corpus",
    *,
    arrangement: Arrangement = "stacked",
    shares: bool = False,
    part: tuple[int, int] | None = None,
) -> go.Figure:
    """Draw how many clips of each emotion there are, in bars by group.

    Parameters
    ----------
    summary : Summary
    corpora : sequence of str
    grouping : str
        A key of :data:`blipper.datasets.tables.GROUPINGS`.
    arrangement : {"stacked", "side by side"}
        The emotions of a group one after another in one bar, or a bar each.
    shares : bool
        Whether to draw per cent of the group's clips instead of clips.
    part : (int, int), optional
        First group and the one after the last; all by default.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    SettingsError
        If the grouping or the arrangement does not exist.
    """
    import plotly.graph_objects as go

    if arrangement not in ("stacked", "side by side"):
        raise SettingsError(f"arrangement is {arrangement!r}, expected 'stacked' or 'side by side'")
    rows = count_rows(summary, corpora, grouping)[slice(*(part or (None, None)))]
    labels = [_label(corpus, group, alone=len(set(corpora)) == 1) for corpus, group, _ in rows]
    figure = go.Figure()
    drawn = [i for i in range(len(EMOTIONS)) if any(counts[i] for _, _, counts in rows)]
    for index in drawn:
        emotion = EMOTIONS[index]
        clips = [counts[index] for _, _, counts in rows]
        percent = [100 * counts[index] / sum(counts) for _, _, counts in rows]
        figure.add_trace(
            go.Bar(
                y=labels,
                x=percent if shares else clips,
                orientation="h",
                name=emotion.capitalize(),
                marker=_marker(emotion),
                customdata=list(zip(clips, percent, strict=True)),
                hovertemplate=f"<b>%{{y}}</b><br>{emotion}: %{{customdata[0]:,}} clips, "
                "%{customdata[1]:.1f} % of the group<extra></extra>",
            )
        )
    stacked = arrangement == "stacked"
    per_group = (26 if len(rows) > 12 else 38) if stacked else 11 * len(drawn) + 14
    what = "Share of each emotion" if shares else "Clips of each emotion"
    by = "corpus" if grouping == "corpus" else GROUPINGS[grouping].lower()
    figure.update_layout(
        barmode="stack" if stacked else "group",
        bargap=0.22 if stacked else 0.18,
        title=_title(f"{what}, by {by}"),
        height=_TOP + _BOTTOM + max(90, per_group * len(rows)),
        margin={"l": 8, "r": 16, "t": _TOP, "b": _BOTTOM},
        legend={"orientation": "h", "traceorder": "normal", "x": 0, "yref": "container", "y": 1,
                "yanchor": "top", "xref": "paper"},
        xaxis={"title": {"text": "Share of the group's clips (%)" if shares else "Clips"}, "zeroline": False,
               **({"range": (0, 100)} if shares and stacked else {"rangemode": "tozero"})},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category", "dtick": 1,
               "title": {"text": GROUPINGS[grouping]}},
    )  # fmt: skip
    figure.update_layout(legend={"y": 1 - 40 / figure.layout.height})
    return _finished(figure)


def coverage_figure(summary: Summary, corpora: Sequence[str]) -> go.Figure:
    """Draw which emotion there is in which corpus and by which sex: clips in each cell, or "none".

    Parameters
    ----------
    summary : Summary
    corpora : sequence of str

    Returns
    -------
    plotly.graph_objects.Figure
    """
    import plotly.graph_objects as go

    chosen = [name for name in summary.corpora if name in corpora]
    columns = [(name, sex) for name in chosen for sex in ("female", "male")]
    labels = [f"{SOURCES[name].title} {'women' if sex == 'female' else 'men'}" for name, sex in columns]
    emotions = [emotion.capitalize() for emotion in EMOTIONS]
    counts = [
        [summary.clips(name, emotion=emotion, sex=sex) for name, sex in columns] for emotion in EMOTIONS
    ]
    figure = go.Figure(
        go.Heatmap(
            x=labels,
            y=emotions,
            z=[[n or None for n in row] for row in counts],
            text=[[f"{n}" if n else "" for n in row] for row in counts],
            texttemplate="%{text}",
            colorscale=FEATURE_SCALE,
            zmin=0,
            showscale=False,
            xgap=2,
            ygap=2,
            hoverongaps=False,
            hovertemplate="<b>%{y}, %{x}</b><br>%{z:,} clips<extra></extra>",
        )
    )
    for row, emotion in zip(counts, emotions, strict=True):
        for n, label in zip(row, labels, strict=True):
            if not n:
                figure.add_annotation(x=label, y=emotion, text="none", showarrow=False, opacity=0.75)
    figure.update_layout(
        title=_title("Clips of each emotion, by corpus and sex"),
        height=60 + 110 + 34 * len(EMOTIONS),
        margin={"l": 8, "r": 16, "t": 60, "b": 110},
        xaxis={
            "showgrid": False,
            "automargin": True,
            "tickangle": -45,  # eight names beside each other on a phone
            "title": {"text": "Corpus and sex"},
        },
        yaxis={"autorange": "reversed", "showgrid": False, "automargin": True, "title": {"text": "Emotion"}},
    )
    return _finished(figure)


def histogram_figure(summary: Summary, corpora: Sequence[str], measure: Measure) -> go.Figure:
    """Draw how lengths or loudness are distributed in each corpus, one panel a corpus over one axis.

    Parameters
    ----------
    summary : Summary
    corpora : sequence of str
    measure : {"duration", "loudness"}

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    SettingsError
        If there is no such measure.
    """
    import plotly.graph_objects as go

    spreads = _spreads(summary, corpora, measure)
    bins: Bins = summary.duration_bins if measure == "duration" else summary.loudness_bins
    used = [i for spread in spreads for i, n in enumerate(spread.histogram) if n]
    first, last = (min(used), max(used)) if used else (0, 0)
    figure = _panels([_heading(spread, measure) for spread in spreads], [110] * len(spreads))
    unit = "s" if measure == "duration" else "LUFS"
    for row, spread in enumerate(spreads, start=1):
        kept = range(first, last + 1)
        total = max(1, spread.measured)
        edges = [(bins.start + bins.step * i, bins.start + bins.step * (i + 1)) for i in kept]
        figure.add_trace(
            go.Bar(
                x=[(low + high) / 2 for low, high in edges],
                y=[100 * spread.histogram[i] / total for i in kept],
                width=bins.step,
                name=SOURCES[spread.corpus].title,
                marker={"color": OKABE_ITO["blue"], "line": {"width": 0.5, "color": "#8C8C8C"}},
                customdata=[
                    (low, high, spread.histogram[i]) for i, (low, high) in zip(kept, edges, strict=True)
                ],
                hovertemplate=f"%{{customdata[0]:g}} to %{{customdata[1]:g}} {unit}<br>"
                "%{customdata[2]:,} clips, %{y:.1f} %<extra></extra>",
            ),
            row=row,
            col=1,
        )
        median = {"dash": "dash", "width": 2, "color": OKABE_ITO["vermillion"]}
        figure.add_vline(x=spread.quantiles[3], row=row, col=1, line=median)
    figure.update_yaxes(title={"text": "Clips (%)"}, rangemode="tozero", nticks=4)
    return _measured(figure, measure, "by corpus")


def spread_figure(summary: Summary, corpora: Sequence[str], measure: Measure) -> go.Figure:
    """Draw lengths or loudness by emotion as boxes, one panel a corpus over one axis.

    A box reaches from the lower to the upper quartile, with a diamond at the median; its whiskers reach to
    the 5 % and 95 % quantiles.

    Parameters, returns and errors are those of :func:`histogram_figure`.
    """
    import plotly.graph_objects as go

    whole = _spreads(summary, corpora, measure)
    by_corpus: list[list[Spread]] = []
    for spread in whole:
        found = [summary.spread(measure, spread.corpus, emotion) for emotion in EMOTIONS]
        by_corpus.append([part for part in found if part is not None and part.quantiles])
    figure = _panels([_heading(spread, measure) for spread in whole], [24 * len(rows) for rows in by_corpus])
    for row, parts in enumerate(by_corpus, start=1):
        for part in parts:
            _, low, q1, middle, q3, high, _ = part.quantiles
            figure.add_trace(
                go.Box(
                    y=[part.emotion.capitalize()],
                    q1=[q1],
                    median=[middle],
                    q3=[q3],
                    lowerfence=[low],
                    upperfence=[high],
                    orientation="h",
                    name=part.emotion.capitalize(),
                    fillcolor=EMOTION_COLOURS[part.emotion],
                    line={"color": "#8C8C8C", "width": 1.5},
                    width=0.65,
                    hoverinfo="skip",
                ),
                row=row,
                col=1,
            )
        figure.add_trace(_medians(parts, measure), row=row, col=1)
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, title={"text": "Emotion"})
    return _measured(figure, measure, "by emotion")


def _medians(parts: list[Spread], measure: str) -> go.Scatter:
    """Mark the medians so that they are seen on any fill, and tell the quantiles on hover."""
    import plotly.graph_objects as go

    unit, decimals = ("s", 2) if measure == "duration" else ("LUFS", 1)
    q = [f"%{{customdata[{index}]:.{decimals}f}}" for index in range(7)]
    return go.Scatter(
        x=[part.quantiles[3] for part in parts],
        y=[part.emotion.capitalize() for part in parts],
        mode="markers",
        name="Median",
        marker={
            "symbol": "diamond",
            "size": 8,
            "color": "#FFFFFF",
            "line": {"width": 1.5, "color": "#1A1A1A"},
        },
        customdata=[(*part.quantiles, part.measured) for part in parts],
        hovertemplate=f"<b>%{{y}}</b>, %{{customdata[7]:,}} clips<br>median {q[3]} {unit}<br>"
        f"half from {q[2]} to {q[4]}<br>"
        f"5 % to 95 %: {q[1]} to {q[5]}<extra></extra>",
    )


def _spreads(summary: Summary, corpora: Sequence[str], measure: str) -> list[Spread]:
    if measure not in MEASURES:
        raise SettingsError(f"measure is {measure!r}, expected one of {', '.join(MEASURES)}")
    spreads = [summary.spread(measure, name) for name in summary.corpora if name in corpora]
    return [spread for spread in spreads if spread is not None and spread.quantiles]


def _heading(spread: Spread, measure: str) -> str:
    unit = "s" if measure == "duration" else "LUFS"
    decimals = 2 if measure == "duration" else 1
    return f"<b>{SOURCES[spread.corpus].title}</b>, median {spread.quantiles[3]:.{decimals}f} {unit}"


def _panels(headings: list[str], heights: list[int]) -> go.Figure:
    """Stack panels of given heights in pixels over one x axis, each below its heading."""
    from plotly.subplots import make_subplots

    n = max(1, len(headings))
    inner = sum(heights) + _BETWEEN * (n - 1) or 100
    figure = make_subplots(
        rows=n,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=_BETWEEN / inner if n > 1 else 0,
        row_heights=[height / sum(heights) for height in heights] if heights else None,
        subplot_titles=headings or None,
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    figure.update_layout(height=inner + 78 + _BOTTOM, margin={"l": 8, "r": 16, "t": 78, "b": _BOTTOM})
    return figure


def _measured(figure: go.Figure, measure: Measure, rest: str) -> go.Figure:
    what = "Length" if measure == "duration" else "Loudness"
    figure.update_layout(title=_title(f"{what} of the clips, {rest}"), showlegend=False, bargap=0)
    rows = len(list(figure.select_xaxes()))
    figure.update_xaxes(zeroline=False, showticklabels=True)
    figure.update_xaxes(title={"text": MEASURES[measure]}, row=rows, col=1)
    return _finished(figure)


def _label(corpus: str, group: str, *, alone: bool) -> str:
    title = SOURCES[corpus].title
    if not group:
        return title
    return group if alone else f"{title} {group}"


def _marker(emotion: str) -> dict[str, Any]:
    return {
        "color": EMOTION_COLOURS[emotion],
        "line": {"width": 0.5, "color": "#1A1A1A"},
        "pattern": {
            "shape": EMOTION_PATTERNS[emotion],
            "fillmode": "replace",
            "bgcolor": EMOTION_COLOURS[emotion],
            "fgcolor": "#1A1A1A",
            "fgopacity": 0.75,
            "size": 6,
            "solidity": 0.2,
        },
    }


def _title(text: str) -> dict[str, Any]:
    return {"text": text, "x": 0, "xanchor": "left", "xref": "container", "yref": "container", "y": 1,
            "yanchor": "top", "pad": {"t": 10}}  # fmt: skip


def _finished(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        paper_bgcolor=TRANSPARENT, plot_bgcolor=TRANSPARENT, hovermode="closest", dragmode=False
    )
    return figure
