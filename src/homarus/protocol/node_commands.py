"""Commands of nodes that do more than look: admins approve and send them (v4-differences §6 and §9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ADMIN_COMMANDS: Final = frozenset(
    {
        "system.run",
        "system.run.prepare",
        "system.which",
        "browser.proxy",
        "browser.proxy.upload.v1",
        "fs.listDir",
        "system.execApprovals.get",
        "system.execApprovals.set",
    }
)
"""Commands that run or look up programs, list folders or drive a browser: an admin lets a node have them."""
_SENT_BY_ADMINS: Final = frozenset({"browser.proxy", "browser.proxy.upload.v1", "fs.listDir", "terminal.upload"})
"""Commands that cross from a conversation into the machine and ask nobody there; `system.run` asks its approvals."""
_BROWSER: Final = "browser.proxy"
_LOOKS: Final = "GET"


def is_admin_command(command: str, params: Mapping[str, object] | None) -> bool:
    """Tell whether sending a command takes an admin; a request that only looks at a browser does not."""
    name = command.strip()
    if name == _BROWSER and (params or {}).get("method", _LOOKS) == _LOOKS:
        return False
    return name in _SENT_BY_ADMINS
