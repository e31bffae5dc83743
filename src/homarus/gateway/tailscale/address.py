"""The address of this machine on its tailnet."""

from __future__ import annotations

import socket
from typing import Final

from homarus.protocol.addresses import is_tailnet

SERVICE: Final = ("100.100.100.100", 53)
"""Tailscale's own name service, which every machine on a tailnet has a route to."""


def tailnet_address() -> str | None:
    """Return this machine's tailnet address, None when it is on none.

    The kernel is asked which address it would use towards Tailscale's name service; nothing is sent.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SERVICE)
            address = str(probe.getsockname()[0])
        except OSError:
            return None
    return address if is_tailnet(address) else None
