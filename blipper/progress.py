"""Progress by callback: the library knows no screen."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Something that is told how far a piece of work has come.

    It may raise :class:`blipper.errors.Cancelled` to stop that work; whoever reports progress lets
    the exception through and leaves nothing half-written behind.
    """

    def __call__(self, step: str, completed: float, total: float) -> None:
        """Take a report.

        Parameters
        ----------
        step : str
            What is being done, as a short English noun: ``"decode"``, ``"speech"``, ``"voice"``.
        completed, total : float
            Done and to be done, in the step's own unit (seconds of audio, clips, epochs);
            ``0 <= completed <= total``.
        """


def silent(step: str, completed: float, total: float) -> None:
    """Take a progress report and do nothing with it."""
