"""Fusion: one aggression curve from voice and words, what each side gave, its events and its trend.

:mod:`.curve` smooths the voice's windows and takes in what surrounds them (:mod:`.surroundings`),
:mod:`.combining` adds the words (:mod:`.reliability` says how far each side can be relied on), :mod:`.events`
marks stretches and names the trend, :mod:`.cases` says which side carries a stretch. Times are seconds;
curves lie on a regular grid and are NaN where nobody speaks.
"""

from blipper.fusion.cases import HOSTILE, Carrier, Case, carrier, case_between, case_of, hostile_from
from blipper.fusion.combining import AGAINST, BALANCE, PRIOR, fuse, log_odds, weights
from blipper.fusion.curve import SMOOTHING, STEP, smooth, spoken_cells, window_weights
from blipper.fusion.events import EventSettings, find_events, trend
from blipper.fusion.reliability import sound_reliability, words_reliability
from blipper.fusion.surroundings import SURROUNDINGS, Surroundings

__all__ = [
    "AGAINST",
    "BALANCE",
    "HOSTILE",
    "PRIOR",
    "SMOOTHING",
    "STEP",
    "SURROUNDINGS",
    "Carrier",
    "Case",
    "EventSettings",
    "Surroundings",
    "carrier",
    "case_between",
    "case_of",
    "find_events",
    "fuse",
    "hostile_from",
    "log_odds",
    "smooth",
    "sound_reliability",
    "spoken_cells",
    "trend",
    "weights",
    "window_weights",
    "words_reliability",
]
