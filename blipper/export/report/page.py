"""The report as one HTML file.

Everything is inside: the style, Plotly's script (4.6 MB of the file), the figures' data. A
Content-Security-Policy names the hashes of the two scripts and allows nothing else to run or to load, so even
markup that slipped through the template's escaping could do nothing. Text from the recording (names,
transcript) goes through that escaping alone and stands in elements that keep its direction to itself.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources
from typing import Any

from blipper.export.report import content, figures
from blipper.export.report.reasons import explain_events
from blipper.export.text import encodable, one_line
from blipper.export.writer import Sound, Writer
from blipper.fusion import hostile_from
from blipper.results import Analysis
from blipper.settings import Settings
from blipper.speakers.talk import talk
from blipper.wording import length, summary_sentence, trend_sentence


def report_html(analysis: Analysis, sound: Sound | None = None) -> str:
    """Return the report of an analysis.

    Parameters
    ----------
    analysis : Analysis
    sound : Sound, optional
        The recording, for its waveform, and with the model for an explanation of the strongest events.

    Returns
    -------
    str
        A whole HTML document.
    """
    from markupsafe import Markup

    channels = []
    fused = any(track.fused is not None for track in analysis.tracks)
    for channel, track in enumerate(analysis.tracks):
        charts = [figures.timeline_chart(analysis, channel)]
        if sound is not None:
            charts.insert(0, figures.waveform_chart(sound.recording, channel))
        spoken = {"speech": length(track.speech_seconds), "trend": trend_sentence(track.trend)}
        channels.append({**content.channel_content(analysis, channel), **spoken, "charts": charts})
    reasons = explain_events(analysis, sound)
    summed = talk(analysis)
    spoken_by = None if summed is None else figures.talk_chart(analysis, summed)
    plotly, draw = _plotly(), _file("draw.js")
    strongest = content.strongest(analysis)
    # Plotly's own code and this package's files are the only markup that is not escaped.
    page: str = _template().render(
        analysis=analysis,
        name=one_line(analysis.provenance.name),
        sentence=summary_sentence(analysis),
        policy=_policy(plotly, draw),
        style=Markup(_file("page.css")),
        plotly=Markup(plotly),
        draw=Markup(draw),
        notices=analysis.notices,
        channels=channels,
        charts=[
            *(chart for channel in channels for chart in channel["charts"]),
            *((spoken_by,) if spoken_by else ()),
            *(reason.chart for reason in (reasons.events if reasons else ())),
        ],
        reasons=reasons,
        events=content.event_rows(analysis),
        strongest=strongest[0] if strongest else None,
        balance=Settings.from_dict(analysis.settings).balance if fused else None,
        hostile=max(hostile_from(track.transcript) for track in analysis.tracks),
        fused=fused,
        speakers_known=any(track.turns for track in analysis.tracks),
        talk=None if summed is None else content.talk_content(summed),
        talk_chart=spoken_by,
        transcripts=content.transcript_contents(analysis),
        limits=content.LIMITS,
        facts=content.facts(analysis),
    )
    return encodable(page)


def _policy(*scripts: str) -> str:
    """Return a policy under which only these scripts run, and nothing is loaded from anywhere."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    # Plotly styles its charts by style attributes and a style element of its own.
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@functools.cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    if "</script" in script.lower() or "\r" in script:
        raise RuntimeError("Plotly's script cannot stand inside a page as it is")  # a new version would
    return script


@functools.cache
def _file(name: str) -> str:
    return resources.files("blipper.export.report").joinpath(name).read_text("utf-8")


@functools.cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["score"] = lambda value: "–" if value is None else f"{value:.2f}"
    return environment.from_string(_file("page.html.jinja"))


WRITER = Writer(
    name="html",
    extension=".html",
    media_type="text/html; charset=utf-8",
    description="a report in one file for any browser, to read, print or keep",
    write=report_html,
    write_with=report_html,
)
