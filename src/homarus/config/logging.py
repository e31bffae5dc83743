"""`logging`: level, file and format of the log."""

from __future__ import annotations

from typing import Literal

from homarus.config.base import Many, Positive, Section

LogLevel = Literal["silent", "fatal", "error", "warn", "info", "debug", "trace"]


class Logging(Section):
    """Level, file and format of the log."""

    level: LogLevel = "info"
    """Least severity written to the file."""
    file: str | None = None
    """Log file; unset: `logs/homarus.log` in the state folder."""
    max_file_bytes: Positive = 524_288_000
    """Size at which the file is rotated."""
    console_level: LogLevel | None = None
    """Least severity written to the console; unset: as `level`."""
    console_style: Literal["pretty", "compact", "json"] = "pretty"
    """Console format."""
    redact_sensitive: Literal["off", "tools"] = "tools"
    """Hide secrets in tool output."""
    redact_patterns: Many[str] = ()
    """Regular expressions of texts to hide."""
