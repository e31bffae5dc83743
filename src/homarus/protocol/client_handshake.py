"""The client's side of the handshake: answers the challenge with a signature of its own device."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from homarus import __version__
from homarus.clock import Clock
from homarus.discreet import Discreet
from homarus.errors import AuthFailed
from homarus.protocol.client_errors import read_error, refused_handshake
from homarus.protocol.client_store import TokenStore
from homarus.protocol.frames import JsonObject, as_object, decode, encode_request
from homarus.protocol.names import CHALLENGE_EVENT, CONNECT
from homarus.protocol.scopes import Role
from homarus.protocol.versions import PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from homarus.protocol.client_socket import ClientSocket

_REQUEST_ID: Final = "connect"


class ClientFacts(Struct, frozen=True):
    """What a client says about itself; ids and modes are those of the protocol. Only nodes have commands and a PATH."""

    id: str = "cli"
    mode: str = "cli"
    version: str = __version__
    display_name: str | None = None
    role: Role = Role.OPERATOR
    caps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    path_env: str | None = None


class Secrets(Discreet, frozen=True):
    """What proves that a client belongs to the owner, besides its device."""

    hidden = frozenset({"token", "password", "setup_token"})

    token: str | None = None
    password: str | None = None
    setup_token: str | None = None


class ClientHandshake:
    """Connects one device to one gateway. `identity` is the file of the device's key; tokens are kept beside it."""

    def __init__(
        self,
        url: str,
        identity: Path,
        secrets: Secrets,
        facts: ClientFacts,
        scopes: tuple[str, ...],
        caps: tuple[str, ...],
        clock: Clock,
    ) -> None:
        self._url = url
        self._identity = identity
        self._tokens = TokenStore(identity.with_name(f"{identity.stem}-tokens.json"))
        self._secrets = secrets
        self._facts = facts
        self._scopes = scopes
        self._caps = (*caps, *facts.caps)
        self._clock = clock

    async def shake(self, socket: ClientSocket) -> JsonObject:
        """Return the gateway's `hello-ok`. Raises AuthFailed, ProtocolError, Transient, ConnectionLost."""
        nonce = await self._challenge(socket)
        await socket.send_text(encode_request(_REQUEST_ID, CONNECT, self._params(nonce)))
        while True:
            frame = await receive_frame(socket)
            if frame.get("type") == "res" and frame.get("id") == _REQUEST_ID:
                break
        if frame.get("ok") is not True:
            error = refused_handshake(read_error(frame.get("error")))
            if isinstance(error, AuthFailed) and "device token" in error.message:
                self._tokens.set(self._url, Role.OPERATOR, None)
            raise error
        hello = as_object(frame.get("payload")) or {}
        token = (as_object(hello.get("auth")) or {}).get("deviceToken")
        if isinstance(token, str):
            self._tokens.set(self._url, self._facts.role, token)
        self._keep_handed_off(hello)
        return hello

    def _keep_handed_off(self, hello: JsonObject) -> None:
        """Keep the tokens for other roles that a setup code brought, and forget the code: it works once."""
        listed = (as_object(hello.get("auth")) or {}).get("deviceTokens")
        if self._secrets.setup_token is None or not isinstance(listed, list):
            return
        for each in map(as_object, cast("list[object]", listed)):
            token, role = (each or {}).get("deviceToken"), (each or {}).get("role")
            if isinstance(token, str) and isinstance(role, str):
                self._tokens.set(self._url, role, token)

    async def _challenge(self, socket: ClientSocket) -> str:
        while True:
            frame = await receive_frame(socket)
            if frame.get("event") == CHALLENGE_EVENT:
                return str((as_object(frame.get("payload")) or {}).get("nonce") or "")

    def _auth(self) -> dict[str, str]:
        """Return the secrets to present: those given, and the token this device was issued before."""
        issued = self._tokens.get(self._url, self._facts.role)
        given = {"token": self._secrets.token, "password": self._secrets.password}
        if not any(given.values()):
            given["token"] = issued
        setup = None if any(given.values()) else self._secrets.setup_token
        shown = {**given, "deviceToken": issued, "bootstrapToken": setup}
        return {name: value for name, value in shown.items() if value}

    def _params(self, nonce: str) -> JsonObject:
        facts, auth = self._facts, self._auth()
        client: JsonObject = {"id": facts.id, "mode": facts.mode, "version": facts.version, "platform": sys.platform}
        if facts.display_name:
            client["displayName"] = facts.display_name
        node: JsonObject = {}
        if facts.role is Role.NODE:
            node["commands"] = list(facts.commands)
            if facts.path_env:
                node["pathEnv"] = facts.path_env
        return {
            **node,
            "minProtocol": PROTOCOL_VERSIONS[0],
            "maxProtocol": PROTOCOL_VERSIONS[-1],
            "client": client,
            "role": str(facts.role),
            "scopes": list(self._scopes),
            "caps": list(self._caps),
            "auth": auth,
            "device": self._sign(nonce, auth),
            "userAgent": f"homarus/{__version__} python/{platform.python_version()}",
        }

    def _sign(self, nonce: str, auth: dict[str, str]) -> JsonObject:
        from homarus.protocol.device_identity import (  # noqa: PLC0415 - cryptography is loaded when it is needed
            DeviceIdentity,
            SignedConnect,
        )

        identity = DeviceIdentity.load(self._identity)
        signed_at = self._clock.now_ms()
        payload = SignedConnect(
            device_id=identity.id,
            client_id=self._facts.id,
            client_mode=self._facts.mode,
            role=self._facts.role,
            scopes=self._scopes,
            signed_at=signed_at,
            token=auth.get("token") or auth.get("deviceToken") or auth.get("bootstrapToken") or "",
            nonce=nonce,
            platform=sys.platform,
        )
        return {
            "id": identity.id,
            "publicKey": identity.public_key,
            "signature": identity.sign(payload),
            "signedAt": signed_at,
            "nonce": nonce,
        }


async def receive_frame(socket: ClientSocket) -> JsonObject:
    """Return the next frame. Raises ConnectionLost when there is none."""
    while True:
        try:
            frame = as_object(decode(await socket.receive_text()))
        except ValueError:
            frame = None
        if frame is not None:
            return frame
