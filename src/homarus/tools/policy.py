"""Which tools an agent may call: a profile, then `allow`, then `deny`, each with names, groups and `*` patterns."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from msgspec import Struct

# group and profile names are those of existing configurations; unknown names in them match nothing
GROUPS: dict[str, tuple[str, ...]] = {
    "group:fs": ("read", "write", "edit", "list", "apply_patch"),
    "group:runtime": ("exec", "process"),
    "group:memory": ("remember", "recall", "memory_search", "memory_get"),
    "group:sessions": ("session_status", "sessions_list", "sessions_history", "sessions_send", "sessions_spawn"),
    "group:messaging": ("message", "send_file"),
}
PROFILES: dict[str, tuple[str, ...]] = {
    "minimal": ("session_status",),
    "coding": ("group:fs", "group:runtime", "group:memory", "group:sessions"),
    "messaging": ("group:messaging", "sessions_list", "sessions_history", "sessions_send", "session_status"),
    "full": ("*",),
}
ALIASES = {"bash": "exec", "shell": "exec", "memory_search": "recall"}


class ToolPolicy(Struct, frozen=True):
    """The rules of one agent; `deny` wins, `also_allow` widens the profile, `allow` None admits what the profile does.

    An unknown profile admits nothing.
    """

    profile: str | None = None
    allow: tuple[str, ...] | None = None
    also_allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def is_allowed(self, name: str) -> bool:
        """Tell whether a tool may be called."""
        return self.refusing_rule(name) is None

    def refusing_rule(self, name: str) -> str | None:
        """Return the configuration key that refuses a tool, None when it may be called."""
        if _matches(name, self.deny):
            return "tools.deny"
        if self.allow is not None and not _matches(name, (*self.allow, *self.also_allow)):
            return "tools.allow"
        admitted = PROFILES.get(self.profile or "full", ())
        return None if _matches(name, (*admitted, *self.also_allow)) else "tools.profile"


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(
        fnmatchcase(name, ALIASES.get(pattern, pattern))
        for entry in patterns
        for pattern in GROUPS.get(entry, (entry,))
    )
