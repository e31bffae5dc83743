"""The parts of a running gateway, as its connections, routes and operations share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from homarus.gateway.hub import Shapes
from homarus.protocol.events import PRESENCE
from homarus.protocol.frames import JsonObject

if TYPE_CHECKING:
    from homarus.gateway.auth import SharedAuth
    from homarus.gateway.budget import PreauthBudget
    from homarus.gateway.config_view import ConfigView
    from homarus.gateway.devices import Devices
    from homarus.gateway.handshake import Handshake
    from homarus.gateway.health import HealthBoard
    from homarus.gateway.http.rates import CallerRates
    from homarus.gateway.hub import EventHub
    from homarus.gateway.operations.registry import Registry
    from homarus.gateway.presence import Presence
    from homarus.gateway.pulse import Pulse
    from homarus.gateway.rate_limit import AuthLimiter, CallLimiter
    from homarus.gateway.run_feed import RunFeed
    from homarus.gateway.services import Services
    from homarus.gateway.session_feed import SessionFeed
    from homarus.gateway.settings import GatewaySettings
    from homarus.gateway.setup_codes import SetupCodes
    from homarus.gateway.supervisor import Supervised
    from homarus.gateway.tokens import BrowserTokens, LoginCodes
    from homarus.nodes.capability import Capabilities
    from homarus.nodes.desk import NodeDesk
    from homarus.protocol.device_identity import DeviceIdentity
    from homarus.security.approvals import Approvals


class Gate(Struct):
    """Whether clients are let in. It is shut while a starting gateway takes up what it left unfinished."""

    is_open: bool = True


class GatewayCore(Struct, frozen=True):
    """Everything that lives as long as the gateway.

    `started_at` in monotonic seconds; `instance_id` tells this process from the one before it; `background` are the
    server's own tasks; `port` is the one that is served."""

    services: Services
    settings: GatewaySettings
    registry: Registry
    hub: EventHub
    presence: Presence
    pulse: Pulse
    health: HealthBoard
    devices: Devices
    auth: SharedAuth
    limiter: AuthLimiter
    writes: CallLimiter
    rates: CallerRates
    handshake: Handshake
    budget: PreauthBudget
    feed: RunFeed
    session_feed: SessionFeed
    browsers: BrowserTokens
    logins: LoginCodes
    setup_codes: SetupCodes
    nodes: NodeDesk
    capabilities: Capabilities
    approvals: Approvals
    started_at: float
    instance_id: str
    config_view: ConfigView
    gate: Gate = field(default_factory=Gate)
    background: Callable[[], tuple[Supervised, ...]] = lambda: ()
    tls_fingerprint: Callable[[], str | None] = lambda: None
    port: Callable[[], int] = lambda: 0

    @property
    def bound(self) -> GatewaySettings:
        """Return the settings with the port that is served: the one asked for may be 0, for any free one."""
        return replace(self.settings, port=self.port())

    def identity(self) -> DeviceIdentity:
        """Return the gateway's own device identity. Raises UserError when its file is damaged."""
        from homarus.protocol.device_identity import DeviceIdentity  # noqa: PLC0415 - loads cryptography when asked for

        return DeviceIdentity.load(self.services.state_dir / "identity" / "gateway.json")

    @property
    def uptime(self) -> float:
        """Return seconds since the start."""
        return self.services.clock.monotonic() - self.started_at

    def state_version(self) -> JsonObject:
        """Return the counters clients compare snapshots by."""
        return {"presence": self.presence.version, "health": self.health.version}

    def broadcast_presence(self, *, is_arrival: bool = False) -> None:
        """Tell every client who is connected; of arrivals only clients of version 4 are told."""
        body: JsonObject = {"presence": self.presence.list()}
        self.hub.broadcast(PRESENCE, Shapes(None if is_arrival else body, body), self.state_version())
