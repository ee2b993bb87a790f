"""From a file, bytes or an array to a :class:`blipper.recording.Recording`.

What is accepted is decided by the content and never by the extension: WAV, FLAC, OGG Vorbis, Opus, MP3
and AIFF are decoded by libsndfile; M4A/AAC, MP4, WebM, AMR and WMA by FFmpeg's libraries (through PyAV,
from memory or the open file, with no other file or address within reach). Decoding goes in blocks, which
are resampled as they come, and :class:`Limits` are enforced while it runs.
"""

from blipper.audio.arrays import from_samples
from blipper.audio.limits import ACCEPTED, Limits
from blipper.audio.loading import is_recording, load

__all__ = ["ACCEPTED", "Limits", "from_samples", "is_recording", "load"]
