"""`sessions.cleanup`: removing now what the maintenance would remove by and by."""

from __future__ import annotations

from typing import Annotated

from annotated_types import MaxLen

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import Post, operation
from homarus.gateway.upkeep import preview, sweep
from homarus.protocol.base import NonEmpty, Params
from homarus.protocol.errors import invalid
from homarus.protocol.results.sessions import CleanedUp
from homarus.protocol.scopes import Scope
from homarus.sessions.keys import parse_key
from homarus.sessions.maintenance import Swept

MOST_KEYS = 200
"""Keys of each kind that an answer names."""


class SessionsCleanupParams(Params):
    """`sessions.cleanup`. `enforce` overrides the mode of the configuration; `dry_run` changes nothing.

    `fix_missing` and `fix_dm_scope` mend stores that Homarus does not have, so there is nothing for them to do.
    """

    agent: NonEmpty | None = None
    all_agents: bool | None = None
    enforce: bool | None = None
    active_key: Annotated[str, MaxLen(512)] | None = None
    fix_missing: bool | None = None
    fix_dm_scope: bool | None = None
    dry_run: bool | None = None


@operation("sessions.cleanup", scope=Scope.ADMIN, rest=Post("/api/sessions/cleanup"))
async def clean_up_sessions(call: Call, params: SessionsCleanupParams) -> CleanedUp:
    """Put away quiet sessions, delete those of ended jobs, and remove old transcripts and journal rows."""
    agent = None if params.all_agents else params.agent
    if agent is not None and agent not in {each.id for each in call.services.agents.list()}:
        raise invalid(f"there is no agent {agent!r}; see agents.list")
    if params.active_key is not None:
        parse_key(params.active_key)
    is_enforced = True if params.enforce else None
    swept = await (preview(call.core, agent) if params.dry_run else sweep(call.core, agent, is_enforced=is_enforced))
    return _answer(call, swept, is_enforced=bool(params.enforce))


def _answer(call: Call, swept: Swept, *, is_enforced: bool) -> CleanedUp:
    mode = call.services.config.current.config.session.maintenance.mode
    return {
        "ok": True,
        "mode": "enforce" if is_enforced else mode,
        "dryRun": not swept.is_applied,
        "beforeCount": swept.sessions_before,
        "afterCount": swept.sessions_after,
        "archived": swept.put_away[:MOST_KEYS],
        "archivedCount": len(swept.put_away),
        "deleted": swept.deleted[:MOST_KEYS],
        "deletedCount": len(swept.deleted),
        "transcripts": swept.transcripts,
        "journalRows": swept.journal_rows,
        "transcriptBytes": swept.bytes_before,
        "overBudgetBytes": swept.bytes_over,
    }
