"""Which user's program is at the other end of a connection on this machine, as far as the kernel tells."""

from __future__ import annotations

from pathlib import Path

PROC_NET = Path("/proc/net")
_LOOPBACK_V4 = "7F"
"""The first byte of a loopback address is the last one of the table's hexadecimal form."""


def owners_of_port(port: int, proc_net: Path = PROC_NET) -> frozenset[int] | None:
    """Return the user ids that hold a loopback TCP port, None where the kernel does not tell (other than Linux)."""
    found: set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc_net / name).read_text(encoding="ascii").splitlines()[1:]
        except (OSError, UnicodeDecodeError):
            if name == "tcp":
                return None
            continue
        found.update(uid for line in lines if (uid := _owner(line, port)) is not None)
    return frozenset(found)


def _owner(line: str, port: int) -> int | None:
    """Return the user of a row of the table when it is the end of a connection with that local port."""
    fields = line.split()
    if len(fields) < 8:
        return None
    address, _, number = fields[1].rpartition(":")
    is_loopback = address.endswith(_LOOPBACK_V4) if len(address) == 8 else len(address) == 32
    return int(fields[7]) if is_loopback and int(number, 16) == port else None
