"""Faults of the test server: each is met by the next calls of a method, then it is over."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field


class FaultKind(StrEnum):
    """What goes wrong with a call.

    `refuse` answers with a Bot API error and does nothing; `page` answers with a proxy's HTML page and does nothing;
    `cut` drops the connection before anything is done; `lose` does it and drops the connection instead of answering;
    `half` does it, sends half the answer and closes; `stall` does nothing and never answers; `delay` answers late.
    """

    REFUSE = "refuse"
    PAGE = "page"
    CUT = "cut"
    LOSE = "lose"
    HALF = "half"
    STALL = "stall"
    DELAY = "delay"


class Fault(Struct):
    """One fault for `times` calls. `code`, `description` and `parameters` are for refuse and page, `seconds` for
    delay."""

    kind: FaultKind
    times: int = 1
    code: int = 500
    description: str = "Internal Server Error"
    parameters: dict[str, int] = field(default_factory=dict[str, int])
    seconds: float = 0.0


class Faults:
    """Faults waiting to happen, by method name; `*` is for every method."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = {}

    def add(self, method: str, fault: Fault) -> None:
        """Let the next calls of a method meet a fault."""
        self._waiting.setdefault(method.lower(), []).append(fault)

    def refuse(self, method: str, code: int, description: str, *, times: int = 1, **parameters: int) -> None:
        """Let the next calls be refused, e.g. with `retry_after=7` or `migrate_to_chat_id=-100`."""
        self.add(method, Fault(FaultKind.REFUSE, times, code, description, parameters))

    def take(self, method: str) -> Fault | None:
        """Return the fault for a call, None when it shall work."""
        for name in (method.lower(), "*"):
            waiting = self._waiting.get(name, [])
            if waiting:
                fault = waiting[0]
                fault.times -= 1
                if fault.times <= 0:
                    waiting.pop(0)
                return fault
        return None

    def clear(self) -> None:
        """Let everything work again."""
        self._waiting.clear()
