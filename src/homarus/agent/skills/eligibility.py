"""Whether a skill can be used here: switched on, on this system, with its programs, variables and settings there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from homarus.agent.skills.front_matter import as_fields
from homarus.agent.skills.skill import Needs, Skill
from homarus.config.issues import MISSING, value_at


class Verdict(Struct, frozen=True):
    """What stands in the way of a skill; `missing` is empty when everything it needs is there."""

    missing: Needs = field(default_factory=Needs)
    is_disabled: bool = False

    @property
    def is_eligible(self) -> bool:
        """Tell whether agents may use it."""
        return not self.is_disabled and self.missing == Needs()


class Surroundings(Struct, frozen=True):
    """What skills are checked against: the `skills` section and the whole configuration, variables, programs."""

    section: Mapping[str, object]
    config: Mapping[str, object]
    env: Mapping[str, str]
    platform: str = sys.platform
    which: Callable[[str], str | None] = shutil.which

    def entry(self, key: str) -> Mapping[str, object]:
        """Return `skills.entries.<key>`."""
        return as_fields(as_fields(self.section.get("entries")).get(key))


def check(skill: Skill, around: Surroundings) -> Verdict:
    """Return what stands in the way of a skill; `always` skips its needs, not its switch."""
    entry = around.entry(skill.key)
    is_disabled = entry.get("enabled") is False
    return Verdict(Needs() if skill.is_always else _missing(skill, around, entry), is_disabled)


def _missing(skill: Skill, around: Surroundings, entry: Mapping[str, object]) -> Needs:
    needs = skill.needs
    has_any = not needs.any_bins or any(around.which(name) for name in needs.any_bins)
    has_os = not needs.os or around.platform in needs.os
    own = as_fields(entry.get("env"))
    has_key = bool(entry.get("apiKey"))
    return Needs(
        bins=tuple(name for name in needs.bins if around.which(name) is None),
        any_bins=() if has_any else needs.any_bins,
        env=tuple(
            name
            for name in needs.env
            if not (around.env.get(name) or own.get(name) or (has_key and name == skill.primary_env))
        ),
        config=tuple(path for path in needs.config if not is_set(around.config, path)),
        os=() if has_os else needs.os,
    )


def is_set(config: Mapping[str, object], path: str) -> bool:
    """Tell whether a dotted key of the configuration has a value that is not empty or false."""
    value = value_at(config, tuple(path.split(".")))
    return value is not MISSING and bool(value)
