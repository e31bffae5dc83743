"""Roles and scopes: who may call what (reference 01 §12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a connection is."""

    OPERATOR = "operator"
    NODE = "node"


class Scope(StrEnum):
    """What an operator connection may do; `has_scope` says what implies what."""

    ADMIN = "operator.admin"
    READ = "operator.read"
    WRITE = "operator.write"
    APPROVALS = "operator.approvals"
    PAIRING = "operator.pairing"
    TALK_SECRETS = "operator.talk.secrets"
    QUESTIONS = "operator.questions"
    TALK = "operator.talk"
    SESSIONS_READ = "operator.sessions.read"
    SESSIONS_WRITE = "operator.sessions.write"


ALL_SCOPES: Final = (
    "operator.admin",
    "operator.read",
    "operator.write",
    "operator.approvals",
    "operator.questions",
    "operator.pairing",
    "operator.talk.secrets",
)
"""What a client asks for that may do everything, in the order clients send it; the others follow from admin."""
_OPERATOR_PREFIX = "operator."
_COVERED_BY: Final[Mapping[str, frozenset[str]]] = {
    Scope.READ: frozenset({Scope.WRITE}),
    Scope.TALK: frozenset({Scope.WRITE}),
    Scope.SESSIONS_WRITE: frozenset({Scope.WRITE}),
    Scope.SESSIONS_READ: frozenset({Scope.READ, Scope.WRITE, Scope.SESSIONS_WRITE}),
}
"""Which wider scopes cover a scope, besides admin, which covers all (v4-differences §6)."""


def has_scope(granted: Collection[str], wanted: str) -> bool:
    """Tell whether granted scopes cover a wanted one."""
    if wanted in granted:
        return True
    if wanted.startswith(_OPERATOR_PREFIX) and Scope.ADMIN in granted:
        return True
    return any(wider in granted for wider in _COVERED_BY.get(wanted, ()))


def missing_scopes(granted: Collection[str], wanted: Iterable[str]) -> list[str]:
    """Return the wanted scopes that are not covered."""
    return [scope for scope in wanted if not has_scope(granted, scope)]


def common_scopes(one: Iterable[str], other: Collection[str]) -> tuple[str, ...]:
    """Return what two grants have in common: each scope of either that the other covers, in the order of `one`.

    Two grants of which neither covers the other may both cover a third scope.
    """
    first = tuple(one)
    kept = [scope for scope in first if has_scope(other, scope)]
    kept += [scope for scope in sorted(other) if has_scope(first, scope)]
    third = (scope for scope in Scope if has_scope(first, scope) and has_scope(other, scope))
    kept += [scope for scope in third if not has_scope(kept, scope)]
    return tuple(dict.fromkeys(kept))


def normalise_scopes(scopes: Iterable[str]) -> list[str]:
    """Return the stored form: what admin and write imply spelt out, sorted, each once."""
    result = {scope.strip() for scope in scopes if scope.strip()}
    if Scope.ADMIN in result:
        result |= {str(Scope.READ), str(Scope.WRITE)}
    if Scope.WRITE in result:
        result.add(str(Scope.READ))
    return sorted(result)


def scopes_of_role(role: str, scopes: Iterable[str]) -> list[str]:
    """Return those requested scopes a role can hold: other roles only ones with their own prefix."""
    return normalise_scopes(scope for scope in scopes if scope.startswith(f"{role}."))
