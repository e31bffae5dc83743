"""The gateway's own settings; `configured` reads them from the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from homarus.discreet import Discreet
from homarus.protocol.addresses import is_loopback

if TYPE_CHECKING:
    from pathlib import Path

AuthMode = Literal["none", "token", "password", "trusted-proxy"]
TailscaleMode = Literal["off", "serve", "funnel"]

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 18789
HANDSHAKE_TIMEOUT = 15.0
"""Seconds a client has to authenticate (v4-differences §2)."""


class ProxySettings(Discreet, frozen=True):
    """What a proxy in front must send: the user's name, headers that exist, and its own secret when one is set."""

    hidden = frozenset({"secret"})

    user_header: str
    required_headers: tuple[str, ...] = ()
    users: frozenset[str] | None = None
    secret: str | None = None


class AuthSettings(Discreet, frozen=True):
    """How clients prove that they belong to the owner.

    With mode `trusted-proxy`, `token` counts only for clients on this machine: without it the owner's own commands
    could not connect.
    """

    hidden = frozenset({"token", "password"})

    mode: AuthMode = "token"
    token: str | None = None
    password: str | None = None
    proxy: ProxySettings | None = None

    @property
    def secret(self) -> str | None:
        """Return the shared secret of the mode, None when it has none."""
        return {"token": self.token, "password": self.password}.get(self.mode)


class LimitSettings(Struct, frozen=True):
    """Failed logins per address: `attempts` in `window` seconds lock it out for `lockout` seconds."""

    attempts: int = 10
    window: float = 60.0
    lockout: float = 300.0
    is_loopback_exempt: bool = True


class BrowserSettings(Struct, frozen=True):
    """What web pages may do. `origins` are lower-case `scheme://host[:port]`, or `*`.

    `is_on_tailnet` means that tailscaled serves the page under this machine's name there.
    """

    is_enabled: bool = True
    origins: frozenset[str] = frozenset()
    trusts_host_header: bool = False
    allows_insecure_auth: bool = False
    skips_device_auth: bool = False
    is_on_tailnet: bool = False


class TlsSettings(Struct, frozen=True):
    """Whose certificate is served: the owner's files (PEM), or with None one that is made here.

    `authorities` complete its chain, and vouch for certificates of clients.
    """

    certificate: Path | None = None
    key: Path | None = None
    may_generate: bool = True
    authorities: Path | None = None


class TailscaleSettings(Struct, frozen=True):
    """What Tailscale does for this gateway. `takes_identities` accepts users that tailscaled vouches for.

    `socket` is that of a tailscaled which is not at its usual place.
    """

    mode: TailscaleMode = "off"
    resets_on_exit: bool = False
    takes_identities: bool = False
    socket: Path | None = None


class GatewaySettings(Struct, frozen=True):
    """Everything the gateway needs to know before it starts. `history_chars` bounds one text of chat.history.

    `approves_local` lets devices on this machine in without asking a person; `handshake_timeout` in seconds.
    """

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    auth: AuthSettings = field(default_factory=AuthSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    browser: BrowserSettings = field(default_factory=BrowserSettings)
    tls: TlsSettings | None = None
    tailscale: TailscaleSettings = field(default_factory=TailscaleSettings)
    trusted_proxies: frozenset[str] = frozenset()
    uses_real_ip: bool = False
    history_chars: int = 12_000
    approves_local: bool = True
    handshake_timeout: float = HANDSHAKE_TIMEOUT

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can connect."""
        return is_loopback(self.host)
