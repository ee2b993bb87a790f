"""What follows from an analysis's scores without running a model: the curves, the events and the trend.

Moving the threshold, the shortest event, the surroundings or the balance of voice and words, adding a
transcript and correcting one all end here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from blipper import fusion
from blipper.fusion.combining import cells
from blipper.recording import Notice
from blipper.results import Analysis, Curve, Span, Track, Windows
from blipper.settings import Settings
from blipper.wording import clock

#: Code of the notice about hostile words where nobody was heard to speak.
UNHEARD = "words-unheard"
#: How many such places the notice names.
_NAMED = 3


def with_threshold(analysis: Analysis, threshold: float) -> Analysis:
    """Mark the events again at another threshold, without running the model.

    Parameters
    ----------
    analysis : Analysis
    threshold : float
        In (0, 1].

    Returns
    -------
    Analysis
        The same scores with new events; its settings name the threshold.

    Raises
    ------
    SettingsError
        If `threshold` is outside its domain.
    """
    settings = Settings.from_dict(analysis.settings).with_threshold(threshold)
    return _marked(replace(analysis, settings=settings.to_dict()), settings)


def with_min_duration(analysis: Analysis, seconds: float) -> Analysis:
    """Mark the events again with another shortest one, without running the model.

    Parameters
    ----------
    analysis : Analysis
    seconds : float
        0 to 3600; shorter events are dropped.

    Returns
    -------
    Analysis
        The same scores with new events; its settings name the shortest one.

    Raises
    ------
    SettingsError
        If `seconds` is outside its domain.
    """
    settings = replace(Settings.from_dict(analysis.settings), min_duration=seconds)
    return _marked(replace(analysis, settings=settings.to_dict()), settings)


def with_balance(analysis: Analysis, balance: float) -> Analysis:
    """Weigh words against voice anew, without running a model.

    Parameters
    ----------
    analysis : Analysis
    balance : float
        In [0, 1]: 0 is the voice alone, 0.5 counts both alike, 1 is the words alone where there are any.

    Returns
    -------
    Analysis
        With new fused curves, trends and events; its settings name the balance.

    Raises
    ------
    SettingsError
        If `balance` is outside its domain.
    """
    settings = replace(Settings.from_dict(analysis.settings), balance=balance)
    return fuse_again(replace(analysis, settings=settings.to_dict()))


def with_surroundings(analysis: Analysis, seconds: float) -> Analysis:
    """Let scores take in more or less of what surrounds them, without running a model.

    Parameters
    ----------
    analysis : Analysis
        Its curves follow from its windows.
    seconds : float
        0 to 10, over which surroundings count less by a factor e; 0 judges every moment by itself.

    Returns
    -------
    Analysis
        With new curves, trends and events; its settings name the surroundings.

    Raises
    ------
    SettingsError
        If `seconds` is outside its domain.
    """
    settings = replace(Settings.from_dict(analysis.settings), surroundings=seconds)
    tracks = []
    for track in analysis.tracks:
        curve = voice_curve(track.windows, track.speech, analysis.duration, settings)
        tracks.append(replace(track, curve=curve, trend=fusion.trend(curve)))
    changed = replace(analysis, settings=settings.to_dict(), tracks=tuple(tracks))
    fused = fuse_again(changed)
    return _marked(changed, settings) if fused is changed else fused


def voice_curve(windows: Windows, speech: Sequence[Span], duration: float, settings: Settings) -> Curve:
    """Return the curve that follows from windows; see :func:`blipper.fusion.smooth`."""
    return fusion.smooth(
        windows,
        speech,
        duration,
        step=settings.step,
        smoothing=settings.smoothing,
        surroundings=settings.surroundings,
    )


def fuse_again(analysis: Analysis) -> Analysis:
    """Fuse voice and words anew, after either has changed.

    Parameters
    ----------
    analysis : Analysis
        Its settings say how; the scores are those of its curves and of its transcripts' utterances.

    Returns
    -------
    Analysis
        With new fused curves, trends and events; `analysis` itself where there are no scored words and were
        none before.

    Raises
    ------
    SettingsError
        If its settings are not Blipper's.
    """
    if not any(track.fused is not None or _has_scores(track) for track in analysis.tracks):
        return analysis
    settings = Settings.from_dict(analysis.settings)
    tracks = tuple(_fused(track, settings.balance) for track in analysis.tracks)
    notices = tuple(notice for notice in analysis.notices if notice.code != UNHEARD)
    found = replace(analysis, tracks=tracks, notices=(*notices, *_unheard(tracks)))
    return _marked(found, settings)


def _has_scores(track: Track) -> bool:
    said = track.transcript
    return said is not None and any(one.aggression is not None for one in said.utterances)


def _fused(track: Track, balance: float) -> Track:
    fused = fusion.fuse(
        track.curve, track.transcript, sound=fusion.sound_reliability(track.quality), balance=balance
    )
    changed = replace(track, fused=fused)
    return replace(changed, trend=fusion.trend(changed.scored))


def _marked(analysis: Analysis, settings: Settings) -> Analysis:
    rules = settings.events(analysis.model.threshold)
    events = [
        event
        for channel, track in enumerate(analysis.tracks)
        for event in fusion.find_events(
            track.curve, track.speech, settings=rules, channel=channel, fused=track.fused
        )
    ]
    return replace(analysis, events=tuple(sorted(events, key=lambda event: (event.start, event.channel))))


def _unheard(tracks: tuple[Track, ...]) -> Iterator[Notice]:
    """Say where words read as hostile and nobody was heard to speak, since no score tells of them."""
    places = sorted(place for track in tracks for place in _unheard_in(track))
    if not places:
        return
    named = ", ".join(clock(place) for place in places[:_NAMED]) + (" …" if len(places) > _NAMED else "")
    some = "1 utterance reads" if len(places) == 1 else f"{len(places)} utterances read"
    them = "it has" if len(places) == 1 else "they have"
    yield Notice(
        UNHEARD,
        f"{some} as hostile where nobody was heard to speak (at {named}), so {them} no score: listen there.",
        "warning",
    )


def _unheard_in(track: Track) -> Iterator[float]:
    if track.transcript is None:
        return
    for one in track.transcript.utterances:
        hostile = one.aggression is not None and one.aggression >= fusion.hostile_from(track.transcript)
        if not hostile or fusion.words_reliability(one, track.transcript) == 0:
            continue
        reached = track.curve.aggression[cells(one, track.curve)]
        if len(reached) and np.isnan(reached).all():
            yield one.start
