"""TLS on the gateway's port: the owner's certificate, or one made here once and kept in the state folder."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from pathlib import Path
from typing import Final

from homarus.clock import Clock
from homarus.errors import ConfigError
from homarus.gateway.settings import TlsSettings
from homarus.protocol.fingerprint import fingerprint_of

log = logging.getLogger("homarus.gateway.tls")

CERTIFICATE: Final = "gateway-cert.pem"
KEY: Final = "gateway-key.pem"
_PEM_END = "-----END CERTIFICATE-----"


def tls_folder(state: Path) -> Path:
    """Return where a self-made certificate is kept."""
    return state / "gateway" / "tls"


class ServerTls:
    """What a TLS server needs. `fingerprint` is the SHA-256 of the certificate, for clients that pin it.

    Files that were renewed are taken up with the next connection; while they do not fit each other, or cannot be used,
    what is served stays.
    """

    def __init__(self, certificate: Path, key: Path, authorities: Path | None = None) -> None:
        """Load the files. Raises ConfigError."""
        self.certificate = certificate
        self._files = (certificate, key, authorities)
        self._stamps = self._look()
        self.context, self.fingerprint = _load(*self._files)
        self.context.sni_callback = self._greet
        self._newest = self.context

    def _greet(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        """Serve a client that begins a handshake the newest certificate."""
        self._renew()
        if self._newest is not self.context:
            connection.context = self._newest

    def _renew(self) -> None:
        stamps = self._look()
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._newest, self.fingerprint = _load(*self._files)
        except ConfigError as error:
            log.warning("the renewed certificate is not served, the one before stays: %s", error.message)
        else:
            log.info("the renewed certificate %s is served; SHA-256 %s", self.certificate, self.fingerprint)

    def _look(self) -> tuple[object, ...]:
        """Return what changes when a file does."""
        return tuple(_stamp(path) for path in self._files if path is not None)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def open_tls(settings: TlsSettings, folder: Path, clock: Clock) -> ServerTls:
    """Return the TLS context of a gateway; a certificate that is missing in `folder` is made. Raises ConfigError."""
    if settings.certificate is not None and settings.key is not None:
        return ServerTls(settings.certificate, settings.key, settings.authorities)
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (certificate.exists() and key.exists()):
        _generate(certificate, key, clock)
    return ServerTls(certificate, key, settings.authorities)


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


def _load(certificate: Path, key: Path, authorities: Path | None) -> tuple[ssl.SSLContext, str]:
    """Return a context that serves a certificate, and its fingerprint. Raises ConfigError."""
    fingerprint = read_certificate(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if authorities is not None:
        _trust(context, authorities)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:
        # SSLError is one too: a key of another certificate, or text that is no key.
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        fix = "name the key of that certificate, in PEM form and without a passphrase"
        raise ConfigError(f"{key} cannot be used: {reason}", path="gateway.tls.keyPath", fix=fix) from error
    return context, fingerprint


def _trust(context: ssl.SSLContext, authorities: Path) -> None:
    """Take authorities: they complete the chain that is served, and vouch for certificates that clients show.

    No client has to show one: the apps have none.
    """
    try:
        context.load_verify_locations(authorities)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        fix = "name a file with certificates of authorities in PEM form"
        raise ConfigError(f"{authorities} cannot be used: {reason}", path="gateway.tls.caPath", fix=fix) from error
    context.verify_mode = ssl.CERT_OPTIONAL


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
