"""HTTP to model providers: one shared session, bounded in time and size; the only file here that uses aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from homarus.models.contract import FailureKind

if TYPE_CHECKING:
    import aiohttp

_CHUNK = 64 * 1024
_USER_AGENT = "homarus"


class Timeouts(Struct, frozen=True):
    """Seconds. `first` lasts until the first byte of the answer's body, `idle` between bytes, `total` over all."""

    connect: float = 10.0
    first: float = 120.0
    idle: float = 60.0
    total: float = 1800.0


class HttpFailure(Exception):
    """The exchange failed below HTTP; `message` completes a sentence that begins with the provider's name."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class HttpReply:
    """An answer whose status and headers are here; the body follows as it arrives."""

    def __init__(self, response: aiohttp.ClientResponse, timeouts: Timeouts, first_by: float) -> None:
        self._response = response
        self._timeouts = timeouts
        self._next_by = first_by
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def read(self, *, within: float | None = None) -> bytes:
        """Return the next bytes, none at the end. `within` shortens the wait. Raises HttpFailure."""
        loop = asyncio.get_running_loop()
        limit = self._next_by if within is None else min(self._next_by, loop.time() + within)
        with _translated("stopped sending in the middle of its answer"):
            async with asyncio.timeout_at(limit):
                data = await self._response.content.read(_CHUNK)
        self._next_by = loop.time() + self._timeouts.idle
        return data

    async def read_up_to(self, size: int) -> bytes:
        """Return at most `size` bytes of the body. Raises HttpFailure."""
        body = b""
        while len(body) < size and (data := await self.read()):
            body += data
        return body[:size]


class HttpClient:
    """Makes requests; its session is opened by the first one and closed at shutdown."""

    def __init__(self, timeouts: Timeouts | None = None) -> None:
        self._timeouts = timeouts or Timeouts()
        self._session: aiohttp.ClientSession | None = None

    def configure(self, timeouts: Timeouts) -> None:
        """Use other limits from the next request on."""
        self._timeouts = timeouts

    async def close(self) -> None:
        """Close every connection; a later request opens a new session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @asynccontextmanager
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> AsyncGenerator[HttpReply]:
        """Send and yield the answer. Redirects are not followed: they would carry the key away. Raises HttpFailure."""
        async with self._exchange("POST", url, headers, body, self._timeouts) as reply:
            yield reply

    @asynccontextmanager
    async def get(
        self, url: str, *, within: float, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[HttpReply]:
        """Fetch within a few seconds, without credentials unless `headers` holds them. Raises HttpFailure."""
        async with self._exchange("GET", url, headers or {}, None, Timeouts(within, within, within, within)) as reply:
            yield reply

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeouts: Timeouts
    ) -> AsyncGenerator[HttpReply]:
        first_by = asyncio.get_running_loop().time() + timeouts.first
        response = await self._send(method, url, headers, body, timeouts, first_by)
        try:
            yield HttpReply(response, timeouts, first_by)
        finally:
            response.close()  # not released: an unread rest may be endless

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeouts: Timeouts,
        first_by: float,
    ) -> aiohttp.ClientResponse:
        import aiohttp  # noqa: PLC0415 - an idle process never needs the client

        limits = aiohttp.ClientTimeout(total=timeouts.total, connect=timeouts.connect, ceil_threshold=timeouts.total)
        with _translated("did not answer in time"):
            async with asyncio.timeout_at(first_by):
                return await self._opened().request(
                    method, url, headers=headers, data=body, timeout=limits, allow_redirects=False
                )

    def _opened(self) -> aiohttp.ClientSession:
        import aiohttp  # noqa: PLC0415 - an idle process never needs the client

        if self._session is None or self._session.closed:
            # Lanes bound how many calls run at once, so the pool must not make them wait for each other.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
                read_bufsize=_CHUNK,
            )
        return self._session


class _translated:  # noqa: N801 - reads as a clause of a with statement
    """Turns what aiohttp and asyncio raise into HttpFailure; cancellation passes through."""

    def __init__(self, late: str) -> None:
        self._late = late

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        import aiohttp  # noqa: PLC0415 - an idle process never needs the client

        if isinstance(error, aiohttp.ConnectionTimeoutError):
            raise HttpFailure(FailureKind.CONNECTION, "cannot be reached: no connection in time") from error
        if isinstance(error, TimeoutError):
            raise HttpFailure(FailureKind.TIMEOUT, self._late) from error
        if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
            raise HttpFailure(FailureKind.BAD_REQUEST, "has an address that is not an http or https URL") from error
        if isinstance(error, aiohttp.ClientSSLError):
            raise HttpFailure(FailureKind.CONNECTION, "cannot be reached: its certificate is not valid") from error
        if isinstance(error, aiohttp.ClientConnectorError):
            reason = error.os_error.strerror or "connection failed"
            raise HttpFailure(FailureKind.CONNECTION, f"cannot be reached: {reason}") from error
        if isinstance(error, aiohttp.ClientResponseError):
            raise HttpFailure(FailureKind.GARBAGE, "sent something that is not HTTP") from error
        if isinstance(error, aiohttp.ClientError | OSError):
            raise HttpFailure(FailureKind.CONNECTION, "cut the connection") from error
