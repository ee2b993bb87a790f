"""The results of a batch on its page: sorted, filtered, opened and taken away."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import streamlit as st

from blipper.batch import Row, read_rows
from blipper.errors import BatchError
from blipper.wording import length
from ui import batch_library
from ui.batch_open import open_row
from ui.batch_run import Batch, current
from ui.text import plain, printable, shorten

#: Seconds between two looks at the table while the batch works.
INTERVAL: Final = 3.0
#: Rows drawn at most; the rest is found with the filters and is in the downloads.
SHOWN: Final = 2000
#: Bytes of results up to which they are offered as one archive.
LARGEST: Final = 1 << 30

_WHICH: Final = {
    "all": "All",
    "events": "Worth a listen",
    "calm": "Nothing marked",
    "failed": "Without a result",
}


@dataclass
class _Drawn:
    """What the table showed last, so that a choice of its third row means the third row shown."""

    rows: list[Row] = field(default_factory=list)
    asked: tuple[Any, ...] = ()
    number: int = 0


def show() -> None:
    """Show the table; while the batch works it is looked at again by itself."""
    held = current()
    st.fragment(_show, run_every=INTERVAL if held.is_working else None)()


def most_aggressive_first(rows: list[Row]) -> list[Row]:
    """Return rows with the highest score first; then those without a score, then the failed ones."""
    return sorted(
        rows,
        key=lambda row: (
            row.status == "failed",
            row.highest_score is None,
            -(row.highest_score or 0),
            row.file,
        ),
    )


def filtered(rows: list[Row], names: Callable[[Row], str], text: str, which: str, least: float) -> list[Row]:
    """Return the rows whose name holds a text, of one kind, from a score on."""
    wanted = text.strip().casefold()
    kinds: dict[str, Callable[[Row], bool]] = {
        "all": lambda row: True,
        "events": lambda row: bool(row.events),
        "calm": lambda row: row.status == "done" and not row.events,
        "failed": lambda row: row.status == "failed",
    }
    return [
        row
        for row in rows
        if kinds[which](row)
        and (not wanted or wanted in names(row).casefold())
        and (least <= 0 or (row.highest_score is not None and row.highest_score >= least))
    ]


def _show() -> None:
    held = current()  # and not by argument, which Streamlit would keep beyond the batch's end
    if held.status == "ready":
        return
    try:
        rows = most_aggressive_first(read_rows(held.output))
    except BatchError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if not rows:
        if not held.is_working:
            st.info("No recording has been dealt with yet.", icon=":material/hourglass_empty:")
        return
    st.subheader("Results", anchor=False)
    names = _names(held)
    asked = _filters()
    drawn: _Drawn = st.session_state.setdefault("blipper_batch_drawn", _Drawn())
    chosen = _chosen(drawn)
    fitting = filtered(rows, names, *asked)
    if chosen is None or asked != drawn.asked:
        if [row.path for row in fitting] != [row.path for row in drawn.rows] or asked != drawn.asked:
            drawn.number += 1  # another table: a choice in the old one must not carry over to it
            chosen = None
        drawn.rows, drawn.asked = fitting, asked
    _table(drawn, names)
    _count(len(fitting), len(rows))
    _act(held, chosen, names)
    _downloads(held)
    batch_library.show(held, fitting)


def _names(held: Batch) -> Callable[[Row], str]:
    return lambda row: printable(held.shown(row.path))


def _filters() -> tuple[str, str, float]:
    name, which, least = st.columns([3, 3, 2], vertical_alignment="bottom")
    text = name.text_input(
        "Name contains",
        key="blipper_batch_text",
        placeholder="part of a name",
        help="Shows only rows whose file name contains this; capitals do not matter.",
    )
    kind = which.selectbox(
        "Which",
        list(_WHICH),
        format_func=_WHICH.__getitem__,
        key="blipper_batch_which",
        help="Shows all recordings, or only those with events, without events, or without a result.",
    )
    score = least.slider(
        "Highest score from",
        0.0,
        1.0,
        0.0,
        0.05,
        key="blipper_batch_least",
        help="Highest point of the aggression curve",
    )
    return text, kind, score


def _chosen(drawn: _Drawn) -> Row | None:
    state = st.session_state.get(f"blipper_batch_table_{drawn.number}")
    rows = state["selection"]["rows"] if state else []
    return drawn.rows[rows[0]] if rows and rows[0] < len(drawn.rows) else None


def _table(drawn: _Drawn, names: Callable[[Row], str]) -> None:
    rows = drawn.rows[:SHOWN]
    columns = {
        "Recording": [names(row) for row in rows],
        "Highest score": [row.highest_score for row in rows],
        "Events": [row.events for row in rows],
        "In events (s)": [row.event_seconds for row in rows],
        "Length (s)": [row.duration for row in rows],
        "Speech (s)": [row.speech_seconds for row in rows],
        "Leading emotion": [row.emotion for row in rows],
        "Problem": [printable(row.error) if row.error else None for row in rows],
        "Model": [row.model for row in rows],
        "Analysed (UTC)": [row.analyzed_at[:19].replace("T", " ") for row in rows],
    }
    number = st.column_config.NumberColumn
    st.dataframe(
        columns,
        hide_index=True,
        height=min(38 + 35 * max(1, len(rows)), 520),
        on_select="rerun",
        selection_mode="single-row",
        key=f"blipper_batch_table_{drawn.number}",
        column_config={
            "Recording": st.column_config.TextColumn(pinned=True, width="medium"),
            "Highest score": st.column_config.ProgressColumn(
                min_value=0.0,
                max_value=1.0,
                format="%.2f",
                help="How much the voice sounds angry, 0 to 1",
            ),
            "In events (s)": number(format="%.1f"),
            "Length (s)": number(format="%.1f"),
            "Speech (s)": number(format="%.1f"),
        },
    )


def _count(fitting: int, total: int) -> None:
    parts = [f"{total:,} recording{'s' if total != 1 else ''} dealt with"]
    if fitting != total:
        parts.append(f"{fitting:,} fit the filter")
    if fitting > SHOWN:
        parts.append(f"the first {SHOWN:,} are shown; all are in the downloads")
    st.caption(
        f"{'; '.join(parts)}. The highest score comes first; click a column's head to sort by it. A score "
        "ranks what is worth a listen and decides nothing."
    )


def _act(held: Batch, chosen: Row | None, names: Callable[[Row], str]) -> None:
    if chosen is None:
        st.caption("Choose a row (the box at its left) to open it in Review.")
        return
    name = plain(shorten(names(chosen), 80))
    if chosen.status == "failed":
        st.warning(
            f"**{name}** has no result: {plain(chosen.error or chosen.reason or '')}", icon=":material/error:"
        )
        return
    score = "no speech" if chosen.highest_score is None else f"highest score {chosen.highest_score:.2f}"
    st.markdown(f"**{name}**: {length(chosen.duration or 0)}, {chosen.events} events, {score}.")
    if st.button(
        "Open in Review",
        icon=":material/hearing:",
        type="primary",
        key="blipper_batch_open",
        help="Opens the chosen recording with the batch's own result; only its sound is read again.",
    ):
        try:
            open_row(held, chosen)
        except BatchError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        st.switch_page("pages/review.py")


def _downloads(held: Batch) -> None:
    table = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}
    with st.container(horizontal=True):
        for ending, kind in table.items():
            path = held.output / f"results{ending}"
            there = path.is_file()
            st.download_button(
                f"Table ({ending[1:].upper() if ending == '.csv' else 'Parquet'})",
                data=path.read_bytes if there else b"",
                file_name=path.name,
                mime=kind,
                icon=":material/download:",
                on_click="ignore",
                disabled=not there,
                key=f"blipper_batch_download{ending}",
                help="One line a recording"
                if there
                else "It is written every few seconds; wait for the first",
            )
        size = sum(path.stat().st_size for path in _files(held.output)) if not held.is_working else 0
        reason = _no_archive(held.is_working, size)
        st.download_button(
            "All results (ZIP)",
            data=b"" if reason else _archive(held.output),
            file_name="blipper-batch.zip",
            mime="application/zip",
            icon=":material/folder_zip:",
            on_click="ignore",
            disabled=reason is not None,
            key="blipper_batch_archive",
            help=reason or "Both tables and every recording's whole analysis as JSON",
        )


def _no_archive(working: bool, size: int) -> str | None:
    if working:
        return "Offered once the batch has stopped or ended"
    if size > LARGEST:
        return f"The results are {size / 2**30:.1f} GiB: keep them in a folder on the server instead"
    return None


def _files(output: Path) -> list[Path]:
    tables = [output / "results.csv", output / "results.parquet"]
    return [path for path in [*tables, *sorted((output / "results").rglob("*.json"))] if path.is_file()]


def _archive(output: Path) -> Callable[[], bytes]:
    """Return a function that packs the results when they are asked for."""

    def pack() -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            for path in _files(output):
                archive.write(path, path.relative_to(output))
        return packed.getvalue()

    return pack
