"""Renders the messages of a request, with the differences between servers that matter to them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from homarus.models.contract import (
    AssistantMessage,
    Content,
    Image,
    Message,
    ModelRequest,
    Text,
    ToolCall,
    ToolResultMessage,
    UserMessage,
)
from homarus.models.settings import Compat
from homarus.models.wire.json_value import JsonObject, compact, parse_json

_NO_VISION = "[An image was sent, but this model cannot see images.]"
_BRIDGE = "The tool results are above."


def render_messages(request: ModelRequest, compat: Compat, *, has_vision: bool) -> list[JsonObject]:
    """Return the system text and every message; an assistant message with nothing in it is left out."""
    return _Renderer(compat, has_vision=has_vision).render(request)


class _Renderer:
    """Renders one request; holds images of tool results until the run of results is over."""

    def __init__(self, compat: Compat, *, has_vision: bool) -> None:
        self._compat = compat
        self._has_vision = has_vision
        self._rows: list[JsonObject] = []
        self._held: list[Content] = []

    def render(self, request: ModelRequest) -> list[JsonObject]:
        if request.system:
            role = "developer" if self._compat.supports_developer_role else "system"
            self._rows.append({"role": role, "content": request.system})
        for message in request.messages:
            self._add(message)
        self._release_images()
        return self._rows

    def _add(self, message: Message) -> None:
        if isinstance(message, ToolResultMessage):
            self._add_result(message)
            return
        self._release_images()
        if isinstance(message, UserMessage):
            self._add_user(message.content)
        else:
            self._add_assistant(message)

    def _add_user(self, content: Iterable[Content]) -> None:
        if self._compat.requires_assistant_after_tool_result and self._rows and self._rows[-1]["role"] == "tool":
            self._rows.append({"role": "assistant", "content": _BRIDGE})
        self._rows.append({"role": "user", "content": _render_content(content, has_vision=self._has_vision)})

    def _add_assistant(self, message: AssistantMessage) -> None:
        text = message.text
        if self._compat.requires_thinking_as_text and message.thinking:
            text = f"{message.thinking}\n\n{text}".strip()
        if not text and not message.tool_calls:
            return
        row: JsonObject = {"role": "assistant", "content": text or None}
        if message.tool_calls:
            row["tool_calls"] = [self._render_call(call) for call in message.tool_calls]
        self._rows.append(row)

    def _render_call(self, call: ToolCall) -> JsonObject:
        function = {"name": call.name, "arguments": _valid_arguments(call.arguments)}
        return {"id": self._call_id(call.id), "type": "function", "function": function}

    def _add_result(self, message: ToolResultMessage) -> None:
        text = message.text
        if message.is_error and not text.lower().startswith("error"):
            text = f"Error: {text}"
        row: JsonObject = {"role": "tool", "tool_call_id": self._call_id(message.call_id), "content": text}
        if self._compat.requires_tool_result_name:
            row["name"] = message.name
        self._rows.append(row)
        if message.images:
            self._held += [Text(f"Image from {message.name}:"), *message.images]

    def _release_images(self) -> None:
        """A tool message carries only text, and nothing may stand between the results of one response."""
        if self._held:
            held, self._held = self._held, []
            self._add_user(held)

    def _call_id(self, call_id: str) -> str:
        if not self._compat.requires_mistral_tool_ids or (len(call_id) == 9 and call_id.isalnum()):
            return call_id
        return hashlib.sha256(call_id.encode()).hexdigest()[:9]  # Mistral: exactly nine letters or digits


def _render_content(content: Iterable[Content], *, has_vision: bool) -> str | list[JsonObject]:
    parts = [part if isinstance(part, Text) or has_vision else Text(_NO_VISION) for part in content]
    texts = [part.text for part in parts if isinstance(part, Text)]
    if len(texts) == len(parts):
        return "\n".join(texts)
    return [_render_part(part) for part in parts]


def _render_part(part: Content) -> JsonObject:
    if isinstance(part, Image):
        url = f"data:{part.mime};base64,{base64.b64encode(part.data).decode('ascii')}"
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "text", "text": part.text}


def _valid_arguments(arguments: str) -> str:
    """Servers refuse a whole history for one malformed call, so it is wrapped, and the model still sees it."""
    if isinstance(parse_json(arguments), dict):
        return arguments
    return compact({"invalid_arguments": arguments}) if arguments.strip() else "{}"
