"""Make the sample scene: two synthetic voices talk, flare up and calm down again.

Needs Flite, whose voices ``slt`` and ``awb`` speak (Debian's package ``flite``; free, BSD-like licence), and
the vocoder WORLD, which is none of Blipper's requirements::

    pip install pyworld "setuptools<81"
    python ui/sample/make_sample.py

The scene is written for Blipper. Flite speaks every line calmly; a raised line is then analysed with WORLD
and put together again with what raised voices have (Liénard and Di Benedetto 1999; Traunmüller and Eriksson
2000; Banse and Scherer 1996): a higher and wider pitch, a flatter spectrum, slightly higher formants, larger
swings of loudness, roughness, and more level. How much of each was chosen by what Blipper's model answers, so
the scene shows how the page works, and nothing about how well the model hears people.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyworld
import scipy.signal
import soundfile as sf
from numpy.typing import NDArray

SAMPLING_RATE = 16_000
SEED = 7


class Manner(NamedTuple):
    """How a line is spoken.

    Semitones up, factor on the pitch's excursions, dB more at 2.5 than at 0.7 kHz, factor on the formants,
    exponent that widens the swings of loudness, depth of roughness, factor on the length, level in dBFS.
    """

    pitch: float = 0.0
    excursion: float = 1.0
    tilt: float = 0.0
    formants: float = 1.0
    swing: float = 1.0
    roughness: float = 0.0
    stretch: float = 1.0
    level: float = -27.0


CALM = Manner()
SOFT = Manner(pitch=-1, tilt=-2, stretch=1.08, level=-29)
TENSE = Manner(pitch=2, excursion=1.4, tilt=6, stretch=0.95, level=-23)
RAISED = {
    "agent": Manner(5, 2.0, 24, 1.15, 1.0, 0.4, 1.05, -17),
    "caller": Manner(5, 2.5, 26, 1.05, 1.3, 0.2, 0.95, -17),
}
VOICES = {"agent": "slt", "caller": "awb"}

#: Speaker, manner ("raised" is each speaker's own), text, seconds of pause after it.
SCENE: list[tuple[str, Manner | None, str, float]] = [
    ("agent", CALM, "Good morning, parcel office, this is Ruth. How can I help you?", 0.7),
    ("caller", CALM, "Good morning. My parcel was to come on Monday, and today is Thursday.", 0.6),
    ("agent", CALM, "I am sorry about that. Let me look. May I have the number, please?", 0.5),
    ("caller", CALM, "It is four, seven, one, double two.", 1.6),
    ("agent", CALM, "Thank you. It says here that it was delivered, on Monday at half past nine.", 0.5),
    ("caller", TENSE, "It was not delivered. I was at home all day.", 0.5),
    ("agent", CALM, "The driver wrote that he left it with a neighbour.", 0.4),
    ("caller", None, "Which neighbour? I have asked every single one of them!", 0.4),
    ("agent", TENSE, "I can only tell you what is written here, sir.", 0.3),
    ("caller", None, "This is the third time! The third time! And nobody ever knows anything!", 0.3),
    ("agent", None, "There is no need to shout at me!", 0.3),
    ("caller", None, "I am shouting because you do not listen! I want my parcel, and I want it now!", 3.0),
    ("caller", SOFT, "All right. I am sorry. It is my daughter's present. Tomorrow is her birthday.", 0.8),
    ("agent", SOFT, "I understand. Wait a moment, please. I will call the driver myself.", 4.0),
    ("agent", CALM, "He has found it, at the wrong house. He will bring it within the hour.", 0.6),
    ("caller", CALM, "Thank you. That is a great relief.", 0.5),
    ("agent", CALM, "You are welcome. I hope she has a lovely birthday.", 0.8),
]


def speak(voice: str, text: str, stretch: float) -> NDArray[np.float64]:
    """Return one line as Flite speaks it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "line.wav")
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o"]
        subprocess.run([*command, str(path)], check=True)
        samples, rate = sf.read(io.BytesIO(path.read_bytes()), dtype="float64")
    if rate != SAMPLING_RATE:
        raise SystemExit(f"flite's voice {voice} speaks at {rate} Hz, expected {SAMPLING_RATE} Hz")
    return np.trim_zeros(samples)


def raise_voice(samples: NDArray[np.float64], manner: Manner) -> NDArray[np.float64]:
    """Return a line spoken in another manner, at its level."""
    f0, times = pyworld.harvest(samples, SAMPLING_RATE, f0_floor=60, f0_ceil=400)
    envelope = pyworld.cheaptrick(samples, f0, times, SAMPLING_RATE)
    aperiodicity = pyworld.d4c(samples, f0, times, SAMPLING_RATE)
    voiced = f0 > 0
    middle = np.log(f0[voiced]).mean()
    excursion = manner.excursion * (np.log(f0[voiced]) - middle)
    f0[voiced] = np.exp(middle + excursion + manner.pitch * np.log(2) / 12)
    frequencies = np.linspace(0, SAMPLING_RATE / 2, envelope.shape[1])
    shape = np.interp(frequencies, [0, 700, 2500, 4500, 8000], [-0.3, 0, 1, 0.9, 0.6])
    moved = [np.interp(frequencies / manner.formants, frequencies, frame) for frame in envelope]
    made = pyworld.synthesize(
        f0, np.array(moved) * 10 ** (manner.tilt * shape / 10), aperiodicity, SAMPLING_RATE
    )
    return level(swing(roughen(made, manner.roughness), manner.swing), manner.level)


def roughen(samples: NDArray[np.float64], depth: float) -> NDArray[np.float64]:
    """Modulate the amplitude at an unsteady 70 Hz, as pressed voices do below their pitch."""
    noise = np.random.default_rng(SEED).normal(size=len(samples))
    frequency = 70 + 0.2 * scipy.signal.lfilter([1], [1, -0.999], noise)
    return samples * (1 + depth * np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLING_RATE))


def swing(samples: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Widen the swings of loudness: stresses stay, the rest falls back."""
    lowpass = scipy.signal.butter(2, 4, fs=SAMPLING_RATE, output="sos")
    envelope = np.sqrt(scipy.signal.sosfiltfilt(lowpass, samples**2).clip(1e-9))
    return samples * (envelope / envelope.max()) ** (exponent - 1)


def level(samples: NDArray[np.float64], decibels: float) -> NDArray[np.float64]:
    """Set the level, with the peaks pressed below full scale."""
    scaled = samples * 10 ** (decibels / 20) / np.sqrt(np.mean(samples**2))
    return np.tanh(scaled)


def scene() -> NDArray[np.float32]:
    """Return the whole scene with a little room noise, shape (n,)."""
    parts = [np.zeros(round(0.6 * SAMPLING_RATE))]
    for speaker, manner, text, pause in SCENE:
        manner = manner or RAISED[speaker]
        line = speak(VOICES[speaker], text, manner.stretch)
        parts += [raise_voice(line, manner), np.zeros(round(pause * SAMPLING_RATE))]
    dry = np.concatenate(parts)
    noise = scipy.signal.lfilter([1], [1, -0.97], np.random.default_rng(SEED).normal(size=len(dry)))
    return (0.75 * (dry + noise / np.std(noise) * 10 ** (-60 / 20))).astype(np.float32)


def main() -> None:
    """Write the scene as Ogg Vorbis."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("scene.ogg"))
    output = parser.parse_args().output
    sf.write(output, scene(), SAMPLING_RATE, format="OGG", subtype="VORBIS", compression_level=0.5)


if __name__ == "__main__":
    main()
