"""A tailscaled that is none: answers `whois` on a Unix socket for the users it was told about."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from msgspec import Struct, field


class FakeTailscaled(Struct):
    """`users` are logins by tailnet address; `answer` replaces the next answers when it is set."""

    socket: Path
    users: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[str] = field(default_factory=list[str])
    answer: bytes | None = None

    async def whois(self, request: web.Request) -> web.Response:
        """Answer as tailscaled does: by address, with or without a port."""
        address = request.query.get("addr", "")
        self.asked.append(address)
        if self.answer is not None:
            return web.Response(body=self.answer)
        login = self.users.get(address)
        if login is None:
            return web.Response(status=404, text="no match for IP:port")
        node = {"Name": f"{login.partition('@')[0]}-laptop.example.ts.net."}
        return web.json_response({"Node": node, "UserProfile": {"LoginName": login, "DisplayName": login}})


@asynccontextmanager
async def fake_tailscaled(folder: Path, users: dict[str, str] | None = None) -> AsyncGenerator[FakeTailscaled, None]:
    """Serve on a socket in `folder` while the block runs."""
    daemon = FakeTailscaled(folder / "tailscaled.sock", dict(users or {}))
    application = web.Application()
    application.router.add_get("/localapi/v0/whois", daemon.whois)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.UnixSite(runner, str(daemon.socket)).start()
    try:
        yield daemon
    finally:
        await runner.cleanup()
