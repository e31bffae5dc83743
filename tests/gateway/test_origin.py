from __future__ import annotations

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from homarus.gateway.http.admission import declared_scopes
from homarus.gateway.origin import is_host_allowed, origin_problem
from homarus.gateway.peer import Peer, identify_peer
from homarus.gateway.settings import BrowserSettings

NONE = BrowserSettings()


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443", "http://a.localhost"]
)
def test_local_pages_may_talk_to_a_local_gateway(origin: str) -> None:
    assert origin_problem(Peer("127.0.0.1", is_local=True, origin=origin), NONE) is None
    assert origin_problem(Peer("10.0.0.9", is_local=False, origin=origin), NONE) == "origin not allowed"


@pytest.mark.parametrize("origin", [None, "", "null", "localhost", "file:///x", "http://u@localhost", "http://[::1"])
def test_what_is_no_origin_is_refused_as_such(origin: str | None) -> None:
    assert origin_problem(Peer("127.0.0.1", is_local=True, origin=origin), NONE) == "origin missing or invalid"


def test_listed_origins_match_whole_and_without_case() -> None:
    settings = BrowserSettings(origins=frozenset({"https://home.example"}))
    assert origin_problem(Peer("1.2.3.4", is_local=False, origin="https://HOME.example"), settings) is None
    for origin in ("https://home.example.evil.com", "http://home.example", "https://home.example:444"):
        assert origin_problem(Peer("1.2.3.4", is_local=False, origin=origin), settings) == "origin not allowed"


def test_host_header_counts_only_when_trusted() -> None:
    peer = Peer("1.2.3.4", is_local=False, origin="http://box:18789", host="box:18789")
    assert origin_problem(peer, NONE) == "origin not allowed"
    assert origin_problem(peer, BrowserSettings(trusts_host_header=True)) is None


def test_rebound_host_names_are_refused_on_loopback_only() -> None:
    assert not is_host_allowed("evil.example:18789", NONE, is_loopback_bind=True)
    assert is_host_allowed("127.0.0.1:18789", NONE, is_loopback_bind=True)
    assert is_host_allowed("[::1]:18789", NONE, is_loopback_bind=True)
    assert is_host_allowed("box", NONE, is_loopback_bind=False)


def test_forwarded_connections_are_never_local_and_headers_count_only_from_trusted_proxies() -> None:
    headers = {"x-forwarded-for": "6.6.6.6, 203.0.113.9"}
    assert identify_peer("127.0.0.1", {}, frozenset()) == Peer("127.0.0.1", is_local=True, socket="127.0.0.1")
    assert not identify_peer("127.0.0.1", headers, frozenset()).is_local
    assert identify_peer("10.0.0.2", headers, frozenset({"10.0.0.0/8"})).address == "203.0.113.9"
    assert identify_peer("10.0.0.2", {"x-forwarded-for": "junk"}, frozenset({"10.0.0.2"})).address == "10.0.0.2"
    for name in ("forwarded", "x-real-ip", "x-forwarded-proto", "x-forwarded-host"):
        assert not identify_peer("127.0.0.1", {name: "x"}, frozenset()).is_local


@pytest.mark.parametrize(
    "name", ["forwarded", "via", "x-real-ip", "cf-connecting-ip", "x-forwarded-port", "tailscale-user-login"]
)
def test_what_an_unknown_proxy_passes_on_is_nobodys(name: str) -> None:
    peer = identify_peer("127.0.0.1", {name: "127.0.0.1"}, frozenset(), port=4711)
    assert (peer.is_local, peer.is_attributed, peer.is_proxy) == (False, False, False)
    assert (peer.address, peer.socket, peer.socket_port) == ("127.0.0.1", "127.0.0.1", 4711)
    listed = identify_peer("127.0.0.1", {name: "127.0.0.1"}, frozenset({"127.0.0.1"}))
    assert (listed.is_local, listed.is_attributed, listed.is_proxy) == (False, True, True)


def test_x_real_ip_counts_only_where_it_was_asked_for_and_nothing_better_is_there() -> None:
    proxies, headers = frozenset({"10.0.0.2"}), {"x-real-ip": "203.0.113.9"}
    assert identify_peer("10.0.0.2", headers, proxies).address == "10.0.0.2"
    assert identify_peer("10.0.0.2", headers, proxies, uses_real_ip=True).address == "203.0.113.9"
    assert identify_peer("10.0.0.3", headers, proxies, uses_real_ip=True).address == "10.0.0.3"
    both = {**headers, "x-forwarded-for": "198.51.100.7"}
    assert identify_peer("10.0.0.2", both, proxies, uses_real_ip=True).address == "198.51.100.7"


def test_lines_a_client_sent_above_those_of_the_proxy_count_for_nothing() -> None:
    sent = CIMultiDict([("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.9")])
    peer = identify_peer("10.0.0.2", CIMultiDictProxy(sent), frozenset({"10.0.0.2"}))
    assert peer.address == "203.0.113.9"
    scopes = CIMultiDict(
        [("X-OpenClaw-Scopes", "operator.admin, operator.read"), ("X-OpenClaw-Scopes", "operator.read")]
    )
    assert identify_peer("10.0.0.2", CIMultiDictProxy(scopes), frozenset()).scope_cap == {"operator.read"}
    assert declared_scopes(CIMultiDictProxy(scopes)) == ["operator.read"]
