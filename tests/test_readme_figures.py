"""The README's figures are those of the weights that ship."""

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
    assert f"laughs, screams and noises there was {count}." in " ".join(words)
