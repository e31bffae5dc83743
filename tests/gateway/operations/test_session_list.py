from __future__ import annotations

from tests.gateway.conftest import Running
from tests.gateway.raw_client import RawClient, connected

from homarus.sessions.keys import parse_key


async def make(gateway: Running, *names: str) -> None:
    for name in names:
        await gateway.server.core.services.sessions.ensure(parse_key(name))


async def keys(client: RawClient, **params: object) -> list[str]:
    answer = (await client.call("sessions.list", params))["payload"]
    return [row["key"].removeprefix("agent:main:") for row in answer["sessions"]]


async def test_a_page_says_where_the_next_one_begins(gateway: Running) -> None:
    await make(gateway, "a", "b", "c")
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        first = (await client.call("sessions.list", {"limit": 2}))["payload"]
        assert (first["count"], first["totalCount"], first["hasMore"], first["nextOffset"]) == (2, 3, True, 2)
        assert first["limitApplied"] == 2
        last = (await client.call("sessions.list", {"limit": 2, "offset": 2}))["payload"]
        assert (last["count"], last["totalCount"], last["hasMore"], last["nextOffset"]) == (1, 3, False, None)
        listed = [row["key"] for row in (*first["sessions"], *last["sessions"])]
        assert len(set(listed)) == 3


async def test_filters_leave_what_they_say(gateway: Running) -> None:
    await make(gateway, "main", "cron:j1", "subagent:s1", "agent:gone:main")
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        await client.call("sessions.patch", {"key": "main", "pinned": True, "category": "home"})
        assert await keys(client, pinned=True) == ["main"]
        assert await keys(client, group="home") == ["main"]
        assert "cron:j1" not in await keys(client, excludeCron=True)
        assert "subagent:s1" not in await keys(client, excludeSubagents=True)
        assert "agent:gone:main" not in await keys(client, configuredAgentsOnly=True)
        assert await keys(client, projectId="p") == []
        assert await keys(client, hasBoard=True) == []
        assert await keys(client, activeOnly=True) == []
        assert await keys(client, requireLastInteraction=True) == []


async def test_a_session_with_a_run_says_so(manual_gateway: Running) -> None:
    async with connected(manual_gateway.url, minProtocol=4, maxProtocol=4) as client:
        await make(manual_gateway, "main")
        await client.call("chat.send", {"sessionKey": "main", "message": "hi", "idempotencyKey": "r1"})
        row = (await client.call("sessions.describe", {"key": "main"}))["payload"]["session"]
        assert (row["hasActiveRun"], row["activeRunIds"]) == (True, ["r1"])
        assert await keys(client, activeOnly=True) == ["main"]


async def test_describe_gives_the_row_of_the_list_or_null(gateway: Running) -> None:
    await make(gateway, "main")
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        listed = (await client.call("sessions.list", {}))["payload"]["sessions"][0]
        assert (await client.call("sessions.describe", {"key": "main"}))["payload"]["session"] == listed
        assert (await client.call("sessions.describe", {"key": "none"}))["payload"] == {"session": None}
        foreign = await client.call("sessions.describe", {"key": "agent:main:main", "agentId": "other"})
        assert foreign["error"]["message"] == "session key agent does not match agentId"


async def test_resolve_takes_the_beginning_of_an_id_and_may_find_nothing(gateway: Running) -> None:
    session = await gateway.server.core.services.sessions.ensure(parse_key("main"))
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        short = (await client.call("sessions.resolve", {"shortId": session.session_id[:8]}))["payload"]
        assert short == {"ok": True, "key": "agent:main:main", "agentId": "main"}
        missing = await client.call("sessions.resolve", {"key": "never", "allowMissing": True})
        assert missing["payload"] == {"ok": False}


async def test_defaults_say_how_hard_the_model_can_think(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        defaults = (await client.call("sessions.list", {}))["payload"]["defaults"]
    assert (defaults["thinkingOptions"], defaults["thinkingDefault"]) == (["off"], "off")
    assert defaults["thinkingLevels"] == [{"id": "off", "label": "off"}]
