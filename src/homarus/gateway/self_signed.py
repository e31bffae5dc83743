"""A certificate of our own making, for clients that pin its fingerprint instead of trusting an authority."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from homarus.clock import Clock
from homarus.discreet import Discreet

VALIDITY: Final = timedelta(days=3650)
"""Pinned certificates are changed by hand, and a new one locks every client out; so they last."""
SLACK: Final = timedelta(days=1)
"""Backdating, for clients whose clock is behind."""
_NAME_LIMIT: Final = 63


class MadeCertificate(Discreet, frozen=True):
    """A certificate and its key, both PEM."""

    hidden = frozenset({"key"})

    certificate: bytes
    key: bytes


def make_certificate(host_name: str, clock: Clock) -> MadeCertificate:
    """Return a new self-signed server certificate (ECDSA P-256) for this machine's name and loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"homarus {host_name}"[:_NAME_LIMIT])])
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(_names(host_name)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return MadeCertificate(
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def _names(host_name: str) -> list[x509.GeneralName]:
    addresses: list[x509.GeneralName] = [x509.IPAddress(ip_address(text)) for text in ("127.0.0.1", "::1")]
    names = [name for name in ("localhost", host_name, f"{host_name}.local") if name.isascii()]
    return [*(x509.DNSName(name) for name in dict.fromkeys(names)), *addresses]
