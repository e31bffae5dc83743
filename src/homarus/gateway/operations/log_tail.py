"""Reading the end of the log file without reading all of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import cast

from homarus.errors import StorageError
from homarus.protocol.health import LogsTail, LogsTailParams

DEFAULT_LINES = 500
DEFAULT_BYTES = 250_000


async def read_tail(path: Path | None, params: LogsTailParams) -> LogsTail:
    """Return lines from `cursor` on (a byte offset), or the last ones. Raises StorageError."""
    if path is None:
        return _nothing("")
    limit = params.limit or DEFAULT_LINES
    return await asyncio.to_thread(_read, path, params.cursor, limit, params.max_bytes or DEFAULT_BYTES)


def _read(path: Path, cursor: int | None, limit: int, max_bytes: int) -> LogsTail:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            has_backlog = cursor is not None and size - cursor > max_bytes
            is_reset = cursor is not None and (cursor > size or has_backlog)
            is_fresh = cursor is None or is_reset
            start = max(0, size - max_bytes) if is_fresh else int(cursor or 0)
            file.seek(max(0, start - 1))
            before = file.read(1) if start > 0 else b"\n"
            is_cut = is_fresh and before != b"\n"
            data = file.read(min(max_bytes, size - start))
    except FileNotFoundError:
        return _nothing(str(path))
    except OSError as error:
        raise StorageError(f"cannot read the log {path}: {error.strerror}") from error
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if is_cut and lines:
        lines = lines[1:]
    result: LogsTail = {
        "file": str(path),
        "cursor": size,
        "size": size,
        "lines": [as_clients_read(line) for line in lines[-limit:]],
        "truncated": is_cut or len(lines) > limit,
        "reset": is_reset,
    }
    return result


def _nothing(path: str) -> LogsTail:
    return {"file": path, "cursor": 0, "size": 0, "lines": [], "truncated": False, "reset": False}


def as_clients_read(line: str) -> str:
    """Return a record of the log with its message, level and subsystem also under the names that clients look for.

    Their names come from the JavaScript logger tslog: `1` is the text, `_meta` has the rest. Anything else stays as is.
    """
    try:
        value: object = json.loads(line)
    except ValueError:
        return line
    if not isinstance(value, dict):
        return line
    record = cast("dict[str, object]", value)
    meta = {
        "logLevelName": str(record.get("level", "info")).upper(),
        "name": json.dumps({"subsystem": record.get("subsystem", "")}),
        "date": record.get("time"),
    }
    return json.dumps({**record, "1": record.get("message", ""), "_meta": meta}, ensure_ascii=False)
