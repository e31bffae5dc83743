from __future__ import annotations

from pathlib import Path

import pytest

from homarus.config.load import load_text
from homarus.errors import ConfigError
from homarus.gateway.configured import read_settings
from homarus.gateway.settings import GatewaySettings
from homarus.gateway.tailscale import address
from homarus.protocol.addresses import is_loopback, is_tailnet


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
        ('{gateway:{auth:{token:"abcdefgh"},tailscale:{mode:"serve"},bind:"lan"}}', "gateway.bind"),
        ('{gateway:{auth:{mode:"none"},tailscale:{mode:"serve"}}}', "gateway.auth.mode"),
        ('{gateway:{auth:{token:"abcdefgh"},tailscale:{mode:"funnel"}}}', "gateway.auth.mode"),
        ('{gateway:{auth:{password:"short"},tailscale:{mode:"funnel"}}}', "gateway.auth.password"),
        ('{gateway:{auth:{mode:"none"},bind:"custom",customBindHost:"192.0.2.1"}}', "gateway.auth.mode"),
        ('{gateway:{auth:{token:"abcdefgh"},bind:"tailnet"}}', "gateway.bind"),
        ('{gateway:{auth:{mode:"none"},bind:"lan"}}', "gateway.auth.mode"),
        ('{gateway:{auth:{token:"short"},bind:"lan"}}', "gateway.auth.token"),
        ('{gateway:{auth:{token:"abcdefgh"},bind:"lan"}}', "gateway.controlUi.allowedOrigins"),
        ('{gateway:{auth:{token:"abcdefgh"},bind:"custom"}}', "gateway.customBindHost"),
        ('{gateway:{auth:{token:"abcdefgh"},bind:"custom",customBindHost:"example.org"}}', "gateway.customBindHost"),
        ('{gateway:{auth:{token:" Undefined "}}}', "gateway.auth.token"),
        ('{gateway:{auth:{password:"changeme"}}}', "gateway.auth.password"),
        ('{gateway:{auth:{token:"abcdefgh"},trustedProxies:["proxy.local"]}}', "gateway.trustedProxies"),
        ('{gateway:{auth:{token:"abcdefgh"},trustedProxies:["0.0.0.0/0"]}}', "gateway.trustedProxies"),
        ('{gateway:{auth:{token:"abcdefgh"},tls:{enabled:true,certPath:"/a"}}}', "gateway.tls.keyPath"),
        ('{gateway:{auth:{token:"abcdefgh"},tls:{enabled:true,keyPath:"/a"}}}', "gateway.tls.certPath"),
        ('{gateway:{auth:{token:"abcdefgh"},tls:{enabled:true,autoGenerate:false}}}', "gateway.tls.certPath"),
    ],
)
def test_unsafe_and_unavailable_settings_are_refused_with_path_and_fix(text: str, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(text)
    issues = getattr(caught.value, "issues", (caught.value,))
    assert [(issue.path, bool(issue.fix)) for issue in issues] == [(path, True)]


def test_a_tailnet_bind_takes_the_address_of_this_machine_there(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{gateway:{auth:{token:"abcdefgh"},bind:"tailnet",controlUi:{enabled:false}}}'
    monkeypatch.setattr(address, "tailnet_address", lambda: "100.101.102.103")
    assert settings_of(text).host == "100.101.102.103"
    monkeypatch.setattr(address, "tailnet_address", lambda: None)
    with pytest.raises(ConfigError, match="no tailnet address"):
        settings_of(text)


@pytest.mark.parametrize(
    ("text", "is_one"), [("100.64.0.1", True), ("100.127.255.254", True), ("100.128.0.1", False), ("::1", False)]
)
def test_tailnet_addresses_are_those_tailscale_gives_out(text: str, *, is_one: bool) -> None:
    assert is_tailnet(text) is is_one


PROXY = 'mode:"trusted-proxy",trustedProxy:{userHeader:"X-User",'


def filled(text: str) -> str:
    return f"{{gateway:{text}}}".replace("$PROXY", PROXY).replace("$LONG", "s" * 20)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{auth:{mode:"trusted-proxy"}}', "gateway.auth.trustedProxy"),
        ("{auth:{$PROXY}}}", "gateway.trustedProxies"),
        ('{auth:{$PROXY}},trustedProxies:["10.0.0.2"]}', "gateway.auth.trustedProxy.secret"),
        ('{auth:{$PROXY}},trustedProxies:["127.0.0.1"],bind:"lan"}', "gateway.auth.trustedProxy.secret"),
        ('{auth:{$PROXYallowUsers:[]}},trustedProxies:["10.0.0.2"],bind:"lan"}',
         "gateway.auth.trustedProxy.allowUsers"),
        ('{auth:{$PROXYallowUsers:[" "]}},trustedProxies:["10.0.0.2"],bind:"lan"}',
         "gateway.auth.trustedProxy.allowUsers"),
        ('{auth:{$PROXY}},trustedProxies:["10.0.0.2"],bind:"lan"}', "gateway.controlUi.allowedOrigins"),
        ('{auth:{$PROXYsecret:"$LONG"}},trustedProxies:["127.0.0.1"],tailscale:{mode:"serve"}}',
         "gateway.tailscale.mode"),
        ('{auth:{$PROXYsecret:"short"}},trustedProxies:["127.0.0.1"]}', "gateway.auth.trustedProxy.secret"),
    ],
)  # fmt: skip
def test_a_trusted_proxy_that_anybody_could_pass_for_is_refused(text: str, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(filled(text))
    issues = getattr(caught.value, "issues", (caught.value,))
    assert [(issue.path, bool(issue.fix)) for issue in issues] == [(path, True)]


def test_a_listed_proxy_elsewhere_is_fine_and_one_here_with_a_secret() -> None:
    remote = '{auth:{$PROXYallowUsers:["Ann"]}},trustedProxies:["10.0.0.2"],bind:"lan",controlUi:{enabled:false}}'
    settings = settings_of(filled(remote), token="local-token")
    assert settings.auth.proxy is not None
    assert (settings.auth.proxy.user_header, settings.auth.proxy.users) == ("x-user", {"ann"})
    assert settings.auth.token == "local-token"
    here = settings_of(filled('{auth:{$PROXYsecret:"$LONG"}},trustedProxies:["::1"]}'))
    assert here.is_loopback


def test_serving_through_tailscale_takes_its_identities_unless_a_password_is_asked_for() -> None:
    def serve(auth: str) -> GatewaySettings:
        return settings_of(f'{{gateway:{{auth:{{{auth}}},tailscale:{{mode:"serve"}}}}}}')

    assert serve('token:"abcdefgh"').tailscale.takes_identities
    assert not serve('token:"abcdefgh",allowTailscale:false').tailscale.takes_identities
    assert not serve('password:"abcdefgh"').tailscale.takes_identities
    assert serve('token:"abcdefgh"').trusted_proxies == {"127.0.0.1", "::1"}
    assert settings_of('{gateway:{auth:{token:"abcdefgh"}}}').trusted_proxies == frozenset()


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
