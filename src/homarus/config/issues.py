"""What is wrong with a configuration: every problem at once, each with its place and its fix."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from homarus.config.redact import hide_in_text, is_sensitive_key
from homarus.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

MISSING = object()
_PLAIN = re.compile(r"[A-Za-z0-9_*$-]+")


class ConfigIssue(Struct, frozen=True):
    """One problem. `path` is dotted (`agents.list[0].id`, empty for the whole file), `value` safe to show."""

    path: str
    message: str
    value: str | None = None
    nearest: str | None = None
    fix: str | None = None

    def __str__(self) -> str:
        """Return one line with place, problem, value and fix."""
        place = f"{self.path}: " if self.path else ""
        value = f" (is {self.value})" if self.value is not None else ""
        fix = f". {self.fix[0].upper()}{self.fix[1:]}" if self.fix else ""
        return f"{place}{self.message}{value}{fix}"


class ConfigErrors(ConfigError):
    """All problems of one configuration, in file order; `path` and `fix` are those of the first."""

    def __init__(self, issues: Sequence[ConfigIssue], *, file: str = "") -> None:
        self.issues = tuple(issues)
        self.file = file
        first = self.issues[0]
        count = "1 problem" if len(self.issues) == 1 else f"{len(self.issues)} problems"
        lines = "\n".join(f"  - {issue}" for issue in self.issues)
        super().__init__(
            f"{file or 'the configuration'} has {count}:\n{lines}",
            path=first.path,
            fix=first.fix or "correct the values above, then run: homarus config validate",
        )


def dotted(path: Path) -> str:
    """Write a path the way the command line reads it: dots, `[n]`, and `["…"]` for unusual keys."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return text


def value_at(tree: object, path: Path) -> object:
    """Return the value at `path`, or MISSING."""
    current = tree
    for part in path:
        if isinstance(current, Mapping) and part in current:
            current = cast("Mapping[object, object]", current)[part]
        elif isinstance(current, (list, tuple)) and isinstance(part, int) and part < len(cast("list[object]", current)):
            current = cast("list[object]", current)[part]
        else:
            return MISSING
    return current


def show(tree: object, path: Path) -> str | None:
    """Return the value at `path` as short JSON without secrets, or None when there is none."""
    from homarus.config.catalogue import is_secret_path  # noqa: PLC0415 - needed only when something is wrong

    value = value_at(tree, path)
    if value is MISSING or isinstance(value, Mapping):
        return None
    if is_secret_path(path) or any(isinstance(part, str) and is_sensitive_key(part) for part in path):
        return "hidden"
    text = hide_in_text(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 80 else f"{text[:77]}…"


def collect(
    error: ValidationError, written: object, within: Path = (), known: Sequence[str] | None = None
) -> list[ConfigIssue]:
    """Translate pydantic's findings; `written` is the tree before `${NAME}` was replaced, so values are safe.

    `within` is where in the tree the section is that was validated alone; `known` are the keys of a model that is no
    part of the schema, from which the nearest to an unknown one is named.
    """
    merged: dict[tuple[Path, bool], ConfigIssue] = {}
    for detail in error.errors(include_url=False):
        path = _place(detail, written, within)
        issue = _issue(detail, path, written, known)
        key = (path, detail["type"] == "extra_forbidden")
        earlier = merged.get(key)
        if earlier is not None and issue.message not in earlier.message:
            issue = ConfigIssue(issue.path, f"{earlier.message}, or {issue.message}", issue.value, None, earlier.fix)
        elif earlier is not None:
            issue = earlier
        merged[key] = issue
    return list(merged.values())


def _place(detail: ErrorDetails, written: object, within: Path) -> Path:
    """Drop the parts of a location that name a branch of a union instead of a key."""
    parts = (*within, *detail["loc"])
    kept: list[str | int] = []
    for index, part in enumerate(parts):
        is_missing_key = index == len(parts) - 1 and detail["type"] == "missing"
        if is_missing_key or value_at(written, (*kept, part)) is not MISSING:
            kept.append(part)
    return tuple(kept)


def _issue(detail: ErrorDetails, path: Path, written: object, known: Sequence[str] | None) -> ConfigIssue:
    if detail["type"] == "extra_forbidden":
        return unknown_key(path, known)
    message = _MESSAGES.get(detail["type"], detail["msg"]).format(**_context(detail))
    value = None if detail["type"] == "missing" else show(written, path)
    return ConfigIssue(dotted(path), message, value, fix=_fix(detail, value_at(written, path)))


def _context(detail: ErrorDetails) -> dict[str, object]:
    return {**detail.get("ctx", {}), "msg": detail["msg"].removeprefix("Value error, ")}


_MESSAGES = {
    "missing": "is required",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "tuple_type": "must be a list",
    "literal_error": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "too_short": "needs at least {min_length} entries",
    "too_long": "may have at most {max_length} entries",
    "string_pattern_mismatch": "must match {pattern}",
    "union_tag_invalid": "must have {discriminator} {expected_tags}",
    "union_tag_not_found": "needs the key {discriminator}",
    "value_error": "{msg}",
}


def _fix(detail: ErrorDetails, value: object) -> str | None:
    kind = detail["type"]
    if kind in ("int_type", "float_type") and isinstance(value, str) and re.fullmatch(r"-?\d{1,15}(\.\d+)?", value):
        return f"write {value} without quotes"
    if kind == "bool_type" and value in ("true", "false"):
        return f"write {value} without quotes"
    if kind == "tuple_type":
        return "put the value in [ ]"
    if kind == "string_type" and isinstance(value, (int, float)):
        return "put the value in quotes"
    if kind == "literal_error" and isinstance(value, str):
        choices = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
        close = _closest(value, choices)
        return f'did you mean "{close}"?' if close else None
    return None


def unknown_key(path: Path, siblings: Sequence[str] | None = None) -> ConfigIssue:
    """Return the issue for a key nobody knows, with the nearest of its siblings, else the same key elsewhere.

    Siblings that are given are all there is to name.
    """
    from homarus.config.catalogue import children, known_paths  # noqa: PLC0415 - needed only when something is wrong

    key = str(path[-1])
    nearest = _closest(key, children(path[:-1]) if siblings is None else siblings)
    if nearest is not None:
        return ConfigIssue(dotted(path), "unknown key", None, nearest, f'did you mean "{nearest}"?')
    elsewhere = [known for known in known_paths() if known.rpartition(".")[2] == key and siblings is None]
    if elsewhere:
        return ConfigIssue(dotted(path), "unknown key", None, elsewhere[0], f'did you mean "{elsewhere[0]}"?')
    return ConfigIssue(dotted(path), "unknown key", None, None, "remove it, or see docs/reference/config.md")


def _closest(key: str, names: Sequence[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - 140 kB for a mistake

    by_lower = {name.lower(): name for name in names}
    found = get_close_matches(key.lower(), list(by_lower), n=1)
    return by_lower[found[0]] if found else None
