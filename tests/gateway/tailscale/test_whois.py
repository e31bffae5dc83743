from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from homarus.gateway.peer import Peer, identify_peer
from homarus.gateway.tailscale.whois import TailscaleIdentities
from homarus.testing.tailscaled import FakeTailscaled, fake_tailscaled

ANN = "100.101.102.103"
SENT = {
    "X-Forwarded-For": ANN,
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "box.example.ts.net",
    "Tailscale-User-Login": "ann@example.org",
}


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[FakeTailscaled]:
    async with fake_tailscaled(tmp_path, {ANN: "ann@example.org", "100.64.0.9": "tagged-devices"}) as running:
        yield running


def identities(daemon: FakeTailscaled) -> TailscaleIdentities:
    return TailscaleIdentities(daemon.socket, lambda _port: frozenset({os.getuid()}))


def peer(changes: dict[str, str | None] | None = None, remote: str = "127.0.0.1") -> Peer:
    headers = {name: value for name, value in {**SENT, **(changes or {})}.items() if value is not None}
    return identify_peer(remote, CIMultiDictProxy(CIMultiDict(headers)), frozenset({"127.0.0.1"}), port=4711)


async def test_a_user_that_tailscaled_names_for_the_address_is_believed(daemon: FakeTailscaled) -> None:
    vouched = await identities(daemon).identify(peer({"X-Forwarded-For": f"6.6.6.6, {ANN}"}))
    assert (vouched.user, daemon.asked) == ("ann@example.org", [ANN])


@pytest.mark.parametrize(
    ("changes", "remote", "reason"),
    [
        ({"Tailscale-User-Login": None}, "127.0.0.1", "tailscale_user_missing"),
        ({"Tailscale-User-Login": "eve@example.org"}, "127.0.0.1", "tailscale_user_mismatch"),
        ({"X-Forwarded-For": "100.99.99.99"}, "127.0.0.1", "tailscale_whois_failed"),
        ({"X-Forwarded-For": "100.64.0.9", "Tailscale-User-Login": "tagged-devices"}, "127.0.0.1",
         "tailscale_user_mismatch"),
        ({"X-Forwarded-For": "nonsense"}, "127.0.0.1", "tailscale_proxy_missing"),
        ({"X-Forwarded-For": None}, "127.0.0.1", "tailscale_proxy_missing"),
        ({"X-Forwarded-Host": None}, "127.0.0.1", "tailscale_proxy_missing"),
        ({}, "192.168.1.7", "tailscale_proxy_missing"),
    ],
)  # fmt: skip
async def test_the_header_alone_is_never_believed(
    daemon: FakeTailscaled, changes: dict[str, str | None], remote: str, reason: str
) -> None:
    vouched = await identities(daemon).identify(peer(changes, remote))
    assert (vouched.user, vouched.reason) == (None, reason)


@pytest.mark.parametrize("owners", [frozenset({4242}), frozenset({4242, os.getuid()}), frozenset[int]()])
async def test_a_program_of_another_user_cannot_pass_for_tailscaled(
    daemon: FakeTailscaled, owners: frozenset[int]
) -> None:
    vouched = await TailscaleIdentities(daemon.socket, lambda _port: owners).identify(peer())
    assert (vouched.reason, daemon.asked) == ("tailscale_proxy_missing", [])


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"UserProfile": {"LoginName": 7}}', b"x" * 300_000])
async def test_an_answer_that_names_nobody_lets_nobody_in(daemon: FakeTailscaled, answer: bytes) -> None:
    daemon.answer = answer
    vouched = await identities(daemon).identify(peer())
    assert vouched.reason == "tailscale_whois_failed"


async def test_without_tailscaled_nobody_is_believed(tmp_path: Path) -> None:
    vouched = await TailscaleIdentities(tmp_path / "nothing.sock", lambda _port: None).identify(peer())
    assert vouched.reason == "tailscale_whois_failed"
