"""Answering a request frame: calls the operation and turns whatever happens into response frames."""

from __future__ import annotations

import logging
from collections.abc import Callable

from homarus.errors import HomarusError, ProtocolError
from homarus.gateway.caller import Caller
from homarus.gateway.core import GatewayCore
from homarus.gateway.operations.call import Call
from homarus.gateway.operations.registry import UnauthorizedRole
from homarus.protocol.errors import Refusal, as_protocol_error, error_shape, invalid, unavailable
from homarus.protocol.frames import Request, encode_failure, encode_result
from homarus.protocol.names import CONNECT

log = logging.getLogger("homarus.gateway.operations")


async def answer(core: GatewayCore, caller: Caller, request: Request, put: Callable[[bytes], None]) -> None:
    """Answer one request of an authenticated client.

    Raises UnauthorizedRole after its answer was queued, so that the connection can count it.
    """
    call = Call(
        core,
        caller,
        request.method,
        lambda payload: put(encode_result(request.id, payload).encode("utf-8", "backslashreplace")),
    )
    try:
        if request.method == CONNECT:
            raise invalid("connect is only valid as the first request")
        call.send(await core.registry.invoke(call, request.params))
    except HomarusError as error:
        put(_failure(request.id, as_protocol_error(error)))
        if isinstance(error, UnauthorizedRole):
            raise
    except Exception:
        log.exception("%s of conn %s failed unexpectedly", request.method, caller.conn_id)
        put(_failure(request.id, unavailable(f"{request.method} failed unexpectedly; the log of the gateway says why")))
    finally:
        call.finish()


def _failure(identifier: str, error: ProtocolError) -> bytes:
    payload = error.payload if isinstance(error, Refusal) else None
    return encode_failure(identifier, error_shape(error), payload).encode("utf-8", "backslashreplace")
