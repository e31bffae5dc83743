"""What there is to see of a running gateway besides its database: counters, the watchdog, the load, the tasks."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from homarus.gateway.supervisor import Supervised
from homarus.gateway.watchdog import Watchdog
from homarus.meter import Meter
from homarus.pipeline.contract import Load


class Instruments(Struct, frozen=True):
    """Read when somebody asks; reading costs nothing before."""

    meter: Meter
    watchdog: Watchdog
    load: Callable[[], Load]
    tasks: Callable[[], tuple[Supervised, ...]]
