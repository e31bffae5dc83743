"""Files of this machine on their way to the gateway, which may be another one."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from homarus.errors import UserError

MOST_BYTES = 18 * 1024 * 1024
"""All files of one call: as base64 they have to fit a frame of 25 MiB."""


def data_urls(paths: Iterable[Path]) -> list[str]:
    """Return files as `data:TYPE;name=FILE;base64,...`. Raises UserError for one that cannot be read, or too much."""
    urls: list[str] = []
    left = MOST_BYTES
    for path in paths:
        content = _read(path, left)
        left -= len(content)
        mime = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        urls.append(f"data:{mime};name={quote(path.name)};base64,{base64.b64encode(content).decode()}")
    return urls


def _read(path: Path, most: int) -> bytes:
    try:
        with path.expanduser().open("rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}", fix="give the path of a file") from error
    if len(content) > most:
        raise UserError(
            f"{path} is too large: {MOST_BYTES} bytes go with one call",
            fix="put it into the agent's workspace and ask the agent to send it",
        )
    return content
