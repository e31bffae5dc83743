from __future__ import annotations

from pathlib import Path

import pytest

from homarus.config.load import load_text
from homarus.errors import ConfigError
from homarus.gateway.settings import GatewaySettings, is_loopback, read_settings


def settings_of(text: str, **overrides: str) -> GatewaySettings:
    return read_settings(load_text(text, Path("homarus.json"), {}).config.gateway, **overrides)  # pyright: ignore[reportArgumentType]


def test_defaults_are_loopback_with_a_token() -> None:
    settings = settings_of("{}", token="t" * 32)
    assert (settings.host, settings.port, settings.auth.mode) == ("127.0.0.1", 18789, "token")
    assert "t" * 32 not in repr(settings)


def test_password_alone_means_password_mode() -> None:
    settings = settings_of('{gateway:{auth:{password:"hunter22"}}}')
    assert (settings.auth.mode, settings.auth.secret) == ("password", "hunter22")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{}", "gateway.auth.token"),
        ('{gateway:{auth:{mode:"password"}}}', "gateway.auth.password"),
        (
            '{gateway:{auth:{mode:"trusted-proxy",trustedProxy:{userHeader:"x-user"}},trustedProxies:["10.0.0.1"]}}',
            "gateway.auth.mode",
        ),
        ('{gateway:{auth:{token:"abcdefgh",allowTailscale:true}}}', "gateway.auth.allowTailscale"),
        ('{gateway:{auth:{token:"abcdefgh"},tailscale:{mode:"serve"}}}', "gateway.tailscale.mode"),
        ('{gateway:{auth:{token:"abcdefgh"},bind:"tailnet"}}', "gateway.bind"),
        ('{gateway:{auth:{mode:"none"},bind:"lan"}}', "gateway.auth.mode"),
        ('{gateway:{auth:{token:"short"},bind:"lan"}}', "gateway.auth.token"),
        ('{gateway:{auth:{token:"abcdefgh"},bind:"lan"}}', "gateway.controlUi.allowedOrigins"),
        ('{gateway:{auth:{token:"abcdefgh"},bind:"custom"}}', "gateway.customBindHost"),
    ],
)
def test_unsafe_and_unavailable_settings_are_refused_with_path_and_fix(text: str, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(text)
    assert caught.value.fix or str(caught.value)
    assert path in (caught.value.path or str(caught.value))


def test_lan_with_secret_and_origins_is_fine() -> None:
    text = '{gateway:{auth:{token:"abcdefgh"},bind:"lan",controlUi:{allowedOrigins:["HTTPS://Home.example/"]}}}'
    settings = settings_of(text)
    assert settings.host == "0.0.0.0"  # noqa: S104 - what is under test
    assert settings.browser.origins == {"https://home.example"}


@pytest.mark.parametrize(
    ("address", "is_local"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.5", True), ("10.0.0.1", False), ("x", False)],
)
def test_loopback_is_recognised(address: str, *, is_local: bool) -> None:
    assert is_loopback(address) is is_local
