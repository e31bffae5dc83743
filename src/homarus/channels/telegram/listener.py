"""A port of the webhook's own, for proxies that lead elsewhere than to the gateway (`webhookPort`, `webhookHost`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from homarus.channels.telegram.webhook import LARGEST_BODY, is_secret
from homarus.errors import ConfigError

PATIENCE = 30.0
"""Seconds in which a body must have come."""

Handler = Callable[[Mapping[str, str], bytes], Awaitable[int]]


@asynccontextmanager
async def listening(
    at: tuple[str, int], path: str, secret: str, handle: Handler, *, named: str
) -> AsyncGenerator[None]:
    """Serve a path at (host, port) while the block runs.

    `named` is the configuration path of the account. Raises ConfigError when nothing can listen there.
    """

    async def answer(request: web.Request) -> web.Response:
        return await _answer(request, secret, handle)

    app = web.Application(client_max_size=LARGEST_BODY + 1)
    app.router.add_post(path, answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, *at).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(
            f"nothing can listen at {at[0]}:{at[1]}: {error.strerror or error}",
            path=f"{named}.webhookPort",
            fix="free the port or set another one; without webhookPort the gateway's own port is used",
        ) from error
    try:
        yield
    finally:
        await runner.cleanup()


async def _answer(request: web.Request, secret: str, handle: Handler) -> web.Response:
    if not is_secret(request.headers, secret.encode()):
        return web.Response(status=401)  # the body stays unread
    try:
        async with asyncio.timeout(PATIENCE):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return web.Response(status=413)
    except TimeoutError:
        return web.Response(status=408)
    return web.Response(status=await handle(request.headers, body))
