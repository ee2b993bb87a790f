"""Every setting that changes a number in an analysis, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from blipper.errors import SettingsError
from blipper.fusion import BALANCE, SMOOTHING, STEP, SURROUNDINGS, EventSettings
from blipper.fusion.combining import check_balance
from blipper.fusion.surroundings import check_surroundings
from blipper.speech import SpeechSettings
from blipper.voice.windows import HOP, WINDOW

Channels = Literal["mix", "separate"]
Speakers = Literal["off", "guess"]


@dataclass(frozen=True)
class Settings:
    """How a recording is analysed.

    Parameters
    ----------
    channels : {"mix", "separate"}
        Mix all channels down to one, or keep them apart as separate speakers.
    window, hop : float
        Length of the model's windows and the step between them, in seconds; 0.5 to 10 s, and 0.1 s to
        `window`.
    step, smoothing : float
        Grid of the curve, and the standard deviation of its Gaussian smoothing, in seconds; 0.1 to 10 s.
    surroundings : float
        Seconds, 0 to 10, over which what surrounds a score counts less by a factor e; 0 leaves it out. A
        live curve comes three times as late; see :mod:`blipper.fusion.surroundings`.
    threshold : float, optional
        Score in (0, 1] from which a stretch is marked; the model's documented threshold unless given.
    release : float, optional
        Score below which an event closes; see :class:`blipper.fusion.EventSettings`.
    rise, min_duration, bridge : float
        How long before the threshold an event may begin, the shortest event, and the longest gap inside one,
        in seconds; 0 to 3600 s.
    speech : SpeechSettings
    transcript : str
        What writes down the words: ``"none"``, ``"auto"``, ``"whisper:SIZE"``, ``"pocketsphinx"``, or the
        path of a transcript, of which a result keeps the file's name alone.
    text_model : str
        What reads the words of a transcript for sentiment and verbal aggression: ``"built-in"``, ``"none"``,
        or models by name or folder, see :mod:`blipper.words.text_names`. Of a folder a result keeps the last
        part alone.
    language : str, optional
        ISO 639-1 code of what is spoken; the engine's own guess unless given.
    balance : float
        How much words count beside the voice, in [0, 1]: 0 is the voice alone, 0.5 counts both alike, 1 is
        the words alone where there are any; see :mod:`blipper.fusion.combining`.
    speakers : {"off", "guess"}
        Whether to guess who speaks in a recording of one channel; see :mod:`blipper.speakers.guess`.
    speaker_count : int, optional
        How many speakers a guess may name at most, 1 to 20; its own unless given.
    """

    channels: Channels = "mix"
    window: float = WINDOW
    hop: float = HOP
    step: float = STEP
    smoothing: float = SMOOTHING
    surroundings: float = SURROUNDINGS
    threshold: float | None = None
    release: float | None = None
    rise: float = EventSettings.rise
    min_duration: float = EventSettings.min_duration
    bridge: float = EventSettings.bridge
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    transcript: str = "none"
    text_model: str = "built-in"
    language: str | None = None
    balance: float = BALANCE
    speakers: Speakers = "off"
    speaker_count: int | None = None

    def __post_init__(self) -> None:
        """Check the domains."""
        if self.channels not in ("mix", "separate"):
            raise SettingsError(f"channels is {self.channels!r}, expected 'mix' or 'separate'")
        if not 0.5 <= self.window <= 10:
            raise SettingsError(f"the window is {self.window} s, expected 0.5 to 10 s")
        if not 0.1 <= self.hop <= self.window:
            raise SettingsError(f"the hop is {self.hop} s, expected 0.1 s to the window's {self.window} s")
        for name in ("step", "smoothing"):
            if not 0.1 <= getattr(self, name) <= 10:
                raise SettingsError(f"the curve's {name} is {getattr(self, name)} s, expected 0.1 to 10 s")
        check_surroundings(self.surroundings)
        if not isinstance(self.transcript, str) or not self.transcript:
            raise SettingsError(
                f"the transcript is {self.transcript!r}, expected 'none', an engine or a path"
            )
        if not isinstance(self.text_model, str) or not self.text_model:
            raise SettingsError(
                f"the text_model is {self.text_model!r}, expected 'none', 'built-in', a name or a folder"
            )
        if self.language is not None and not (2 <= len(self.language) <= 3 and self.language.islower()):
            raise SettingsError(f"the language is {self.language!r}, expected an ISO 639-1 code such as 'en'")
        check_balance(self.balance)
        if self.speakers not in ("off", "guess"):
            raise SettingsError(f"speakers is {self.speakers!r}, expected 'off' or 'guess'")
        if self.speaker_count is not None and not 1 <= self.speaker_count <= 20:
            raise SettingsError(f"the speaker_count is {self.speaker_count}, expected 1 to 20")
        if self.threshold is not None:
            self.events(self.threshold)  # checks the rest
        else:
            EventSettings(rise=self.rise, min_duration=self.min_duration, bridge=self.bridge)

    def events(self, default_threshold: float) -> EventSettings:
        """Return what counts as an event.

        Parameters
        ----------
        default_threshold : float
            The model's own, taken where no threshold is set.
        """
        return EventSettings(
            onset=default_threshold if self.threshold is None else self.threshold,
            release=self.release,
            rise=self.rise,
            min_duration=self.min_duration,
            bridge=self.bridge,
        )

    def with_threshold(self, threshold: float) -> Settings:
        """Return a copy with another threshold, and a release that still fits below it."""
        release = None if self.release is None else min(self.release, threshold)
        return replace(self, threshold=threshold, release=release)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """Rebuild settings from :meth:`to_dict`'s output.

        Raises
        ------
        SettingsError
            If a setting is unknown or outside its domain.
        """
        fields = dict(values)
        try:
            speech = SpeechSettings(**fields.pop("speech", {}))
            return cls(**fields, speech=speech)
        except TypeError as error:
            raise SettingsError(f"these are not Blipper's settings: {error}") from error
