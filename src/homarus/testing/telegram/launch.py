"""Building and starting Telegram channels in tests."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from homarus.channels.telegram.channel import TelegramChannel
from homarus.channels.telegram.settings import Timings
from homarus.clock import Clock

QUICK = Timings(request=2.0, upload=2.0, download=2.0, typing=2.0, poll=20.0, grace=5.0, album=0.01)
"""Times for a server on the same machine."""


class Build(Protocol):
    """Makes a channel for the test server."""

    def __call__(
        self, *, clock: Clock | None = None, timings: Timings | None = None, **keys: object
    ) -> TelegramChannel:
        """Return a channel; `keys` are keys of the account."""
        ...


class Start(Protocol):
    """Starts a channel on the test server and waits for its first long poll, or until its webhook is set."""

    def __call__(
        self, *, clock: Clock | None = None, timings: Timings | None = None, **keys: object
    ) -> AbstractAsyncContextManager[tuple[TelegramChannel, asyncio.Task[None]]]:
        """Return a context with the channel and the task of its run."""
        ...
