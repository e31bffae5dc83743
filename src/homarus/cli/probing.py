"""Trying to reach a gateway, step by step, with how long each took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct

from homarus.cli.gateway import session
from homarus.cli.reply import Row, as_row, number, text
from homarus.errors import HomarusError

if TYPE_CHECKING:
    from homarus.cli.reach import Target


class Probed(Struct):
    """What was found; times in milliseconds, None for a step that was not reached."""

    connect_ms: int | None = None
    call_ms: int | None = None
    hello: Row | None = None
    is_well: bool = False
    error: HomarusError | None = None

    def shown(self) -> Row:
        """Return it for scripts."""
        hello = self.hello or {}
        return {
            "ok": self.error is None and self.is_well,
            "connectMs": self.connect_ms,
            "callMs": self.call_ms,
            "server": hello.get("server"),
            "protocol": hello.get("protocol"),
            "error": None if self.error is None else self.error.message,
        }

    def lines(self) -> list[tuple[str, str]]:
        """Return it for people."""
        if self.connect_ms is None:
            return [("Connected", "no")]
        hello = self.hello or {}
        version = text(as_row(hello.get("server")), "version", "unknown")
        return [
            ("Connected", f"yes, in {self.connect_ms} ms, signed in"),
            ("Version", f"{version}, protocol {number(hello, 'protocol')}"),
            ("Health", "no answer" if self.call_ms is None else f"{_word(self.is_well)}, in {self.call_ms} ms"),
        ]


def try_gateway(target: Target) -> Probed:
    """Connect, sign in and ask for health; a failure is in the result."""
    found, began = Probed(), time.perf_counter()
    try:
        with session(target) as gateway:
            found.connect_ms, found.hello = _since(began), gateway.hello
            began = time.perf_counter()
            found.is_well = as_row(gateway.call("health", {})).get("ok") is True
            found.call_ms = _since(began)
    except HomarusError as error:
        found.error = error
    return found


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _word(is_well: bool) -> str:
    return "ok" if is_well else "not ok"
