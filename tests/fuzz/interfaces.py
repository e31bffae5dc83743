"""REST and JSON-RPC from the owner, and signed calls of programs: every answer is one the interface knows."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from pathlib import Path
from random import Random
from typing import Any, cast
from urllib.parse import quote, urlencode

from aiohttp import web
from tests.fuzz.bodies import send
from tests.fuzz.gateway import HOOK_SECRET, PATIENT, PEERS, TOKEN, ListSocket, Target, snapshot
from tests.fuzz.mutation import dump, invent, pick, spoil_bytes, spoil_tree
from tests.fuzz.watch import HANG_SECONDS, Findings
from tests.gateway.fake_services import FakeChannels

from homarus.gateway.connection import Connection
from homarus.gateway.http.channel_webhook import WebhookCall
from homarus.gateway.http.page import Page
from homarus.gateway.http.routes import Routes
from homarus.gateway.json_rpc.methods import METHODS
from homarus.gateway.json_rpc.opening import Opening
from homarus.gateway.operations import config_schema
from homarus.gateway.socket import ClientSocket

PARTS = ("main", "agent:main:main", "m1", "%00", "%0a", "%2e%2e", "a%2Fb", "%ff", "é", "x" * 600)
KNOWN = frozenset({200, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 429, 502, 503, 504})
SCOPES = ("operator.read", "operator.write", "operator.admin,operator.write", "", "operator.admin", "\xff,,")
Request = tuple[str, str, dict[str, str], bytes]


class RequestMaker:
    """Makes requests of a caller who knows the token: half by the declared parameters, half damaged."""

    def __init__(self, random: Random, target: Target) -> None:
        self._random = random
        operations = target.core.registry.operations
        self._routed = [each for each in operations if each.rest is not None]
        self._schemas = {each.name: each.params.model_json_schema() for each in operations if each.name not in PATIENT}
        self._schemas |= {each.name: each.params.model_json_schema() for each in METHODS.values()}

    def make(self) -> Request:
        """Return method, path, headers and body of one request."""
        headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        if self._random.random() < 0.2:
            headers["x-openclaw-scopes"] = self._random.choice(SCOPES)
        return self._rpc(headers) if self._random.random() < 0.4 else self._rest(headers)

    def _rest(self, headers: dict[str, str]) -> Request:
        random, each = self._random, self._random.choice(self._routed)
        route = each.rest
        assert route is not None
        parts = [random.choice(PARTS) if part.startswith("{") else part for part in route.path.split("/")]
        schema = self._schemas.get(each.name, {"type": "object"})
        params = self._spoiled(invent(random, schema, schema))
        if route.verb in ("GET", "DELETE"):
            given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
            query = urlencode({name: str(value)[:300] for name, value in given.items()}, errors="replace")
            return route.verb, f"{quote('/'.join(parts), safe='/%:')}?{query}", headers, b""
        return route.verb, quote("/".join(parts), safe="/%:"), headers, self._bytes(params)

    def _rpc(self, headers: dict[str, str]) -> Request:
        random = self._random
        batch = [self._message() for _ in range(random.choice((1, 1, 1, 2, 5)))]
        body = self._spoiled(batch if len(batch) > 1 or random.random() < 0.1 else batch[0])
        return "POST", "/rpc", headers, self._bytes(body)

    def rpc_text(self) -> str:
        """Return a message or batch as a frame has it."""
        return self._rpc({})[3].decode("utf-8", "replace")

    def _message(self) -> Any:
        name = self._random.choice(list(self._schemas))
        schema = self._schemas[name]
        message = {"jsonrpc": "2.0", "id": 1, "method": name, "params": invent(self._random, schema, schema)}
        if self._random.random() < 0.1:
            message["id"] = pick(self._random)
        return message

    def _spoiled(self, value: Any) -> Any:
        return spoil_tree(self._random, value) if self._random.random() < 0.4 else value

    def _bytes(self, value: Any) -> bytes:
        data = dump(value)
        return spoil_bytes(self._random, data, b'{"jsonrpc":"2.0"}') if self._random.random() < 0.2 else data


async def fuzz_interfaces(target: Target, random: Random, count: int, findings: Findings) -> int:
    """Send requests with the token: each is answered with a known status, and errors have their shape."""
    app, maker = _app(target), RequestMaker(random, target)
    config_schema.warm()
    for _ in range(count):
        request = maker.make()
        findings.input = repr(request)
        response = await _send(app, request, findings)
        if response is not None:
            _check(request[1], response, findings)
    return count


class RpcSocket(ListSocket):
    """A socket of a JSON-RPC client."""

    def _check(self, raw: bytes) -> str:
        message: Any = json.loads(raw)
        messages = cast("list[dict[str, Any]]", message if isinstance(message, list) else [message])
        for each in messages:
            if each.get("jsonrpc") != "2.0" or ("result" in each) == ("error" in each) or "id" not in each:
                return "sent a response of an unknown shape"
            self.answers.append({"ok": "result" in each})
        return ""


async def fuzz_rpc_strangers(target: Target, random: Random, count: int, findings: Findings) -> int:
    """Open JSON-RPC connections without the secret: each is told so and closed, and nothing stored changes."""
    maker, before = RequestMaker(random, target), target.disk.look(snapshot)
    for _ in range(count):
        socket = RpcSocket(findings)
        data = maker.rpc_text()
        if random.random() < 0.3:
            params = {"token": random.choice(("wrong", "", TOKEN[:-1])), "scopes": pick(random)}
            data = dump({"jsonrpc": "2.0", "id": 1, "method": "connect", "params": params}).decode()
        findings.input = data
        socket.feed(data)
        socket.feed(maker.rpc_text())
        socket.hang_up()
        try:
            async with asyncio.timeout(HANG_SECONDS):
                await Connection(
                    target.core, cast("ClientSocket", socket), random.choice(PEERS), Opening({}, is_rpc_path=True)
                ).serve()
        except Exception as error:  # noqa: BLE001 - finding these is the purpose
            findings.note(f"raised {error!r}")
        if not socket.is_closed or any(answer["ok"] for answer in socket.answers):
            findings.note("a stranger was let in")
    if target.disk.look(snapshot) != before:
        findings.note("something stored changed before authentication")
    return count


async def fuzz_hooks(target: Target, random: Random, count: int, findings: Findings) -> int:
    """Send calls of programs: nothing unsigned is taken, and nothing that is signed breaks anything."""
    app, channels = _app(target), cast("FakeChannels", target.core.services.channels)
    before, schema = target.disk.look(snapshot), WebhookCall.model_json_schema()
    for number in range(count):
        call: Any = invent(random, schema, schema)
        if isinstance(call, dict) and random.random() < 0.8:
            now = target.core.services.clock.now_ms() / 1000
            call = {**cast("dict[str, Any]", call), "id": f"c{number}", "timestamp": now, "event": "message"}
        body = dump(spoil_tree(random, call) if random.random() < 0.4 else call)
        is_signed = random.random() < 0.9
        signature = hmac.new(HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest() if is_signed else "0" * 64
        taken = len(channels.accepted)
        request = ("POST", "/webhook/irc", {"Host": "x", "X-Webhook-Signature": f"sha256={signature}"}, body)
        findings.input = repr(request)
        response = await _send(app, request, findings)
        if response is not None:
            _check("/webhook/irc", response, findings)
        if not is_signed and len(channels.accepted) != taken:
            findings.note("a call without its signature was taken")
    if target.disk.look(snapshot) != before:
        findings.note("a call of a program changed something beside the channel")
    return count


def _app(target: Target) -> web.Application:
    app = Routes(target.core, Page(Path("/nonexistent"))).application()
    app.freeze()
    return app


async def _send(app: web.Application, request: Request, findings: Findings) -> web.Response | None:
    method, path, headers, body = request
    began = time.process_time()
    try:
        async with asyncio.timeout(HANG_SECONDS):
            response = await send(app, method, path, headers, body)
    except Exception as error:  # noqa: BLE001 - finding these is the purpose
        findings.note(f"raised {error!r}")
        return None
    findings.time(began)
    return response


def _check(path: str, response: web.Response, findings: Findings) -> None:
    if response.status not in KNOWN:
        findings.note(f"answered {response.status}")
    if response.content_type != "application/json" or not isinstance(response.body, bytes):
        return
    try:
        answer = json.loads(response.body)
    except ValueError:
        findings.note(f"answered something that is not JSON: {response.body[:200]!r}")
        return
    if response.status >= 400 and path != "/rpc" and not {"type", "code", "message"} <= set(answer["error"]):
        findings.note(f"an error of an unknown shape: {response.body[:200]!r}")
    if b"-32603" in response.body:
        findings.note("a call failed unexpectedly")
