"""One call of an operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct, field

from homarus.gateway.caller import Caller
from homarus.gateway.services import Services

if TYPE_CHECKING:
    from homarus.gateway.core import GatewayCore


class Call(Struct):
    """Who calls what, with everything an operation works with.

    `send` passes an answer on before the final one (two-phase answers); transports with one answer only ignore it.
    """

    core: GatewayCore
    caller: Caller
    method: str
    send: Callable[[object], None] = field(default=lambda _payload: None)
    _after: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    @property
    def services(self) -> Services:
        """Return the rooms below the gateway."""
        return self.core.services

    def after_answer(self, action: Callable[[], None]) -> None:
        """Do something once the final answer was queued, or the call failed; must not raise."""
        self._after.append(action)

    def finish(self) -> None:
        """Do what waits for the answer; called once by the transport."""
        actions, self._after = self._after, []
        for action in actions:
            action()
