"""The Batch page: what to analyse, how far it is, and what came of it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from blipper.audio import ACCEPTED
from blipper.batch.rooted import Root
from blipper.errors import SettingsError
from blipper.fusion import EventSettings
from blipper.settings import Channels, Settings
from blipper.wording import length
from ui import batch_table
from ui.batch_run import TAKEN, UPLOADS, Batch, Plan, current, forget
from ui.intake import CHANNELS, forget_upload
from ui.text import plain
from ui.transcript import engine_choices
from ui.transcript_models import choose_text_model

#: Names of the setting: an environment variable, or a key in Streamlit's secrets.
ROOT_VARIABLE: Final = "BLIPPER_BATCH_ROOT"
ROOT_SECRET: Final = "batch_root"
_WAYS: Final = {"upload": ":material/upload_file: Upload", "server": ":material/folder: On the server"}
#: Seconds between two looks at the batch.
_INTERVAL: Final = 1.0


def show() -> None:
    """Show the whole page."""
    st.markdown(
        "Analyse many recordings in one go and see first **which are worth a listen**. They are worked on "
        "one by one in processes of their own: a broken file costs that file, and a stopped batch goes on "
        "from where it was."
    )
    held = current()
    with st.container(border=True):
        plan = _choose(held)
    _steer(held, plan)
    _follow(held)
    batch_table.show()


def configured_root() -> Root | None:
    """Return the folder that the server's owner opened to visitors; None where none is set.

    Raises
    ------
    SettingsError
        If what is set is no folder.
    """
    folder = os.environ.get(ROOT_VARIABLE) or ""
    if not folder:
        try:
            folder = str(st.secrets.get(ROOT_SECRET, ""))
        except StreamlitSecretNotFoundError:  # there are no secrets at all
            return None
    return Root.at(folder) if folder else None


def _choose(held: Batch) -> Plan | None:
    """Ask what to analyse; return None while that is not clear."""
    way = st.segmented_control(
        "Where the recordings are",
        list(_WAYS),
        default="upload",
        required=True,
        format_func=_WAYS.__getitem__,
        key="blipper_batch_way",
        disabled=held.is_working,
        help="Upload files from your computer, or name a folder on the machine that runs Blipper.",
    )
    plan = _uploads(held) if way != "server" else _server(held)
    channels_column, threshold_column, shortest_column, workers_column = st.columns([3, 2, 2, 2])
    channels: Channels = channels_column.radio(
        "Channels of a stereo recording",
        list(CHANNELS),
        format_func=CHANNELS.__getitem__,
        key="blipper_batch_channels",
        disabled=held.is_working,
        help="Another choice analyses everything again.",
    )
    threshold = threshold_column.number_input(
        "Threshold",
        0.05,
        1.0,
        value=None,
        step=0.05,
        placeholder="the model's own",
        key="blipper_batch_threshold",
        disabled=held.is_working,
        help="Score from which a stretch is worth a listen. With another one, press Start again: events are "
        "marked anew from the results that are there, in moments.",
    )
    shortest = shortest_column.number_input(
        "Shortest event (s)",
        0.0,
        3600.0,
        EventSettings.min_duration,
        step=0.5,
        format="%.1f",
        key="blipper_batch_shortest",
        disabled=held.is_working,
        help="Shorter ones are not marked. With 3 s fewer alarms are false, and most outbursts of one "
        "sentence are lost. With another one, press Start again, as for the threshold.",
    )
    cores = os.cpu_count() or 1
    workers = workers_column.number_input(
        "Recordings at a time",
        1,
        cores,
        max(1, cores - 1),
        key="blipper_batch_workers",
        disabled=held.is_working,
        help=f"One process each, with models of its own. This machine has {cores} cores.",
    )
    words = _words(held)
    if plan is None or words is None:
        return None
    plan.settings = replace(words, channels=channels, threshold=threshold, min_duration=float(shortest))
    plan.workers = int(workers)
    return plan


def _words(held: Batch) -> Settings | None:
    """Ask whether words are to count, and by what; None while the name of a model or language is none."""
    engines = {"none": "None: the voice alone"} | engine_choices()
    by, tongue = st.columns([5, 2])
    transcript = by.selectbox(
        "Transcripts by",
        list(engines),
        format_func=engines.__getitem__,
        key="blipper_batch_transcript",
        disabled=held.is_working,
        help="With transcripts the words count beside the voice. Writing them takes many times longer than "
        "scoring the voice, up to longer than the recordings last.",
    )
    if transcript == "none":
        return Settings()
    language = tongue.text_input(
        "Language code",
        placeholder="detected",
        key="blipper_batch_language",
        max_chars=3,
        disabled=held.is_working,
        help="Such as en, de or ar, of all recordings; left empty, an engine that knows several detects it.",
    )
    text_model = choose_text_model("batch", disabled=held.is_working)
    if text_model is None:
        return None
    try:
        return Settings(
            transcript=transcript, text_model=text_model, language=language.strip().lower() or None
        )
    except SettingsError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _uploads(held: Batch) -> Plan | None:
    files = st.file_uploader(
        f"Drop recordings here: {ACCEPTED}",
        accept_multiple_files=True,
        key=f"blipper_batch_upload_{st.session_state.get(UPLOADS, 0)}",
        help="They are kept on the machine that runs Blipper until you delete the batch or close this tab.",
        disabled=held.is_working,
    )
    taken: set[str] = st.session_state.setdefault(TAKEN, set())
    for file in files:
        if file.file_id not in taken:
            taken.add(file.file_id)
            try:
                held.add(file.name, file.getvalue())
            except OSError as error:
                st.error(
                    f"**{plain(file.name)}** cannot be kept: {plain(error.strerror or str(error))}",
                    icon=":material/error:",
                )
            forget_upload(file.file_id)
    if not held.uploads:
        st.caption("Add recordings, then press **Start**.")
        return None
    st.caption(f"{held.uploads:,} recording{'s' if held.uploads != 1 else ''} added.")
    return Plan()


def _server(held: Batch) -> Plan | None:
    try:
        root = configured_root()
    except SettingsError as error:
        st.error(
            f"{plain(str(error))}. Whoever runs Blipper has to mend that setting.", icon=":material/error:"
        )
        return None
    if root is None:
        st.info(
            "No folder of the server is open to this page. Whoever runs Blipper can name one when "
            f"starting it: `{ROOT_VARIABLE}=/srv/calls streamlit run app.py`, or "
            f'`{ROOT_SECRET} = "/srv/calls"` in '
            "`.streamlit/secrets.toml`. Everybody who reaches the app can then have everything below it "
            "analysed and listen to it.",
            icon=":material/folder_off:",
        )
        return None
    name = st.text_input(
        f"Folder below {plain(str(root.path))}",
        ".",
        key="blipper_batch_folder",
        disabled=held.is_working,
        help="Such as calls/june; a point stands for the whole of it. Folders in it are searched too.",
    )
    keep = st.checkbox(
        "Keep the results on the server",
        key="blipper_batch_keep",
        disabled=held.is_working,
        help="Kept results stay in a folder of the server; others go with this browser session.",
    )
    results = ""
    if keep:
        results = st.text_input(
            "Folder for the results, below the same one",
            "blipper-results",
            key="blipper_batch_results",
            disabled=held.is_working,
            help="A new one, or that of an earlier batch, which then goes on. Without it the results are "
            "deleted with this browser session.",
        )
    try:
        return Plan(root.folder(name), root, root.new_folder(results) if keep else None)
    except SettingsError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _steer(held: Batch, plan: Plan | None) -> None:
    start, stop, delete, _ = st.columns([1.6, 1.2, 1.6, 4])
    again = held.status in ("stopped", "failed")
    if start.button(
        "Resume" if again else "Start",
        icon=":material/play_arrow:",
        type="primary",
        disabled=plan is None or held.is_working,
        key="blipper_batch_start",
        width="stretch",
        help="What is done already is not done again.",
    ):
        assert plan is not None
        held.start(plan)
        st.rerun()
    if stop.button(
        "Stop",
        icon=":material/stop:",
        disabled=not held.is_working or held.status == "stopping",
        key="blipper_batch_stop",
        width="stretch",
        help="Stops after the recordings that are being analysed; what is finished stays.",
    ):
        held.stop()
        st.rerun()
    if delete.button(
        "Delete",
        icon=":material/delete:",
        disabled=held.status == "ready" and not held.uploads,
        key="blipper_batch_delete",
        width="stretch",
        help="Stop, and delete this batch's uploads and results. Results that you keep on the server stay.",
    ):
        forget()
        st.rerun()


def _follow(held: Batch) -> None:
    if held.is_working:
        st.fragment(_progress, run_every=_INTERVAL)()
    else:
        _outcome(held)


def _progress() -> None:
    """Show how far it is; the whole page runs again when it comes to an end."""
    held = current()
    if not held.is_working:
        st.rerun()
    state = held.state
    if held.status == "waiting":
        st.progress(0.0, "Waiting for another batch on this machine to end")
    elif held.fetched is not None:
        st.progress(held.fetched, "Downloading the weights for words")
    elif held.status == "finding" or not state.total:
        st.progress(0.0, f"Looking for recordings: {held.found:,} so far" if held.found else "Getting ready")
    else:
        st.progress(state.completed / state.total, progress_text(held))
    if held.status == "stopping":
        st.caption("Stopping…")


def progress_text(held: Batch) -> str:
    """Return how far it is in words."""
    state = held.state
    parts = [f"**{state.completed:,} of {state.total:,}** recordings"]
    if state.rate is not None:
        parts.append(f"{state.rate:,.0f} times real time")
    if state.seconds_left is not None and state.completed < state.total:
        parts.append(f"about {length(max(1.0, state.seconds_left))} left")
    if state.unchanged:
        parts.append(f"{state.unchanged:,} done before")
    if state.remarked:
        parts.append(f"{state.remarked:,} marked anew from kept results")
    if state.failed:
        parts.append(f"{state.failed:,} without a result")
    return ", ".join(parts)


def _outcome(held: Batch) -> None:
    if held.status == "failed":
        st.error(plain(held.error), icon=":material/error:")
    elif held.status == "stopped":
        st.warning(
            f"Stopped at {progress_text(held)}. **Resume** goes on from there.", icon=":material/pause:"
        )
    elif held.status == "done":
        state = held.state
        if not state.total:
            st.info(
                f"No recording was found there; accepted are {plain(ACCEPTED)}.", icon=":material/search_off:"
            )
            return
        st.success(f"Done: {progress_text(held)}.", icon=":material/check_circle:")
        if held.plan.kept is not None:
            st.caption(f"The results stay in {plain(str(held.plan.kept))}.")
