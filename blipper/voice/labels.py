"""The labels that voice models speak: one order, used by every array of emotion probabilities."""

from typing import Final

#: Column order of every array of emotion probabilities.
EMOTIONS: Final = ("neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise")

#: The six that RAVDESS, CREMA-D, SAVEE and TESS all have.
COMMON_EMOTIONS: Final = ("neutral", "happy", "sad", "angry", "fear", "disgust")
