"""Messages of JSON-RPC 2.0: reading requests, and the one place that writes responses and notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from homarus.protocol.errors import error_shape
from homarus.protocol.frames import JsonObject, as_object, decode, encode

if TYPE_CHECKING:
    from homarus.errors import ProtocolError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
UNAVAILABLE: Final = -32000
UNAUTHORIZED: Final = -32001
FORBIDDEN: Final = -32003
NOT_FOUND: Final = -32004
TIMEOUT: Final = -32008
RATE_LIMITED: Final = -32029
"""Codes up to -32600 are those of the specification, the others our own of its server range."""
_CODES: Final = {
    "UNAUTHORIZED": UNAUTHORIZED,
    "FORBIDDEN": FORBIDDEN,
    "NOT_PAIRED": FORBIDDEN,
    "NOT_FOUND": NOT_FOUND,
    "APPROVAL_NOT_FOUND": NOT_FOUND,
    "RATE_LIMITED": RATE_LIMITED,
    "AGENT_TIMEOUT": TIMEOUT,
    "INVALID_REQUEST": INVALID_PARAMS,
}
_KEYS: Final = frozenset({"jsonrpc", "id", "method", "params"})
Identifier = str | int | float | None


class Malformed(Exception):
    """A message is no request; it is answered with a code, under its id when that could be read."""

    def __init__(self, code: int, message: str, identifier: Identifier = None) -> None:
        super().__init__(message)
        self.code = code
        self.identifier = identifier


class RpcRequest(Struct, frozen=True):
    """A request, or a notification when the client wants no answer."""

    method: str
    params: object
    identifier: Identifier
    is_notification: bool


def read_message(value: object) -> RpcRequest:
    """Return the request in a decoded message. Raises Malformed."""
    fields = as_object(value)
    if fields is None:
        raise Malformed(INVALID_REQUEST, "a request is a JSON object")
    identifier = _identifier(fields)
    if fields.get("jsonrpc") != "2.0":
        raise Malformed(INVALID_REQUEST, 'a request says "jsonrpc": "2.0"', identifier)
    method = fields.get("method")
    if not isinstance(method, str) or not method:
        raise Malformed(INVALID_REQUEST, "a request names its method as a string", identifier)
    if unknown := fields.keys() - _KEYS:
        raise Malformed(INVALID_REQUEST, f"unexpected member {min(unknown)[:64]!r}", identifier)
    params = fields.get("params", {})
    if not isinstance(params, (dict, list)):
        raise Malformed(INVALID_REQUEST, "params are an object", identifier)
    if isinstance(params, list):
        raise Malformed(INVALID_PARAMS, "params are an object: parameters are passed by name", identifier)
    return RpcRequest(method, cast("object", params), identifier, "id" not in fields)


def _identifier(fields: JsonObject) -> Identifier:
    identifier = fields.get("id")
    if identifier is not None and (isinstance(identifier, bool) or not isinstance(identifier, (str, int, float))):
        raise Malformed(INVALID_REQUEST, "an id is a string or a number")
    return identifier


def identifier_of(text: str) -> Identifier:
    """Return the id to refuse a message under, None when it has none that can be read."""
    try:
        return read_message(decode(text)).identifier
    except Malformed as error:
        return error.identifier
    except ValueError:
        return None


def result_message(identifier: Identifier, result: object) -> str:
    """Return a successful response."""
    return f'{{"jsonrpc":"2.0","id":{encode(identifier)},"result":{encode(result)}}}'


def error_message(identifier: Identifier, code: int, message: str, data: object = None) -> str:
    """Return a failed response; `data` says more."""
    error: JsonObject = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return f'{{"jsonrpc":"2.0","id":{encode(identifier)},"error":{encode(error)}}}'


def failure_message(identifier: Identifier, error: ProtocolError) -> str:
    """Return the response for a failure of an operation; `data` is the error as the gateway protocol has it."""
    return error_message(identifier, code_of(error), error.message[:2000], error_shape(error))


def code_of(error: ProtocolError) -> int:
    """Return the number of an error of the gateway protocol."""
    if error.message.startswith("unknown method: "):
        return METHOD_NOT_FOUND
    if error.message.startswith(("missing scope: ", "unauthorized role: ")):
        return FORBIDDEN
    if error.message.startswith("rate limit exceeded"):
        return RATE_LIMITED
    return _CODES.get(error.code, UNAVAILABLE)


def notification(method: str, payload: str) -> str:
    """Return a notification; `payload` is encoded already."""
    return f'{{"jsonrpc":"2.0","method":{encode(method)},"params":{payload}}}'
