"""The README's figures are those of the weights that ship."""

import csv
import json

from tests.conftest import ROOT
from tools.readme_figures import END, MODEL, START, render


def test_the_readme_shows_what_metrics_json_says():
    section = (ROOT / "README.md").read_text(encoding="utf-8").split(START)[1].split(END)[0]
    metrics = json.loads((MODEL / "metrics.json").read_text(encoding="utf-8"))
    assert section == render(metrics)
    assert f"{metrics['test']['common']['accuracy']['value']:.3f}" in section


def test_the_readme_counts_every_alarm_on_sounds_without_words():
    alarms = json.loads((MODEL / "metrics.json").read_text(encoding="utf-8"))["alarms"]
    count = sum(part["alarms"] for part in alarms["sounds"].values())
    words = (ROOT / "README.md").read_text(encoding="utf-8").split()
    said = "was 1" if count == 1 else f"were {count or 'none'}"
    assert f"laughs, screams and noises there {said}." in " ".join(words)


def test_the_readme_says_what_is_left_in_a_corpus_never_heard():
    metrics = json.loads((ROOT / "models" / "whisper-cnn" / "metrics.json").read_text(encoding="utf-8"))
    left = {name: parts["common"]["accuracy"]["value"] for name, parts in metrics["left_out"].items()}
    assert min(left, key=left.get) == "crema-d" and max(left, key=left.get) == "tess" and len(left) == 4
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{left['crema-d']:.2f} (CREMA-D) to {left['tess']:.2f} (TESS)" in text


def test_the_readme_says_how_many_angry_clips_are_heard():
    with (MODEL / "test-predictions.csv").open(encoding="utf-8", newline="") as file:
        angry = [row for row in csv.DictReader(file) if row["emotion"] == "angry"]
    heard = sum(row["speech"] == "1" for row in angry)
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"in {heard} of the {len(angry)} angry clips" in text
