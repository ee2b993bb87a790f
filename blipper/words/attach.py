"""Transcripts and the analysis that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import PurePath
from typing import Final

from blipper.marking import fuse_again
from blipper.results import Analysis
from blipper.words.text_loading import Readers
from blipper.words.text_names import kept_transcript, without_folders
from blipper.words.transcript import Transcript

#: Whose versions decide about a text, by the beginning of the engine's name.
_LIBRARIES: Final = {"whisper": ("openai-whisper", "torch"), "pocketsphinx": ("pocketsphinx",), "file": ()}

#: Whose versions decide about the scores of words.
_READING: Final = ("torch", "transformers", "tokenizers", "safetensors", "py3langid")


def with_transcripts(
    analysis: Analysis,
    transcripts: Sequence[Transcript],
    *,
    asked: str,
    language: str | None = None,
    text_model: str | None = None,
) -> Analysis:
    """Return an analysis with a transcript for each of its tracks.

    Parameters
    ----------
    analysis : Analysis
    transcripts : sequence of Transcript
        One a track.
    asked : str
        What was asked for, as in :attr:`blipper.settings.Settings.transcript`; of a path only the file's name
        is kept, since a result travels further than a folder.
    language : str, optional
        The language that was asked for.
    text_model : str, optional
        Which models were asked to read the words, as in :attr:`blipper.settings.Settings.text_model`; what
        the analysis says already unless given.

    Returns
    -------
    Analysis
        With its words fused with its voice, and its events marked again, where the words have scores.
    """
    tracks = tuple(
        replace(track, transcript=transcript)
        for track, transcript in zip(analysis.tracks, transcripts, strict=True)
    )
    from_file = any(transcript.engine.startswith("file:") for transcript in transcripts)
    versions = {
        library: metadata.version(library)
        for transcript in transcripts
        for library in _LIBRARIES[transcript.engine.partition(":")[0]]
    }
    if any(transcript.text_models for transcript in transcripts):
        versions |= {library: metadata.version(library) for library in _READING}
    settings = {
        **analysis.settings,
        "transcript": PurePath(asked).name if from_file else kept_transcript(asked),
        "language": language,
    }
    if text_model is not None:
        settings["text_model"] = without_folders(text_model)
    attached = replace(
        analysis,
        tracks=tracks,
        settings=settings,
        versions={**analysis.versions, **versions},
    )
    return fuse_again(attached)


def with_correction(
    analysis: Analysis, track: int, utterance: int, text: str, *, readers: Readers | None = None
) -> Analysis:
    """Return an analysis in which a person corrected one utterance; see :func:`.transcript.correct`.

    A text model's scores of the old text are gone with it, from the fused curve too.

    Parameters
    ----------
    analysis : Analysis
    track, utterance : int
    text : str
    readers : Readers, optional
        Score the new text at once; without them it has no scores.

    Returns
    -------
    Analysis

    Raises
    ------
    IndexError
        If there is no such utterance.
    ValueError
        If the track has no transcript.
    """
    old = analysis.tracks[track].transcript
    if old is None:
        raise ValueError(f"track {track} has no transcript to correct")
    new = old.corrected(utterance, text)
    if readers is not None and readers.models:
        (new,) = readers.read((new,), keep=True)
    corrected = replace(analysis.tracks[track], transcript=new)
    tracks = (*analysis.tracks[:track], corrected, *analysis.tracks[track + 1 :])
    return fuse_again(replace(analysis, tracks=tracks))
