"""Around the player: the sound's quality, all windows, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import streamlit as st

from blipper.results import Analysis, Check, Quality, Windows
from blipper.voice.labels import EMOTIONS
from ui.session import OpenRecording
from ui.text import plain


class _Look(NamedTuple):
    icon: str
    colour: str
    word: str


_VERDICTS: Final = {
    "good": _Look(":material/check_circle:", "green", "good"),
    "fair": _Look(":material/error:", "orange", "fair"),
    "poor": _Look(":material/cancel:", "red", "poor"),
    "unknown": _Look(":material/help:", "gray", "not measured"),
}


def show_quality(qualities: Mapping[str, Quality]) -> None:
    """Show each channel's verdicts in a row, what is poor in words, and what all of them mean on request.

    Parameters
    ----------
    qualities : mapping of str to Quality
        By the channel's name for people, as Markdown; a name is shown only where there are several.
    """
    several = len(qualities) > 1
    for name, quality in qualities.items():
        title = f"**Sound quality, {name}**" if several else "**Sound quality**"
        st.markdown(" ".join([title, *map(_badge, quality.checks)]))
        for check in quality.checks:
            if check.verdict == "poor":
                label = f"{name}: {plain(check.label)}" if several else plain(check.label)
                st.warning(f"**{label}{_figure(check)}.** {plain(check.message)}", icon=":material/cancel:")
    with st.expander("What the sound checks found and mean", icon=":material/graphic_eq:"):
        for name, quality in qualities.items():
            if several:
                st.markdown(f"##### {name}")
            for check in quality.checks:
                verdict = _VERDICTS[check.verdict].word + _figure(check)
                st.markdown(f"**{plain(check.label)}** ({verdict}). {plain(check.message)}")


def _badge(check: Check) -> str:
    look = _VERDICTS[check.verdict]
    return f":{look.colour}-badge[{look.icon} {plain(check.label)}: {look.word}]"


def _figure(check: Check) -> str:
    if check.value is None:
        return ""
    decimals = 0 if check.unit == "Hz" else 1
    return f", {round(check.value, decimals) + 0.0:,.{decimals}f} {check.unit}"  # + 0.0 turns -0.0 into 0.0


def show_windows(windows: Windows) -> None:
    """Show what the model gave for every window."""
    with st.expander(f"All {len(windows):,} windows", icon=":material/table_rows:"):
        st.caption(
            "What the model gave for each window of a few seconds, before smoothing: how much the voice "
            "sounds angry, and how likely it takes each emotion to be. Scores from 0 to 1."
        )
        columns = {"Start (s)": windows.start, "End (s)": windows.end, "Aggression": windows.aggression}
        columns |= {name.capitalize(): windows.emotions[:, i] for i, name in enumerate(EMOTIONS)}
        plain_number = st.column_config.NumberColumn(format="%.2f")
        st.dataframe(columns, hide_index=True, height=320, column_config=dict.fromkeys(columns, plain_number))


def show_origin(opened: OpenRecording, analysis: Analysis) -> None:
    """Show what it takes to repeat the result: model, settings, file, versions."""
    source = analysis.provenance
    with st.expander("Model, settings and file", icon=":material/receipt_long:"):
        rows = {
            "Model": analysis.model.name,
            "Model's SHA-256": analysis.model.sha256,
            "Model's own threshold": f"{analysis.model.threshold:.4f}",
            "Threshold shown": f"{opened.shown_threshold:.4f}",
            "File": source.name,
            "File's SHA-256": source.sha256,
            "Container and codec": f"{source.container}, {source.codec}",
            "Original sampling rate": f"{source.sampling_rate:,} Hz",
            "Original channels": str(source.n_channels),
            "Size": f"{source.size_bytes:,} bytes",
            "Length": f"{analysis.duration:.2f} s",
            "Time taken": f"{opened.seconds:.2f} s",
        }
        rows |= {
            f"Setting: {name.replace('_', ' ')}": _setting(value) for name, value in _flat(analysis.settings)
        }
        rows |= {f"Version: {name}": version for name, version in analysis.versions.items()}
        st.dataframe(
            {"What": list(rows), "Value": list(rows.values())},
            hide_index=True,
            height=360,
        )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name} ")
        else:
            yield prefix + name, value


def _setting(value: object) -> str:
    return "the model's own" if value is None else str(value)
