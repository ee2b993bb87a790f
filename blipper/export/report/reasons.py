"""Why the strongest stretches scored as they did: the window at each one's peak, and the words, explained.

Integrated gradients over the model's own input (:mod:`blipper.explain.voice`), put into words that are never
surer than completeness and stability allow (:mod:`blipper.explain.wording`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from blipper.errors import ModelError
from blipper.export.report.content import strongest
from blipper.export.report.figures import Chart, chart
from blipper.export.report.word_reasons import explain_words_of
from blipper.export.writer import Sound
from blipper.results import Analysis
from blipper.wording import moment

if TYPE_CHECKING:
    from blipper.explain.attribution import Attribution

#: Events that are explained at most; each takes about a second and a fifth of a megabyte.
MOST: Final = 3

HOW: Final = (
    "For the {count} with the highest scores: what in the sound moved the score at the peak, compared with "
    "neutral speech, by integrated gradients on what the model hears. Vermillion raises the score, blue "
    "lowers it; grey is the sound itself. This says what moved the model, not what somebody feels or means."
)
NOT_AT_HAND: Final = (
    "This report was made without the sound or the model at hand, so no score is explained; 'blipper analyze "
    "FILE --output report.html' and the Review page explain the strongest stretches."
)
OTHER_MODEL: Final = (
    "The model that gave these scores is not the one that is at hand now, so no score is explained."
)


@dataclass(frozen=True)
class Reason:
    """One event's explanation."""

    heading: str
    sentence: str
    certainty: str
    chart: Chart
    words: str = ""


@dataclass(frozen=True)
class Reasons:
    """The section: what it says first, and the explanations."""

    note: str
    events: tuple[Reason, ...] = ()


def explain_events(analysis: Analysis, sound: Sound | None) -> Reasons | None:
    """Explain the events with the highest scores.

    Returns
    -------
    Reasons or None
        None where there is no event; without explanations, but with the cause, where they cannot be made.
    """
    numbers = strongest(analysis)[:MOST]
    if not numbers:
        return None
    if sound is None or sound.model is None:
        return Reasons(NOT_AT_HAND)
    if sound.model.info.sha256 != analysis.model.sha256:
        return Reasons(OTHER_MODEL)
    found = []
    for done, number in enumerate(numbers):
        sound.progress("explain", done, len(numbers))
        try:
            found.append(_reason(analysis, sound, number))
        except ModelError as error:  # a model without a background of neutral speech
            return Reasons(f"No score is explained: {error}")
    sound.progress("explain", len(numbers), len(numbers))
    return Reasons(
        HOW.format(count="stretch" if len(found) == 1 else f"{len(found)} stretches"), tuple(found)
    )


def _reason(analysis: Analysis, sound: Sound, number: int) -> Reason:
    from blipper.explain.check import stability
    from blipper.explain.choice import choose
    from blipper.explain.voice import explain
    from blipper.explain.wording import tell

    assert sound.model is not None
    event = analysis.events[number - 1]
    choice = choose(analysis, at=event.peak_time, channel=event.channel)
    attribution = explain(sound.recording, choice.windows, sound.model, channel=choice.channel)
    stable = stability(sound.recording, attribution, sound.model, channel=choice.channel)
    told = tell(attribution, stable)
    window = choice.windows[0]
    return Reason(
        heading=f"Event {number}: {moment(window.start)} to {moment(window.end)}",
        sentence=told.sentence,
        certainty=f"Certainty {told.certainty}: {told.reason}",
        chart=_chart(number, attribution),
        words=explain_words_of(analysis, sound, event),
    )


def _chart(number: int, attribution: Attribution) -> Chart:
    from blipper.figures.explain import attribution_figure

    figure = attribution_figure(attribution)
    for trace in figure.data:  # half the bytes, and no second copy of the map for the hover
        if trace.type == "heatmap":
            trace.z = _single(trace.z)
            trace.x = _single(trace.x)
            trace.customdata = None
            trace.hovertemplate = "%{x:.2f} s: contribution %{z:+.4f} log-odds<extra></extra>"
    figure.data[0].hovertemplate = None
    label = f"What in the sound raised or lowered the score of event {number}, over time and frequency"
    return chart(f"event-{number}", label, figure)


def _single(values: Any) -> Any:
    return np.asarray(values, dtype=np.float32)
