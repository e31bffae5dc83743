"""SASL mechanisms for IRC: PLAIN (RFC 4616), EXTERNAL (RFC 4422) and SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import unicodedata
from collections.abc import Iterable
from typing import Protocol

from homarus.channels.irc.config import SaslMechanism
from homarus.channels.irc.settings import Settings
from homarus.errors import AuthFailed

PIECE = 400
"""Characters of base64 in one AUTHENTICATE line (IRCv3 sasl)."""

_LONGEST_CHALLENGE = 64 * 1024
_ITERATIONS = range(4096, 1_000_001)  # RFC 7677 asks for 4096; more than the upper end would keep a core busy


class Mechanism(Protocol):
    """One login attempt. `respond` is given each decoded challenge, the first of which is usually empty."""

    name: str

    def respond(self, challenge: bytes) -> bytes:
        """Return the answer to a challenge. Raises AuthFailed when the server proves to be the wrong one."""
        ...


class Plain:
    """Account and password as they are; the connection must be encrypted."""

    name = "PLAIN"

    def __init__(self, account: str, password: str) -> None:
        self._message = f"\0{account}\0{password}".encode()

    def respond(self, challenge: bytes) -> bytes:  # noqa: ARG002 - the mechanism has no challenge
        """Return account and password."""
        return self._message


class External:
    """The client certificate has said who we are."""

    name = "EXTERNAL"

    def respond(self, challenge: bytes) -> bytes:  # noqa: ARG002 - the mechanism has no challenge
        """Return nothing: the certificate's account is meant."""
        return b""


class ScramSha256:
    """Proves that both sides know the password without sending it."""

    name = "SCRAM-SHA-256"

    def __init__(self, account: str, password: str, nonce: str) -> None:
        name = account.replace("=", "=3D").replace(",", "=2C")
        self._password = unicodedata.normalize("NFKC", password).encode()
        self._nonce = nonce
        self._first = f"n={name},r={nonce}"
        self._signature: bytes | None = None
        self._is_begun = False
        self.is_verified = False

    def respond(self, challenge: bytes) -> bytes:
        """Answer the server: first message, proof, then nothing once the server has proven itself too."""
        if not self._is_begun:
            self._is_begun = True
            return f"n,,{self._first}".encode()
        if self._signature is None:
            return self._prove(challenge.decode("utf-8", "replace"))
        self._verify(challenge.decode("utf-8", "replace"))
        return b""

    def _prove(self, first: str) -> bytes:
        fields = _fields(first)
        nonce, iterations = fields.get("r", ""), fields.get("i", "")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise AuthFailed("the server's SCRAM nonce does not continue ours", fix="check that this is your server")
        if not iterations.isascii() or not iterations.isdigit() or int(iterations[:9]) not in _ITERATIONS:
            raise AuthFailed(f"the server asks for {iterations!r} SCRAM rounds; 4096 to 1000000 are accepted")
        try:
            salt = base64.b64decode(fields.get("s", ""), validate=True)
        except binascii.Error as error:
            raise AuthFailed("the server's SCRAM salt is no base64") from error
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, int(iterations))
        client_key = _mac(salted, b"Client Key")
        final = f"c=biws,r={nonce}"
        signed = f"{self._first},{first},{final}".encode()
        proof = bytes(a ^ b for a, b in zip(client_key, _mac(_hash(client_key), signed), strict=True))
        self._signature = _mac(_mac(salted, b"Server Key"), signed)
        return f"{final},p={base64.b64encode(proof).decode()}".encode()

    def _verify(self, final: str) -> None:
        given = _fields(final).get("v", "")
        wanted = base64.b64encode(self._signature or b"").decode()
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise AuthFailed(
                "the server could not prove that it knows the SASL password", fix="check that this is your server"
            )
        self.is_verified = True


class Challenges:
    """Joins AUTHENTICATE lines to challenges: pieces of 400 characters, a shorter one or `+` ends it."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def feed(self, piece: str) -> bytes | None:
        """Return the challenge once it is complete. Raises AuthFailed for garbage."""
        if piece != "+":
            self._pieces.append(piece)
        if sum(map(len, self._pieces)) > _LONGEST_CHALLENGE:
            raise AuthFailed("the server's SASL challenge is longer than 64 KiB")
        if len(piece) == PIECE:
            return None
        data, self._pieces = "".join(self._pieces), []
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise AuthFailed("the server's SASL challenge is no base64") from error


def pieces(response: bytes) -> list[str]:
    """Return the parameters of the AUTHENTICATE lines that carry a response."""
    text = base64.b64encode(response).decode()
    parts = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    return [*parts, "+"] if len(text) % PIECE == 0 else parts


def mechanisms(settings: Settings, offered: Iterable[str], nonce: str) -> list[Mechanism]:
    """Return what to try, strongest first. `offered` is empty when the server does not say what it can do."""
    can = {name.upper() for name in offered} or {"PLAIN", "EXTERNAL"}
    wanted = settings.sasl_mechanism
    found: list[Mechanism] = []
    if settings.tls and settings.tls_cert_file and wanted in {SaslMechanism.AUTO, SaslMechanism.EXTERNAL}:
        found.append(External())
    if settings.sasl_password is not None:
        if wanted in {SaslMechanism.AUTO, SaslMechanism.SCRAM_SHA_256}:
            found.append(ScramSha256(settings.sasl_account, settings.sasl_password, nonce))
        if wanted in {SaslMechanism.AUTO, SaslMechanism.PLAIN}:
            found.append(Plain(settings.sasl_account, settings.sasl_password))
    return [mechanism for mechanism in found if mechanism.name in can]


def _fields(message: str) -> dict[str, str]:
    return {key: value for key, _, value in (item.partition("=") for item in message.split(","))}


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()
