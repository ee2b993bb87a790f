"""An explanation in plain words, made from its numbers and never surer than they allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from blipper.explain.attribution import Attribution

Certainty = Literal["good", "fair", "poor"]

#: Ranges that people can hear apart, in Hz: the voice's lowest tones, then what its timbre is made of.
RANGES: Final = ((0.0, 300.0), (300.0, 900.0), (900.0, 2000.0), (2000.0, 4000.0), (4000.0, 8000.0))
#: A completeness error below the first share is good, above the second poor.
COMPLETENESS: Final = (0.05, 0.15)
#: A correlation with the explanation of the slightly shifted sound above the first is good, below the second
#: poor.
STABILITY: Final = (0.85, 0.6)
#: Share of what one range or moment must carry before a sentence names it.
NAMED: Final = 0.35
#: Share of the time in which most of a range's contributions lie must be below this for times to be named.
BRIEF: Final = 0.45
#: Decibels by which a range must differ from neutral speech before a sentence says so.
AUDIBLE: Final = 1.5


@dataclass(frozen=True)
class Told:
    """An explanation in words.

    Parameters
    ----------
    sentence : str
        What moved the score, in plain English.
    certainty : {"good", "fair", "poor"}
    reason : str
        Why no surer, or what makes it sure.
    """

    sentence: str
    certainty: Certainty
    reason: str


def tell(attribution: Attribution, stability: float | None = None) -> Told:
    """Put an explanation into words.

    Parameters
    ----------
    attribution : Attribution
    stability : float, optional
        Correlation with the explanation of the same sound, cut a little later; see
        :func:`blipper.explain.check.stability`.

    Returns
    -------
    Told
    """
    certainty, reason = judge(attribution, stability)
    direction = np.sign(attribution.difference) or 1.0
    what = "how angry the voice sounds" if attribution.target == "aggression" else f'"{attribution.target}"'
    here, base = attribution.score, attribution.base_score
    moved = "raises" if direction > 0 else "lowers"
    start = (
        f"Compared with neutral speech, the sound {moved} the score for {what} from {base:.2f} to {here:.2f}"
    )
    if abs(attribution.difference) < 0.25:
        return Told(
            f"The score for {what} is {here:.2f}, about that of neutral speech ({base:.2f}); nothing in the "
            "sound moves it much.",
            certainty,
            reason,
        )
    if certainty == "poor":
        return Told(f"{start}. What in the sound does so cannot be told apart reliably.", certainty, reason)
    detail = _detail(attribution)
    hedge = "" if certainty == "good" else "probably "
    return Told(f"{start}; {hedge}{detail}.", certainty, reason)


def judge(attribution: Attribution, stability: float | None = None) -> tuple[Certainty, str]:
    """Say how far an explanation can be trusted, and why.

    Parameters
    ----------
    attribution : Attribution
    stability : float, optional

    Returns
    -------
    certainty : {"good", "fair", "poor"}
        The worst of completeness, random draws and stability.
    reason : str
    """
    spread = attribution.uncertainty / max(abs(attribution.difference), 0.25)
    error = attribution.relative_error
    grades: list[tuple[int, str]] = [
        (
            _grade(error, *COMPLETENESS),
            f"the contributions add up to the score's difference within {100 * error:.1f} %",
        )
    ]
    if spread:
        drawn = f"twice the standard error of the random draws is {200 * spread:.1f} % of it"
        grades.append((_grade(2 * spread, *COMPLETENESS), drawn))
    if stability is not None:
        verb = "leaves the map alike" if stability >= STABILITY[1] else "changes the map"
        grades.append(
            (
                _grade(-stability, -STABILITY[0], -STABILITY[1]),
                f"moving the window by a few hundredths of a second {verb} (correlation {stability:.2f})",
            )
        )
    worst = max(grade for grade, _ in grades)
    names: tuple[Certainty, ...] = ("good", "fair", "poor")
    text = "; ".join(reason for _, reason in grades)
    if stability is None:
        text += "; how stable the map is was not tested"
        worst = max(worst, 1)
    return names[worst], text[0].upper() + text[1:] + "."


def shares(attribution: Attribution) -> list[tuple[float, float, float]]:
    """Sum the contributions of each of :data:`RANGES`.

    Returns
    -------
    list of (low, high, contribution)
        Hz and log-odds; together all of the attribution's total.
    """
    profile, bands = attribution.band_profile, attribution.bands
    found = []
    for low, high in RANGES:
        last = high == RANGES[-1][1]
        inside = (bands >= low) & ((bands < high) | last)
        found.append((low, high, float(profile[inside].sum())))
    return found


def busiest(attribution: Attribution, low: float, high: float, share: float = 0.6) -> tuple[float, float]:
    """Return the shortest stretch of time that holds a share of a range's contributions.

    Parameters
    ----------
    attribution : Attribution
    low, high : float
        Hz.
    share : float
        Of the contributions that point the way of the whole difference.

    Returns
    -------
    start, end : float
        Seconds from the recording's start.
    """
    profile = _range_over_time(attribution, low, high)
    direction = np.sign(attribution.difference) or 1.0
    gains = np.concatenate([[0.0], np.cumsum(np.clip(profile * direction, 0, None))])
    wanted = share * gains[-1]
    ends = np.searchsorted(gains, gains + wanted - 1e-12)
    lengths = np.where(ends < len(gains), ends - np.arange(len(gains)), len(gains))
    first = int(lengths.argmin())
    last = min(first + int(lengths[first]), len(profile))
    return attribution.start + first * attribution.step, attribution.start + last * attribution.step


@dataclass(frozen=True)
class Main:
    """The range of frequencies that gives the largest part of a difference.

    Parameters
    ----------
    low, high : float
        Hz.
    start, end : float or None
        Seconds of the stretch that holds most of it; None where it lies all along.
    to_the_end : bool
        Whether that stretch lasts to the end of what is explained.
    part : float
        Its share of what points the way of the difference, in [0, 1].
    louder : float or None
        Decibels by which it is stronger there than in neutral speech; None where nothing was heard.
    """

    low: float
    high: float
    start: float | None
    end: float | None
    to_the_end: bool
    part: float
    louder: float | None

    @property
    def name(self) -> str:
        """The range, for a sentence."""
        return f"below {self.high:.0f} Hz" if self.low == 0 else f"{self.low:.0f} to {self.high:.0f} Hz"

    @property
    def level(self) -> str | None:
        """How its level differs from neutral speech, for a sentence; None where it does not audibly."""
        if self.louder is None or abs(self.louder) < AUDIBLE:
            return None
        return "stronger" if self.louder > 0 else "weaker"


def main_range(attribution: Attribution) -> Main | None:
    """Return the range that gives the largest part of an explanation; None where none stands out."""
    direction = np.sign(attribution.difference) or 1.0
    total = sum(max(0.0, value * direction) for *_, value in shares(attribution))
    low, high, value = max(shares(attribution), key=lambda item: item[2] * direction)
    if total <= 0 or value * direction / total < NAMED:
        return None
    start, end = busiest(attribution, low, high)
    brief = end - start <= BRIEF * (attribution.end - attribution.start)
    inside = (attribution.bands >= low) & (attribution.bands < high)
    first = int((start - attribution.start) / attribution.step)
    last = max(first + 1, round((end - attribution.start) / attribution.step))
    heard = attribution.inputs[first:last][:, inside]
    louder = None if np.isnan(heard).all() else float(np.nanmean(heard) - attribution.neutral[inside].mean())
    return Main(
        low,
        high,
        start if brief else None,
        end if brief else None,
        _lasts(attribution, low, high, start),
        value * direction / total,
        louder,
    )


def _lasts(attribution: Attribution, low: float, high: float, start: float) -> bool:
    """Say whether a range's contributions begin about `start` and go on to the end of what is explained."""
    direction = np.sign(attribution.difference) or 1.0
    pushes = np.clip(_range_over_time(attribution, low, high) * direction, 0, None)
    gains = np.cumsum(pushes) / max(float(pushes.sum()), 1e-12)
    first = round((start - attribution.start) / attribution.step)
    before = float(gains[first - 1]) if first > 0 else 0.0
    return before <= 0.1 and int(np.searchsorted(gains, 0.95)) >= 0.9 * len(gains)


def _detail(attribution: Attribution) -> str:
    found = main_range(attribution)
    if found is None:
        return "many bands share in it, and none stands out"
    when = "all along" if found.start is None else f"between {found.start:.1f} and {found.end:.1f} s"
    text = f"the largest part of that ({100 * found.part:.0f} %) comes from {found.name}, {when}"
    if found.louder is None:
        return text
    if found.level is None:
        return text + ", by how it changes there and not by its level"
    return f"{text}, where the sound is {found.level} than in neutral speech"


def _range_over_time(attribution: Attribution, low: float, high: float) -> NDArray[np.floating[Any]]:
    inside = (attribution.bands >= low) & (attribution.bands < high)
    profile = attribution.values[:, inside].sum(axis=1)
    width = max(1, round(0.1 / attribution.step))
    smoothed: NDArray[np.floating[Any]] = np.convolve(profile, np.ones(width) / width, mode="same")
    return smoothed


def _grade(value: float, good: float, poor: float) -> int:
    return 0 if value <= good else (1 if value <= poor else 2)
