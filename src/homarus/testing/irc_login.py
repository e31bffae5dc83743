"""The server's side of SASL for the in-process IRC server."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol

_PIECE = 400
_SALT = b"salt of the sea"
_ROUNDS = 4096


class Login(Protocol):
    """One login: `account` is set when it succeeded, `is_refused` when it failed."""

    @property
    def account(self) -> str | None:
        """Return who logged in."""
        ...

    @property
    def is_refused(self) -> bool:
        """Return whether the login failed."""
        ...

    def feed(self, piece: str) -> str | None:
        """Take one AUTHENTICATE parameter and return the answer, None when there is none."""
        ...


class _Joined:
    account: str | None
    is_refused: bool

    def __init__(self, accounts: dict[str, str]) -> None:
        self.account = None
        self.is_refused = False
        self._accounts = accounts
        self._text = ""

    def feed(self, piece: str) -> str | None:
        if piece != "+":
            self._text += piece
        if len(piece) == _PIECE:
            return None
        data, self._text = base64.b64decode(self._text), ""
        answer = self._take(data)
        return None if answer is None else base64.b64encode(answer).decode() or "+"

    def _take(self, data: bytes) -> bytes | None:
        raise NotImplementedError


class PlainLogin(_Joined):
    """PLAIN."""

    def _take(self, data: bytes) -> bytes | None:
        _, account, password = data.decode().split("\0")
        if self._accounts.get(account) == password:
            self.account = account
        else:
            self.is_refused = True
        return None


class ExternalLogin(_Joined):
    """EXTERNAL: the certificate belongs to the first account."""

    def _take(self, data: bytes) -> bytes | None:  # noqa: ARG002 - the name wished for is not looked at
        self.account = next(iter(self._accounts), None)
        self.is_refused = self.account is None
        return None


class ScramLogin(_Joined):
    """SCRAM-SHA-256 (RFC 7677), from the server's stored keys."""

    def __init__(self, accounts: dict[str, str]) -> None:
        super().__init__(accounts)
        self._name = ""
        self._bare = ""
        self._first = ""
        self._is_proven = False

    def _take(self, data: bytes) -> bytes | None:
        if self._is_proven:
            self.account = self._name
            return None
        return self._challenge(data.decode()) if not self._first else self._check(data.decode())

    def _challenge(self, message: str) -> bytes:
        self._bare = message.split(",", 2)[2]
        name, nonce = self._bare.split(",")
        self._name = name[2:]
        self._first = f"{nonce}server,s={base64.b64encode(_SALT).decode()},i={_ROUNDS}"
        return self._first.encode()

    def _check(self, final: str) -> bytes | None:
        without_proof, _, proof = final.rpartition(",p=")
        signed = f"{self._bare},{self._first},{without_proof}".encode()
        salted = hashlib.pbkdf2_hmac("sha256", self._accounts.get(self._name, "").encode(), _SALT, _ROUNDS)
        stored = hashlib.sha256(_mac(salted, b"Client Key")).digest()
        client_key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), _mac(stored, signed), strict=True))
        if self._name not in self._accounts or hashlib.sha256(client_key).digest() != stored:
            self.is_refused = True
            return None
        self._is_proven = True
        return b"v=" + base64.b64encode(_mac(_mac(salted, b"Server Key"), signed))


def logins(offered: str) -> dict[str, Callable[[dict[str, str]], Login]]:
    """Return the mechanisms that a server offers as `PLAIN,EXTERNAL`."""
    known: dict[str, Callable[[dict[str, str]], Login]] = {
        "PLAIN": PlainLogin, "EXTERNAL": ExternalLogin, "SCRAM-SHA-256": ScramLogin,
    }  # fmt: skip
    return {name: known[name] for name in offered.upper().split(",") if name in known}


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()
