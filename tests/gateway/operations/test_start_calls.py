"""What pages and terminals of version 4 ask when they start, and in their tabs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.gateway.conftest import Running
from tests.gateway.raw_client import ALL, RawClient, connected

from homarus.labels import OPERATOR
from homarus.sessions.keys import parse_key

V4: dict[str, Any] = {"minProtocol": 4, "maxProtocol": 4}
QUESTIONS = [*ALL, "operator.questions"]
MAIN: dict[str, object] = {"sessionKey": "main"}
EMPTY: list[tuple[str, dict[str, object], object]] = [
    ("question.list", {}, {"questions": []}),
    ("exec.approval.list", {}, []),
    ("plugin.approval.list", {}, []),
    ("openclaw.approval.list", {}, []),
    ("sessions.observer.visibility", {"visible": True}, {"ok": True}),
    ("sessions.branches.list", MAIN, {"branches": []}),
    ("sessions.companion.state", MAIN, {"exchanges": []}),
    ("progressCard.get", MAIN, {"card": None}),
    ("tasks.list", MAIN, {"tasks": []}),
    ("users.prefs.get", {"keys": ["ui.theme"]}, {"status": "ok", "entries": {}}),
]


@pytest.mark.parametrize(("method", "params", "wanted"), EMPTY, ids=[method for method, _, _ in EMPTY])
async def test_a_new_gateway_has_nothing_to_tell(gateway: Running, method: str, params: object, wanted: object) -> None:
    async with connected(gateway.url, scopes=QUESTIONS, **V4) as client:
        assert (await client.call(method, params))["payload"] == wanted


async def test_questions_are_for_those_who_may_answer_them(gateway: Running) -> None:
    async with connected(gateway.url, scopes=["operator.read", "operator.write"], **V4) as client:
        error = (await client.call("question.list", {}))["error"]
        assert error["details"]["missingScope"] == "operator.questions"


async def test_a_transcript_is_one_branch_that_ends_with_its_last_message(gateway: Running) -> None:
    sessions = gateway.server.core.services.sessions
    session = await sessions.ensure(parse_key("main"))
    entries = [await sessions.append(session, "user", {"text": text}, OPERATOR) for text in ("a", "b" * 200)]
    async with connected(gateway.url, **V4) as client:
        [branch] = (await client.call("sessions.branches.list", MAIN))["payload"]["branches"]
    assert (branch["leafEntryId"], branch["messageCount"], branch["active"]) == (entries[-1].id, 2, True)
    assert (len(branch["headline"]), branch["updatedAt"][-1]) == (120, "Z")


async def test_presence_shows_which_sessions_a_page_looks_at(gateway: Running) -> None:
    page = {"id": "openclaw-tui", "version": "t", "platform": "x", "mode": "ui", "instanceId": "p1"}
    async with connected(gateway.url, client=page, **V4) as client:
        answer = (await client.call("sessions.viewers.set", {"sessionKeys": ["main", "agent:main:main"]}))["payload"]
        assert answer == {"sessionKeys": ["agent:main:main"]}
        listed = (await client.call("system-presence"))["payload"]
        assert ["agent:main:main"] in [entry.get("watchedSessions") for entry in listed]


async def prefs(client: RawClient, **params: object) -> str:
    return (await client.call("users.prefs.set", params))["payload"]["status"]


async def test_preferences_are_the_same_in_every_browser_and_never_overwritten_unseen(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as one, connected(gateway.url, **V4) as other:
        assert await prefs(one, entries={"ui.theme": "dark", "ui.font": {"size": 12}}) == "ok"
        assert (await other.event("users.prefs.changed"))["keys"] == ["ui.theme", "ui.font"]
        assert await prefs(other, entries={"ui.theme": "light"}, expectedEntries={"ui.theme": "x"}) == "conflict"
        assert await prefs(other, entries={"ui.font": None}, expectedEntries={"ui.theme": "dark"}) == "ok"
        assert (await one.call("users.prefs.get", {}))["payload"]["entries"] == {"ui.theme": "dark"}
        large = await one.call("users.prefs.set", {"entries": {"x": "y" * 20_000}})
        assert "at /entries/x" in large["error"]["message"]
        for part in range(15):
            assert await prefs(one, entries={f"k{part}-{number}": 1 for number in range(32)}) == "ok"
        full = await one.call("users.prefs.set", {"entries": {f"more{number}": 1 for number in range(32)}})
        assert full["error"]["details"] == {"code": "USER_PREFS_LIMIT_EXCEEDED"}


async def test_no_update_waits_as_nobody_is_asked_for_one(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        status = (await client.call("update.status", {}))["payload"]
    assert (status["updateAvailable"], status["schedule"]["autoEnabled"]) == (None, False)


async def test_a_page_that_asks_while_connecting_is_told_its_models(gateway: Running) -> None:
    session = await gateway.server.core.services.sessions.ensure(parse_key("agent:main:work"))
    targets: list[tuple[dict[str, object], dict[str, object]]] = [
        ({}, {"agentId": "main"}),
        ({"agentId": "ghost"}, {"agentId": "main"}),
        ({"sessionKey": "work"}, {"agentId": "main", "sessionKey": "agent:main:work"}),
        ({"shortId": session.session_id[:8]}, {"agentId": "main", "sessionKey": "agent:main:work"}),
    ]
    for target, scope in targets:
        async with connected(gateway.url, modelCatalog=target, **V4) as client:
            told = await client.event("models.snapshot")
            listed = (await client.call("models.list", {}))["payload"]
        assert told == {"target": target, "scope": scope, "catalog": listed}
    async with connected(gateway.url, modelCatalog={"sessionKey": ""}, **V4) as client:
        assert (await client.call("health"))["ok"]


async def test_the_machine_is_described(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        info = (await client.call("system.info", {}))["payload"]
        assert info["memoryTotalBytes"] > info["memoryFreeBytes"] > 0
        assert info["cpuCount"] >= 1
        models = (await client.call("models.authStatus", {"agentId": "main"}))["payload"]
        [provider] = models["providers"]
        assert {"provider": "openai", "apiKeySupported": True, "quickApiKeySetup": False} in models[
            "providerCapabilities"
        ]
        assert (provider["provider"], provider["status"]) == ("mock", "static")
        assert (await client.call("tasks.get", {"taskId": "t"}))["error"]["message"] == "unknown task id: t"


async def test_a_session_id_alone_names_a_session_of_its_own(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        client.sent += 1
        params = {"message": "hi", "sessionId": "s1", "idempotencyKey": "r1", "deliver": False}
        await client.send({"type": "req", "id": "a", "method": "agent", "params": params})
        accepted = await client.answer_to("a")
        assert (accepted["payload"]["status"], accepted["payload"]["agentId"]) == ("accepted", "main")
        assert (await client.answer_to("a"))["payload"]["status"] == "ok"
        assert (await client.event("chat", state="final"))["sessionKey"] == "agent:main:explicit:s1"
