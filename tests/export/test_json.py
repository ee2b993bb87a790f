from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from blipper.export.json import analysis_from_dict, analysis_json, analysis_to_dict, layout
from blipper.results import SCHEMA_VERSION, Analysis
from blipper.settings import Settings


def assert_same(first: object, second: object) -> None:
    """Compare field by field; arrays exactly, NaN equal to NaN."""
    if dataclasses.is_dataclass(first):
        assert type(first) is type(second)
        for field in dataclasses.fields(first):
            assert_same(getattr(first, field.name), getattr(second, field.name))
    elif isinstance(first, np.ndarray):
        assert isinstance(second, np.ndarray)
        assert first.shape == second.shape
        np.testing.assert_array_equal(first, second)
    elif isinstance(first, tuple):
        assert isinstance(second, tuple)
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == second


def test_round_trip_is_exact_through_text(analysis: Analysis) -> None:
    text = analysis_json(analysis)
    back = Analysis.from_dict(json.loads(text))
    assert_same(analysis, back)
    assert back.to_dict() == analysis.to_dict()
    assert analysis_json(back) == text


def test_every_turn_has_its_keys(analysis: Analysis) -> None:
    for key in ("start", "end", "speaker"):
        data = analysis.to_dict()
        del data["tracks"][0]["turns"][0][key]
        with pytest.raises(ValueError, match=rf"turns\[0\]\.{key} is missing"):
            Analysis.from_dict(data)


def test_events_name_their_speaker_and_talk_is_summed_up(analysis: Analysis) -> None:
    data = analysis.to_dict()
    assert [event["speaker"] for event in data["events"]] == ["Agent"]
    assert [one["speaker"] for one in data["talk"]["speakers"]] == ["Agent"]
    assert data["talk"]["speakers"][0]["seconds"] == 1.5


def test_a_file_from_before_turns_can_be_read(analysis: Analysis) -> None:
    data = analysis.to_dict()
    assert data["tracks"][0]["turns"][1] == {
        "start": 1.0,
        "end": 2.0,
        "speaker": "Agent",
        "level": -21.5,
    }
    del data["talk"], data["events"][0]["speaker"]
    for track in data["tracks"]:
        del track["turns"]
    assert [track.turns for track in Analysis.from_dict(data).tracks] == [(), ()]


def test_from_dict_leaves_its_input_alone(analysis: Analysis) -> None:
    data = analysis.to_dict()
    before = copy.deepcopy(data)
    back = Analysis.from_dict(data)
    assert data == before
    data["settings"]["window_length"] = 9.0
    assert back.settings["window_length"] == 3.0


@pytest.mark.parametrize("name", ["surroundings", "rise"])
def test_a_result_from_before_a_setting_was_made_without_it(analysis: Analysis, name: str) -> None:
    now = Settings()
    data = dataclasses.replace(analysis, settings=now.to_dict()).to_dict()
    assert Settings.from_dict(Analysis.from_dict(data).settings) == now
    del data["settings"][name]
    before = dataclasses.replace(now, **{name: 0.0})
    assert Settings.from_dict(Analysis.from_dict(data).settings) == before


def test_only_json_values_and_no_nan(analysis: Analysis) -> None:
    def check(value: object) -> None:
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)
        else:
            assert type(value) in (str, int, float, bool, type(None)), value

    data = analysis_to_dict(analysis)
    check(data)
    json.dumps(data, allow_nan=False)
    curve = data["tracks"][0]["curve"]
    assert curve["aggression"] == [0.1, None, 0.9, 0.80005]
    assert curve["emotions"][1] == [None] * 8
    assert data["tracks"][1]["quality"][0]["value"] is None


def test_the_document_says_what_is_needed_to_repeat_it(analysis: Analysis) -> None:
    data = analysis.to_dict()
    assert next(iter(data)) == "schema_version"
    assert data["schema_version"] == SCHEMA_VERSION
    assert data["provenance"]["sha256"] == "ab" * 32
    assert data["model"] == {"name": "mel-cnn", "sha256": "cd" * 32, "threshold": 0.5}
    assert data["settings"]["window_length"] == 3.0
    assert data["versions"]["blipper"] == "0.1.0"


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 0, "1", 1.0, True, None])
def test_another_version_is_refused_by_number(analysis: Analysis, version: object) -> None:
    data = analysis.to_dict() | {"schema_version": version}
    with pytest.raises(ValueError, match=r"schema_version") as caught:
        analysis_from_dict(data)
    assert repr(version) in str(caught.value)
    assert f"accepted is {SCHEMA_VERSION}" in str(caught.value)


def test_a_missing_version_is_refused(analysis: Analysis) -> None:
    data = analysis.to_dict()
    del data["schema_version"]
    with pytest.raises(ValueError, match=f"no schema_version; accepted is {SCHEMA_VERSION}"):
        analysis_from_dict(data)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every key, but for the free-form mappings."""
    if isinstance(value, dict) and path not in {("settings",), ("versions",)}:
        return [p for key, item in value.items() for p in [(*path, key), *leaves(item, (*path, key))]]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return leaves(value[0], (*path, 0))
    return []


#: Keys that came later: a file without them is an older one.
ADDED_LATER = {
    *(("tracks", 0, name) for name in ("transcript", "fused")),
    *(("events", 0, name) for name in ("voice_share", "words_share")),
}


def test_every_missing_key_is_named(analysis: Analysis) -> None:
    paths = [path for path in leaves(analysis.to_dict()) if path not in ADDED_LATER]
    assert len(paths) > 40
    for path in paths:
        if path[0] == "talk" or path[-1] in ("turns", "level", "speaker"):  # derived, or not in old files
            continue
        data = analysis.to_dict()
        parent: Any = data
        for key in path[:-1]:
            parent = parent[key]
        del parent[path[-1]]
        with pytest.raises(ValueError, match=path[-1]):
            analysis_from_dict(data)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("duration",), "2", r"analysis\.duration is '2'; expected a finite number"),
        (("duration",), True, r"analysis\.duration is True"),
        (("duration",), float("inf"), r"analysis\.duration is inf"),
        (("duration",), 10**400, r"analysis\.duration is 1000"),
        (("tracks",), {}, r"analysis\.tracks is \{\}; expected a list"),
        (("tracks", 0), 7, r"analysis\.tracks\[0\] is 7; expected an object"),
        (("tracks", 0, "trend", "label"), "up", r"trend\.label is 'up'; expected one of rising, steady"),
        (("tracks", 0, "speech", 1), [1.0], r"tracks\[0\]\.speech holds \[1\.0\]; expected lists of 2"),
        (("tracks", 0, "windows", "aggression"), [0.1], r"windows\.aggression has 1 rows; expected 2"),
        (("tracks", 0, "windows", "emotions", 0), [0.1], r"emotions holds \[0\.1\]; expected lists of 8"),
        (("tracks", 0, "curve", "aggression", 0), "x", r"curve\.aggression holds 'x'; expected numbers"),
        (("tracks", 0, "curve", "aggression", 0), float("inf"), r"curve\.aggression holds an infinite"),
        (("events", 0, "channel"), 2, r"events\[0\]\.channel is 2; accepted are 0 to 1"),
        (("events", 0, "emotion"), "bored", r"events\[0\]\.emotion is 'bored'"),
        (("provenance", "size_bytes"), 1.5, r"provenance\.size_bytes is 1\.5; expected a whole number"),
        (("emotions",), ["angry"], r"emotions are angry; accepted are neutral, calm"),
        (("versions", "numpy"), 2, r"versions\.numpy is 2; expected a text"),
        (("notices", 0, "severity"), "fatal", r"severity is 'fatal'; expected one of info, warning"),
    ],
)
def test_wrong_values_are_named(analysis: Analysis, path: tuple[Any, ...], value: Any, named: str) -> None:
    data = analysis.to_dict()
    parent: Any = data
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    with pytest.raises(ValueError, match=named):
        analysis_from_dict(data)


def test_added_keys_are_ignored(analysis: Analysis) -> None:
    data = analysis.to_dict()
    data["words"] = []
    data["tracks"][0]["words"] = []
    assert_same(analysis_from_dict(data), analysis)


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_no_object_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="expected an object"):
        analysis_from_dict(data)


def test_an_infinite_score_is_refused(analysis: Analysis) -> None:
    track = analysis.tracks[0]
    broken = dataclasses.replace(
        track, curve=dataclasses.replace(track.curve, aggression=np.array([np.inf, 0, 0, 0]))
    )
    with pytest.raises(ValueError, match=r"curve\.aggression holds an infinite value"):
        analysis_to_dict(dataclasses.replace(analysis, tracks=(broken,)))


def test_a_setting_without_a_json_counterpart_is_refused(analysis: Analysis) -> None:
    with pytest.raises(ValueError, match=r"settings\.when is a set"):
        analysis_to_dict(dataclasses.replace(analysis, settings={"when": {1}}))


def test_layout_is_json_with_number_lists_on_one_line() -> None:
    value = {"a": [1, 2.5, None], "b": [[1.0], []], "c": {}, "d": [], "ü": 'q"', "e": {"f": [{"g": True}]}}
    text = layout(value)
    assert json.loads(text) == value
    assert '"a": [1, 2.5, null]' in text.splitlines()[1]
    assert '"ü"' in text


def test_layout_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        layout({"a": float("nan")})
