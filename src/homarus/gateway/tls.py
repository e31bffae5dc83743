"""TLS on the gateway's port: the owner's certificate, or one made here once and kept in the state folder."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Final

from msgspec import Struct

from homarus.clock import Clock
from homarus.errors import ConfigError
from homarus.gateway.settings import TlsSettings
from homarus.protocol.fingerprint import fingerprint_of

CERTIFICATE: Final = "gateway-cert.pem"
KEY: Final = "gateway-key.pem"
_PEM_END = "-----END CERTIFICATE-----"


def tls_folder(state: Path) -> Path:
    """Return where a self-made certificate is kept."""
    return state / "gateway" / "tls"


class ServerTls(Struct, frozen=True):
    """What a TLS server needs. `fingerprint` is the SHA-256 of the certificate, for clients that pin it."""

    context: ssl.SSLContext
    fingerprint: str
    certificate: Path


def open_tls(settings: TlsSettings, folder: Path, clock: Clock) -> ServerTls:
    """Return the TLS context of a gateway; a certificate that is missing in `folder` is made. Raises ConfigError."""
    if settings.certificate is not None and settings.key is not None:
        return _load(settings.certificate, settings.key)
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (certificate.exists() and key.exists()):
        _generate(certificate, key, clock)
    return _load(certificate, key)


def read_certificate(path: Path) -> str:
    """Return the fingerprint of the first certificate in a PEM file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="ascii")
        first = text[text.index("-----BEGIN CERTIFICATE-----") : text.index(_PEM_END) + len(_PEM_END)]
        return fingerprint_of(ssl.PEM_cert_to_DER_cert(first))
    except OSError as error:
        raise _unusable(path, error.strerror or "cannot be read") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise _unusable(path, "holds no certificate in PEM form") from error


def _load(certificate: Path, key: Path) -> ServerTls:
    fingerprint = read_certificate(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:
        # SSLError is one too: a key of another certificate, or text that is no key.
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        fix = "name the key of that certificate, in PEM form and without a passphrase"
        raise ConfigError(f"{key} cannot be used: {reason}", path="gateway.tls.keyPath", fix=fix) from error
    return ServerTls(context, fingerprint, certificate)


def _no_password() -> str:
    """Answer OpenSSL's question for a passphrase with a wrong one: a server must not wait at a terminal."""
    return ""


def _unusable(path: Path, reason: str) -> ConfigError:
    fix = "name a certificate in PEM form, or remove certPath and keyPath to have one made"
    return ConfigError(f"{path}: {reason}", path="gateway.tls.certPath", fix=fix)


def _generate(certificate: Path, key: Path, clock: Clock) -> None:
    from homarus.gateway.self_signed import make_certificate  # noqa: PLC0415 - 10 MB for something done once

    made = make_certificate(_host_name(), clock)
    try:
        for folder in (certificate.parent.parent, certificate.parent):  # the mode counts for the last one made only
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(key, made.key)
        _write_private(certificate, made.certificate)
    except OSError as error:
        fix = "make the state folder writable"
        raise ConfigError(
            f"the certificate cannot be stored in {certificate.parent}: {error.strerror}", fix=fix
        ) from error


def _write_private(path: Path, data: bytes) -> None:
    scratch = path.with_suffix(".new")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _host_name() -> str:
    return socket.gethostname().rstrip(".") or "localhost"
