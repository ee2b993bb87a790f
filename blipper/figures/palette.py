"""Colours, patterns and dashes that every chart of Blipper shares.

Each emotion has a colour *and* a fill pattern, so a chart can be read without colour vision and in print.
The colours are the palette of Okabe and Ito (2008, "Color Universal Design"), with a grey in place of its
black, because black vanishes on a dark page. Yellow, orange and sky blue fall short of a contrast of 3 : 1 on
a white page (1.3, 2.3, 2.3), so they only ever fill areas; lines take the colours that reach 3 : 1 on both
light and dark pages: blue, vermillion, bluish green, reddish purple and grey.
"""

from __future__ import annotations

from typing import Final

#: Okabe and Ito's palette by name; grey stands for their black.
OKABE_ITO: Final[dict[str, str]] = {
    "grey": "#8C8C8C",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "bluish green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "reddish purple": "#CC79A7",
}

#: Colour of each emotion of :data:`blipper.voice.labels.EMOTIONS`.
EMOTION_COLOURS: Final[dict[str, str]] = {
    "neutral": OKABE_ITO["grey"],
    "calm": OKABE_ITO["sky blue"],
    "happy": OKABE_ITO["yellow"],
    "sad": OKABE_ITO["blue"],
    "angry": OKABE_ITO["vermillion"],
    "fear": OKABE_ITO["reddish purple"],
    "disgust": OKABE_ITO["bluish green"],
    "surprise": OKABE_ITO["orange"],
}

#: Plotly fill pattern of each emotion (``""`` is a plain fill); no two emotions share one.
EMOTION_PATTERNS: Final[dict[str, str]] = {
    "neutral": "",
    "calm": "-",
    "happy": ".",
    "sad": "|",
    "angry": "/",
    "fear": "x",
    "disgust": "\\",
    "surprise": "+",
}

#: The aggression curve, its threshold, the events and the speech beneath it.
CURVE_COLOUR: Final = OKABE_ITO["vermillion"]
THRESHOLD_COLOUR: Final = OKABE_ITO["grey"]
EVENT_COLOUR: Final = OKABE_ITO["vermillion"]
SPEECH_COLOUR: Final = OKABE_ITO["sky blue"]
#: The two sides of a fused curve; their lines are dashed unlike each other and unlike the threshold.
VOICE_COLOUR: Final = OKABE_ITO["blue"]
WORDS_COLOUR: Final = OKABE_ITO["reddish purple"]
SIGNAL_COLOUR: Final = OKABE_ITO["blue"]
PITCH_COLOUR: Final = OKABE_ITO["bluish green"]
ENERGY_COLOUR: Final = OKABE_ITO["reddish purple"]

#: Perceptually even scales that read the same with any colour vision and in grey.
LEVEL_SCALE: Final = "Viridis"
FEATURE_SCALE: Final = "Cividis"
