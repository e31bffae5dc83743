"""What the last prompt of each session was made of; written when it differs from the one before."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, cast

from homarus.agent.prompt_report import Prompted, report_of, snapshot_of
from homarus.clock import Clock
from homarus.pipeline.contract import RunInfo
from homarus.storage import kv
from homarus.storage.database import Database

NAMESPACE: Final = "session-prompt"
MAX_KNOWN: Final = 512
"""Sessions whose last record is remembered; one that fell out is written once more."""
Record = dict[str, object]


class PromptLedger:
    """Keeps one record per session: `{systemPromptReport, skillsSnapshot}`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[str, int] = OrderedDict()

    async def note(self, info: RunInfo, prompted: Prompted) -> None:
        """Store what the prompt of a run is made of."""
        mark = hash(
            (
                info.session_id,
                prompted.system,
                tuple((tool.name, tool.description) for tool in prompted.tools),
                tuple(prompted.skills),
                prompted.model,
            )
        )
        if self._known.get(info.session_key) == mark:
            return
        report = {
            **report_of(prompted),
            "generatedAt": self._clock.now_ms(),
            "sessionId": info.session_id,
            "sessionKey": info.session_key,
        }
        record: Record = {"systemPromptReport": report, "skillsSnapshot": snapshot_of(prompted)}
        await self._database.write(kv.put_value, NAMESPACE, info.session_key, record, self._clock.now_ms())
        self._known[info.session_key] = mark
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    async def find(self, session_key: str) -> Record:
        """Return the record of a session, empty before its first turn."""
        value = await self._database.read(kv.get_value, NAMESPACE, session_key)
        return cast("Record", value) if isinstance(value, dict) else {}

    async def forget(self, session_key: str) -> None:
        """Remove the record of a session that was deleted."""
        self._known.pop(session_key, None)
        await self._database.write(kv.delete_value, NAMESPACE, session_key)
