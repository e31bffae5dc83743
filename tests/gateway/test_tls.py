from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.gateway.conftest import Running, start, stop
from tests.gateway.fake_services import TOKEN

from homarus.clock import SystemClock
from homarus.errors import AuthFailed, ConfigError
from homarus.gateway.self_signed import make_certificate
from homarus.gateway.settings import AuthSettings, GatewaySettings, TlsSettings
from homarus.gateway.tls import CERTIFICATE, KEY, open_tls, read_certificate, tls_folder
from homarus.protocol.client import GatewayClient
from homarus.protocol.fingerprint import read_fingerprint

SECURE = GatewaySettings(auth=AuthSettings(token=TOKEN), tls=TlsSettings())


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Running]:
    running = await start(tmp_path, SECURE)
    yield running
    await stop(running)


def client_of(running: Running, pin: str | None, folder: Path) -> GatewayClient:
    url = running.server.url.replace("https", "wss")
    return GatewayClient(url, identity=folder / "device.json", token=TOKEN, tls_fingerprint=pin, is_reconnecting=False)


async def test_a_client_that_pins_the_printed_fingerprint_gets_in(secure: Running, tmp_path: Path) -> None:
    assert secure.server.url.startswith("https://")
    pin = secure.server.tls_fingerprint
    for text in (pin, f"sha256:{pin}", str(pin).replace(":", "").lower()):
        async with client_of(secure, text, tmp_path / "client") as gateway:
            assert gateway.hello["type"] == "hello-ok"


async def test_nothing_is_sent_to_a_server_with_another_certificate(secure: Running, tmp_path: Path) -> None:
    with pytest.raises(AuthFailed) as caught:
        await client_of(secure, "ab" * 32, tmp_path / "client").connect()
    assert str(secure.server.tls_fingerprint) in caught.value.message
    assert not (tmp_path / "client").exists()


async def test_a_certificate_nobody_vouches_for_is_refused_without_a_pin(secure: Running, tmp_path: Path) -> None:
    with pytest.raises(AuthFailed) as caught:
        await client_of(secure, None, tmp_path / "client").connect()
    assert "--tls-fingerprint" in str(caught.value.fix)


async def test_old_versions_of_tls_and_plain_http_are_refused(secure: Running) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{secure.server.url}/health", ssl=context)
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{secure.http}/health")


def test_the_certificate_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    folder = tls_folder(tmp_path)
    first, second = (open_tls(TlsSettings(), folder, SystemClock()).fingerprint for _ in range(2))
    assert first == second == read_certificate(folder / CERTIFICATE)
    made = (folder.parent, folder, folder / KEY, folder / CERTIFICATE)
    assert [path.stat().st_mode & 0o077 for path in made] == [0, 0, 0, 0]


def test_the_fingerprint_is_the_one_openssl_prints(tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    path.write_bytes(make_certificate("box", SystemClock()).certificate)
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", str(path)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert read_certificate(path) in printed
    assert read_fingerprint(printed) == read_fingerprint(read_certificate(path))


def test_own_files_are_served_and_unusable_ones_named(tmp_path: Path) -> None:
    first, second = (make_certificate(name, SystemClock()) for name in ("a", "b"))
    for name, data in {"a.crt": first.certificate, "a.key": first.key, "b.key": second.key, "no": b"no"}.items():
        (tmp_path / name).write_bytes(data)

    def opened(certificate: str, key: str) -> str:
        settings = TlsSettings(tmp_path / certificate, tmp_path / key)
        return open_tls(settings, tmp_path / "unused", SystemClock()).fingerprint

    assert opened("a.crt", "a.key") == read_certificate(tmp_path / "a.crt")
    for certificate, key, path in (
        ("gone", "a.key", "gateway.tls.certPath"),
        ("no", "a.key", "gateway.tls.certPath"),
        ("a.crt", "gone", "gateway.tls.keyPath"),
        ("a.crt", "no", "gateway.tls.keyPath"),
        ("a.crt", "b.key", "gateway.tls.keyPath"),
    ):
        with pytest.raises(ConfigError) as caught:
            opened(certificate, key)
        assert caught.value.path == path
        assert caught.value.fix
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("text", ["", "ab", "g" * 64, "sha1:" + "a" * 64, "a" * 63])
def test_what_is_no_fingerprint_is_refused_with_what_to_copy(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        GatewayClient("wss://x", identity=tmp_path / "d", tls_fingerprint=text)
    assert caught.value.fix


def test_a_pin_without_tls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no certificate to pin"):
        GatewayClient("ws://127.0.0.1:1", identity=tmp_path / "d", tls_fingerprint="ab" * 32)
