"""Parameters and result of `tools.invoke`."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from annotated_types import MaxLen, MinLen

from homarus.protocol.base import NonEmpty, Params


class ToolsInvokeParams(Params):
    """`tools.invoke`. `idempotencyKey` names the call in the log; `confirm` changes nothing here."""

    name: Annotated[str, MinLen(1), MaxLen(128)]
    args: dict[str, object] | None = None
    session_key: Annotated[str, MinLen(1), MaxLen(512)] | None = None
    agent_id: NonEmpty | None = None
    confirm: bool | None = None
    idempotency_key: Annotated[str, MinLen(1), MaxLen(128)] | None = None
    conversation_read_origin: Literal["direct-operator"] | None = None


class ToolText(TypedDict):
    """A piece of what a tool said."""

    type: Literal["text"]
    text: str


class ToolOutputBody(TypedDict):
    """What a tool gave back; `details` are for people to look at."""

    content: list[ToolText]
    details: dict[str, object]


class ToolsInvokeError(TypedDict):
    """Why a tool did not do it: `not_found`, `tool_call_blocked` or `tool_error`."""

    code: Literal["not_found", "tool_call_blocked", "tool_error"]
    message: str


class ToolsInvokeResult(TypedDict):
    """`output` when `ok`, else `error`."""

    ok: bool
    toolName: str
    output: NotRequired[ToolOutputBody]
    error: NotRequired[ToolsInvokeError]
