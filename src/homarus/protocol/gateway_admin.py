"""Parameters of the methods about channels, tools, messages, pairing, devices and login."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen, MinLen

from homarus.protocol.base import NonEmpty, Params, Timeout

ShortText = Annotated[str, MinLen(1), MaxLen(128)]


class ChannelsStatusParams(Params):
    """`channels.status`."""

    probe: bool | None = None
    timeout_ms: Timeout | None = None


class ModelsListParams(Params):
    """`models.list`."""

    agent_id: NonEmpty | None = None
    session_key: NonEmpty | None = None
    auth_profile_id: NonEmpty | None = None
    provider: NonEmpty | None = None
    view: Literal["default", "configured", "provider-config", "all"] | None = None
    include_details: bool | None = None
    include_provider_capabilities: bool | None = None
    include_default_models: bool | None = None
    prepared_only: bool | None = None
    refresh: bool | None = None


class ToolsCatalogParams(Params):
    """`tools.catalog`."""

    agent_id: NonEmpty | None = None
    include_plugins: bool | None = None


class MessagesListParams(Params):
    """`messages.list`."""

    state: ShortText | None = None
    channel: ShortText | None = None
    limit: Annotated[int, Ge(1), Le(1000)] | None = None


class MessageParams(Params):
    """`messages.show` and `messages.retry`."""

    id: ShortText


class PairingListParams(Params):
    """`pairing.list`."""

    channel: ShortText | None = None


class PairingApproveParams(Params):
    """`pairing.approve`."""

    channel: ShortText
    code: ShortText
    notify: bool | None = None


class PairRequestParams(Params):
    """`device.pair.approve` and `device.pair.reject`."""

    request_id: NonEmpty


class DeviceParams(Params):
    """`device.pair.remove`."""

    device_id: NonEmpty


class SetupCodeParams(Params):
    """`device.pair.setupCode`. The three last ones are accepted for clients that show pictures or links."""

    public_url: NonEmpty | None = None
    bootstrap_profile: Literal["limited", "node", "voice-node"] | None = None
    prefer_remote_url: bool | None = None
    include_qr: bool | None = None
    join_url: bool | None = None


class DeviceRenameParams(Params):
    """`device.pair.rename`."""

    device_id: NonEmpty
    label: Annotated[str, MinLen(1), MaxLen(64)]


class DeviceTokenParams(Params):
    """`device.token.revoke`."""

    device_id: NonEmpty
    role: NonEmpty


class DeviceRotateParams(DeviceTokenParams):
    """`device.token.rotate`."""

    scopes: list[NonEmpty] | None = None
