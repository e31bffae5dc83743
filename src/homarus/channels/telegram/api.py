"""The HTTP exchange with a Bot API server: bounded in time and size, and the token never leaves this file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

import aiohttp
from msgspec import Struct

from homarus.channels.contract import Ambiguous
from homarus.channels.telegram.answers import Unreadable, read_answer
from homarus.channels.telegram.families import Families, connector_for
from homarus.errors import Permanent, Transient

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes: 100 updates of the largest kind are about 1 MB."""

_KEEP_ALIVE = 15.0  # seconds; servers close idle connections after 60 or more, and a race with that loses a send
_CHUNK = 64 * 1024


class Upload(Struct, frozen=True):
    """A file to send in a multipart body: the parameter it is for, its name, type and bytes."""

    field: str
    name: str
    mime: str
    data: bytes


class BotApi:
    """Calls methods for one token. The session is opened by the first call; after `close` a call opens another."""

    def __init__(
        self,
        root: str,
        token: str,
        *,
        proxy: str | None = None,
        connect: float = 10.0,
        families: Families = Families.BOTH,
    ) -> None:
        self._families = families
        self._root = root.rstrip("/")
        self._token = token
        self._proxy = proxy
        self._connect = connect
        self._session: aiohttp.ClientSession | None = None
        self.host = urlsplit(root).netloc.rpartition("@")[2]

    async def call(
        self,
        method: str,
        parameters: Mapping[str, object] | None = None,
        *,
        within: float,
        is_effect: bool = False,
        upload: Upload | None = None,
    ) -> object:
        """Call a method and return its result; parameters that are None are left out.

        With `is_effect` a repetition would do the thing twice, so an unknown outcome raises Ambiguous; without it,
        Transient. Otherwise raises what `read_answer` does.
        """
        given = {name: value for name, value in (parameters or {}).items() if value is not None}
        unknown = Ambiguous if is_effect else Transient
        url = f"{self._root}/bot{self._token}/{method}"
        try:
            status, body = await self._post(url, lambda: _body(given, upload), within)
            return read_answer(method, status, body)
        except Unreadable as error:
            if not is_effect or str(error).startswith("HTTP 4"):
                raise Transient(f"{self.host} gave no Bot API answer to {method}: {error}") from None
            raise Ambiguous(f"{self.host} gave no Bot API answer to {method}: {error}") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Transient(f"cannot connect to {self.host}: {_reason(error)}") from None
        except TimeoutError:
            raise unknown(f"{self.host} did not answer {method} within {within:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # The texts of these errors can hold the address, and with it the token: only their kind is named.
            raise unknown(f"the connection to {self.host} broke during {method} ({type(error).__name__})") from None

    async def download(self, path: str, *, limit: int, within: float) -> bytes:
        """Return the file at a `file_path`. Raises Permanent (gone, more than `limit` bytes), Transient."""
        url = f"{self._root}/file/bot{self._token}/{quote(path, safe='/')}"
        try:
            timeout = aiohttp.ClientTimeout(total=within, sock_connect=self._connect)
            async with self._open().get(url, timeout=timeout, proxy=self._proxy, allow_redirects=False) as response:
                if response.status != 200:
                    kind = Transient if response.status >= 500 else Permanent
                    raise kind(f"{self.host} answered {response.status} to a download")
                return await _read(response, limit)
        except TimeoutError:
            raise Transient(f"a download from {self.host} took longer than {within:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Transient(f"a download from {self.host} broke ({type(error).__name__})") from None

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, url: str, make: Callable[[], aiohttp.FormData | bytes], within: float) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=within, sock_connect=min(self._connect, within))
        body = make()
        headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else None
        async with self._open().post(
            url, data=body, headers=headers, timeout=timeout, proxy=self._proxy, allow_redirects=False
        ) as response:
            try:
                return response.status, await _read(response, LARGEST_ANSWER)
            except Permanent:
                raise Unreadable("an answer of more than 8 MB") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = connector_for(self._families, limit=8, keep_alive=_KEEP_ALIVE)
            self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True, trust_env=False)
        return self._session


def _body(parameters: Mapping[str, object], upload: Upload | None) -> aiohttp.FormData | bytes:
    if upload is None:
        return json.dumps(parameters, ensure_ascii=True).encode()
    form = aiohttp.FormData()
    for name, value in parameters.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    form.add_field(upload.field, upload.data, filename=upload.name, content_type=upload.mime)
    return form


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for data in response.content.iter_chunked(_CHUNK):
        body += data
        if len(body) > limit:
            response.close()
            raise Permanent(f"the file is larger than {limit} bytes")
    return bytes(body)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no connection in time"
    found = getattr(error, "os_error", None)
    return str(getattr(found, "strerror", None) or type(found or error).__name__)
