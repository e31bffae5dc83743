"""Parameters of the node methods (reference 02, nodes)."""

from __future__ import annotations

from typing import Annotated, Literal, cast

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import Field, model_validator

from homarus.protocol.base import NonEmpty, Params

Name = Annotated[str, MinLen(1), MaxLen(256)]
JsonText = Annotated[str | None, Field(alias="payloadJSON")]
Names = Annotated[list[NonEmpty], MaxLen(512)]


class NodeParams(Params):
    """`node.describe`."""

    node_id: NonEmpty


class NodeRenameParams(Params):
    """`node.rename`."""

    node_id: NonEmpty
    display_name: Name


class NodePairRequestParams(Params):
    """`node.pair.request`."""

    node_id: Annotated[str, MinLen(1), MaxLen(128)]
    display_name: Name | None = None
    platform: Name | None = None
    version: Name | None = None
    core_version: Name | None = None
    ui_version: Name | None = None
    device_family: Name | None = None
    model_identifier: Name | None = None
    caps: Names | None = None
    commands: Names | None = None
    remote_ip: Name | None = None
    silent: bool | None = None


class NodePairParams(Params):
    """`node.pair.approve` and `node.pair.reject`."""

    request_id: NonEmpty


class NodeVerifyParams(Params):
    """`node.pair.verify`."""

    node_id: NonEmpty
    token: NonEmpty


class NodeInvokeParams(Params):
    """`node.invoke`. `timeout_ms` at most a day."""

    node_id: NonEmpty
    command: Annotated[str, MinLen(1), MaxLen(256)]
    params: object = None
    timeout_ms: Annotated[int, Ge(0), Le(24 * 60 * 60 * 1000)] | None = None
    idempotency_key: Annotated[str, MinLen(1), MaxLen(512)]


class NodeInvokeError(Params):
    """Why a node could not do something."""

    code: NonEmpty | None = None
    message: NonEmpty | None = None


class NodeInvokeResultParams(Params):
    """`node.invoke.result`. Null in place of `payloadJSON` or `error` means absent; a value there is a payload."""

    id: NonEmpty
    node_id: NonEmpty
    ok: bool
    payload: object = None
    payload_json: JsonText = None
    error: NodeInvokeError | None = None

    @model_validator(mode="before")
    @classmethod
    def _tolerate(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        given = cast("dict[str, object]", value)
        text = given.get("payloadJSON")
        if text is not None and not isinstance(text, str):
            given = {name: each for name, each in given.items() if name != "payloadJSON"}
            given.setdefault("payload", text)
        return given


class NodeEventParams(Params):
    """`node.event`."""

    event: Annotated[str, MinLen(1), MaxLen(128)]
    payload: object = None
    payload_json: JsonText = None


class NodePendingAckParams(Params):
    """`node.pending.ack`."""

    ids: Annotated[list[NonEmpty], MinLen(1), MaxLen(256)]


class NodePendingDrainParams(Params):
    """`node.pending.drain`."""

    max_items: Annotated[int, Ge(1), Le(10)] | None = None


class NodePendingEnqueueParams(Params):
    """`node.pending.enqueue`."""

    node_id: NonEmpty
    type: Literal["status.request", "location.request"]
    priority: Literal["normal", "high"] | None = None
    expires_in_ms: Annotated[int, Ge(1000), Le(86_400_000)] | None = None
    wake: bool | None = None


class NodeSkillsParams(Params):
    """`node.skills.update`."""

    skills: Annotated[list[dict[str, object]], MaxLen(64)]


class NodeToolsParams(Params):
    """`node.pluginTools.update`."""

    tools: Annotated[list[dict[str, object]], MaxLen(256)]


class NodeInventoryParams(Params):
    """`node.runnerInventory.update`."""

    protocol_features: Annotated[list[NonEmpty], MaxLen(64)] | None = None
    worker_host: dict[str, object] | None = None


class BrowserRequestParams(Params):
    """`browser.request`: a request to the control of a browser; other methods than these change nothing there."""

    method: Literal["GET", "POST", "DELETE"]
    path: Annotated[str, MinLen(1), MaxLen(4096)]
    query: dict[str, object] | None = None
    body: object = None
    timeout_ms: Annotated[int, Ge(1), Le(600_000)] | None = None
    profile: Name | None = None
