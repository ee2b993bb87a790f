"""Blipper's errors: one small tree, and every message names the culprit and what is accepted."""


class BlipperError(Exception):
    """Base class of every error that Blipper raises on purpose."""


class AudioError(BlipperError):
    """A recording that cannot be read, or lies outside what Blipper accepts."""


class ModelError(BlipperError):
    """A model that is missing, damaged, or does not fit its own description."""


class DatasetError(BlipperError):
    """A corpus folder that is not laid out as its reader expects."""


class TranscriptError(BlipperError):
    """A transcript that cannot be read, or a recogniser that cannot be had."""


class SettingsError(BlipperError, ValueError):
    """A setting outside its domain."""


class ExportError(BlipperError):
    """A format that cannot hold an analysis, for want of what it is made of."""


class BatchError(BlipperError):
    """A batch that cannot go on: its output, its workers or its cluster."""


class Cancelled(BlipperError):
    """Raised out of a progress callback to stop the work that reported the progress."""


class LibraryError(BlipperError):
    """A library that cannot be opened, read or written, or is asked for what it does not hold."""
