"""Hiding secrets in a parsed configuration before anyone sees it, and putting them back after an edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

REDACTED: Final = "__OPENCLAW_REDACTED__"
"""What clients of the gateway protocol expect in place of a secret, and send back unchanged."""

_SENSITIVE = re.compile(
    r"token$|^auth(orization)?$|password|passwd|passphrase|secret|api[-_]?key|private[-_]?key|cookie|credential|signing[-_]?key"
    r"|service[-_]?account|(identity|certificate|known_?hosts)data$",
    re.IGNORECASE,
)
_SENSITIVE_LIST = re.compile(r"(tokens|passwords|secrets|api[-_]?keys)$", re.IGNORECASE)
_NOT_SENSITIVE = re.compile(r"(path|file|env|name|policy|mode|provider|display)$", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_USER_INFO = re.compile(r"(?<=://)[^\s/@\"']+(?=@)")


def is_sensitive_key(name: str) -> bool:
    """Return whether a key of this name holds a secret by its name alone."""
    return bool(_SENSITIVE.search(name)) and not _NOT_SENSITIVE.search(name)


def hide_in_text(text: str) -> str:
    """Hide the user and password part of addresses."""
    return _USER_INFO.sub("hidden", text)


def redact(parsed: Mapping[str, object]) -> dict[str, object]:
    """Return a copy with every secret replaced by REDACTED; `${NAME}` and references stay, they are no secrets.

    A value is a secret when the schema says so, when its key sounds like one, or when it is an address that carries
    a password.
    """
    from homarus.config.schema import Config  # noqa: PLC0415 - the models import nothing from here, this avoids a cycle

    return cast("dict[str, object]", _redact(parsed, [Config], is_named=False))


def _redact(value: object, annotations: list[object], *, is_named: bool) -> object:
    from homarus.config.catalogue import branches, step  # noqa: PLC0415 - catalogue loads every model

    if isinstance(value, Mapping):
        tree = cast("Mapping[str, object]", value)
        if {"source", "provider", "id"} == set(tree):
            return dict(tree)
        return {
            key: _redact(item, [b for a in annotations for b in step(a, key)], is_named=_is_named(key, item))
            for key, item in tree.items()
        }
    if isinstance(value, list):
        items = cast("list[object]", value)
        below = [b for a in annotations for b in step(a, 0)]
        return [_redact(item, below, is_named=is_named) for item in items]
    is_declared = any(kind == "secret" for a in annotations for kind, _ in branches(a))
    return REDACTED if (is_declared or is_named or _has_password(value)) and _is_hideable(value) else value


def _is_named(key: str, value: object) -> bool:
    if isinstance(value, list):
        return bool(_SENSITIVE_LIST.search(key)) or is_sensitive_key(key)
    return is_sensitive_key(key) and not isinstance(value, Mapping)


def _has_password(value: object) -> bool:
    return isinstance(value, str) and any(":" in found for found in _USER_INFO.findall(value))


def _is_hideable(value: object) -> bool:
    if isinstance(value, str):
        return bool(value) and not _PLACEHOLDER.fullmatch(value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def restore(edited: object, current: object) -> object:
    """Return `edited` with every REDACTED replaced by the value at the same place of `current`.

    Raises ValueError naming the place when there is nothing to put back.
    """
    if edited == REDACTED:
        if current is None:
            raise ValueError("a hidden value has no earlier value to keep; write the secret itself")
        return current
    if isinstance(edited, Mapping):
        old = cast("Mapping[str, object]", current) if isinstance(current, Mapping) else dict[str, object]()
        return {key: restore(item, old.get(key)) for key, item in cast("Mapping[str, object]", edited).items()}
    if isinstance(edited, list):
        items = cast("list[object]", edited)
        olds = cast("list[object]", current) if isinstance(current, list) else list[object]()
        return [restore(item, olds[index] if index < len(olds) else None) for index, item in enumerate(items)]
    return edited
