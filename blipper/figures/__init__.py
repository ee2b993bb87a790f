"""Plotly figures of recordings and results."""

from blipper.figures.palette import EMOTION_COLOURS, EMOTION_PATTERNS, OKABE_ITO

__all__ = ["EMOTION_COLOURS", "EMOTION_PATTERNS", "OKABE_ITO"]
