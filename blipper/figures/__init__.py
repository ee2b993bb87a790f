"""Plotly figures of recordings and results: pure functions, from values to figures.

Convention: times are seconds from the recording's start and lie on one x axis per figure, so zooming one
panel zooms all. Backgrounds are transparent and no text colour is set, so a page's theme decides them; colour
scales are Viridis and Cividis, and what has a colour has a name, a pattern or a dash as well.
"""

from blipper.figures.comparison import Compared, comparison_figure, groups_figure, training_figure
from blipper.figures.datasets import counts_figure, coverage_figure, histogram_figure, spread_figure
from blipper.figures.evaluation import (
    confusion_figure,
    precision_recall_figure,
    reliability_figure,
    roc_figure,
)
from blipper.figures.evaluation_events import conditions_figure, corpora_figure, figure_of, scenes_figure
from blipper.figures.evaluation_words import bias_figure, checklist_figure, text_corpora_figure
from blipper.figures.palette import EMOTION_COLOURS, EMOTION_PATTERNS, OKABE_ITO
from blipper.figures.signal import VIEW_NAMES, VIEWS, SignalSettings, View, draw_signal, signal_figure
from blipper.figures.signal_data import Framing, Signal
from blipper.figures.signal_lanes import channel_signals, channels_that_fit, draw_channels
from blipper.figures.timeline import aggression_figure, emotions_figure, timeline_figure

__all__ = [
    "EMOTION_COLOURS",
    "EMOTION_PATTERNS",
    "OKABE_ITO",
    "VIEWS",
    "VIEW_NAMES",
    "Compared",
    "Framing",
    "Signal",
    "SignalSettings",
    "View",
    "aggression_figure",
    "bias_figure",
    "channel_signals",
    "channels_that_fit",
    "checklist_figure",
    "comparison_figure",
    "conditions_figure",
    "confusion_figure",
    "corpora_figure",
    "counts_figure",
    "coverage_figure",
    "draw_channels",
    "draw_signal",
    "emotions_figure",
    "figure_of",
    "groups_figure",
    "histogram_figure",
    "precision_recall_figure",
    "reliability_figure",
    "roc_figure",
    "scenes_figure",
    "signal_figure",
    "spread_figure",
    "text_corpora_figure",
    "timeline_figure",
    "training_figure",
]
