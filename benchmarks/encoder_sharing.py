"""Whether one run of Whisper's encoder could serve both the transcript and the voice model.

The transcript's encoder hears pieces of up to 30 s, padded to 30 s; the voice model's hears stretches of at
most 8 s at their own length. To share one encoding, one of the two has to take the other's. Run it from the
checkout's root, with a checkpoint in Whisper's format and the corpora where BLIPPER_DATA points::

    python -m benchmarks.encoder_sharing words FILE.pt [--clips 20]
    python -m benchmarks.encoder_sharing voice [--clips 200]

``words``: the word error rate where the decoder gets encodings of the sound's own length, in pieces of up to
30 s and of up to 8 s, on speech/ and on random acted clips. ``voice``: how the voice model's scores change
when its windows are cut out of encodings that are padded to 30 s, on random clips of the test speakers; and
what the encoder's share of the time is.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import material, report, words

#: How the decoder's encodings are made: longest piece in seconds, whether they are padded to 30 s.
WAYS: Final = {
    "up to 30 s, padded": (30.0, True),
    "up to 30 s, own length": (30.0, False),
    "up to 8 s, own length": (8.0, False),
}


def own_length(encoder: Any, mel: Any) -> Any:
    """Encode a log-mel without what pads it, the positions cut to its length.

    Parameters
    ----------
    encoder : whisper.model.AudioEncoder
    mel : torch.Tensor, shape (1, n_mels, 3000)
        Zero where it is padded.
    """
    import torch.nn.functional as F

    heard = (mel != 0).any(dim=1)[0].nonzero()
    length = int(heard[-1]) + 1 if len(heard) else 2
    x = F.gelu(encoder.conv1(mel[..., : length + length % 2]))
    x = F.gelu(encoder.conv2(x)).permute(0, 2, 1)
    x = (x + encoder.positional_embedding[: x.shape[1]]).to(x.dtype)
    for block in encoder.blocks:
        x = block(x)
    return encoder.ln_post(x)


def measure_words(path: Path, clips: int) -> dict[str, Any]:
    """Count the errors of each way."""
    from blipper.words import recognise_whisper

    engine = recognise_whisper.WhisperEngine(str(path), language="en")
    padded = engine.encodings._forward
    material_ = {"speech": words.plain_speech()}
    if clips:
        material_ |= {f"{name} (acted)": found for name, found in words.acted(clips)}
    result: dict[str, Any] = {}
    for way, (longest, pads) in WAYS.items():
        recognise_whisper.LONGEST = longest  # type: ignore[misc]
        engine.encodings._forward = padded if pads else own_length
        result[way] = {}
        for name, found in material_.items():
            begin = time.process_time()
            row = words.measure(found, engine) | {"cpu_s": round(time.process_time() - begin, 1)}
            result[way][name] = row
            print(
                f"{way}: {name}: word error rate {row['word error rate']:.4f} of {row['words']} words, "
                f"{row['cpu_s']:.1f} s of CPU time",
                flush=True,
            )
    return result


def measure_voice(clips: int, seed: int = 0) -> dict[str, Any]:
    """Score clips through encodings of their own length and padded ones, and compare."""
    from blipper import audio
    from blipper.datasets import read_corpora
    from blipper.training.metrics import roc_auc, uar
    from blipper.training.splits import make_split
    from blipper.voice.labels import EMOTIONS
    from blipper.voice.models import load_model

    split = make_split(1)
    test = [clip for clip in read_corpora(material.DATA) if split.side(clip) == "test"]
    chosen = [test[i] for i in np.random.default_rng(seed).permutation(len(test))[:clips]]
    voice: Any = load_model("whisper-cnn")
    spent = {"log-mel and encoder": 0.0, "all": 0.0}
    heard = voice._heard

    def timed(samples: Any, spans: Any) -> Any:
        begin = time.process_time()
        found = heard(samples, spans)
        spent["log-mel and encoder"] += time.process_time() - begin
        return found

    ways = {"own length": timed, "padded to 30 s": _padded(voice)}
    found: dict[str, Any] = {name: ([], []) for name in ways}
    for clip in chosen:
        recording = audio.load(clip.path)
        samples = recording.read(0, recording.duration, 0)
        for name, way in ways.items():
            voice._heard = way
            begin = time.process_time()
            emotions, aggression = voice.score_windows(
                samples, recording.sampling_rate, [0.0], [recording.duration]
            )
            if way is timed:
                spent["all"] += time.process_time() - begin
            found[name][0].append(int(emotions[0].argmax()))
            found[name][1].append(float(aggression[0]))
    labels = np.array([EMOTIONS.index(clip.emotion) for clip in chosen])
    angry = labels == EMOTIONS.index("angry")
    own, other = (np.array(found[name][1]) for name in ways)
    result: dict[str, Any] = {
        "clips": len(chosen),
        **{
            name: {
                "roc_auc": round(roc_auc(angry, np.array(scores)), 4),
                "uar": round(uar(labels, np.array(guesses)), 4),
            }
            for name, (guesses, scores) in found.items()
        },
        "mean absolute difference of scores": round(float(np.abs(own - other).mean()), 4),
        "largest": round(float(np.abs(own - other).max()), 4),
        "encoder's share of the voice model's CPU time": round(
            spent["log-mel and encoder"] / spent["all"], 3
        ),
    }
    for name, value in result.items():
        print(f"{name}: {value}")
    return result


def _padded(voice: Any) -> Any:
    """Return a way to hear stretches as the transcript's encoder does: in 30 s, zeros behind the sound."""
    from blipper.voice import whisper

    most = round(whisper.LONGEST * whisper.SAMPLING_RATE / whisper.HOP)

    def heard(samples: Any, spans: Any) -> list[Any]:
        found = []
        for begin, stop in spans:
            mel = whisper.log_mel(whisper.levelled(samples[begin:stop]), voice.listening.mels)
            frames = np.zeros((1, most, voice.listening.mels), dtype=np.float32)
            frames[0, : len(mel)] = mel
            blocks = voice._call(voice._encode, frames, np.array([most], dtype=np.int32))
            found.append(blocks[0, : whisper.encoder_frames(len(mel))])
        return found

    return heard


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("words", "voice"))
    parser.add_argument("checkpoint", type=Path, nargs="?", help="a file of weights in Whisper's format")
    parser.add_argument("--clips", type=int, default=None, help="acted clips: of each corpus, or in all")
    parser.add_argument("--save", type=Path, help="where to write the JSON")
    options = parser.parse_args()
    if options.what == "words":
        if options.checkpoint is None:
            parser.error("words: a checkpoint is needed")
        result = measure_words(options.checkpoint, 20 if options.clips is None else options.clips)
    else:
        result = measure_voice(200 if options.clips is None else options.clips)
    if options.save:
        report.save("encoder-sharing", result, options.save)


if __name__ == "__main__":
    main()
