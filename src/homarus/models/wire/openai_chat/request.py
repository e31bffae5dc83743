"""Renders a ModelRequest as the body of POST /chat/completions.

Total: any request the contract allows gives a body providers accept, and the same request always gives the same
bytes, so that provider-side prompt caches keep working.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from homarus.models.contract import ModelRequest, ToolSpec
from homarus.models.settings import Compat
from homarus.models.wire.json_value import JsonObject
from homarus.models.wire.openai_chat.messages import render_messages

_EFFORTS = frozenset({"minimal", "low", "medium", "high", "xhigh"})


def render_request(
    request: ModelRequest, *, model: str, compat: Compat, has_vision: bool = True, is_streaming: bool = True
) -> JsonObject:
    """Return the body as JSON values. `model` is the id the provider knows; images are left out without vision."""
    body: JsonObject = {"model": model, "messages": render_messages(request, compat, has_vision=has_vision)}
    if request.tools and compat.supports_tools is not False:
        body["tools"] = [_render_tool(tool, compat) for tool in request.tools]
    if request.max_output_tokens is not None:
        body[compat.max_tokens_field or "max_tokens"] = request.max_output_tokens
    if compat.supports_store:
        body["store"] = False
    body.update(_render_thinking(request.thinking, compat))
    if is_streaming:
        body["stream"] = True
        if compat.supports_usage_in_streaming is not False:
            body["stream_options"] = {"include_usage": True}
    return body


def _render_tool(tool: ToolSpec, compat: Compat) -> JsonObject:
    unsupported = frozenset(compat.unsupported_tool_schema_keywords or ())
    parameters = _without(tool.parameters, unsupported) if unsupported else dict(tool.parameters)
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _without(value: object, keywords: frozenset[str]) -> object:
    """Drop schema keywords; names of properties are not keywords even when they are spelt the same."""
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value).items()
        return {name: _without_in(name, item, keywords) for name, item in entries if name not in keywords}
    if isinstance(value, list | tuple):
        return [_without(item, keywords) for item in cast("Sequence[object]", value)]
    return value


def _without_in(name: str, value: object, keywords: frozenset[str]) -> object:
    if name in {"properties", "$defs", "definitions"} and isinstance(value, Mapping):
        return {key: _without(item, keywords) for key, item in cast("Mapping[str, object]", value).items()}
    return _without(value, keywords)


def _render_thinking(level: str | None, compat: Compat) -> JsonObject:
    """Translate a thinking level (off, minimal, low, medium, high, xhigh, adaptive) into what the server knows."""
    if level is None:
        return {}
    is_on = level != "off"
    effort = {"effort": level} if level in _EFFORTS else {}
    match compat.thinking_format:
        case "openrouter":
            return {"reasoning": effort or {"enabled": is_on}}
        case "zai":
            return {"thinking": {"type": "enabled" if is_on else "disabled"}}
        case "qwen":
            return {"enable_thinking": is_on}
        case "qwen-chat-template":
            return {"chat_template_kwargs": {"enable_thinking": is_on}}
        case _:
            return {"reasoning_effort": level} if compat.supports_reasoning_effort and effort else {}
