"""The gateway's own settings, checked for unsafe and not yet available combinations before anything is bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Literal

from homarus.errors import ConfigError

if TYPE_CHECKING:
    from homarus.config.gateway import Gateway

AuthMode = Literal["none", "token", "password"]

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 18789
_MIN_SECRET = 8


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """How clients prove that they belong to the owner."""

    mode: AuthMode = "token"
    token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> str | None:
        """Return the shared secret of the mode, None when it has none."""
        return {"token": self.token, "password": self.password, "none": None}[self.mode]


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Failed logins per address: `attempts` in `window` seconds lock it out for `lockout` seconds."""

    attempts: int = 10
    window: float = 60.0
    lockout: float = 300.0
    is_loopback_exempt: bool = True


@dataclass(frozen=True, slots=True)
class BrowserSettings:
    """What web pages may do. `origins` are lower-case `scheme://host[:port]`, or `*`."""

    is_enabled: bool = True
    origins: frozenset[str] = frozenset()
    trusts_host_header: bool = False
    allows_insecure_auth: bool = False
    skips_device_auth: bool = False


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Everything the gateway needs to know before it starts. `history_chars` bounds one text of chat.history."""

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    auth: AuthSettings = field(default_factory=AuthSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    browser: BrowserSettings = field(default_factory=BrowserSettings)
    trusted_proxies: frozenset[str] = frozenset()
    history_chars: int = 12_000

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can connect."""
        return is_loopback(self.host)


def is_loopback(address: str) -> bool:
    """Tell whether an IP address or host name means this machine."""
    if address.lower() == "localhost" or address == "::1":
        return True
    address = address.removeprefix("::ffff:")
    try:
        return IPv4Address(address).is_loopback
    except ValueError:
        return False


def read_settings(
    gateway: Gateway, *, port: int | None = None, bind: str | None = None, token: str | None = None
) -> GatewaySettings:
    """Return the settings of a configuration; arguments override it. Raises ConfigError with path and fix."""
    _refuse_unavailable(gateway)
    page = gateway.control_ui
    limit = gateway.auth.rate_limit
    settings = GatewaySettings(
        host=_host(gateway, bind or gateway.bind),
        port=gateway.port if port is None else port,
        auth=_auth(gateway, token),
        limits=LimitSettings(
            max(1, round(limit.max_attempts)), limit.window_ms / 1000, limit.lockout_ms / 1000, limit.exempt_loopback
        ),
        browser=BrowserSettings(
            is_enabled=page.enabled,
            origins=frozenset(origin.strip().rstrip("/").lower() for origin in page.allowed_origins),
            trusts_host_header=page.dangerously_allow_host_header_origin_fallback,
            allows_insecure_auth=page.allow_insecure_auth,
            skips_device_auth=page.dangerously_disable_device_auth,
        ),
        trusted_proxies=frozenset(gateway.trusted_proxies),
        history_chars=gateway.webchat.chat_history_max_chars,
    )
    _refuse_unsafe(settings)
    return settings


def _refuse_unavailable(gateway: Gateway) -> None:
    """Refuse what cannot be honoured yet, instead of starting with less protection than was asked for."""
    if gateway.auth.mode == "trusted-proxy":
        fix = "use `token` or `password`"
        raise ConfigError("authentication by a trusted proxy is not available yet", path="gateway.auth.mode", fix=fix)
    if gateway.auth.allow_tailscale:
        fix = "set it to false and use `token` or `password`"
        raise ConfigError("Tailscale identities are not available yet", path="gateway.auth.allowTailscale", fix=fix)
    if gateway.tailscale.mode != "off":
        fix = "set it to `off` and run `tailscale serve` yourself"
        raise ConfigError("Tailscale exposure is not available yet", path="gateway.tailscale.mode", fix=fix)
    if gateway.tls.enabled:
        fix = "set it to false and put a TLS proxy in front"
        raise ConfigError("TLS is not available yet", path="gateway.tls.enabled", fix=fix)


def _host(gateway: Gateway, bind: str) -> str:
    if bind in ("loopback", "auto"):
        return LOOPBACK
    if bind == "lan":
        return "0.0.0.0"  # noqa: S104 - the owner asked for all interfaces; a secret is required below
    if bind == "custom":
        if not gateway.custom_bind_host:
            fix = "set it to an IPv4 address"
            raise ConfigError("`custom` needs an address", path="gateway.customBindHost", fix=fix)
        return _address(gateway.custom_bind_host)
    if bind == "tailnet":
        fix = "use `custom` with the address that `tailscale ip -4` prints"
        raise ConfigError("binding to the tailnet is not available yet", path="gateway.bind", fix=fix)
    return _address(bind)


def _address(text: str) -> str:
    try:
        return str(IPv4Address("127.0.0.1" if text == "localhost" else text))
    except ValueError:
        fix = "use loopback, lan, custom or an IPv4 address"
        raise ConfigError(f"{text!r} is no address to bind to", path="gateway.bind", fix=fix) from None


def _auth(gateway: Gateway, token: str | None) -> AuthSettings:
    auth = gateway.auth
    own_token = token or (auth.token.reveal() if auth.token else None) or None
    password = (auth.password.reveal() if auth.password else None) or None
    mode = auth.mode
    if mode is None:
        mode = "password" if password and not own_token else "token"
    if mode == "trusted-proxy":
        raise AssertionError("refused above")
    return AuthSettings(mode=mode, token=own_token, password=password)


def _refuse_unsafe(settings: GatewaySettings) -> None:
    auth = settings.auth
    if auth.mode != "none" and not auth.secret:
        path = f"gateway.auth.{auth.mode}"
        fix = f"set {path}, for example to the output of `openssl rand -base64 32`"
        raise ConfigError(f"authentication by {auth.mode} needs a {auth.mode}", path=path, fix=fix)
    if settings.is_loopback:
        return
    if auth.mode == "none":
        fix = "set it to `token`, or bind to loopback"
        raise ConfigError("a gateway others can reach needs a secret", path="gateway.auth.mode", fix=fix)
    if len(auth.secret or "") < _MIN_SECRET:
        fix = f"use at least {_MIN_SECRET} characters"
        raise ConfigError("the shared secret is too short", path=f"gateway.auth.{auth.mode}", fix=fix)
    browser = settings.browser
    if browser.is_enabled and not browser.origins and not browser.trusts_host_header:
        fix = "list the addresses you open the page at, or set gateway.controlUi.enabled to false"
        raise ConfigError(
            "a page others can reach needs its origins listed", path="gateway.controlUi.allowedOrigins", fix=fix
        )
