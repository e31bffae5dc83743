"""Session keys as values: `agent:<agentId>:<rest>`, lower case, parsed once.

Forms of `rest`: `main`; `<channel>:direct:<peer>`; `<channel>:<account>:direct:<peer>`; `direct:<peer>`;
`<channel>:group:<chat>`; `<channel>:group:<chat>:thread:<thread>`; `dashboard:<uuid>`; anything a client chose.
"""

from __future__ import annotations

import re

from msgspec import Struct

from homarus.errors import UserError
from homarus.ids import AgentId

DEFAULT_AGENT = AgentId("main")
MAIN = "main"
MAX_LENGTH = 512
_AGENT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class SessionKey(Struct, frozen=True):
    """A canonical session key."""

    agent_id: AgentId
    rest: str

    def __str__(self) -> str:
        """Return the wire form `agent:<agentId>:<rest>`."""
        return f"agent:{self.agent_id}:{self.rest}"

    @property
    def is_main(self) -> bool:
        """Tell whether this is the agent's main session."""
        return self.rest == MAIN

    @property
    def kind(self) -> str:
        """Return `group` for group chats, `direct` otherwise."""
        return "group" if ":group:" in f":{self.rest}" else "direct"

    @property
    def channel(self) -> str | None:
        """Return the channel a channel-bound key names."""
        head, _, tail = self.rest.partition(":")
        return head if tail and head not in {"direct", "dashboard", "subagent", "cron", "acp"} else None


def parse_key(text: str, default_agent: AgentId = DEFAULT_AGENT) -> SessionKey:
    """Read a key in canonical or short form (`main`, `global`-less names get the default agent).

    Raises UserError when it is empty, too long, or names an impossible agent.
    """
    cleaned = text.strip().lower()
    if not cleaned or len(cleaned) > MAX_LENGTH or any(ord(c) < 32 for c in cleaned):
        raise UserError(f"invalid session key {text[:80]!r}", fix="use `main` or `agent:<id>:<name>`")
    if not cleaned.startswith("agent:"):
        return SessionKey(default_agent, cleaned)
    parts = cleaned.split(":", 2)
    if len(parts) != 3 or not parts[2] or not _AGENT.fullmatch(parts[1]):
        raise UserError(f"malformed session key {text[:80]!r}", fix="use `agent:<id>:<name>`")
    return SessionKey(AgentId(parts[1]), parts[2])
