from __future__ import annotations

import subprocess
from pathlib import Path

from homarus.sandbox.bubblewrap import Bubblewrap
from homarus.sandbox.contract import Command, Completion, Limits


async def sh(
    sandbox: Bubblewrap, workspace: Path, line: str, *, limits: Limits | None = None, stdin: bytes = b""
) -> Completion:
    return await sandbox.run(
        Command(("/bin/sh", "-c", line), workspace, limits=limits or Limits(timeout=30), stdin=stdin)
    )


def outside(line: str, **options: object) -> str:
    """The control: the same line without a sandbox."""
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=30, **options).stdout  # type: ignore[call-overload]
