"""The Explain page: what in the sound moved a score, to be seen, heard and checked."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import soundfile as sf
import streamlit as st

from blipper.errors import ModelError
from blipper.explain.attribution import Method
from blipper.explain.choice import Choice
from blipper.explain.features import read_companion
from blipper.explain.listen import only_what_mattered
from blipper.explain.reports import (
    attribution_csv,
    companion_accuracy,
    named_csv,
    overview_csv,
    pieces_csv,
    what_if_csv,
)
from blipper.explain.targets import TARGETS
from blipper.explain.trust import conclusions, read_explanations
from blipper.figures.explain import (
    attribution_figure,
    band_profiles_figure,
    faithfulness_figure,
    overview_figure,
    pieces_figure,
    waterfall_figure,
    what_if_figure,
)
from blipper.wording import length
from ui import explain_choice, explain_words_view, explain_work
from ui.explain_choice import Chosen, kept
from ui.explain_show import chart, offer, show_told
from ui.explain_work import Explained
from ui.session import OpenRecording
from ui.text import plain, shorten


def show_nothing_open() -> None:
    """Say what to do when no recording is open."""
    st.info(
        "No recording is open. Go to the Review page, then upload or record one there, or load the synthetic "
        "sample. Its scores can be explained here.",
        icon=":material/hearing:",
    )
    st.page_link("pages/review.py", label="Go to Review", icon=":material/arrow_forward:")


@st.fragment
def show(opened: OpenRecording) -> None:
    """Show the choice and everything about it; a change reruns no more than this."""
    explain_choice.begin()
    _show(opened)
    explain_choice.end()


def _show(opened: OpenRecording) -> None:
    st.caption(f"{plain(shorten(opened.name, 80))} · {length(opened.recording.duration)}")
    target, method = explain_choice.choose_score()
    chosen = explain_choice.choose_windows(opened, target)
    if chosen is None:
        return
    choice = chosen.choice
    key = ("explain", method, target, choice.channel, choice.windows)
    found = explain_work.result(opened, key)
    if found is None:
        _compute(opened, key, choice, target, method)
    else:
        _explained(opened, found, chosen, target)
    st.divider()
    _what_if(opened, choice, target)
    _overview(opened, choice.channel, target)
    _trust(opened)
    with st.expander("How to read an explanation", icon=":material/info:"):
        st.markdown(HOW_TO_READ)


def _compute(
    opened: OpenRecording, key: explain_work.Key, choice: Choice, target: str, method: Method
) -> None:
    """Start integrated gradients at once, and SHAP when it is asked for."""
    stopped = st.session_state.get("explain_stopped") == key
    if explain_work.job_of(opened, key) is None:
        label = "Explain again" if stopped else "Compute SHAP"
        if (method == "integrated gradients" and not stopped) or st.button(
            label,
            icon=":material/play_arrow:",
            key="explain_start",
            help="Runs on this machine; can be stopped",
        ):
            st.session_state.pop("explain_stopped", None)
            explain_work.submit(opened, key, explain_work.explaining(opened, choice, target, method))
    explain_work.follow(opened, key)


def _explained(opened: OpenRecording, found: Explained, chosen: Chosen, target: str) -> None:
    attribution, choice = found.attribution, chosen.choice
    fused = target == "aggression" and explain_words_view.show_sentence(opened, found, chosen)
    show_told(found.told, first=not fused)
    shown = _shown_score(opened, choice, target)
    if abs(shown - attribution.score) >= 0.02:
        st.caption(
            f"In the analysis these windows scored {shown:.2f}: there the model also heard what is said "
            "around them. Explained is what it makes of the windows alone."
        )
    if choice.left_out:
        st.caption(f"{choice.left_out} more windows of this event were left out to keep it quick.")
    score, base, total, error = st.columns(4)
    score.metric(
        "Score",
        f"{attribution.score:.2f}",
        help="Mean score of the windows that are explained; the curve averages it with the seconds around",
    )
    base.metric(
        "Neutral speech",
        f"{attribution.base_score:.2f}",
        help="What the model gives for what the sound was compared with",
    )
    total.metric(
        "Contributions",
        f"{attribution.total:+.2f}",
        help=f"All cells together, in log-odds; the score's difference is {attribution.difference:+.2f}",
    )
    error.metric(
        "Completeness error",
        f"{100 * attribution.relative_error:.1f} %",
        help="By how much the contributions miss the difference that they should add up to. "
        + (
            f"From random draws, the sum has a standard error of {attribution.uncertainty:.2f}."
            if attribution.uncertainty
            else "Integrated gradients draw nothing at random."
        ),
    )
    explain_words_view.show(opened, chosen, target)
    _map(opened, found)
    _listen(opened, found, choice)
    _named(found, opened, target)
    _pieces(found, opened)
    _downloads(opened, found)


def _shown_score(opened: OpenRecording, choice: Choice, target: str) -> float:
    """Return the mean score that the analysis gave the chosen windows."""
    windows = opened.analysis.tracks[choice.channel].windows
    scores = windows.aggression if target == "aggression" else windows.emotions[:, TARGETS.index(target)]
    places = np.searchsorted(windows.start, [window.start for window in choice.windows])
    return float(np.mean(scores[places]))


def _map(opened: OpenRecording, found: Explained) -> None:
    strength, contrast, picture = st.columns(3)
    opacity = strength.slider(
        "Strength of the colours",
        0.0,
        1.0,
        step=0.05,
        key=kept("strength", 0.8),
        help="How much the contributions cover the spectrogram; at 0 it is seen alone.",
    )
    quantile = contrast.slider(
        "Full colour from the strongest (%)",
        0.1,
        20.0,
        step=0.1,
        key=kept("contrast", 1.0),
        help="The strongest cells of this share get the full colour. More shows weak contributions as well.",
    )
    picture.segmented_control(
        "Save pictures as",
        ["svg", "png"],
        format_func=str.upper,
        required=True,
        key=kept("picture", "svg"),
        help="What the camera button at each figure's upper right corner saves.",
    )
    figure = attribution_figure(found.attribution, strength=opacity, contrast=1 - quantile / 100)
    chart(figure, "explain_map", opened, "Contributions over the spectrogram")
    st.caption(
        ":orange[**Vermillion raises**] the score, :blue[**blue lowers**] it; what is transparent does "
        "neither. Grey is the sound's level as the model sees it."
    )


def _listen(opened: OpenRecording, found: Explained, choice: Choice) -> None:
    st.subheader("Hear only what mattered", anchor=False)
    share, side = st.columns([1, 1.4])
    percent = share.slider(
        "Keep the strongest (%)",
        10,
        100,
        step=5,
        key=kept("share", 60),
        help="Share of the contributions that stays as loud as it is; everything else is lowered by 30 dB.",
    )
    direction = side.segmented_control(
        "Keep what",
        ["for", "against"],
        format_func={"for": "raises the score", "against": "lowers the score"}.__getitem__,
        required=True,
        key=kept("side", "for"),
        help="Which side of the map is heard.",
    )
    attribution = found.attribution
    rate = opened.recording.sampling_rate
    sound = opened.recording.read(attribution.parts[0].start, attribution.parts[-1].end, choice.channel)
    heard = only_what_mattered(
        sound,
        rate,
        attribution,
        origin=attribution.parts[0].start,
        share=percent / 100,
        side="against" if direction == "against" else "for",
    )
    left, right = st.columns(2)
    for column, label, samples in ((left, "Original", sound), (right, "Only what mattered", heard)):
        column.markdown(f"**{label}**")
        column.html(_player(samples, rate, label))


def _named(found: Explained, opened: OpenRecording, target: str) -> None:
    st.subheader("By named features", anchor=False)
    named = found.named
    if named is None:
        st.info("There is too little other speech in this recording to know what is usual in it.")
        return
    chart(waterfall_figure(named), "explain_named", opened, "Contribution of named features")
    st.caption(
        f"{plain(companion_accuracy(read_companion(), target))}. It compares with what is usual in this "
        f"recording: the mean over {named.stretches} stretches of speech, whoever spoke. Usual speech scores "
        f"{named.usual_score:.2f} with it, this stretch {named.score:.2f}."
    )


def _pieces(found: Explained, opened: OpenRecording) -> None:
    st.subheader("Without this word" if found.by_words else "Without this piece", anchor=False)
    chart(pieces_figure(found.pieces), "explain_pieces", opened, "What each piece gives the score")
    what = "word" if found.by_words else "piece of about 0.3 s"
    st.caption(
        f"Each {what} is replaced by the average spectrum of neutral speech, and the windows are scored "
        "again. A bar above zero: the score would be lower without it. Effects do not add up to the score, "
        "since pieces work together."
    )


def _what_if(opened: OpenRecording, choice: Choice, target: str) -> None:
    st.subheader("What if", anchor=False)
    key = ("what if", target, choice.channel, choice.windows)
    found = explain_work.result(opened, key)
    if found is not None:
        threshold = opened.shown_threshold if target == "aggression" else None
        chart(what_if_figure(found, threshold), "explain_what_if", opened, "Score of the changed sound")
        st.caption(
            "Dashed: the score of the unchanged sound. An open circle is the step that changes nothing. "
            + " ".join(f"*{curve.change.label}*: {curve.change.note}" for curve in found)
        )
        offer("These numbers (CSV)", what_if_csv(found), opened, "what-if.csv", "explain_what_if_csv")
        return
    st.markdown("How would the score change if the voice were higher, faster, louder, or the line noisier?")
    if explain_work.job_of(opened, key) is None and st.button(
        "Change the sound",
        icon=":material/tune:",
        key="explain_change",
        help="Scores about 30 changed versions",
    ):
        explain_work.submit(opened, key, explain_work.changing(opened, choice, target))
    explain_work.follow(opened, key)


def _overview(opened: OpenRecording, channel: int, target: str) -> None:
    st.subheader("The whole recording", anchor=False)
    key = ("overview", target, channel)
    found = explain_work.result(opened, key)
    if found is not None:
        chart(overview_figure(found), "explain_overview", opened, "What carries the recording's score")
        left_out = f" {found.left_out} windows were left out to keep it quick." if found.left_out else ""
        st.caption(
            f"{len(found.starts)} windows by integrated gradients; on average their contributions miss the "
            f"difference from neutral speech by {found.completeness_error:.2f} log-odds.{left_out}"
        )
        offer("These numbers (CSV)", overview_csv(found), opened, "overview.csv", "explain_overview_csv")
        return
    st.markdown("Which seconds and which bands carry the score over the whole recording?")
    if explain_work.job_of(opened, key) is None and st.button(
        "Sum up the recording",
        icon=":material/functions:",
        key="explain_sum",
        help="Explains up to 240 windows; long recordings take a minute or more, and can be stopped",
    ):
        explain_work.submit(opened, key, explain_work.summing_up(opened, channel, target))
    explain_work.follow(opened, key)


def _trust(opened: OpenRecording) -> None:
    """Show what was measured of this model's explanations on speakers whom it never met."""
    with st.expander("How far to trust explanations: what was measured", icon=":material/fact_check:"):
        try:
            found = read_explanations(opened.analysis.model)
        except ModelError as error:
            st.error(plain(str(error)))
            return
        if found is None:
            st.info(
                f"Nobody has measured the explanations of {plain(opened.analysis.model.name)} yet. `blipper "
                "evaluate DATA --model NAME --explanations` does, and needs the corpora."
            )
            return
        st.caption(
            f"{found['clips']} clips of {found['speakers']} speakers: {plain(found['split'])}, whom the "
            f"model never met. Explained: {plain(found['target'])}."
        )
        for line in conclusions(found):
            st.markdown(f"- {plain(line)}")
        chart(faithfulness_figure(found), "explain_faithfulness", opened, "Deletion and insertion curves")
        chart(band_profiles_figure(found), "explain_bands", opened, "Mean contribution of bands by emotion")
        st.caption(
            "Below: what each band gives an emotion's own score, on average over the clips acted in it."
        )
        offer("These figures (JSON)", json.dumps(found), opened, "trust.json", "explain_trust_json")


def _downloads(opened: OpenRecording, found: Explained) -> None:
    with st.container(horizontal=True):
        offer("Map (CSV)", attribution_csv(found.attribution), opened, "map.csv", "explain_csv")
        document = {
            "file": opened.name,
            "sentence": found.told.sentence,
            "certainty": found.told.certainty,
            "reason": found.told.reason,
            "stability": found.stability,
            **found.attribution.to_dict(cells=True),
        }
        offer("Explanation (JSON)", json.dumps(document), opened, "explanation.json", "explain_json")
        if found.named is not None:
            offer("Named features (CSV)", named_csv(found.named), opened, "named.csv", "explain_named_csv")
        offer("Pieces (CSV)", pieces_csv(found.pieces), opened, "pieces.csv", "explain_pieces_csv")


def _player(samples: np.ndarray, rate: int, label: str) -> str:
    """Return a player that holds its sound itself.

    Streamlit drops the file behind ``st.audio`` as soon as a run shows another one, while the browser may
    still be fetching it. A sound of two minutes at most is small enough to travel with the page.
    """
    file = io.BytesIO()
    sf.write(file, np.clip(samples, -1.0, 1.0), rate, format="FLAC", subtype="PCM_16")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<audio controls preload="auto" aria-label="{label}" style="width: 100%" '
        f'src="data:audio/flac;base64,{data}"></audio>'
    )


HOW_TO_READ = """
- The map shows what moved **the model**, not what somebody feels, and not causes in the world. It compares
  with neutral speech of actors: "stronger than in neutral speech" means stronger than theirs.
- Contributions are in **log-odds**, on which they add up; the score is their sigmoid. From a score of 0.5, +1
  leads to 0.73, +2 to 0.88.
- The **completeness error** says how far the sum misses. Above some percent, do not trust details.
- **Stability**: the same sound in a window that begins 0.04 s later should give the same map. Where it does
  not, the sentence above says no more than the score.
- The two methods need not agree on single cells; look for what both show.
- **Only what mattered** is the original's own sound with the rest lowered. That it sounds odd is normal.
- The model levels every window: loudness alone cannot move a score, but a raised voice changes its timbre.
"""
