"""The certificate of the gateway of this state folder, running or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from homarus.config import environment
from homarus.config.load import load
from homarus.config.paths import StateDir
from homarus.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


class ServedCertificate(Struct, frozen=True):
    """A certificate file and its fingerprint."""

    certificate: Path
    fingerprint: str


def served_certificate() -> ServedCertificate:
    """Return what is served. Raises UserError without TLS or before the first start, ConfigError for a bad file."""
    from homarus.gateway.tls import CERTIFICATE, read_certificate, tls_folder

    state = StateDir.resolve(environment.process_environment())
    tls = load(state.config_file, state.env).config.gateway.tls
    if not tls.enabled:
        raise UserError("this gateway serves without TLS", fix="homarus config set gateway.tls.enabled true")
    named = environment.expand(tls.cert_path, state.env) if tls.cert_path else None
    path = named or tls_folder(state.root) / CERTIFICATE
    if named is None and not path.exists():
        raise UserError("the certificate is made at the first start", fix="homarus gateway run")
    return ServedCertificate(path, read_certificate(path))
