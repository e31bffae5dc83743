"""A program on a terminal of its own: typed into, and read as a person reads it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from conformance.command import PATIENCE, end
from conformance.report import Mismatch

ROWS, COLUMNS = 40, 120
_CONTROL = re.compile(r"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[_P][^\x1b]*\x1b\\|\x1b.")


class PtyProgram:
    """`seen` is all that was shown so far, without control sequences."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._raw = ""
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    @property
    def seen(self) -> str:
        """Return the text."""
        return _CONTROL.sub("", self._raw)

    def _read(self) -> None:
        try:
            piece = os.read(self._descriptor, 65_536)
        except OSError:
            piece = b""
        if not piece:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self._raw += piece.decode("utf-8", "replace")
        self._news.set()

    def type(self, text: str) -> None:
        """Type characters."""
        os.write(self._descriptor, text.encode())

    async def wait_for(self, text: str, after: int = 0, timeout: float = PATIENCE) -> int:
        """Wait until a text is shown behind position `after` of `seen`, and return the position behind it."""
        try:
            async with asyncio.timeout(timeout):
                while text not in self.seen[after:]:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            shown = " ".join(self.seen[after:].split())[-300:]
            raise Mismatch(f"the terminal did not show {text!r} within {timeout:g} s but: {shown}") from None
        return self.seen.index(text, after) + len(text)


@asynccontextmanager
async def on_terminal(command: Sequence[str], env: Mapping[str, str]) -> AsyncGenerator[PtyProgram]:
    """Keep a program running on a terminal until the block ends."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield PtyProgram(ours)
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        await end(process)
        with contextlib.suppress(OSError):
            os.close(ours)
