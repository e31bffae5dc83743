"""`talk`: speaking with the assistant."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge
from pydantic import ConfigDict

from homarus.config.base import Section, Text, section
from homarus.config.secret import Secret


class TalkProvider(Section):
    """Settings of one speech service; its own keys are kept as they are."""

    model_config = ConfigDict(extra="allow")

    api_key: Secret | None = None
    """Secret for the service."""


class Talk(Section):
    """Talk mode settings."""

    model_config = ConfigDict(extra="allow")

    provider: Text | None = None
    """Provider id."""
    providers: dict[str, TalkProvider] = section()
    """Settings per service, over those of messages.tts.providers."""
    api_key: Secret | None = None
    """Secret of elevenlabs, in an old place."""
    interrupt_on_speech: bool | None = None
    """Stop speaking when the person does."""
    silence_timeout_ms: Annotated[int, Ge(1)] | None = None
    """Silence that ends what a person says, milliseconds."""
