"""A skill as a value, read from the text of its SKILL.md."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, field

from homarus.agent.skills.front_matter import Fields, as_fields, as_names, split_front_matter
from homarus.errors import UserError

FILE: Final = "SKILL.md"
MAX_NAME: Final = 64
MAX_DESCRIPTION: Final = 1024
"""Characters; the limits the Agent Skills format sets."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")
_BRANDS: Final = ("homarus", "openclaw", "clawdbot")


class Needs(Struct, frozen=True):
    """What a skill requires; `any_bins` is met by one of them, `os` names platforms such as linux or darwin."""

    bins: tuple[str, ...] = ()
    any_bins: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    os: tuple[str, ...] = ()

    def json(self) -> dict[str, list[str]]:
        """Return it as clients see it."""
        return {
            "bins": list(self.bins),
            "anyBins": list(self.any_bins),
            "env": list(self.env),
            "config": list(self.config),
            "os": list(self.os),
        }


class Skill(Struct, frozen=True):
    """A skill. `folder` is relative to the workspace; `key` names it in the configuration."""

    name: str
    description: str
    folder: str
    key: str
    needs: Needs = field(default_factory=Needs)
    is_always: bool = False
    is_for_models: bool = True
    primary_env: str | None = None
    emoji: str | None = None
    homepage: str | None = None

    @property
    def path(self) -> str:
        """Return the path of its file, as the read tool takes it."""
        return f"{self.folder}/{FILE}"


def read_skill(text: str, folder: str) -> Skill:
    """Return the skill of a SKILL.md in `folder`. Raises UserError saying what its front matter lacks."""
    fields, _ = split_front_matter(text)
    name, description = _line(fields.get("name")), _line(fields.get("description"))
    if not name or len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise UserError("`name` is missing or not a short name", fix="write for example name: weekly-report")
    if not description:
        raise UserError("`description` is missing", fix="say in one sentence what the skill does and when to use it")
    metadata = as_fields(fields.get("metadata"))
    facts = next((as_fields(metadata[brand]) for brand in _BRANDS if brand in metadata), Fields())
    requires = as_fields(facts.get("requires"))
    return Skill(
        name=name,
        description=description[:MAX_DESCRIPTION],
        folder=folder,
        key=_line(facts.get("skillKey")) or name,
        needs=Needs(
            bins=as_names(requires.get("bins")),
            any_bins=as_names(requires.get("anyBins")),
            env=as_names(requires.get("env")),
            config=as_names(requires.get("config")),
            os=as_names(facts.get("os")),
        ),
        is_always=facts.get("always") is True,
        is_for_models=fields.get("disable-model-invocation") is not True,
        primary_env=_line(facts.get("primaryEnv")) or None,
        emoji=_line(facts.get("emoji")) or None,
        homepage=_line(facts.get("homepage")) or _line(fields.get("homepage")) or None,
    )


def _line(value: object) -> str:
    """Return a text on one line without control characters, empty for anything else."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())
