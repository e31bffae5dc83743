"""The commands of events, heartbeats and devices, typed against a real gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.e2e.cli import homarus
from tests.e2e.process import GatewayProcess, gateway, write_config

BEATING = {"agents": {"defaults": {"heartbeat": {"every": "1s", "isolatedSession": True}}}}


async def last(running: GatewayProcess, status: set[str]) -> dict[str, Any]:
    """Wait for a heartbeat with one of some outcomes."""
    async with asyncio.timeout(45):
        while True:
            found = (await homarus(running.home, "system", "heartbeat", "last", "--json")).json()
            if found is not None and found["status"] in status:
                return found


async def test_a_heart_beats_for_a_checklist_and_is_switched_off(tmp_path: Path) -> None:
    write_config(tmp_path / "home", BEATING)
    async with gateway(tmp_path / "home") as running:
        home = running.home
        assert (await last(running, {"skipped"}))["reason"] == "empty-heartbeat-file"
        (home / "workspace").mkdir(exist_ok=True)
        (home / "workspace" / "HEARTBEAT.md").write_text("- what time is it?\n")
        async with asyncio.timeout(45):
            while (found := await last(running, {"skipped", "sent", "ok-token"})).get("reason") != "target-none":
                pass
        assert found["preview"]
        assert "target-none" in (await homarus(home, "system", "heartbeat", "last")).out
        assert (await homarus(home, "system", "heartbeat", "disable")).code == 0
        assert '"enabled": false' in (await homarus(home, "gateway", "call", "status")).out
        assert (await homarus(home, "system", "heartbeat", "enable", "--json")).json()["enabled"] is True


async def test_an_event_begins_a_turn_and_presence_is_listed(tmp_path: Path) -> None:
    async with gateway(tmp_path / "home") as running:
        home = running.home
        assert "There was no heartbeat yet" in (await homarus(home, "system", "heartbeat", "last")).out
        assert (await homarus(home, "system", "event", "--text", "Ann is back from holiday")).code == 0
        told = await homarus(home, "system", "event", "--text", "what time is it", "--mode", "now")
        assert "a turn begins" in told.out
        assert (await last(running, {"skipped"}))["reason"] == "no-target"
        said = (await homarus(home, "gateway", "call", "chat.history", "--params", '{"sessionKey": "main"}')).out
        assert said.index("Ann is back") < said.index("what time is it")
        assert "gateway" in (await homarus(home, "system", "presence")).out
        refused = await homarus(home, "system", "event", "--text", " ")
        assert (refused.code, refused.err.startswith("error: ")) == (1, True)


async def test_a_device_is_listed_given_a_new_token_and_removed(tmp_path: Path) -> None:
    async with gateway(tmp_path / "home") as running:
        home = running.home
        client = running.client()
        await client.connect()
        await client.close()
        paired = (await homarus(home, "devices", "list", "--json")).json()["paired"]
        own = next(row["deviceId"] for row in paired)
        assert own[:12] in (await homarus(home, "devices", "list")).out
        assert (await homarus(home, "devices", "rotate", own, "--json")).json()["token"]
        assert (await homarus(home, "devices", "revoke", own)).code == 0
        assert (await homarus(home, "devices", "remove", own[:12])).code == 0
        unknown = await homarus(home, "devices", "remove", "ffffffffffff")
        assert (unknown.code, "there is no device" in unknown.err) == (2, True)
        assert "no device waits" in (await homarus(home, "devices", "approve")).err


async def test_a_gateway_is_probed_and_its_costs_shown(tmp_path: Path) -> None:
    async with gateway(tmp_path / "home") as running:
        home = running.home
        found = (await homarus(home, "gateway", "probe", "--json")).json()
        assert (found["ok"], found["error"], found["protocol"] >= 3) == (True, None, True)
        assert "signed in" in (await homarus(home, "gateway", "probe")).out
        assert "No model was used" in (await homarus(home, "gateway", "usage-cost")).out
        await homarus(home, "agent", "--message", "what can you do")
        assert (await homarus(home, "gateway", "usage-cost", "--days", "2", "--json")).json()["days"] == 2
        assert "total" in (await homarus(home, "gateway", "usage-cost")).out
    absent = await homarus(tmp_path / "home", "gateway", "probe")
    assert (absent.code, "Connected" in absent.out) == (3, True)


async def test_the_list_of_allowed_programs_is_changed_and_replaced(tmp_path: Path) -> None:
    async with gateway(tmp_path / "home") as running:
        home = running.home
        assert "Nothing is allowed" in (await homarus(home, "approvals", "allowlist", "list")).out
        assert (await homarus(home, "approvals", "allowlist", "add", "/usr/bin/git")).code == 0
        assert (await homarus(home, "approvals", "allowlist", "add", "/usr/bin/git")).code == 2
        assert (await homarus(home, "approvals", "allowlist", "add", "git")).code == 2
        listed = (await homarus(home, "approvals", "allowlist", "list", "--json")).json()
        assert [(entry["agent"], entry["pattern"]) for entry in listed] == [("*", "/usr/bin/git")]
        assert "/usr/bin/git" in (await homarus(home, "approvals", "allowlist", "list")).out
        assert (await homarus(home, "approvals", "allowlist", "remove", "/usr/bin/git")).code == 0
        assert (await homarus(home, "approvals", "allowlist", "remove", "/usr/bin/git")).code == 2
        rules = tmp_path / "rules.json"
        rules.write_text('{"version": 1, "defaults": {"security": "deny"}}')
        assert (await homarus(home, "approvals", "set", str(rules))).code == 0
        assert '"security": "deny"' in (await homarus(home, "approvals", "get")).out
        rules.write_text("[]")
        assert (await homarus(home, "approvals", "set", str(rules))).code == 2
