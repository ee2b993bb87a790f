"""The Signal page through Streamlit's AppTest, in the real app, with recordings made here."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from blipper.figures import VIEWS
from blipper.figures.signal_data import Signal
from blipper.recording import Recording
from blipper.results import Analysis, Curve, ModelInfo, Quality, Track, Trend, no_windows
from blipper.speakers import Turn
from tests.helpers import RATE, recording
from ui.playback import prepare
from ui.session import Entry, OpenRecording, Shelf

APP = Path(__file__).resolve().parent.parent / "app.py"


def sine(frequency: float, seconds: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def opened(sound: Recording, name: str = "call.wav") -> OpenRecording:
    """Return a recording as the Review page opens it; the Signal page looks at its sound alone."""
    curve = Curve(0.5, np.zeros(0), np.zeros(0), np.zeros((0, 8)))
    track = Track("mix", Quality(()), (), no_windows(), curve, Trend("unknown", None))
    result = Analysis(
        sound.provenance, sound.duration, (track,) * sound.n_channels, (), ModelInfo("m", "0" * 64, 0.5), {}
    )
    heard = tuple(prepare(sound, track, channel) for channel in range(sound.n_channels))
    return OpenRecording("an-id", name, sound, result, heard, 0.1)


@pytest.fixture
def page() -> AppTest:
    """Return the app on its Signal page, with nothing open."""
    page = AppTest.from_file(str(APP), default_timeout=300).run()
    return healthy(page.switch_page("pages/signal.py").run())


def healthy(page: AppTest) -> AppTest:
    assert not page.exception, page.exception
    return page


def show(page: AppTest, *channels: np.ndarray, name: str = "call.wav") -> AppTest:
    """Open a recording and run the page."""
    entry = Entry("an-id", name, opened=opened(recording(*channels), name))
    page.session_state["blipper_shelf"] = Shelf({"an-id": entry}, "an-id")
    return healthy(page.run())


def figure(page: AppTest) -> dict:
    (chart,) = page.get("plotly_chart")
    return json.loads(chart.proto.spec)


def panels(page: AppTest) -> list[str]:
    return [annotation["text"] for annotation in figure(page)["layout"]["annotations"]]


def memory(page: AppTest) -> Signal:
    (signal,) = memories(page)
    return signal


def memories(page: AppTest) -> tuple[Signal, ...]:
    (signals,) = page.session_state["signal_memory"].values()
    return signals


def shown(page: AppTest) -> OpenRecording:
    return page.session_state["blipper_shelf"].entries["an-id"].opened


def captions(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


def test_nothing_open_says_what_to_do(page):
    assert page.title[0].value == "Signal"
    assert "No recording is open" in page.info[0].value
    assert "Review" in page.info[0].value
    assert len(page.get("page_link")) == 1
    assert not page.get("plotly_chart")


def test_a_recording_is_shown_with_the_views_to_start_with(page):
    show(page, sine(220, 3.0))
    assert [text.split(" (")[0] for text in panels(page)] == [
        "<b>Waveform", "<b>Mel spectrogram", "<b>Pitch", "<b>Energy",
    ]  # fmt: skip
    assert "call" in captions(page)
    assert "3 s" in captions(page)
    assert figure(page)["layout"]["xaxis"]["range"] == [0.0, 3.0]


def test_all_views_can_be_chosen_and_none_asks_for_one(page):
    show(page, sine(220, 3.0))
    views = page.pills(key="signal_views")
    assert len(views.options) == 8
    healthy(views.set_value(["waveform", "linear", "mel", "log", "mfcc", "chroma", "f0", "energy"]).run())
    assert len(panels(page)) == len(figure(page)["data"]) == 8
    healthy(page.pills(key="signal_views").set_value([]).run())
    assert page.info[0].value == "Choose at least one view."
    assert not page.get("plotly_chart")


def test_sliders_reach_the_figure(page):
    show(page, sine(220, 3.0))
    page.pills(key="signal_views").set_value(["linear", "mel", "mfcc"])
    page.select_slider(key="signal_n_fft").set_value(2048)
    page.slider(key="signal_hop").set_value(8)
    page.slider(key="signal_n_mels").set_value(40)
    page.slider(key="signal_n_mfcc").set_value(12)
    healthy(page.slider(key="signal_db").set_value((-70, -20)).run())
    assert panels(page)[0] == "<b>Linear spectrogram (FFT 2048)</b>"
    assert panels(page)[1] == "<b>Mel spectrogram (40 bands)</b>"
    assert panels(page)[2].startswith("<b>MFCC 1 to 12")
    linear = figure(page)["data"][0]
    assert (linear["zmin"], linear["zmax"]) == (-70, -20)
    assert linear["dx"] == pytest.approx(0.008)
    assert "frames of 128 ms every 8 ms" in captions(page)
    healthy(page.button[0].click().run())
    assert panels(page)[0] == "<b>Linear spectrogram (FFT 1024)</b>"
    assert len(panels(page)) == 3  # the views stay


def test_extreme_settings_do_not_break_the_page(page):
    show(page, sine(220, 12.0))
    page.pills(key="signal_views").set_value(["linear", "mel", "log", "mfcc", "chroma"])
    page.select_slider(key="signal_n_fft").set_value(256)
    page.slider(key="signal_hop").set_value(64)
    page.slider(key="signal_n_mels").set_value(24)
    page.slider(key="signal_n_mfcc").set_value(40)
    healthy(page.slider(key="signal_db").set_value((0, 0)).run())
    assert panels(page)[3].startswith("<b>MFCC 1 to 23")
    healthy(page.slider(key="signal_db").set_value((-120, -120)).run())
    page.select_slider(key="signal_n_fft").set_value(8192)
    healthy(page.slider(key="signal_hop").set_value(1).run())
    end = datetime(2000, 1, 1, 0, 0, 12)
    healthy(page.slider(key="signal_stretch_an-id").set_value((end, end)).run())
    assert figure(page)["layout"]["xaxis"]["range"] == [11.0, 12.0]


def test_every_control_has_a_help_text(page):
    show(page, sine(220, 12.0), sine(330, 12.0))
    controls = [*page.slider, *page.select_slider, *page.radio, *page.button, *page.pills]
    assert len(controls) == 9
    assert all(len(control.proto.help) > 20 for control in controls)


def test_only_what_a_setting_touches_is_measured_again(page):
    show(page, sine(220, 3.0))
    first = memory(page)
    healthy(page.slider(key="signal_n_mels").set_value(64).run())
    healthy(page.slider(key="signal_db").set_value((-60, -20)).run())
    assert memory(page) is first
    healthy(page.slider(key="signal_hop").set_value(32).run())
    assert memory(page) is not first


def test_a_long_recording_opens_with_its_first_quarter_of_an_hour(page):
    show(page, np.tile(sine(200, 1.0).astype(np.float32), 20 * 60))
    assert figure(page)["layout"]["xaxis"]["range"] == [0.0, 900.0]
    assert "opens with its first 15 min" in captions(page)
    assert "finer detail" in captions(page)
    part = (datetime(2000, 1, 1, 0, 18), datetime(2000, 1, 1, 0, 18, 10))
    healthy(page.slider(key="signal_stretch_an-id").set_value(part).run())
    assert figure(page)["layout"]["xaxis"]["range"] == [1080.0, 1090.0]
    assert "finer detail" not in captions(page)


def test_channels_are_chosen_by_name(page):
    show(page, sine(200, 2.0), sine(300, 2.0))
    assert page.radio[0].options == ["All", "Channel 1", "Channel 2"]
    healthy(page.radio[0].set_value(0).run())
    assert np.nanmedian(memory(page).pitch[1]) == pytest.approx(200, rel=0.01)
    healthy(page.radio[0].set_value(1).run())
    assert np.nanmedian(memory(page).pitch[1]) == pytest.approx(300, rel=0.01)


def test_all_channels_are_lanes_over_one_time_axis_to_start_with(page):
    show(page, sine(200, 2.0), sine(300, 2.0))
    assert page.radio[0].value == -1
    assert [text.split(" (")[0] for text in panels(page)] == [
        f"<b>Channel {channel}: {view}"
        for view in ("Waveform", "Mel spectrogram", "Pitch", "Energy")
        for channel in (1, 2)
    ]
    traces = figure(page)["data"]
    assert len(traces) == 8
    assert {trace["xaxis"] for trace in traces} == {"x"}
    assert [np.nanmedian(signal.pitch[1]) for signal in memories(page)] == pytest.approx([200, 300], rel=0.01)
    first = memories(page)
    healthy(page.slider(key="signal_n_mels").set_value(64).run())
    assert memories(page) is first
    healthy(page.pills(key="signal_views").set_value(["chroma"]).run())
    assert [text.split(" (")[0] for text in panels(page)] == ["<b>Channel 1: Chroma", "<b>Channel 2: Chroma"]
    assert "channels. Choose fewer" not in captions(page)


def test_lanes_are_named_by_speakers_whose_names_stay_text(page):
    show(page, sine(200, 2.0), sine(300, 2.0))
    call = shown(page).analysis
    named = replace(call.tracks[1], turns=(Turn(0.0, 1.0, "<a href='x'>B</a> & %{x}"),))
    shown(page).analysis = replace(call, tracks=(call.tracks[0], named))
    healthy(page.run())
    titles = panels(page)
    assert titles[0].startswith("<b>Channel 1: Waveform")
    assert titles[1].startswith("<b>&lt;a href='x'&gt;B&lt;/a&gt; &amp; %{x}: Waveform")
    assert "<a" not in json.dumps(figure(page))
    assert page.radio[0].options[2].startswith("Channel 2 \\(")
    assert "<a" not in page.radio[0].options[2].replace("\\<", "")


def test_the_chosen_channel_outlives_a_visit_to_another_page(page):
    show(page, sine(200, 2.0), sine(300, 2.0))
    healthy(page.radio[0].set_value(1).run())
    healthy(page.switch_page("pages/guide.py").run())
    healthy(page.switch_page("pages/signal.py").run())
    assert page.radio[0].value == 1
    assert panels(page)[0].startswith("<b>Waveform")
    healthy(page.radio[0].set_value(-1).run())
    healthy(page.switch_page("pages/guide.py").run())
    healthy(page.switch_page("pages/signal.py").run())
    assert page.radio[0].value == -1


def hearing(page: AppTest) -> dict:
    (block,) = (one for one in page.get("bidi_component") if one.proto.component_name == "blipper_hearing")
    return json.loads(block.proto.json)


def test_a_click_in_the_figure_is_heard(page):
    show(page, sine(220, 3.0), sine(330, 3.0))
    found = hearing(page)
    assert found["chart"] == "st-key-signal_figure_an-id"
    assert [sound["name"] for sound in found["sounds"]] == [
        "Channel 1",
        "Channel 2",
    ]  # as the panels take turns
    assert len({sound["address"] for sound in found["sounds"]}) == 2
    healthy(page.radio(key="signal_channel_an-id").set_value(1).run())
    assert [sound["name"] for sound in hearing(page)["sounds"]] == ["Channel 2"]


def test_eight_channels_with_all_views_say_how_many_are_shown(page):
    show(page, *(sine(200, 1.0) for _ in range(8)))
    assert len(panels(page)) == 32
    healthy(page.pills(key="signal_views").set_value(list(VIEWS)).run())
    assert len(panels(page)) == 32
    assert "first 4 of 8 channels" in captions(page)


def test_settings_outlive_a_visit_to_another_page(page):
    show(page, sine(220, 3.0))
    page.pills(key="signal_views").set_value(["chroma"])
    healthy(page.select_slider(key="signal_n_fft").set_value(4096).run())
    page.session_state["blipper_shelf"] = Shelf()
    healthy(page.switch_page("pages/review.py").run())
    assert "signal_n_fft" not in page.session_state
    healthy(page.switch_page("pages/signal.py").run())
    show(page, sine(330, 2.0))
    assert page.select_slider(key="signal_n_fft").value == 4096
    assert len(panels(page)) == 1


@pytest.mark.parametrize("n_channels", [1, 2])
def test_nothing_of_a_deleted_recording_is_kept(page, n_channels):
    show(page, *[sine(220, 3.0)] * n_channels)
    alive = weakref.ref(memories(page)[0].recording)
    page.session_state["blipper_shelf"].clear()
    healthy(page.run())
    gc.collect()
    assert alive() is None
    assert "No recording is open" in page.info[0].value


def test_a_hostile_file_name_is_shown_as_text(page):
    show(page, sine(220, 1.0), name="<b>![x](https://a.example/x.png)</b> $1$.wav")
    assert "![x](" not in captions(page)
    assert "<b>" not in captions(page).replace("\\<b\\>", "")


@pytest.mark.parametrize("n_samples", [1, 100, 2000])
def test_a_very_short_recording(page, n_samples):
    show(page, sine(220, 1.0)[:n_samples])
    assert len(panels(page)) == 4
