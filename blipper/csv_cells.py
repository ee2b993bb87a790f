"""Cells and tables of CSV as text: RFC 4180, decimal points, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

# What spreadsheets take for the beginning of a formula, with the full-width forms that some of them
# fold into the plain ones (OWASP, "CSV Injection").
_FORMULA_STARTS = tuple("=+-@\t\r\n＝+−＠")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a header and rows of formatted cells as RFC 4180 text."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)  # the default dialect is RFC 4180's: CRLF, quotes where needed
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def text(value: str) -> str:
    """Return a text cell that no spreadsheet runs as a formula: a suspicious one gets an apostrophe."""
    return "'" + value if value.startswith(_FORMULA_STARTS) else value


def seconds(value: float) -> str:
    """Return a time with millisecond resolution."""
    return fixed(value, 3)


def score(value: float) -> str:
    """Return a probability, or log-odds, with 4 decimals."""
    return fixed(value, 4)


def fixed(value: float, decimals: int) -> str:
    """Return a number with so many decimals, whatever the locale; NaN is an empty cell."""
    if math.isnan(value):
        return ""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # + 0.0 turns -0.0 into 0.0
