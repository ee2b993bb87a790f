"""The figures of ``docs/research/voice-models.md``, written from the models' metrics.json and predictions.

Usage: python tools/voice_figures.py          (rewrites the page's tables between the markers)
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from blipper.evaluation import Evaluation, read_evaluation  # noqa: E402
from blipper.measures import select  # noqa: E402
from blipper.training.evaluate import figures  # noqa: E402
from blipper.training.splits import N_FOLDS  # noqa: E402

PAGE = ROOT / "docs" / "research" / "voice-models.md"
MODELS = ROOT / "models"
BESIDE = "<!-- beside: tools/voice_figures.py -->\n"
FOLDS, LEFT_OUT = "<!-- folds: tools/voice_figures.py -->\n", "<!-- left out: tools/voice_figures.py -->\n"
LINES = "<!-- telephone lines: tools/voice_figures.py -->\n"
MEL_FOLDS = "<!-- folds of mel-cnn: tools/voice_figures.py -->\n"
MEL_LEFT_OUT = "<!-- left out of mel-cnn: tools/voice_figures.py -->\n"
END = "<!-- end of table -->"

_TITLES: Final = {"ravdess": "RAVDESS", "crema-d": "CREMA-D", "savee": "SAVEE", "tess": "TESS"}
#: Of each corpus's UAR, of the accuracy over all and of the angry ROC-AUC: where the project began (mel-cnn:
#: on fold 1 alone), and where it wants to be.
_STARTS: Final = {
    "whisper-cnn": {
        **{"ravdess": 0.750, "crema-d": 0.731, "savee": 0.694, "tess": 0.743},
        **{"all": 0.746, "angry": 0.966},
    },
    "mel-cnn": {"ravdess": 0.531, "crema-d": 0.615, "savee": 0.505, "tess": 0.393, "angry": 0.904},
}
_AIMS: Final = {
    "whisper-cnn": {
        **{"ravdess": 0.78, "crema-d": 0.75, "savee": 0.72, "tess": 0.78},
        **{"all": 0.77, "angry": 0.972},
    },
    "mel-cnn": {"ravdess": 0.62, "crema-d": 0.65, "savee": 0.58, "all": 0.62, "angry": 0.93},
}


def folds_table(evaluation: Evaluation) -> str:
    """Return the figures out of fold beside the starting point and the aim."""
    crossed = evaluation.metrics["cross_validation"]
    test, folds = crossed["test"], crossed["folds"]
    starts, aims = _STARTS[evaluation.name], _AIMS[evaluation.name]
    whole = folds == list(range(1, N_FOLDS + 1))
    some = "fold" if len(folds) == 1 else "folds"
    which = "all folds" if whole else f"{some} {', '.join(map(str, folds))} of {N_FOLDS}"
    rows = [
        f"| test speakers of {which} | {evaluation.name} (95 %) | starting point | aim |",
        "|---|---|---|---|",
    ]
    named = [
        (f"{title}, UAR of {len(test['corpora'][name]['classes'])}", name, test["corpora"][name]["uar"])
        for name, title in _TITLES.items()
    ]
    named += [
        ("six common emotions over all four, accuracy", "all", test["all"]["accuracy"]),
        ("angry against the rest over those, ROC-AUC", "angry", test["all"]["angry"]["roc_auc"]),
    ]
    for title, name, figure in named:
        start = f"{starts[name]:.3f}" if name in starts else "–"
        aim = f"{aims[name]:g}" if name in aims else "–"
        rows.append(f"| {title} | {_figure(figure)} | {start} | {aim} |")
    return "\n".join(rows) + "\n"


def beside_table(found: dict[str, Evaluation]) -> str:
    """Return the figures of every model that ships, on the test speakers of fold 1."""
    tests = {name: evaluation.metrics["test"] for name, evaluation in found.items()}
    rows = [f"| test speakers of fold 1 | {' | '.join(tests)} |", "|" + "---|" * (len(tests) + 1)]
    for corpus, title in _TITLES.items():
        parts = [test["corpora"][corpus] for test in tests.values()]
        cells = [_figure(part["uar"]) for part in parts]
        rows.append(f"| {title}, UAR of {len(parts[0]['classes'])} | {' | '.join(cells)} |")
    for title, part, key in (
        ("six common emotions over RAVDESS, CREMA-D and SAVEE, accuracy", "common", "accuracy"),
        ("six common emotions over all four, accuracy", "all", "accuracy"),
    ):
        rows.append(f"| {title} | {' | '.join(_figure(test[part][key]) for test in tests.values())} |")
    angry = [_figure(test["all"]["angry"]["roc_auc"]) for test in tests.values()]
    rows.append(f"| angry against the rest over all four, ROC-AUC | {' | '.join(angry)} |")
    return "\n".join(rows) + "\n"


def left_out_table(evaluation: Evaluation) -> str:
    """Return the figures of every corpus left out, beside those with its other speakers in training."""
    rows = [
        "| corpus left out | clips | speakers | accuracy (95 %) | out of fold | UAR (95 %) | out of fold "
        "| angry ROC-AUC (95 %) | out of fold |",
        "|" + "---|" * 9,
    ]
    for name, parts in evaluation.metrics["left_out"].items():
        common, inside = parts["common"], _out_of_fold(evaluation, name)
        cells = [_TITLES[name], str(common["clips"]), str(common["speakers"])]
        for key in ("accuracy", "uar"):
            cells += [_figure(common[key]), f"{inside[key]['value']:.3f}"]
        cells += [_figure(common["angry"]["roc_auc"]), f"{inside['angry']['roc_auc']['value']:.3f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def carried_table(evaluation: Evaluation) -> str:
    """Return what the model's own threshold and calibration do in a corpus never heard."""
    rows = [
        f"| corpus left out, threshold {evaluation.threshold:.2f} | angry clips found | out of fold | others "
        "marked | out of fold | calibration error of anger | out of fold |",
        "|" + "---|" * 7,
    ]
    for name, parts in evaluation.metrics["left_out"].items():
        left, inside = parts["common"]["angry"], _out_of_fold(evaluation, name)["angry"]
        cells = [_TITLES[name]]
        for key in ("found", "false_alarm_share"):
            cells += [f"{100 * left[key]:.1f} %", f"{100 * inside[key]:.1f} %"]
        cells += [f"{left['calibration_error']:.3f}", f"{inside['calibration_error']:.3f}"]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def lines_table(found: dict[str, Evaluation]) -> str:
    """Return what a threshold of its own does on telephone lines, on the test speakers."""
    rows = [
        "| through a telephone's band | threshold | neutral, false alarms an hour | happy "
        "| angry clips found |",
        "|---|---|---|---|---|",
    ]
    for name, evaluation in found.items():
        alarms = evaluation.metrics["alarms"]
        line = alarms["speech"]["telephone band"]
        usual = f"{alarms['threshold']:.2f}"
        before = [line[kind]["thresholds"][usual] for kind in ("neutral", "happy", "angry")]
        now = [line[kind]["per_hour"]["value"] for kind in ("neutral", "happy")]
        for threshold, (neutral, happy, angry) in (
            (f"{usual}, the usual one", before),
            (f"{line['threshold']:.2f}, its own", [*now, line["angry"]["share"]["value"]]),
        ):
            rows.append(f"| {name} | {threshold} | {neutral:.0f} | {happy:.0f} | {angry:.2f} |")
    return "\n".join(rows) + "\n"


def _out_of_fold(evaluation: Evaluation, corpus: str) -> dict[str, Any]:
    """Return figures over the six common emotions of a corpus's clips, each scored without its speaker."""
    rows = [row for row in evaluation.crossed if row.corpus == corpus]
    return figures(select(rows, "all"), evaluation.threshold, resamples=10, whole=False)


def _figure(figure: dict[str, Any]) -> str:
    if figure["interval"] is None:
        return f"{figure['value']:.3f}"
    low, high = figure["interval"]
    return f"{figure['value']:.3f} ({low:.3f} to {high:.3f})"


def rewrite(text: str, found: dict[str, Evaluation]) -> str:
    """Put the tables between the markers of a page."""
    tables = {BESIDE: beside_table(found), LINES: lines_table(found)}
    for name, folds, left_out in (("whisper-cnn", FOLDS, LEFT_OUT), ("mel-cnn", MEL_FOLDS, MEL_LEFT_OUT)):
        one = found[name]
        tables |= {folds: folds_table(one), left_out: left_out_table(one) + "\n" + carried_table(one)}
    for start, table in tables.items():
        head, rest = text.split(start)
        text = head + start + table + END + rest.split(END, 1)[1]
    return text


def evaluations() -> dict[str, Evaluation]:
    """Read what every voice model that ships was measured at."""
    names = [name for name in ("whisper-cnn", "mel-cnn", "mel-cnn-open") if (MODELS / name).is_dir()]
    return {name: read_evaluation(MODELS / name) for name in names}


def main() -> None:
    """Write the tables."""
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8"), evaluations()), encoding="utf-8")


if __name__ == "__main__":
    main()
