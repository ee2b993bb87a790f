"""Talk time, interruptions, loudness and labels, on turns whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from blipper.errors import SettingsError
from blipper.recording import Provenance
from blipper.results import (
    Analysis,
    Curve,
    Event,
    ModelInfo,
    Quality,
    Span,
    Track,
    Trend,
    no_windows,
)
from blipper.speakers import Turn, turns_of_channel, with_levels
from blipper.speakers.talk import Interruption, rename, speaker_of_event, speakers, talk
from tests.helpers import RATE, recording, silence


def call(
    *channels: list[tuple[float, float]], events: tuple[Event, ...] = (), turns: bool = True
) -> Analysis:
    """Return an analysis whose channels "a", "b", … speak at these times."""
    curve = Curve(0.5, np.zeros(0), np.zeros(0), np.zeros((0, 8)))
    tracks = []
    for name, times in zip("abc", channels, strict=False):
        spans = tuple(Span(*pair) for pair in times)
        mine = turns_of_channel(spans, name) if turns else ()
        tracks.append(Track(name, Quality(()), spans, no_windows(), curve, Trend("unknown", None), mine))
    provenance = Provenance("call.wav", "0" * 64, 1, "WAV", "PCM_16", 16_000, len(tracks), "soundfile")
    return Analysis(provenance, 60.0, tuple(tracks), events, ModelInfo("m", "0" * 64, 0.5), {})


def test_talk_time_is_speech_without_pauses() -> None:
    found = talk(call([(0, 2), (2.5, 4), (10, 11)], [(20, 25)]))
    assert found is not None
    first, second = found.speakers
    assert (first.speaker, first.seconds, first.turns, first.longest) == ("a", 4.5, 2, 4.0)
    assert (second.speaker, second.seconds, second.turns) == ("b", 5.0, 1)
    assert first.share + second.share == pytest.approx(1)
    assert found.overlap == 0
    assert found.interruptions == ()
    assert not found.same_sound


def test_a_turn_that_outlasts_the_one_it_begins_in_interrupts() -> None:
    found = talk(call([(0, 5)], [(4, 8)]))
    assert found is not None
    assert found.interruptions == (Interruption(4.0, "b", "a", 1.0),)
    assert found.overlap == 1.0
    assert [(one.interruptions, one.interrupted) for one in found.speakers] == [(0, 1), (1, 0)]


def test_a_turn_within_another_is_overlap_alone() -> None:
    found = talk(call([(0, 5)], [(2, 3)]))
    assert found is not None
    assert found.interruptions == ()
    assert found.overlap == 1.0


def test_what_padding_makes_overlap_is_no_interruption() -> None:
    found = talk(call([(0, 5)], [(4.8, 8)]))
    assert found is not None
    assert found.interruptions == ()


def test_a_speaker_who_paused_is_not_talked_over() -> None:
    """The turn goes on over the pause, but only 0.1 s of it is spoken by both."""
    found = talk(call([(0, 3), (3.9, 4.1)], [(3.1, 3.8), (4.0, 9)]))
    assert found is not None
    assert found.interruptions == ()


def test_three_speakers_and_the_order_of_interruptions() -> None:
    found = talk(call([(0, 5)], [(4, 8)], [(4.5, 20)]))
    assert found is not None
    assert [(item.time, item.speaker, item.interrupted) for item in found.interruptions] == [
        (4.0, "b", "a"),
        (4.5, "c", "a"),
        (4.5, "c", "b"),
    ]
    assert found.overlap == pytest.approx(5 + 4 + 15.5 - 20)


def test_channels_with_one_sound_are_noticed() -> None:
    found = talk(call([(0, 5), (8, 9)], [(0, 5.05), (8, 9)]))
    assert found is not None
    assert found.same_sound


def test_a_mix_names_nobody() -> None:
    assert talk(call([(0, 5)], turns=False)) is None
    assert speakers(call([(0, 5)], turns=False)) == ()


def test_hours_of_turns_are_summed_up_quickly() -> None:
    a = [(10.0 * i, 10.0 * i + 6) for i in range(3000)]
    b = [(10.0 * i + 5, 10.0 * i + 9) for i in range(3000)]
    found = talk(call(a, b))
    assert found is not None
    assert len(found.interruptions) == 3000
    assert found.overlap == 3000.0


def test_loudness_of_turns(rng: np.random.Generator) -> None:
    """A 997 Hz sine at 0 dBFS is -3.01 LUFS by definition; 20 dB less is 20 LU less."""
    tone = np.sin(2 * np.pi * 997 * np.arange(3 * RATE) / RATE)
    sound = recording(np.concatenate([tone, silence(2), 0.1 * tone, silence(2)]))
    turns = with_levels(sound, 0, (Turn(0, 3, "a"), Turn(5, 8, "a"), Turn(8.1, 9.9, "a")))
    assert [turn.level for turn in turns] == [
        pytest.approx(-3.0, abs=0.1),
        pytest.approx(-23.0, abs=0.1),
        None,
    ]


def test_levels_do_not_depend_on_how_a_turn_is_read(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = recording(rng.normal(0, 0.1, 20 * RATE))
    (whole,) = with_levels(sound, 0, (Turn(1, 19, "a"),))
    monkeypatch.setattr("blipper.speakers.turns._BLOCK", 0.7)
    assert with_levels(sound, 0, (Turn(1, 19, "a"),)) == (whole,)


def test_the_loudest_turn_of_a_second_is_named() -> None:
    analysis = call([(0, 5)])
    track = analysis.tracks[0]
    turns = (Turn(0, 2, "a", -30.0), Turn(2, 4, "a", -20.0), Turn(4.0, 4.5, "a", -10.0), Turn(4.6, 5, "a"))
    analysis = call([(0, 5)])
    analysis = type(analysis)(
        **{**vars(analysis), "tracks": (type(track)(**{**vars(track), "turns": turns}),)}
    )
    found = talk(analysis)
    assert found is not None
    assert (found.speakers[0].loudest, found.speakers[0].loudest_time) == (-20.0, 2)
    mean = 10 * np.log10((2 * 10**-3.0 + 2 * 10**-2.0 + 0.5 * 10**-1.0) / 4.5)
    assert found.speakers[0].level == pytest.approx(mean, abs=0.05)


def test_events_name_their_speaker() -> None:
    event = Event(1.0, 4.0, 0.9, 2.0, 0.8, "angry", channel=1)
    analysis = call([(0, 5)], [(0.5, 4.5)], events=(event,))
    assert speaker_of_event(analysis, event) == "b"
    assert speaker_of_event(call([(0, 5)], [(0, 5)], turns=False), event) is None


def test_labels_can_be_changed_and_are_kept() -> None:
    named = rename(call([(0, 5)], [(4, 8)]), {"a": " Agent ", "b": "Customer"})
    assert speakers(named) == ("Agent", "Customer")
    again = Analysis.from_dict(named.to_dict())
    assert speakers(again) == ("Agent", "Customer")
    found = talk(again)
    assert found is not None
    assert found.interruptions[0].speaker == "Customer"


def test_two_speakers_of_one_label_count_as_one() -> None:
    found = talk(rename(call([(0, 5)], [(4, 8)]), {"b": "a"}))
    assert found is not None
    (one,) = found.speakers
    assert one.seconds == 8.0
    assert (found.overlap, found.interruptions) == (0, ())


@pytest.mark.parametrize("label", ["", "  ", "x" * 61, "a\nb", "a\x00"])
def test_unusable_labels_are_refused(label: str) -> None:
    with pytest.raises(SettingsError, match="expected 1 to 60 printable"):
        rename(call([(0, 5)]), {"a": label})


def test_an_unknown_speaker_is_named() -> None:
    with pytest.raises(SettingsError, match="no speaker is called 'z'; there are 'a'"):
        rename(call([(0, 5)]), {"z": "Agent"})
