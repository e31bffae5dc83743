"""One turn as the terminal shows it: text as it arrives, one dim line for each tool, and the end."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from msgspec import Struct

from homarus.cli.gateway import client_for
from homarus.cli.reach import find_gateway
from homarus.cli.reply import Row, as_row, rows, text
from homarus.cli.screen import clean, paint, say, shorten
from homarus.errors import HomarusError

if TYPE_CHECKING:
    from homarus.protocol.client import GatewayClient

_GRACE = 30.0
"""Seconds beyond the turn's own limit within which the gateway must have said how it ended."""
_ARGUMENT_WIDTH = 100


class Turn(Struct, frozen=True):
    """What is said where. `timeout` in seconds."""

    session_key: str
    text: str
    timeout: int


class TurnFailed(HomarusError):
    """The turn ended without an answer; `outcome` is its machine-readable form."""

    def __init__(self, message: str, outcome: Row) -> None:
        super().__init__(message, fix="homarus logs --level warn")
        self.outcome = outcome


class Conversation:
    """Runs one turn and prints it. `is_live` prints text while it arrives, else only the final one."""

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._has_open_line = False
        self._shown = ""
        self._tools: list[Row] = []

    def run(self, turn: Turn, *, is_local: bool) -> Row:
        """Run the turn to its end and return its outcome. Raises TurnFailed, KeyboardInterrupt after Ctrl-C."""
        return asyncio.run(self._run_locally(turn) if is_local else self._run_remotely(turn))

    async def _run_remotely(self, turn: Turn) -> Row:
        async with client_for(find_gateway(), has_tool_events=True) as client:
            return await self._converse(client, turn)

    async def _run_locally(self, turn: Turn) -> Row:
        from homarus.cli.local import local_gateway

        async with local_gateway() as target, client_for(target, has_tool_events=True) as client:
            return await self._converse(client, turn)

    async def _converse(self, client: GatewayClient, turn: Turn) -> Row:
        run_id = str(uuid4())
        # Listening begins before the message goes out: the first events may come right behind the answer.
        follower = asyncio.create_task(self._follow(client, run_id))
        try:
            ack = as_row(await client.call("chat.send", _message_of(turn, run_id)))
            if "aborted" in ack:
                return self._stopped(ack)
            async with asyncio.timeout(turn.timeout + _GRACE):
                return await follower
        except TimeoutError:
            self._end_line()
            outcome: Row = {"runId": run_id, "status": "timeout"}
            raise TurnFailed(f"the turn did not end within {turn.timeout} s", outcome) from None
        except asyncio.CancelledError:
            self._end_line()
            with suppress(HomarusError):
                await client.call("chat.abort", {"sessionKey": turn.session_key, "runId": run_id}, timeout=5)
            raise
        finally:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)

    def _stopped(self, ack: Row) -> Row:
        """The message was a stop word: nothing answers it."""
        if self._is_live:
            say("Stopped." if ack.get("aborted") else "Nothing was running.")
        return {"status": "stopped", **ack}

    async def _follow(self, client: GatewayClient, run_id: str) -> Row:
        async for event in client.events("agent", "chat"):
            payload = event.payload
            if payload.get("runId") != run_id:
                continue
            if event.name == "agent":
                self._show_step(payload)
            elif payload.get("state") in ("final", "aborted", "error"):
                return self._end(payload)
        raise TurnFailed("the events of the turn ended before it did", {"runId": run_id, "status": "lost"})

    def _show_step(self, payload: Row) -> None:
        stream, data = payload.get("stream"), as_row(payload.get("data"))
        if stream == "tool" and data.get("phase") == "start":
            self._tools.append({"name": data.get("name"), "args": data.get("args")})
            self._show_tool(data)
        elif stream == "assistant" and self._is_live:
            self._show_text(data)

    def _show_tool(self, data: Row) -> None:
        if not self._is_live:
            return
        self._end_line()
        arguments = " ".join(f"{name}={value}" for name, value in as_row(data.get("args")).items())
        say(paint(f"· {text(data, 'name')} {shorten(clean(arguments), _ARGUMENT_WIDTH)}", "dim"))
        self._shown = ""

    def _show_text(self, data: Row) -> None:
        whole = text(data, "text")
        if not whole.startswith(self._shown):
            self._end_line()
            self._shown = ""
        self._write(whole[len(self._shown) :])
        self._shown = whole

    def _write(self, piece: str) -> None:
        if piece:
            sys.stdout.write(clean(piece, keep_lines=True))
            sys.stdout.flush()
            self._has_open_line = not piece.endswith("\n")

    def _end_line(self) -> None:
        if self._has_open_line:
            say()
            self._has_open_line = False

    def _end(self, payload: Row) -> Row:
        state = text(payload, "state")
        answer = "".join(text(block, "text") for block in rows(as_row(payload.get("message")), "content"))
        outcome: Row = {
            "runId": payload.get("runId"),
            "sessionKey": payload.get("sessionKey"),
            "status": {"final": "ok"}.get(state, state),
            "text": answer,
            "tools": self._tools,
        }
        outcome |= {name: payload[name] for name in ("usage", "stopReason", "errorMessage") if name in payload}
        self._show_end(answer)
        if state != "final":
            fallback = "the turn was stopped" if state == "aborted" else "the turn failed"
            raise TurnFailed(text(payload, "errorMessage") or fallback, outcome)
        return outcome

    def _show_end(self, answer: str) -> None:
        if self._is_live and answer.strip() and answer.strip() not in self._shown:
            self._show_text({"text": answer})
        self._end_line()


def _message_of(turn: Turn, run_id: str) -> Row:
    return {
        "sessionKey": turn.session_key,
        "message": turn.text,
        "idempotencyKey": run_id,
        "timeoutMs": turn.timeout * 1000,
    }
