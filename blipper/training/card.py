"""The model card, written from the metrics: no number in it comes from anywhere else."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from blipper.training import card_events, card_heads
from blipper.voice.frontend import FrontEnd

CARD: Final = "MODEL_CARD.md"
_TITLES: Final = {"ravdess": "RAVDESS", "crema-d": "CREMA-D", "savee": "SAVEE", "tess": "TESS"}
_LICENCES: Final = {
    "ravdess": "CC BY-NC-SA 4.0",
    "crema-d": "Open Database License 1.0",
    "tess": "CC BY-NC-ND 4.0",
    "savee": "research use only, on request from its authors",
}


def write_card(folder: Path, found: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Write ``MODEL_CARD.md``.

    Parameters
    ----------
    folder : path
    found : mapping
        As in ``metrics.json``.
    config : mapping
        As in ``config.json``.
    """
    (folder / CARD).write_text(render(found, config), encoding="utf-8")


def render(found: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Return the card's Markdown."""
    clips = found["split"]["clips"]
    corpora = [corpus for corpus in _TITLES if corpus in {**clips["train"], **clips["test"]}]
    sections = (
        _head(found, config),
        _uses(found),
        _data(found, corpora),
        _training(found),
        _results(found),
        _groups(found),
        _alarms(found),
        *card_events.sections(found),
        _calibration(found, config),
        _limits(found),
    )
    return "\n\n".join(_wrapped(section.strip()) for section in sections) + "\n"


def _wrapped(section: str) -> str:
    """Fill paragraphs and list items to lines of equal width; leave headings and tables as they are."""
    blocks = []
    for block in section.split("\n\n"):
        if block.startswith(("#", "|")):
            blocks.append(block)
            continue
        items = [" ".join(item.split()) for item in re.split(r"\n(?=- )", block)]
        blocks.append(
            "\n".join(
                textwrap.fill(
                    item,
                    100,
                    subsequent_indent="  " if item.startswith("- ") else "",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
                for item in items
            )
        )
    return "\n\n".join(blocks)


def _head(found: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    model, front = found["model"], config["front_end"]
    size = found["training"]["parameters"]
    hears = f"A convolutional network that hears up to {front.get('window', 3):g} s of speech"
    if (encoder := config.get("encoder")) is None:
        through = f"as {front['mels']} log-mel bands"
    else:
        through = (
            f"through the frozen encoder of OpenAI's Whisper {encoder['name']} (MIT licence; its weights are "
            f"not here, the digest of its tensors must be `{encoder['sha256']}`)"
        )
    return f"""
# {model["name"]}

{hears} {through}
and gives two things: how much the voice sounds like each of eight acted emotions, and a calibrated
probability that it **sounds angry** (Blipper's aggression score). It has {size:,} parameters and runs on
a CPU.

SHA-256 of the weights: `{model["sha256"]}`. Every number on this card is in `metrics.json`; the clip
figures can be recomputed from `test-predictions.csv`.
"""


def _uses(found: Mapping[str, Any]) -> str:
    if found["settings"].get("commercial"):
        licence = """
**Licence.** The weights were learned only from what allows commercial use: CREMA-D (Open Database License
1.0), noises under CC BY from Google's Speech Commands, royalty-free impulse responses, and the opinions of
a head over OpenAI's Whisper (MIT) that learned from CREMA-D alone. They are under the MIT licence, as
Blipper's code; CREMA-D asks to be named (Cao et al. 2014). This is no legal advice."""
    else:
        licence = """
**Licence.** The weights were learned from corpora with non-commercial terms (below) and inherit them:
research and teaching, no commercial use. Blipper's code is under the MIT licence; the weights are not."""
    return f"""
## Use

**For** ranking stretches of a recording by how angry the voice sounds, so that a person can listen to the
right ones first; for teaching and research on acted emotional speech.

**Not for** deciding anything about a person. Not for inferring the emotions of people at work or in
education (prohibited in the European Union by Article 5(1)(f) of the AI Act, but for medical and safety
reasons), not for hiring, policing, border control, insurance, or lie detection, not for monitoring people
who have not been told. A score says how a voice *sounds to people who heard actors*; it says nothing of
what anybody feels or intends.
{licence}
"""


def _data(found: Mapping[str, Any], corpora: list[str]) -> str:
    clips, speakers = found["split"]["clips"], found["split"]["speakers"]
    rows = [
        "| corpus | licence | training clips (speakers) | validation | test | test speakers |",
        "|---|---|---|---|---|---|",
    ]
    for corpus in corpora:
        cells = [
            f"{clips[side].get(corpus, 0)} ({len(speakers[side].get(corpus, []))})"
            for side in ("train", "validation", "test")
        ]
        tested = speakers["test"].get(corpus, [])
        named = ", ".join(tested) if len(tested) <= 6 else f"{tested[0]} to {tested[-1]}"
        rows.append(f"| {_TITLES[corpus]} | {_LICENCES[corpus]} | {' | '.join(cells)} | {named} |")
    return f"""
## Data

{chr(10).join(rows)}

Acted, English, recorded in studios. No speaker and no identical sound is on two sides. Clips were cut to
where Blipper's own speech detector hears speech; in {found["split"]["without_speech"]} clips it hears
none, and those are scored whole. {_negatives(found)}{_added(found)}
"""


def _added(found: Mapping[str, Any]) -> str:
    """Name the library's verdicts, where the model learned from some."""
    counts = found["settings"].get("added")
    if counts is None:
        return ""
    return f"""

It also learned from analysts' verdicts on their own recordings: {counts["train"]} stretches with a named
emotion, {counts["calm"]} of which is known only that they do not sound angry, and {counts["validation"]}
for validation. {counts["held_out"]} in other recordings were held out; `blipper evaluate --on-library`
measures on those alone."""


def _missing(found: Mapping[str, Any]) -> list[str]:
    return list(found["training"]["missing"])


def _negatives(found: Mapping[str, Any]) -> str:
    sounds = {"noise": "noise", "nonverbal": "coughs, laughs and other nonverbal sounds of other speakers"}
    if found["settings"].get("commercial"):
        sounds = {"noise": "household noise"}
    used = [text for name, text in sounds.items() if name not in _missing(found)]
    if not used:
        return "No sound without a voice took part: how the aggression score answers noise was not learned."
    screams = (
        ""
        if "nonverbal" in _missing(found) or "nonverbal" not in sounds
        else (
            "; screams are left out of training, since a scream may well be aggression, and are "
            "reported below"
        )
    )
    return (
        f"Sounds without an angry voice ({'; '.join(used)}) are negatives for the aggression head{screams}."
    )


def _training(found: Mapping[str, Any]) -> str:
    training, settings = found["training"], found["settings"]
    if "members" in settings.get("network", {}):
        return card_heads.describe_training(found)
    teacher = (
        f"{settings['distil']:.0%} of each target is the opinion of a teacher ({training['teacher']}, MIT "
        "licence) that never heard the clip's speaker; the network also learns to predict what its encoder "
        "hears in the whole clip. "
        if training["teacher"]
        else ""
    )
    missing = _missing(found)
    kinds = ("pitch", "tempo", "room", "noise", "equaliser", "telephone band", "overload")
    augmented = ", ".join(kind for kind in kinds if kind != "room" or "rir" not in missing)
    lacking = (
        f" **Missing in this run, unlike the shipped model's: {', '.join(missing)}.**" if missing else ""
    )
    floor = settings["front"]["floor"]
    hidden = (
        f"\n\nFrames are cut off {floor:g} dB below a band's mean, since one corpus's noise floor gave its "
        "loud voices away. That this was needed, and that telephones were, was seen on fold 1's test "
        "speakers, in a model that had learned from CREMA-D alone; how much, was chosen without them."
        if floor < FrontEnd().floor
        else ""
    )
    ranged = "stretched in dynamic range, " if settings.get("contrast") else ""
    if narrow := settings.get("narrow"):
        ranged = f"narrowed to a telephone's band ({narrow:.0%} of the windows), {ranged}"
    return f"""
## Training

`blipper train` with seed {settings["seed"]}: {training["epochs"]} epochs of
{training["windows_an_epoch"]:,} windows, the weights of epoch {training["best_epoch"]} kept, which scored
best on validation speakers. {teacher}Each training clip exists in {settings["versions"]} augmented
versions ({augmented}), and every batch is {ranged}masked, tilted and mixed anew.{lacking}{hidden}
"""


def _results(found: Mapping[str, Any]) -> str:
    test = found["test"]
    rows = [
        "| test speakers of | clips | speakers | classes | accuracy | UAR | macro-F1 | angry ROC-AUC |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups = {_TITLES[name]: test["corpora"][name] for name in _TITLES if name in test["corpora"]}
    groups[f"{_pooled(found)} together, six common emotions"] = test["common"]
    for name, figures in groups.items():
        if not figures["clips"]:
            continue
        angry = figures.get("angry")
        cells = [
            str(figures["clips"]),
            str(figures["speakers"]),
            str(len(figures["classes"])),
            *(_with_interval(figures[key]) for key in ("accuracy", "uar", "macro_f1")),
            _with_interval(angry["roc_auc"]) if angry else "-",
        ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return f"""
## Results on speakers it never met

In brackets, 95 % intervals by bootstrap over speakers; none where there is a single speaker.
{_heard(found)}

{chr(10).join(rows)}
"""


def _heard(found: Mapping[str, Any]) -> str:
    if "members" in found["settings"].get("network", {}):
        return "Each clip's speech was heard in one piece, as the training scores it."
    return "Windows are averaged over a clip."


def _pooled(found: Mapping[str, Any]) -> str:
    """Name the corpora of the figures over six emotions: all but TESS, as far as they were there."""
    names = [_TITLES[name] for name in ("ravdess", "crema-d", "savee") if name in found["test"]["corpora"]]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _groups(found: Mapping[str, Any]) -> str:
    rows = ["| group | clips | accuracy | angry ROC-AUC | angry found | others over the threshold |"]
    rows.append("|---|---|---|---|---|---|")
    for title, groups in (("", found["test"]["by_sex"]), ("intensity ", found["test"]["by_intensity"])):
        for name, figures in groups.items():
            angry = figures.get("angry")
            if not figures["clips"]:
                continue
            scores = (
                [
                    _with_interval(angry["roc_auc"]),
                    f"{angry['found']:.1%}",
                    f"{angry['false_alarm_share']:.1%}",
                ]
                if angry
                else ["-", "-", "-"]
            )
            cells = [str(figures["clips"]), _with_interval(figures["accuracy"]), *scores]
            rows.append(f"| {title}{name} | {' | '.join(cells)} |")
    return f"""
## By group

Six common emotions, test speakers of {_pooled(found)}.

{chr(10).join(rows)}
"""


def _alarms(found: Mapping[str, Any]) -> str:
    if not found["false_alarms"]:
        return "## False alarms\n\nNot measured in this run."
    rows = [
        "| sounds | files | seconds heard | files with an alarm | alarms per hour |",
        "|---|---|---|---|---|",
    ]
    for name, figures in found["false_alarms"].items():
        rows.append(
            f"| {name} | {figures['files']} | {figures['seconds']:g} | {figures['files_with_alarm']} | "
            f"{figures['alarms_per_hour']:g} |"
        )
    return f"""
## False alarms by windows

Runs of windows at the threshold of {found["model"]["threshold"]:g}, before the smoothing and the least
duration that the app asks of an event. "Put to the network" skips the speech detector, which lets hardly
any noise through. All of these speakers and files were kept out of training.

{chr(10).join(rows)}
"""


def _calibration(found: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    validation, test = found["validation"], found["test"]["common"]
    before, after = validation["calibration_error_before"], validation["calibration_error_after"]
    angry = test.get("angry")
    tested = (
        f"On test speakers it is {angry['calibration_error']:.3f} for aggression and "
        f"{test['calibration_error']:.3f} for the six emotions. "
        if angry
        else ""
    )
    return f"""
## Calibration and threshold

One temperature for the emotions and one line for aggression, fitted on validation speakers. Expected
calibration error there, before and after: emotions {before["emotions"]:.3f} and {after["emotions"]:.3f},
aggression {before["aggression"]:.3f} and {after["aggression"]:.3f}. {tested}About one acted clip in six
is angry; where anger is rarer, a score promises less.

The threshold, {found["model"]["threshold"]:g}, is {config["threshold_rule"]}:
{validation["quiet_over_threshold"]} of {validation["quiet_clips"]} reach it, and
{validation["angry_found"]:.1%} of the angry ones do.
"""


def _limits(found: Mapping[str, Any]) -> str:
    return f"""
## Limits

- **Acted speech.** Actors overdo what people hide; expect more misses and other mistakes on real talk.
- **English, North American and British accents**, adults, close microphones. Nothing else was measured.
- **Loud is not angry**: joy, pain, calling across a room can score high. Cold threats can score low: the
model hears the voice, not the words.
- "Calm" was learned from RAVDESS alone. Neighbouring emotions are often mixed up.
- A clip-level figure is not a promise for hours of talk: see the false alarms, and listen.
- {found["test"]["without_speech"]} of the test clips have no detected speech; the app gives those no
score.
"""


def _with_interval(figure: Mapping[str, Any]) -> str:
    bounds = figure["interval"]
    if bounds is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} [{bounds[0]:.3f}, {bounds[1]:.3f}]"
