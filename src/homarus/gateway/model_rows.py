"""Models as rows for clients (reference 02, ModelChoice; version 4: v4-differences §9.4)."""

from __future__ import annotations

from homarus.gateway.services import Services
from homarus.gateway.session_rows import thinking_options
from homarus.models.contract import ModelInfo
from homarus.protocol.frames import JsonObject


def model_rows(services: Services, provider: str | None = None) -> list[JsonObject]:
    """Return the models that can be used now, of one provider or of all."""
    default = services.models.resolve(None).info.ref
    found = services.models.list_models()
    return [_row(info, is_default=info.ref == default) for info in found if provider in (None, info.provider)]


def _row(info: ModelInfo, *, is_default: bool) -> JsonObject:
    row: JsonObject = {
        "id": info.id,
        "name": info.name,
        "provider": info.provider,
        "available": True,
        "contextWindow": info.context_window,
        "reasoning": info.has_reasoning,
        "supportsTools": info.has_tools,
        "input": ["text", "image"] if info.has_vision else ["text"],
    }
    options = thinking_options(has_reasoning=info.has_reasoning)
    row["thinkingLevels"] = [{"id": option, "label": option} for option in options]
    return row | ({"tags": ["default"]} if is_default else {})
