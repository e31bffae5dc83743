"""`discovery`: being found on the local network."""

from __future__ import annotations

from typing import Literal

from homarus.config.base import Section, section


class Multicast(Section):
    """Bonjour (mDNS)."""

    mode: Literal["off", "minimal", "full"] = "off"
    """off; minimal: name, port and certificate; full: the host name and SSH port, too."""


class WideArea(Section):
    """Unicast DNS."""

    enabled: bool = False
    """Turns this feature on or off."""
    domain: str | None = None
    """Domain the records belong to."""


class Discovery(Section):
    """Being found on the network."""

    mdns: Multicast = section()
    """Bonjour (mDNS)."""
    wide_area: WideArea = section()
    """Unicast DNS."""
