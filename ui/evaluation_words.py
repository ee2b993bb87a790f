"""The Evaluation page for text models: what words are worth, what the checks found, where the limits are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from blipper.errors import ModelError
from blipper.paths import models_dir
from blipper.text_evaluation import TextEvaluation, read_text_evaluation
from blipper.words.text_builtin import available_text_models
from ui import evaluation_words_sections as sections
from ui.evaluation_kept import kept
from ui.evaluation_table import table
from ui.text import plain


def show() -> None:
    """Show the text models' part of the page."""
    folder = models_dir()
    names = available_text_models(folder)
    if not names:
        st.info(
            f"There is no text model in {plain(str(folder))}: nothing says how good the scores of words are, "
            "and without it words get none. It belongs into a folder text-small, with blipper.json beside "
            "its weights; the environment variable BLIPPER_MODELS can name another folder of models."
        )
        return
    st.markdown(
        "How well a text model reads **what is said**: sentiment and verbal aggression. All texts are in the "
        "form in which a recogniser hands over speech. Each figure names the split that it is of."
    )
    _sections(folder, names)


@st.fragment
def _sections(folder: Path, names: tuple[str, ...]) -> None:
    name = st.selectbox(
        "Text model",
        names,
        key=kept("evaluation_text_model", names[0], names),
        help="Every text model in Blipper's folder of models.",
    )
    found = _read(folder / name)
    if isinstance(found, ModelError):
        st.error(f"The figures of {plain(name)} cannot be shown: {plain(str(found))}")
        st.info("`blipper evaluate-text DATA` measures the model again and writes its `metrics.json`.")
        return
    if not _origin(found):
        return
    _headline(found)
    section = st.segmented_control(
        "Show",
        list(_SECTIONS),
        required=True,
        key=kept("evaluation_text_section", "Corpora", list(_SECTIONS)),
        help="What was measured of the model: on corpora, on sentences written for this, and its limits.",
    )
    _SECTIONS[section](found)


def _read(folder: Path) -> TextEvaluation | ModelError:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    stamp = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    try:
        return _cached(str(folder), stamp)
    except ModelError as error:
        return error


@st.cache_resource(show_spinner="Reading the model's figures…", max_entries=8)
def _cached(folder: str, stamp: tuple[tuple[str, int, int], ...]) -> TextEvaluation:
    return read_text_evaluation(folder)


def _origin(found: TextEvaluation) -> bool:
    """Say whose weights the figures are of; False where they are not of these."""
    if not found.matches:
        st.error(
            "These figures are **not** of the weights in the folder: the hashes below differ. Measure the "
            "weights again with `blipper evaluate-text DATA`, or put the files back that belong together."
        )
        table(
            "text_hashes",
            {"SHA-256 of the weights in": list(found.hashes), "Value": list(found.hashes.values())},
            f"{found.name}-hashes",
        )
        return False
    sha = next(iter(found.hashes.values()))[:12]
    st.markdown(f":green-badge[:material/check_circle: figures of exactly these weights] SHA-256 `{sha}…`")
    st.caption(f"Measured by: {plain(found.command)}")
    return True


def _headline(found: TextEvaluation) -> None:
    aimed = [row for row in found.corpora if row.target is not None]
    ahead = sum(bool(row.ahead) for row in found.corpora)
    passing = [one for one in found.checklist.categories if one.rate >= found.checklist_target]
    tiles = (
        ("Targets reached", f"{sum(bool(row.reached) for row in aimed)} of {len(aimed)}",
         "Tasks on corpora whose figure reaches what was to be reached."),
        ("Above every baseline", f"{ahead} of {len(found.corpora)}",
         "Tasks on which the model's figure is above that of every baseline."),
        ("Checklist passed", f"{found.checklist.rate:.0%}",
         f"Share of the {len(found.checklist.sentences)} sentences on the right side of the threshold."),
        ("Categories passed", f"{len(passing)} of {len(found.checklist.categories)}",
         f"Categories of the checklist with a pass rate of {found.checklist_target:.0%} or more."),
        ("Identity shift, mean", f"{found.bias.mean_shift:.3f}",
         f"How far a named identity moves the score on average; to stay below {found.bias_target:.2f}."),
    )  # fmt: skip
    with st.container(horizontal=True):
        for label, value, help_text in tiles:
            st.metric(label, value, help=help_text, border=True, width=190)


_SECTIONS: dict[str, Callable[[TextEvaluation], None]] = {
    "Corpora": sections.corpora,
    "Calibration": sections.calibration,
    "Checklist": sections.checklist,
    "Identity terms": sections.identity,
    "Limits": sections.limits,
}
