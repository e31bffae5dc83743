"""The gateway's page and socket through `tailscale serve` (the tailnet) or `tailscale funnel` (the internet)."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, cast

from homarus.errors import HomarusError, Transient
from homarus.gateway.settings import TailscaleSettings
from homarus.gateway.tailscale.program import TailscaleProgram

log = logging.getLogger("homarus.gateway.tailscale")

HTTPS: Final = "--https=443"


class TailscaleExposure:
    """Keeps one HTTPS address of this machine pointed at the gateway. `target` is where the gateway answers."""

    def __init__(self, settings: TailscaleSettings, program: TailscaleProgram, target: str) -> None:
        self._settings = settings
        self._program = program
        self._target = target
        self._is_ours = False
        self.opened = asyncio.Event()

    async def run(self) -> None:
        """Expose the gateway until cancelled. Raises Transient when Tailscale cannot do it now."""
        try:
            url = await self.open()
            log.info("tailscale %s: %s", self._settings.mode, url)
            self.opened.set()
            await asyncio.get_running_loop().create_future()
        finally:
            if self._settings.resets_on_exit and self._is_ours:
                await self.close()

    async def open(self) -> str:
        """Expose the gateway and return its address. Raises Transient with what to do."""
        name = await machine_name(self._program)
        taken = _handler(await self._status(), name)
        if taken is not None and taken != self._target:
            fix = "move it to another port or path, or free the address: tailscale serve --https=443 off"
            raise Transient(f"https://{name}/ already leads to {taken}", fix=fix)
        self._is_ours = True
        await self._program.run(self._settings.mode, "--bg", "--yes", HTTPS, self._target)
        status = await self._status()
        if _handler(status, name) != self._target:
            raise Transient(
                f"Tailscale does not serve {self._target} although it said so", fix="tailscale serve status"
            )
        if self._settings.mode == "serve" and _is_public(status, name):
            await self._program.run("funnel", "--yes", HTTPS, "off")
            raise Transient(f"https://{name}/ was open to the internet; closed, and tried again")
        return f"https://{name}/"

    async def close(self) -> None:
        """Take back what `open` did; a failure is only logged, for the gateway is on its way out."""
        try:
            await self._program.run(self._settings.mode, "--yes", HTTPS, "off")
        except HomarusError as error:
            log.warning("the exposure stays: %s", error.message)

    async def _status(self) -> dict[str, object]:
        return await self._program.run_json("serve", "status", "--json")


async def machine_name(program: TailscaleProgram) -> str:
    """Return this machine's name on its tailnet, such as box.example.ts.net. Raises Transient when it is on none."""
    status = await program.run_json("status", "--json", "--peers=false")
    name = _entries(status.get("Self")).get("DNSName")
    if status.get("BackendState") != "Running" or not isinstance(name, str) or not name:
        raise Transient("this machine is not on a tailnet", fix="tailscale up")
    return name.rstrip(".").lower()


def _handler(status: dict[str, object], name: str) -> str | None:
    """Return what the root of the address leads to, None when it is free."""
    value: object = status
    for key in ("Web", f"{name}:443", "Handlers", "/"):
        value = _entries(value).get(key)
    handler = _entries(value)
    if not handler:
        return None
    return str(handler.get("Proxy") or handler.get("Path") or handler.get("Text") or "something else")


def _is_public(status: dict[str, object], name: str) -> bool:
    return bool(_entries(status.get("AllowFunnel")).get(f"{name}:443"))


def _entries(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
