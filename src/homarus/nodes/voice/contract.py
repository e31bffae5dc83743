"""What a speech provider is."""

from __future__ import annotations

from typing import Final, Protocol

from msgspec import Struct

from homarus.errors import UserError

MAX_AUDIO: Final = 16 * 1024 * 1024
"""Bytes of one utterance."""
MIME_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "webm": "audio/webm",
    "aac": "audio/aac",
    "flac": "audio/flac",
}
VOICE_FORMATS: Final = frozenset({"opus", "ogg"})
"""Formats that chat apps play as a voice note."""


class SpeechFailed(UserError):
    """A provider could not speak; `reason` is timeout, provider_error or not_configured (reference voice §3)."""

    def __init__(self, reason: str, message: str, fix: str | None = None) -> None:
        super().__init__(message, fix=fix)
        self.reason = reason


class Voicing(Struct, frozen=True):
    """How to speak; None leaves it to the provider's settings. `speed` 1.0 is normal.

    `is_note` asks for a format that chat apps play as a voice note; `format` names one.
    """

    voice: str | None = None
    model: str | None = None
    language: str | None = None
    speed: float | None = None
    format: str | None = None
    is_note: bool = False


class Speech(Struct, frozen=True):
    """Sound. `format` is mp3, opus, wav ...; `output_format` how the provider calls it."""

    audio: bytes
    provider: str
    format: str

    @property
    def mime_type(self) -> str | None:
        """Return its MIME type, None for raw samples."""
        return MIME_TYPES.get(self.format)

    @property
    def is_voice_note(self) -> bool:
        """Tell whether chat apps play it as a voice note."""
        return self.format in VOICE_FORMATS


class Provider(Protocol):
    """A way to speak. Made for each use, from the configuration in force."""

    @property
    def id(self) -> str:
        """Return the name in the configuration."""
        ...

    @property
    def label(self) -> str:
        """Return the name for people."""
        ...

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models that can be chosen."""
        ...

    @property
    def voices(self) -> tuple[str, ...]:
        """Return voices that can be chosen."""
        ...

    def missing(self) -> str | None:
        """Return what has to be set up before it can speak, None when nothing."""
        ...

    async def speak(self, text: str, voicing: Voicing) -> Speech:
        """Return sound; the caller bounds the time. Raises SpeechFailed."""
        ...
