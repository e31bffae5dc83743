"""The registry: every operation, declared once with `@operation`, and the checks before each call.

One declaration serves the WebSocket method, the REST route, JSON-RPC, `homarus gateway call`, the reference page and
the tests that walk every operation.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Final, Literal, TypeVar

from msgspec import Struct

from homarus.errors import ProtocolError
from homarus.gateway.caller import Caller
from homarus.gateway.operations.call import Call
from homarus.protocol.base import IgnoredParams, LooseParams, Params
from homarus.protocol.errors import UNAVAILABLE, invalid
from homarus.protocol.frames import JsonObject, as_object
from homarus.protocol.method_scopes import NODE_METHODS, SESSION_TARGETS, scope_of, scopes_of_call
from homarus.protocol.scopes import Role, Scope
from homarus.protocol.validation import parse_params
from homarus.protocol.versions import exists_in

ParamsT = TypeVar("ParamsT", bound=Params)
ResultT = TypeVar("ResultT")
Verb = Literal["GET", "POST", "PATCH", "DELETE"]

WRITES_PER_WINDOW: Final = 3
WRITES_PER_WINDOW_V4: Final = 30
WRITE_WINDOW: Final = 60.0
"""Control-plane writes a caller may make per window, in seconds (reference 01 §11)."""
_IGNORED = IgnoredParams()


class UnauthorizedRole(ProtocolError):
    """A role called what only the other role may."""


class Route(Struct, frozen=True):
    """The REST form of an operation; `{name}` in the path is a parameter."""

    verb: Verb
    path: str


def Get(path: str) -> Route:  # noqa: N802 - reads as a declaration
    """Return a GET route."""
    return Route("GET", path)


def Post(path: str) -> Route:  # noqa: N802 - reads as a declaration
    """Return a POST route."""
    return Route("POST", path)


def Delete(path: str) -> Route:  # noqa: N802 - reads as a declaration
    """Return a DELETE route."""
    return Route("DELETE", path)


class Operation(Struct, frozen=True):
    """A declared operation. `scope` None means every caller of an allowed role; `role` None means both roles.

    `is_control_write` tells whether the write rate limit counts it.
    """

    name: str
    scope: Scope | None
    role: Role | None
    params: type[Params]
    run: Callable[[Call, Any], Awaitable[object]]
    rest: Route | None
    is_control_write: bool

    @property
    def summary(self) -> str:
        """Return the first line of its documentation."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]


def operation(
    name: str,
    *,
    scope: Scope | None,
    role: Role | None = Role.OPERATOR,
    rest: Route | None = None,
    is_control_write: bool = False,
) -> Callable[[Callable[[Call, ParamsT], Awaitable[ResultT]]], Operation]:
    """Declare the decorated function to be an operation; its second argument's type is the parameter model."""

    def declare(run: Callable[[Call, ParamsT], Awaitable[ResultT]]) -> Operation:
        return Operation(name, scope, role, _params_of(run), run, rest, is_control_write)

    return declare


def _params_of(run: Callable[..., object]) -> type[Params]:
    annotation: object = run.__annotations__["params"]
    model = run.__globals__[annotation] if isinstance(annotation, str) else annotation
    if not (isinstance(model, type) and issubclass(model, Params)):
        raise TypeError(f"{run.__name__}: params must be a Params model")
    return model


def declared_in(module: ModuleType) -> tuple[Operation, ...]:
    """Return the operations that a module declares, in its order."""
    return tuple(each for each in vars(module).values() if isinstance(each, Operation))


class Registry:
    """All operations by name; each module of a package is loaded with the first call of one of its operations.

    `listed` are the names that `features.methods` tells.
    """

    def __init__(self, package: str, table: Mapping[str, tuple[str, ...]], unlisted: Collection[str]) -> None:
        self._package = package
        self._modules = {name: module for module, names in table.items() for name in names}
        self._loaded: dict[str, Operation] = {}
        self.listed: tuple[str, ...] = tuple(name for name in self._modules if name not in unlisted)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Return every operation; loads every module."""
        return tuple(self._load(name) for name in self._modules)

    def find(self, name: str) -> Operation | None:
        """Return an operation by name."""
        return self._load(name) if name in self._modules else None

    def _load(self, name: str) -> Operation:
        if name not in self._loaded:
            module = import_module(f"{self._package}.{self._modules[name]}")
            self._loaded |= {each.name: each for each in declared_in(module)}
        return self._loaded[name]

    def listed_in(self, protocol: int) -> tuple[str, ...]:
        """Return the names `features.methods` has in a version of the protocol."""
        return tuple(name for name in self.listed if exists_in(name, protocol))

    def authorise(self, name: str, caller: Caller, params: object = None) -> Operation:
        """Return an operation the caller may call. Raises ProtocolError: role, then scope, then unknown method."""
        found = self.find(name) if exists_in(name, caller.protocol) else None
        _check_role(name, found, caller)
        declared = found.scope if found is not None else scope_of(name)
        wanted = scopes_of_call(caller.protocol, name, declared, lambda: _seen(found, params))
        missing = [scope for scope in wanted if not caller.has(scope)]
        if missing and caller.role is Role.OPERATOR:
            raise caller.refusal(missing[0], wanted)
        if found is None:
            raise invalid(f"unknown method: {name[:128]}")
        return found

    async def invoke(self, call: Call, params: object) -> object:
        """Check and make a call. Raises ProtocolError for a refusal, other HomarusErrors as they come."""
        found = self.authorise(call.method, call.caller, params)
        _check_target(call, params)
        parsed = _parse(found, params, call.caller)
        if found.is_control_write:
            _limit_write(call)
        return await found.run(call, parsed)


def _parse(found: Operation, params: object, caller: Caller) -> Params:
    """Return checked parameters, without those that are not known where the caller may send such."""
    if found.params is IgnoredParams:
        return _IGNORED
    given = as_object(params)
    value = params if given is None and not issubclass(found.params, LooseParams) else given or {}
    is_open = caller.is_v4 and not caller.is_strict
    return parse_params(found.params, found.name, value, protocol=caller.protocol, is_open=is_open)


def _seen(found: Operation | None, params: object) -> JsonObject:
    """Return the parameters an operation will see: one it passes over must not make the call look harmless."""
    known = {field.alias or name for name, field in found.params.model_fields.items()} if found is not None else ()
    return {name: value for name, value in (as_object(params) or {}).items() if name in known}


def _check_target(call: Call, params: object) -> None:
    """With version 4, who may not do everything names the session to change before anything else is looked at."""
    names = SESSION_TARGETS.get(call.method)
    if names is None or not call.caller.is_v4 or call.caller.is_admin:
        return
    given = as_object(params) or {}
    if not any(isinstance(given.get(name), str) and given.get(name) for name in names):
        details: dict[str, object] = {"code": "SESSION_MUTATION_TARGET_REQUIRED", "method": call.method}
        raise invalid("session mutation target is unavailable", details)


def _check_role(name: str, found: Operation | None, caller: Caller) -> None:
    if found is not None and found.role is None:
        return
    wanted = found.role if found is not None else (Role.NODE if name in NODE_METHODS else Role.OPERATOR)
    if caller.role is not wanted:
        raise UnauthorizedRole("INVALID_REQUEST", f"unauthorized role: {caller.role}")


def _limit_write(call: Call) -> None:
    most = WRITES_PER_WINDOW_V4 if call.caller.is_v4 else WRITES_PER_WINDOW
    wait = call.core.writes.wait_for(f"{call.caller.protocol}|{call.caller.identity}", most)
    if wait > 0:
        raise ProtocolError(
            UNAVAILABLE,
            f"rate limit exceeded for {call.method}; retry after {wait:.0f}s",
            details={"method": call.method, "limit": f"{most} per {WRITE_WINDOW:.0f}s"},
            retryable=True,
            retry_after_ms=round(wait * 1000),
        )
