"""The one way to fetch an address that somebody else named: never from this network, never more than was agreed.

What is connected to is the very address that was checked, so that a name cannot lead elsewhere a moment later; every
redirect is checked like the first address. No cookies, no credentials and no proxy of the environment go along.
"""

from __future__ import annotations

import asyncio
import socket
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from yarl import URL

from homarus.errors import Transient, UserError
from homarus.security.internet import is_public

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_URL: Final = 2048
_CHUNK: Final = 64 * 1024
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final[Mapping[str, str]] = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "homarus"}
_FIX: Final = "name an address of the internet, or allow this host in tools.web.fetch.ssrfPolicy.allowedHostnames"


class FetchRules(Struct, frozen=True):
    """What may be fetched. `hosts` are admitted wherever they are; `timeout` in seconds, over everything."""

    may_be_private: bool = False
    hosts: frozenset[str] = frozenset()
    timeout: float = 30.0
    redirects: int = 3

    def admits(self, host: str) -> bool:
        """Tell whether a host may be anywhere."""
        return self.may_be_private or host.lower().rstrip(".") in self.hosts


class Fetched(Struct, frozen=True):
    """What was found: the last part of its address as a name, and its bytes."""

    name: str
    content: bytes


class _Private(OSError):
    """A name leads to an address that may not be asked."""


class _CheckedResolver(AbstractResolver):
    """Resolves names to addresses that may be asked; one bad address among several is enough to refuse."""

    def __init__(self, rules: FetchRules) -> None:
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return what a name stands for. Raises OSError, _Private among it."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        addresses = [(kind, protocol, str(place[0])) for kind, _type, protocol, _name, place in found]
        if not self._rules.admits(host) and not all(is_public(address) for _kind, _protocol, address in addresses):
            raise _Private(host)
        flags = socket.AI_NUMERICHOST
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=protocol, flags=flags)
            for kind, protocol, address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def fetch(address: str, rules: FetchRules, most: int) -> Fetched:
    """Return what an http or https address holds, at most `most` bytes.

    Raises UserError for an address that may not be fetched or holds too much, Transient when it could not be.
    """
    url = _checked(address, rules)
    connector = aiohttp.TCPConnector(resolver=_CheckedResolver(rules), use_dns_cache=False, limit=1, force_close=True)
    timeout = aiohttp.ClientTimeout(total=rules.timeout)
    try:
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as session:
            for _ in range(rules.redirects + 1):
                async with session.get(url, allow_redirects=False, headers=_HEADERS) as answer:
                    if answer.status not in _REDIRECTS:
                        return Fetched(PurePosixPath(url.path).name, await _read(answer, url, most))
                    url = _next(url, answer.headers.get("Location"), rules)
    except TimeoutError as error:
        raise Transient(f"{_shown(url)} did not answer within {rules.timeout:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _failure(url, error) from error
    raise UserError(f"{_shown(url)} leads on and on; at most {rules.redirects} redirects are followed")


async def _read(answer: aiohttp.ClientResponse, url: URL, most: int) -> bytes:
    if answer.status != 200:
        raise UserError(f"{_shown(url)} answered {answer.status}", fix="open the address in a browser to see why")
    too_large = UserError(f"what {_shown(url)} holds is larger than {most} bytes")
    if (answer.content_length or 0) > most:
        raise too_large
    content = bytearray()
    async for piece in answer.content.iter_chunked(_CHUNK):
        content += piece
        if len(content) > most:
            raise too_large
    return bytes(content)


def _next(url: URL, location: str | None, rules: FetchRules) -> URL:
    """Return where a redirect leads. Raises UserError when nobody may be led there."""
    if not location:
        raise UserError(f"{_shown(url)} leads elsewhere and does not say where")
    found = _checked(str(url.join(URL(location[:MAX_URL]))), rules)
    if url.scheme == "https" and found.scheme != "https":
        raise UserError(f"{_shown(url)} leads to an address without encryption")
    return found


def _checked(address: str, rules: FetchRules) -> URL:
    """Return an address that may be asked, as far as can be told before its name is resolved. Raises UserError."""
    try:
        url = URL(address)
        host = url.host
    except ValueError as error:
        raise UserError(f"{address[:200]!r} is no address") from error
    if len(address) > MAX_URL or not address.isprintable() or url.scheme not in ("http", "https") or not host:
        raise UserError(f"{address[:200]!r} is no http or https address")
    if url.user is not None or url.password is not None:
        raise UserError("an address must not carry a name or password", fix="leave out what stands before the @")
    is_literal = ":" in host or host.replace(".", "").isdigit()
    if is_literal and not is_public(host) and not rules.admits(host):
        raise _private(host)
    return url.with_fragment(None)


def _failure(url: URL, error: BaseException) -> UserError | Transient:
    """Return what went wrong in words; the resolver's refusal is wrapped by the HTTP library."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _Private):
            return _private(str(cause))
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    return Transient(f"{_shown(url)} cannot be fetched: {type(error).__name__}")


def _private(host: str) -> UserError:
    return UserError(f"{host[:200]} is not of the internet but of this machine or its network", fix=_FIX)


def _shown(url: URL) -> str:
    """Return an address for people, without its query, which may hold a secret."""
    return str(url.with_query(None))[:200]
