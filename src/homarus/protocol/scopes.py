"""Roles and scopes: who may call what (reference 01 §12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a connection is."""

    OPERATOR = "operator"
    NODE = "node"


class Scope(StrEnum):
    """What an operator connection may do. Admin implies all, write implies read."""

    ADMIN = "operator.admin"
    READ = "operator.read"
    WRITE = "operator.write"
    APPROVALS = "operator.approvals"
    PAIRING = "operator.pairing"
    TALK_SECRETS = "operator.talk.secrets"


ALL_SCOPES: Final = tuple(str(scope) for scope in Scope)
_OPERATOR_PREFIX = "operator."


def has_scope(granted: Collection[str], wanted: str) -> bool:
    """Tell whether granted scopes cover a wanted one."""
    if wanted in granted:
        return True
    if wanted.startswith(_OPERATOR_PREFIX) and Scope.ADMIN in granted:
        return True
    return wanted == Scope.READ and Scope.WRITE in granted


def missing_scopes(granted: Collection[str], wanted: Iterable[str]) -> list[str]:
    """Return the wanted scopes that are not covered."""
    return [scope for scope in wanted if not has_scope(granted, scope)]


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
