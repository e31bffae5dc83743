"""`messages.tts`: replies as speech."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from homarus.config.base import Section, Text, section
from homarus.config.secret import Secret


class SpeechOverrides(Section):
    """What the model may choose itself."""

    enabled: bool = True
    """Turns this feature on or off."""
    allow_text: bool | None = None
    """The spoken text."""
    allow_provider: bool = False
    """The service."""
    allow_voice: bool | None = None
    """The voice."""
    allow_model_id: bool | None = None
    """The model."""
    allow_voice_settings: bool | None = None
    """Voice settings."""
    allow_normalization: bool | None = None
    """Text normalisation."""
    allow_seed: bool | None = None
    """The seed."""


class SpeechProvider(Section):
    """Settings of one speech service; its own keys are kept as they are."""

    model_config = ConfigDict(extra="allow")

    api_key: Secret | None = None
    """Secret for the service."""


class Speech(Section):
    """Text-to-speech settings."""

    auto: Literal["off", "always", "inbound", "tagged"] = "off"
    """When replies are spoken."""
    enabled: bool | None = None
    """Turns this feature on or off."""
    mode: Literal["final", "all"] = "final"
    """Only the final reply, or all of it."""
    provider: Text | None = None
    """Provider id."""
    summary_model: str | None = None
    """Model that shortens long replies."""
    model_overrides: SpeechOverrides = section()
    """What the model may choose itself."""
    providers: dict[str, SpeechProvider] = section()
    """Settings per service."""
    prefs_path: str | None = None
    """File of user preferences."""
    max_text_length: Annotated[int, Field(ge=1)] = 4096
    """Most characters spoken."""
    timeout_ms: Annotated[int, Field(ge=1000, le=120000)] = 30_000
    """Time limit, milliseconds."""
