"""Looking for gateways on the local network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from homarus.cli.screen import paint, say, table

if TYPE_CHECKING:
    from homarus.gateway.discovery.beacon import Beacon


def found_gateways(seconds: float, interfaces: list[str] | None) -> list[Beacon]:
    """Return the gateways that answer. Raises ConfigError without the extra `discovery`, Transient."""
    from homarus.gateway.discovery.multicast import browse

    return asyncio.run(browse(seconds, interfaces))


def show_found(found: list[Beacon]) -> None:
    """Print the gateways, and how to talk to one."""
    lines = [(beacon.name, beacon.urls[0], beacon.fingerprint or "-") for beacon in found]
    table(("NAME", "ADDRESS", "CERTIFICATE (SHA-256, as claimed)"), lines, empty="No gateway answers.")
    if found:
        pin = " --tls-fingerprint FINGERPRINT" if found[0].has_tls else ""
        say(paint(f"Talk to one: homarus --url {found[0].urls[0]}{pin} gateway status", "dim"))
