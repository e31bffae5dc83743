"""The socket: opens it, reads lines of bounded length, writes with a time limit, and translates what can go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque

from homarus.channels.irc.settings import Settings
from homarus.channels.irc.wire import Line, WireError, parse
from homarus.errors import ConfigError, Transient

LONGEST_LINE = 8191 + 65_536
"""Bytes of the longest line we read: the most tag data plus the largest LINELEN we believe."""

_READ = 16_384
_CERTIFICATE_WAIT = 300.0  # seconds; a certificate is mended by people, not by the next attempt


class Connection:
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, write_timeout: float) -> None:
        self._reader = reader
        self._writer = writer
        self._write_timeout = write_timeout
        self._rest = bytearray()
        self._lines: deque[bytes] = deque()
        self._is_skipping = False
        self._is_lost = False

    @property
    def is_lost(self) -> bool:
        """Return whether the connection has ended or was given up."""
        return self._is_lost or self._writer.is_closing()

    async def read(self) -> Line:
        """Return the next line; lines without a command and lines that are too long are passed over.

        Raises Transient when the connection has ended. Half a line at the end is no line.
        """
        while True:
            while not self._lines:
                await self._receive()
            raw = self._lines.popleft()
            with contextlib.suppress(WireError):
                return parse(raw)

    async def write(self, data: bytes) -> None:
        """Send whole lines. Raises Transient when the connection is gone or takes nothing in time."""
        if self.is_lost:
            raise Transient("the IRC connection is gone")
        self._writer.write(data)
        try:
            async with asyncio.timeout(self._write_timeout):
                await self._writer.drain()
        except TimeoutError as error:
            self.abort()
            raise Transient(f"the IRC server took nothing for {self._write_timeout:g} s") from error
        except OSError as error:
            self.abort()
            raise Transient(f"the IRC connection was lost: {error}") from error

    def abort(self) -> None:
        """End the connection at once; a reader gets Transient."""
        self._is_lost = True
        self._writer.transport.abort()

    async def close(self, farewell: bytes = b"") -> None:
        """Say goodbye if the server still listens, and close. Never raises, takes at most a second."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                if farewell and not self.is_lost:
                    self._writer.write(farewell)
                    await self._writer.drain()
                self._writer.close()
                await self._writer.wait_closed()
        self.abort()

    async def _receive(self) -> None:
        try:
            data = await self._reader.read(_READ)
        except OSError as error:
            self._is_lost = True
            raise Transient(f"the IRC connection was lost: {error}") from error
        if not data:
            self._is_lost = True
            raise Transient("the IRC server closed the connection")
        self._rest += data
        *complete, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        for raw in complete:
            if not self._is_skipping and raw.strip():
                self._lines.append(raw)
            self._is_skipping = False
        if len(self._rest) > LONGEST_LINE:
            self._rest.clear()
            self._is_skipping = True


async def connect(settings: Settings, *, port: int | None = None, is_tls: bool | None = None) -> Connection:
    """Open a connection; `port` and `is_tls` override the settings for an upgrade the server asked for.

    Raises Transient when the server cannot be reached or its certificate is not valid, ConfigError for unreadable
    certificate files.
    """
    wants_tls = settings.tls if is_tls is None else is_tls
    target = f"{settings.host}:{port or settings.port}"
    context = tls_context(settings) if wants_tls else None
    try:
        async with asyncio.timeout(settings.timings.connect):
            reader, writer = await asyncio.open_connection(settings.host, port or settings.port, ssl=context)
    except ssl.SSLCertVerificationError as error:
        raise Transient(
            f"the certificate of {target} is not valid: {error.verify_message}",
            retry_after=_CERTIFICATE_WAIT,
            fix=f"set {settings.path}.tlsCaFile to the authority's certificate if you run this server yourself",
        ) from error
    except ssl.SSLError as error:
        raise Transient(
            f"no TLS with {target}: {error.reason or error}", fix=f"check {settings.path}.port and {settings.path}.tls"
        ) from error
    except TimeoutError as error:
        raise Transient(f"{target} did not answer in {settings.timings.connect:g} s") from error
    except OSError as error:
        raise Transient(f"cannot reach {target}: {error.strerror or error}") from error
    return Connection(reader, writer, write_timeout=settings.timings.write)


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS settings: verified unless dangerously switched off. Raises ConfigError for unreadable files."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca_file)
        if settings.tls_cert_file:
            context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"cannot read a certificate file: {error}",
            path=f"{settings.path}.tlsCaFile",
            fix="give tlsCaFile, tlsCertFile and tlsKeyFile as readable PEM files",
        ) from error
    if settings.is_tls_unverified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
