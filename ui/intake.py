"""How recordings come in: upload, microphone, sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, Final

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from blipper.audio import ACCEPTED, Limits
from blipper.errors import ModelError
from blipper.paths import models_dir
from blipper.settings import Channels, Settings
from blipper.speakers import guess
from blipper.voice.choice import allows_commerce, choose, lacking
from blipper.voice.models import CONFIG, available_models, read_config
from ui.engine import engine
from ui.session import Shelf
from ui.text import WHAT_A_SCORE_IS, plain

SAMPLE: Final = Path(__file__).with_name("sample") / "scene.ogg"
SAMPLE_NAME: Final = "Sample scene (synthetic voices).ogg"

#: Where the session keeps the chosen model.
_MODEL: Final = "blipper_model"

CHANNELS: Final[dict[Channels, str]] = {
    "mix": "Mix them into one",
    "separate": "Keep them apart, as separate speakers",
}


def show(held: Shelf) -> None:
    """Show the ways in, folded away once there is something to look at."""
    with st.expander("Add a recording", icon=":material/add:", expanded=not (held.finished or held.working)):
        channels = st.radio(
            "Channels of a stereo recording",
            list(CHANNELS),
            format_func=CHANNELS.__getitem__,
            horizontal=True,
            key="blipper_channels",
            help="Keep them apart when each side holds one speaker, as in many call-centre recordings. Each "
            "channel is then analysed by itself. A recording with one channel is the same either way.",
        )
        settings = Settings(channels=channels, **_speakers())
        _choose_model()
        chosen = st.segmented_control(
            "Where it comes from",
            list(_WAYS),
            default="upload",
            required=True,
            format_func=lambda way: _WAYS[way][0],
            key="blipper_way",
            help="Upload a file, record with this computer's microphone, or open the sample.",
        )
        _WAYS[chosen or "upload"][1](held, settings)


def _speakers() -> dict[str, Any]:
    """Ask whether to guess who speaks in a recording of one channel."""
    there = guess.is_installed()
    toggle, count = st.columns([3, 2], vertical_alignment="center")
    wanted = toggle.toggle(
        "Guess who speaks where there is one channel",
        key="blipper_guess",
        disabled=not there,
        help="Clusters voices by their sound, on this machine. It is a guess and is marked as one; it "
        "takes a while longer. "
        + ("" if there else "Not installed here: pip install -r requirements-speakers.txt adds it."),
    )
    if not wanted:
        return {}
    most = count.selectbox(
        "Speakers at most",
        [None, *range(1, 11)],
        2,
        format_func=_most,
        key="blipper_most",
        help="Voices are joined by likeness until no more than this are left.",
    )
    return {"speakers": "guess", "speaker_count": most}


def _most(count: int | None) -> str:
    return "its own guess" if count is None else str(count)


def usable_models() -> list[str]:
    """Name the installed voice models that can run here."""
    names = available_models()
    return [name for name in names if lacking(read_config(models_dir() / name / CONFIG)) is None]


def automatic() -> tuple[str, str]:
    """Name the choice that is left to Blipper, with the model that it comes to; and say why there is none."""
    try:
        return f"Automatic ({choose().name})", ""
    except ModelError as error:
        return "Automatic (none)", str(error)


def _choose_model() -> None:
    """Let the user choose the voice model, where there is a choice."""
    names = available_models()
    if len(names) < 2:
        return
    usual, fault = automatic()
    if fault:
        st.error(plain(f"{fault}. Nothing can be analysed until another model is chosen here."))
    configs = {name: read_config(models_dir() / name / CONFIG) for name in names}
    lacks = {name: lacking(config) for name, config in configs.items()}
    usable = [name for name in names if lacks[name] is None]
    shown = {
        name: f"{name} (commercial use allowed)" if allows_commerce(configs[name]) else name for name in names
    } | {"auto": usual}
    st.selectbox(
        "Voice model",
        ["auto", *usable],
        format_func=shown.__getitem__,
        key=_MODEL,
        help="All give the same kind of scores. The Evaluation page shows how good each one is. A model "
        'without the words "commercial use allowed" is for research and teaching: its corpora\'s licences '
        "allow no more.",
    )
    for name, missing in lacks.items():
        if missing is not None:
            st.caption(plain(f"{name} tells single clips apart better, but {missing}."))


#: The tour, in three sentences.
TOUR: Final = (
    ":material/add: **Add a recording** above, or open the sample, and wait for its scores.",
    ":material/show_chart: **Click where the curve is high**, or an event in the list, and listen.",
    ":material/lightbulb: **Open Explain** in the menu: see and hear what moved a score, and how surely.",
)


def show_introduction() -> None:
    """Say what the page is for while it is empty, and how to begin."""
    for column, sentence in zip(st.columns(len(TOUR), border=True), TOUR, strict=True):
        column.markdown(sentence)
    st.markdown(
        "Blipper listens to recorded speech and shows **where it sounds angry**, so that you know where to "
        "listen first. Everything is computed on the machine that runs Blipper; nothing is sent anywhere. "
        "What you add here is forgotten when you close this tab or delete it, unless you turned the "
        "library on "
        "and saved it there."
    )
    with st.container(border=True):
        st.markdown("**What a score is, and what it is not**")
        st.markdown(WHAT_A_SCORE_IS)


def _upload(held: Shelf, settings: Settings) -> None:
    files = st.file_uploader(
        f"Drop recordings here: {ACCEPTED}; up to {Limits().max_seconds / 3600:g} hours each",
        accept_multiple_files=True,
        key=f"blipper_upload_{held.uploads}",
        help="What a file is gets decided from its content, so its ending does not matter.",
    )
    for file in files:
        if held.take(file.file_id):
            _add(held, PurePath(file.name).name, file.getvalue(), settings)
            forget_upload(file.file_id)


def _microphone(held: Shelf, settings: Settings) -> None:
    spoken = st.audio_input(
        "Record a message; the analysis begins when you stop",
        sample_rate=16_000,
        key=f"blipper_microphone_{held.uploads}",
        help="Your browser asks whether this page may use the microphone.",
    )
    if spoken is not None and held.take(spoken.file_id):
        number = sum(entry.name.startswith("Microphone ") for entry in held.entries.values()) + 1
        _add(held, f"Microphone {number}.wav", spoken.getvalue(), settings)
        forget_upload(spoken.file_id)


def _sample(held: Shelf, settings: Settings) -> None:
    st.markdown(
        "A short scene made for Blipper: two people talk about a lost parcel; it flares up and calms down. "
        "**Both voices are synthetic** (Flite, raised with the vocoder WORLD until the model reacted). "
        "The scene shows how this page works; it says nothing about how people's voices would score."
    )
    if st.button(
        "Open the sample",
        icon=":material/play_circle:",
        key="blipper_sample",
        help="Opens a short made-up quarrel between synthetic voices.",
    ):
        _add(held, SAMPLE_NAME, SAMPLE, settings)
        del st.session_state["blipper_way"]  # back to uploads
        st.rerun()


def _add(held: Shelf, name: str, source: bytes | Path, settings: Settings) -> None:
    engine().submit(held.add(name), source, settings, st.session_state.get(_MODEL, "auto"))


def forget_upload(file_id: str) -> None:
    """Let go of an upload's bytes, which the job holds now and drops when it is over.

    The widget stays as it is: a new one would lose what the user drops on it in the meantime.
    """
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        runtime.get_instance().uploaded_file_mgr.remove_file(context.session_id, file_id)


_WAYS: Final[dict[str, tuple[str, Callable[[Shelf, Settings], None]]]] = {
    "upload": (":material/upload_file: Upload", _upload),
    "microphone": (":material/mic: Record", _microphone),
    "sample": (":material/theater_comedy: Sample", _sample),
}
