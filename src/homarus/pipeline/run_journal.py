"""The journal of a run: its entries, and the one commit that ends it with everything that follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from homarus.agent.usage import usage_json
from homarus.labels import Label, join_all
from homarus.models.contract import Usage
from homarus.pipeline.attachments import Attached, attached_by
from homarus.pipeline.batch_text import PREVIEW
from homarus.pipeline.collected_files import with_files
from homarus.pipeline.lanes import Batch
from homarus.pipeline.outbox import in_manner, is_silent, part_key
from homarus.pipeline.run_store import Begun, RunStore
from homarus.pipeline.run_usage import count_usage
from homarus.storage import entries, inbound, outbound, runs, sessions
from homarus.storage.database import Connection
from homarus.storage.records import Entry, EntryType, InboundMessage, Run

APOLOGY = "I could not finish this: {error}\nYour message is kept; send it again or ask me to try again."
TOO_LONG = "it took longer than it may"


class RunJournal:
    """The transcript of one run; implements homarus.agent.loop.Journal."""

    def __init__(self, store: RunStore, begun: Begun) -> None:
        self._store = store
        self._info = begun.info
        self._has_tools = begun.starts > 1
        self._ahead: Sequence[Entry] | None = None

    async def read_ahead(self) -> None:
        """Read the transcript that the next `entries` returns, while there is something else to wait for."""
        self._ahead = await self.entries()

    async def entries(self) -> Sequence[Entry]:
        """Return the transcript of the session so far."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            return ahead
        return await self._store.database.read(entries.select_entries, self._info.session_id, None)

    async def append(self, entry_type: EntryType, payload: dict[str, object], label: Label) -> Entry:
        """Store one entry of this run."""
        self._has_tools = self._has_tools or entry_type == "tool_result"
        return await self._store.database.write(entries.insert_entry, self._entry(entry_type, payload, label))

    async def take_steering(self) -> Sequence[Entry]:
        """Store waiting messages that the queue mode lets into this run, and return their entries."""
        batch = self._store.steering(self._info)
        if not batch:
            return ()
        storing = asyncio.ensure_future(self._steer(batch))
        try:
            found = await asyncio.shield(storing)
        except BaseException:
            # Who ends the run must find the messages either with it or waiting, never on their way in between.
            await asyncio.wait((storing,))
            if storing.cancelled() or storing.exception() is not None or storing.result() is None:
                self._store.put_back(self._info.session_key, batch)
            raise
        if found is None:
            self._store.put_back(self._info.session_key, batch)
        return found or ()

    async def _steer(self, batch: Batch) -> list[Entry] | None:
        batch = await with_files(batch, self._store.collector)
        return await self._store.database.write(self._store.steer, batch, self._info)

    async def finish(self, payload: dict[str, object], label: Label, used: Usage) -> None:
        """Store the final response, the run's end, its parts and the state of its messages in one commit."""
        end = self._end("done", str(payload.get("text") or ""), payload, used)
        began = self._store.clock.monotonic()
        await self._store.database.write(self._close, end, self._entry("assistant", payload, label))
        self._store.meter.stages["commit"].observe(self._store.clock.monotonic() - began)

    async def fail(self, error: str, payload: dict[str, object], label: Label, used: Usage) -> None:
        """Store that the run failed and tell the user."""
        end = replace(self._end("failed", APOLOGY.format(error=error), payload, used), error=error)
        await self._store.database.write(self._close, end, self._entry("assistant", payload, label))

    async def give_up(self, error: str, partial: str) -> None:
        """Store that the run could not even go on."""
        label = join_all(entry.label for entry in await self.entries())
        await self.fail(error, {"text": partial, "error": error, "stop_reason": "error"}, label, Usage())

    async def abort(self, reason: str, partial: str) -> bool:
        """Store that the owner stopped the run; what was said so far stays. False when it had ended already."""
        label = join_all(entry.label for entry in await self.entries())
        payload: dict[str, object] = {"text": partial, "stop_reason": "aborted", "aborted": reason}
        end = replace(self._end("aborted", "", payload, Usage()), stop_reason=reason)
        if reason == "timeout" and self._info.address is not None:
            # Nobody in a chat asked for this end, so it must not pass in silence.
            end = replace(end, text=APOLOGY.format(error=TOO_LONG), error=TOO_LONG)
        return await self._store.database.write(self._close, end, self._entry("assistant", payload, label))

    def _entry(self, entry_type: EntryType, payload: dict[str, object], label: Label) -> Entry:
        info, clock = self._info, self._store.clock
        return Entry(0, clock.uuid(), info.session_id, info.run_id, entry_type, payload, label, 0, clock.now_ms())

    def _end(self, state: str, text: str, payload: dict[str, object], used: Usage) -> Run:
        info = self._info
        provider, model = payload.get("provider"), payload.get("model")
        return Run(
            id=info.run_id,
            agent_id=info.agent_id,
            session_key=info.session_key,
            session_id=info.session_id,
            state=state,
            started_at=0,
            origin={},
            text=text,
            stop_reason=str(payload.get("stop_reason") or "stop"),
            model=f"{provider}/{model}" if provider and model else None,
            usage=usage_json(used),
            ended_at=self._store.clock.now_ms(),
        )

    def _close(self, connection: Connection, end: Run, entry: Entry) -> bool:
        now = end.ended_at or 0
        known = runs.lock_run(connection, end.id)
        if known is None or known.state != "running":
            return False
        files = self._files(connection, end)
        if files:
            entry.payload["files"] = [item.file.as_json() for item in files]
        entries.insert_entry(connection, entry)
        messages = inbound.select_by_run(connection, end.id)
        if self._is_hidden(connection, messages, end):
            end = replace(end, text="")
        runs.end_run(connection, end)
        sessions.note_end(connection, end, str(entry.payload.get("text") or "")[:PREVIEW])
        count_usage(connection, end, now)
        self._settle(connection, end, now, files, [message.id for message in messages])
        return True

    def _is_hidden(self, connection: Connection, messages: Sequence[InboundMessage], end: Run) -> bool:
        """Tell whether the chat is not told how its run ended."""
        errors, address = self._store.error_replies, self._info.address
        if errors is None or address is None or end.error is None or not messages:
            return False
        return errors.is_hidden(connection, replace(messages[-1], address=address), end)

    def _files(self, connection: Connection, end: Run) -> list[Attached]:
        """Return the files that go with the reply: those its tools marked, of a run that came to its end."""
        if not self._has_tools or end.state != "done":
            return []
        return attached_by(entries.select_steps(connection, end.session_id, end.id))

    def _settle(
        self, connection: Connection, end: Run, now: int, files: Sequence[Attached], ids: Sequence[str]
    ) -> None:
        """Store the parts of the reply and move the answered messages on."""
        if not ids:
            return
        address, is_hidden = self._info.address, end.error is not None and not end.text
        parts = self._store.outbox.parts(end.id, address, end.text, self._info.reply_to, files) if address else []
        if parts and end.error is not None and self._store.error_replies is not None:
            parts = in_manner(parts, self._store.error_replies.manner(parts[0].address))
        if address is not None and (end.state == "done" or is_hidden) and all(part.part_index for part in parts):
            outbound.withdraw_preview(connection, part_key(end.id, address, 0), now)
        if parts:
            outbound.insert_parts(connection, parts)
            inbound.move_inbound(connection, ids, "replied", now, reason=f"{len(parts)} part(s)")
        elif is_hidden:
            inbound.move_inbound(connection, ids, "failed", now, reason=f"user not told (errorPolicy): {end.error}")
        elif end.state == "aborted":
            inbound.move_inbound(connection, ids, "silent", now, reason=f"aborted: {end.stop_reason}")
        elif is_silent(end.text) and not files:
            inbound.move_inbound(connection, ids, "silent", now, reason="nothing to say")
        elif end.state == "failed":
            inbound.move_inbound(connection, ids, "failed", now, reason=f"user told: {end.error}")
        else:
            inbound.move_inbound(connection, ids, "delivered", now, reason="transcript")
