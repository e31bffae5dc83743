"""Combinations of settings that would let strangers in, refused at start with what to type instead."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final

from homarus.errors import ConfigError
from homarus.gateway.settings import GatewaySettings
from homarus.protocol.addresses import is_loopback

MIN_SECRET: Final = 8
"""Characters of a secret that others than this machine may try."""
MIN_PROXY_SECRET: Final = 16
"""Characters of the secret a proxy shows; no person types it."""
PLACEHOLDERS: Final = frozenset(
    (
        *("undefined", "null", "none", "changeme", "change-me", "password", "secret", "token", "your-token"),
        *("replace-me", "replace-with-long-random-token", "your-secret-token", "default"),
    )
)
"""What templates and broken scripts leave where a secret belongs."""
_ANOTHER: Final = "for example to the output of `openssl rand -base64 32`"


def refuse_unsafe(settings: GatewaySettings) -> None:
    """Check everything about a gateway's exposure. Raises ConfigError with path and fix."""
    _check_secrets(settings)
    _check_proxy(settings)
    _check_tls(settings)
    _check_tailscale(settings)
    if not settings.is_loopback:
        _check_open_bind(settings)


def _check_secrets(settings: GatewaySettings) -> None:
    auth = settings.auth
    if auth.mode not in ("token", "password"):
        return
    path = f"gateway.auth.{auth.mode}"
    if not auth.secret:
        raise ConfigError(
            f"authentication by {auth.mode} needs a {auth.mode}", path=path, fix=f"set {path}, {_ANOTHER}"
        )
    if auth.secret.strip().lower() in PLACEHOLDERS:
        raise ConfigError("this is a placeholder, which anybody would try", path=path, fix=f"set it {_ANOTHER}")


def _check_proxy(settings: GatewaySettings) -> None:
    for entry in settings.trusted_proxies:
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            fix = "write an address such as 10.0.0.2, or a network such as 10.0.0.0/24"
            raise ConfigError(f"{entry!r} is no address", path="gateway.trustedProxies", fix=fix) from None
        if network.prefixlen == 0:
            fix = "list the addresses of your proxies"
            raise ConfigError(f"{entry} trusts every client to be a proxy", path="gateway.trustedProxies", fix=fix)
    if settings.auth.mode == "trusted-proxy":
        _check_trusted_proxy(settings)


def _check_trusted_proxy(settings: GatewaySettings) -> None:
    proxy = settings.auth.proxy
    if proxy is None or not proxy.user_header:
        fix = 'set it to the header your proxy names the user in, such as {userHeader: "x-forwarded-user"}'
        raise ConfigError("authentication by a proxy needs a header", path="gateway.auth.trustedProxy", fix=fix)
    if not settings.trusted_proxies:
        fix = "list the addresses of your proxies"
        raise ConfigError("no proxy is trusted", path="gateway.trustedProxies", fix=fix)
    if proxy.secret is not None and len(proxy.secret) < MIN_PROXY_SECRET:
        fix = f"use at least {MIN_PROXY_SECRET} characters, {_ANOTHER.removeprefix('for example to ')}"
        raise ConfigError("the proxy's secret is too short", path="gateway.auth.trustedProxy.secret", fix=fix)
    if proxy.users is not None and not any(proxy.users):
        fix = "list who may come in, or remove the key to admit everyone the proxy admits"
        raise ConfigError("nobody is admitted", path="gateway.auth.trustedProxy.allowUsers", fix=fix)
    if settings.tailscale.mode != "off":
        fix = "set gateway.tailscale.mode to off, or gateway.auth.mode to password"
        raise ConfigError("a trusted proxy and Tailscale exclude each other", path="gateway.tailscale.mode", fix=fix)
    has_remote = any(not is_loopback(entry.partition("/")[0]) for entry in settings.trusted_proxies)
    if proxy.secret is None and (settings.is_loopback or not has_remote):
        message = "any program on this machine could pass for a proxy on loopback"
        fix = "set gateway.auth.trustedProxy.secret and send it as X-Homarus-Proxy-Secret"
        raise ConfigError(message, path="gateway.auth.trustedProxy.secret", fix=fix)


def _check_tls(settings: GatewaySettings) -> None:
    tls = settings.tls
    if tls is None:
        return
    if (tls.certificate is None) != (tls.key is None):
        missing = "certPath" if tls.certificate is None else "keyPath"
        raise ConfigError("a certificate and its key belong together", path=f"gateway.tls.{missing}", fix="set both")
    if tls.certificate is None and not tls.may_generate:
        fix = "set gateway.tls.certPath and keyPath, or gateway.tls.autoGenerate to true"
        raise ConfigError("there is no certificate to serve", path="gateway.tls.certPath", fix=fix)


def _check_tailscale(settings: GatewaySettings) -> None:
    mode = settings.tailscale.mode
    if mode == "off":
        return
    if not settings.is_loopback:
        message = f"with tailscale {mode} only tailscaled connects, on loopback"
        raise ConfigError(message, path="gateway.bind", fix="set it to loopback")
    if settings.auth.mode == "none":
        raise ConfigError(
            "a gateway others can reach needs a secret", path="gateway.auth.mode", fix="set it to password"
        )
    if mode == "funnel" and settings.auth.mode != "password":
        fix = "set gateway.auth.mode to password and gateway.auth.password, or use tailscale serve"
        raise ConfigError("funnel is open to the whole internet", path="gateway.auth.mode", fix=fix)
    if mode == "funnel":
        _check_length(settings)


def _check_open_bind(settings: GatewaySettings) -> None:
    if settings.auth.mode == "none":
        fix = "set it to `token`, or bind to loopback"
        raise ConfigError("a gateway others can reach needs a secret", path="gateway.auth.mode", fix=fix)
    if settings.auth.mode != "trusted-proxy":
        _check_length(settings)
    browser = settings.browser
    if browser.is_enabled and not browser.origins and not browser.trusts_host_header:
        fix = "list the addresses you open the page at, or set gateway.controlUi.enabled to false"
        raise ConfigError(
            "a page others can reach needs its origins listed", path="gateway.controlUi.allowedOrigins", fix=fix
        )


def _check_length(settings: GatewaySettings) -> None:
    if len(settings.auth.secret or "") < MIN_SECRET:
        fix = f"use at least {MIN_SECRET} characters"
        raise ConfigError("the shared secret is too short", path=f"gateway.auth.{settings.auth.mode}", fix=fix)
