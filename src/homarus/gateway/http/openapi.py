"""The OpenAPI 3.1 document, made from the registry."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final, cast

from homarus.gateway.http.admission import SCOPES_HEADER
from homarus.gateway.http.fixed_paths import FIXED_PATHS
from homarus.gateway.http.refusal import KINDS
from homarus.gateway.operations.examples import example_of
from homarus.gateway.operations.shapes import TEMPLATE, Shapes, shapes_of
from homarus.protocol.frames import JsonObject, as_object

if TYPE_CHECKING:
    from collections.abc import Iterable

    from homarus.gateway.operations.registry import Operation

API_VERSION: Final = "1"
"""Of the REST surface: it rises when something that programs rely on goes away."""
_REASONS: Final = {
    400: "The parameters are wrong; the message names each problem.",
    401: "No secret, or a wrong one.",
    403: "The caller does not have the scope, or is a page of an origin that is not listed.",
    404: "There is no such thing.",
    408: "The body took too long.",
    409: "Something else is in the way.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many calls or failed logins; `Retry-After` says when to come back.",
    502: "A model or a channel failed.",
    503: "It cannot be done now.",
    504: "It took too long.",
}
_OF_READS: Final = (400, 401, 403, 404, 409, 429, 503, 504)
_OF_BODIES: Final = (*_OF_READS, 408, 413, 415, 502)
_ERROR: Final[JsonObject] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type", "code", "message"],
            "properties": {
                "type": {"enum": [*dict.fromkeys(KINDS.values()), "api_error"]},
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object"},
                "retryable": {"type": "boolean"},
                "retryAfterMs": {"type": "integer", "minimum": 0},
            },
        },
        "payload": {"type": "object", "description": "What a failed run had come to."},
    },
}


def build_document(operations: Iterable[Operation]) -> JsonObject:
    """Return the document; some tenths of a second of CPU."""
    listed = [each for each in operations if each.rest is not None]
    shapes = shapes_of(listed)
    paths: dict[str, JsonObject] = {}
    for each in listed:
        if each.rest is not None:
            paths.setdefault(each.rest.path, {})[each.rest.verb.lower()] = _operation(each, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homarus",
            "version": API_VERSION,
            "summary": "The gateway's operations over REST.",
            "description": _DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in sorted({_tag(each) for each in listed})],
        "paths": {**dict(sorted(paths.items())), **FIXED_PATHS},
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The gateway's token, or a device's own."}
            },
            "schemas": {**_used(shapes, paths), "Error": _ERROR},
            "responses": {f"E{status}": _error_response(status, text) for status, text in _REASONS.items()},
        },
    }


_DESCRIPTION: Final = (
    "Every route is an operation of the gateway, with its scope. Send the gateway's token, or the token of a paired "
    f"device, as a bearer. `{SCOPES_HEADER}` limits a request to some scopes. Errors have one shape."
)


def _operation(operation: Operation, shapes: Shapes) -> JsonObject:
    schema, example = _documented(shapes.params(operation)), example_of(operation, shapes)
    names = _path_names(operation)
    has_body = operation.rest is not None and operation.rest.verb in ("POST", "PATCH")
    parameters = [_path_parameter(name, schema, example) for name in names]
    if not has_body:
        parameters += _query_parameters(schema, names)
    document = inspect.cleandoc(operation.run.__doc__ or "")
    body: JsonObject = {
        "operationId": operation.name,
        "tags": [_tag(operation)],
        "summary": document.partition("\n")[0],
        "description": document,
        "security": [{"bearer": [str(operation.scope)] if operation.scope else []}],
        "parameters": parameters,
        "responses": _responses(shapes.result(operation), _OF_BODIES if has_body else _OF_READS),
    }
    if has_body:
        body["requestBody"] = _request_body(schema, names, example)
    return body


def _documented(schema: JsonObject) -> JsonObject:
    """Return parameters without those that are refused when they are given: their one type is null."""
    properties = as_object(schema.get("properties")) or {}
    known = {name: each for name, each in properties.items() if (as_object(each) or {}).get("type") != "null"}
    return {**schema, "properties": known}


def _tag(operation: Operation) -> str:
    return operation.rest.path.split("/")[2] if operation.rest is not None else "other"


def _path_names(operation: Operation) -> list[str]:
    path = operation.rest.path if operation.rest is not None else ""
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path_parameter(name: str, schema: JsonObject, example: JsonObject) -> JsonObject:
    found = _without_null(_property(schema, name))
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {**found, "minLength": 1},
        "example": example.get(name, "text"),
    }


def _query_parameters(schema: JsonObject, path_names: list[str]) -> list[JsonObject]:
    required = cast("list[str]", schema.get("required", []))
    names = [name for name in as_object(schema.get("properties")) or {} if name not in path_names]
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _without_null(_property(schema, name))}
        for name in names
    ]


def _request_body(schema: JsonObject, path_names: list[str], example: JsonObject) -> JsonObject:
    """Return the body: the parameters without those of the path; a missing idempotency key is made up."""
    left = {
        name: value for name, value in (as_object(schema.get("properties")) or {}).items() if name not in path_names
    }
    needed = [
        name for name in cast("list[str]", schema.get("required", [])) if name in left and name != "idempotencyKey"
    ]
    body: JsonObject = {
        "type": "object",
        "properties": left,
        "additionalProperties": schema.get("additionalProperties", True),
    }
    if needed:
        body["required"] = needed
    shown = {name: value for name, value in example.items() if name in left}
    return {"required": bool(needed), "content": {"application/json": {"schema": body, "example": shown}}}


def _responses(result: JsonObject, statuses: Iterable[int]) -> JsonObject:
    answers: JsonObject = {"200": {"description": "The result.", "content": {"application/json": {"schema": result}}}}
    return answers | {str(status): {"$ref": f"#/components/responses/E{status}"} for status in sorted(statuses)}


def _error_response(status: int, text: str) -> JsonObject:
    answer: JsonObject = {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": TEMPLATE.format(model="Error")}}},
    }
    if status == 429:
        answer["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}}
    return answer


def _property(schema: JsonObject, name: str) -> JsonObject:
    return as_object((as_object(schema.get("properties")) or {}).get(name)) or {"type": "string"}


def _without_null(schema: JsonObject) -> JsonObject:
    """Return a schema as texts can have it: null cannot be written in a path or query."""
    plain = {name: value for name, value in schema.items() if name != "default"}
    options = plain.get("anyOf")
    if not isinstance(options, list):
        return plain
    left = [option for option in cast("list[JsonObject]", options) if option.get("type") != "null"]
    rest = {name: value for name, value in plain.items() if name != "anyOf"}
    return {**rest, **left[0]} if len(left) == 1 else {**rest, "anyOf": left}


def _used(shapes: Shapes, paths: object) -> dict[str, JsonObject]:
    """Return the shared schemas that something refers to."""
    found: dict[str, JsonObject] = {}
    waiting = [paths]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(cast("list[object]", value))
        elif isinstance(value, dict):
            fields = cast("JsonObject", value)
            waiting.extend(fields.values())
            name = str(fields.get("$ref", "")).rpartition("/")[2]
            if name in shapes.shared and name not in found:
                found[name] = shapes.shared[name]
                waiting.append(found[name])
    return dict(sorted(found.items()))
