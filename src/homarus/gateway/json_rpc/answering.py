"""Answering JSON-RPC: a message or a batch of them becomes calls of operations, and their results one text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, cast

from homarus.errors import HomarusError, ProtocolError
from homarus.gateway.http.refusal import HttpRefusal
from homarus.gateway.json_rpc.messages import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    Malformed,
    RpcRequest,
    error_message,
    failure_message,
    read_message,
    result_message,
)
from homarus.gateway.json_rpc.methods import METHODS
from homarus.protocol.errors import as_protocol_error
from homarus.protocol.frames import decode

if TYPE_CHECKING:
    from homarus.gateway.caller import Caller
    from homarus.gateway.core import GatewayCore

log = logging.getLogger("homarus.gateway.rpc")

MAX_BATCH: Final = 50
"""Requests of one batch."""
Invoke = Callable[[str, object], Awaitable[object]]
"""Calls an operation by name. Raises HomarusError."""


class Answerer:
    """Answers what one caller sends; `invoke` is how its transport calls an operation."""

    def __init__(self, core: GatewayCore, caller: Caller, invoke: Invoke) -> None:
        self._core = core
        self._caller = caller
        self._invoke = invoke

    async def answer(self, text: str | bytes) -> str | None:
        """Return the response to a message or batch, None when nothing is to be said."""
        try:
            value = decode(text)
        except ValueError:
            return error_message(None, PARSE_ERROR, "this is not JSON")
        if not isinstance(value, list):
            return await self._answer_one(value)
        batch = cast("list[object]", value)
        if not 0 < len(batch) <= MAX_BATCH:
            return error_message(None, INVALID_REQUEST, f"a batch has 1 to {MAX_BATCH} requests, not {len(batch)}")
        async with asyncio.TaskGroup() as tasks:
            answers = [tasks.create_task(self._answer_one(each)) for each in batch]
        said = [answer for task in answers if (answer := task.result()) is not None]
        return f"[{','.join(said)}]" if said else None

    async def _answer_one(self, value: object) -> str | None:
        try:
            request = read_message(value)
        except Malformed as error:
            return error_message(error.identifier, error.code, str(error))
        answer = await self._call(request)
        return None if request.is_notification else answer

    async def _call(self, request: RpcRequest) -> str:
        """Return the response to a request, whatever happens in it."""
        identifier = request.identifier
        try:
            self._count()
            return result_message(identifier, await self._perform(request))
        except HttpRefusal as refusal:
            return failure_message(identifier, refusal.error)
        except HomarusError as error:
            return failure_message(identifier, as_protocol_error(error))
        except Exception:
            # An operation that breaks must end neither the other requests of its batch nor its caller's connection.
            log.exception("%s of %s failed unexpectedly", request.method[:128], self._caller.conn_id)
            return error_message(identifier, INTERNAL_ERROR, "the gateway's log says what went wrong")

    def _count(self) -> None:
        limits = self._core.services.config.current.config.gateway.http.rate_limit
        self._core.rates.take(self._caller.identity, limits.max_requests, limits.window_ms / 1000)

    async def _perform(self, request: RpcRequest) -> object:
        method = METHODS.get(request.method)
        if method is None:
            return await self._invoke(request.method, request.params)
        self._core.registry.authorise(method.operation, self._caller)
        asked, tell = method.translate(request.params, self._core.services.clock)
        try:
            return tell(await self._invoke(method.operation, asked))
        except ProtocolError as error:
            raise _in_words_of(method.name, method.operation, error) from error


def _in_words_of(method: str, operation: str, error: ProtocolError) -> ProtocolError:
    """Name the method the client called in a message that names the operation it stands for."""
    prefix = f"invalid {operation} params"
    if error.message.startswith(prefix):
        error.message = f"invalid {method} params{error.message.removeprefix(prefix)}"
    return error
