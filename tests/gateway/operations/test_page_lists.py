"""The lists that pages of version 4 show in their tabs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.conftest import Running
from tests.gateway.raw_client import connected

V4: dict[str, Any] = {"minProtocol": 4, "maxProtocol": 4}
EMPTY: list[tuple[str, dict[str, object], str]] = [
    ("plugins.list", {}, "plugins"),
    ("skills.library.list", {"scope": "all"}, "entries"),
    ("plugins.catalog.browse", {"intent": "all", "pageSize": 24}, "items"),
    ("exec.approval.grants.list", {}, "grants"),
    ("artifacts.list", {"sessionKey": "main", "type": "image", "limit": 4}, "artifacts"),
    ("approval.history", {"limit": 10}, "items"),
    ("approval.history", {"kind": "system-agent"}, "items"),
]


@pytest.mark.parametrize(("method", "params", "name"), EMPTY, ids=[f"{method} {name}" for method, _, name in EMPTY])
async def test_a_new_gateway_has_empty_tabs(gateway: Running, method: str, params: object, name: str) -> None:
    async with connected(gateway.url, **V4) as client:
        assert (await client.call(method, params))["payload"][name] == []


async def test_the_theme_that_pages_bring_along_is_the_chosen_one(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        found = (await client.call("themes.list", {}))["payload"]
        assert found["current"]["id"] == found["theme"]["id"] == found["themes"][0]["id"] == "claw"


async def test_this_machine_is_the_first_place_of_work(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        [here] = (await client.call("environments.list", {"projection": "profiles"}))["payload"]["environments"]
        assert (here["id"], here["status"]) == ("gateway", "available")
        other = (await client.call("environments.list", {"runtimeId": "nowhere"}))["payload"]
        assert other == {"environments": []}


async def test_lanes_show_what_goes_on_and_how_much_may(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url, **V4) as client:
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r1"})
        [lane] = (await client.call("diagnostics.lanes", {}))["payload"]["lanes"]
        assert (lane["lane"], lane["activeCount"], lane["maxConcurrent"]) == ("main", 1, 4)


async def test_nothing_listens_but_the_catalogue_of_talking_says_so(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        found = (await client.call("talk.catalog", {}))["payload"]
        assert (found["modes"], found["realtime"]["ready"], found["transcription"]["providers"]) == ([], False, [])


async def test_a_stranger_is_listed_and_let_in_or_sent_away(gateway: Running) -> None:
    named = {"channel": "irc", "accountId": "default", "requestId": "CODE1234"}
    async with connected(gateway.url, **V4) as client:
        listed = (await client.call("channels.pairing.list", {}))["payload"]
        [request] = listed["requests"]
        assert {name: request[name] for name in named} == named
        assert (request["senderId"], request["expiresAt"]) == ("stranger", "1970-01-01T01:00:00.001Z")
        assert (await client.call("channels.pairing.list", {"accountId": "other"}))["payload"]["requests"] == []
        quiet = (await client.call("channels.pairing.approve", named))["payload"]
        assert (quiet["senderId"], quiet["notification"]) == ("stranger", "not-requested")
        told = (await client.call("channels.pairing.approve", {**named, "notify": True}))["payload"]
        assert told["notification"] == "sent"
        assert (await client.call("channels.pairing.dismiss", named))["payload"]["requestId"] == "CODE1234"
        wrong = await client.call("channels.pairing.approve", {**named, "accountId": "other"})
        assert wrong["error"]["message"] == "no open pairing request on irc has this id"


async def test_answered_questions_are_in_the_history_page_by_page(gateway: Running) -> None:
    seen: dict[str, tuple[str, str]] = {}
    async with connected(gateway.url, **V4) as client:
        for number, decision in enumerate(("deny", "allow-once", "deny")):
            asked = {"id": f"q{number}", "command": f"echo {number}", "twoPhase": True}
            assert (await client.call("exec.approval.request", asked))["payload"]["status"] == "accepted"
            assert (await client.call("exec.approval.resolve", {"id": f"q{number}", "decision": decision}))["ok"]
        page: dict[str, Any] = {"limit": 1}
        for _ in range(3):
            answer = (await client.call("approval.history", page))["payload"]
            [item] = answer["items"]
            seen[item["id"]] = (item["status"], item["presentation"]["commandText"])
            page["cursor"] = answer["nextCursor"]
        assert (await client.call("approval.history", page))["payload"] == {"items": []}
        assert (await client.call("approval.history", {"kind": "plugin"}))["payload"]["items"] == []
        assert not (await client.call("approval.history", {"cursor": "x"}))["ok"]
    assert seen == {"q0": ("denied", "echo 0"), "q1": ("allowed", "echo 1"), "q2": ("denied", "echo 2")}


async def test_a_section_that_admits_anything_admits_it_at_any_depth(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        asked = {"path": "plugins.entries.memory-core.config"}
        found = (await client.call("config.schema.lookup", asked))["payload"]
        assert (found["schema"], found["children"]) == ({}, [])
        assert not (await client.call("config.schema.lookup", {"path": "gateway.nothing.here"}))["ok"]
