"""Why a run failed, in the words of version 4: `errorKind` and `errorDetail` of `chat` events (v4-differences §8)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from homarus.models.contract import Failed, FailureKind
from homarus.protocol.frames import JsonObject

MAX_TEXT: Final = 300
"""Characters of each text of a detail (ChatErrorDetail)."""
UNKNOWN: Final = "unknown"
_KINDS: Final[Mapping[FailureKind, str]] = MappingProxyType(
    {
        FailureKind.TIMEOUT: "timeout",
        FailureKind.RATE_LIMIT: "rate_limit",
        FailureKind.CONTEXT_OVERFLOW: "context_length",
    }
)
"""What clients tell apart; everything else is unknown to them."""
_REASONS: Final[Mapping[FailureKind, str]] = MappingProxyType(
    {
        FailureKind.AUTH: "auth",
        FailureKind.BILLING: "billing",
        FailureKind.RATE_LIMIT: "rate_limit",
        FailureKind.OVERLOADED: "overloaded",
        FailureKind.TIMEOUT: "timeout",
        FailureKind.BAD_REQUEST: "format",
    }
)
"""Reasons the protocol has a word for."""


def facts_of(failure: Failed | None) -> JsonObject:
    """Return `errorKind`, and `errorDetail` when it was the model that failed."""
    if failure is None:
        return {"errorKind": UNKNOWN}
    return {"errorKind": _KINDS.get(failure.kind, UNKNOWN), "errorDetail": _detail(failure)}


def _detail(failure: Failed) -> JsonObject:
    provider, _, model = failure.ref.partition("/")
    texts = {
        "provider": provider,
        "model": model,
        "failoverReason": _REASONS.get(failure.kind, UNKNOWN),
        "providerRuntimeFailureKind": str(failure.kind),
        "providerErrorType": failure.code,
        "providerErrorMessagePreview": failure.said,
    }
    detail: JsonObject = {name: text[:MAX_TEXT] for name, text in texts.items() if text}
    return detail if failure.status is None else {**detail, "httpStatus": failure.status}
