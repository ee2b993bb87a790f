"""Two analyses of one recording: curves over each other, events that differ, what was set differently."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from blipper import library as lib
from blipper.figures.library import analyses_figure
from blipper.library import Database, Item
from blipper.library.comparing import compare
from blipper.results import Event
from ui.evaluation_table import CHART, table

_KINDS = {"both": "in both", "first": "only in the first", "second": "only in the second"}


def show(database: Database, item: Item, labels: Mapping[str, str]) -> None:
    """Let two analyses be chosen and show what they differ in."""
    ids = list(labels)
    left, right = st.columns(2)
    one = left.selectbox(
        "First",
        ids,
        index=1,
        format_func=labels.__getitem__,
        key=f"library_first_{item.id}",
        help="The earlier of the two analyses.",
    )
    other = right.selectbox(
        "Second",
        ids,
        index=0,
        format_func=labels.__getitem__,
        key=f"library_second_{item.id}",
        help="The later of the two analyses; changes are counted from the first to this one.",
    )
    if one == other:
        st.info("Choose two different analyses.")
        return
    first, second = lib.read_analysis(database, one), lib.read_analysis(database, other)
    found = compare(first, second)
    counts = {kind: sum(pair.kind == kind for pair in found.pairs) for kind in _KINDS}
    gap = "" if found.difference is None else f" The curves differ by {found.difference:.3f} on average."
    st.markdown(
        f"Events in both: {counts['both']}; only in the first: {counts['first']}; only in the second: "
        f"{counts['second']}.{gap}"
    )
    st.plotly_chart(
        analyses_figure(first, second, ("first", "second")), config=CHART, key=f"library_chart_{item.id}"
    )
    if found.pairs:
        table(
            f"library_pairs_{item.id}",
            {
                "Event": [_KINDS[pair.kind] for pair in found.pairs],
                "First: from, to (s)": [_stretch(pair.first) for pair in found.pairs],
                "First: peak": [_peak(pair.first) for pair in found.pairs],
                "Second: from, to (s)": [_stretch(pair.second) for pair in found.pairs],
                "Second: peak": [_peak(pair.second) for pair in found.pairs],
            },
            "blipper-comparison",
        )
    if found.settings:
        st.markdown("What was set differently")
        table(
            f"library_settings_{item.id}",
            {
                "Setting": [name for name, *_ in found.settings],
                "First": [value for _, value, _ in found.settings],
                "Second": [value for *_, value in found.settings],
            },
            "blipper-comparison-settings",
        )


def _stretch(event: Event | None) -> str:
    return "–" if event is None else f"{event.start:.1f} to {event.end:.1f}"


def _peak(event: Event | None) -> str:
    return "–" if event is None else f"{event.peak:.2f}"
