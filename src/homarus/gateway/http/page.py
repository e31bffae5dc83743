"""The web page: built files with a strict policy, and a plain page that helps when it is not built."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import web

from homarus.clock import Clock, SystemClock
from homarus.gateway.http.responses import SECURITY_HEADERS, text_response

STATIC: Final = Path(__file__).parent / "static"
"""Where `make web` puts the built page; part of the wheel."""
_ASSETS: Final = "assets"
_INDEX: Final = "index.html"
_NONCE_MARK: Final = "__STYLE_NONCE__"
"""What stands in the built page for the nonce of its own style elements."""
_STATIC_SUFFIXES: Final = frozenset(
    {".js", ".css", ".json", ".map", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".txt"}
    | {".woff", ".woff2", ".webmanifest"}
)
_TYPES: Final = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Homarus</title></head>
<body><h1>Homarus is running</h1>
<p>The web page is not built in this installation. In a clone of the repository run <code>make web</code>,
then reload.</p>
<p>The command line works without it: <code>homarus agent --message "hello"</code></p>
</body></html>
"""


def page_headers(nonce: str | None = None) -> dict[str, str]:
    """Return the headers of a page: nothing of elsewhere, and no inline style but in elements that carry the nonce."""
    styles = "'self'" if nonce is None else f"'self' 'nonce-{nonce}'"
    policy = (
        f"default-src 'self'; script-src 'self'; style-src {styles}; img-src 'self' data: blob:; "
        "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
    return {**SECURITY_HEADERS, "Content-Security-Policy": policy, "X-Frame-Options": "DENY"}


class Page:
    """Serves the built page; every path that is no file is the page itself, which does its own routing."""

    def __init__(self, root: Path = STATIC, clock: Clock | None = None) -> None:
        self._root = root.resolve()
        self._clock = clock or SystemClock()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD for the page and its files."""
        if request.method not in ("GET", "HEAD"):
            return text_response("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
        path = request.match_info.get("path", "")
        found = self._find(path)
        if found is not None and found.name != _INDEX:
            return self._file(found)
        if Path(path).suffix.lower() in _STATIC_SUFFIXES:
            return text_response("Not Found", 404)
        index = self._find(_INDEX)
        if index is None:
            return web.Response(text=_NOT_BUILT, status=503, content_type="text/html", headers=page_headers())
        return await self._entry(index)

    async def _entry(self, index: Path) -> web.Response:
        """Answer with the page and a nonce of its own; it has no validators, or a browser would keep an older nonce."""
        nonce = self._clock.token(16)
        text = await asyncio.to_thread(index.read_text, "utf-8")
        headers = {**page_headers(nonce), "Cache-Control": "no-cache"}
        return web.Response(text=text.replace(_NONCE_MARK, nonce), content_type="text/html", headers=headers)

    def _find(self, path: str) -> Path | None:
        """Return a file inside the root; links and `..` cannot lead out of it."""
        if not path or "\x00" in path:
            return None
        try:
            found = (self._root / path).resolve()
            is_inside = found.is_relative_to(self._root) and found.is_file()
        except OSError:
            return None
        return found if is_inside else None

    def _file(self, path: Path) -> web.StreamResponse:
        """Files under `assets` have a hash in their name and never change."""
        is_hashed = _ASSETS in path.relative_to(self._root).parts[:-1]
        cache = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        kind = _TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = {**page_headers(), "Cache-Control": cache, "Content-Type": kind}
        return web.FileResponse(path, headers=headers)
