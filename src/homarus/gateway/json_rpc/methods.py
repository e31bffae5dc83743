"""The methods JSON-RPC clients know by their own names: each is an operation of the registry in other words.

Every other operation is called by its own name, with its own parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

from msgspec import Struct

from homarus.gateway.json_rpc.params import (
    AgentSend,
    ChannelSend,
    ChannelsList,
    ChannelsStatus,
    MessageMetadata,
    MessageSend,
    SessionCreate,
    SessionList,
    SessionMessage,
    ToolInvoke,
)
from homarus.protocol.base import Params
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject, as_object
from homarus.protocol.validation import parse_params

if TYPE_CHECKING:
    from homarus.clock import Clock

ParamsT = TypeVar("ParamsT", bound=Params)


def _same(result: JsonObject, _params: object) -> JsonObject:
    return result


class Method(Struct, Generic[ParamsT], frozen=True):
    """A method in other words. `ask` makes the operation's parameters, `tell` the answer out of its result."""

    name: str
    operation: str
    params: type[ParamsT]
    ask: Callable[[ParamsT, Clock], JsonObject]
    tell: Callable[[JsonObject, ParamsT], JsonObject] = _same

    @property
    def summary(self) -> str:
        """Return what it takes, in the words of its parameter model."""
        return (self.params.__doc__ or "").strip()

    def translate(self, params: object, clock: Clock) -> tuple[JsonObject, Callable[[object], object]]:
        """Return the operation's parameters, and what makes its result the answer. Raises ProtocolError."""
        given = parse_params(self.params, self.name, params)
        asked = {name: value for name, value in self.ask(given, clock).items() if value is not None}
        return asked, lambda result: self.tell(as_object(result) or {}, given)


def _create(params: SessionCreate, _clock: Clock) -> JsonObject:
    if (params.channel is None) != (params.user_id is None):
        raise invalid("invalid session.create params: channel and userId are given together")
    key = params.session_id
    if key is None and params.channel is not None:
        place = f"{params.channel.strip().lower()}:direct:{params.user_id}"
        key = place if params.agent_id is None else f"agent:{params.agent_id}:{place}"
    model = params.config.model if params.config is not None else None
    return {"key": key, "agentId": params.agent_id, "label": params.label, "model": model}


def _created(result: JsonObject, params: SessionCreate) -> JsonObject:
    ignored = ["capabilities"] if params.capabilities else []
    if params.config is not None and params.config.temperature is not None:
        ignored.append("config.temperature")
    answer: JsonObject = {"sessionId": result["key"], "status": "active", "transcriptId": result["sessionId"]}
    return {**answer, "ignored": ignored} if ignored else answer


def _message(params: SessionMessage, _clock: Clock) -> JsonObject:
    return {"key": params.session_id, "message": params.message, **_options(params.metadata)}


def _send(params: MessageSend, _clock: Clock) -> JsonObject:
    sent: JsonObject = {"key": params.session_id, "message": params.content, "attachments": params.attachments}
    return {**sent, **_options(params.metadata)}


def _agent(params: AgentSend, clock: Clock) -> JsonObject:
    options = _options(params.metadata)
    timeout = options.pop("timeoutMs", None)
    return {
        "message": params.message,
        "agentId": params.agent_id or (None if params.session_id else "main"),
        "sessionKey": params.session_id,
        "attachments": params.attachments,
        "timeout": max(1, timeout // 1000) if isinstance(timeout, int) and timeout else None,
        "idempotencyKey": clock.uuid(),
        **options,
    }


def _options(metadata: MessageMetadata | None) -> JsonObject:
    return {} if metadata is None else metadata.model_dump(by_alias=True, exclude_none=True)


def _list(params: SessionList, _clock: Clock) -> JsonObject:
    return {"limit": params.limit, "agentId": params.agent_id, "search": params.search}


def _listed(result: JsonObject, _params: SessionList) -> JsonObject:
    rows = cast("list[JsonObject]", result.get("sessions", []))
    return {"sessions": [{**row, "sessionId": row["key"], "transcriptId": row.get("sessionId")} for row in rows]}


def _tool(params: ToolInvoke, _clock: Clock) -> JsonObject:
    key = params.session_id
    return {"name": params.tool, "args": params.parameters, "sessionKey": key, "agentId": params.agent_id}


def _channels(_params: ChannelsList, _clock: Clock) -> JsonObject:
    return {}


def _channels_listed(result: JsonObject, _params: ChannelsList) -> JsonObject:
    labels = as_object(result.get("channelLabels")) or {}
    accounts = as_object(result.get("channelAccounts")) or {}
    order = cast("list[str]", result.get("channelOrder", []))
    return {
        "channels": [{"channel": name, "label": labels.get(name), "accounts": accounts.get(name)} for name in order]
    }


def _status(params: ChannelsStatus, _clock: Clock) -> JsonObject:
    return {"probe": params.probe, "timeoutMs": params.timeout_ms}


def _status_of(result: JsonObject, params: ChannelsStatus) -> JsonObject:
    if params.channel is None:
        return result
    name = params.channel.strip().lower()
    accounts = (as_object(result.get("channelAccounts")) or {}).get(name)
    if accounts is None:
        raise invalid(f"unknown channel {name[:64]!r}; channels.list names those there are")
    return {"channel": name, "accounts": accounts}


def _to_channel(params: ChannelSend, clock: Clock) -> JsonObject:
    options = params.options
    return {
        "channel": params.channel,
        "to": params.message.to,
        "message": params.message.text,
        "threadId": params.message.thread_id,
        "accountId": options.account_id if options else None,
        "sessionKey": options.session_id if options else None,
        "idempotencyKey": (options.idempotency_key if options else None) or clock.uuid(),
    }


METHODS: Final[Mapping[str, Method[Params]]] = {
    each.name: each
    for each in cast(
        "tuple[Method[Params], ...]",
        (
            Method("session.create", "sessions.create", SessionCreate, _create, _created),
            Method("session.message", "sessions.send", SessionMessage, _message),
            Method("message.send", "sessions.send", MessageSend, _send),
            Method("agent.send", "agent", AgentSend, _agent),
            Method("session.list", "sessions.list", SessionList, _list, _listed),
            Method("tool.invoke", "tools.invoke", ToolInvoke, _tool),
            Method("tool.execute", "tools.invoke", ToolInvoke, _tool),
            Method("channels.list", "channels.status", ChannelsList, _channels, _channels_listed),
            Method("channels.status", "channels.status", ChannelsStatus, _status, _status_of),
            Method("channel.send", "send", ChannelSend, _to_channel),
        ),
    )
}
