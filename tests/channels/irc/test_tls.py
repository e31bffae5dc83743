from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from homarus.channels.irc.connection import tls_context
from homarus.channels.irc.settings import Settings
from homarus.errors import ConfigError, Transient
from homarus.testing.irc_behaviour import IRCV3, Behaviour
from homarus.testing.irc_server import IrcServer
from homarus.testing.irc_start import Run, Start


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-made certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_known_authority_is_accepted(start: Start, server_tls: ssl.SSLContext, certificate: Path) -> None:
    async with IrcServer(tls=server_tls) as server, start(server, tls=True, tlsCaFile=str(certificate)) as (channel, _):
        assert (await channel.probe()).is_ok


async def test_an_unknown_certificate_is_refused_with_the_way_out(run: Run, server_tls: ssl.SSLContext) -> None:
    async with IrcServer(tls=server_tls) as server:
        with pytest.raises(Transient, match=r"certificate of 127\.0\.0\.1") as caught:
            await run(server, tls=True)
    assert "tlsCaFile" in (caught.value.fix or "")
    assert server.received == []


async def test_verification_is_off_only_by_its_dangerous_name(start: Start, server_tls: ssl.SSLContext) -> None:
    async with (
        IrcServer(tls=server_tls) as server,
        start(server, tls=True, dangerouslyDisableTlsVerification=True) as (channel, _),
    ):
        assert (await channel.probe()).is_ok


async def test_tls_with_a_plain_server_is_transient_and_names_the_keys(run: Run) -> None:
    async with IrcServer(Behaviour(greeting=":irc.test NOTICE * :plain text here")) as server:
        with pytest.raises(Transient, match="no TLS with") as caught:
            await run(server, tls=True)
    assert "channels.irc.tls" in (caught.value.fix or "")


async def test_a_plain_server_with_a_tls_policy_is_left_for_its_tls_port(
    start: Start, server_tls: ssl.SSLContext, certificate: Path
) -> None:
    async with IrcServer(tls=server_tls) as safe:
        policy = {**IRCV3, "sts": f"port={safe.port}"}
        async with IrcServer(Behaviour(caps=policy, password="pier-9")) as plain:
            starting = start(plain, password="pier-9", tlsCaFile=str(certificate))
            waiting = asyncio.create_task(starting.__aenter__())
            await safe.expect("USERHOST homarus")
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert not plain.clients


async def test_a_client_certificate_logs_in_by_external(
    start: Start, certificate: Path, server_tls: ssl.SSLContext
) -> None:
    behaviour = Behaviour(caps={"sasl": "EXTERNAL"}, accounts={"homarus": ""})
    file = str(certificate)
    async with (
        IrcServer(behaviour, tls=server_tls) as server,
        start(server, tls=True, tlsCaFile=file, tlsCertFile=file, sasl={"mechanism": "external"}),
    ):
        assert server.clients[0].account == "homarus"


def test_an_unreadable_authority_is_a_configuration_error(tmp_path: Path) -> None:
    settings = Settings("default", "x", 6697, True, "h", "h", "h", tls_ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match="certificate file"):
        tls_context(settings)
