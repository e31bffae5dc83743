"""Where the log goes: JSON lines in a rotated file, and short lines on the console; secrets are hidden in both."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import cast

from homarus.config.logging import Logging
from homarus.errors import ConfigError
from homarus.log_context import log_fields
from homarus.security.redaction import redact_text, redact_value

KEPT_FILES = 4
MAX_MESSAGE = 16_000
_LEVELS = {
    "silent": logging.CRITICAL + 10,
    "fatal": logging.CRITICAL,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}
_FIXED = frozenset({"time", "level", "subsystem", "message"})
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMES = {"WARNING": "warn", "CRITICAL": "fatal"}


class JsonFormatter(logging.Formatter):
    """Renders a record as `{"time", "level", "subsystem", "message", ...}` on one line; time is ISO 8601 in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level_name(record),
            "subsystem": record.name.removeprefix("homarus."),
            "message": redact_text(record.getMessage())[:MAX_MESSAGE],
            **log_fields(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line.update(_safe(cast("dict[object, object]", fields)))
        if record.exc_info:
            line["error"] = redact_text(self.formatException(record.exc_info))[-MAX_MESSAGE:]
        return _visible(json.dumps(line, ensure_ascii=False, default=str))


def _safe(fields: dict[object, object]) -> dict[str, object]:
    """Return the fields of a record without secrets; they cannot take the place of what every line has."""
    redacted = {str(name): redact_value(value) for name, value in fields.items()}
    return {name: value for name, value in redacted.items() if name not in _FIXED}


def _visible(text: str) -> str:
    """Return text whose control and direction characters are escapes: strangers' words must not make lines."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class ConsoleFormatter(logging.Formatter):
    """Renders a record as `12:00:01 warn lanes: text`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        moment = datetime.fromtimestamp(record.created, UTC).astimezone()
        text = _visible(redact_text(record.getMessage()))
        line = f"{moment:%H:%M:%S} {level_name(record)} {record.name.removeprefix('homarus.')}: {text}"
        if record.exc_info and record.exc_info[1] is not None:
            line += f" ({type(record.exc_info[1]).__name__}; the log file has more)"
        return line


def level_name(record: logging.LogRecord) -> str:
    """Return the level in the wire's words: debug, info, warn, error, fatal."""
    return _NAMES.get(record.levelname, record.levelname.lower())


def open_logs(settings: Logging, folder: Path, expand: Callable[[str], Path]) -> Path:
    """Send the log of this process to its file and the console; returns the file.

    Raises ConfigError when the file cannot be written.
    """
    path = expand(settings.file) if settings.file else folder / "homarus.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = RotatingFileHandler(path, maxBytes=settings.max_file_bytes, backupCount=KEPT_FILES, encoding="utf-8")
        path.chmod(0o600)
    except OSError as error:
        raise ConfigError(
            f"the log file {path} cannot be written: {error.strerror}", path="logging.file", fix="choose another file"
        ) from error
    file.setFormatter(JsonFormatter())
    file.setLevel(_LEVELS[settings.level])
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(JsonFormatter() if settings.console_style == "json" else ConsoleFormatter())
    console.setLevel(_LEVELS[settings.console_level or "warn"])
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(min(file.level, console.level))
    root.addHandler(file)
    root.addHandler(console)
    for noisy in ("asyncio", "aiohttp.access", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    return path
