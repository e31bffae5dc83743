"""What is said in a group to others, kept in its conversation where `ingest` says so."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from homarus.agent.request import STORED
from homarus.channels.contract import Inbound
from homarus.clock import Clock
from homarus.config.schema import Config
from homarus.pipeline.access import EVENT, AccessRules, Decision
from homarus.pipeline.mentions import NOT_MENTIONED
from homarus.pipeline.overheard import one_line
from homarus.pipeline.routing import Route, route
from homarus.pipeline.session_rules import SessionRules
from homarus.sessions.store import new_session
from homarus.storage import entries, inbound, outbound, sessions
from homarus.storage.database import Connection
from homarus.storage.records import Entry

INGESTED = "kept in the conversation; nobody here was addressed"
"""The reason of a message that ended there."""
LONGEST = 4_000
"""Characters that are kept of each message."""
QUOTED = 120
"""Characters of a message of ours that tell which one it was."""
LOOK_BACK = 5_000
"""Parts of all chats among which it is looked for."""


class Ingest:
    """Stores lines in transcripts, in the commit that journals their message."""

    def __init__(self, clock: Clock, rules: SessionRules, config: Callable[[], Config]) -> None:
        self._clock = clock
        self._rules = rules
        self._config = config

    def keep(self, connection: Connection, message: Inbound, decision: Decision, access: AccessRules) -> bool:
        """Store a message that addressed nobody here; False when it is not to be kept, or not now.

        While something goes on in the session it is left to the next answer, which looks it up in the journal.
        """
        if decision.reason == EVENT:
            return self._keep_event(connection, message, decision, access)
        if decision.reason != NOT_MENTIONED or not message.text.strip():
            return False
        chat = access.chat(message.kind, message.address)
        if not chat.is_ingesting:
            return False
        target = route(message, self._config(), chat.agent_id)
        if inbound.is_busy(connection, str(target.session_key)):
            return False
        self._store(connection, message, decision, target)
        return True

    def _keep_event(self, connection: Connection, message: Inbound, decision: Decision, access: AccessRules) -> bool:
        """Store what somebody did to a message of ours, or to any where `reactionNotifications` is `all`."""
        mine = outbound.select_by_platform_id(connection, message.address, message.reply_to or "", LOOK_BACK)
        if mine is None and getattr(access.policy, "reaction_notifications", None) != "all":
            return False
        if mine is not None:
            text = f'{message.text} your message "{one_line(mine.text, QUOTED)}"'
            message = replace(message, address=mine.address, text=text)
        chat = access.chat(message.kind, message.address)
        self._store(connection, message, decision, route(message, self._config(), chat.agent_id))
        return True

    def _store(self, connection: Connection, message: Inbound, decision: Decision, target: Route) -> None:
        now = self._clock.now_ms()
        session = sessions.ensure_session(connection, new_session(target.session_key, self._clock))
        if self._rules.is_expired(session, now):
            session = sessions.renew_session(connection, session.key, self._clock.uuid(), now)
        sender = message.sender
        payload: dict[str, object] = {
            "kind": STORED,
            "text": f"{one_line(sender.name or sender.id)}: {one_line(message.text, LONGEST)}",
            "sender": {"id": sender.id, "name": sender.name},
            "channel": message.address.channel,
        }
        identity = self._clock.uuid()
        entry = Entry(0, identity, session.session_id, None, "note", payload, decision.label, 0, now)
        entries.insert_entry(connection, entry)
        sessions.touch_session(connection, session.key, now)
