"""`connect` and its answer `hello-ok` (reference 01 §4 and §10; version 4: v4-differences §2 and §5)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from annotated_types import MaxLen, MinLen

from homarus.protocol.base import Count, NonEmpty, Params, Positive
from homarus.protocol.frames import MAX_BUFFERED, MAX_PAYLOAD
from homarus.protocol.names import TICK_INTERVAL_MS

ClientId = Literal[
    "webchat-ui",
    "openclaw-control-ui",
    "openclaw-tui",
    "webchat",
    "cli",
    "gateway-client",
    "openclaw-macos",
    "openclaw-ios",
    "openclaw-android",
    "node-host",
    "test",
    "fingerprint",
    "openclaw-probe",
    "openclaw-browser-copilot",
    "openclaw-linux",
    "openclaw-watchos",
    "openclaw-worker",
]
ClientMode = Literal["webchat", "cli", "ui", "backend", "node", "probe", "test", "worker"]


class ClientFacts(Params):
    """What a client says about itself."""

    id: ClientId
    display_name: NonEmpty | None = None
    version: NonEmpty
    platform: NonEmpty
    device_family: NonEmpty | None = None
    model_identifier: NonEmpty | None = None
    mode: ClientMode
    instance_id: NonEmpty | None = None
    build_id: Annotated[str, MinLen(1), MaxLen(96)] | None = None
    time_zone: Annotated[str, MinLen(1), MaxLen(64)] | None = None


class DeviceProof(Params):
    """A device's signature over the challenge."""

    id: NonEmpty
    public_key: NonEmpty
    signature: NonEmpty
    signed_at: Count
    nonce: NonEmpty


class ConnectAuth(Params):
    """The secrets a client presents."""

    token: str | None = None
    bootstrap_token: str | None = None
    device_token: str | None = None
    password: str | None = None
    approval_runtime_token: str | None = None
    agent_runtime_identity_token: str | None = None

    @property
    def secret(self) -> str | None:
        """Return the shared secret, which clients of version 4 may send in either field."""
        return self.token or self.password

    @property
    def signed_token(self) -> str:
        """Return the token that the device signature covers; passwords are never signed."""
        for token in (self.token, self.device_token, self.bootstrap_token):
            if token is not None:
                return token
        return ""


class ConnectParams(Params):
    """The parameters of `connect`."""

    min_protocol: Positive
    max_protocol: Positive
    client: ClientFacts
    caps: list[NonEmpty] | None = None
    commands: list[NonEmpty] | None = None
    permissions: dict[str, bool] | None = None
    path_env: str | None = None
    role: NonEmpty | None = None
    scopes: list[NonEmpty] | None = None
    device: DeviceProof | None = None
    auth: ConnectAuth | None = None
    locale: str | None = None
    user_agent: str | None = None
    computer_use: object = None
    worker_runs: object = None
    model_catalog: object = None


class Attachments(TypedDict):
    """Bytes one attachment may have."""

    maxBytes: int
    maxImageBytes: int


class Policy(TypedDict):
    """Limits a client is told."""

    maxPayload: int
    maxBufferedBytes: int
    tickIntervalMs: int
    attachments: NotRequired[Attachments]


class Granted(TypedDict):
    """What a client is allowed: with version 3 the token of its device, with version 4 the rights of its connection."""

    method: NotRequired[str]
    role: str
    scopes: list[str]
    deviceToken: NotRequired[str]
    issuedAtMs: NotRequired[int]
    deviceTokens: NotRequired[list[dict[str, object]]]


class Features(TypedDict):
    """What a client may call and hear."""

    methods: list[str]
    events: list[str]
    capabilities: NotRequired[list[str]]


class HelloOk(TypedDict):
    """The answer to a successful `connect`."""

    type: Literal["hello-ok"]
    protocol: int
    server: dict[str, str]
    features: Features
    snapshot: dict[str, object]
    policy: Policy
    canvasHostUrl: NotRequired[str]
    pluginSurfaceUrls: NotRequired[dict[str, str]]
    auth: NotRequired[Granted]


POLICY: Policy = {"maxPayload": MAX_PAYLOAD, "maxBufferedBytes": MAX_BUFFERED, "tickIntervalMs": TICK_INTERVAL_MS}
