"""The README's figures are those of the weights that ship."""

import json

from tests.conftest import ROOT
from tools.readme_figures import END, MODEL, START, render


def test_the_readme_shows_what_metrics_json_says():
    section = (ROOT / "README.md").read_text(encoding="utf-8").split(START)[1].split(END)[0]
    metrics = json.loads((MODEL / "metrics.json").read_text(encoding="utf-8"))
    assert section == render(metrics)
    assert f"{metrics['test']['common']['accuracy']['value']:.3f}" in section


def test_none_of_the_held_out_sounds_raised_an_alarm():
    """The README says so in words."""
    alarms = json.loads((MODEL / "metrics.json").read_text(encoding="utf-8"))["false_alarms"]
    for name, found in alarms.items():
        if name.startswith(("noise", "coughing", "laughing")):
            assert found["alarms"] == 0, name
