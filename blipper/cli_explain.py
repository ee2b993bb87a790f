"""The commands about explanations: ``blipper explain`` and ``blipper explain-setup``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from blipper.cli_models import Json
from blipper.cli_words import LanguageOption, TextModelOption, TranscriptOption
from blipper.errors import BlipperError, SettingsError
from blipper.terminal import exit_codes, inform, progress_bars, without_chatter, write_json, write_out

if TYPE_CHECKING:
    from blipper.explain.choice import Choice
    from blipper.explain.decomposition import Decomposition
    from blipper.explain.words import WordShares
    from blipper.progress import Progress
    from blipper.results import Analysis, Span


class Method(StrEnum):
    """How to explain."""

    ig = "ig"
    shap = "shap"


ModelOption = Annotated[
    str, typer.Option("--model", help="Name of an installed model; see 'blipper models'.")
]


def explain(
    file: Annotated[str, typer.Argument(help="A recording.", show_default=False)],
    at: Annotated[
        float | None,
        typer.Option("--at", help="Seconds from the start: explains the window that lies there."),
    ] = None,
    event: Annotated[
        int | None, typer.Option("--event", help="Number of an event, from 1, as 'blipper analyze' lists it.")
    ] = None,
    target: Annotated[
        str, typer.Option("--target", help="'aggression', or an emotion such as 'angry' or 'sad'.")
    ] = "aggression",
    method: Annotated[
        Method, typer.Option("--method", help="Integrated gradients, or SHAP, which takes longer.")
    ] = Method.ig,
    channel: Annotated[
        int | None,
        typer.Option("--channel", help="Number of a channel, from 1, of a recording with several."),
    ] = None,
    model: ModelOption = "auto",
    transcript: TranscriptOption = "none",
    text_model: TextModelOption = "built-in",
    language: LanguageOption = None,
    as_json: Json = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Also write every cell's contribution to this CSV file."),
    ] = None,
) -> None:
    """Say what in the sound moved a score: the strongest moment's unless --at or --event chooses another.

    With --transcript the score is taken apart into voice and words, and each word has its share.
    """
    with exit_codes():
        if at is not None and event is not None:
            raise SettingsError("--at and --event: choose one of them")
        if output is not None and not output.parent.is_dir():
            raise SettingsError(f"--output {output}: there is no folder {output.parent}")
        from blipper.explain.targets import target_index

        target_index(target)
        from blipper import analysis as conductor
        from blipper import audio
        from blipper.explain import check, choice
        from blipper.explain.features import explain_features, read_companion
        from blipper.explain.reports import attribution_csv, attribution_text, named_dict, named_text
        from blipper.explain.reports_words import words_dict, words_text
        from blipper.explain.voice import explain as run
        from blipper.explain.wording import tell
        from blipper.explain.wording_fused import tell_fused
        from blipper.export.files import write_atomically
        from blipper.results import Span
        from blipper.settings import Settings
        from blipper.words.transcribe import check_engine

        companion = read_companion()
        check_engine(transcript)
        settings = Settings(
            channels="mix" if channel is None else "separate",
            transcript=transcript,
            text_model=text_model,
            language=language,
        )
        with progress_bars() as progress:
            recording = audio.load(file, channels=settings.channels, progress=progress)
        with without_chatter():
            from blipper.voice.models import load_model

            voice = load_model(model)
        with progress_bars() as progress:
            result = conductor.analyze(recording, model=voice, settings=settings, progress=progress)
            chosen = choice.choose(
                result, at=at, event=event, channel=None if channel is None else channel - 1
            )
            found = run(
                recording,
                chosen.windows,
                voice,
                method="shap" if method is Method.shap else "integrated gradients",
                target=target,
                channel=chosen.channel,
                progress=progress,
            )
            alike = check.stability(recording, found, voice, channel=chosen.channel, progress=progress)
            named = explain_features(
                recording,
                Span(chosen.windows[0].start, max(window.end for window in chosen.windows)),
                result.tracks[chosen.channel].speech,
                companion,
                target=target,
                channel=chosen.channel,
                progress=progress,
            )
            span = chosen.windows[0]
            if event is not None:
                span = Span(result.events[event - 1].start, result.events[event - 1].end)
            elif at is not None:
                span = Span(at, at + 1e-6)
            parts, shares = _apart(result, chosen, span, text_model, progress)
        told = tell(found, alike)
        draft = (said := result.tracks[chosen.channel].transcript) is not None and said.draft
        fused = (
            None
            if parts is None or not parts.fused or target != "aggression"
            else tell_fused(parts, found, alike, shares, draft=draft)
        )
        if output is not None:
            try:
                write_atomically(output, attribution_csv(found))
            except OSError as error:
                raise BlipperError(f"{output}: cannot be written: {error.strerror}") from error
            inform(f"Wrote {output}: every cell's contribution.")
        if as_json:
            document: dict[str, Any] = {
                "file": result.provenance.name,
                "channel": result.tracks[chosen.channel].name,
                "sentence": told.sentence,
                "certainty": told.certainty,
                "reason": told.reason,
                "stability": alike,
                **found.to_dict(),
                "named_features": None if named is None else named_dict(named, companion),
                "decomposition": None if parts is None else parts.to_dict(),
                "fused_sentence": None if fused is None else fused.sentence,
                "words": None if shares is None else words_dict(shares),
            }
            write_json(document)
        else:
            if fused is not None:
                write_out(f"{fused.sentence}\nCertainty {fused.certainty}: {fused.reason}\n\n")
            write_out(attribution_text(result.provenance.name, found, told) + named_text(named, companion))
            if parts is not None and parts.fused:
                write_out(words_text(parts, shares))


def _apart(
    result: Analysis, chosen: Choice, span: Span, text_model: str, progress: Progress
) -> tuple[Decomposition | None, WordShares | None]:
    """Take the highest score of a stretch apart, into words where they have scores."""
    from blipper.explain.decomposition import decompose, peak_in, with_words
    from blipper.explain.text_models import check_models
    from blipper.explain.words import explain_words
    from blipper.words.sentiment import load_text_models

    track = result.tracks[chosen.channel]
    # A time in a pause has no score of its own: then it is the chosen windows'.
    peak = peak_in(track, span)
    peak = peak_in(track, chosen.windows[0]) if peak is None else peak
    parts = None if peak is None else decompose(result, chosen.channel, peak)
    if parts is None or parts.utterance is None or track.transcript is None:
        return parts, None
    models = check_models(track.transcript, load_text_models(text_model, progress=progress))
    shares = explain_words(track.transcript.utterances[parts.utterance], models, progress=progress)
    return with_words(parts, shares), shares


def explain_setup(
    data: Annotated[Path, typer.Argument(help="The folder with the corpora; CREMA-D must be there.")],
    model: ModelOption = "auto",
    fold: Annotated[int, typer.Option("--fold", help="Only speakers whom this fold trains on are used.")] = 1,
    companion: Annotated[
        bool,
        typer.Option(
            "--companion",
            help="Train the companion on named features instead, and measure it on the test speakers.",
        ),
    ] = False,
) -> None:
    """Make the neutral speech that a model's explanations compare with, beside the model's weights."""
    with exit_codes():
        if companion:
            _make_companion(data, fold)
            return
        from blipper.explain.background import BACKGROUND, write_background
        from blipper.paths import models_dir

        with without_chatter():
            from blipper.training.explaining import make_background
            from blipper.voice.models import load_model

            voice = load_model(model)
        with progress_bars() as progress:
            made = make_background(voice, data, fold=fold, progress=progress)
        target = models_dir() / voice.info.name / BACKGROUND
        try:
            write_background(made, target)
        except OSError as error:
            raise BlipperError(f"{target}: cannot be written: {error.strerror}") from error
        start = (
            f"Integrated gradients start from {len(made.typical)} of them, since the model does not hear "
            "their mean frame as neutral speech."
            if made.typical
            else "Integrated gradients start from their mean frame."
        )
        inform(f"Wrote {target}: {len(made.windows)} windows of neutral speech. {start} {made.source}.")


def _make_companion(data: Path, fold: int) -> None:
    from blipper.explain.companion_summary import SUMMARY, write_summary
    from blipper.explain.features import COMPANION, write_companion
    from blipper.training.companion import fit, gather, summary_of

    with progress_bars(lines=True) as progress:
        table = gather(data, fold=fold, progress=progress)
    made = fit(table, fold=fold)
    try:
        write_companion(made)
        write_summary(summary_of(table, made))
    except OSError as error:
        raise BlipperError(f"{COMPANION.parent}: cannot be written to: {error.strerror}") from error
    figures = made.figures
    inform(
        f"Wrote {COMPANION.name} and {SUMMARY.name} to {COMPANION.parent}. On {figures['clips']} clips of "
        f"{figures['split']}: UAR {figures['uar']:.2f} over {figures['emotions']} emotions, ROC-AUC of anger "
        f"{figures['roc_auc']['aggression']:.2f}."
    )


def measure(data: Path, model: str, *, clips: int | None, cache: Path | None, as_json: bool) -> None:
    """Do what ``blipper evaluate --explanations`` says."""
    from blipper.explain.trust import conclusions, write_explanations
    from blipper.paths import models_dir

    with without_chatter():
        from blipper.training.explaining import CLIPS, measure_explanations
        from blipper.voice.models import load_model

        voice = load_model(model)
    with progress_bars(lines=True) as progress:
        found = measure_explanations(
            voice, data, clips=clips or CLIPS, cache=cache or Path(".cache", "training"), progress=progress
        )
    try:
        path = write_explanations(found, models_dir() / voice.info.name)
    except OSError as error:
        raise BlipperError(
            f"{models_dir() / voice.info.name}: cannot be written to: {error.strerror}"
        ) from error
    inform(f"Wrote {path}.")
    if as_json:
        write_json(found)
    else:
        write_out("\n".join(conclusions(found)) + "\n")
