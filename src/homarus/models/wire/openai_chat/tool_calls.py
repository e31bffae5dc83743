"""Puts tool calls together from the pieces servers send, including those who send them wrongly."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from homarus.models.contract import ToolCall
from homarus.models.wire.json_value import JsonObject, as_object, as_text, compact

MAX_CALLS = 128
"""Calls in one response; more is taken for garbage."""


class TooManyCalls(ValueError):
    """The response asks for more calls than MAX_CALLS."""


class _Slot(Struct):
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list[str])


class ToolCallAssembler:
    """Collects the calls of one response in the order they began."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._slots: list[_Slot] = []
        self._by_index: dict[int, _Slot] = {}

    def __bool__(self) -> bool:
        """Return whether any call has begun."""
        return bool(self._slots)

    def add(self, delta: JsonObject) -> None:
        """Take one entry of `tool_calls`, whole or in part. Raises TooManyCalls."""
        function = as_object(delta.get("function"))
        call_id, name = as_text(delta.get("id")), as_text(function.get("name"))
        slot = self._slot_for(delta.get("index"), call_id, name)
        slot.id = slot.id or call_id
        if name != slot.name:
            slot.name += name
        _add_arguments(slot, function.get("arguments"))

    def finish(self) -> tuple[ToolCall, ...]:
        """Return the calls. Ids that are missing or used twice are made; missing arguments become `{}`."""
        seen: set[str] = set()
        calls: list[ToolCall] = []
        for slot in self._slots:
            call_id = slot.id if slot.id and slot.id not in seen else self._new_id()
            seen.add(call_id)
            calls.append(ToolCall(call_id, slot.name, "".join(slot.pieces).strip() or "{}"))
        return tuple(calls)

    def _slot_for(self, index: object, call_id: str, name: str) -> _Slot:
        if isinstance(index, int):
            slot = self._by_index.get(index)
            # Some servers number every parallel call 0: another id with a name is another call.
            if slot is None or (call_id and name and slot.id and slot.id != call_id):
                slot = self._by_index[index] = self._begin()
            return slot
        known = next((slot for slot in self._slots if call_id and slot.id == call_id), None)
        if known is not None:
            return known
        return self._begin() if call_id or name or not self._slots else self._slots[-1]

    def _begin(self) -> _Slot:
        if len(self._slots) >= MAX_CALLS:
            raise TooManyCalls(f"more than {MAX_CALLS} tool calls in one answer")
        self._slots.append(_Slot())
        return self._slots[-1]


def _add_arguments(slot: _Slot, arguments: object) -> None:
    if isinstance(arguments, str):
        slot.pieces.append(arguments)
    elif isinstance(arguments, dict | list) and not slot.pieces:
        slot.pieces.append(compact(arguments))  # pyright: ignore[reportUnknownArgumentType]
