"""Writing a trained text model as a folder that :mod:`blipper.words.sentiment` and transformers both load."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from blipper.training.text.calibrate import TextCalibration
from blipper.training.text.network import MAX_LENGTH, SHIPPED, only_shipped
from blipper.training.text.train import TextRecipe, Trained
from blipper.words.spoken import FORM

#: What is loaded, and therefore vouched for by its digest.
FILES: Final = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
_LIBRARIES: Final = ("torch", "transformers", "tokenizers", "safetensors", "numpy")


def write_model(
    trained: Trained,
    calibration: TextCalibration,
    output: Path,
    *,
    name: str,
    recipe: TextRecipe,
    initialised_from: str,
) -> None:
    """Write the network's shipped part with its tokenizer, calibration and digests.

    Parameters
    ----------
    trained : Trained
    calibration : TextCalibration
    output : path
        The model's folder; ``blipper.json``, which makes it loadable, is written last.
    name : str
    recipe : TextRecipe
    initialised_from : str
        What the encoder was before, in words, for the card.
    """
    from safetensors.torch import save_file

    output.mkdir(parents=True, exist_ok=True)
    (output / "blipper.json").unlink(missing_ok=True)
    save_file(only_shipped(trained.model), output / "model.safetensors", metadata={"format": "pt"})
    config = trained.model.config.to_dict()
    config |= {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {str(number): label for number, label in enumerate(SHIPPED)},
        "label2id": {label: number for number, label in enumerate(SHIPPED)},
        "dtype": "float16",
    }
    for gone in ("_name_or_path", "num_labels"):
        config.pop(gone, None)
    _write_json(output / "config.json", config)
    (output / "tokenizer.json").write_text(trained.tokenizer, encoding="utf-8")
    special = {f"{key}_token": f"[{key.upper()}]" for key in ("pad", "unk", "cls", "sep", "mask")}
    _write_json(
        output / "tokenizer_config.json",
        {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": True,
            "model_max_length": MAX_LENGTH,
            **special,
        },
    )
    described: dict[str, Any] = {
        "schema": 1,
        "kind": "text",
        "name": name,
        "form": FORM,
        "languages": ["en"],
        "max_length": MAX_LENGTH,
        "files": {file: hashlib.sha256((output / file).read_bytes()).hexdigest() for file in FILES},
        "sentiment": {"negative": 0, "neutral": 1, "positive": 2, "temperature": calibration.temperature},
        "aggression": {
            "output": 3,
            "scale": calibration.scale,
            "bias": calibration.bias,
            "threshold": calibration.threshold,
        },
        "libraries": {library: metadata.version(library) for library in _LIBRARIES},
        "seed": recipe.seed,
        "initialised_from": initialised_from,
        "history": trained.history,
    }
    _write_json(output / "blipper.json", described)


def _write_json(path: Path, value: Any) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
