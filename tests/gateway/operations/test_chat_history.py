from __future__ import annotations

from typing import Any

from tests.gateway.conftest import Running
from tests.gateway.raw_client import RawClient, connected

from homarus.agent.events import TextStreamed, TurnFinished, TurnStarted
from homarus.labels import OPERATOR
from homarus.models.contract import Usage
from homarus.sessions.keys import parse_key
from homarus.storage.records import Entry, Session

V4: dict[str, Any] = {"minProtocol": 4, "maxProtocol": 4}


async def fill(gateway: Running, *texts: str) -> tuple[Session, list[Entry]]:
    sessions = gateway.server.core.services.sessions
    session = await sessions.ensure(parse_key("main"))
    return session, [await sessions.append(session, "user", {"text": text, "key": "k"}, OPERATOR) for text in texts]


async def history(client: RawClient, **params: object) -> dict[str, Any]:
    return (await client.call("chat.history", {"sessionKey": "main", **params}))["payload"]


def texts(answer: dict[str, Any]) -> list[str]:
    return [message["content"] for message in answer["messages"]]


async def test_pages_go_back_to_the_beginning(gateway: Running) -> None:
    await fill(gateway, "a", "b", "c")
    async with connected(gateway.url, **V4) as client:
        newest = await history(client, limit=2)
        assert (texts(newest), newest["hasMore"], newest["totalMessages"]) == (["b", "c"], True, 3)
        oldest = await history(client, limit=2, offset=newest["nextOffset"])
        assert (texts(oldest), oldest["hasMore"], "nextOffset" in oldest) == (["a"], False, False)


async def test_a_limit_of_bytes_leaves_older_messages_for_the_next_page(gateway: Running) -> None:
    await fill(gateway, *(letter * 600 for letter in "abc"))
    async with connected(gateway.url, **V4) as client:
        page = await history(client, maxBytes=1500)
        assert [text[0] for text in texts(page)] == ["c"]
        assert (page["hasMore"], page["nextOffset"]) == (True, 1)
        rest = await history(client, offset=1)
        assert [text[0] for text in texts(rest)] == ["a", "b"]


async def test_a_page_around_one_message_has_what_came_before_and_after(gateway: Running) -> None:
    _, entries = await fill(gateway, *"abcdefg")
    async with connected(gateway.url, **V4) as client:
        assert texts(await history(client, limit=3, messageId=entries[3].id)) == ["c", "d", "e"]
        assert texts(await history(client, limit=3, messageId="none")) == []


async def test_a_cursor_brings_what_came_since_or_says_begin_anew(gateway: Running) -> None:
    session, _ = await fill(gateway, "a")
    async with connected(gateway.url, **V4) as client:
        cursor = (await history(client))["deltaCursor"]
        [entry] = (await fill(gateway, "b"))[1]
        delta = await history(client, cursor=cursor)
        assert (delta["kind"], [each["messageId"] for each in delta["messages"]]) == ("delta", [entry.id])
        assert delta["messages"][0]["message"]["content"] == "b"
        again = await history(client, cursor=delta["deltaCursor"])
        assert (again["messages"], again["deltaCursor"]) == ([], delta["deltaCursor"])
        await gateway.server.core.services.sessions.reset(parse_key("main"))
        assert await history(client, cursor=cursor) == {"kind": "reset"}
        for broken in ("", "x", f"{session.session_id}:-1", ":" * 400):
            assert await history(client, cursor=broken) == {"kind": "reset"}


async def test_the_first_page_of_a_chat_brings_agents_models_and_orders(gateway: Running) -> None:
    session, _ = await fill(gateway, "a")
    async with connected(gateway.url, **V4) as client:
        shown = (await client.call("chat.startup", {"sessionKey": "main", "limit": 80, "maxBytes": 262144}))["payload"]
        assert texts(shown) == ["a"]
        assert shown["sessionInfo"]["key"] == "agent:main:main"
        assert shown["agentsList"]["defaultId"] == "main"
        assert shown["metadata"]["commands"][0]["name"] == "new"
        short = {"shortId": session.session_id[:8], "agentId": "main"}
        assert (await client.call("chat.startup", short))["payload"]["sessionKey"] == "agent:main:main"
        unknown = await client.call("chat.startup", {"shortId": "ffffffff0", "agentId": "main"})
        assert unknown["error"]["message"] == "No session found: ffffffff0"
        nothing = await client.call("chat.startup", {})
        assert nothing["error"]["message"] == ("invalid chat.startup params: must have required property 'sessionKey'")


async def test_an_empty_session_is_an_empty_page(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        empty = await history(client)
    assert (empty["messages"], empty["hasMore"], empty["totalMessages"]) == ([], False, 0)
    assert (empty["pendingInputs"], "thinkingLevel" in empty) == ({"items": [], "total": 0}, False)


async def test_a_page_that_comes_in_the_middle_of_a_reply_gets_what_was_said_so_far(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url, **V4) as client:
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r1"})
        assert "inFlightRun" not in await history(client)
        manual_gateway.runs.emit("r1", TurnStarted(5))
        manual_gateway.runs.emit("r1", TextStreamed("so far", "so far"))
        assert (await history(client))["inFlightRun"] == {"runId": "r1", "text": "so far", "startedAt": 5}
        manual_gateway.runs.emit("r1", TurnFinished("so far", "stop", Usage(), 6))
        assert "inFlightRun" not in await history(client)


async def test_one_message_is_shown_in_full(gateway: Running) -> None:
    _, entries = await fill(gateway, "x" * 20_000)
    async with connected(gateway.url, **V4) as client:
        assert len(texts(await history(client))[0]) < 13_000
        params = {"sessionKey": "main", "messageId": entries[0].id}
        assert len((await client.call("chat.message.get", params))["payload"]["content"]) == 20_000
        missing = await client.call("chat.message.get", {**params, "messageId": "none"})
        assert missing["error"]["message"] == "message not found: none"


async def test_orders_are_listed_as_they_are_typed(gateway: Running) -> None:
    async with connected(gateway.url, **V4) as client:
        params = {"agentId": "main", "scope": "text", "includeArgs": False}
        commands = (await client.call("commands.list", params))["payload"]["commands"]
        assert commands[0]["textAliases"] == ["/new", "/reset"]
        assert not any("args" in each for each in commands)
        assert (await client.call("commands.list", {"scope": "native"}))["payload"] == {"commands": []}
        unknown = await client.call("commands.list", {"agentId": "ghost"})
        assert unknown["error"]["code"] == "INVALID_REQUEST"
        metadata = (await client.call("chat.metadata", {"sessionKey": "main"}))["payload"]
        assert [model["id"] for model in metadata["models"]] == ["mock-1"]


async def test_a_message_meant_for_another_state_of_the_chat_is_refused(gateway: Running) -> None:
    session, entries = await fill(gateway, "a", "b")
    sent = 0

    async def send(client: RawClient, **expected: object) -> dict[str, Any]:
        nonlocal sent
        sent += 1
        params = {"sessionKey": "main", "message": "hi", "idempotencyKey": f"r{sent}", **expected}
        return await client.call("chat.send", params)

    async with connected(gateway.url, **V4) as client:
        stale: list[dict[str, object]] = [
            {"expectedLeafEntryId": entries[0].id},
            {"expectedLeafEntryId": None},
            {"expectedLeafEntryId": entries[1].id, "sessionId": "other"},
            {"expectedLeafEntryId": "none", "sessionId": session.session_id},
        ]
        for expected in stale:
            assert (await send(client, **expected))["error"]["details"] == {"reason": "active-leaf-changed"}
        assert (await send(client, expectedLeafEntryId=entries[1].id))["ok"]
        earlier = {"expectedLeafEntryId": entries[0].id, "sessionId": session.session_id}
        assert (await send(client, **earlier))["ok"]
        assert (await send(client, sessionId="whatever"))["ok"]
