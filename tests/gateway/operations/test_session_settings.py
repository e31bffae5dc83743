from __future__ import annotations

from typing import Any

from sqlalchemy import update
from tests.gateway.conftest import Running
from tests.gateway.raw_client import RawClient, connected

from homarus.storage.tables import sessions


async def row(client: RawClient) -> dict[str, Any]:
    return (await client.call("sessions.describe", {"key": "main"}))["payload"]["session"]


async def patch(client: RawClient, **changes: object) -> dict[str, Any]:
    return await client.call("sessions.patch", {"key": "main", **changes})


async def test_a_session_is_put_away_found_there_and_back_with_its_next_message(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        await patch(client, archived=True)
        assert (await client.call("sessions.list", {}))["payload"]["sessions"] == []
        away = (await client.call("sessions.list", {"archived": True}))["payload"]["sessions"]
        assert [(each["key"], each["archived"]) for each in away] == [("agent:main:main", True)]
        assert len((await client.call("sessions.list", {"archived": "all"}))["payload"]["sessions"]) == 1
        pin = await patch(client, pinned=True)
        assert pin["error"]["message"] == "cannot pin an archived session; restore it first"
        await patch(client, archived=False)
        assert (await row(client))["archived"] is False


async def test_reading_a_session_does_not_move_it_and_respects_a_newer_mark(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        await patch(client, label="first")
        before = await row(client)
        await patch(client, unread=True)
        marked = await row(client)
        assert (marked["unread"], marked["updatedAt"]) == (True, before["updatedAt"])
        await patch(client, unread=False, expectedMarkedUnreadAt=None)
        assert (await row(client))["unread"] is True
        await patch(client, unread=False, expectedMarkedUnreadAt=marked["markedUnreadAt"])
        read = await row(client)
        assert (read["unread"], "markedUnreadAt" in read) == (False, False)
        wrong = await patch(client, unread=True, expectedMarkedUnreadAt=1)
        assert wrong["error"]["code"] == "INVALID_REQUEST"


async def test_a_run_makes_a_session_unread_until_somebody_reads_it(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        await patch(client, label="x")
        session = (await gateway.server.core.services.sessions.list())[0]
        assert (await row(client))["unread"] is False
        await gateway.server.core.services.database.write(_end_run, session.key, session.created_at + 5)
        assert (await row(client))["unread"] is True


async def test_what_a_caller_counts_on_is_refused_when_it_does_not_exist(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        for name, value in (("permissionMode", "read-only"), ("toolOverrides", ["x"]), ("sandboxMode", "off")):
            refused = await patch(client, **{name: value})
            assert f"at /{name}: is not supported by this gateway; leave it out" in refused["error"]["message"]
            assert (await patch(client, **{name: None}))["ok"] is True
        private = await client.call("sessions.create", {"incognito": True})
        assert "at /incognito: is not supported" in private["error"]["message"]


async def test_changes_meant_for_another_transcript_are_refused(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        created = (await client.call("sessions.create", {"label": "x"}))["payload"]
        key = created["key"]
        await client.call("sessions.reset", {"key": key, "expectedSessionId": created["sessionId"]})
        for method in ("sessions.reset", "sessions.delete", "sessions.patch"):
            stale = await client.call(method, {"key": key, "expectedSessionId": created["sessionId"]})
            assert stale["error"]["details"] == {"reason": "session-changed"}, method


async def test_only_what_is_archived_is_deleted_on_that_condition(gateway: Running) -> None:
    async with connected(gateway.url, minProtocol=4, maxProtocol=4) as client:
        key = (await client.call("sessions.create", {"label": "x"}))["payload"]["key"]
        refused = await client.call("sessions.delete", {"key": key, "archivedOnly": True})
        assert "archive it first" in refused["error"]["message"]
        await client.call("sessions.patch", {"key": key, "archived": True})
        deleted = await client.call("sessions.delete", {"key": key, "archivedOnly": True})
        assert deleted["payload"]["deleted"] is True


def _end_run(connection: Any, key: str, at: int) -> None:
    connection.execute(update(sessions).where(sessions.c.key == key).values(started_at=at, ended_at=at))
