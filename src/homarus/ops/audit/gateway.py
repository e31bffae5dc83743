"""Who can reach the gateway, and what they have to show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from homarus.errors import ConfigError
from homarus.gateway.configured import needs_own_token, read_settings
from homarus.gateway.settings import GatewaySettings
from homarus.ops.audit.finding import AuditFinding, SetKey, Severity
from homarus.protocol.addresses import is_loopback_name, is_tailnet

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig

GOOD_TOKEN: Final = 24
"""Characters of a token that nobody guesses (18 random bytes in base64)."""
GOOD_PASSWORD: Final = 12
"""Characters of a password that an attacker has to try at the rate the lockout allows."""
FUNNEL_PASSWORD: Final = 16
"""The same for a password the whole internet may try."""
LEAST_PREFIX: Final = {4: 24, 6: 64}
"""Prefix length of the widest network that may be all proxies, by IP version."""
_COMMAND = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")
_TO_BE_MADE = "x" * 43
"""Stands for the token the first start makes."""
MANY_ATTEMPTS: Final = 100
"""Failed logins per window from which on a limit is none."""
DANGEROUS_COMMANDS: Final = (
    *("system.run", "camera.snap", "camera.clip", "screen.record", "sms.send", "contacts.add", "calendar.add"),
    *("reminders.add", "location.get", "photos.latest", "file.write", "browser.proxy"),
)


def audit_gateway(loaded: LoadedConfig, token: str | None) -> Iterator[AuditFinding]:
    """Yield what is weak about address, authentication, proxies and pages; `token` is the one in the state folder."""
    gateway = loaded.config.gateway
    try:
        own = (token or _TO_BE_MADE) if needs_own_token(gateway) else None
        settings = read_settings(gateway, token=own, env=loaded.env)
    except ConfigError as error:
        yield AuditFinding("gateway.refused", "critical", error.path, error.message, error.fix or "correct the key")
        return
    is_open = not settings.is_loopback or settings.tailscale.mode != "off"
    yield from _secrets(settings, is_open=is_open)
    yield from _reach(settings)
    yield from _pages(settings, is_open=is_open)
    yield from _proxies(settings)
    yield from _others(loaded, settings, is_open=is_open)


def _secrets(settings: GatewaySettings, *, is_open: bool) -> Iterator[AuditFinding]:
    auth = settings.auth
    if auth.mode == "none":
        detail = "every program on this machine is let in, web pages aside"
        yield AuditFinding("gateway.loopback_no_auth", "critical", "gateway.auth.mode", detail, "set it to token")
    secret = auth.secret or ""
    if auth.mode == "token" and len(secret) < GOOD_TOKEN:
        detail = f"the token has {len(secret)} characters"
        fix = "set gateway.auth.token to the output of `openssl rand -base64 32`"
        severity: Severity = "critical" if is_open else "warn"
        yield AuditFinding("gateway.token_too_short", severity, "gateway.auth.token", detail, fix)
    least = FUNNEL_PASSWORD if settings.tailscale.mode == "funnel" else GOOD_PASSWORD
    if auth.mode == "password" and len(secret) < least:
        detail = f"the password has {len(secret)} characters"
        severity = "critical" if is_open else "warn"
        yield AuditFinding(
            "gateway.password_too_short", severity, "gateway.auth.password", detail, f"use at least {least}"
        )
    limits = settings.limits
    if is_open and (limits.attempts > MANY_ATTEMPTS or limits.lockout <= 0):
        detail = f"{limits.attempts} failures per {limits.window:g} s, then {limits.lockout:g} s of lockout"
        fix = "remove gateway.auth.rateLimit; the defaults are 10 in 60 s, then 300 s"
        yield AuditFinding("gateway.auth_no_rate_limit", "warn", "gateway.auth.rateLimit", detail, fix)


def _reach(settings: GatewaySettings) -> Iterator[AuditFinding]:
    if settings.tailscale.mode == "funnel":
        fix = "set gateway.tailscale.mode to serve, unless strangers have to reach it"
        detail = "the whole internet can try the password"
        yield AuditFinding("gateway.tailscale_funnel", "critical", "gateway.tailscale.mode", detail, fix)
    if settings.tailscale.mode == "serve":
        detail = "everybody on the tailnet can connect; users Tailscale names need no token"
        if not settings.tailscale.takes_identities:
            detail = "everybody on the tailnet can connect and try the secret"
        fix = "set gateway.auth.allowTailscale to false to ask for the secret as well"
        yield AuditFinding("gateway.tailscale_serve", "info", "gateway.tailscale.mode", detail, fix)
    is_plain = settings.tls is None and not settings.is_loopback and not is_tailnet(settings.host)
    if is_plain and settings.auth.mode != "trusted-proxy":
        detail = f"secrets and messages cross the network of {settings.host} in the clear"
        fix = "set gateway.tls.enabled to true, or bind to loopback behind a TLS proxy or an SSH tunnel"
        yield AuditFinding("gateway.plaintext_exposed", "warn", "gateway.tls.enabled", detail, fix)


def _pages(settings: GatewaySettings, *, is_open: bool) -> Iterator[AuditFinding]:
    page, grave = settings.browser, "critical" if is_open else "warn"
    prefix = "gateway.controlUi"
    if "*" in page.origins:
        detail = "every web page may talk to the gateway, and Host headers are not checked"
        key, name = f"{prefix}.allowedOrigins", "gateway.control_ui.allowed_origins_wildcard"
        yield AuditFinding(name, grave, key, detail, "list the addresses you open the page at")
    if page.trusts_host_header:
        key = f"{prefix}.dangerouslyAllowHostHeaderOriginFallback"
        detail = "a site whose name is pointed at this machine counts as the page itself"
        name = "gateway.control_ui.host_header_origin_fallback"
        yield AuditFinding(name, grave, key, detail, f"set {prefix}.allowedOrigins instead", SetKey(key, "false"))
    if page.allows_insecure_auth:
        key = f"{prefix}.allowInsecureAuth"
        detail = "a page without device identity is let in on this machine"
        yield AuditFinding(
            "gateway.control_ui.insecure_auth", "warn", key, detail, "set it to false", SetKey(key, "false")
        )
    if page.skips_device_auth:
        key = f"{prefix}.dangerouslyDisableDeviceAuth"
        detail = "whoever knows the secret needs no paired device"
        name = "gateway.control_ui.device_auth_disabled"
        yield AuditFinding(name, "critical", key, detail, "set it to false", SetKey(key, "false"))


def _proxies(settings: GatewaySettings) -> Iterator[AuditFinding]:
    key = "gateway.trustedProxies"
    for entry in sorted(settings.trusted_proxies):
        network = ip_network(entry, strict=False)
        if network.prefixlen < LEAST_PREFIX[network.version]:
            detail = f"each of the {network.num_addresses} addresses of {entry} may say whose connection it passes on"
            severity: Severity = "critical" if settings.auth.mode == "trusted-proxy" else "warn"
            yield AuditFinding(
                "gateway.trusted_proxies_too_wide", severity, key, detail, "list the addresses of your proxies"
            )
    if settings.uses_real_ip:
        detail = "X-Real-IP of a listed proxy is believed, which many proxies pass on unchecked"
        repair = SetKey("gateway.allowRealIpFallback", "false")
        fix = "have the proxy send X-Forwarded-For, and remove the key"
        yield AuditFinding(
            "gateway.real_ip_fallback_enabled", "warn", "gateway.allowRealIpFallback", detail, fix, repair
        )
    proxy = settings.auth.proxy
    if proxy is None:
        return
    detail = "whoever controls a listed proxy, or its address, is whom it says"
    fix = "make sure that the proxy removes this header from what clients send"
    yield AuditFinding("gateway.trusted_proxy_auth", "warn", "gateway.auth.trustedProxy.userHeader", detail, fix)
    if proxy.users is None:
        detail, fix = "every user the proxy admits is the owner", "list who may come in"
        yield AuditFinding(
            "gateway.trusted_proxy_no_allowlist", "warn", "gateway.auth.trustedProxy.allowUsers", detail, fix
        )
    if proxy.secret is None:
        detail, fix = "an address alone makes a proxy", "set it, and have the proxy send X-Homarus-Proxy-Secret"
        yield AuditFinding("gateway.trusted_proxy_no_secret", "info", "gateway.auth.trustedProxy.secret", detail, fix)


def _others(loaded: LoadedConfig, settings: GatewaySettings, *, is_open: bool) -> Iterator[AuditFinding]:
    config = loaded.config
    if config.discovery.mdns.mode == "full":
        detail = "host name and SSH port are told to everybody on the network"
        repair = SetKey("discovery.mdns.mode", "minimal")
        severity: Severity = "warn" if settings.is_loopback else "critical"
        yield AuditFinding(
            "discovery.mdns_full_mode", severity, "discovery.mdns.mode", detail, "set it to minimal", repair
        )
    dangerous = [name for name in config.gateway.nodes.allow_commands if name in DANGEROUS_COMMANDS]
    if dangerous:
        detail = f"nodes take {', '.join(dangerous)} without their platform's own list"
        yield AuditFinding(
            "gateway.nodes.allow_commands_dangerous",
            "critical" if is_open else "warn",
            "gateway.nodes.allowCommands",
            detail,
            "remove what is not needed; nodes ask for approval of the rest",
        )
    patterns = [name for name in config.gateway.nodes.deny_commands if not _COMMAND.fullmatch(name)]
    if patterns:
        detail = f"{', '.join(patterns)}: names are compared whole, a pattern denies nothing"
        yield AuditFinding(
            "gateway.nodes.deny_commands_ineffective",
            "warn",
            "gateway.nodes.denyCommands",
            detail,
            "write each command out, such as system.run",
        )
    remote = config.gateway.remote
    parts = urlsplit(remote.url) if remote is not None and remote.url else None
    if parts is not None and parts.scheme in ("ws", "http") and not is_loopback_name(parts.hostname or ""):
        detail = "the token of the other gateway crosses the network in the clear"
        fix = "use wss:// with gateway.remote.tlsFingerprint, or an SSH tunnel"
        yield AuditFinding("gateway.remote_plaintext", "warn", "gateway.remote.url", detail, fix)
