"""Make the sample scene: two synthetic voices talk, flare up and calm down again.

Needs ``espeak-ng`` (its voices speak, nothing of it is shipped) and Blipper's own requirements:

    python ui/sample/make_sample.py

The scene is written for Blipper. Raised voices differ from calm ones as people's do (Liénard and Di
Benedetto 1999; Traunmüller and Eriksson 2000): higher and wider pitch, faster, louder, and with a flatter
spectrum, since a raised voice gains more at 1 to 4 kHz than below. espeak-ng sets pitch, range and rate, a
filter the spectrum.
"""

from __future__ import annotations

import argparse
import io
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.signal
import soundfile as sf
import soxr
from numpy.typing import NDArray

SAMPLING_RATE = 16_000
SEED = 7


class Manner(NamedTuple):
    """How a line is spoken: semitones up, espeak-ng's range and rate, level in dB, tilt in dB."""

    pitch: float
    range_: int
    rate: int
    level: float
    tilt: float


CALM = Manner(0, 35, 150, -27.0, 0.0)
TENSE = Manner(3, 60, 165, -22.0, 5.0)
RAISED = Manner(8, 90, 180, -14.0, 12.0)
SOFT = Manner(-1, 25, 140, -29.0, -2.0)

#: espeak-ng's voice and its pitch (0 to 99) when calm.
VOICES = {"agent": ("en-gb-x-rp+f2", 45), "caller": ("en-us+m3", 40)}

#: Speaker, manner, text, seconds of pause after it.
SCENE = [
    ("agent", CALM, "Good morning, parcel office, this is Ruth. How can I help you?", 0.7),
    ("caller", CALM, "Good morning. My parcel was to come on Monday, and today is Thursday.", 0.6),
    ("agent", CALM, "I am sorry about that. Let me look. May I have the number, please?", 0.5),
    ("caller", CALM, "It is four, seven, one, double two.", 1.6),
    ("agent", CALM, "Thank you. It says here that it was delivered, on Monday at half past nine.", 0.5),
    ("caller", TENSE, "It was not delivered. I was at home all day.", 0.5),
    ("agent", CALM, "The driver wrote that he left it with a neighbour.", 0.4),
    ("caller", RAISED, "Which neighbour? I have asked every single one of them!", 0.4),
    ("agent", TENSE, "I can only tell you what is written here, sir.", 0.3),
    ("caller", RAISED, "This is the third time! The third time! And nobody ever knows anything!", 0.3),
    ("agent", RAISED, "There is no need to shout at me!", 0.3),
    ("caller", RAISED, "I am shouting because you do not listen! I want my parcel, and I want it now!", 3.0),
    ("caller", SOFT, "All right. I am sorry. It is my daughter's present. Tomorrow is her birthday.", 0.8),
    ("agent", SOFT, "I understand. Wait a moment, please. I will call the driver myself.", 4.0),
    ("agent", CALM, "He has found it, at the wrong house. He will bring it within the hour.", 0.6),
    ("caller", CALM, "Thank you. That is a great relief.", 0.5),
    ("agent", CALM, "You are welcome. I hope she has a lovely birthday.", 0.8),
]


def speak(voice: str, pitch: int, manner: Manner, text: str) -> NDArray[np.float64]:
    """Return one line as espeak-ng speaks it, at the scene's sampling rate."""
    # espeak-ng's scale of pitch is about a third of a semitone a step.
    height = round(min(99, max(0, pitch + 3 * manner.pitch)))
    command = ["espeak-ng", "-v", voice, "-p", str(height), "-s", str(manner.rate), "-a", "100"]
    markup = f'<speak><prosody range="{manner.range_}">{text}</prosody></speak>'
    wave = subprocess.run([*command, "-m", "--stdout", markup], check=True, capture_output=True).stdout
    samples, rate = sf.read(io.BytesIO(wave), dtype="float64")
    samples = soxr.resample(samples, rate, SAMPLING_RATE)
    return effort(np.trim_zeros(samples), manner)


def effort(samples: NDArray[np.float64], manner: Manner) -> NDArray[np.float64]:
    """Tilt the spectrum around 800 Hz by `manner.tilt` dB, then set the level."""
    gain = np.interp(
        np.arange(0, 8001, 250), [0, 800, 2500, 4500, 8000], np.array([-0.3, 0, 1, 0.8, 0.3]) * manner.tilt
    )
    taps = scipy.signal.firwin2(257, np.arange(0, 8001, 250), 10 ** (gain / 20), fs=SAMPLING_RATE)
    shaped = scipy.signal.oaconvolve(samples, taps, mode="same")
    shaped *= 10 ** (manner.level / 20) / np.sqrt(np.mean(shaped**2))
    return np.tanh(shaped * 1.2) / 1.2  # a loud voice presses the peaks together, too


def scene() -> NDArray[np.float32]:
    """Return the whole scene with a little room noise, shape (n,)."""
    rng = np.random.default_rng(SEED)
    parts = [np.zeros(round(0.6 * SAMPLING_RATE))]
    for speaker, manner, text, pause in SCENE:
        voice, pitch = VOICES[speaker]
        parts += [speak(voice, pitch, manner, text), np.zeros(round(pause * SAMPLING_RATE))]
    dry = np.concatenate(parts)
    noise = scipy.signal.lfilter([1], [1, -0.97], rng.normal(size=len(dry)))
    return (dry + noise / np.std(noise) * 10 ** (-62 / 20)).astype(np.float32)


def main() -> None:
    """Write the scene as Ogg Vorbis."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("scene.ogg"))
    output = parser.parse_args().output
    sf.write(output, scene(), SAMPLING_RATE, format="OGG", subtype="VORBIS", compression_level=0.5)


if __name__ == "__main__":
    main()
