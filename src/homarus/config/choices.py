"""Choices several sections share: a model with fallbacks, thinking and typing levels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from homarus.config.base import Many, Section

ThinkingLevel = Literal["off", "minimal", "low", "medium", "high", "xhigh", "adaptive"]
TypingMode = Literal["never", "instant", "thinking", "message"]


class ModelChoice(Section):
    """A model and what is tried when it fails, each as provider/model or alias."""

    primary: str | None = None
    """Main model."""
    fallbacks: Many[str] = ()
    """Models tried next, in order."""


def _expand(value: object) -> object:
    return {"primary": value} if isinstance(value, str) else value


Choice = Annotated[ModelChoice, BeforeValidator(_expand, json_schema_input_type=str | ModelChoice)]
"""In the file a plain string stands for the primary model."""
