"""Fingerprints of certificates: the SHA-256 of the DER form, as `openssl x509 -fingerprint -sha256` prints it."""

from __future__ import annotations

import hashlib
import re

_HEX = re.compile(r"[0-9a-f]{64}")


def read_fingerprint(text: str) -> bytes:
    """Return the 32 bytes of a fingerprint with or without colons and a `sha256:` in front. Raises ValueError."""
    cleaned = re.sub(r"[:\s]", "", re.sub(r"^sha-?256(\s+fingerprint)?\s*[:=]", "", text.strip().lower()))
    if not _HEX.fullmatch(cleaned):
        raise ValueError("a SHA-256 fingerprint has 64 hexadecimal digits")
    return bytes.fromhex(cleaned)


def fingerprint_of(der: bytes) -> str:
    """Return the fingerprint of a certificate in its DER form: upper case, colons between the bytes."""
    return hashlib.sha256(der).digest().hex(":").upper()
