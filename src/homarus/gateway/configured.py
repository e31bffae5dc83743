"""The gateway's settings as the configuration gives them, checked before anything is bound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from homarus.config import environment
from homarus.config.environment import HANDSHAKE_TIMEOUT_MS, first_set
from homarus.errors import ConfigError
from homarus.gateway.bind import bind_address
from homarus.gateway.exposure_rules import refuse_unsafe
from homarus.gateway.settings import (
    HANDSHAKE_TIMEOUT,
    AuthSettings,
    BrowserSettings,
    GatewaySettings,
    LimitSettings,
    ProxySettings,
    TailscaleSettings,
    TlsSettings,
)

if TYPE_CHECKING:
    from homarus.config.gateway import Gateway

_LOOPBACK_PROXIES = ("127.0.0.1", "::1")


def read_settings(
    gateway: Gateway,
    *,
    port: int | None = None,
    bind: str | None = None,
    token: str | None = None,
    env: Mapping[str, str] | None = None,
) -> GatewaySettings:
    """Return the settings of a configuration; arguments override it. Raises ConfigError with path and fix."""
    limit = gateway.auth.rate_limit
    auth = _auth(gateway, token)
    tailscale = _tailscale(gateway, auth, env or {})
    settings = GatewaySettings(
        host=bind_address(bind or gateway.bind, gateway.custom_bind_host),
        port=gateway.port if port is None else port,
        auth=auth,
        limits=LimitSettings(
            max(1, round(limit.max_attempts)), limit.window_ms / 1000, limit.lockout_ms / 1000, limit.exempt_loopback
        ),
        browser=_browser(gateway),
        tls=_tls(gateway, env or {}),
        tailscale=tailscale,
        trusted_proxies=_trusted(gateway, tailscale),
        uses_real_ip=gateway.allow_real_ip_fallback,
        history_chars=gateway.webchat.chat_history_max_chars,
        approves_local=gateway.nodes.pairing.auto_approve_local,
        handshake_timeout=_handshake_timeout(env or {}),
    )
    refuse_unsafe(settings)
    return settings


def _handshake_timeout(env: Mapping[str, str]) -> float:
    """Return the seconds clients get to authenticate. Raises ConfigError for what is no number."""
    given = first_set(env, HANDSHAKE_TIMEOUT_MS)
    if given is None:
        return HANDSHAKE_TIMEOUT
    if not given.isascii() or not given.isdigit():
        fix = "set it to milliseconds from 250 to 15000, or leave it out"
        raise ConfigError(f"{given[:40]!r} is no number of milliseconds", path=HANDSHAKE_TIMEOUT_MS[0], fix=fix)
    return min(max(int(given[:9]) / 1000, 0.25), HANDSHAKE_TIMEOUT)


def needs_own_token(gateway: Gateway) -> bool:
    """Tell whether a token has to be made here: none is configured, and nothing else lets the owner's commands in."""
    auth = gateway.auth
    return auth.token is None and auth.password is None and auth.mode in {None, "token", "trusted-proxy"}


def _browser(gateway: Gateway) -> BrowserSettings:
    page = gateway.control_ui
    return BrowserSettings(
        is_enabled=page.enabled,
        origins=frozenset(origin.strip().rstrip("/").lower() for origin in page.allowed_origins),
        trusts_host_header=page.dangerously_allow_host_header_origin_fallback,
        allows_insecure_auth=page.allow_insecure_auth,
        skips_device_auth=page.dangerously_disable_device_auth,
        is_on_tailnet=gateway.tailscale.mode != "off",
    )


def _auth(gateway: Gateway, token: str | None) -> AuthSettings:
    auth = gateway.auth
    own_token = token or (auth.token.reveal() if auth.token else None) or None
    password = (auth.password.reveal() if auth.password else None) or None
    mode = auth.mode
    if mode is None:
        mode = "password" if password and not own_token else "token"
    proxy = auth.trusted_proxy
    if mode != "trusted-proxy" or proxy is None:
        return AuthSettings(mode=mode, token=own_token, password=password)
    header = ProxySettings(
        user_header=proxy.user_header.strip().lower(),
        required_headers=tuple(name.strip().lower() for name in proxy.required_headers),
        users=None if proxy.allow_users is None else frozenset(user.strip().lower() for user in proxy.allow_users),
        secret=(proxy.secret.reveal() if proxy.secret else None) or None,
    )
    return AuthSettings(mode=mode, token=own_token, proxy=header)


def _tls(gateway: Gateway, env: Mapping[str, str]) -> TlsSettings | None:
    tls = gateway.tls
    if not tls.enabled:
        return None
    certificate = environment.expand(tls.cert_path, env) if tls.cert_path else None
    key = environment.expand(tls.key_path, env) if tls.key_path else None
    authorities = environment.expand(tls.ca_path, env) if tls.ca_path else None
    return TlsSettings(certificate, key, tls.auto_generate, authorities)


def _tailscale(gateway: Gateway, auth: AuthSettings, env: Mapping[str, str]) -> TailscaleSettings:
    """Return the Tailscale settings; `serve` takes identities unless a password is asked for or they are refused."""
    chosen, mode = gateway.auth.allow_tailscale, gateway.tailscale.mode
    takes = chosen if chosen is not None else mode == "serve" and auth.mode == "token"
    socket = env.get(environment.TAILSCALE_SOCKET)
    return TailscaleSettings(mode, gateway.tailscale.reset_on_exit, takes, Path(socket) if socket else None)


def _trusted(gateway: Gateway, tailscale: TailscaleSettings) -> frozenset[str]:
    """Return the proxies whose word on client addresses counts; tailscaled is one when it was asked to forward."""
    own = _LOOPBACK_PROXIES if tailscale.mode != "off" or tailscale.takes_identities else ()
    return frozenset((*(entry.strip() for entry in gateway.trusted_proxies), *own))
