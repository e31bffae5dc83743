"""Parameters of the methods that JSON-RPC clients know by other names than the gateway protocol's."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen, MinLen

from homarus.protocol.base import Label, NonEmpty, Params, Positive, Timeout
from homarus.protocol.send import MAX_TEXT

Id = Annotated[str, MinLen(1), MaxLen(512)]
Key = Annotated[str, MinLen(1), MaxLen(128)]


class SessionSettings(Params):
    """`config` of `session.create`. A temperature is accepted and named in `ignored`: models have their own."""

    model: NonEmpty | None = None
    temperature: float | int | None = None


class SessionCreate(Params):
    """`session.create`: a session of a name you choose, of a person on a channel, or a new one."""

    session_id: Id | None = None
    agent_id: NonEmpty | None = None
    channel: Key | None = None
    user_id: Id | None = None
    label: Label | None = None
    capabilities: dict[str, object] | None = None
    config: SessionSettings | None = None


class MessageMetadata(Params):
    """`metadata` and `options` of a message: what the gateway understands of it."""

    idempotency_key: Key | None = None
    thinking: NonEmpty | None = None
    timeout_ms: Timeout | None = None


class SessionMessage(Params):
    """`session.message`."""

    session_id: Id
    message: str
    metadata: MessageMetadata | None = None


class MessageSend(Params):
    """`message.send`."""

    session_id: Id
    content: str
    attachments: list[object] | None = None
    metadata: MessageMetadata | None = None


class AgentSend(Params):
    """`agent.send`: like `session.message`, but the answer carries the agent's reply."""

    message: NonEmpty
    agent_id: NonEmpty | None = None
    session_id: Id | None = None
    attachments: list[object] | None = None
    metadata: MessageMetadata | None = None


class SessionList(Params):
    """`session.list`."""

    limit: Positive | None = None
    agent_id: NonEmpty | None = None
    search: str | None = None


class ToolInvoke(Params):
    """`tool.invoke` and `tool.execute`."""

    tool: Key
    session_id: Id | None = None
    agent_id: NonEmpty | None = None
    parameters: dict[str, object] | None = None


class ChannelsList(Params):
    """`channels.list`."""


class ChannelsStatus(Params):
    """`channels.status`."""

    channel: Key | None = None
    probe: bool | None = None
    timeout_ms: Timeout | None = None


class ChannelMessage(Params):
    """`message` of `channel.send`: what, and to whom."""

    text: Annotated[str, MinLen(1), MaxLen(MAX_TEXT)]
    to: Id
    thread_id: Id | None = None


class SendOptions(Params):
    """`options` of `channel.send`."""

    account_id: Key | None = None
    session_id: Id | None = None
    idempotency_key: Key | None = None


class ChannelSend(Params):
    """`channel.send`."""

    channel: Key
    message: ChannelMessage
    options: SendOptions | None = None
