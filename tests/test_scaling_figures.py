"""The figures in docs/scaling.md are those that the benchmark saved."""

import json

from tests.conftest import ROOT
from tools.scaling_figures import DOCUMENT, END, RESEARCH, RESULTS, START, render, render_cost


def test_the_document_shows_what_the_benchmark_saved():
    section = DOCUMENT.read_text(encoding="utf-8").split(START)[1].split(END)[0]
    result = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert section == render(result)
    assert f"**{result['blipper']['x_real_time']:,.0f}**" in section
    assert ("Other work was running" in section) == (
        result["machine"]["load_average_at_start"][0] > result["machine"]["cores"] / 2
    )


def test_the_research_notes_show_it_too():
    section = RESEARCH.read_text(encoding="utf-8").split(START)[1].split(END)[0]
    result = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert section == render_cost(result)
    result["blipper"]["x_real_time"] = 600.0
    assert "100,000 minutes take 2.8 hours" in render_cost(result)


def test_projections_follow_from_the_measured_rate():
    result = json.loads(RESULTS.read_text(encoding="utf-8"))
    result["blipper"]["x_real_time"] = 600.0
    section = render(result)
    assert "2.8 hours" in section  # 100,000 min / 600 / 60
    assert "116 days" in section  # 100,000,000 min / 600 / 60 / 24


def test_the_document_names_commands_that_there_are():
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in ("requirements-ray.txt", "benchmarks/batch.py", "tests/batch"):
        assert (ROOT / name).exists()
    for option in ("--engine ray", "--address", "--retry-failed", "--verify", "--memory-limit"):
        assert option in text
