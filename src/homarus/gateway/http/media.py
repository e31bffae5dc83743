"""Files that went out with replies, for the chat page: whoever has the address of one may fetch it.

The address is a random handle of 122 bits that only those who read the conversation are given.
"""

from __future__ import annotations

import mimetypes
from typing import Final
from urllib.parse import quote

from aiohttp import web

from homarus.gateway.http.responses import SECURITY_HEADERS, error_response
from homarus.gateway.outgoing_files import OutgoingFiles

PATH: Final = "/media/{handle:[0-9a-f]{32}}/{name}"
SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show in place; anything else is only saved, because it could be a page with a script."""
_HEADERS: Final = {
    **SECURITY_HEADERS,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=86400, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def serve_media(files: OutgoingFiles | None, request: web.Request) -> web.StreamResponse:
    """Answer GET for one kept file. Raises StorageError when it cannot be read."""
    handle, name = request.match_info["handle"], request.match_info["name"]
    content = await files.read(handle) if files is not None else None
    if content is None:
        return error_response(404, "this file is not kept (any more)", "not_found")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    how = "inline" if kind in SHOWN else f"attachment; filename*=UTF-8''{quote(name[:200], safe='')}"
    return web.Response(body=content, headers={**_HEADERS, "Content-Disposition": how, "Content-Type": kind})
