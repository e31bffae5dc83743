"""`homarus gateway run` as supervisors type it, understood without what parses every other command line.

That parser takes a fifth of a start to load. Anything unusual is left to it: help, mistakes, and the token, which must
not stay among the arguments, where everyone on the machine sees it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homarus.cli.serving import Start

_COMMAND: Final = ("gateway", "run")
_OPTIONS: Final = ("--port", "--bind", "--config", "--home")
_MAX_PORT: Final = 65535


def read_plain_start(arguments: Sequence[str]) -> Start | None:
    """Return what was typed, or None when it needs the parser."""
    if tuple(arguments[:2]) != _COMMAND:
        return None
    names, values = arguments[2::2], arguments[3::2]
    given = dict(zip(names, values, strict=False))
    is_plain = len(names) == len(values) == len(given) and not any(value.startswith("-") for value in values)
    port = given.get("--port", "0")
    if not is_plain or not set(given) <= set(_OPTIONS) or not (port.isascii() and port.isdigit()):
        return None
    return _start(given) if int(port) <= _MAX_PORT else None


def _start(given: dict[str, str]) -> Start:
    from homarus.cli.serving import Start

    return Start(
        home=Path(given["--home"]) if "--home" in given else None,
        config=Path(given["--config"]) if "--config" in given else None,
        port=int(given["--port"]) if "--port" in given else None,
        bind=given.get("--bind"),
    )
