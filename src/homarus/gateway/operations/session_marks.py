"""Where people put a session: read, pinned, away. Times in milliseconds, kept as settings of the session."""

from __future__ import annotations

from typing import Final

from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.sessions import SessionsPatchParams
from homarus.storage.records import Session

MARKS: Final = frozenset({"archived", "pinned", "unread", "expected_marked_unread_at"})
"""Parameters of `sessions.patch` that are marks, not settings."""


def marked(session: Session, params: SessionsPatchParams, now: int) -> JsonObject:
    """Return the settings that marks change; None takes one away. Raises ProtocolError for impossible ones."""
    changes: JsonObject = {}
    if params.archived is not None:
        changes |= _archived(session, now) if params.archived else {"archivedAt": None, "archiveReason": None}
    if params.archived:
        changes["pinnedAt"] = None
    if params.pinned is not None:
        changes["pinnedAt"] = _pinned(session, changes, now) if params.pinned else None
    if params.unread is not None:
        changes |= _unread(session, params, now)
    return changes


def _archived(session: Session, now: int) -> JsonObject:
    """The reason tells a person's choice from that of the maintenance (homarus.sessions.maintenance)."""
    return {"archivedAt": session.meta.get("archivedAt") or now, "archiveReason": "manual"}


def _pinned(session: Session, changes: JsonObject, now: int) -> object:
    if changes.get("archivedAt", session.meta.get("archivedAt")) is not None:
        raise invalid("cannot pin an archived session; restore it first")
    if session.meta.get("spawnedBy") is not None:
        raise invalid("cannot pin a child session; pin its parent session instead")
    return session.meta.get("pinnedAt") or now


def _unread(session: Session, params: SessionsPatchParams, now: int) -> JsonObject:
    """Mark as unread, or as read; reading what was marked unread since the caller looked changes nothing."""
    is_guarded = "expected_marked_unread_at" in params.model_fields_set
    if params.unread:
        if is_guarded:
            raise invalid("expectedMarkedUnreadAt requires unread=false as the only mutation.")
        return {"markedUnreadAt": now}
    if is_guarded and session.meta.get("markedUnreadAt") != params.expected_marked_unread_at:
        return {}
    return {"lastReadAt": now, "markedUnreadAt": None}
