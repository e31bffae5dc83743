"""Resolving references to secrets for a command line on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import operation
from homarus.protocol.errors import invalid
from homarus.protocol.frames import JsonObject
from homarus.protocol.scopes import Scope
from homarus.protocol.secrets import SecretsResolveParams

if TYPE_CHECKING:
    from homarus.config.load import LoadedConfig

log = logging.getLogger("homarus.gateway.secrets")


@operation("secrets.resolve", scope=Scope.ADMIN)
async def resolve_secrets(call: Call, params: SecretsResolveParams) -> JsonObject:
    """Return what references to secrets stand for, to admins on this machine only; each answer is logged by name.

    Keys whose value is no reference are passed over: who may read the configuration here can read them.
    """
    if not call.caller.peer.is_local:
        raise invalid("secrets are resolved for clients on the gateway's own machine only")
    loaded = call.services.config.current
    assignments: list[JsonObject] = []
    problems: list[str] = []
    for target in dict.fromkeys(params.target_ids):
        _check_target(target)
        for place, value in _found(loaded.written, target.split("."), ()):
            _resolve(loaded, place, value, assignments, problems)
    names = ", ".join(str(each["path"]) for each in assignments) or "none"
    log.info("secrets resolved for %s of %s: %s", params.command_name[:64], call.caller.identity, names)
    return {"ok": not problems, "assignments": assignments, "diagnostics": problems, "inactiveRefPaths": []}


def _check_target(target: str) -> None:
    from homarus.config.redact import is_sensitive_key  # noqa: PLC0415 - loaded when somebody asks

    if not is_sensitive_key(target.rpartition(".")[2]):
        raise invalid(f"invalid secrets.resolve params: unknown target id {target[:128]!r}; it names no secret")


def _found(tree: object, parts: list[str], place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the values at a place, with where they are; `*` stands for every name, lists are followed as well."""
    if not parts:
        yield place, tree
    elif isinstance(tree, Mapping):
        branch = cast("Mapping[str, object]", tree)
        for name in branch if parts[0] == "*" else (parts[0],):
            if name in branch:
                yield from _found(branch[name], parts[1:], (*place, name))
    elif isinstance(tree, list | tuple):
        for index, item in enumerate(cast("list[object]", tree)):
            if parts[0] in {"*", str(index)}:
                yield from _found(item, parts[1:], (*place, str(index)))


def _resolve(
    loaded: LoadedConfig, place: tuple[str, ...], value: object, into: list[JsonObject], problems: list[str]
) -> None:
    """Add what a reference stands for, or why it cannot be told."""
    from homarus.config.secret import SecretRef  # noqa: PLC0415 - loaded when somebody asks

    if not isinstance(value, dict):
        return
    path = ".".join(place)
    try:
        secret = loaded.secrets.resolve(SecretRef.parse(cast("dict[str, object]", value)))
    except ValueError as error:
        problems.append(f"{path}: {error}")
    else:
        into.append({"path": path, "pathSegments": list(place), "value": secret})
