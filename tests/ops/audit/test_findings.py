"""Every weaker mode by the configuration that brings it about: it is named, with its severity, place and fix."""

# ruff: noqa: UP031 - the cases are JSON, whose braces an f-string would double
from __future__ import annotations

import json
from pathlib import Path

import pytest

from homarus.config.paths import StateDir
from homarus.ops.audit.finding import AuditFinding
from homarus.ops.audit.report import audit, repair

LONG = "t" * 43
SAFE = {"gateway": {"auth": {"token": "${SAFE_TOKEN}"}}}
OPEN = '"bind": "lan", "tls": {"enabled": true}, "controlUi": {"allowedOrigins": ["https://home.example"]}'
TOKEN = '"auth": {"token": "%s"}' % LONG
IRC = '"host": "irc.example", "nick": "bot"'
PROXY = '"auth": {"mode": "trusted-proxy", "trustedProxy": {"userHeader": "x-user"}}, "trustedProxies": ["10.0.0.2"]'
NO_PAGE = '"controlUi": {"enabled": false}'

# id -> (configuration, severity, place)
CASES: dict[str, list[tuple[str, str, str]]] = {
    "gateway.refused": [('{"gateway": {"bind": "lan", "auth": {"mode": "none"}}}', "critical", "gateway.auth.mode")],
    "gateway.loopback_no_auth": [('{"gateway": {"auth": {"mode": "none"}}}', "critical", "gateway.auth.mode")],
    "gateway.token_too_short": [
        ('{"gateway": {"auth": {"token": "twelve-chars"}}}', "warn", "gateway.auth.token"),
        ('{"gateway": {"auth": {"token": "twelve-chars"}, %s}}' % OPEN, "critical", "gateway.auth.token"),
    ],
    "gateway.password_too_short": [
        ('{"gateway": {"auth": {"password": "tencharsxx"}}}', "warn", "gateway.auth.password"),
        (
            '{"gateway": {"auth": {"password": "fourteen-chars"}, "tailscale": {"mode": "funnel"}}}',
            "critical",
            "gateway.auth.password",
        ),
    ],
    "gateway.auth_no_rate_limit": [
        (
            '{"gateway": {"auth": {"token": "%s", "rateLimit": {"maxAttempts": 5000}}, %s}}' % (LONG, OPEN),
            "warn",
            "gateway.auth.rateLimit",
        ),
    ],
    "gateway.tailscale_funnel": [
        (
            '{"gateway": {"auth": {"password": "%s"}, "tailscale": {"mode": "funnel"}}}' % LONG,
            "critical",
            "gateway.tailscale.mode",
        ),
    ],
    "gateway.tailscale_serve": [('{"gateway": {"tailscale": {"mode": "serve"}}}', "info", "gateway.tailscale.mode")],
    "gateway.plaintext_exposed": [
        ('{"gateway": {%s, "bind": "lan", %s}}' % (TOKEN, NO_PAGE), "warn", "gateway.tls.enabled"),
    ],
    "gateway.control_ui.allowed_origins_wildcard": [
        ('{"gateway": {"controlUi": {"allowedOrigins": ["*"]}}}', "warn", "gateway.controlUi.allowedOrigins"),
        (
            '{"gateway": {%s, "bind": "lan", "controlUi": {"allowedOrigins": ["*"]}}}' % TOKEN,
            "critical",
            "gateway.controlUi.allowedOrigins",
        ),
    ],
    "gateway.control_ui.host_header_origin_fallback": [
        (
            '{"gateway": {"controlUi": {"dangerouslyAllowHostHeaderOriginFallback": true}}}',
            "warn",
            "gateway.controlUi.dangerouslyAllowHostHeaderOriginFallback",
        ),
    ],
    "gateway.control_ui.insecure_auth": [
        ('{"gateway": {"controlUi": {"allowInsecureAuth": true}}}', "warn", "gateway.controlUi.allowInsecureAuth"),
    ],
    "gateway.control_ui.device_auth_disabled": [
        (
            '{"gateway": {"controlUi": {"dangerouslyDisableDeviceAuth": true}}}',
            "critical",
            "gateway.controlUi.dangerouslyDisableDeviceAuth",
        ),
    ],
    "config.insecure_or_dangerous_flags": [
        (
            '{"gateway": {"controlUi": {"dangerouslyDisableDeviceAuth": true}}}',
            "warn",
            "gateway.controlUi.dangerouslyDisableDeviceAuth",
        ),
    ],
    "gateway.trusted_proxies_too_wide": [
        ('{"gateway": {"trustedProxies": ["10.0.0.0/8"]}}', "warn", "gateway.trustedProxies"),
        ('{"gateway": {"trustedProxies": ["fd00::/8"]}}', "warn", "gateway.trustedProxies"),
    ],
    "gateway.real_ip_fallback_enabled": [
        ('{"gateway": {"allowRealIpFallback": true}}', "warn", "gateway.allowRealIpFallback"),
    ],
    "gateway.trusted_proxy_auth": [
        ('{"gateway": {%s, "bind": "lan", %s}}' % (PROXY, NO_PAGE), "warn", "gateway.auth.trustedProxy.userHeader"),
    ],
    "gateway.trusted_proxy_no_allowlist": [
        ('{"gateway": {%s, "bind": "lan", %s}}' % (PROXY, NO_PAGE), "warn", "gateway.auth.trustedProxy.allowUsers"),
    ],
    "gateway.trusted_proxy_no_secret": [
        ('{"gateway": {%s, "bind": "lan", %s}}' % (PROXY, NO_PAGE), "info", "gateway.auth.trustedProxy.secret"),
    ],
    "discovery.mdns_full_mode": [('{"discovery": {"mdns": {"mode": "full"}}}', "warn", "discovery.mdns.mode")],
    "gateway.nodes.allow_commands_dangerous": [
        ('{"gateway": {"nodes": {"allowCommands": ["camera.snap"]}}}', "warn", "gateway.nodes.allowCommands"),
    ],
    "gateway.nodes.deny_commands_ineffective": [
        ('{"gateway": {"nodes": {"denyCommands": ["system.*"]}}}', "warn", "gateway.nodes.denyCommands"),
    ],
    "gateway.remote_plaintext": [
        ('{"gateway": {"remote": {"url": "ws://box.example:18789"}}}', "warn", "gateway.remote.url"),
    ],
    "security.exposure.open_channels_with_exec": [
        ('{"channels": {"irc": {%s, "dmPolicy": "open", "allowFrom": ["*"]}}}' % IRC, "critical",
         "channels.irc.dmPolicy"),
    ],
    "channels.dm_policy_open": [
        ('{"tools": {"profile": "minimal"}, "channels": {"irc": {%s, "dmPolicy": "open", "allowFrom": ["*"]}}}' % IRC,
         "warn", "channels.irc.dmPolicy"),
    ],
    "channels.allow_from_wildcard": [
        ('{"channels": {"irc": {%s, "dmPolicy": "allowlist", "allowFrom": ["*"]}}}' % IRC, "critical",
         "channels.irc.allowFrom"),
    ],
    "channels.groups.allow_from_wildcard": [
        ('{"channels": {"irc": {%s, "groupAllowFrom": ["*"]}}}' % IRC, "warn", "channels.irc.groupAllowFrom"),
    ],
    "security.exposure.open_groups_with_runtime_or_fs": [
        ('{"channels": {"irc": {%s, "groupPolicy": "open"}}}' % IRC, "critical", "channels.irc.groupPolicy"),
    ],
    "channels.groups.open": [
        ('{"tools": {"profile": "minimal"}, "channels": {"irc": {%s, "groupPolicy": "open"}}}' % IRC, "warn",
         "channels.irc.groupPolicy"),
    ],
    "channels.dangerous_name_matching_enabled": [
        ('{"channels": {"irc": {%s, "dangerouslyAllowNameMatching": true}}}' % IRC, "warn",
         "channels.irc.dangerouslyAllowNameMatching"),
    ],
    "security.trust_model.multi_user_heuristic": [
        ('{"session": {"dmScope": "main"}, "channels": {"irc": {%s, "allowFrom": ["a!b@c", "d!e@f"]}}}' % IRC, "warn",
         "session.dmScope"),
    ],
    "channels.refused": [('{"channels": {"irc": {"nonsense": 1}}}', "warn", "channels.irc")],
    "tools.elevated.allow_from_wildcard": [
        ('{"tools": {"elevated": {"allowFrom": {"irc": ["*"]}}}}', "critical", "tools.elevated.allowFrom.irc"),
    ],
    "tools.exec.host_sandbox_no_sandbox_defaults": [
        ('{"tools": {"exec": {"host": "gateway"}}}', "critical", "tools.exec.host"),
    ],
    "tools.exec.security_full_configured": [
        ('{"tools": {"exec": {"security": "full"}}}', "warn", "tools.exec.security"),
    ],
    "tools.exec.safe_bins_interpreter_unprofiled": [
        ('{"tools": {"exec": {"safeBins": ["grep", "python3"]}}}', "critical", "tools.exec.safeBins"),
    ],
    "commands.bash_enabled": [('{"commands": {"bash": true}}', "warn", "commands.bash")],
    "logging.redact_off": [('{"logging": {"redactSensitive": "off"}}', "warn", "logging.redactSensitive")],
    "config.secrets.gateway_token_in_config": [("{\"gateway\": {%s}}" % TOKEN, "warn", "gateway.auth.token")],
    "config.secrets.gateway_password_in_config": [
        ('{"gateway": {"auth": {"password": "%s"}}}' % LONG, "warn", "gateway.auth.password"),
    ],
    "config.secrets.hooks_token_in_config": [('{"hooks": {"token": "%s"}}' % LONG, "warn", "hooks.token")],
    "config.secrets.plaintext": [
        ('{"models": {"providers": {"x": {"baseUrl": "https://x.example", "apiKey": "sk-1", "models": []}}}}', "info",
         "models.providers.x.apiKey"),
    ],
}  # fmt: skip


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    root = tmp_path / "home"
    root.mkdir(mode=0o700)
    return StateDir(root, {"HOME": str(tmp_path), "SAFE_TOKEN": LONG})


def configure(state: StateDir, text: str) -> None:
    state.config_file.write_text(text)
    state.config_file.chmod(0o600)


def found(state: StateDir) -> tuple[AuditFinding, ...]:
    return audit(state).findings


@pytest.mark.parametrize(
    ("name", "text", "severity", "place"), [(name, *case) for name, cases in CASES.items() for case in cases]
)
def test_a_weaker_mode_is_named(state: StateDir, name: str, text: str, severity: str, place: str) -> None:
    configure(state, text)
    mine = [finding for finding in found(state) if finding.id == name]
    assert [finding.severity for finding in mine] == [severity], found(state)
    assert mine[0].place.startswith(place)
    assert mine[0].detail
    assert mine[0].fix


def test_the_defaults_and_a_careful_configuration_have_no_findings(state: StateDir) -> None:
    assert found(state) == ()
    configure(state, json.dumps(SAFE))
    assert found(state) == ()


def test_no_finding_shows_a_secret(state: StateDir) -> None:
    secret = "s3cr3t-value-nobody-may-see"
    configure(state, json.dumps({"gateway": {"auth": {"token": secret}}, "hooks": {"token": secret}}))
    assert secret not in repr(found(state))


def test_repairs_of_the_configuration_hold_and_the_rest_is_left_to_a_person(state: StateDir) -> None:
    text = {
        "logging": {"redactSensitive": "off"},
        "gateway": {"controlUi": {"allowInsecureAuth": True, "allowedOrigins": ["*"]}},
    }
    configure(state, json.dumps(text))
    assert [each.problem for each in repair(state, audit(state))] == [None, None]
    assert {finding.id for finding in found(state)} == {"gateway.control_ui.allowed_origins_wildcard"}
