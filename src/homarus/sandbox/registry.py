"""Chooses the sandbox commands run in.

Without one that works, running commands is refused: there is no silent downgrade.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from homarus.clock import Clock
from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.contract import Probe, Sandbox


class Unavailable(Struct, frozen=True):
    """No backend works here. `reason` and `fix` are for the owner; `probes` tells about each backend tried."""

    reason: str
    fix: str
    probes: tuple[Probe, ...]


def backends(clock: Clock) -> tuple[Sandbox, ...]:
    """Return every backend, the preferred one first."""
    return (Bubblewrap(clock),)


async def select(candidates: Iterable[Sandbox]) -> Sandbox | Unavailable:
    """Return the first backend whose probe works. Each is really tried."""
    probes: list[Probe] = []
    for candidate in candidates:
        probe = await candidate.probe()
        if probe.is_available:
            return candidate
        probes.append(probe)
    reason = "; ".join(f"{probe.name}: {probe.detail}" for probe in probes) or "no sandbox backend exists here"
    fix = next((probe.fix for probe in probes if probe.fix), "homarus doctor")
    return Unavailable(reason, fix, tuple(probes))
