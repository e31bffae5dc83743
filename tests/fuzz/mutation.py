"""Spoiling what is valid: by the byte, and by the shape of JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any, cast

DEEP: Any = json.loads("[" * 60 + "]" * 60)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 255, 2**31, -(2**31) - 1, 2**53, 2**63, 2**64, 10**40, 1.5, 1e308, -0.0, 1e-320,
    "", " ", "\x00", "a\x00b", "\ud800", "\udfff tail", "\u202e", "👩‍👩‍👧", "é" * 300, "x" * 5_000, "-", ".", "..",
    "../../../etc/passwd", "/etc/passwd", "~", "%00", "main", "agent:main:main", "agent::", "agent:main:" + "k" * 700,
    "agent:nobody:x", ":", "*", "null", "NaN", "1e999", "0x10", "2026-02-30T25:61:00Z", "'; --", "${HOME}", "{{x}}",
    [], {}, [None], [[]], {"": ""}, {"__proto__": {"a": 1}}, {"a": {"b": {"c": []}}}, DEEP, ["x"] * 300,
)  # fmt: skip
WORDS = ("main", "agent:main:main", "agent:main:k1", "hello", "r1", "irc", "gateway.port", "x")
PIECES = (
    *(
        b"\x00",
        b"\xff",
        b"\xc3",
        b"\r\n",
        b"\n\n",
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\\ud800",
        b"1e999",
    ),
    *(b"-", b"data: ", b"[DONE]", b" :", b"@", b"\x01", b"\xef\xbb\xbf", b"NaN", b"//", b"/*", b"'"),
)


def pick(random: Random) -> Any:
    """Return one of the values that programs stumble over."""
    return copy.deepcopy(random.choice(VALUES))


def spoil_bytes(random: Random, data: bytes, other: bytes = b"") -> bytes:
    """Return the bytes with one to four small damages; `other` is spliced in now and then."""
    for _ in range(random.randint(1, 4)):
        data = random.choice(_DAMAGES)(random, data, other)
    return data[:100_000]


def _flip(random: Random, data: bytes, _other: bytes) -> bytes:
    if not data:
        return b"\x80"
    at = random.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << random.randrange(8)),)) + data[at + 1 :]


def _insert(random: Random, data: bytes, _other: bytes) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(PIECES) + data[at:]


def _remove(random: Random, data: bytes, _other: bytes) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + data[at + random.randint(1, 12) :]


def _repeat(random: Random, data: bytes, _other: bytes) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + data[at : at + random.randint(1, 40)] * random.randint(2, 20) + data[at:]


def _cut(random: Random, data: bytes, _other: bytes) -> bytes:
    return data[: random.randint(0, len(data))]


def _splice(random: Random, data: bytes, other: bytes) -> bytes:
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


_DAMAGES: tuple[Callable[[Random, bytes, bytes], bytes], ...] = (_flip, _insert, _remove, _repeat, _cut, _splice)


def spoil_tree(random: Random, tree: Any) -> Any:
    """Return a copy of a JSON value with one to three nodes replaced, removed, added or doubled."""
    tree = copy.deepcopy(tree)
    for _ in range(random.randint(1, 3)):
        holders = list(_holders(tree))
        if not holders:
            return pick(random)
        _spoil_holder(random, random.choice(holders))
    return tree


def _spoil_holder(random: Random, holder: Any) -> None:
    keys: list[Any] = list(cast("dict[str, Any]", holder) if isinstance(holder, dict) else range(len(holder)))
    roll = random.random()
    if not keys or roll < 0.15:
        if isinstance(holder, dict):
            holder[random.choice(("extra", "id", "type", "params", "", "\ud800"))] = pick(random)
        else:
            holder.append(pick(random))
    elif roll < 0.3:
        del holder[random.choice(keys)]
    else:
        holder[random.choice(keys)] = pick(random)


def _holders(tree: Any) -> Any:
    if isinstance(tree, dict | list):
        yield tree
        for value in list(cast("dict[str, Any]", tree).values()) if isinstance(tree, dict) else cast("list[Any]", tree):
            yield from _holders(value)


def invent(random: Random, schema: dict[str, Any], root: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that a JSON Schema admits, more or less: now and then it is something else."""
    if depth > 6 or random.random() < 0.12:
        return pick(random)
    if "$ref" in schema:
        return invent(random, root["$defs"][schema["$ref"].rpartition("/")[2]], root, depth + 1)
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return invent(random, random.choice(schema[name]), root, depth + 1)
    if "enum" in schema:
        return random.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    return _invent_kind(random, schema, root, depth)


def _invent_kind(random: Random, schema: dict[str, Any], root: dict[str, Any], depth: int) -> Any:
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {
                name: invent(random, inner, root, depth + 1)
                for name, inner in schema.get("properties", {}).items()
                if name in required or random.random() < 0.5
            }
        case "array":
            return [invent(random, schema.get("items", {}), root, depth + 1) for _ in range(random.randint(0, 3))]
        case "integer":
            return random.choice((0, 1, 2, 50, 1_000, random.randint(0, 10_000)))
        case "number":
            return random.choice((0, 1.5, 100))
        case "boolean":
            return random.random() < 0.5
        case "null":
            return None
        case _:
            return random.choice(WORDS)


def dump(value: Any) -> bytes:
    """Return JSON, with half surrogate pairs as escapes."""
    return json.dumps(value, separators=(",", ":")).encode()
