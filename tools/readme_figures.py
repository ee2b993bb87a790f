"""The README's figures, written from the shipped model's metrics.json.

Usage: python tools/readme_figures.py          (rewrites the part of README.md between the two markers)
"""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import fill
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "mel-cnn"
START, END = "<!-- figures: tools/readme_figures.py -->\n", "<!-- end of figures -->"

#: Seconds of the shortest event that is told beside the usual one.
LASTING = 4
HEADER = (
    "| test speakers | speakers | clips | accuracy | UAR | angry or not, ROC-AUC | calibration error |\n"
    "|---|---|---|---|---|---|---|\n"
)
_TITLES = {"ravdess": "RAVDESS", "crema-d": "CREMA-D", "savee": "SAVEE", "tess": "TESS"}


def _interval(figure: dict[str, Any]) -> str:
    if figure["interval"] is None:
        return f"{figure['value']:.3f} (one speaker)"
    low, high = figure["interval"]
    return f"{figure['value']:.3f} ({low:.3f} to {high:.3f})"


def _row(title: str, found: dict[str, Any]) -> str:
    angry = found["angry"]
    return (
        f"| {title} | {found['speakers']} | {found['clips']} | {_interval(found['accuracy'])} "
        f"| {_interval(found['uar'])} | {_interval(angry['roc_auc'])} | {angry['calibration_error']:.3f} |"
    )


def render(metrics: dict[str, Any]) -> str:
    """Return the README's section on figures.

    Parameters
    ----------
    metrics : dict
        The content of ``metrics.json``.
    """
    test, scenes = metrics["test"], metrics["scenes"]
    speech, sounds = metrics["alarms"]["speech"], metrics["alarms"]["sounds"]

    def rate(kind: str, condition: str = "as recorded") -> str:
        return f"{speech[condition][kind]['per_hour']['value']:.0f}"

    line, lasting = speech["telephone band"], scenes["shortest"][str(LASTING)]
    mean = scenes["angry_seconds"] / scenes["stretches"]
    others = sum(part["alarms"] for part in sounds.values())
    minutes = sum(part["seconds"] for part in sounds.values()) / 60
    angry = test["common"]["angry"]
    rows = [_row("**Six common emotions**, RAVDESS + CREMA-D + SAVEE", test["common"])]
    rows += [
        _row(f"{title}, its {len(test['corpora'][corpus]['classes'])} emotions", test["corpora"][corpus])
        for corpus, title in _TITLES.items()
        if corpus in test["corpora"]
    ]
    table = "\n".join(rows)
    intro = (
        f"`mel-cnn`, exactly the weights that ship, on the test speakers of fold {metrics['split']['fold']}, "
        "whom neither training nor the choice of weights and threshold ever heard; in brackets 95 % "
        "intervals by bootstrap over speakers."
    )
    text = (
        f"At the default threshold of {angry['threshold']:.2f}, which validation speakers chose, it marks "
        f"{100 * angry['found']:.0f} % of the angry clips of the first row, and "
        f"{100 * angry['precision']:.0f} % of what it marks was acted as anger. What an analyst meets is "
        f"events: in {scenes['recordings']} two-minute conversations put together from test speakers' clips, "
        f"with noise and rooms, {100 * scenes['precision']['value']:.0f} % of the events are right, "
        f"{100 * scenes['touched']['value']:.0f} % of the angry stretches are touched by one and "
        f"{100 * scenes['recall']['value']:.0f} % covered by half, and there are "
        f"{scenes['false_alarms_per_hour']['value']:.0f} false alarms an hour. Events of {LASTING} s at "
        f"least (*Shortest event* on the page) leave {lasting['false_alarms_per_hour']['value']:.0f} and "
        f"cover {100 * lasting['recall']['value']:.0f} %, but lose most outbursts of one sentence, which "
        f"these conversations do not have: stretches last {mean:.0f} s in the mean. In an hour of acted "
        f"speech it raises {rate('neutral')} false alarms on neutral and {rate('happy')} on happy voices: "
        "a happy voice is what it confuses with an angry one. Through a telephone's band, where its "
        f"threshold is {line['threshold']:.2f}, there are {rate('neutral', 'telephone band')} on neutral "
        f"voices, and it finds {100 * line['angry']['share']['value']:.0f} % of the angry clips instead of "
        f"{100 * speech['as recorded']['angry']['share']['value']:.0f} %. In {minutes:.0f} minutes of "
        "coughs, laughs, screams and noises there "
        f"{'was' if others == 1 else 'were'} {others or 'none'}. TESS is two actresses, one of them in "
        "training, so read its row as one voice. The rest is in "
        "[the model card](models/mel-cnn/MODEL_CARD.md) and on the Evaluation page. "
        "`python -m blipper train DATA --output DIR` repeats the training, "
        "`python -m blipper evaluate DATA --shipped --scenes --false-alarms` the figures."
    )
    return f"{fill(intro, 110)}\n\n{HEADER}{table}\n\n{_filled(text)}\n"


def _filled(text: str) -> str:
    """Fill to 110 columns without breaking a command in two."""
    parts = text.split("`")
    parts[1::2] = [part.replace(" ", "\0") for part in parts[1::2]]
    return fill("`".join(parts), 110, break_on_hyphens=False, break_long_words=False).replace("\0", " ")


def main() -> None:
    """Rewrite the README."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    section = render(json.loads((MODEL / "metrics.json").read_text(encoding="utf-8")))
    readme.write_text(before + START + section + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
