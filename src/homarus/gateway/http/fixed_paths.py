"""The paths of the OpenAPI document that are no operations: probes, JSON-RPC, and programs that speak on channels."""

from __future__ import annotations

from typing import Final

from homarus.protocol.frames import JsonObject

_PROBE: Final[JsonObject] = {"content": {"application/json": {"schema": {"type": "object"}}}}
_RPC: Final[JsonObject] = {"content": {"application/json": {"schema": {"type": ["object", "array"]}}}}
_RPC_REFUSALS: Final = (401, 403, 408, 413, 415, 429, 503)
_HOOK_REFUSALS: Final = (400, 401, 404, 408, 409, 413, 429, 503)
_CALL: Final[JsonObject] = {
    "type": "object",
    "required": ["id", "timestamp", "event", "data"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 128},
        "timestamp": {"type": "number", "description": "Unix time in seconds, at most five minutes off."},
        "event": {"const": "message"},
        "channel": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["text", "user"],
            "properties": {
                "text": {"type": "string", "minLength": 1},
                "user": {"type": "string", "minLength": 1, "maxLength": 256},
                "name": {"type": "string"},
                "chat": {"type": "string"},
                "thread": {"type": "string"},
                "group": {"type": "boolean"},
            },
        },
    },
}
FIXED_PATHS: Final[JsonObject] = {
    "/health": {
        "get": {
            "operationId": "probe.health",
            "tags": ["probes"],
            "summary": "Say that the process answers.",
            "security": [],
            "responses": {"200": {"description": "It does.", **_PROBE}},
        }
    },
    "/ready": {
        "get": {
            "operationId": "probe.ready",
            "tags": ["probes"],
            "summary": "Say whether messages can be taken.",
            "security": [],
            "responses": {
                "200": {"description": "They can.", **_PROBE},
                "503": {"description": "They cannot.", **_PROBE},
            },
        }
    },
    "/metrics": {
        "get": {
            "operationId": "probe.metrics",
            "tags": ["probes"],
            "summary": "Return the metrics in the text format of Prometheus.",
            "responses": {
                "200": {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                "401": {"$ref": "#/components/responses/E401"},
            },
        }
    },
    "/rpc": {
        "post": {
            "operationId": "rpc",
            "tags": ["json-rpc"],
            "summary": "Answer a JSON-RPC 2.0 request or a batch of at most 50.",
            "security": [{"bearer": []}],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"type": ["object", "array"]},
                        "example": {"jsonrpc": "2.0", "id": 1, "method": "session.list"},
                    }
                },
            },
            "responses": {
                "200": {"description": "The response, or one of each request with an id.", **_RPC},
                "204": {"description": "There were only notifications."},
                **{str(status): {"description": "Refused before it was read.", **_RPC} for status in _RPC_REFUSALS},
            },
        }
    },
    "/webhook/{channel}": {
        "post": {
            "operationId": "webhook",
            "tags": ["webhooks"],
            "summary": "Take a message of a program that knows the secret of a channel.",
            "security": [],
            "parameters": [
                {
                    "name": "channel",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[a-z]+$"},
                },
                {
                    "name": "X-Webhook-Signature",
                    "in": "header",
                    "required": True,
                    "description": "`sha256=` and the HMAC-SHA256 of the raw body, in hex.",
                    "schema": {"type": "string", "pattern": "^sha256=[0-9a-f]{64}$"},
                },
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _CALL}}},
            "responses": {
                "200": {
                    "description": "It is in the journal.",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["ok", "duplicate"],
                                "properties": {"ok": {"const": True}, "duplicate": {"type": "boolean"}},
                            }
                        }
                    },
                },
                **{str(status): {"$ref": f"#/components/responses/E{status}"} for status in _HOOK_REFUSALS},
            },
        }
    },
}
