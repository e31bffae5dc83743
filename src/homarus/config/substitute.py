"""`${NAME}`: variables in texts of the configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from homarus.config.issues import ConfigIssue, dotted

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"(\$?)\$\{([A-Z_][A-Z0-9_]*)\}")
_MAX_SAFE = 2**53

Place = tuple[str | int, ...]


def substitute(value: object, env: Mapping[str, str], issues: list[ConfigIssue], place: Place = ()) -> object:
    """Return a copy of `value` with variables replaced; `$${NAME}` becomes the text `${NAME}`.

    Only names of capitals, digits and underscore count. A variable that is unset or empty is added to `issues`.
    A whole number written as 1.0 or 1e3 becomes an integer, as it is one in JSON.
    """
    if isinstance(value, str):
        return _replace(value, env, issues, place) if "${" in value else value
    if isinstance(value, dict):
        tree = cast("dict[str, object]", value)
        return {key: substitute(item, env, issues, (*place, key)) for key, item in tree.items()}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [substitute(item, env, issues, (*place, index)) for index, item in enumerate(items)]
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_SAFE:
        return int(value)
    return value


def _replace(text: str, env: Mapping[str, str], issues: list[ConfigIssue], place: Place) -> str:
    def one(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        if not env.get(found[2]):
            issues.append(_missing(found[2], place))
        return env.get(found[2], "")

    return _VARIABLE.sub(one, text)


def _missing(name: str, place: Place) -> ConfigIssue:
    fix = f"set {name} in the environment or in .env of the state folder, or write $${{{name}}} for the text itself"
    return ConfigIssue(dotted(place), f"variable {name} is not set", f"${{{name}}}", fix=fix)
