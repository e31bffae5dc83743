"""Loads the system's certificate authorities when the first TLS connection needs them, not at import.

aiohttp makes two client contexts while it is imported, and each reads every certificate of the system: 60 ms and 3 MB
that a gateway which talks to no TLS server never needs. `defer` has it make contexts that read them on first use.
Verification is as strict as ever: a context is complete before it starts its first handshake.
"""

from __future__ import annotations

import ssl
import sys
from importlib import import_module
from typing import Any


class LateContext(ssl.SSLContext):
    """A client context that loads the default authorities before its first handshake."""

    _is_loaded = False

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:  # noqa: ANN401 - passes the base class's arguments on
        """Begin a TLS connection over memory buffers, as asyncio and uvloop do."""
        self._load()
        return super().wrap_bio(*args, **kwargs)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:  # noqa: ANN401 - passes the base class's arguments on
        """Begin a TLS connection on a socket."""
        self._load()
        return super().wrap_socket(*args, **kwargs)

    def _load(self) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            self.load_default_certs(ssl.Purpose.SERVER_AUTH)


def defer() -> None:
    """Import aiohttp with contexts that load their authorities late; does nothing when it is imported already.

    Its second context verifies nothing and so needs none.
    """
    if "aiohttp" in sys.modules:
        return
    original = ssl.create_default_context
    ssl.create_default_context = lambda: LateContext(ssl.PROTOCOL_TLS_CLIENT)  # type: ignore[assignment]
    ssl.SSLContext.set_default_verify_paths = lambda _context: None  # type: ignore[method-assign]
    try:
        import_module("aiohttp")
    finally:
        ssl.create_default_context = original
        del ssl.SSLContext.set_default_verify_paths
