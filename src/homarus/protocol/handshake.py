"""`connect` and its answer `hello-ok` (reference 01 §4 and §10)."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

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
]
ClientMode = Literal["webchat", "cli", "ui", "backend", "node", "probe", "test"]


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


class Policy(TypedDict):
    """Limits a client is told."""

    maxPayload: int
    maxBufferedBytes: int
    tickIntervalMs: int


class IssuedToken(TypedDict):
    """A device token handed out at connect."""

    deviceToken: str
    role: str
    scopes: list[str]
    issuedAtMs: int


class HelloOk(TypedDict):
    """The answer to a successful `connect`."""

    type: Literal["hello-ok"]
    protocol: int
    server: dict[str, str]
    features: dict[str, list[str]]
    snapshot: dict[str, object]
    policy: Policy
    canvasHostUrl: NotRequired[str]
    auth: NotRequired[IssuedToken]


POLICY: Policy = {"maxPayload": MAX_PAYLOAD, "maxBufferedBytes": MAX_BUFFERED, "tickIntervalMs": TICK_INTERVAL_MS}
