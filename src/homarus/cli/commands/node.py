"""`homarus node`: this machine as a node of a gateway."""

from __future__ import annotations

import asyncio
import platform
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from homarus.cli.options import group
from homarus.cli.reach import DEFAULT_PORT, Credentials, Target, check_transport, find_gateway, socket_url
from homarus.cli.screen import say
from homarus.clock import SystemClock
from homarus.config import environment
from homarus.config.paths import StateDir
from homarus.protocol.setup_code import read_setup_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homarus.config.node_host import NodeHost
    from homarus.nodes.host.service import NodeHost as Host

app = group("Let a gateway run programs on this machine, as far as this machine allows.")


@app.command()
def run(
    host: Annotated[
        str | None, typer.Option("--host", help="The gateway's host; the gateway found here by default.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The gateway's port.")] = DEFAULT_PORT,
    tls: Annotated[bool, typer.Option("--tls", help="Connect with TLS.")] = False,
    tls_fingerprint: Annotated[
        str | None, typer.Option("--tls-fingerprint", help="Expect this certificate of the gateway; implies --tls.")
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", help="The gateway's token; better in HOMARUS_GATEWAY_TOKEN.")
    ] = None,
    setup_code: Annotated[
        str | None, typer.Option("--setup-code", help="The code that `homarus devices setup-code` printed there.")
    ] = None,
    display_name: Annotated[str | None, typer.Option("--display-name", help="What people call this node.")] = None,
) -> None:
    """Connect to a gateway and serve its commands until stopped."""
    from homarus.nodes.host.service import HostOptions, NodeHost

    if setup_code is not None:
        target = _target_of(setup_code)
        host = None
    else:
        target = find_gateway()
    scheme = "wss" if tls or tls_fingerprint else "ws"
    url = socket_url(f"{scheme}://{_bracketed(host)}:{port}") if host else target.url
    env = environment.process_environment()
    options = HostOptions(
        url=check_transport(url),
        folder=StateDir.resolve(env).root / "node",
        display_name=(display_name or platform.node() or "node")[:200],
        token=token or target.credentials.token,
        password=None if token else target.credentials.password,
        setup_token=None if setup_code is None else read_setup_code(setup_code).token,
        tls_fingerprint=tls_fingerprint or (target.tls_fingerprint if url.startswith("wss://") else None),
        environment=env,
        settings=_settings(env),
    )
    asyncio.run(_serve(NodeHost(options, SystemClock(), _announce), url))


def _target_of(setup_code: str) -> Target:
    """Return the gateway a setup code leads to; no other secret is shown to it."""
    state = StateDir.resolve(environment.process_environment())
    code = read_setup_code(setup_code)
    identity = state.root / "node" / "device.json"
    return Target(code.url, Credentials(), identity, is_local=False, tls_fingerprint=code.tls_fingerprint)


def _settings(env: Mapping[str, str]) -> NodeHost | None:
    """Return `nodeHost` of the configuration; None without a file, so that the schema need not be loaded."""
    state = StateDir.resolve(env)
    if not state.config_file.exists():
        return None
    from homarus.config.load import load

    config = load(state.config_file, env).config
    return config.node_host if "node_host" in config.model_fields_set else None


async def _serve(host: Host, url: str) -> None:
    say(f"connecting to {url}")
    task = asyncio.ensure_future(host.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        say("stopped")


def _announce(node_id: str, commands: tuple[str, ...]) -> None:
    say(f"ready as node {node_id}: {', '.join(commands)}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
