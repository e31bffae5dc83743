"""Cuts a tool's text to what a model is given: the beginning and the end, and how much is missing."""

from __future__ import annotations

MAX_OUTPUT = 40_000  # characters
MAX_TAIL = 10_000


def bound_text(text: str, limit: int = MAX_OUTPUT) -> str:
    """Return the text, at most about `limit` characters of it."""
    if len(text) <= limit:
        return text
    tail = min(MAX_TAIL, limit // 4)
    missing = len(text) - limit
    return f"{text[: limit - tail]}\n[... {missing} characters left out ...]\n{text[-tail:]}"
