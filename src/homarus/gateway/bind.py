"""Which address the gateway listens on."""

from __future__ import annotations

from ipaddress import IPv4Address

from homarus.errors import ConfigError
from homarus.gateway.settings import LOOPBACK

ALL_INTERFACES = "0.0.0.0"  # noqa: S104 - the owner asked for all interfaces; a secret is required for that


def bind_address(bind: str, custom: str | None) -> str:
    """Return the IPv4 address of a bind mode, or of an address given instead of one. Raises ConfigError."""
    if bind in ("loopback", "auto"):
        return LOOPBACK
    if bind == "lan":
        return ALL_INTERFACES
    if bind == "custom":
        if not custom:
            fix = "set it to an IPv4 address"
            raise ConfigError("`custom` needs an address", path="gateway.customBindHost", fix=fix)
        return _address(custom, "gateway.customBindHost")
    if bind == "tailnet":
        return _tailnet()
    return _address(bind, "gateway.bind")


def _tailnet() -> str:
    from homarus.gateway.tailscale import address  # noqa: PLC0415 - only gateways on a tailnet need it

    found = address.tailnet_address()
    if found is None:
        fix = "run `tailscale up` first, or set it to loopback"
        raise ConfigError("this machine has no tailnet address", path="gateway.bind", fix=fix)
    return found


def _address(text: str, path: str) -> str:
    try:
        return str(IPv4Address(LOOPBACK if text == "localhost" else text))
    except ValueError:
        fix = "use loopback, lan, tailnet, custom or an IPv4 address"
        raise ConfigError(f"{text!r} is no address to bind to", path=path, fix=fix) from None
