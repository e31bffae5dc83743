"""The part of the system prompt that lists skills: short, sorted, and the same bytes as long as nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from homarus.agent.skills.skill import Skill

MAX_LISTED: Final = 150
MAX_CHARS: Final = 30_000
"""Limits of the reference (runtime §13); above the second only names are listed."""
HEADING: Final = "# Skills\nBefore a task that one of these describes, read its file with `read` and follow it."


def block_of(skill: Skill) -> str:
    """Return the line of one skill."""
    return f"- {skill.name}: {skill.description} ({skill.path})"


def render_skills(skills: Sequence[Skill]) -> str:
    """Return the list of skills, empty without any."""
    listed = skills[:MAX_LISTED]
    if not listed:
        return ""
    text = "\n".join((HEADING, *(block_of(skill) for skill in listed)))
    if len(text) > MAX_CHARS:
        text = "\n".join((HEADING, *(f"- {skill.name} ({skill.path})" for skill in listed)))
    return text[:MAX_CHARS]
