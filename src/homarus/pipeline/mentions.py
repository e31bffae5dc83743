"""The operator's own words that address the assistant in a group, for all agents or for one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from homarus.config.schema import Config
from homarus.errors import ConfigError

LOOKED_AT = 4_000
"""Characters of a message in which patterns are looked for: they are regular expressions of unknown cost."""
NOT_MENTIONED = "not mentioned"
"""Why a message that addresses nobody here is dropped; those of people who may not write do not get so far."""
Patterns = tuple[re.Pattern[str], ...]


class MentionPatterns(Struct, frozen=True):
    """Compiled patterns: `shared` for agents that have none of their own (`by_agent`, ids in lower case)."""

    shared: Patterns = ()
    by_agent: Mapping[str, Patterns] = field(default_factory=dict[str, Patterns])

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.shared or self.by_agent)

    def is_match(self, agent_id: str, text: str) -> bool:
        """Tell whether a text addresses an agent."""
        return any(pattern.search(text[:LOOKED_AT]) for pattern in self.by_agent.get(agent_id, self.shared))


def mention_patterns(config: Config) -> MentionPatterns:
    """Return the patterns of a configuration, case-insensitive. Raises ConfigError for a broken one."""
    own: dict[str, Patterns] = {}
    for index, entry in enumerate(config.agents.list):
        patterns = entry.group_chat.mention_patterns if entry.group_chat is not None else None
        if patterns is not None:
            own[entry.id.lower()] = _compile(patterns, f"agents.list[{index}].groupChat.mentionPatterns")
    shared = config.messages.group_chat.mention_patterns or ()
    return MentionPatterns(_compile(shared, "messages.groupChat.mentionPatterns"), own)


def _compile(patterns: Sequence[str], path: str) -> Patterns:
    return tuple(_pattern(pattern, f"{path}[{number}]") for number, pattern in enumerate(patterns))


def _pattern(pattern: str, path: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(
            f"{pattern!r} is no regular expression: {error}",
            path=path,
            fix=r"correct it; a literal bracket or star needs a backslash before it",
        ) from None
