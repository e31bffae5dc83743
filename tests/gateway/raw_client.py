"""A client that sends exactly what a test wants, valid or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from tests.gateway.fake_services import TOKEN

from homarus.clock import SystemClock
from homarus.protocol.device_identity import DeviceIdentity, SignedConnect

ALL = ["operator.admin", "operator.read", "operator.write", "operator.approvals", "operator.pairing"]
Frame = dict[str, Any]
ANSWER_TIMEOUT = 45.0
"""Seconds until a frame that does not come is given up; a busy machine needs many."""


class RawClient:
    """One connection; keeps events that arrive while it waits for an answer."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[Frame] = []
        self.sent = 0
        self.hello: Frame = {}

    async def receive(self) -> Frame:
        """Return the next frame; `{"closed": code, "reason": text}` at the end."""
        async with asyncio.timeout(ANSWER_TIMEOUT):
            message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return json.loads(message.data)
        return {"closed": self.socket.close_code, "reason": message.extra}

    async def send(self, frame: object) -> None:
        await self.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def answer_to(self, identifier: str) -> Frame:
        while True:
            frame = await self.receive()
            if frame.get("id") == identifier or "closed" in frame:
                return frame
            self.events.append(frame)

    async def call(self, method: str, params: object = None) -> Frame:
        self.sent += 1
        identifier = f"r{self.sent}"
        frame: Frame = {"type": "req", "id": identifier, "method": method}
        if params is not None:
            frame["params"] = params
        await self.send(frame)
        return await self.answer_to(identifier)

    async def event(self, name: str, **wanted: object) -> Frame:
        """Return the payload of the next event of a name whose payload has some values."""
        while True:
            for index, frame in enumerate(self.events):
                if frame.get("event") == name and all(frame["payload"].get(k) == v for k, v in wanted.items()):
                    return self.events.pop(index)["payload"]
            frame = await self.receive()
            if "closed" in frame:
                raise AssertionError(f"closed while waiting for {name}: {frame}")
            self.events.append(frame)

    async def challenge(self) -> str:
        frame = await self.receive()
        assert frame["event"] == "connect.challenge"
        return frame["payload"]["nonce"]


@asynccontextmanager
async def open_client(url: str, headers: dict[str, str] | None = None) -> AsyncGenerator[RawClient, None]:
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers, max_msg_size=0) as socket:
        yield RawClient(socket)


def connect_params(
    nonce: str,
    identity: DeviceIdentity | None = None,
    *,
    version: str = "v3",
    token: str | None = TOKEN,
    device_changes: Frame | None = None,
    **changes: object,
) -> Frame:
    """Return parameters of `connect`, signed when a device is given, then changed as the test wants."""
    params: Frame = {
        "minProtocol": 3,
        "maxProtocol": 3,
        "role": "operator",
        "scopes": ALL,
        "caps": [],
        "client": {"id": "cli", "version": "test", "platform": "linux", "mode": "cli"},
        "auth": {} if token is None else {"token": token},
        **changes,
    }
    if identity is not None:
        params["device"] = {**sign(identity, params, nonce, version), **(device_changes or {})}
    return params


def sign(identity: DeviceIdentity, params: Frame, nonce: str, version: str) -> Frame:
    auth, client = params["auth"], params["client"]
    signed_at = SystemClock().now_ms()
    payload = SignedConnect(
        identity.id,
        client["id"],
        client["mode"],
        params["role"],
        tuple(params["scopes"]),
        signed_at,
        auth.get("token", auth.get("deviceToken", auth.get("bootstrapToken", ""))),
        nonce,
        client["platform"],
        client.get("deviceFamily", ""),
    )
    signature = identity.sign(payload, version)
    return {
        "id": identity.id,
        "publicKey": identity.public_key,
        "signature": signature,
        "signedAt": signed_at,
        "nonce": nonce,
    }


@asynccontextmanager
async def connected(
    url: str,
    identity: DeviceIdentity | None = None,
    headers: dict[str, str] | None = None,
    **changes: Any,
) -> AsyncGenerator[RawClient, None]:
    """A client after its handshake, with a device of its own."""
    async with open_client(url, headers) as client:
        nonce = await client.challenge()
        params = connect_params(nonce, identity or DeviceIdentity.generate(), **changes)
        hello = await client.call("connect", params)
        assert hello.get("ok"), hello
        client.hello = hello["payload"]
        yield client
