"""A piece of streamed text that can be put together with the next one for a client that is slow."""

from __future__ import annotations

from collections.abc import Callable

from homarus.protocol.frames import JsonObject, encode_event

Join = Callable[[JsonObject, JsonObject], JsonObject]


class Delta:
    """An event that adds text. `key` says to what; `join` makes one payload of an earlier and a later one."""

    __slots__ = ("_encoded", "_join", "event", "key", "payload")

    def __init__(self, event: str, key: str, payload: JsonObject, join: Join) -> None:
        self.event = event
        self.key = key
        self.payload = payload
        self._join = join
        self._encoded: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """Return the event's frame without its closing brace; encoded once for all clients."""
        if self._encoded is None:
            self._encoded = encode_event(self.event, self.payload)[:-1].encode("utf-8", "backslashreplace")
        return self._encoded

    def followed_by(self, later: Delta) -> Delta:
        """Return both as one."""
        return Delta(self.event, self.key, self._join(self.payload, later.payload), self._join)
