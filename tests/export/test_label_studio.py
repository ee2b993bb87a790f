"""Label Studio's files against its documented task format, and against each other."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
from label_studio_sdk.label_interface import LabelInterface

from blipper.export.label_studio import config, tasks
from blipper.results import Analysis
from blipper.voice.labels import EMOTIONS

# Written from https://labelstud.io/guide/predictions ("JSON format for pre-annotations") and the tags' pages:
# an answer about a region of audio has start and end in seconds, a channel, and its own key.
VALUES = {
    "labels": {"labels": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
    "choices": {"choices": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
    "number": {"number": {"type": "number"}},
    "textarea": {"text": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
}
PLACE = {
    "start": {"type": "number", "minimum": 0},
    "end": {"type": "number", "exclusiveMinimum": 0},
    "channel": {"type": "integer", "minimum": 0},
}


def answer(kind: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "from_name", "to_name", "type", "value"],
        "properties": {
            "id": {"type": "string", "minLength": 1},
            "from_name": {"type": "string"},
            "to_name": {"const": "audio"},
            "type": {"const": kind},
            "origin": {"enum": ["manual", "prediction", "prediction-changed"]},
            "original_length": {"type": "number"},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "value": {
                "type": "object",
                "required": [*PLACE, *VALUES[kind]],
                "properties": {**PLACE, **VALUES[kind]},
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    }


SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["data", "predictions"],
        "properties": {
            "data": {"type": "object", "required": ["audio"], "properties": {"audio": {"type": "string"}}},
            "predictions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["result"],
                    "properties": {
                        "model_version": {"type": "string"},
                        "score": {"type": "number", "minimum": 0, "maximum": 1},
                        "result": {"type": "array", "items": {"oneOf": [answer(kind) for kind in VALUES]}},
                    },
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    },
}
TAGS = {"labels": "Labels", "choices": "Choices", "number": "Number", "textarea": "TextArea"}


def task(analysis: Analysis) -> dict[str, Any]:
    (one,) = json.loads(tasks(analysis))
    return one  # type: ignore[no-any-return]


def test_tasks_are_what_label_studio_documents(talk: Analysis, analysis: Analysis) -> None:
    for one in (talk, analysis, dataclasses.replace(analysis, events=())):
        jsonschema.validate(json.loads(tasks(one)), SCHEMA)


def test_label_studios_own_reader_takes_them(talk: Analysis, analysis: Analysis) -> None:
    for one in (talk, analysis):
        reader = LabelInterface(config(one))
        reader.validate()
        for read in json.loads(tasks(one)):
            predictions = read.pop("predictions")  # its check of a whole task fails on any prediction
            assert reader.validate_task(read)
            for prediction in predictions:
                assert prediction["result"]
                assert reader.validate_prediction(prediction, return_errors=True) == []
                prediction["result"][0]["from_name"] = "nobody"
                assert reader.validate_prediction(prediction, return_errors=True)


def test_the_configuration_knows_every_answer(talk: Analysis) -> None:
    root = ET.fromstring(config(talk))
    (audio,) = root.iter("Audio")
    assert audio.attrib == {"name": "audio", "value": "$audio", "splitchannels": "true"}
    assert task(talk)["data"].keys() >= {audio.attrib["value"].removeprefix("$")}
    controls = {tag.attrib["name"]: tag for tag in root.iter() if "toName" in tag.attrib}
    assert {tag.attrib["toName"] for tag in controls.values()} == {"audio"}
    used = set()
    for one in task(talk)["predictions"][0]["result"]:
        control = controls[one["from_name"]]
        assert control.tag == TAGS[one["type"]]
        offered = {item.attrib["value"] for item in control if item.tag in ("Label", "Choice")}
        chosen = one["value"].get("labels") or one["value"].get("choices") or ()
        assert set(chosen) <= offered
        used.add(one["from_name"])
    assert used == set(controls)
    assert {item.attrib["value"] for item in root.iter("Choice")} == set(EMOTIONS)


def test_an_event_is_one_region_with_three_answers(analysis: Analysis) -> None:
    prediction = task(analysis)["predictions"][0]
    assert prediction["score"] == 0.9
    assert prediction["model_version"] == "mel-cnn cdcdcdcdcdcd, threshold 0.5000"
    answers = {one["type"]: one for one in prediction["result"]}
    assert {one["id"] for one in answers.values()} == {"event-1"}
    assert answers["labels"]["value"] == {"start": 1.0, "end": 2.0, "channel": 0, "labels": ["Sounds angry"]}
    assert answers["choices"]["value"]["choices"] == ["angry"]
    assert answers["number"]["value"]["number"] == 0.9


def test_utterances_carry_their_text(talk: Analysis) -> None:
    one = task(talk)
    texts = [
        answer["value"]["text"][0]
        for answer in one["predictions"][0]["result"]
        if answer["type"] == "textarea"
    ]
    assert "left: 42" in texts
    assert "right: beyond the end" in texts
    assert "rough draft by pocketsphinx:en-us" in one["data"]["transcript"]


@pytest.mark.parametrize("name", ["a b&c?d=e#f.wav", "שלום.wav", "../../etc/passwd", "100%.wav"])
def test_the_address_leads_back_to_the_name(analysis: Analysis, name: str) -> None:
    renamed = dataclasses.replace(analysis, provenance=dataclasses.replace(analysis.provenance, name=name))
    address = urlsplit(task(renamed)["data"]["audio"])
    assert address.path == "/data/local-files/"
    assert address.fragment == ""
    assert parse_qs(address.query) == {"d": [name]}
