"""Who decides whether a command runs: the owner's file of approvals, and approvals given for one command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final, Literal, cast

from msgspec import Struct

from homarus.nodes.host.failure import denied
from homarus.nodes.host.plan import CommandLine

Security = Literal["deny", "allowlist", "full"]
Ask = Literal["off", "on-miss", "always"]
DEFAULT_SECURITY: Final[Security] = "allowlist"
DEFAULT_ASK: Final[Ask] = "on-miss"
"""Without rules nothing runs that was not approved (reference nodes §5)."""
ANY_AGENT: Final = "*"


class RunRules(Struct, frozen=True):
    """The rules for one agent. `patterns` are globs of absolute program paths."""

    security: Security
    ask: Ask
    patterns: tuple[str, ...] = ()

    def allows(self, line: CommandLine) -> bool:
        """Tell whether the allowlist has the program; one that runs another program never is on it."""
        if line.carries_another:
            return False
        real = os.path.realpath(line.program)
        return any(_matches(pattern, path) for pattern in self.patterns for path in (line.program, real))


def read_rules(body: Mapping[str, object], agent_id: str | None) -> RunRules:
    """Return the rules of a file of approvals; a setting it spells wrongly counts as the strictest."""
    agents = _object(body.get("agents"))
    agent, anyone, defaults = _object(agents.get(agent_id or "main")), _object(agents.get(ANY_AGENT)), {}
    defaults = _object(body.get("defaults"))
    security = _setting("security", agent, anyone, defaults) or DEFAULT_SECURITY
    ask = _setting("ask", agent, anyone, defaults) or DEFAULT_ASK
    return RunRules(
        security if security in ("deny", "allowlist", "full") else "deny",
        ask if ask in ("off", "on-miss", "always") else "always",
        (*_patterns(agent), *_patterns(anyone)),
    )


def check_run(rules: RunRules, line: CommandLine, *, is_approved: bool) -> None:
    """Return when a command may run. Raises CommandFailed with the words of the protocol when it may not."""
    if rules.security == "deny":
        raise denied("SYSTEM_RUN_DISABLED: security=deny", "security=deny")
    if is_approved:
        return
    if rules.ask == "always":
        raise denied("SYSTEM_RUN_DENIED: approval required", "approval-required")
    if rules.security == "full" or rules.allows(line):
        return
    if rules.ask == "on-miss":
        raise denied("SYSTEM_RUN_DENIED: approval required", "approval-required")
    hint = f" ({line.name} runs other programs; allow those by approval)" if line.carries_another else ""
    raise denied(f"SYSTEM_RUN_DENIED: allowlist miss{hint}", "allowlist-miss")


def remember(
    body: Mapping[str, object], agent_id: str | None, line: CommandLine, entry_id: str, now: int
) -> dict[str, object]:
    """Return a file of approvals that allows a program for good; unchanged for one that runs others."""
    result = dict(body)
    name = agent_id or "main"
    agents = dict(_object(body.get("agents")))
    agent = dict(_object(agents.get(name)))
    listed = agent.get("allowlist")
    entries = [*cast("list[object]", listed)] if isinstance(listed, list) else []
    is_known = any(_object(entry).get("pattern") == line.program for entry in entries)
    if line.carries_another or is_known or any(char in line.program for char in "*?["):
        return result
    entry = {"id": entry_id, "pattern": line.program, "lastUsedAt": now, "lastUsedCommand": line.text[:1000]}
    agent["allowlist"] = [*entries, entry]
    agents[name] = agent
    result["agents"] = agents
    return result


def _matches(pattern: str, path: str) -> bool:
    full = os.path.expanduser(pattern)  # noqa: PTH111 - the pattern need not be a path
    return full.startswith("/") and PurePath(path).match(full)


def _patterns(agent: Mapping[str, object]) -> tuple[str, ...]:
    listed = agent.get("allowlist")
    entries = [_object(entry) for entry in cast("list[object]", listed)] if isinstance(listed, list) else []
    # An entry that also limits arguments is stricter than a program's path; it is left to approvals.
    found = (entry.get("pattern") for entry in entries if not entry.get("argPattern"))
    return tuple(pattern for pattern in found if isinstance(pattern, str))


def _setting(name: str, *places: Mapping[str, object]) -> str | None:
    return next((str(place[name]) for place in places if place.get(name) is not None), None)


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
