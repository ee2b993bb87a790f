"""What a reader of the result has to know about how a recording was decoded."""

from __future__ import annotations

import math
from typing import Final

from blipper.audio.intake import Intake
from blipper.audio.limits import clock
from blipper.audio.reading import Reader
from blipper.recording import Notice

#: Encoders pad and trim by up to some hundred milliseconds.
_SLACK_SECONDS: Final = 0.25

#: And what a length loses by rounding, relative to it.
_SLACK_SHARE: Final = 0.001

#: Share of samples beyond full scale up to which cutting them off cannot be heard.
_FEW: Final = 0.001


def decoding_notices(reader: Reader, seconds: float, *, is_cut: bool) -> tuple[Notice, ...]:
    """Return what the decoder and the container tell.

    Parameters
    ----------
    reader : Reader
        Read to its end.
    seconds : float
        Length of what was decoded.
    is_cut : bool
        Whether the file ends before its own structure does.
    """
    notices = []
    promised = reader.promised_seconds
    slack = _SLACK_SECONDS + _SLACK_SHARE * (promised or 0)
    if reader.is_broken or is_cut or (promised is not None and seconds < promised - slack):
        stated = f" Its header states {clock(promised)}." if promised and promised > seconds + slack else ""
        notices.append(
            Notice(
                "truncated",
                f"The file is cut off or damaged: {clock(seconds)} could be decoded.{stated} Only these were "
                "analysed.",
            )
        )
    elif promised is not None and seconds > promised + slack:
        notices.append(
            Notice(
                "duration-mismatch",
                f"The header states {clock(promised)}, but the file holds {clock(seconds)}; all of it was "
                "analysed. The recording may not have been finished properly.",
                "info",
            )
        )
    if reader.n_damaged:
        packets = "1 packet" if reader.n_damaged == 1 else f"{reader.n_damaged:,} packets"
        notices.append(
            Notice(
                "damaged", f"{packets} could not be decoded; silence stands for the longer gaps they left."
            )
        )
    elif reader.filled_seconds > 0:
        notices.append(
            Notice(
                "gaps-filled",
                f"Nothing was recorded for {clock(reader.filled_seconds)} in all; silence stands there, so "
                "that the times stay right.",
                "info",
            )
        )
    if reader.n_tracks > 1:
        notices.append(
            Notice(
                "several-tracks",
                f"The file has {reader.n_tracks} sound tracks; only its main one was analysed.",
            )
        )
    return tuple(notices)


def sample_notices(intake: Intake, *, kept_apart: bool) -> tuple[Notice, ...]:
    """Return what the samples themselves tell.

    Parameters
    ----------
    intake : Intake
    kept_apart : bool
        Whether several channels were kept apart as separate speakers.
    """
    notices = []
    if intake.n_beyond:
        share = intake.n_beyond / (intake.n_frames * intake.n_channels)
        level = 20 * math.log10(intake.peak)
        shown = f"{100 * share:.2g} %" if share >= 5e-5 else "Less than 0.01 %"
        notices.append(
            Notice(
                "beyond-full-scale",
                f"{shown} of the samples lay beyond full scale, by up to {level:.1f} dB, and were cut off "
                "there.",
                "warning" if share > _FEW else "info",
            )
        )
    if kept_apart and intake.phase is not None and intake.phase.is_identical:
        notices.append(
            Notice(
                "identical-channels",
                "Both channels carry the same sound, so they are not two speakers kept apart.",
                "info",
            )
        )
    return tuple(notices)
