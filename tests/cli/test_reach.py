from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from homarus.cli.exits import UsageFailure
from homarus.cli.reach import check_transport, find_gateway, socket_url
from homarus.cli.running import Running, leave_note
from homarus.errors import ConfigError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.startswith(("HOMARUS_", "OPENCLAW_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOMARUS_HOME", str(tmp_path))
    return tmp_path


def configure(home: Path, **gateway: object) -> None:
    (home / "homarus.json").write_text(json.dumps({"gateway": gateway}))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:1", "ws://127.0.0.1:1"),
        ("https://host/path/", "wss://host/path"),
        ("host:5", "ws://host:5"),
        ("http://0.0.0.0:7", "ws://127.0.0.1:7"),
        ("http://[::1]:7", "ws://[::1]:7"),
    ],
)
def test_addresses_become_sockets(text: str, url: str) -> None:
    assert socket_url(text) == url


@pytest.mark.parametrize("text", ["ftp://host", "http://", ""])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageFailure, match="no address"):
        socket_url(text)


def test_without_anything_it_is_the_default_port_here() -> None:
    assert find_gateway().url == "ws://127.0.0.1:18789"


def test_the_configured_port_and_token_count(home: Path) -> None:
    configure(home, port=4000, auth={"token": "configured"})
    target = find_gateway()
    assert (target.url, target.credentials.token) == ("ws://127.0.0.1:4000", "configured")


def test_a_running_gateway_is_found_on_whatever_port_it_has(home: Path) -> None:
    configure(home, port=4000)
    leave_note(home, Running("http://127.0.0.1:4711", os.getpid()))
    assert find_gateway().url == "ws://127.0.0.1:4711"


def test_the_token_the_gateway_made_is_used(home: Path) -> None:
    (home / "identity").mkdir()
    (home / "identity" / "gateway-token").write_text("made\n")
    assert find_gateway().credentials.token == "made"


def test_the_environment_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(home, port=4000, auth={"token": "configured"})
    monkeypatch.setenv("HOMARUS_GATEWAY_URL", "https://else.example")
    monkeypatch.setenv("HOMARUS_GATEWAY_TOKEN", "given")
    target = find_gateway()
    assert (target.url, target.credentials.token, target.is_local) == ("wss://else.example", "given", False)


def test_another_gateway_can_be_configured(home: Path) -> None:
    configure(home, mode="remote", remote={"url": "wss://far.example", "token": "far", "transport": "direct"})
    target = find_gateway()
    assert (target.url, target.credentials.token) == ("wss://far.example", "far")


def test_a_broken_configuration_does_not_hide_a_running_gateway(home: Path) -> None:
    (home / "homarus.json").write_text("{")
    with pytest.raises(ConfigError):
        find_gateway()
    leave_note(home, Running("http://127.0.0.1:4711", os.getpid()))
    assert find_gateway().url == "ws://127.0.0.1:4711"


def test_secrets_do_not_show(home: Path) -> None:
    configure(home, auth={"token": "hidden-token"})
    assert "hidden-token" not in repr(find_gateway())


@pytest.mark.parametrize(
    "url", ["ws://box.lan:18789", "ws://192.168.1.7", "ws://[2001:db8::1]:7", "ws://localhost.evil"]
)
def test_no_secret_crosses_a_network_in_the_clear(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOMARUS_ALLOW_INSECURE_PRIVATE_WS", raising=False)
    with pytest.raises(UsageFailure, match="in the clear") as caught:
        check_transport(url)
    assert "wss://" in str(caught.value.fix)
    monkeypatch.setenv("HOMARUS_ALLOW_INSECURE_PRIVATE_WS", "1")
    assert check_transport(url) == url


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:1", "ws://localhost", "ws://[::1]:7", "ws://100.64.0.1", "wss://box.lan"]
)
def test_loopback_tailnet_and_tls_carry_secrets(url: str) -> None:
    assert check_transport(url) == url
