"""The Datasets page's charts, tables and words, from a summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from blipper.datasets import tables
from blipper.datasets.balance import balance_warnings
from blipper.datasets.sources import SOURCES
from blipper.datasets.summary import Summary
from blipper.figures.datasets import (
    MEASURES,
    Arrangement,
    Measure,
    counts_figure,
    coverage_figure,
    histogram_figure,
    spread_figure,
)
from ui.text import plain

#: Groups in one chart by how the bars stand; more are paged through.
PAGES: Final = {"stacked": 24, "side by side": 8}

_KINDS: Final = {
    "class": "Classes",
    "speaker": "Speakers",
    "sex": "Sex",
    "intensity": "Intensity",
    "sentence": "Sentences",
    "corpus": "Corpora",
    "level": "Loudness and length",
    "files": "Files",
}

_MEASURE_NAMES: Final[dict[Measure, str]] = {"duration": "Length", "loudness": "Loudness"}

#: What the controls start with.
_DEFAULTS: Final[dict[str, Any]] = {
    "grouping": "corpus",
    "arrangement": "stacked",
    "shares": "Clips",
    "measure": "duration",
    "detail": "By corpus",
}

INTRODUCTION: Final = """
Blipper's voice models learn from **acted speech**: people who read a given sentence in a given emotion. Four
public corpora are counted here, because what a model has heard limits what it can be trusted with.
"""

WHAT_ACTED_IS: Final = """
- **What they are good for.** Everybody says the same few sentences in every emotion, in a quiet room, and the
  label is what the speaker was asked to sound like. So a model can be measured on voices it has not heard.
- **What they are not.** Nobody's temper is recorded here. Acted anger tends to be plainer than what is met
  outside a studio, and lacks what comes before and after it. The label says what was asked for, not what
  listeners hear: in CREMA-D the majority of those who only listened chose the acted emotion in 41.6 % of
  the clips.
- **Who is missing.** All four are English, spoken by adults, mostly from North America, one at a time and
  close to a microphone. Children, other languages, illness, overlapping voices, telephones and noise are not
  in them.
- **What balance means.** A rare class is learned worse, and accuracy hides it. An emotion that only one
  corpus has can be told by that corpus's room. Speakers in training and test at once make any figure too
  good.
"""


def show_introduction() -> None:
    """Say what the page counts and what acted speech can and cannot teach."""
    st.markdown(INTRODUCTION)
    with st.expander("What acted corpora are, and what they are not", icon=":material/theater_comedy:"):
        st.markdown(WHAT_ACTED_IS)


def show(summary: Summary) -> None:
    """Show everything about a summary."""
    corpora = st.pills(
        "Corpora",
        summary.corpora,
        selection_mode="multi",
        default=summary.corpora,
        format_func=_title,
        key=f"datasets_corpora_{'_'.join(summary.corpora)}",
        help="Everything below is about these.",
    )
    if not corpora:
        st.info("Choose at least one corpus.", icon=":material/touch_app:")
        return
    chosen = [name for name in summary.corpora if name in corpora]
    _overview(summary, chosen)
    _warnings(summary, chosen)
    _counts(summary, chosen)
    _coverage(summary, chosen)
    _spreads(summary, chosen)
    _licences(summary)
    _left_out(summary, chosen)


def _overview(summary: Summary, corpora: Sequence[str]) -> None:
    clips = sum(summary.clips(name) for name in corpora)
    speakers = [speaker for name in corpora for speaker in summary.of_speakers(name)]
    women = sum(speaker.sex == "female" for speaker in speakers)
    figures = {
        "Clips": f"{clips:,}",
        "Hours": f"{sum(summary.seconds(name) for name in corpora) / 3600:.1f}",
        "Speakers": f"{len(speakers):,}",
        "Women and men": f"{women} and {len(speakers) - women}",
    }
    with st.container(horizontal=True, key="datasets_figures"):
        for label, value in figures.items():
            st.metric(label, value, border=True)
    _table(tables.overview_table(summary, corpora), "overview")


def _warnings(summary: Summary, corpora: Sequence[str]) -> None:
    st.header("Where the balance is off")
    found = balance_warnings(summary, corpora)
    if not found:
        st.success("Nothing is out of balance by the rules that are checked here.", icon=":material/balance:")
        return
    for kind, title in _KINDS.items():
        texts = [caveat.text for caveat in found if caveat.kind == kind]
        if texts:
            lines = "\n".join(f"- {plain(_sentence(text))}" for text in texts)
            st.markdown(f"**{title}**\n\n{lines}")


def _counts(summary: Summary, corpora: Sequence[str]) -> None:
    st.header("How many clips of each emotion")
    grouping = _control("By", list(tables.GROUPINGS), "grouping", tables.GROUPINGS)
    with st.container(horizontal=True):
        arrangement: Arrangement = _control(
            "Bars",
            ["stacked", "side by side"],
            "arrangement",
            {"stacked": "Stacked", "side by side": "Side by side"},
        )
        shares = _control("Axis", ["Clips", "Shares"], "shares") == "Shares"
    within = list(corpora)
    if grouping in ("speaker", "sentence") and len(corpora) > 1:
        one = st.selectbox(
            "Of which corpus",
            corpora,
            format_func=_title,
            key=_kept("one", corpora),
            help=f"There are too many {grouping}s for one chart.",
        )
        within = [one]
    rows = tables.count_rows(summary, within, grouping)
    part = (0, len(rows))
    size = PAGES[arrangement]
    if len(rows) > size:
        pages = range(0, len(rows), size)
        ranges = {
            first: f"{rows[first][1]} to {rows[min(first + size, len(rows)) - 1][1]}" for first in pages
        }
        first = st.selectbox(
            f"Which {grouping}s",
            list(pages),
            format_func=ranges.__getitem__,
            key=f"datasets_part_{size}_{grouping}_{'_'.join(within)}",
            help=f"{len(rows)} groups, {size} to a chart. The table below has all of them.",
        )
        part = (first, min(first + size, len(rows)))
    figure = counts_figure(summary, within, grouping, arrangement=arrangement, shares=shares, part=part)
    _chart(figure, f"Clips of each emotion by {grouping}", "counts")
    if grouping == "sentence":
        st.caption(
            "Sentences go by their codes in the file names; the corpora's own pages say what they are."
        )
    _table(tables.counts_table(summary, within, grouping), f"counts-by-{grouping}", folded=True)


def _coverage(summary: Summary, corpora: Sequence[str]) -> None:
    st.header("What is missing where")
    _chart(coverage_figure(summary, corpora), "Clips of each emotion by corpus and sex", "coverage")
    absent = [SOURCES[name].title for name in summary.missing]
    if absent:
        st.info(
            f"No clip of {', '.join(absent)} was found in the folder. The licence table of the summary that "
            "ships says where to get them.",
            icon=":material/search_off:",
        )


def _spreads(summary: Summary, corpora: Sequence[str]) -> None:
    st.header("Length and loudness")
    with st.container(horizontal=True):
        measure: Measure = _control("Measure", list(MEASURES), "measure", _MEASURE_NAMES)
        by_emotion = _control("Detail", ["By corpus", "By emotion"], "detail") == "By emotion"
    draw = spread_figure if by_emotion else histogram_figure
    _chart(draw(summary, corpora, measure), f"{_MEASURE_NAMES[measure]} of the clips", "spread")
    st.caption(
        "The diamond is the median, the box holds the middle half of the clips, its whiskers all but "
        "the lowest and the highest 5 %."
        if by_emotion
        else "The dashed lines are the medians. The outermost bars also hold what lies beyond them."
    )
    if measure == "loudness":
        st.caption(
            "Integrated loudness after ITU-R BS.1770-4 (LUFS; one unit is a decibel) of each clip as it is "
            "stored: nothing is normalised, so it shows how each corpus was recorded. Blipper levels clips "
            "before it learns from them."
        )
    else:
        st.caption("Length of the file, with the silence before and after the words.")
    _table(tables.spread_table(summary, corpora, measure), f"{measure}-quantiles", folded=True)


def _licences(summary: Summary) -> None:
    st.header("Licences and sources")
    st.markdown(
        "None of the corpora is part of Blipper. Their licences bind whoever uses them, and models that "
        "were trained on them may inherit the restriction on commercial use."
    )
    _table(
        tables.licence_table(summary),
        "licences",
        column_config={"Where it comes from": st.column_config.LinkColumn(width="medium")},
    )


def _left_out(summary: Summary, corpora: Sequence[str]) -> None:
    columns = tables.left_out_table(summary, corpora)
    n = len(columns["File"])
    st.header("Files left out")
    if not n:
        st.markdown("None: every file that was recognised is counted.")
        return
    st.markdown(f"{n:,} file{'s were' if n > 1 else ' was'} recognised and not counted, each for a reason.")
    _table(columns, "left-out")


def _table(columns: tables.Columns, name: str, *, folded: bool = False, **options: Any) -> None:
    """Show a table and offer it as CSV."""
    place = st.expander("As a table", icon=":material/table_rows:") if folded else st.container()
    with place:
        rows = len(next(iter(columns.values())))
        height: Any = 360 if rows > 10 else "content"
        st.dataframe(columns, hide_index=True, height=height, key=f"datasets_table_{name}", **options)
        st.download_button(
            "Download the table (CSV)",
            data=tables.as_csv(columns).encode(),
            file_name=f"blipper-datasets-{name}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key=f"datasets_download_{name}",
            help="The table above, with every row",
        )


def _chart(figure: Any, description: str, name: str) -> None:
    st.plotly_chart(
        figure,
        width="stretch",
        theme="streamlit",
        alt=description,
        key=f"datasets_chart_{name}",
        config={"displaylogo": False, "displayModeBar": False},
    )


def _control(label: str, options: list[Any], name: str, names: dict[Any, str] | None = None) -> Any:
    """Show a choice of one whose value outlives a visit to another page."""
    return st.segmented_control(
        label,
        options,
        required=True,
        format_func=names.__getitem__ if names else str,
        key=_kept(name, options),
        help="Changes what the figure below shows; nothing is read anew.",
    )


def _kept(name: str, options: Sequence[Any]) -> str:
    """Return a widget's key whose value outlives a visit to another page, while it is still on offer."""
    kept: dict[str, Any] = st.session_state.setdefault("datasets_kept", {})
    key = f"datasets_{name}"
    if key in st.session_state:
        kept[name] = st.session_state[key]
    value = kept.get(name, _DEFAULTS.get(name, options[0]))
    if key not in st.session_state or st.session_state[key] not in options:
        st.session_state[key] = value if value in options else options[0]
    return key


def _title(name: str) -> str:
    return SOURCES[name].title


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
