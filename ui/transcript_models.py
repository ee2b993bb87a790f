"""Which text models read the words: choosing them, and what their outputs are taken for."""

from __future__ import annotations

from typing import Final

import streamlit as st

from blipper.errors import SettingsError
from blipper.words.sentiment import BUILT_IN, NONE
from blipper.words.text_builtin import built_in_folder
from blipper.words.text_hub import find
from blipper.words.text_names import is_folder, parse
from blipper.words.text_suggested import SUGGESTED, Suggested
from blipper.words.transcript import Transcript
from ui.text import plain

#: The choice of a model by its name.
_NAMED: Final = "named"


def choose_text_model(key: str, *, disabled: bool = False) -> str | None:
    """Ask what reads the words; None, with the reason on the page, while a name is none.

    Parameters
    ----------
    key : str
        Tells this choice from others in the session.
    disabled : bool, optional
    """
    choices = _choices()
    chosen = st.selectbox(
        "Sentiment and verbal aggression by",
        list(choices),
        format_func=choices.__getitem__,
        key=f"blipper_words_read_{key}",
        disabled=disabled,
        help="The built-in model reads English, is calibrated, and needs no network. Others come from the "
        "Hugging Face hub, are kept on the machine that runs Blipper, and run there; their scores are not "
        "calibrated. Only safetensors are loaded, and none of a model's code is run.",
    )
    if chosen != _NAMED:
        return str(chosen)
    name = st.text_input(
        "Name on the Hugging Face hub",
        placeholder="ORG/NAME",
        key=f"blipper_words_named_{key}",
        max_chars=400,
        disabled=disabled,
        help="A sequence classifier, as ORG/NAME or ORG/NAME@REVISION; two joined by +. What its labels mean "
        "may follow, as in ORG/NAME#aggression=insult/threat.",
    ).strip()
    if not name:
        return None
    try:
        # A page is open to whoever reaches it: it loads no folders of the machine that it runs on.
        if any(is_folder(wanted.where) for wanted in parse(name)):
            raise SettingsError(f"text model {name!r}: a folder is read by the command line only")
    except SettingsError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    return name


def show_readers(transcript: Transcript) -> None:
    """Say which models read the words, and what each of their outputs is taken for."""
    if not transcript.text_models:
        return
    roles = {"sentiment": "sentiment", "aggression": "verbal aggression"}
    said = [
        f"{' and '.join(roles[role] for role in info.reads)} by {plain(info.name)}"
        for info in transcript.text_models
    ]
    by, labels = st.columns([5, 1.6], vertical_alignment="center")
    by.caption(
        f"Words scored for {', '.join(said)}. A score says what the words are like, not what is meant."
    )
    with labels.popover(
        "Labels", icon=":material/label:", width="stretch", help="What each label of the model is taken for."
    ):
        for info in transcript.text_models:
            commit = f", commit {info.revision[:12]}" if info.revision else ""
            tongues = f"; reads {', '.join(info.languages)}" if info.languages else ""
            sure = "calibrated" if info.calibrated else "not calibrated"
            st.markdown(f"**{plain(info.name)}**, SHA-256 {info.sha256[:12]}{plain(commit)}; {sure}{tongues}")
            st.dataframe(
                {"Its label": list(info.labels), "Taken for": list(info.labels.values())}, hide_index=True
            )


def _choices() -> dict[str, str]:
    state = "English" if built_in_folder().is_dir() else "not installed"
    choices = {BUILT_IN: f"Built-in ({state})"}
    for one in SUGGESTED:
        if len(one.languages) == 1:
            choices[f"{one.name}+{BUILT_IN}"] = f"{one.name} and built-in (English; {_state([one])})"
    several = [one for one in SUGGESTED if len(one.languages) > 1]
    short = " and ".join(one.name.partition("/")[2] for one in several)
    choices["+".join(one.name for one in several)] = f"Multilingual: {short} ({_state(several)})"
    choices[_NAMED] = "Another, by its name"
    choices[NONE] = "None: no scores of words"
    return choices


def _state(models: list[Suggested]) -> str:
    missing = sum(one.megabytes for one in models if find(parse(one.name)[0]) is None)
    return f"downloads about {missing:,} MB first" if missing else "on this machine"
