"""How tests start the IRC channel on the in-process server: the types of two fixtures."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from homarus.channels.irc.channel import IrcChannel
from homarus.channels.irc.settings import Timings
from homarus.clock import Clock
from homarus.testing.irc_server import IrcServer


class Start(Protocol):
    """Starts a channel on a server and waits until it has been welcomed; keys are those of `channels.irc`."""

    def __call__(
        self, server: IrcServer, *, clock: Clock | None = None, timings: Timings | None = None, **keys: object
    ) -> AbstractAsyncContextManager[tuple[IrcChannel, asyncio.Task[None]]]:
        """Give the channel and the task that runs it."""
        ...


class Run(Protocol):
    """Runs a channel on a server until it ends by itself."""

    async def __call__(self, server: IrcServer, *, timings: Timings | None = None, **keys: object) -> None:
        """Return or raise what `run` does, within five seconds."""
        ...
