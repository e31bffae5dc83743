"""Ed25519 device identities: ids, signed connect payloads versions 2 and 3, and the file an identity is kept in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from msgspec import Struct

from homarus.errors import UserError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_SKEW_MS: Final = 120_000
"""How far the signing time may be from ours (reference 01 §6)."""
SIGNATURE_VERSIONS: Final = ("v3", "v2")
_KEY_LENGTH = 32
_SIGNATURE_LENGTH = 64
# cryptography is imported where it is used: 7 MB that a gateway nobody has connected to does not need.


class SignedConnect(Struct, frozen=True):
    """What a device signs when it connects. `token` is the shared, device or bootstrap token, empty without one."""

    device_id: str
    client_id: str
    client_mode: str
    role: str
    scopes: tuple[str, ...]
    signed_at: int
    token: str
    nonce: str
    platform: str = ""
    device_family: str = ""

    def text(self, version: str) -> str:
        """Return the text to sign; `version` is v2 or v3."""
        scopes = ",".join(self.scopes)
        parts = [version, self.device_id, self.client_id, self.client_mode, self.role, scopes, str(self.signed_at)]
        parts += [self.token, self.nonce]
        if version == "v3":
            parts += [normalise_fact(self.platform), normalise_fact(self.device_family)]
        return "|".join(parts)


class DeviceIdentity:
    """A key pair that is a device. The private key never leaves this object except into its own file."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes_raw()
        self.public_key = encode_base64url(raw)
        self.id = hashlib.sha256(raw).hexdigest()

    @classmethod
    def generate(cls) -> DeviceIdentity:
        """Return a new identity."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - see above

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> DeviceIdentity:
        """Return the identity of a 32-byte seed."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - see above

        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path) -> DeviceIdentity:
        """Return the identity kept in a file, made on first use with mode 0600. Raises UserError."""
        try:
            return cls._read(path)
        except FileNotFoundError:
            return cls._create(path)
        except OSError as error:
            raise UserError(f"cannot read the device identity {path}: {error.strerror}") from error

    def sign(self, payload: SignedConnect, version: str = "v3") -> str:
        """Return the base64url signature over a connect payload."""
        return encode_base64url(self._key.sign(payload.text(version).encode()))

    @classmethod
    def _read(cls, path: Path) -> DeviceIdentity:
        try:
            record = cast("dict[str, str]", json.loads(path.read_text()))
            return cls.from_seed(decode_base64(record["seed"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            fix = "restore it from a backup, or delete it to become a new device"
            raise UserError(f"the device identity {path} is damaged", fix=fix) from error

    @classmethod
    def _create(cls, path: Path) -> DeviceIdentity:
        identity = cls.generate()
        seed = identity._key.private_bytes_raw()  # noqa: SLF001 - our own instance
        record = {"deviceId": identity.id, "publicKey": identity.public_key, "seed": encode_base64url(seed)}
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls._read(path)
        except OSError as error:
            raise UserError(f"cannot write the device identity {path}: {error.strerror}") from error
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(record))
        return identity


def read_public_key(text: str) -> bytes:
    """Return the 32 raw bytes of a public key given as base64url, base64 or PEM. Raises ValueError."""
    if "-----BEGIN" in text:
        return _read_pem(text)
    raw = decode_base64(text)
    if len(raw) != _KEY_LENGTH:
        raise ValueError("an Ed25519 public key has 32 bytes")
    return raw


def _read_pem(text: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415 - see above

    key = load_pem_public_key(text.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")  # noqa: TRY004 - a wrong value of an outside text
    return key.public_bytes_raw()


def device_id_of(raw_key: bytes) -> str:
    """Return the device id of a public key: lower-case hex SHA-256."""
    return hashlib.sha256(raw_key).hexdigest()


def verify(raw_key: bytes, signature: str, payload: SignedConnect) -> str | None:
    """Return the payload version the signature is valid for, None when for none."""
    try:
        raw = decode_base64(signature)
    except ValueError:
        return None
    if len(raw) != _SIGNATURE_LENGTH:
        return None
    return next((v for v in SIGNATURE_VERSIONS if _is_valid(raw_key, raw, payload.text(v).encode())), None)


def normalise_fact(value: str) -> str:
    """Return a client fact as it is signed: trimmed, ASCII letters in lower case."""
    return "".join(chr(ord(char) + 32) if "A" <= char <= "Z" else char for char in value.strip())


def encode_base64url(data: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64(text: str) -> bytes:
    """Read base64url or base64, padded or not. Raises ValueError."""
    cleaned = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(cleaned + "=" * (-len(cleaned) % 4), validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64") from error


def _is_valid(raw_key: bytes, signature: bytes, text: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - see above

    try:
        Ed25519PublicKey.from_public_bytes(raw_key).verify(signature, text)
    except InvalidSignature:
        return False
    return True
