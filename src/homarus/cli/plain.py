"""`homarus gateway run` and `gateway call` as programs type them, understood without what parses every other line.

That parser takes a fifth of a start to load, and more of a call. Anything unusual is left to it: help, mistakes, and
the token, which must not stay among the arguments, where everyone on the machine sees it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from homarus.cli.calling import Asked
    from homarus.cli.serving import Start

_RUN: Final = ("gateway", "run")
_RUN_OPTIONS: Final = frozenset({"--port", "--bind", "--config", "--home"})
_CALL: Final = ("gateway", "call")
_CALL_OPTIONS: Final = frozenset({"--params", "--timeout"})
_MAX_PORT: Final = 65535
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{1,6})?")
"""Seconds within the bounds of the option."""


def read_plain_start(arguments: Sequence[str]) -> Start | None:
    """Return the start that was typed, or None when it needs the parser."""
    given = _options(arguments[2:], _RUN_OPTIONS) if tuple(arguments[:2]) == _RUN else None
    if given is None:
        return None
    port = given.get("--port", "0")
    return _start(given) if port.isascii() and port.isdigit() and int(port) <= _MAX_PORT else None


def read_plain_call(arguments: Sequence[str]) -> Asked | None:
    """Return the call that was typed, or None when it needs the parser."""
    is_call = tuple(arguments[:2]) == _CALL and len(arguments) > 2 and not arguments[2].startswith("-")
    given = _options(arguments[3:], _CALL_OPTIONS) if is_call else None
    if given is None or not _SECONDS.fullmatch(given.get("--timeout", "1")):
        return None
    from homarus.cli.calling import PARAMS, TIMEOUT, Asked

    return Asked(arguments[2], given.get("--params", PARAMS), float(given.get("--timeout", TIMEOUT)))


def _options(arguments: Sequence[str], known: frozenset[str]) -> dict[str, str] | None:
    """Return names with their values, None unless each name is known and there once, followed by its value."""
    names, values = arguments[::2], arguments[1::2]
    given = dict(zip(names, values, strict=False))
    is_plain = len(names) == len(values) == len(given) and not any(value.startswith("-") for value in values)
    return given if is_plain and given.keys() <= known else None


def _start(given: dict[str, str]) -> Start:
    from homarus.cli.serving import Start

    return Start(
        home=Path(given["--home"]) if "--home" in given else None,
        config=Path(given["--config"]) if "--config" in given else None,
        port=int(given["--port"]) if "--port" in given else None,
        bind=given.get("--bind"),
    )
