"""Tables and charts of the Evaluation page: how they are shown and taken away."""

from __future__ import annotations

import csv
import functools
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from blipper.measures import Figure

#: Plotly's own buttons on the page's charts.
CHART: Final = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
#: What opens a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(key: str, columns: Mapping[str, Sequence[Any]], name: str, *, height: int | None = None) -> None:
    """Show a table and a button that downloads it.

    Parameters
    ----------
    key : str
        Unlike that of every other table on the page.
    columns : mapping
        Header to values.
    name : str
        Of the file, without its ending.
    height : int, optional
        In pixels, for long tables.
    """
    config = {
        header: st.column_config.LinkColumn()
        for header, values in columns.items()
        if values and all(str(value).startswith("https://") for value in values)
    }
    st.dataframe(
        columns,
        hide_index=True,
        height="auto" if height is None else height,
        column_config=config,
        key=f"evaluation_table_{key}",
    )
    st.download_button(
        "This table (CSV)",
        # Written when asked for: a file of each run would be gone before a browser in a hurry has it.
        data=functools.partial(as_csv, columns),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"evaluation_download_{key}",
        help="Saves the table above with all its digits.",
    )


def as_csv(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return a table as CSV in UTF-8; text that a spreadsheet would take for a formula is quoted."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([_safe(value) for value in row])
    return file.getvalue().encode()


def _safe(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA) and not _number(value):
        return f"'{value}"
    return value


def _number(text: str) -> bool:
    first = text.split()[0] if text.split() else ""
    try:
        float(first)
    except ValueError:
        return False
    return True


def share(value: float | None) -> str:
    """Return a figure with three digits, a dash where it is undefined."""
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"


def with_interval(figure: Figure, sign: str = "") -> str:
    """Return a figure with its interval in brackets; `sign` "+" shows the sign."""
    if math.isnan(figure.value):
        return "–"
    text = f"{figure.value:{sign}.3f}"
    if figure.interval is None:
        return text
    low, high = figure.interval
    return f"{text} [{low:{sign}.3f}, {high:{sign}.3f}]"
