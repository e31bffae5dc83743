"""Files that a caller of `send` names: data: URLs, addresses of the web, or files of an agent's workspace."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote, unquote

from homarus.errors import UserError
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.target import known_agent
from homarus.ids import Address
from homarus.pipeline.attachments import MAX_FILES, Attached
from homarus.protocol.errors import invalid, unavailable
from homarus.protocol.send import SendParams
from homarus.tools.file_type import type_of
from homarus.tools.workspace import Workspace

_DATA_URL: Final = re.compile(
    r"data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?P<more>(?:;[\w.+-]+=[^;,]{1,400}){0,8});base64,", re.IGNORECASE
)
_NAME: Final = re.compile(r";name=([^;,]+)", re.IGNORECASE)


async def read_media(call: Call, params: SendParams, address: Address) -> list[Attached]:
    """Return the files to send, kept in the state folder. Raises ProtocolError for what cannot be sent."""
    given = [each for each in (_data_url(params), params.media_url, *(params.media_urls or [])) if each]
    shelf = call.services.files
    if not given:
        return []
    if shelf is None:
        raise unavailable("files cannot be kept here")
    if len(given) > MAX_FILES:
        raise invalid(f"at most {MAX_FILES} files go with one message; got {len(given)}")
    try:
        most = shelf.most_bytes(address)
        found = [await _read(call, params, each, most) for each in given]
    except UserError as error:
        raise invalid(error.message + (f"; {error.fix}" if error.fix else "")) from error
    return [Attached(await shelf.keep(name, type_of(name, content), content)) for name, content in found]


def _data_url(params: SendParams) -> str | None:
    """Return the file that came beside its name, in the form of all others."""
    if not params.buffer or params.buffer[:5].lower() == "data:":
        return params.buffer
    kind = params.content_type or "application/octet-stream"
    return f"data:{kind};name={quote(params.filename or 'file', safe='')};base64,{params.buffer}"


async def _read(call: Call, params: SendParams, given: str, most: int) -> tuple[str, bytes]:
    if given[:5].lower() == "data:":
        return _decode(given, most)
    if given[:8].lower().startswith(("http://", "https://")):
        return await _fetch(call, given, most)
    if "://" in given:
        raise invalid("mediaUrl must be an http(s) or data: URL, or a path in the agent's workspace")
    agent = known_agent(call, params.agent_id)
    content = await asyncio.to_thread(Workspace(Path(agent.workspace or "")).read, given, most)
    return PurePosixPath(given).name, content


async def _fetch(call: Call, address: str, most: int) -> tuple[str, bytes]:
    from homarus.gateway.fetching import fetch_rules  # noqa: PLC0415 - few files come from the web
    from homarus.security.safe_fetch import fetch  # noqa: PLC0415

    found = await fetch(address, fetch_rules(call.services.config.current.config), most)
    return (found.name if found.name.isprintable() and found.name else "file")[:200], found.content


def _decode(given: str, most: int) -> tuple[str, bytes]:
    head = _DATA_URL.match(given)
    if head is None:
        raise invalid("mediaUrl: a data: URL is written data:TYPE;name=FILE;base64,DATA")
    text = given[head.end() :]
    if len(text) > most * 4 // 3 + 4:
        raise invalid(f"mediaUrl: the file is larger than {most} bytes")
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("mediaUrl: the data is not valid base64") from error
    named = _NAME.search(head["more"] or "")
    name = PurePosixPath(unquote(named[1])).name if named is not None else ""
    return (name if name.isprintable() and name else "file")[:200], content
