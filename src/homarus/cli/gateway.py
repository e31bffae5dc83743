"""A connection to the gateway for commands that ask, print and end."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from homarus.cli.reach import check_transport
from homarus.protocol.client import CALL_TIMEOUT, GatewayClient

if TYPE_CHECKING:
    from collections.abc import Generator

    from homarus.cli.reach import Target
    from homarus.cli.reply import Row


class Session:
    """An open connection, used from code that is not asynchronous."""

    def __init__(self, runner: asyncio.Runner, client: GatewayClient) -> None:
        self._runner = runner
        self._client = client

    @property
    def hello(self) -> Row:
        """Return what the gateway said at the handshake."""
        return self._client.hello

    def call(self, method: str, params: Row | None = None, *, timeout: float = CALL_TIMEOUT) -> object:
        """Call a method and return its result. Raises ProtocolError for a refusal, Transient without an answer."""
        return self._runner.run(self._client.call(method, params, timeout=timeout))


def client_for(target: Target, *, has_tool_events: bool = False) -> GatewayClient:
    """Return a client that is not connected yet; it does not come back by itself when the connection breaks."""
    return GatewayClient(
        check_transport(target.url),
        identity=target.identity,
        token=target.credentials.token,
        password=target.credentials.password,
        tls_fingerprint=target.tls_fingerprint,
        has_tool_events=has_tool_events,
        is_reconnecting=False,
    )


@contextmanager
def session(target: Target) -> Generator[Session]:
    """Stay connected for the length of the block. Raises NotRunning, AuthFailed, ProtocolError or Transient."""
    client = client_for(target)
    with asyncio.Runner() as runner:
        runner.run(client.connect())
        try:
            yield Session(runner, client)
        finally:
            runner.run(client.close())
