"""The confusion matrix: click a cell, or choose it, to list its clips and to hear them."""

from __future__ import annotations

import streamlit as st

from blipper.errors import AudioError
from blipper.figures import confusion_figure
from ui import clicks
from ui.clips import as_flac, clip_paths, data_folder
from ui.evaluation_data import Figures
from ui.evaluation_kept import kept
from ui.evaluation_table import table
from ui.text import plain


def show(data: Figures) -> None:
    """Show the section."""
    st.subheader("Confusion matrix")
    selection = data.selection
    key = f"{data.evaluation.name}_{selection.name}" + ("" if data.side == "shipped" else f"_{data.side}")
    chart_key = f"evaluation_confusion_{key}"
    st.markdown("**Click a cell** to list its clips, or choose the two emotions below the matrix.")

    def take() -> None:
        """Put the clicked cell into the two fields; a click that takes a choice back changes nothing."""
        points = st.session_state[chart_key].selection.points
        if points and "customdata" in points[0]:
            cell = points[0]["customdata"]
            # Streamlit hands an array over as an object keyed by position.
            acted, heard = (cell[0], cell[1]) if isinstance(cell, list) else (cell["0"], cell["1"])
            if acted in selection.names and heard in selection.names:
                clicks.take(chart_key, (acted, heard))

    acted_key, heard_key = (
        kept(clicks.field(f"evaluation_{name}_{key}", chart_key), value, selection.names)
        for name, value in zip(("acted", "heard"), clicks.taken(chart_key, (None, None)), strict=True)
    )
    acted, heard = st.session_state[acted_key], st.session_state[heard_key]
    chosen = (acted, heard) if acted and heard else None
    counts = selection.confusion()
    st.plotly_chart(
        confusion_figure(counts, selection.names, chosen),
        width="stretch",
        key=chart_key,
        on_select=take,
        selection_mode="points",
        config={"displaylogo": False, "displayModeBar": False},
        alt="Confusion matrix: acted emotions in rows, the emotions that the model heard in columns",
    )
    left, right = st.columns(2)
    acted = left.selectbox(
        "Acted", selection.names, index=None, placeholder="Choose the acted emotion", key=acted_key,
        help="The emotion that the actor was asked for.",
    )  # fmt: skip
    heard = right.selectbox(
        "Heard by the model", selection.names, index=None, placeholder="Choose what the model heard",
        key=heard_key, help="The emotion that the model found the likeliest.",
    )  # fmt: skip
    if acted and heard:
        _cell(data, acted, heard, key)
    else:
        st.info("No cell is chosen yet: its clips are listed here.", icon=":material/ads_click:")
    with st.expander("The whole matrix as a table", icon=":material/table:"):
        columns: dict[str, list[object]] = {"Acted": list(selection.names)}
        totals = counts.sum(axis=1)
        for j, name in enumerate(selection.names):
            columns[f"heard {name}"] = [
                f"{counts[i, j]} ({counts[i, j] / max(totals[i], 1):.1%})" for i in range(len(totals))
            ]
        table("confusion", columns, f"{key}-confusion")


def _cell(data: Figures, acted: str, heard: str, key: str) -> None:
    selection = data.selection
    numbers = selection.cell(acted, heard)
    total = sum(row.emotion == acted for row in selection.rows)
    st.markdown(
        f"**{len(numbers)} of {total} clips** acted *{acted}* were heard as *{heard}*"
        + (f" ({len(numbers) / total:.1%})." if total else ".")
    )
    if not numbers:
        st.info("This cell holds no clip. Choose another one.")
        return
    rows = [selection.rows[i] for i in numbers]
    table(
        "cell",
        {
            "Clip": [row.key for row in rows],
            "Speaker": [row.speaker for row in rows],
            "Sex": [row.sex for row in rows],
            "Intensity": [row.intensity for row in rows],
            f"Probability of {heard}": [round(float(selection.confidence[i]), 3) for i in numbers],
            "Aggression score": [round(row.aggression, 3) for row in rows],
        },
        f"{key}-{acted}-heard-{heard}",
        height=min(320, 40 + 36 * len(rows)),
    )
    _listen([row.key for row in rows], key)


def _listen(keys: list[str], key: str) -> None:
    """Play the cell's clips where the corpora are at hand; say what to do where they are not."""
    folder = data_folder()
    paths = clip_paths(str(folder)) if folder is not None else {}
    here = [name for name in keys if name in paths]
    if not here:
        st.info(
            "To hear the clips, set the environment variable BLIPPER_DATA to the folder with the corpora "
            "and start Blipper again. Their licences do not allow shipping them.",
            icon=":material/headphones:",
        )
        return
    chosen = st.selectbox(
        "Listen to",
        here,
        key=f"evaluation_clip_{key}",
        help="The surest first. Blipper decodes the clip and hands its own encoding to the browser.",
    )
    try:
        st.audio(as_flac(paths[chosen]), format="audio/flac")
    except AudioError as error:
        st.error(f"{plain(chosen)} cannot be played: {plain(str(error))}")
    if len(here) < len(keys):
        st.caption(f"{len(keys) - len(here)} of these clips are not in the data folder.")
