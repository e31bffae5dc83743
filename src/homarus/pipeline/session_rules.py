"""What the configuration says about sessions and queues, as the pipeline asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Literal

from homarus.config.schema import Config
from homarus.pipeline.orders import Order, read_order
from homarus.sessions.expiry import is_expired
from homarus.storage.records import InboundMessage, Session

QueueMode = Literal["collect", "followup", "steer", "interrupt"]
DropPolicy = Literal["old", "new", "summarize"]
_MODES: dict[str, QueueMode] = {
    "collect": "collect",
    "followup": "followup",
    "steer": "steer",
    "queue": "steer",
    "steer-backlog": "steer",
    "steer+backlog": "steer",
    "interrupt": "interrupt",
}


class SessionRules:
    """Reads the configuration in force at every question, so that a reload counts at once."""

    def __init__(self, config: Callable[[], Config], zone: Callable[[], tzinfo]) -> None:
        self._config = config
        self._zone = zone

    def order_of(self, message: InboundMessage) -> Order | None:
        """Return the order a message is, None for ordinary text."""
        return read_order(message, self._config().session.reset_triggers)

    def is_expired(self, session: Session, now_ms: int) -> bool:
        """Tell whether a session begins anew with its next message."""
        return is_expired(session, self._config().session, now_ms, self._zone())

    def queue_bound(self) -> tuple[int, DropPolicy]:
        """Return how many messages of channels may wait in a session, and what happens to more."""
        queue = self._config().messages.queue
        return queue.cap, queue.drop

    def queue_mode(self, channel: str) -> QueueMode:
        """Return what happens to messages that come while a run of their session goes on."""
        queue = self._config().messages.queue
        return _MODES[getattr(queue.by_channel, channel, None) or queue.mode]
