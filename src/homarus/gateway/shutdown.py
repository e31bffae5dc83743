"""The way out: what runs may end, what cannot end in time goes on from the journal at the next start.

Messages that arrive meanwhile are still committed, only not begun: their platform may have forgotten them already.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from homarus.gateway.channel_host import ChannelHost
    from homarus.gateway.server import GatewayServer
    from homarus.pipeline.service import Pipeline

log = logging.getLogger("homarus.gateway")
STOP_TIMEOUT: Final = 10.0
"""Seconds from the signal to the end of the process, whatever hangs."""
TURN_GRACE: Final = 5.0
"""Seconds that running turns get to end by themselves."""
SEND_GRACE: Final = 1.0
"""Seconds for replies that are ready, and as many again for the part that is on its way."""


async def drain(server: GatewayServer, pipeline: Pipeline, host: ChannelHost) -> None:
    """Take nothing new, let turns end and replies leave; takes at most TURN_GRACE + 2 * SEND_GRACE seconds."""
    await server.announce_stop()
    await pipeline.finish(TURN_GRACE)
    await host.finish_sending(SEND_GRACE)


class StopSignal:
    """SIGTERM and SIGINT: the first asks to stop; a second, or the deadline, ends the process where it stands."""

    def __init__(self, end: Callable[[int], None] = os._exit, timeout: float = STOP_TIMEOUT) -> None:
        self._asked = asyncio.Event()
        self._end = end
        self._timeout = timeout
        self._timer: threading.Timer | None = None

    def install(self) -> None:
        """Listen for the signals; called on the loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, self.ask)

    def uninstall(self) -> None:
        """Forget the signals and the deadline."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)

    def ask(self) -> None:
        """Ask for the end; asked twice, it comes at once."""
        if self._asked.is_set():
            log.warning("asked twice to stop: ending at once; the journal takes up the rest at the next start")
            self._end(0)
            return
        log.info("stopping; a second signal ends at once")
        self._asked.set()
        self._timer = threading.Timer(self._timeout, self._expire)
        self._timer.daemon = True
        self._timer.start()

    async def wait(self) -> None:
        """Wait until somebody asked."""
        await self._asked.wait()

    def _expire(self) -> None:
        log.error("not stopped within %.0f s: ending; the journal takes up the rest at the next start", self._timeout)
        self._end(1)
