"""The fused curve as JSON values, both ways.

``{"prior", "aggression", "voice", "words", "words_score"}`` on the grid of the voice's curve beside it; lists
with ``null`` where there is no value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from blipper.export.reader import Reader
from blipper.fused import FusedCurve
from blipper.results import Curve, Float

_ARRAYS: Final = ("aggression", "voice", "words", "words_score")


def fused_to_dict(fused: FusedCurve, array: Callable[[Float, str], list[Any]]) -> dict[str, Any]:
    """Return a fused curve as plain JSON values.

    Parameters
    ----------
    fused : FusedCurve
    array : callable
        ``array(numbers, where)``: numbers as a list without NaN.
    """
    return {
        "prior": float(fused.prior),
        **{name: array(getattr(fused, name), f"fused.{name}") for name in _ARRAYS},
    }


def fused_from(track: Reader, curve: Curve) -> FusedCurve | None:
    """Rebuild a track's fused curve; None where it has none, as in files from before there was fusion.

    Raises
    ------
    ValueError
        If a key is missing, of the wrong kind, or of another length than the voice's curve.
    """
    if track.data.get("fused") is None:
        return None
    fused = track.child("fused")
    arrays = {name: fused.array(name, rows=len(curve.times)) for name in _ARRAYS}
    return FusedCurve(step=curve.step, times=curve.times, prior=fused.number("prior"), **arrays)
