"""The model card's sections from ``blipper evaluate``: folds, corpora left out, scenes, false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from blipper.training.splits import N_FOLDS

_TITLES: Final = {"ravdess": "RAVDESS", "crema-d": "CREMA-D", "savee": "SAVEE", "tess": "TESS"}


def sections(found: Mapping[str, Any]) -> list[str]:
    """Return the sections that the figures have something for.

    Parameters
    ----------
    found : mapping
        As in ``metrics.json``.
    """
    made = (
        _folds(found) if "cross_validation" in found else "",
        _left_out(found) if "left_out" in found else "",
        _gaps(found) if found.get("groups", {}).get("crema-d") else "",
        _scenes(found["scenes"]) if "scenes" in found else "",
        _alarms(found) if "alarms" in found else "",
    )
    return [section for section in made if section]


def _folds(found: Mapping[str, Any]) -> str:
    crossed = found["cross_validation"]
    test, folds = crossed["test"], ", ".join(map(str, crossed["folds"]))
    some = "Fold" if len(crossed["folds"]) == 1 else "Folds"
    title = "All folds" if len(crossed["folds"]) == N_FOLDS else f"{some} {folds} of {N_FOLDS}"
    rows = [
        f"| {title.lower()}, test speakers of | clips | speakers "
        "| accuracy | UAR | macro-F1 | angry ROC-AUC |",
        "|---|---|---|---|---|---|---|",
    ]
    named = {
        **{title: test["corpora"][name] for name, title in _TITLES.items() if name in test["corpora"]},
        "all together, six common emotions": test["all"],
    }
    for name, part in named.items():
        rows.append(f"| {name} | {' | '.join(_cells(part))} |")
    return f"""
## {title}

Trained for {some.lower()} {folds} with the same settings, each speaker scored by
weights that never met them; a clip counts once. In brackets, 95 % intervals by bootstrap over speakers.

{chr(10).join(rows)}
"""


def _left_out(found: Mapping[str, Any]) -> str:
    rows = [
        "| corpus left out | clips | speakers | accuracy | UAR | macro-F1 | angry ROC-AUC |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, parts in found["left_out"].items():
        rows.append(f"| {_TITLES.get(name, name)} | {' | '.join(_cells(parts['common']))} |")
    return f"""
## A corpus never heard

Trained on the other corpora, tested on all speakers of this one; six common emotions.

{chr(10).join(rows)}
"""


def _cells(part: Mapping[str, Any]) -> list[str]:
    angry = part.get("angry")
    figures = [part["accuracy"], part["uar"], part["macro_f1"], *([angry["roc_auc"]] if angry else [])]
    cells = [str(part["clips"]), str(part["speakers"]), *(_figure(one) for one in figures)]
    return cells if angry else [*cells, "-"]


def _gaps(found: Mapping[str, Any]) -> str:
    rows = [
        "| CREMA-D's test speakers by | group | clips | speakers | accuracy | gap to all others |",
        "|---|---|---|---|---|---|",
    ]
    for way, groups in found["groups"]["crema-d"].items():
        for name, part in groups.items():
            own = part["accuracy"]
            gap = _figure({"value": own["gap"], "interval": own["gap_interval"]}, sign="+")
            named = way.removesuffix(" (CREMA-D)")
            rows.append(
                f"| {named} | {name} | {part['clips']} | {part['speakers']} | {_figure(own)} | {gap} |"
            )
    return f"""
## Gaps in CREMA-D

Accuracy over its emotions, less that of everybody else in the same draw of speakers. An interval that leaves
out zero is a gap between these speakers; with few of them it can be theirs and not their group's. Other
measures are in `metrics.json`.

{chr(10).join(rows)}
"""


def _scenes(found: Mapping[str, Any]) -> str:
    return f"""
## Conversations

{found["recordings"]} conversations of two minutes, put together from clips of {len(found["speakers"])} test
speakers (seed {found["seed"]}), with pauses, overlap, noise and rooms; in {found["stretches"]} stretches
somebody sounds angry. The rooms' impulse responses were known to training, voices and noises were not.
Events as the app marks them at {found["threshold"]:g}, right where half of an event lies in a stretch, found
where half of a stretch is covered (Bilen et al. 2020); intervals over conversations.

| precision | recall | F1 | false alarms an hour | stretches touched by an event | median delay (s) |
|---|---|---|---|---|---|
| {_figure(found["precision"])} | {_figure(found["recall"])} | {_figure(found["f1"])} | \
{_figure(found["false_alarms_per_hour"], 1)} | {_figure(found["touched"])} | {_figure(found["delay"], 2)} |
{_shortest(found)}"""


def _shortest(found: Mapping[str, Any]) -> str:
    if "shortest" not in found:
        return ""
    rows = [
        f"| {seconds} | {_figure(part['precision'])} | {_figure(part['recall'])} | {_figure(part['f1'])} "
        f"| {_figure(part['false_alarms_per_hour'], 1)} |"
        for seconds, part in found["shortest"].items()
    ]
    mean = found["angry_seconds"] / found["stretches"]
    return f"""
The same at another shortest event (1 s unless set). The stretches here last {mean:.0f} s in the mean; an
outburst of one sentence mostly does not last for 3 s and is lost from there on.

| shortest event (s) | precision | recall | F1 | false alarms an hour |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


def _alarms(found: Mapping[str, Any]) -> str:
    alarms = found["alarms"]
    rows = [
        "| sound | neutral speech, alarms an hour | happy speech, alarms an hour | angry clips found |",
        "|---|---|---|---|",
    ]
    for name, part in alarms["speech"].items():
        neutral, happy = (_figure(part[kind]["per_hour"], 1) for kind in ("neutral", "happy"))
        own = part.get("threshold", alarms["threshold"])
        name += f", at {own:g}" if own != alarms["threshold"] else ""
        rows.append(f"| {name} | {neutral} | {happy} | {_figure(part['angry']['share'])} |")
    sounds = alarms["sounds"]
    loud = {name: part for name, part in sounds.items() if part["alarms"]}
    seconds = sum(part["seconds"] for part in sounds.values())
    named = ", ".join(f"{name} {part['alarms']} in {part['files']} files" for name, part in loud.items())
    minutes = alarms["speech"]["as recorded"]["neutral"]["seconds"] / 60
    return f"""
## False alarms as the app marks them

Events at {alarms["threshold"]:g} in the test speakers' clips, joined with pauses of {alarms["pause"]:g} s,
and the share of their angry clips that events cover by half, in the same sound; intervals over speakers. It
is {minutes:.0f} minutes of neutral speech, so few alarms weigh much.

{chr(10).join(rows)}

In {seconds / 60:.0f} minutes of sounds without words that training kept out (and all screams):
{named or "no alarm"}. {_evidence(found)}
"""


def _evidence(found: Mapping[str, Any]) -> str:
    evidence = found.get("validation", {}).get("false_alarms")
    if not evidence:
        return ""
    line = found["validation"].get("threshold_telephone")
    narrow = (
        ""
        if line is None
        else f" A recording that reaches hardly beyond a telephone's band has a threshold of its own, "
        f"{line:g}, chosen in the same way on the same speech through such a band."
    )
    return (
        f"The threshold was chosen on {evidence['seconds'] / 60:.1f} minutes of the validation speakers' "
        f"neutral "
        f"and calm speech, with {evidence['alarms']} alarms; so little speech cannot rule out up to "
        f"{evidence['upper']:.0f} an hour (95 %).{narrow}"
    )


def _figure(figure: Mapping[str, Any], digits: int = 3, sign: str = "") -> str:
    if figure["value"] is None:
        return "-"
    bounds = figure["interval"]
    text = f"{figure['value']:{sign}.{digits}f}"
    return text if bounds is None else f"{text} [{bounds[0]:{sign}.{digits}f}, {bounds[1]:{sign}.{digits}f}]"
