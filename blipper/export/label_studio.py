"""Label Studio: a task with Blipper's findings as predictions, and the labelling configuration that fits it.

Set up a project with the configuration (``.label-studio.xml``), then import tasks (``.label-studio.json``, a
list of one task). The task names the sound as ``/data/local-files/?d=NAME``, where Label Studio looks with
"Local files" storage; for other storage replace ``data.audio``. Events become regions labelled "Sounds
angry" with the leading emotion and the peak score; utterances, where there is a transcript, regions labelled
"Utterance" with their text. Nothing of the rest: what reaches no threshold needs no label.

The structure is that of https://labelstud.io/guide/predictions and https://labelstud.io/tags/audio.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from blipper.export.json import layout
from blipper.export.text import Cue, draft_engines, encodable, utterance_cues, within
from blipper.export.writer import Writer
from blipper.results import Analysis
from blipper.voice.labels import EMOTIONS

#: What a region may be called.
EVENT, UTTERANCE = "Sounds angry", "Utterance"


def tasks(analysis: Analysis) -> str:
    """Return a list with one task as JSON."""
    model = analysis.model
    result = [*_event_regions(analysis), *_utterance_regions(analysis)]
    prediction: dict[str, Any] = {
        "model_version": f"{model.name} {model.sha256[:12]}, threshold {analysis.threshold:.4f}",
        "result": result,
    }
    if analysis.events:
        prediction["score"] = _score(max(event.peak for event in analysis.events))
    data = {
        "audio": "/data/local-files/?d=" + quote(encodable(analysis.provenance.name)),
        "file": encodable(analysis.provenance.name),
        "sha256": analysis.provenance.sha256,
        "duration_s": round(analysis.duration, 3),
    }
    drafts = draft_engines(analysis)
    if drafts:
        data["transcript"] = f"rough draft by {', '.join(drafts)}: many words are wrong"
    document = [{"data": data, "predictions": [prediction]}]
    json.dumps(document, allow_nan=False)
    return layout(document) + "\n"


def config(analysis: Analysis) -> str:
    """Return the labelling configuration; channels that were kept apart are shown apart."""
    apart = ' splitchannels="true"' if len(analysis.tracks) > 1 else ""
    emotions = "\n".join(f'      <Choice value="{emotion}"/>' for emotion in EMOTIONS)
    return f"""<View>
  <Header value="Listen before you judge: a score says how much a voice sounds angry to a model."/>
  <Labels name="label" toName="audio">
    <Label value="{EVENT}" background="#D55E00"/>
    <Label value="{UTTERANCE}" background="#56B4E9"/>
  </Labels>
  <Audio name="audio" value="$audio"{apart}/>
  <View visibleWhen="region-selected" whenTagName="label" whenLabelValue="{EVENT}">
    <Choices name="emotion" toName="audio" perRegion="true" choice="single">
{emotions}
    </Choices>
    <Number name="score" toName="audio" perRegion="true" min="0" max="1" step="0.0001"/>
  </View>
  <View visibleWhen="region-selected" whenTagName="label" whenLabelValue="{UTTERANCE}">
    <TextArea name="words" toName="audio" perRegion="true" editable="true" rows="2"/>
  </View>
</View>
"""


def _event_regions(analysis: Analysis) -> list[dict[str, Any]]:
    regions = []
    for number, event in enumerate(analysis.events, start=1):
        start, end = within(event.start, event.end, analysis.duration)
        place = {"start": start, "end": end, "channel": event.channel}
        score = _score(event.peak)
        for name, kind, value in (
            ("label", "labels", [EVENT]),
            ("emotion", "choices", [event.emotion]),
            ("score", "number", score),
        ):
            regions.append(_region(analysis, f"event-{number}", name, kind, place, value, score))
    return regions


def _utterance_regions(analysis: Analysis) -> list[dict[str, Any]]:
    return [
        _region(analysis, f"utterance-{number}", name, kind, _place(cue), value, None)
        for number, cue in enumerate(utterance_cues(analysis), start=1)
        for name, kind, value in (("label", "labels", [UTTERANCE]), ("words", "textarea", [cue.spoken]))
    ]


def _region(
    analysis: Analysis, identity: str, name: str, kind: str, place: dict[str, Any], value: Any, score: Any
) -> dict[str, Any]:
    """Return one answer about a region; those of one region share its identity."""
    key = "text" if kind == "textarea" else kind
    region = {
        "id": identity,
        "from_name": name,
        "to_name": "audio",
        "type": kind,
        "origin": "prediction",
        "original_length": round(analysis.duration, 3),
        "value": {**place, key: value},
    }
    return region if score is None else {**region, "score": score}


def _place(cue: Cue) -> dict[str, Any]:
    return {"start": cue.start, "end": cue.end, "channel": cue.channel}


def _score(value: float) -> float:
    return round(float(value), 4)


TASKS = Writer(
    name="label-studio",
    extension=".label-studio.json",
    media_type="application/json",
    description="events and utterances as predictions to correct in Label Studio",
    write=tasks,
)

CONFIG = Writer(
    name="label-studio-config",
    extension=".label-studio.xml",
    media_type="application/xml",
    description="the labelling configuration that goes with them",
    write=config,
)
