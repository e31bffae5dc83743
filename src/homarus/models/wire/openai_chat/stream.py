"""Reads the body of an answer: an event stream, or whole JSON from servers that ignore `stream`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from homarus.models.contract import Failed, FailureKind, ModelEvent
from homarus.models.wire.json_value import as_object, parse_json
from homarus.models.wire.openai_chat.response import ChatResponse
from homarus.models.wire.sse import LineTooLong, SseDecoder

_BOM = b"\xef\xbb\xbf"

MAX_BODY = 16 * 1024 * 1024
"""Bytes of one answer; no provider's longest output comes near it."""


class ChatStream:
    """Decodes one answer from its bytes, however they are cut. Yields exactly one Completed or Failed, at the end.

    What the body is shows in its first character: `{` whole JSON, `<` a web page, anything else an event stream.
    """

    def __init__(self, provider: str, new_id: Callable[[], str]) -> None:
        self._provider = provider
        self._response = ChatResponse(provider, new_id)
        self._sse = SseDecoder()
        self._kind: Literal["events", "whole"] | None = None
        self._whole = bytearray()
        self._head = b""
        self._size = 0
        self._has_done_mark = False
        self.is_over = False
        """Whether the last event was given; the rest of the body does not matter."""

    @property
    def text(self) -> str:
        """The visible text so far."""
        return self._response.text

    @property
    def is_complete(self) -> bool:
        """Whether the answer is whole, although usage may still follow."""
        return self._response.is_complete

    def feed(self, data: bytes) -> Iterator[ModelEvent]:
        """Take the next bytes of the body."""
        self._size += len(data)
        if self._size > MAX_BODY:
            yield from self._garble(f"sent more than {MAX_BODY // 1024 // 1024} MiB")
            return
        if self._kind is None:
            data = self._sniff(data)
        if self._kind == "whole":
            self._whole += data
        elif self._kind == "events":
            yield from self._read_events(data)

    def close(self) -> Iterator[ModelEvent]:
        """Take the end of the body."""
        if self._kind == "whole":
            yield from self._read_whole(bytes(self._whole))
            return
        for data in self._sse.close():
            yield from self._read_event(data)
        yield from self._end()

    def _sniff(self, data: bytes) -> bytes:
        """Decide what the body is and return the bytes to read; none while nothing but blanks has come."""
        data = self._head + data
        if _BOM.startswith(data):
            self._head = data
            return b""
        data, self._head = data.removeprefix(_BOM).lstrip(), b""
        if data:
            self._kind = "whole" if data[:1] in b"{<" else "events"
        return data

    def _read_events(self, data: bytes) -> Iterator[ModelEvent]:
        try:
            events = self._sse.feed(data)
        except LineTooLong as error:
            yield from self._garble(f"sent garbage: {error}")
            return
        for event in events:
            yield from self._read_event(event)

    def _read_event(self, data: str) -> Iterator[ModelEvent]:
        if self.is_over:
            return
        if data.strip() == "[DONE]":
            self._has_done_mark = True
            yield from self._end()
            return
        chunk = as_object(parse_json(data))
        if not chunk:
            yield from self._garble("sent something that is not JSON in its event stream")
            return
        yield from self._pass_on(self._response.add(chunk))

    def _read_whole(self, body: bytes) -> Iterator[ModelEvent]:
        if self.is_over:
            return
        answer = as_object(parse_json(body))
        if not answer:
            what = "a web page" if body.startswith(b"<") else "broken JSON"
            yield from self._garble(f"answered with {what} instead of a completion")
            return
        self._has_done_mark = True
        yield from self._pass_on(self._response.add(answer))
        yield from self._end()

    def _pass_on(self, events: Iterator[ModelEvent]) -> Iterator[ModelEvent]:
        for event in events:
            self.is_over = isinstance(event, Failed)
            yield event
            if self.is_over:
                return

    def _end(self) -> Iterator[ModelEvent]:
        if not self.is_over:
            self.is_over = True
            yield self._response.finish(was_ended=self._has_done_mark)

    def _garble(self, what: str) -> Iterator[ModelEvent]:
        if not self.is_over:
            self.is_over = True
            fix = f"Check models.providers.{self._provider}.baseUrl if this repeats."
            yield Failed(FailureKind.GARBAGE, f"{self._provider} {what}. {fix}", partial=self.text)
