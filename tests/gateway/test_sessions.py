from __future__ import annotations

import json

from tests.gateway.conftest import Running
from tests.gateway.raw_client import connected

from homarus.labels import OPERATOR
from homarus.sessions.keys import parse_key


async def test_settings_are_patched_cleared_and_told_to_subscribers(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        assert (await client.call("sessions.subscribe"))["payload"] == {"subscribed": True}
        patch = {"key": "main", "label": "home", "thinkingLevel": "low", "model": "mock/mock-1"}
        entry = (await client.call("sessions.patch", patch))["payload"]["entry"]
        assert (entry["label"], entry["thinkingLevel"], entry["model"]) == ("home", "low", "mock-1")
        changed = await client.event("sessions.changed")
        assert (changed["reason"], changed["sessionKey"], changed["label"]) == ("patch", "agent:main:main", "home")
        cleared = (await client.call("sessions.patch", {"key": "main", "thinkingLevel": None}))["payload"]["entry"]
        assert "thinkingLevel" not in cleared
        assert cleared["label"] == "home"
        taken = await client.call("sessions.patch", {"key": "other", "label": "home"})
        assert taken["error"]["message"] == "label already in use: home"
        unknown = await client.call("sessions.patch", {"key": "main", "model": "ghost/model"})
        assert unknown["error"]["code"] == "INVALID_REQUEST"


async def test_list_resolve_preview_and_get_find_the_same_session(gateway: Running) -> None:
    sessions = gateway.server.core.services.sessions
    session = await sessions.ensure(parse_key("agent:main:work"))
    await sessions.update(parse_key("agent:main:work"), label="work", meta={})
    await sessions.append(session, "user", {"text": "x" * 300}, OPERATOR)
    async with connected(gateway.url) as client:
        listed = (await client.call("sessions.list", {"search": "WORK"}))["payload"]
        assert [row["key"] for row in listed["sessions"]] == ["agent:main:work"]
        for params in ({"key": "work"}, {"label": "work"}, {"sessionId": session.session_id}):
            assert (await client.call("sessions.resolve", params))["payload"]["key"] == "agent:main:work"
        previews = (await client.call("sessions.preview", {"keys": ["work", "never"]}))["payload"]["previews"]
        assert [preview["status"] for preview in previews] == ["ok", "missing"]
        assert len(previews[0]["items"][0]["text"]) == 240
        messages = (await client.call("sessions.get", {"key": "work"}))["payload"]["messages"]
        assert messages[0]["content"][0]["text"] == "x" * 300
        none = await client.call("sessions.resolve", {})
        assert none["error"]["message"] == "Either key, sessionId, or label is required"
        missing = await client.call("sessions.resolve", {"key": "never"})
        assert missing["error"]["message"] == "No session found: never"


async def test_reset_begins_anew_and_delete_spares_the_main_session(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        await client.call("sessions.subscribe")
        created = (await client.call("sessions.create", {"label": "draft"}))["payload"]
        key = created["key"]
        assert key.startswith("agent:main:dashboard:")
        reset = (await client.call("sessions.reset", {"key": key}))["payload"]
        assert reset["entry"]["sessionId"] != created["sessionId"]
        assert (await client.event("sessions.changed", reason="reset"))["sessionKey"] == key
        deleted = (await client.call("sessions.delete", {"key": key}))["payload"]
        assert deleted["deleted"] is True
        assert (await client.event("sessions.changed", reason="delete"))["sessionKey"] == key
        again = (await client.call("sessions.delete", {"key": key}))["payload"]
        assert (again["deleted"], again["archived"]) == (False, [])
        refused = await client.call("sessions.delete", {"key": "main"})
        assert refused["error"]["message"] == "Cannot delete the main session (agent:main:main)."


async def test_run_is_told_to_subscribers_with_its_phases(gateway: Running) -> None:
    await gateway.server.core.services.sessions.ensure(parse_key("main"))
    async with connected(gateway.url) as client:
        await client.call("sessions.subscribe")
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r1"})
        start = await client.event("sessions.changed", phase="start")
        end = await client.event("sessions.changed", phase="end")
        assert (start["runId"], start["status"], end["status"]) == ("r1", "running", "done")
        assert end["session"]["key"] == "agent:main:main"
        await client.call("sessions.unsubscribe")
        await client.call("sessions.patch", {"key": "main", "label": "quiet"})
        await client.call("health")
        changes = [frame["payload"] for frame in client.events if frame.get("event") == "sessions.changed"]
        assert [change.get("reason") for change in changes if change.get("reason") == "patch"] == []


async def test_own_methods_answer_from_the_desks(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        assert (await client.call("messages.list", {"state": "failed"}))["payload"]["messages"][0]["id"] == "m1"
        assert (await client.call("messages.show", {"id": "m1"}))["payload"]["trail"] == ["1 received"]
        assert (await client.call("messages.show", {"id": "m2"}))["error"]["message"] == "no message m2"
        assert (await client.call("messages.retry", {"id": "m1"}))["payload"]["state"] == "failed"
        assert (await client.call("pairing.list", {}))["payload"]["requests"][0]["code"] == "CODE1234"
        approve = {"channel": "irc", "code": "CODE1234"}
        assert (await client.call("pairing.approve", approve))["payload"]["senderId"] == "stranger"
        assert (await client.call("pairing.approve", {**approve, "code": "X"}))["error"]["code"] == "INVALID_REQUEST"
        channels = (await client.call("channels.status", {"probe": True}))["payload"]
        assert channels["channelAccounts"]["irc"][0]["probe"]["ok"] is True
        link = (await client.call("login.link", {}))["payload"]
        assert link["path"] == f"/#code={link['code']}"


async def test_configuration_leaves_without_its_secrets(gateway: Running) -> None:
    async with connected(gateway.url) as client:
        config = (await client.call("config.get", {}))["payload"]
    assert json.loads(config["raw"]) == config["parsed"]
    assert config["valid"] is True


async def test_log_tail_reads_whole_lines_from_a_cursor(gateway: Running) -> None:
    path = gateway.folder / "gateway.log"
    path.write_text("".join(f"line {number}\n" for number in range(10)))
    async with connected(gateway.url) as client:
        first = (await client.call("logs.tail", {"limit": 2}))["payload"]
        assert first["lines"] == ["line 8", "line 9"]
        with path.open("a") as file:
            file.write("line 10\n")
        rest = (await client.call("logs.tail", {"cursor": first["cursor"]}))["payload"]
        assert (rest["lines"], rest["reset"]) == (["line 10"], False)
        path.write_text("new\n")
        again = (await client.call("logs.tail", {"cursor": rest["cursor"]}))["payload"]
        assert (again["lines"], again["reset"]) == (["new"], True)
        cut = (await client.call("logs.tail", {"maxBytes": 2}))["payload"]
        assert cut["lines"] == []
