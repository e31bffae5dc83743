"""`gateway`: address, authentication and reload behaviour of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from homarus.config.base import Count, Many, Positive, Section, Text, later, section
from homarus.config.context import ToolRules
from homarus.config.secret import Secret

if TYPE_CHECKING:
    from homarus.config.endpoints import HttpSurface
else:
    HttpSurface = later("endpoints", "HttpSurface")


Port = Annotated[int, Field(gt=0, le=65535)]


class ControlUi(Section):
    """Browser control page."""

    enabled: bool = True
    """Turns this feature on or off."""
    base_path: str | None = None
    """URL prefix."""
    root: str | None = None
    """Asset folder."""
    allowed_origins: Many[str] = ()
    """Browser origins admitted."""
    dangerously_allow_host_header_origin_fallback: bool = False
    """Trust the Host header as origin."""
    allow_insecure_auth: bool = False
    """Allow plain http auth."""
    dangerously_disable_device_auth: bool = False
    """Skip device identity."""


class LoginLimits(Section):
    """Failed login limits."""

    max_attempts: float = 10
    """Failed logins per address and window before a lockout."""
    window_ms: float = 60_000
    """Window, milliseconds."""
    lockout_ms: float = 300_000
    """Lockout, milliseconds."""
    exempt_loopback: bool = True
    """Never lock out loopback."""


class TrustedProxy(Section):
    """Identity from a proxy."""

    user_header: Text
    """Header with the user."""
    required_headers: Many[str] = ()
    """Headers that must exist."""
    allow_users: Many[str] | None = None
    """Users admitted."""
    secret: Secret | None = None
    """What the proxy must send as X-Homarus-Proxy-Secret; required for a proxy on this machine."""


class GatewayAuth(Section):
    """Authentication."""

    mode: Literal["none", "token", "password", "trusted-proxy"] | None = None
    """How clients authenticate; unset: password when only a password is set, else token."""
    token: Secret | None = None
    """Shared token clients present."""
    password: Secret | None = None
    """Shared password clients present."""
    allow_tailscale: bool | None = None
    """Accept Tailscale identity; unset: with tailscale serve and token authentication."""
    rate_limit: LoginLimits = section()
    """Failed login limits."""
    trusted_proxy: TrustedProxy | None = None
    """Identity from a proxy."""


class WebchatLimits(Section):
    """Web chat."""

    chat_history_max_chars: Annotated[int, Field(gt=0, le=500000)] = 12_000
    """History text limit."""


class Tailscale(Section):
    """Tailscale exposure."""

    mode: Literal["off", "serve", "funnel"] = "off"
    """serve: inside the tailnet; funnel: public."""
    reset_on_exit: bool = False
    """Undo the exposure at exit."""


class RemoteGateway(Section):
    """Client connection to another gateway."""

    url: str | None = None
    """Address of the other gateway (ws:// or wss://)."""
    transport: Literal["ssh", "direct"] = "ssh"
    """How to connect."""
    token: Secret | None = None
    """Token for the other gateway."""
    password: Secret | None = None
    """Password for the other gateway."""
    tls_fingerprint: str | None = None
    """Pinned certificate."""
    ssh_target: str | None = None
    """user@host of the tunnel."""
    ssh_identity: str | None = None
    """Key file of the tunnel."""


class ReloadPolicy(Section):
    """Config reload."""

    mode: Literal["off", "restart", "hot", "hybrid"] = "hybrid"
    """hybrid: hot where possible, else restart; hot; restart; off."""
    debounce_ms: Count = 300
    """Quiet time after a change before it is applied, milliseconds."""
    deferral_timeout_ms: Count = 300_000
    """Longest wait for busy runs before restart."""


class ServerTls(Section):
    """TLS settings."""

    enabled: bool = False
    """Turns this feature on or off."""
    auto_generate: bool = True
    """Create a self-signed certificate when no files are named."""
    cert_path: str | None = None
    """Certificate file (PEM)."""
    key_path: str | None = None
    """Private key file (PEM)."""
    ca_path: str | None = None
    """Authorities (PEM) that complete the chain and vouch for certificates clients show; none is demanded."""


class PushRelay(Section):
    """Relay service."""

    base_url: str | None = None
    """Service address."""
    timeout_ms: Positive = 10_000
    """Time limit, milliseconds."""


class ApplePush(Section):
    """Apple push."""

    relay: PushRelay | None = None
    """Relay service."""


class Push(Section):
    """Push service."""

    apns: ApplePush = section()
    """Apple push."""


class NodeBrowser(Section):
    """Browser settings."""

    mode: Literal["auto", "manual", "off"] | None = None
    """How a node with a browser is chosen."""
    node: str | None = None
    """Node id."""


class NodePairing(Section):
    """How devices and nodes are let in."""

    auto_approve_local: bool = True
    """Let devices on this machine in without asking."""


class GatewayNodes(Section):
    """Paired nodes."""

    pairing: NodePairing = section()
    """How devices and nodes are let in."""
    browser: NodeBrowser = section()
    """Browser settings."""
    allow_commands: Many[str] = ()
    """Node commands admitted beyond the platform's own list."""
    deny_commands: Many[str] = ()
    """Node commands refused."""


class Gateway(Section):
    """Address, authentication and reload behaviour of the server."""

    port: Port = 18_789
    """TCP port of the server."""
    mode: Literal["local", "remote"] | None = None
    """`local` serves here, `remote` makes this installation a client of another gateway."""
    bind: Literal["auto", "lan", "loopback", "custom", "tailnet"] = "loopback"
    """Interface: loopback, lan (all), tailnet, auto, or the address in `customBindHost`."""
    custom_bind_host: str | None = None
    """IPv4 address used with `bind: custom`."""
    control_ui: ControlUi = section()
    """Browser control page."""
    auth: GatewayAuth = section()
    """Authentication."""
    trusted_proxies: Many[str] = ()
    """Proxy addresses."""
    allow_real_ip_fallback: bool = False
    """Use X-Real-IP."""
    tools: ToolRules = section()
    """Tools callable over HTTP."""
    webchat: WebchatLimits = section()
    """Web chat."""
    channel_health_check_minutes: Count = 5
    """Minutes between channel health checks (0 off)."""
    channel_stale_event_threshold_minutes: Annotated[int, Field(ge=1)] = 30
    """Minutes of silence after which a channel counts as stale; at least the check interval."""
    channel_max_restarts_per_hour: Annotated[int, Field(ge=1)] = 10
    """Restarts of one channel per hour."""
    tailscale: Tailscale = section()
    """Tailscale exposure."""
    remote: RemoteGateway | None = None
    """Client connection to another gateway."""
    reload: ReloadPolicy = section()
    """Config reload."""
    tls: ServerTls = section()
    """TLS settings."""
    http: HttpSurface = section()
    """HTTP surface."""
    push: Push = section()
    """Push service."""
    nodes: GatewayNodes = section()
    """Paired nodes."""
