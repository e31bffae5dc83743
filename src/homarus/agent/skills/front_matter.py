"""Reads the front matter of a SKILL.md: the small part of YAML such files use, with inline JSON for nested data."""

from __future__ import annotations

import re
from typing import Final, cast

from homarus.config.json5_text import parse
from homarus.errors import ConfigError, UserError

MAX_LINES: Final = 400
MAX_DEPTH: Final = 8
_KEY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_][\w.-]*|\"[^\"]+\"|'[^']+') *:(?: +(?P<value>.*)| *)")
_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "null": None}

Fields = dict[str, object]


def split_front_matter(text: str) -> tuple[Fields, str]:
    """Return the fields between the `---` lines and the text after them. Raises UserError when they are missing."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        raise UserError("the file does not begin with a `---` line", fix="begin with ---, name:, description:, ---")
    end = next((i for i, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
    if end is None or end > MAX_LINES:
        raise UserError("the front matter has no closing `---` line", fix="end it with a line of three dashes")
    head = [line for line in lines[1:end] if line.strip() and not line.lstrip().startswith("#")]
    return _read_map(head, 0), "\n".join(lines[end + 1 :])


def _read_map(lines: list[str], depth: int) -> Fields:
    if depth > MAX_DEPTH:
        raise UserError(f"the front matter is nested deeper than {MAX_DEPTH} levels")
    fields: Fields = {}
    position = 0
    indent = _indent(lines[0]) if lines else 0
    while position < len(lines):
        found = _KEY.fullmatch(lines[position].rstrip())
        if found is None or len(found["indent"]) != indent:
            raise UserError(f"cannot read the line {lines[position].strip()[:60]!r}", fix="write `key: value`")
        inner = _inner(lines, position + 1, indent)
        fields[found["key"].strip("\"'")] = _value((found["value"] or "").strip(), inner, depth)
        position += 1 + len(inner)
    return fields


def _inner(lines: list[str], start: int, indent: int) -> list[str]:
    """Return the lines that belong to a key: deeper ones, list items, and closing brackets."""
    end = start
    while end < len(lines) and (_indent(lines[end]) > indent or lines[end].lstrip()[:1] in {"-", "}", "]"}):
        end += 1
    return lines[start:end]


def _value(text: str, inner: list[str], depth: int) -> object:
    if text[:1] in {"|", ">"}:
        return _block(inner, is_folded=text[0] == ">")
    if text[:1] in {"{", "["}:
        return _json(" ".join((text, *inner)))
    if text:
        return _scalar(" ".join((text, *(line.strip() for line in inner))))
    if not inner:
        return None
    first = inner[0].strip()
    if first[:1] in {"{", "["}:
        return _json(" ".join(inner))
    if first.startswith("- ") or first == "-":
        return [_scalar(line.strip().removeprefix("-").strip()) for line in inner]
    return _read_map(inner, depth + 1)


def _block(lines: list[str], *, is_folded: bool) -> str:
    cut = min((_indent(line) for line in lines), default=0)
    return (" " if is_folded else "\n").join(line[cut:].rstrip() for line in lines).strip()


def _json(text: str) -> object:
    try:
        return parse(text, file="front matter")[0]
    except ConfigError as error:
        plain = text.strip()
        if plain.startswith("[") and plain.endswith("]"):
            return [_scalar(part.strip()) for part in plain[1:-1].split(",") if part.strip()]
        raise UserError(f"the JSON in the front matter is broken: {error.message}", fix="check its brackets") from error


def _scalar(text: str) -> object:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].replace('\\"', '"').replace("''", "'")
    plain = text.split(" #", 1)[0].rstrip()
    return _WORDS.get(plain.lower(), plain)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def as_fields(value: object) -> Fields:
    """Return a nested map, empty for anything else."""
    return cast("Fields", value) if isinstance(value, dict) else {}


def as_names(value: object) -> tuple[str, ...]:
    """Return a list of texts; one text is a list of one, anything else is left out."""
    if isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, list):
        return ()
    return tuple(item for item in cast("list[object]", value) if isinstance(item, str) and item)
