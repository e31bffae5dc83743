"""Which process holds a TCP port, as far as Linux shows it to this user."""

from __future__ import annotations

from pathlib import Path

_LISTENING = "0A"


def port_owner(port: int, proc: Path = Path("/proc")) -> str | None:
    """Return `name (pid N)` of the process that listens on a port, None when it cannot be seen."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening_inodes(proc / "net" / table, port)}
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in proc.iterdir():
        if process.name.isdigit() and _holds(process, wanted):
            return f"{_name(process)} (pid {process.name})"
    return None


def _listening_inodes(table: Path, port: int) -> list[str]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    listening = [row for row in rows if len(row) > 9 and row[3] == _LISTENING]
    return [row[9] for row in listening if int(row[1].rpartition(":")[2], 16) == port]


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        return any(str(handle.readlink()) in wanted for handle in (process / "fd").iterdir())
    except OSError:
        return False


def _name(process: Path) -> str:
    try:
        command = (process / "cmdline").read_bytes().split(b"\0")
        return " ".join(part.decode("utf-8", "replace") for part in command if part)[:120] or process.name
    except OSError:
        return process.name
