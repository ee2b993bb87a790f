"""The Explain page's part about words: the fused score taken apart, and each word's share."""

from __future__ import annotations

import json
from typing import Final

import streamlit as st

from blipper.explain.decomposition import Decomposition, decompose, with_words
from blipper.explain.reports_words import decomposition_csv, words_csv, words_dict
from blipper.explain.wording_fused import tell_fused
from blipper.explain.words import WordShares, words_of
from blipper.figures.explain_words import decomposition_figure, words_figure
from blipper.words.transcript import LOW_CONFIDENCE, Transcript
from ui import explain_work
from ui.explain_choice import Chosen, kept
from ui.explain_show import chart, offer, show_told
from ui.explain_work import Explained
from ui.session import OpenRecording
from ui.text import plain
from ui.words import show_words

NAMES: Final = {
    "aggression": "Verbal aggression",
    "negative": "Negative",
    "neutral": "Neutral",
    "positive": "Positive",
}


def show_sentence(opened: OpenRecording, found: Explained, chosen: Chosen) -> bool:
    """Say in one sentence what voice and words give the score; False where no words were scored."""
    parts = _parts(opened, chosen)
    if parts is None or not parts.fused:
        return False
    transcript = _transcript(opened, chosen)
    show_told(
        tell_fused(
            parts,
            found.attribution,
            found.stability,
            _shares(opened, chosen, parts.utterance),
            draft=transcript is not None and transcript.draft,
        )
    )
    return True


def show(opened: OpenRecording, chosen: Chosen, target: str) -> None:
    """Show the score taken apart, where it is aggression's, then the words."""
    st.subheader("Voice and words", anchor=False)
    if opened.analysis.tracks[chosen.choice.channel].fused is None:
        _no_words(opened, chosen)
        return
    parts = _parts(opened, chosen)
    if parts is not None and target == "aggression":
        _taken_apart(opened, parts)
    said = None if parts is None else parts.utterance
    utterance = said if chosen.utterance is None else chosen.utterance
    if utterance is None:
        st.info(
            "No words count at that moment: nothing was said just then, nothing was surely heard, or words "
            "are given no weight on the Review page."
        )
        return
    _words(opened, chosen, utterance)


def _no_words(opened: OpenRecording, chosen: Chosen) -> None:
    transcript = _transcript(opened, chosen)
    what = (
        "There is no transcript yet. Write one on the Review page"
        if transcript is None
        else "The transcript has no scores yet. Let a text model read it on the Review page"
    )
    st.info(f"The scores are the voice's alone. {what}; then each word's share is shown here.")
    st.page_link("pages/review.py", label="Go to Review", icon=":material/arrow_forward:")


def _taken_apart(opened: OpenRecording, parts: Decomposition) -> None:
    prior, voice, words, score = st.columns(4)
    prior.metric("Prior", f"{parts.prior:+.2f}", help="Where both sides start, in log-odds: a score of 0.15")
    voice.metric(
        "Voice",
        f"{parts.voice:+.2f}",
        help="What the voice adds at that moment, in log-odds, as smoothed in the curve",
    )
    words.metric("Words", f"{parts.words:+.2f}", help="What the words add at that moment, in log-odds")
    score.metric(
        "Score on the curve",
        f"{parts.score:.2f}",
        help=f"At {parts.time:.2f} s, as on the Review page. Its log-odds, {parts.log_odds:+.2f}, are the "
        "sum of the three",
    )
    chart(
        decomposition_figure(parts), "explain_parts", opened, "The score as a sum of prior, voice and words"
    )
    st.caption(
        "All parts are in log-odds and add up exactly; the score is the sigmoid of their sum. *An utterance "
        "of no words* is what the text model answers to an empty text, less the prior. Words count as much "
        "as they were surely heard, and as much as the balance on the Review page says."
    )
    with st.container(horizontal=True):
        offer("Parts (CSV)", decomposition_csv(parts), opened, "parts.csv", "explain_parts_csv")
        offer("Parts (JSON)", json.dumps(parts.to_dict()), opened, "parts.json", "explain_parts_json")


def _words(opened: OpenRecording, chosen: Chosen, utterance: int) -> None:
    transcript = _transcript(opened, chosen)
    if transcript is None:
        return
    st.subheader("Word by word", anchor=False)
    if not any(word.seen for word in words_of(transcript.utterances[utterance])):
        st.info("No word of this utterance was heard surely enough for a text model to see it.")
        return
    key = _key(chosen, utterance, transcript)
    shares: WordShares | None = explain_work.result(opened, key)
    if shares is None:
        _compute(opened, key, chosen, utterance)
        return
    target = st.segmented_control(
        "Score of the words",
        list(shares.targets),
        format_func=NAMES.__getitem__,
        required=True,
        key=kept("words_target", shares.targets[0], among=list(shares.targets)),
        help="Verbal aggression is what is fused with the voice. The others are the utterance's sentiment.",
    )
    target = target or shares.targets[0]
    (base, _), model = shares.ends_of(target), shares.models[shares.targets.index(target)]
    show_words(
        shares.words,
        shares.of(target),
        shares.errors_of(target),
        key=f"explain_words_{opened.id}",
        label=f"Words and what each gives the score for {NAMES[target].lower()}",
    )
    st.caption(
        f"{NAMES[target]}: score {shares.score_of(target):.2f} by {plain(model)}. "
        ":orange[**+ and a solid line**] raise it, :blue[**− and a dotted line**] lower it; point at a "
        f"word, or touch it, for its number. A text of no words has {base:+.2f} log-odds."
    )
    unseen = shares.unseen
    if unseen:
        st.caption(
            f"In brackets: {len(unseen)} words with a confidence below {LOW_CONFIDENCE:g}, which the model "
            "never saw. Their share is 0."
        )
    chart(words_figure(shares, target), "explain_words_bars", opened, "What each word gives the score")
    how = (
        "All combinations of the words were tried, so these are Shapley values themselves."
        if shares.method == "exact"
        else "Estimated from random orders of the words; thin lines are standard errors."
    )
    st.caption(f"A word that is taken out is really left out, as if it had not been said. {how}")
    with st.container(horizontal=True):
        offer("Words (CSV)", words_csv(shares), opened, "words.csv", "explain_words_csv")
        offer("Words (JSON)", json.dumps(words_dict(shares)), opened, "words.json", "explain_words_json")


def _compute(opened: OpenRecording, key: explain_work.Key, chosen: Chosen, utterance: int) -> None:
    """Start at once, beside whatever waits; again only when asked, once it was stopped."""
    stopped = st.session_state.get("explain_stopped") == key
    if explain_work.job_of(opened, key) is None and (
        not stopped
        or st.button(
            "Explain the words",
            icon=":material/play_arrow:",
            key="explain_words_start",
            help="Reads the utterance again and again, each time without some of its words",
        )
    ):
        st.session_state.pop("explain_stopped", None)
        work = explain_work.reading(opened, chosen.choice.channel, utterance)
        explain_work.submit(opened, key, work, beside=True)
    explain_work.follow(opened, key)


def _parts(opened: OpenRecording, chosen: Chosen) -> Decomposition | None:
    """Take the score of the chosen moment apart, into words where they are explained already."""
    if chosen.time is None:
        return None
    parts = decompose(opened.analysis, chosen.choice.channel, chosen.time)
    if parts is None or parts.utterance is None:
        return parts
    return with_words(parts, _shares(opened, chosen, parts.utterance))


def _shares(opened: OpenRecording, chosen: Chosen, utterance: int | None) -> WordShares | None:
    transcript = _transcript(opened, chosen)
    if transcript is None or utterance is None:
        return None
    shares: WordShares | None = explain_work.result(opened, _key(chosen, utterance, transcript))
    return shares


def _key(chosen: Chosen, utterance: int, transcript: Transcript) -> explain_work.Key:
    """Name the explanation of one utterance, as it is written now and read by these models."""
    models, said = tuple(info.sha256 for info in transcript.text_models), transcript.utterances[utterance]
    return ("words", chosen.choice.channel, utterance, said.text, said.words, models)


def _transcript(opened: OpenRecording, chosen: Chosen) -> Transcript | None:
    return opened.analysis.tracks[chosen.choice.channel].transcript
