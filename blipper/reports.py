"""Results as plain text for a terminal: pure functions from values to lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from blipper.datasets.table import Corpora
from blipper.expectation import Expectation
from blipper.reports_words import transcript_summary
from blipper.results import Analysis, Check, Prediction, Track
from blipper.speakers.talk import speaker_of_event, talk
from blipper.terminal import columns
from blipper.voice.labels import EMOTIONS
from blipper.wording import carried_in_full, length, moment, summary_sentence, trend_sentence


def analysis_text(analysis: Analysis, known: Expectation | None = None) -> str:
    """Return what a person needs first: the sentence, the quality, the events, and what is known of them."""
    lines = [f"{analysis.provenance.name}: {summary_sentence(analysis)}."]
    lines += [f"Note: {notice.message}" for notice in analysis.notices]
    for track in analysis.tracks:
        lines += ["", *_track_lines(track, named=len(analysis.tracks) > 1)]
    lines += _talk_lines(analysis)
    for track in analysis.tracks:
        if track.transcript is not None:
            lines += ["", *transcript_summary(track.transcript)]
    if analysis.events:
        lines += ["", f"Worth a listen (aggression score from {analysis.threshold:.2f}):"]
        lines += _event_lines(analysis)
    model = analysis.model
    words = " and how hostile the words read" if any(track.fused for track in analysis.tracks) else ""
    lines += [
        "",
        f"Model {model.name} ({model.sha256[:12]}). A score says how much a voice sounds angry to the model"
        f"{words}, not what somebody feels or means: listen before you judge.",
    ]
    if known is not None:
        lines.append(f"{known.sentence} Other recordings may differ.")
    return "\n".join(lines) + "\n"


def _track_lines(track: Track, *, named: bool) -> list[str]:
    heading = f"Channel {track.name}: " if named else ""
    lines = [f"{heading}{length(track.speech_seconds)} of speech. {trend_sentence(track.trend)}."]
    rows = [
        (f"  {check.verdict}", check.label, _check_value(check), check.message)
        for check in track.quality.checks
    ]
    return lines + columns(rows, right=frozenset({2}))


def _check_value(check: Check) -> str:
    return "-" if check.value is None else f"{check.value:,.5g} {check.unit}"


def _talk_lines(analysis: Analysis) -> list[str]:
    """Who talked how much, where that is known."""
    summed = talk(analysis)
    if summed is None:
        return []
    header = (
        "  speaker",
        "talk",
        "share",
        "turns",
        "longest",
        "interrupts",
        "interrupted",
        "loudness",
        "at most",
    )
    rows = [
        (
            *("  " + one.speaker, length(one.seconds), f"{100 * one.share:.0f} %", str(one.turns)),
            *(length(one.longest), str(one.interruptions), str(one.interrupted), _loudness(one.level)),
            _loudness(one.loudest) + ("" if one.loudest_time is None else f" at {moment(one.loudest_time)}"),
        )
        for one in summed.speakers
    ]
    guessed = ", as guessed" if any(n.code == "speakers-guessed" for n in analysis.notices) else ""
    lines = ["", f"Who talked{guessed} ({length(summed.overlap)} at once):"]
    lines += columns([header, *rows], right=frozenset(range(1, 8)))
    if summed.same_sound:
        lines.append("  The channels overlap almost throughout: they may carry the same sound.")
    return lines


def _loudness(level: float | None) -> str:
    return "-" if level is None else f"{level:.1f} LUFS"


def _event_lines(analysis: Analysis) -> list[str]:
    named = any(track.turns for track in analysis.tracks)
    fused = any(track.fused is not None for track in analysis.tracks)
    header = ("  start", "end", "length", "peak", "at", "mean", "leading emotion")
    last = ("carried by",) if fused else ()
    rows = [
        (
            "  " + moment(event.start),
            moment(event.end),
            length(event.duration),
            f"{event.peak:.2f}",
            moment(event.peak_time),
            f"{event.mean:.2f}",
            event.emotion + (f"  ({speaker_of_event(analysis, event) or 'unknown'})" if named else ""),
            *((carried_in_full(analysis, event),) if fused else ()),
        )
        for event in analysis.events
    ]
    return columns([(*header, *last), *rows], right=frozenset(range(6)))


def predictions_text(predictions: Sequence[Prediction]) -> str:
    """Return one line a recording."""
    rows = [
        (one.file, "-", "no speech", "")
        if one.emotion is None or one.aggression is None
        else (
            one.file,
            f"{one.aggression:.2f}",
            "worth a listen" if one.aggressive else "below the threshold",
            f"{one.emotion} {one.emotions[one.emotion]:.2f}",
        )
        for one in predictions
    ]
    header = ("file", "aggression score", "", "leading emotion")
    return "\n".join(columns([header, *rows], right=frozenset({1}))) + "\n"


def prediction_dict(prediction: Prediction) -> dict[str, Any]:
    """Return one recording's line as plain JSON values."""
    return {
        "file": prediction.file,
        "emotion": prediction.emotion,
        "emotions": dict(prediction.emotions),
        "aggression": prediction.aggression,
        "aggressive": prediction.aggressive,
        "model": prediction.model,
        "notices": [
            {"code": notice.code, "message": notice.message, "severity": notice.severity}
            for notice in prediction.notices
        ],
    }


def corpora_dict(corpora: Corpora) -> dict[str, Any]:
    """Count what was found, as plain JSON values.

    Returns
    -------
    dict
        ``clips`` (int), ``corpora`` (by name: clips, speakers by name, emotions by name, excluded by
        reason), ``missing`` (names of corpora that were looked for).
    """
    counted: dict[str, Any] = {}
    for name in sorted({*corpora.names, *(item.corpus for item in corpora.excluded)}):
        clips = corpora.of(name)
        emotions = Counter(clip.emotion for clip in clips)
        reasons = Counter(item.reason for item in corpora.excluded if item.corpus == name)
        counted[name] = {
            "clips": len(clips),
            "speakers": dict(sorted(Counter(clip.speaker for clip in clips).items())),
            "emotions": {emotion: emotions[emotion] for emotion in EMOTIONS if emotions[emotion]},
            "excluded": dict(sorted(reasons.items())),
        }
    return {"clips": len(corpora), "corpora": counted, "missing": list(corpora.missing)}


def corpora_text(counts: Mapping[str, Any]) -> str:
    """Return :func:`corpora_dict`'s counts as a table."""
    parts: Mapping[str, Any] = counts["corpora"]
    header = ("corpus", "clips", "speakers", "clips each", *EMOTIONS)
    rows = []
    for name, part in parts.items():
        each = part["speakers"].values()
        spread = "-" if not each else f"{min(each)}" if min(each) == max(each) else f"{min(each)}-{max(each)}"
        rows.append(
            (
                *(name, str(part["clips"]), str(len(part["speakers"])), spread),
                *(str(part["emotions"].get(emotion, "-")) for emotion in EMOTIONS),
            )
        )
    lines = columns([header, *rows], right=frozenset(range(1, len(header))))
    lines += ["", f"{counts['clips']} clips in all."]
    for name, part in parts.items():
        lines += [f"Left out of {name}: {n} ({reason})." for reason, n in part["excluded"].items()]
    lines += [f"Not found: {name}." for name in counts["missing"]]
    return "\n".join(lines) + "\n"


def models_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return :func:`blipper.inventory.list_models`'s sound models as a table."""
    header = ("model", "use", "SHA-256", "MB", "threshold", *_FIGURES.values())
    lines = []
    for row in rows:
        figures = row["figures"] or {}
        lines.append(
            (
                *(
                    row["name"],
                    "commercial" if row["commercial"] else "research",
                    row["sha256"][:12],
                    f"{row['size_bytes'] / 1e6:.1f}",
                    f"{row['threshold']:.2f}",
                ),
                *(f"{figures[key]:.3f}" if key in figures else "-" for key in _FIGURES),
            )
        )
    note = (
        "Figures are on speakers whom neither training nor the choice of weights and threshold ever heard: "
        "accuracy and UAR over the six common emotions and ROC-AUC for angry against the rest, on RAVDESS, "
        "CREMA-D and SAVEE together; TESS's unseen actress apart. Use: what the licences of all that a model "
        "learned from allow."
    )
    table = columns([header, *lines], right=frozenset(range(3, len(header))))
    lacking = [f"{row['name']}: {row['lacks']}." for row in rows if row.get("lacks")]
    return "\n".join([*table, "", note, *([""] if lacking else []), *lacking]) + "\n"


def training_text(metrics: Mapping[str, Any], figures: Mapping[str, float]) -> str:
    """Return what a training run came to, in three lines."""
    training, model = metrics["training"], metrics["model"]
    named = ", ".join(f"{_FIGURES[key]} {value:.3f}" for key, value in figures.items())
    return (
        f"{model['name']} ({model['sha256'][:12]}): {training['epochs']} epochs, the best was "
        f"{training['best_epoch']}; {length(training['seconds'])}.\n"
        f"On unseen speakers: {named or 'nothing could be measured'}.\n"
        f"Threshold {model['threshold']:.2f}, chosen on validation speakers.\n"
    )


def evaluation_text(metrics: Mapping[str, Any]) -> str:
    """Return a model's figures as a table: shipped weights, all folds, and corpora left out."""
    header = ("test speakers", "clips", "accuracy", "UAR", "macro-F1", "angry ROC-AUC", "calibration")
    sides = {"": metrics.get("test"), "folds: ": metrics.get("cross_validation", {}).get("test")}
    rows = []
    for prefix, test in sides.items():
        if test:
            named = {"six common emotions": test["common"], "six, with TESS": test["all"], **test["corpora"]}
            rows += [_figures_row(prefix + name, part) for name, part in named.items() if part["clips"]]
    for corpus, parts in metrics.get("left_out", {}).items():
        rows.append(_figures_row(f"left out: {corpus}, six common", parts["common"]))
    model = metrics["model"]
    folds = metrics.get("cross_validation", {}).get("folds")
    lines = columns([header, *rows], right=frozenset(range(1, len(header))))
    lines += ["", f"{model['name']} ({model['sha256'][:12]}), threshold {model['threshold']:.2f}."]
    if folds:
        lines.append(f"Folds: {', '.join(map(str, folds))}; a clip counts once.")
    return "\n".join(lines) + "\n"


def _figures_row(name: str, part: Mapping[str, Any]) -> tuple[str, ...]:
    angry = part.get("angry")
    values = [part["accuracy"], part["uar"], part["macro_f1"], angry["roc_auc"] if angry else None]
    cells = ["-" if value is None else f"{value['value']:.3f}" for value in values]
    error = f"{angry['calibration_error']:.3f}" if angry else "-"
    return (name, str(part["clips"]), *cells, error)


_FIGURES = {
    "accuracy": "accuracy",
    "uar": "UAR",
    "roc_auc_angry": "ROC-AUC angry",
    "accuracy_tess": "TESS accuracy",
}
