"""What a gateway says of itself on the local network (`_openclaw-gw._tcp`), and reading what others say.

None of it is a secret and none of it is proof: anybody on the network can send such records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct, field

from homarus.protocol.fingerprint import read_fingerprint

SERVICE: Final = "_openclaw-gw._tcp.local."
MAX_VALUE: Final = 200
"""Bytes of one value; a TXT string has at most 255 with its key."""
SSH_PORT: Final = 22


class Beacon(Struct, frozen=True):
    """One gateway. `addresses` are IPv4 literals; `fingerprint` is hexadecimal, None without TLS.

    `host_name` is this machine's, None to keep it to ourselves; `label` is what its addresses are listed under.
    """

    name: str
    port: int
    addresses: tuple[str, ...]
    fingerprint: str | None = None
    has_tls: bool = False
    host_name: str | None = None
    label: str = "homarus"
    texts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def urls(self) -> tuple[str, ...]:
        """Return the WebSocket addresses."""
        scheme = "wss" if self.has_tls else "ws"
        return tuple(f"{scheme}://{address}:{self.port}" for address in self.addresses)


def texts_of(beacon: Beacon, mode: Literal["minimal", "full"]) -> dict[str, str]:
    """Return the TXT record: no paths, no version, no user; the host name only in `full`."""
    texts = {
        "role": "gateway",
        "transport": "gateway",
        "displayName": beacon.name[:MAX_VALUE],
        "gatewayPort": str(beacon.port),
    }
    if beacon.has_tls:
        texts["gatewayTls"] = "1"
    if beacon.fingerprint is not None:
        texts["gatewayTlsSha256"] = beacon.fingerprint
    if mode == "full":
        texts["sshPort"] = str(SSH_PORT)
        if beacon.host_name:
            texts["lanHost"] = f"{beacon.host_name}.local"[:MAX_VALUE]
    return texts


def read_beacon(
    instance: str, port: int | None, addresses: tuple[str, ...], texts: Mapping[bytes, bytes | None]
) -> Beacon | None:
    """Return the gateway of a resolved service, None when the answer is no use.

    Address and port are those of the service itself: what its texts claim about them would lead a client elsewhere.
    """
    if port is None or not 0 < port < 65536 or not addresses:
        return None
    values = {_text(key): _text(value or b"") for key, value in texts.items()}
    return Beacon(
        name=values.get("displayName") or instance.removesuffix(f".{SERVICE}")[:MAX_VALUE],
        port=port,
        addresses=addresses,
        fingerprint=_fingerprint(values.get("gatewayTlsSha256", "")),
        has_tls=values.get("gatewayTls") == "1",
        texts=values,
    )


def _fingerprint(text: str) -> str | None:
    try:
        return read_fingerprint(text).hex()
    except ValueError:
        return None


def _text(value: bytes) -> str:
    """Return readable text: these bytes come from strangers and go to a terminal."""
    text = value[:MAX_VALUE].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else " " for char in text)
