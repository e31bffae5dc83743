"""Running the `tailscale` program, with bounds on time and output."""

from __future__ import annotations

import asyncio
import json
from typing import Final, cast

from msgspec import Struct

from homarus.errors import Transient

COMMAND_TIMEOUT: Final = 20.0
"""Seconds a command may take; it waits for ever where the tailnet's owner has to agree to something first."""
MAX_OUTPUT: Final = 256 * 1024
PROGRAM: Final = "tailscale"


class Output(Struct, frozen=True):
    """How a command ended. `code` is None when it had to be stopped."""

    code: int | None
    out: str
    err: str


class TailscaleProgram:
    """The command line of Tailscale. `socket` names a tailscaled that is not at its usual place."""

    def __init__(self, socket: str | None = None) -> None:
        self._options = (f"--socket={socket}",) if socket else ()

    async def run(self, *arguments: str) -> str:
        """Return what a command printed. Raises Transient with what it said when it fails or does not end."""
        done = await self._finish(arguments)
        if done.code == 0:
            return done.out
        said = " ".join((done.err.strip() or done.out.strip()).split())[:500]
        if done.code is None:
            message = f"`tailscale {' '.join(arguments)}` did not end within {COMMAND_TIMEOUT:.0f} s"
            raise Transient(f"{message}: {said}" if said else message, fix="do what it asks for, then wait")
        raise Transient(f"`tailscale {' '.join(arguments)}` failed: {said}", fix=_fix(said))

    async def run_json(self, *arguments: str) -> dict[str, object]:
        """Return the JSON object a command printed. Raises Transient."""
        text = await self.run(*arguments)
        try:
            value = cast("object", json.loads(text or "{}"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Transient(f"`tailscale {' '.join(arguments)}` printed no JSON", fix="update Tailscale")
        return cast("dict[str, object]", value)

    async def _finish(self, arguments: tuple[str, ...]) -> Output:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                PROGRAM, *self._options, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
            )
        except OSError as error:
            fix = "install Tailscale, or set gateway.tailscale.mode to off"
            raise Transient(f"the program `tailscale` cannot be run: {error.strerror}", fix=fix) from error
        out, err = bytearray(), bytearray()
        code: int | None = None
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT):
                await asyncio.gather(_collect(process.stdout, out), _collect(process.stderr, err))
                code = await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Output(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


async def _collect(stream: asyncio.StreamReader | None, into: bytearray) -> None:
    """Read to the end and keep the beginning."""
    while stream is not None and (part := await stream.read(16 * 1024)):
        into += part[: max(0, MAX_OUTPUT - len(into))]


def _fix(said: str) -> str:
    if "denied" in said.lower() or "permission" in said.lower():
        return "let this user operate Tailscale: sudo tailscale set --operator=$USER"
    return "look at `tailscale status`"
