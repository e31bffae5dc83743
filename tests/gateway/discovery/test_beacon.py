from __future__ import annotations

import pytest

from homarus.gateway.discovery.beacon import SERVICE, Beacon, read_beacon, texts_of

PIN = "ab" * 32
BEACON = Beacon("Homarus", 18789, ("192.0.2.7",), PIN, has_tls=True, host_name="box")


def test_the_minimal_record_names_port_and_certificate_and_nothing_of_the_machine() -> None:
    assert texts_of(BEACON, "minimal") == {
        "role": "gateway", "transport": "gateway", "displayName": "Homarus", "gatewayPort": "18789",
        "gatewayTls": "1", "gatewayTlsSha256": PIN,
    }  # fmt: skip
    full = texts_of(BEACON, "full")
    assert (full["lanHost"], full["sshPort"]) == ("box.local", "22")
    assert "cliPath" not in full


def test_what_texts_claim_about_the_address_leads_nobody_elsewhere() -> None:
    forged = {b"gatewayPort": b"1", b"lanHost": b"evil.example", b"tailnetDns": b"evil.example", b"gatewayTls": b"1"}
    found = read_beacon(f"x.{SERVICE}", 18789, ("192.0.2.7",), forged)
    assert found is not None
    assert found.urls == ("wss://192.0.2.7:18789",)


@pytest.mark.parametrize(
    ("port", "addresses"), [(None, ("1.2.3.4",)), (0, ("1.2.3.4",)), (70000, ("1.2.3.4",)), (1, ())]
)
def test_useless_answers_are_passed_over(port: int | None, addresses: tuple[str, ...]) -> None:
    assert read_beacon("x", port, addresses, {}) is None


def test_texts_of_strangers_are_bounded_and_harmless_on_a_terminal() -> None:
    texts = {b"displayName": b"\x1b[2Jowned\n" + b"x" * 500, b"gatewayTlsSha256": b"nonsense", b"empty": None}
    found = read_beacon("x", 1, ("1.2.3.4",), texts)
    assert found is not None
    assert found.fingerprint is None
    assert found.name.isprintable()
    assert len(found.name) <= 200
