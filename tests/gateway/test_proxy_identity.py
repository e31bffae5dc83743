from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from homarus.gateway.peer import identify_peer
from homarus.gateway.proxy_identity import TrustedProxy
from homarus.gateway.settings import ProxySettings
from homarus.gateway.vouching import Vouched

PROXY = frozenset({"10.0.0.2", "127.0.0.1"})
SETTINGS = ProxySettings("x-user", required_headers=("x-request-id",), users=frozenset({"ann@example.org"}))
GOOD = {"X-User": "Ann@example.org", "X-Request-Id": "1", "X-Forwarded-For": "203.0.113.9"}
WITH_SECRET = ProxySettings("x-user", secret="s" * 32)


async def ask(settings: ProxySettings, remote: str, headers: dict[str, str], **extra: str) -> Vouched:
    sent = CIMultiDict(headers)
    for name, value in extra.items():
        sent.add(name.replace("_", "-"), value)
    return await TrustedProxy(settings).identify(identify_peer(remote, CIMultiDictProxy(sent), PROXY))


async def test_the_user_a_listed_proxy_names_is_believed() -> None:
    assert await ask(SETTINGS, "10.0.0.2", GOOD) == Vouched("Ann@example.org")


@pytest.mark.parametrize(
    ("remote", "changes", "reason"),
    [
        ("10.0.0.3", {}, "trusted_proxy_untrusted_source"),
        ("203.0.113.9", {}, "trusted_proxy_untrusted_source"),
        ("127.0.0.1", {}, "trusted_proxy_untrusted_source"),
        ("", {}, "trusted_proxy_untrusted_source"),
        ("10.0.0.2", {"X-Request-Id": None}, "trusted_proxy_missing_header"),
        ("10.0.0.2", {"X-User": None}, "trusted_proxy_user_missing"),
        ("10.0.0.2", {"X-User": "  "}, "trusted_proxy_user_missing"),
        ("10.0.0.2", {"X-User": "x" * 300}, "trusted_proxy_user_missing"),
        ("10.0.0.2", {"X-User": "eve@example.org"}, "trusted_proxy_user_not_allowed"),
        ("10.0.0.2", {"X-User": "ann@example.org, eve"}, "trusted_proxy_user_not_allowed"),
    ],
)
async def test_everything_else_is_refused_with_its_reason(
    remote: str, changes: dict[str, str | None], reason: str
) -> None:
    headers = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    assert await ask(SETTINGS, remote, headers) == Vouched(reason=reason)  # pyright: ignore[reportArgumentType]


async def test_a_user_header_beside_the_proxys_own_is_refused() -> None:
    assert (await ask(SETTINGS, "10.0.0.2", GOOD, X_User="eve@example.org")).reason == "trusted_proxy_user_missing"


async def test_a_proxy_on_this_machine_has_to_show_its_secret() -> None:
    for secret, reason in (("s" * 32, None), ("wrong", "trusted_proxy_secret_mismatch"), ("", None)):
        headers = {"X-User": "ann", "X-Forwarded-For": "203.0.113.9"}
        if secret:
            headers["X-Homarus-Proxy-Secret"] = secret
        expected = reason if secret else "trusted_proxy_secret_mismatch"
        assert (await ask(WITH_SECRET, "127.0.0.1", headers)).reason == expected


async def test_without_a_list_of_users_everyone_the_proxy_admits_comes_in() -> None:
    assert (await ask(ProxySettings("x-user"), "10.0.0.2", {"X-User": "anybody"})).user == "anybody"
