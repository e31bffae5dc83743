"""Certificates of the owner's own: renewed while the gateway serves them, completed and checked by authorities."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec import Struct
from msgspec.structs import replace
from tests.gateway.conftest import Running, start, stop
from tests.gateway.test_tls import SECURE, client_of

from homarus.clock import SystemClock
from homarus.config.load import load_text
from homarus.errors import ConfigError
from homarus.gateway.configured import read_settings
from homarus.gateway.settings import GatewaySettings, TlsSettings
from homarus.gateway.tls import open_tls, read_certificate


class Issued(Struct):
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, certificate: Path, key: Path) -> None:
        """Put both into files, as programs that renew do: one after the other."""
        form, no_secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key.private_bytes(serialization.Encoding.PEM, form, no_secret))


def issue(name: str, issuer: Issued | None = None, *, is_authority: bool = False) -> Issued:
    """Return a certificate of an issuer, or one of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = (
        x509.CertificateBuilder(issuer.certificate.subject if issuer else subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(names, critical=False)
    )
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


class Files(Struct):
    """The files a gateway is given."""

    folder: Path

    @property
    def settings(self) -> TlsSettings:
        return TlsSettings(self.folder / "own.crt", self.folder / "own.key")

    def put(self, issued: Issued) -> None:
        issued.write(self.folder / "own.crt", self.folder / "own.key")


def blind() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def greeted(running: Running, context: ssl.SSLContext | None = None) -> str:
    """Make a handshake and a request, and return the fingerprint of the certificate that was shown."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.server.port, ssl=context or blind())
    try:
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    return sha256(shown).hexdigest().upper()


async def begin(folder: Path, settings: GatewaySettings) -> Running:
    folder.mkdir()
    return await start(folder, settings)


def print_of(text: str | None) -> str:
    return (text or "").replace(":", "").upper()


async def test_a_renewed_certificate_is_served_without_a_restart(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.put(issue("first"))
    running = await begin(tmp_path / "home", replace(SECURE, tls=files.settings))
    first = await greeted(running)
    async with client_of(running, running.server.tls_fingerprint, tmp_path / "client") as client:
        files.put(issue("second"))
        second = await greeted(running)
        assert second != first
        assert second == print_of(read_certificate(files.settings.certificate or tmp_path))
        assert print_of(running.server.tls_fingerprint) == second
        assert await client.call("health")
    await stop(running)


async def test_files_that_do_not_fit_each_other_change_nothing_until_they_do(tmp_path: Path) -> None:
    files, settings = Files(tmp_path), Files(tmp_path).settings
    files.put(issue("first"))
    running = await begin(tmp_path / "home", replace(SECURE, tls=settings))
    first = await greeted(running)
    later = issue("later")
    later.write(settings.certificate or tmp_path, tmp_path / "elsewhere.key")
    assert await greeted(running) == first
    (settings.key or tmp_path).unlink()
    assert await greeted(running) == first
    files.put(later)
    assert (
        await greeted(running) == sha256(later.certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    )
    await stop(running)


async def test_authorities_complete_the_chain_and_vouch_for_clients(tmp_path: Path) -> None:
    root = issue("root", is_authority=True)
    between = issue("between", root, is_authority=True)
    files = Files(tmp_path)
    files.put(issue("box", between))
    (tmp_path / "authorities.pem").write_bytes(between.pem + root.pem)
    chained = replace(files.settings, authorities=tmp_path / "authorities.pem")
    running = await begin(tmp_path / "home", replace(SECURE, tls=chained))
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(cadata=root.pem.decode())
    assert await greeted(running, trusting)
    for name, issuer in (("friend", between), ("stranger", issue("other root", is_authority=True))):
        issue(name, issuer).write(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        context = blind()
        context.load_cert_chain(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        if name == "friend":
            assert await greeted(running, context)
        else:
            with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
                await greeted(running, context)
    await stop(running)
    running = await begin(tmp_path / "other", replace(SECURE, tls=files.settings))
    with pytest.raises(ssl.SSLCertVerificationError):
        await greeted(running, trusting)
    await stop(running)


@pytest.mark.parametrize("content", [None, b"", b"nothing"])
def test_a_file_without_authorities_is_named(tmp_path: Path, content: bytes | None) -> None:
    files = Files(tmp_path)
    files.put(issue("box"))
    if content is not None:
        (tmp_path / "authorities.pem").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        open_tls(replace(files.settings, authorities=tmp_path / "authorities.pem"), tmp_path, SystemClock())
    assert (caught.value.path, bool(caught.value.fix)) == ("gateway.tls.caPath", True)


def test_the_key_of_the_configuration_is_read(tmp_path: Path) -> None:
    tls = '{ gateway: { tls: { enabled: true, caPath: "/etc/authorities.pem" } } }'
    settings = read_settings(load_text(tls, tmp_path / "homarus.json", {}).config.gateway, token="t" * 32, env={})
    assert settings.tls is not None
    assert settings.tls.authorities == Path("/etc/authorities.pem")
