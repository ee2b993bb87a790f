"""Who speaks when.

A recording whose channels were kept apart has one speaker a channel; see :func:`turns_of_channel`. Talk time,
interruptions and loudness are computed from the turns in :mod:`blipper.speakers.talk`. Times are seconds from
the recording's start, intervals half-open.
"""

from blipper.speakers.turns import Turn, turns_of_channel, with_levels

__all__ = ["Turn", "turns_of_channel", "with_levels"]
