"""Where the gateway is and what proves that we may talk to it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from homarus.cli.exits import UsageFailure
from homarus.cli.running import find_running
from homarus.config import environment
from homarus.config.paths import StateDir
from homarus.config.token_file import read_token
from homarus.discreet import Discreet
from homarus.errors import ConfigError
from homarus.protocol.addresses import is_loopback_name, is_tailnet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from homarus.config.gateway import Gateway

URL = "HOMARUS_GATEWAY_URL"
FINGERPRINT = "HOMARUS_GATEWAY_TLS_FINGERPRINT"
INSECURE = ("HOMARUS_ALLOW_INSECURE_PRIVATE_WS", "OPENCLAW_ALLOW_INSECURE_PRIVATE_WS")
DEFAULT_PORT = 18_789
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class Credentials(Discreet, frozen=True):
    """The secrets shown to the gateway; None for one that is not known."""

    hidden = frozenset({"token", "password"})

    token: str | None = None
    password: str | None = None


class Target(Struct, frozen=True):
    """A gateway to talk to. `url` is ws:// or wss://; `identity` is the file of this device's key.

    `tls_fingerprint` is the certificate that is expected; None leaves it to the system's authorities.
    """

    url: str
    credentials: Credentials
    identity: Path
    is_local: bool = True
    tls_fingerprint: str | None = None

    @property
    def page_url(self) -> str:
        """Return the address of the gateway's page, without a path."""
        return "http" + self.url.removeprefix("ws")


def find_gateway() -> Target:
    """Return the gateway this command means.

    In this order: HOMARUS_GATEWAY_URL, the gateway that runs on the state folder, `gateway.remote` of the
    configuration, `gateway.port`. Raises ConfigError for a broken configuration.
    """
    env = environment.process_environment()
    state = StateDir.resolve(env)
    named = env.get(URL)
    identity = state.identity / "device.json"
    pin = env.get(FINGERPRINT) or None
    if named:
        credentials = _local(None, env, state)
        return Target(socket_url(named), credentials, identity, is_local=False, tls_fingerprint=pin)
    running = find_running(state.root)
    gateway, variables = _configured(state, is_running=running is not None)
    if gateway is not None and gateway.mode == "remote" and gateway.remote is not None:
        return _remote(gateway, env, identity)
    credentials = _local(gateway, variables, state)
    if running is not None:
        return Target(socket_url(running.url), credentials, identity, tls_fingerprint=pin or running.tls_fingerprint)
    port = DEFAULT_PORT if gateway is None else gateway.port
    return Target(f"ws://127.0.0.1:{port}", credentials, identity)


def socket_url(text: str) -> str:
    """Return the WebSocket form of an address. Raises UsageFailure for anything that is none."""
    parts = urlsplit(text if "://" in text else f"ws://{text}")
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise UsageFailure(f"{text!r} is no address of a gateway", fix="write for example ws://127.0.0.1:18789")
    host = "127.0.0.1" if parts.hostname == "0.0.0.0" else parts.hostname  # noqa: S104 - all interfaces include loopback
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    return f"{scheme}://{host}{port}{parts.path.rstrip('/')}"


def check_transport(url: str) -> str:
    """Return the address of a gateway our secrets may be sent to. Raises UsageFailure for one that is heard on the way.

    Nothing leaves this machine towards loopback, and a tailnet is encrypted by itself.
    """
    parts = urlsplit(url)
    env = environment.process_environment()
    if parts.scheme != "ws" or environment.first_set(env, INSECURE) == "1":
        return url
    host = parts.hostname or ""
    if is_loopback_name(host) or is_tailnet(host):
        return url
    fix = f"use wss:// or an SSH tunnel (docs/remote-access.md); on a network you trust set {INSECURE[0]}=1"
    raise UsageFailure(f"{url} would carry the gateway's secret in the clear", fix=fix)


def _configured(state: StateDir, *, is_running: bool) -> tuple[Gateway | None, Mapping[str, str]]:
    """Return the `gateway` section and the variables beside it; None without a section, so that no schema is loaded.

    While a gateway runs here, a file with mistakes in it keeps nobody from talking to that. Raises ConfigError for one
    when none does.
    """
    if not state.config_file.exists():
        return None, state.env
    if not is_running:
        from homarus.config.load import load

        loaded = load(state.config_file, state.env)
        return loaded.config.gateway, loaded.env
    from homarus.config.written import read_gateway

    try:
        return read_gateway(state.config_file, state.env)
    except ConfigError:
        return None, state.env


def _remote(gateway: Gateway, env: Mapping[str, str], identity: Path) -> Target:
    remote = gateway.remote
    if remote is None or not remote.url:
        raise ConfigError("the other gateway's address is missing", path="gateway.remote.url", fix="set it to wss://…")
    token = environment.first_set(env, environment.GATEWAY_TOKEN)
    password = environment.first_set(env, environment.GATEWAY_PASSWORD)
    credentials = Credentials(
        token or (remote.token.reveal() if remote.token else None),
        password or (remote.password.reveal() if remote.password else None),
    )
    pin = env.get(FINGERPRINT) or remote.tls_fingerprint
    return Target(socket_url(remote.url), credentials, identity, is_local=False, tls_fingerprint=pin)


def _local(gateway: Gateway | None, variables: Mapping[str, str], state: StateDir) -> Credentials:
    """Return what the gateway here takes: variables win, then the file, then the token it made itself."""
    token = environment.first_set(variables, environment.GATEWAY_TOKEN)
    password = environment.first_set(variables, environment.GATEWAY_PASSWORD)
    if gateway is not None:
        auth = gateway.auth
        token = token or (auth.token.reveal() if auth.token else None)
        password = password or (auth.password.reveal() if auth.password else None)
    if token is None and password is None:
        token = read_token(state.identity)
    return Credentials(token, password)
